"""A fault on one stream: whether it has struck, and the record of that."""

from __future__ import annotations

from typing import Any


class Armed:
    """A fault that waits for its place on one stream. Cursors come and go while the stream turns to its end; this
    stays, so that no fault strikes twice.

    `reached` is true once the place was reached. `passed` is the number of bytes of the body before it, so far, if a
    place in bytes may be inside an event. `left` is the number of events that a shaping fault still has to strike, and
    `late` the event that it holds back until another one is sent. `request` is the number of the request.
    """

    __slots__ = ("fault", "late", "left", "passed", "place", "reached", "request")

    def __init__(self, fault: Any, request: int) -> None:
        self.fault = fault
        self.request = request
        self.reached = False
        self.passed = 0
        self.place = ("events", 0.0) if fault.after is None else (fault.after.unit, fault.after.count)
        self.late: bytes | None = None
        self.left: int = getattr(fault, "count", 1)
