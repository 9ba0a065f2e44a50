"""A client that takes nothing for granted: bytes off a socket, the chunks of HTTP/1.1 and the events of SSE."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import urlsplit

PATIENCE_S = 20
"""How long a read may take; nothing takes that long unless it never happens."""


@dataclass
class Answer:
    """What came back. `chunks` are those of HTTP, each with the seconds since the request; `complete` tells whether
    the body came to its proper end."""

    status: int
    headers: dict[str, str]
    chunks: list[bytes] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    complete: bool = False
    seconds: float = 0.0

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def event_times(self) -> list[float]:
        """When each SSE event was there, in seconds since the request."""
        times: list[float] = []
        body = b""
        for chunk, at in zip(self.chunks, self.at, strict=True):
            body += chunk
            times += [at] * (body.count(b"\n\n") - len(times))
        return times

    @property
    def events(self) -> list[dict[str, str]]:
        return parse_events(self.body)


def read(
    url: str,
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    until: Callable[[bytes], bool] | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Answer:
    """Send a request and read its answer: to the end, or until `until` holds for the body so far, then hang up."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"content-length: {len(body)}")
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_S) as connection:
        start = now()
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        stream = connection.makefile("rb")
        with stream:
            status, fields = _read_head(stream)
            answer = Answer(status, fields)
            for chunk in _pieces(stream, answer):
                answer.chunks.append(chunk)
                answer.at.append(now() - start)
                if until is not None and until(answer.body):
                    break
            answer.seconds = now() - start
            return answer


def _read_head(stream: BinaryIO) -> tuple[int, dict[str, str]]:
    status = int(stream.readline().split()[1])
    fields = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        fields[name.lower()] = value.strip()
    return status, fields


def _pieces(stream: BinaryIO, answer: Answer) -> Iterator[bytes]:
    if answer.headers.get("transfer-encoding") != "chunked":
        length = int(answer.headers.get("content-length", 0))
        whole = stream.read(length) or b""
        answer.complete = len(whole) == length
        if whole:
            yield whole
        return
    while size_line := stream.readline():
        size = int(size_line, 16)
        chunk = stream.read(size + 2) or b""
        if size == 0:
            answer.complete = True
            return
        yield chunk[:-2]


_FIELD = re.compile(r"(event|data|id|retry): ?(.*)")


def parse_events(body: bytes) -> list[dict[str, str]]:
    """The fields of each event, strictly: nothing but fields, comments and blank lines may be there."""
    events: list[dict[str, str]] = []
    current: dict[str, str] = {}
    for line in body.decode().split("\n"):
        if not line:
            if current:
                events.append(current)
            current = {}
        elif not line.startswith(":"):
            known = _FIELD.fullmatch(line)
            assert known, line
            name, value = known.groups()
            current[name] = f"{current[name]}\n{value}" if name in current else value
    assert not current, "the last event has no end"
    return events


def events_seen(count: int) -> Callable[[bytes], bool]:
    """For `until`: so many events have come."""
    return lambda body: body.count(b"\n\n") >= count
