"""The rows that are pushed beside those of a stream's cursor, which does not know of them."""

from __future__ import annotations

from collections import deque


class Beside:
    """Rows that were pushed into a stream. `waiting` are those that are still to go out, each with the number of events
    that it counts for and its ID; `events` is the number of those that went out."""

    __slots__ = ("_last", "events", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[bytes, int, str | None]] = deque()
        self.begin()

    def begin(self) -> None:
        """Count anew, as the rows of another cursor go out from here on."""
        self.events = 0
        self._last: tuple[str, str | None] | None = None
        """The ID that went out last, and the ID of the cursor at that time."""

    def take(self, id_before: str | None) -> bytes:
        """The next row, which goes out now. `id_before` is the last ID of the cursor."""
        row, counted, id_ = self.waiting.popleft()
        self.events += counted
        if id_ is not None:
            self._last = (id_, id_before)
        return row

    def last_id(self, id_: str | None) -> str | None:
        """The ID that went out last of all, if `id_` is the last of the cursor."""
        return self._last[0] if self._last is not None and self._last[1] == id_ else id_
