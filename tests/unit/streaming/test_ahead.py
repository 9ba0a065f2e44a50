"""Rows that are taken ahead of a client that does not read: they go out as they would have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from mockd.faults.ahead import Ahead
from mockd.streaming.cursors.cursor import AT_ONCE, NEVER
from mockd.streaming.ops import TURN_TO_END

DUE = (1.0, 2.0, 9.0)


class Rows:
    """Three rows, each with its due time and an event; then the end."""

    failure = retry = None
    last_event_id: str | None = None

    def __init__(self) -> None:
        self.events_sent = 0

    @property
    def next_due(self) -> float:
        return DUE[self.events_sent] if self.events_sent < len(DUE) else AT_ONCE

    @property
    def op(self) -> Any:
        return TURN_TO_END if self.events_sent == len(DUE) else None

    @property
    def outcome(self) -> Any:
        return "aborted" if self.op else None

    def take(self, now: float, most: int = 0) -> list[bytes]:
        if self.op or self.next_due > now:
            return []
        self.events_sent += 1
        return [b"%d" % self.events_sent]


def ahead_at(now: float) -> tuple[Ahead, Any]:
    """The cursor after a look at this time, and what was found."""
    site: Any = SimpleNamespace(body=SimpleNamespace(beats=None), timeout_s=5.0)
    own: Any = object()
    rows: Any = Rows()
    ahead = Ahead(rows, site, own, is_abrupt=False)
    stage: Any = SimpleNamespace(rows_time=now)
    return ahead, ahead.broken_by(stage)


def test_a_place_is_due_with_the_last_row_before_it() -> None:
    assert ahead_at(8.0)[1] is None
    _, due = ahead_at(10.0)
    assert due.since == 9.0


def test_rows_keep_their_times_and_count_once_they_are_out() -> None:
    ahead, _ = ahead_at(10.0)
    assert (ahead.events_sent, ahead.op, ahead.outcome, ahead.taken[0]) == (0, None, None, 3)
    assert ahead.unsent() == [b"1", b"2", b"3"]
    for number, due in enumerate(DUE, start=1):
        assert ahead.next_due == due
        assert ahead.take(due - 0.5) == []
        assert ahead.take(NEVER, 1) == [b"%d" % number]
        assert ahead.events_sent == number
    assert (ahead.op, ahead.outcome, ahead.unsent()) == (TURN_TO_END, "aborted", [])


def test_what_is_due_later_is_not_taken() -> None:
    ahead, _ = ahead_at(2.5)
    assert ahead.take(2.5) == [b"1", b"2"]
    assert (ahead.next_due, ahead.op) == (9.0, None)
    assert ahead.take(9.0) == [b"3"]
