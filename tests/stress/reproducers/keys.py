"""Thousands of keys, each of which must be remembered, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.stress.asking import ask
from tests.wire.sockets import Client

if TYPE_CHECKING:
    from tests.stress.server import Server

_MANY = 12_000
_AT_ONCE = 50


def _many_keys(server: Server) -> None:
    parts = urlsplit(server.mocks)
    seen = set()
    with Client(f"{parts.scheme}://{parts.netloc}") as client:
        for first in range(0, _MANY, _AT_ONCE):
            numbers = range(first, first + _AT_ONCE)
            requests = (f"GET /~k{number}/counted HTTP/1.1\r\nHost: x\r\n\r\n" for number in numbers)
            client.send("".join(requests).encode())
            for _ in range(_AT_ONCE):
                status, headers = client.read_head()
                client.read_exactly(int(headers["content-length"]))
                seen.add(status)
    assert seen == {200, 503}
    assert ask(server.admin + "/keys")[0] == ask(server.admin + "/reset", "POST")[0] == 200
    assert ask(server.mocks + "/~another/counted") == (200, b"first")


KEYS: dict[str, Callable[[Server], None]] = {"many keys": _many_keys}
