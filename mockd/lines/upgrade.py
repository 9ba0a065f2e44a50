"""A word in the log if the server has lost the body of a request that offers to change to another protocol."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache

from mockd.request import RequestView

_log = logging.getLogger("mockd")


def look_for_lost_body(request: RequestView) -> None:
    """Log a warning, once in a process, if the body of a request that was read whole is missing.

    uvicorn with httptools takes the body of a request with `Upgrade: h2c` for the other protocol, although it does not
    change to it. Every request of Java's HttpClient is such a request, and those of `curl --http2`.
    """
    headers = request.raw_headers
    if b"upgrade" in headers and not request.body and request.unread is None and _announces_body(headers):
        _warn()


def _announces_body(headers: Mapping[bytes, bytes]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


@cache
def _warn() -> None:
    _log.warning(
        "the server lost the body of a request that offers to change to another protocol (`Upgrade: h2c`, as Java's "
        "HttpClient and `curl --http2` do), so mocks see an empty one: start uvicorn with `--http h11`, or use "
        "`mockd serve`"
    )
