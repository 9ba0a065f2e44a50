"""A client that sees every byte."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable


class Raw:
    """A connection to a server at a URL. `got` is all that came; `end` is how it ended: `fin` or `rst`."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self.got = b""
        self.end: str | None = None

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> Raw:
        self.socket.sendall(data)
        return self

    def get(self, path: str = "/", *headers: str, method: str = "GET", version: str = "1.1") -> Raw:
        lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *headers, "", ""]
        return self.send("\r\n".join(lines).encode())

    def until(self, seen: Callable[[bytes], object]) -> bytes:
        """Read until this is true of all that came, or the connection has ended."""
        while not seen(self.got) and self.end is None:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                self.end = "rst"
                break
            if not data:
                self.end = "fin"
            self.got += data
        return self.got

    def all(self) -> bytes:
        return self.until(lambda _: False)

    @property
    def head(self) -> bytes:
        return self.got.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.got.partition(b"\r\n\r\n")[2]


def eventually(is_so: Callable[[], object], most_s: float = 10.0) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + most_s
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.002)
    return True
