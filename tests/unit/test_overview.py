from __future__ import annotations

import pytest

from mockd import overview
from mockd.request import RequestView


def request_from(peer: str | None, host: str, dest: str = "document", method: str = "GET") -> RequestView:
    headers = [(b"host", host.encode()), (b"sec-fetch-dest", dest.encode())]
    client = None if peer is None else (peer, 1)
    return RequestView({"type": "http", "method": method, "path": "/", "headers": headers, "client": client})


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("host", ["localhost:4280", "127.0.0.1:4280", "[::1]:4280", "app.localhost"])
def test_the_page_is_for_people_on_this_machine(peer: str, host: str) -> None:
    assert overview.is_for(request_from(peer, host))


@pytest.mark.parametrize(
    "request_",
    [
        request_from("192.0.2.1", "localhost"),
        request_from(None, "localhost"),
        request_from("127.0.0.1", "rebound.example"),
        request_from("127.0.0.1", ""),
        request_from("127.0.0.1", "localhost", dest="iframe"),
        request_from("127.0.0.1", "localhost", method="HEAD"),
    ],
)
def test_it_is_for_nobody_else(request_: RequestView) -> None:
    assert not overview.is_for(request_)
