"""Clients that see every byte."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.programs import program

PATIENCE_S = 20
"""How long to wait for what must happen; nothing takes that long unless it never happens."""


class Client:
    """A plain socket that speaks HTTP by hand, over TLS if the URL says so, whatever the certificate."""

    def __init__(self, url: str, *, receive_buffer: int | None = None) -> None:
        parts = urlsplit(url)
        self.host = f"{parts.hostname}:{parts.port}"
        self.prefix = parts.path
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((parts.hostname, parts.port))
        if parts.scheme == "https":
            trusting = ssl.create_default_context()
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            self.socket = trusting.wrap_socket(self.socket)
        self.received = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *args: object) -> None:
        self.socket.close()

    def close(self) -> None:
        """Leave in order: with a FIN, if nothing is unread."""
        self.socket.close()

    def reset(self) -> None:
        """Leave with a reset (RST)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, raw: bytes) -> None:
        self.socket.sendall(raw)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        version: str = "1.1",
        headers: dict[str, Any] | None = None,
        body: bytes = b"",
    ) -> Client:
        head = [f"{method} {self.prefix}{path} HTTP/{version}", f"Host: {self.host}"]
        if body:
            head.append(f"Content-Length: {len(body)}")
        head += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.send("\r\n".join([*head, "", ""]).encode() + body)
        return self

    def read_until(self, mark: bytes) -> bytes:
        """What has come up to and with `mark`; it is taken away."""
        while mark not in self.received:
            part = self.socket.recv(65536)
            assert part, f"the connection ended before {mark!r}: {self.received!r}"
            self.received += part
        found, _, self.received = self.received.partition(mark)
        return found + mark

    def read_head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of a response."""
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split(" ")[1]), headers

    def read_exactly(self, size: int) -> bytes:
        """So many bytes of a body."""
        while len(self.received) < size:
            part = self.socket.recv(65536)
            assert part, "the connection ended inside the body"
            self.received += part
        found, self.received = self.received[:size], self.received[size:]
        return found

    def read_to_end(self) -> bytes:
        """Everything up to the end of the connection, which must be orderly."""
        while part := self.socket.recv(65536):
            self.received += part
        found, self.received = self.received, b""
        return found

    def read_chunk(self) -> bytes:
        """One chunk of a chunked body; empty for the last one."""
        size = int(self.read_until(b"\r\n"), 16)
        while len(self.received) < size + 2:
            part = self.socket.recv(65536)
            assert part, "the connection ended inside a chunk"
            self.received += part
        chunk, end, self.received = self.received[:size], self.received[size : size + 2], self.received[size + 2 :]
        assert end == b"\r\n"
        return chunk

    def read_chunks(self) -> list[bytes]:
        """All chunks of a body that is ended as it should be."""
        chunks = []
        while chunk := self.read_chunk():
            chunks.append(chunk)
        return chunks


def body_of(data: bytes) -> bytes:
    """The body of a response, whose last chunk may be cut."""
    head, _, rest = data.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return rest
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if not rest or not int(size, 16):
            break
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return body


def ask_whole(client: Client) -> None:
    """Ask for `/whole`, whose body is one byte, and read the answer."""
    client.ask("/whole").read_head()
    client.read_exactly(1)


def curl(url: str, *options: str) -> tuple[int, str]:
    """curl's exit code and what it printed. The test is skipped if it is not installed."""
    command = [program("curl"), "--silent", "--no-buffer", "--max-time", str(PATIENCE_S), *options, url]
    done = subprocess.run(command, capture_output=True, timeout=2 * PATIENCE_S, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def eventually(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)
