"""Whether the body of a stream has begun."""

from __future__ import annotations

from mockd.framing import Framing


class Begun:
    """Whether a body has begun, for all cursors of a stream."""

    __slots__ = ("is_so",)

    def __init__(self, framing: Framing) -> None:
        self.is_so = not framing.has_opening
