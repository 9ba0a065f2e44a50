"""Every action of a fault: a line with it, and what clients that are not ours see of it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

EVENTS = [{"data": str(number)} for number in range(1, 5)]
"""The events of a stream that has the fault, each in a chunk of its own."""


class Seen(NamedTuple):
    """What becomes of the stream `1234`."""

    line: str
    said: str
    """The data that comes."""
    end: Literal["whole", "fin", "rst", "more"] = "whole"
    """How it ends: as it should, by a FIN or a reset before that, or with more than an answer."""
    h11: Literal["legal", "incomplete", "illegal"] = "legal"
    """What h11 says of the bytes."""
    curl: int = 0
    """curl's exit code."""
    httpx: str | None = None
    """The exception that httpx raises."""
    status: int = 200


ACTIONS: dict[str, Seen] = {
    "end": Seen("end after 2 events", "12"),
    "close": Seen("close after 2 events", "12", "fin", "incomplete", 18, "RemoteProtocolError"),
    "reset": Seen("reset after 2 events", "12", "rst", "incomplete", 56, "ReadError"),
    "stall": Seen("stall ms=30 after 2 events", "1234"),
    "delay": Seen("delay 30 after 2 events", "1234"),
    "throttle": Seen("throttle bytesPerSecond=1000 after 2 events", "1234"),
    "empty": Seen("empty", "", "fin", "incomplete", 52, "RemoteProtocolError"),
    "garbage": Seen("garbage bytes=64", "", "fin", "incomplete", 1, "RemoteProtocolError"),
    "status": Seen("status 429 retryAfter=2", "", status=429),
    "badChunk": Seen("badChunk after 2 events", "12", "fin", "illegal", 56, "RemoteProtocolError"),
    "shortChunk": Seen("shortChunk after 2 events", "12", "fin", "incomplete", 18, "RemoteProtocolError"),
    "longChunk": Seen("longChunk after 2 events", "12", "fin", "illegal", 56, "RemoteProtocolError"),
    "extraBytes": Seen("extraBytes bytes=16", "1234", "more"),
    "idle": Seen("idle ms=30", "1234"),
    "malformed": Seen("malformed at=0 after 2 events", "124"),
    "corrupt": Seen("corrupt after 2 events", "12\ufffd4"),
    "drop": Seen("drop after 2 events", "124"),
    "duplicate": Seen("duplicate after 2 events", "12334"),
    "reorder": Seen("reorder after 2 events", "1243"),
    "insert": Seen('insert event={"data":"x"} after 2 events', "12x34"),
    "unknownEvent": Seen("unknownEvent after 2 events", "12{34"),
    "hugeEvent": Seen("hugeEvent size=100 after 2 events", "12x34"),
    "error": Seen("error message=failed after 2 events", "12{"),
    "header": Seen('header set={"x-odd":"1"} remove=["cache-control"]', "1234"),
}
"""By the name of the action."""


def mock_of(id_: str, path: str, faults: list[Any]) -> dict[str, Any]:
    return {"id": id_, "matcher": {"path": path}, "sse": {"events": EVENTS, "flush": "event"}, "faults": faults}
