"""The time of a stream's rows, which is another than the stream's once somebody has held it."""

from __future__ import annotations


class RowsTime:
    """The time of a stream's rows, in monotonic seconds. While the stream is held, it stands still at `at`. It does so
    `since` the hold began, or the last step. Later, it is `shift` behind the stream's."""

    __slots__ = ("at", "held_since", "is_still", "shift", "since")

    def __init__(self) -> None:
        self.is_still = False
        self.held_since = self.since = self.at = self.shift = 0.0

    def now(self, now: float) -> float:
        """The time of the rows at the stream's time `now`."""
        return self.at if self.is_still else now - self.shift

    def stand_still(self, now: float) -> None:
        """Stand still from now on."""
        self.is_still, self.at = True, now - self.shift
        self.held_since = self.since = now

    def go_on(self, now: float) -> None:
        """Go on where it stands still."""
        self.is_still, self.shift = False, now - self.at

    def as_if_moving(self, now: float) -> float:
        """The time that it would be if it had gone on at the last step, for what does not stand still."""
        return now - self.since + self.at

    def when_moving(self, time: float) -> float:
        """The stream's time at which `as_if_moving` is `time`."""
        return time + self.since - self.at
