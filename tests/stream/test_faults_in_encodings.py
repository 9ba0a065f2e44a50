"""Every fault that goes on, in every encoding, at every kind of place: what comes can be decoded to its end."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from mockd.config.events import EventConfig
from mockd.config.faults import ACTIONS
from mockd.errors import ConflictError
from mockd.hand.push import event_of
from tests.manual_clock import settle
from tests.stream.harness import PATH, Exchange, Lab, words
from tests.wire.framing.reading import decoded

pytestmark = pytest.mark.anyio

ENCODINGS = ("gzip", "deflate", "br", "zstd")
PLACES = ("after 2 events", "after 17 bytes", "after 2500 ms")
"""Between two events, inside the encoded form of one, and while nothing is due."""
WHOLE = [b"data: %d" % number for number in range(1, 5)]
GO_ON = {
    "stall ms=5000 keepalives=true": WHOLE,
    "delay 300": WHOLE,
    "throttle bytesPerSecond=1000": WHOLE,
    "malformed at=0": None,
    "corrupt": None,
    "drop": None,
    "duplicate": None,
    "reorder": None,
    'insert raw=": in\\n"': [*WHOLE, b": in"],
    "unknownEvent": [*WHOLE, b"event: mockd.unknown"],
    "hugeEvent size=100": [*WHOLE, b"data: " + b"x" * 92],
    "error message=failed": None,
}
"""Faults behind which the body is whole, each with the lines that are in it if that does not depend on the place."""
BREAKING = {
    *(
        "end",
        "close",
        "reset",
        "idle",
        "empty",
        "status",
        "header",
        "badChunk",
        "shortChunk",
        "longChunk",
        "extraBytes",
    ),
    "garbage",  # inside the body it is bytes that nobody can read
}
"""Actions that cut the body off, are not inside it, or are there to spoil it."""
BEATS = {"heartbeat": {"every": 1500, "text": "beat"}}


def test_every_action_is_here() -> None:
    assert {line.split()[0] for line in GO_ON} | BREAKING == {action.__struct_config__.tag for action in ACTIONS}


async def faulted(lab: Lab, framing: dict[str, Any], line: str, **config: Any) -> Exchange:
    part = {"events": words(4), "framing": framing, "timing": {"fixedDelay": 1000}, **config}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": part, "faults": [line]})
    return await lab.open()


def whole(encoding: str, body: bytes) -> bytes:
    """What a body decodes to; its encoding must have its end."""
    if encoding in ("gzip", "deflate"):
        coder = zlib.decompressobj(31 if encoding == "gzip" else 15)
        plain = coder.decompress(body)
        assert (coder.eof, coder.unused_data) == (True, b"")
        return plain
    return decoded(encoding, body)


@pytest.mark.parametrize("flush", ["event", "end"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("line", GO_ON)
async def test_what_comes_can_be_decoded(lab: Lab, line: str, place: str, encoding: str, flush: str) -> None:
    exchange = await faulted(lab, {"encoding": encoding, "flush": flush}, f"{line} {place}", lifecycle=BEATS)
    await lab.clock.advance(60)
    lines = whole(encoding, exchange.body).split(b"\n")
    [record] = lab.ended.get("faults") or [{}]
    wanted = GO_ON[line]
    if wanted is not None and record.get("fidelity") == "unsupported":
        assert record["as"] == "the encoding of the body has ended"
        assert (flush, place) == ("end", "after 17 bytes")
        wanted = WHOLE
    if wanted is not None:
        assert set(wanted) <= set(lines)
        assert len(lines) >= len(wanted)


async def test_what_comes_inside_an_event_comes_behind_it(lab: Lab) -> None:
    exchange = await faulted(lab, {"encoding": "gzip"}, 'insert raw=": in\\n" after 17 bytes')
    await lab.clock.advance(60)
    assert whole("gzip", exchange.body).startswith(b"data: 1\n\n: in\ndata: 2")
    [record] = lab.ended["faults"]
    assert (record["fidelity"], record["bytes"]) == ("emulated", 17)


async def test_without_an_encoding_it_comes_at_the_byte(lab: Lab) -> None:
    exchange = await faulted(lab, {"bom": True}, "insert raw=in after 8 bytes")
    await lab.clock.advance(60)
    assert exchange.body.startswith(b"\xef\xbb\xbfdata:in 1\n\n")


async def test_no_heartbeat_comes_inside_an_event(lab: Lab) -> None:
    line = "stall ms=5000 keepalives=true after 3 bytes"
    exchange = await faulted(lab, {"emptyLines": 1}, line, lifecycle=BEATS)
    await lab.clock.advance(60)
    assert exchange.body.startswith(b"data: 1\n\n")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line", ["stall after 17 bytes", "throttle 5 after 3 bytes", "delay 99999 after 17 bytes"])
async def test_an_order_to_stop_inside_an_event_leaves_the_encoding_whole(lab: Lab, line: str, encoding: str) -> None:
    last = {"termination": {"finalEvent": {"data": "bye"}}}
    exchange = await faulted(lab, {"encoding": encoding}, line, lifecycle=last)
    await lab.clock.advance(1.5)
    lab.engine.begin_shutdown()
    await settle()
    await lab.clock.advance(1)
    assert not exchange.is_open
    assert whole(encoding, exchange.body).endswith(b"data: bye\n\n")


async def test_nothing_is_pushed_into_an_event_that_is_encoded(lab: Lab) -> None:
    hands = lab.engine.streams.take_in_hand()
    await faulted(lab, {"encoding": "gzip"}, "stall after 17 bytes")
    await lab.clock.advance(0.5)
    with pytest.raises(ConflictError, match="in the middle of an event that is encoded"):
        hands.push(lab.engine.connections.exchanges()[-1], event_of(EventConfig(data="pushed")))
