"""Requests that are answered, however they are refused."""

from __future__ import annotations

import json
from contextlib import suppress
from socket import SHUT_WR
from typing import Any
from urllib.parse import urlsplit

from tests.wire.sockets import Client

JSON = {"Content-Type": "application/json"}
YAML = {"Content-Type": "application/yaml"}


def as_bytes(body: Any) -> bytes:
    """A body as it is sent: bytes as they are, all else as JSON."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def ask(url: str, method: str = "GET", body: Any = b"", headers: dict[str, Any] = JSON) -> tuple[int, bytes]:
    """Status and body of an answer, up to the end of its connection. Bodies that are not bytes are sent as JSON."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    with Client(f"{parts.scheme}://{parts.netloc}") as client:
        with suppress(ConnectionError):  # refused before all of it was read
            client.ask(target, method=method, headers={**headers, "Connection": "close"}, body=as_bytes(body))
        return answer_of(client)


def answer_of(client: Client) -> tuple[int, bytes]:
    """Status and body of the answer to the only request of a connection, its chunks joined."""
    status, headers = client.read_head()
    if headers.get("transfer-encoding") == "chunked":
        return status, b"".join(client.read_chunks())
    if "content-length" in headers:
        return status, client.read_exactly(int(headers["content-length"]))
    return status, client.read_to_end()


def raw(url: str, sent: bytes) -> bytes:
    """What comes back for some bytes and a FIN, up to the end of the connection."""
    with Client(url) as client:
        with suppress(OSError):  # it may have ended already
            client.send(sent)
            client.socket.shutdown(SHUT_WR)
        try:
            return client.read_to_end()
        except ConnectionError:
            return client.received
