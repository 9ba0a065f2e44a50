"""Faults that wait: an order to stop ends them at once, and who leaves meanwhile is not kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mockd.journal.exchange import Exchange
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, body_of, eventually

FINAL = {"lifecycle": {"termination": {"finalEvent": {"data": "bye"}}}}
MOCKS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": [{"data": "x" * 50}, {"data": "2"}], **FINAL}},
    "paced": {"sse": {"events": [{"data": "x" * 50}, {"data": "2"}], "timing": {"fixedDelay": 1}, **FINAL}},
    "resume": {"sse": {"events": [{"data": "x" * 50}, {"data": "2"}], "resume": {"enabled": True}, **FINAL}},
    "NDJSON": {"chunked": {"ndjsonItems": ["x" * 50, 2]}},
    "whole": {"response": {"body": "x" * 50}},
    "model": {"sse": {"template": "openai-chat", "templateParams": {"tokens": ["a", "b"]}}},
}
PIECES = {
    "sse": {
        "events": [{"data": "1"}, {"data": "2"}],
        "framing": {"split": "lines", "pause": 600_000},
        "timing": {"fixedDelay": 600_000},
        **FINAL,
    }
}
WAITING = [
    "stall",
    "stall 600000",
    "stall keepalives=true",
    "stall after 5 bytes",
    "stall after 0 ms",
    "stall before head",
    "stall 600000 before head",
    "delay 600000",
    "delay 600000 after 0 events",
    "delay 600000 after 9 bytes",
    "throttle 1",
    "throttle 1 after 5 bytes",
    "idle",
    "idle 600000",
    "reset linger=600000",
    "close linger=600000 after 5 bytes",
    "stall after 100 wire bytes",
    "stall after 0 events; throttle 1; idle",
]


@pytest.fixture(scope="module", params=["httptools", "h11"])
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    kinds = {**MOCKS, "pieces": PIECES}
    mocks = [{"id": kind, "matcher": {"path": f"/{kind}"}, **mock} for kind, mock in kinds.items()]
    settings = Settings(allow_fault_header=True, fault_timeout=3600)
    with running_mockd(*mocks, settings=settings, http=request.param) as running:
        yield running


class Waiting:
    """A client whose fault has struck, or whose answer is there without it."""

    def __init__(self, server: RunningMockd, kind: str, line: str) -> None:
        self._ended: list[Exchange] = []
        self._server = server
        server.engine.connections.observers[:] = [self._ended.append]
        self.client = Client(server.url).ask(f"/{kind}", headers={"X-Mockd-Fault": line, "Connection": "close"})
        eventually(lambda: any(live.faults or "linger" in line for live in self.live) or self.is_over)

    @property
    def live(self) -> list[Exchange]:
        return self._server.engine.connections.exchanges()

    @property
    def is_over(self) -> bool:
        return bool(self._ended)


@pytest.mark.parametrize("order", ["closed_by_admin", "shutdown"])
@pytest.mark.parametrize("kind", MOCKS)
@pytest.mark.parametrize("line", WAITING)
def test_an_order_to_stop_ends_it_at_once(server: RunningMockd, kind: str, line: str, order: Any) -> None:
    waiting = Waiting(server, kind, line)
    with waiting.client as client:
        live = waiting.live
        server.engine.connections.stop(live, order)
        try:
            data = client.read_to_end()
        except ConnectionResetError:
            assert "reset" in line
            return
        if live and not line.startswith(("reset", "close")) and "wire" not in line:
            assert data.startswith(b"HTTP/1.1 200")
            assert kind == "whole" or b"data: bye" in body_of(data) or kind not in ("list", "paced", "resume")
    eventually(lambda: waiting.is_over)


@pytest.mark.parametrize("kind", MOCKS)
@pytest.mark.parametrize("line", WAITING)
def test_who_leaves_is_not_kept(server: RunningMockd, kind: str, line: str) -> None:
    waiting = Waiting(server, kind, line)
    waiting.client.close()
    eventually(lambda: waiting.is_over)


@pytest.mark.parametrize("order", ["closed_by_admin", "shutdown"])
@pytest.mark.parametrize(
    "line",
    [
        "",
        "idle",
        "stall after 9999 wire bytes",
        "delay 600000 after 9999 wire bytes",
        "close after 9999 wire bytes",
    ],
)
def test_an_order_to_stop_lets_pieces_out_that_wait_for_their_pause(
    server: RunningMockd, line: str, order: Any
) -> None:
    """The first piece has come; the next one is due after ten minutes."""
    with Client(server.url).ask("/pieces", headers={"X-Mockd-Fault": line, "Connection": "close"}) as client:
        data = client.read_until(b"data: 1\n")
        server.engine.connections.stop(server.engine.connections.exchanges(), order)
        data += client.read_to_end()
    assert body_of(data) == b"data: 1\n\ndata: bye\n\n"
