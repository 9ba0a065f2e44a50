"""A server that speaks HTTP/2, frame by frame as a test says, and mockd before it."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events

from mockd.testing import RunningMockd
from tests.relay.clients import eventually
from tests.relay.conftest import Relay
from tests.relay.targets import Target, Visit, serving

DATA = Path(__file__).parents[1] / "cli" / "data"
CA = str(DATA / "cert.pem")
SSE = [(":status", "200"), ("content-type", "text/event-stream")]


class Frames:
    """One connection to the server, with one stream. `seen` is what has come of it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        # What it sends is not looked at, so that it can be wrong.
        config = h2.config.H2Configuration(
            client_side=False,
            header_encoding="utf-8",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.http = h2.connection.H2Connection(config)
        self.http.initiate_connection()
        self.seen: list[h2.events.Event] = []

    async def until(self, kind: type[h2.events.Event]) -> h2.events.Event:
        """Read until there is such an event, and return the first."""
        while not (found := [event for event in self.seen if isinstance(event, kind)]):
            await self.more()
        return found[0]

    async def more(self) -> None:
        data = await self._visit._reader.read(65536)
        if not data:
            raise ConnectionResetError("the client has left")
        self.seen += self.http.receive_data(data)
        await self.flush()

    async def headers(self, headers: list[tuple[str, str]], *, ends: bool = False) -> None:
        self.http.send_headers(1, headers, end_stream=ends)
        await self.flush()

    async def data(self, *parts: bytes) -> None:
        for part in parts:
            self.http.send_data(1, part)
            await self.flush()

    async def end(self) -> None:
        self.http.end_stream(1)
        await self.flush()

    async def flush(self) -> None:
        await self._visit.send(self.http.data_to_send())

    async def request(self) -> dict[str, str]:
        """The headers of the request."""
        event = await self.until(h2.events.RequestReceived)
        assert isinstance(event, h2.events.RequestReceived)
        assert event.headers is not None
        return {str(name): str(value) for name, value in event.headers}

    async def body(self, size: int) -> bytes:
        """So many bytes of the request's body, for which the window is opened again."""
        got, at = b"", 0
        while len(got) < size:
            for event in self.seen[at:]:
                if isinstance(event, h2.events.DataReceived):
                    got += event.data or b""
                    self.http.acknowledge_received_data(event.flow_controlled_length or 0, 1)
            at = len(self.seen)
            await self.flush()
            if len(got) < size:
                await self.more()
        return got


Play = Callable[[Frames], Awaitable[None]]


@contextmanager
def serving_http2(play: Play, *protocols: str) -> Iterator[Target]:
    """A server in a thread that offers these protocols, by default HTTP/2 alone, and plays this for each connection."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(DATA / "cert.pem", DATA / "key.pem")
    tls.set_alpn_protocols(protocols or ["h2"])

    async def visit(one: Visit) -> None:
        await play(Frames(one))

    with serving(visit, tls) as target:
        yield target


async def answers(frames: Frames) -> None:
    """A short event stream."""
    await frames.request()
    await frames.headers(SSE)
    await frames.data(b"data: 1\n\n")
    await frames.end()
    with contextlib.suppress(ConnectionError):
        await frames.more()


# -- mockd before them -------------------------------------------------------------------------------------------------

Lines = list[Any]


def speaking(relay: Relay, url: str, *mocks: dict[str, Any], **settings: Any) -> RunningMockd:
    """A mockd that speaks HTTP/2 with the server at this URL."""
    return relay(url, *mocks, ca=CA, http2=True, **settings)


def recorded(folder: Path) -> Lines:
    """The lines of the only recording, once it has an end."""
    assert eventually(lambda: [file for file in folder.glob("*") if '"end"' in file.read_text()])
    (file,) = folder.glob("*")
    return [json.loads(line) for line in file.read_text().splitlines()]


def kinds(lines: Lines) -> list[tuple[str, Any]]:
    """The kind of each thing that happened, with what is behind it."""
    return [(line[1], line[2]) for line in lines[1:]]
