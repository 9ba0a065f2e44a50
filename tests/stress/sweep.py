"""A recorded stream of each vendor, broken at every byte of its body and of the whole response, plain and under TLS:
`scripts/break --recordings`.

`MOCKD_RECORDINGS` names a folder with a folder for each vendor, of files with one JSON payload a line.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.stress.breaking import CLIENTS, ENDS, same
from tests.wire.conftest import TLS, speaking_tls
from tests.wire.sockets import body_of

FOLDER = os.environ.get("MOCKD_RECORDINGS", "")
PATIENCE_S = 30
MOST_CHUNKS = 100
"""Most events that each have a chunk of their own, which takes time."""


def _data(payload: str) -> str:
    return f"data: {payload}\n\n"


def _typed(payload: str) -> str:
    return f"event: {json.loads(payload)['type']}\n{_data(payload)}"


def _crlf(payload: str) -> str:
    return f"data: {payload}\r\n\r\n"


DONE = _data("[DONE]")


class Recording(NamedTuple):
    """A file, and how its service frames its payloads and ends its streams."""

    name: str
    framed: Callable[[str], str]
    end: str = ""


RECORDINGS = {
    "anthropic": Recording("anthropic-text", _typed),
    "azure-openai": Recording("azure-model-router.1", _data, DONE),
    "cohere": Recording("cohere-text", _typed, DONE),
    "google": Recording("google-text", _crlf),
    "mistral": Recording("mistral-text", _data, DONE),
    "openai-chat": Recording("openai-text", _data, DONE),
    "openai-responses": Recording("openai-error.1", _typed),
}
"""One recording of each vendor, by the name of the vendor's folder."""


def mock_of(vendor: str) -> dict[str, Any]:
    """A mock that sends the stream as the service sent it, each event in a chunk of its own unless there are many."""
    recording = RECORDINGS[vendor]
    text = Path(FOLDER, vendor, f"{recording.name}.chunks.txt").read_text(encoding="utf-8")
    blocks = [recording.framed(payload) for payload in text.splitlines() if payload]
    blocks += [recording.end] if recording.end else []
    flush = "event" if len(blocks) <= MOST_CHUNKS else "auto"
    sse = {"events": [{"raw": block} for block in blocks], "flush": flush}
    return {"matcher": {"path": f"/{vendor}"}, "sse": sse}


# -- a client that sees the end of the connection, under TLS too -------------------------------------------------------


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


_TRUSTING = _trusting()


def received(url: str, path: str, fault: str = "") -> tuple[bytes, str]:
    """All that comes of an answer, and how the TCP connection ends: `fin` or `rst`. Python's own sockets take a reset
    under TLS for an end."""
    parts = urlsplit(url)
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"X-Mockd-Fault: {fault}"] if fault else []
    request = "\r\n".join([*lines, "", ""]).encode()
    with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=PATIENCE_S) as client:
        data = b""
        try:
            for part in _under_tls(client, request) if parts.scheme == "https" else _plainly(client, request):
                data += part
        except ConnectionResetError:
            return data, "rst"
        return data, "fin"


def _plainly(client: socket.socket, request: bytes) -> Iterator[bytes]:
    client.sendall(request)
    while part := client.recv(65536):
        yield part


def _under_tls(client: socket.socket, request: bytes) -> Iterator[bytes]:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    speaking = _TRUSTING.wrap_bio(incoming, outgoing)
    is_sent = False
    while True:
        try:
            if not is_sent:
                speaking.do_handshake()
                speaking.write(request)
                is_sent = True
            part = speaking.read(65536)
        except ssl.SSLWantReadError:
            if outgoing.pending:  # sending nothing would find the reset before what came
                client.sendall(outgoing.read())
            came = client.recv(65536)
            if came:
                incoming.write(came)
            else:
                incoming.write_eof()
            continue
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return
        if not part:
            return
        yield part


# -- the sweep ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sweep:
    """The breaks of one kind in one stream."""

    vendor: str
    action: str
    unit: str
    """`bytes` or `wire bytes`."""

    def __str__(self) -> str:
        return f"{self.vendor}, {self.action} after {self.unit}"

    def places(self, server: RunningMockd) -> range:
        """Every place at which it can break."""
        return range(1, len(self._whole(server)) + 1)

    def _whole(self, server: RunningMockd) -> bytes:
        """All that is sent without a break."""
        whole = received(server.url, f"/{self.vendor}")[0]
        return whole if self.unit == "wire bytes" else body_of(whole)

    def run(self, server: RunningMockd, places: Iterable[int]) -> list[str]:
        """Break the stream at each of these places. Returns what was not as promised."""
        whole = self._whole(server)

        def broken(place: int) -> str | None:
            fault = f"{self.action} after {place} {self.unit}"
            data, end = received(server.url, f"/{self.vendor}", fault)
            got = data if self.unit == "wire bytes" else body_of(data)
            is_right = same(got) == same(whole[:place]) and len(got) == place and end == ENDS[self.action]
            if is_right and self.action == "end":
                is_right = data.endswith(b"0\r\n\r\n")
            return None if is_right else f"{self.vendor}: {self.action} after {place} {self.unit}: {len(got)}, {end}"

        with ThreadPoolExecutor(CLIENTS) as clients:
            return [said for said in clients.map(broken, places) if said is not None]


UNITS = {"bytes": ("reset", "close", "end"), "wire bytes": ("reset", "close")}
SWEEPS = [Sweep(vendor, action, unit) for vendor in RECORDINGS for unit, actions in UNITS.items() for action in actions]
WAYS: dict[str, dict[str, Any]] = {"plain": {}, "TLS": TLS}
STRIDE = 7
"""Under TLS, and where a long stream is not reset but ended, every so many places are enough: what is sent before them
is the same."""
LONG = 20_000


def serving(way: str) -> Any:
    """A server with the recordings."""
    settings = Settings(allow_fault_header=True)
    return running_mockd(*map(mock_of, RECORDINGS), settings=settings, **WAYS[way])


def run() -> int:
    """Returns the exit code."""
    if not FOLDER:
        print("MOCKD_RECORDINGS names no folder of recorded streams")
        return 2
    count, failures, began = 0, list[str](), time.monotonic()
    for way in WAYS:
        with serving(way) as running:
            server = running if way == "plain" else speaking_tls(running)
            for sweep in SWEEPS:
                places = sweep.places(server)
                is_every = way == "plain" and (sweep.action == "reset" or len(places) < LONG)
                places = places if is_every else places[::STRIDE]
                failures += (found := sweep.run(server, places))
                count += len(places)
                print(f"{way:6}{sweep!s:44}{len(places):>10,}{len(places) - len(found):>10,} exact", flush=True)
    print(f"{count - len(failures):,} of {count:,} exact in {time.monotonic() - began:.0f} s")
    for failure in failures[:20]:
        print(failure)
    return 1 if failures else 0
