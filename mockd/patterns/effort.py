"""The effort that matching one request may take, over all mocks."""

from __future__ import annotations

from time import thread_time
from typing import NamedTuple


class NotAtOnceError(Exception):
    """A request needs more effort than may be made in the event loop, where all streams wait for it."""


class OutOfTimeError(Exception):
    """A request needs more effort than is ever made."""


class Allowance(NamedTuple):
    """The effort that may be made in one place. `seconds` are those in which a thread is busy with it, so that the same
    requests match on a machine that has other things to do. `steps` are the most of an engine that cannot be stopped.
    `error` is raised beyond them."""

    seconds: float
    steps: int
    error: type[NotAtOnceError] | type[OutOfTimeError]


LONGEST_SEARCH_S = 0.5
"""Longest time, in seconds, in which it is searched which mock matches a request, by patterns, wildcards and in the
body."""

AT_ONCE = Allowance(0.001, 500_000, NotAtOnceError)
"""In the event loop. Clients may send many such requests together, so a stream can be late by many times this."""

APART = Allowance(LONGEST_SEARCH_S, 300_000_000, OutOfTimeError)
"""In a thread, for requests that need more, and for large bodies. A step takes about 3 ns."""

_STEPS_BETWEEN_LOOKS = 64


class Effort:
    """The effort that was made for one request. Its time runs from its first use on."""

    __slots__ = ("_end", "_steps", "allowance")

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self._end: float | None = None
        self._steps = 0

    def left(self) -> float:
        """The seconds that are left. Raises `NotAtOnceError` or `OutOfTimeError` if there are none."""
        now = thread_time()
        if self._end is None:
            self._end = now + self.allowance.seconds
        if now >= self._end:
            raise self.over()
        return self._end - now

    def share(self) -> Effort:
        """The effort for one search of many: half the time that is left, so that one that takes long leaves time for
        others. Raises as `left` does."""
        return Effort(self.allowance._replace(seconds=self.left() / 2))

    def step(self) -> None:
        """Note a short step in Python. Raises as `left` does."""
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_LOOKS == 0:
            self.left()

    def over(self) -> NotAtOnceError | OutOfTimeError:
        """The error for more effort than is allowed."""
        return self.allowance.error("it would take too long")
