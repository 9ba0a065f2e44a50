"""An answer as it comes off a socket, and how it ended."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Literal

from tests.wire.sockets import Client

BREAKS = (ConnectionResetError, ssl.SSLEOFError)
"""How a connection breaks: with a reset, or under TLS without a word of its end."""
End = Literal["whole", "broken", "closed"]
"""`whole`: to the last chunk or byte that was announced. `broken`: the connection ended before. `closed`: nothing was
announced, and the connection ended in order."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    end: End


def read_answer(client: Client, method: str = "GET") -> Answer:
    """The next answer on this connection."""
    status, headers = client.read_head()
    body, end = b"", "whole"
    if method == "HEAD" or status in (204, 304):
        pass
    elif headers.get("transfer-encoding") == "chunked":
        body, end = _read_chunks(client)
    elif "content-length" in headers:
        body = _read(client, int(headers["content-length"]))
        end = "whole" if len(body) == int(headers["content-length"]) else "broken"
    else:
        body, end = _read_to_end(client)
    return Answer(status, headers, body, end)


def _read_chunks(client: Client) -> tuple[bytes, End]:
    parts = []
    while line := _read_line(client):
        size = int(line, 16)
        part = _read(client, size + 2)
        parts.append(part[:size])
        if size == 0 and part:
            return b"".join(parts), "whole"
    return b"".join(parts), "broken"


def _read_line(client: Client) -> bytes:
    while b"\n" not in client.received and _receive(client):
        pass
    line, end, client.received = client.received.partition(b"\n")
    return line if end else b""


def _read(client: Client, size: int) -> bytes:
    while len(client.received) < size and _receive(client):
        pass
    part, client.received = client.received[:size], client.received[size:]
    return part


def _read_to_end(client: Client) -> tuple[bytes, End]:
    try:
        return client.read_to_end(), "closed"
    except BREAKS:
        return client.received, "broken"


def _receive(client: Client) -> bool:
    """Whether more has come."""
    try:
        part = client.socket.recv(65536)
    except BREAKS:
        return False
    client.received += part
    return bool(part)
