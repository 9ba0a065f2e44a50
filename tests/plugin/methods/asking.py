"""Clients of the mocks of a test."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE_S = 30
Ask = Callable[..., http.client.HTTPConnection]


def get(url: str | urllib.request.Request, body: Any = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data) if isinstance(url, str) else url
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@contextmanager
def soon(work: Callable[[], object] | threading.Thread) -> Iterator[None]:
    """Work that another thread does meanwhile."""
    thread = work if isinstance(work, threading.Thread) else threading.Thread(target=work)
    thread.start()
    yield
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
