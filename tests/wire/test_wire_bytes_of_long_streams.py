"""Places in the wire bytes of streams that go out in several batches: the chunks before the place are those that there
are without the fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.stress.breaking import same
from tests.wire.sockets import Client
from tests.wire.test_faults import PATIENCE_S, read

LONG = [{"data": f"{number:04} " + "ü" * 150} for number in range(300)]
SHORT = [{"data": str(number)} for number in range(50)]
KINDS: dict[str, dict[str, Any]] = {
    "long": {"sse": {"events": LONG}},
    "many": {"sse": {"events": [{"data": str(number)} for number in range(500)]}},
    "repeated": {"sse": {"events": SHORT, "repeat": 9}},
    "huge": {"sse": {"events": [{"data": "x" * 40_000}] * 5}},
    "resumed": {"sse": {"events": LONG, "resume": {"enabled": True}}},
    "raw": {"sse": {"events": [{"raw": ": c\n\n"}, {"raw": "data: 1\n\ndata: 2\n\n", "count": 2}] * 200}},
    "NDJSON": {"chunked": {"ndjsonItems": [{"n": number, "text": "ü" * 99} for number in range(300)]}},
    "model": {"sse": {"template": "openai-chat", "templateParams": {"text": "word " * 400}, "seed": 1}},
    "array": {"sse": {"template": "gemini", "templateParams": {"text": "word " * 400}, "seed": 1}},
}
PATHS = {"array": "/v1beta/models/any:streamGenerateContent"}
PLACES = 60


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    mocks = [{"id": kind, "matcher": {"path": PATHS.get(kind, f"/{kind}")}, **mock} for kind, mock in KINDS.items()]
    settings = Settings(allow_fault_header=True, send_buffer=8 << 20)
    with running_mockd(*mocks, settings=settings) as running:
        yield running


def answer(server: RunningMockd, kind: str, fault: str | None = None) -> bytes:
    headers = {"Connection": "close"} | ({"X-Mockd-Fault": fault} if fault else {})
    with Client(server.url) as client:
        return read(client.ask(PATHS.get(kind, f"/{kind}"), headers=headers), PATIENCE_S)[0]


def places_in(whole: bytes) -> list[int]:
    """Places around all chunk sizes, and some others."""
    sizes = [match.start() for match in re.finditer(rb"\r\n[0-9a-f]+\r\n", whole)]
    around = {size + more for size in sizes for more in (0, 1, 3, 9)}
    return sorted(place for place in {*around, *range(1, len(whole), len(whole) // PLACES)} if place < len(whole))


@pytest.mark.parametrize("kind", KINDS)
def test_the_chunks_are_those_of_the_stream_without_the_fault(server: RunningMockd, kind: str) -> None:
    whole = answer(server, kind)
    for place in places_in(whole):
        data = answer(server, kind, f"close after {place} wire bytes")
        assert len(data) == place
        assert same(data) == same(whole[:place]), place
