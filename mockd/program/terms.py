"""The terms of a stream: everything about it but its events and its connection."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from mockd.config.environment import Filled
from mockd.config.framing import FramingConfig
from mockd.config.models import RateLimit, Resume
from mockd.events import Draw, Fill, Pause
from mockd.expressions.expression import Expression
from mockd.framing import FrameTemplate, Framing, Row
from mockd.headers import NO_RULES, FixedHeaders, HeaderRules
from mockd.journal.exchange import Kind
from mockd.program.pacing import Pacing
from mockd.source import Source

if TYPE_CHECKING:
    from mockd.program.recorded import RecordedAnswer

Count = Callable[[str], int]
"""Adds one to a counter of a mock, which has a name, and returns its new value."""

STREAMS = "streams"
"""The name of the counter of a mock's streams, by which a seed of the process gives each its own values."""

UNSEEDED = random.Random()
"""The random generator of all streams without a seed. One of its own would cost each of them 2.5 KiB."""


class Lifetime(Struct, frozen=True):
    """Limits on the life of a stream. Times are in seconds, and 0 turns a limit off."""

    timeout_s: float = 0.0
    connection_timeout_s: float = 0.0
    keep_open: bool = False
    max_events: int = 0
    disconnect_after: int | None = None


class Heartbeat(Struct, frozen=True):
    """The row that breaks a silence of `every_s` seconds. If `is_apart` is true, it is no part of the framed body, so
    that it does not begin it. `fill` has the values for its holes; it belongs to one stream."""

    every_s: float
    row: Row
    is_apart: bool = False
    fill: Fill | None = None

    @property
    def has_holes(self) -> bool:
        return isinstance(self.row.frame, FrameTemplate)

    def beat(self) -> tuple[bytes, str | None]:
        """The bytes and the id of the next heartbeat."""
        if self.fill is not None:
            return self.row.filled(self.fill)
        assert isinstance(self.row.frame, bytes)
        return self.row.frame, self.row.id if isinstance(self.row.id, str) else None


class Ending(Struct, frozen=True):
    """The way in which mockd ends a stream."""

    type: Literal["graceful", "abrupt", "error"] = "graceful"
    final: Row | None = None
    error: Row | None = None
    close_delay_s: float = 0.0
    close_draw: Draw | None = None
    """The distribution from which `close_delay_s` is drawn, once for each stream."""
    breaks_off: bool = False
    """Whether the body is broken off if mockd ends it before its end, as it is another server's."""
    trailers: Callable[[], Sequence[tuple[str, str]]] | None = None
    """The trailers behind the body, which are known when it is complete."""
    cut: Literal["closed", "reset", "timeout"] | None = None
    """How the connection ends behind the last row, if the body has no end."""

    @property
    def is_plain(self) -> bool:
        """Whether the last event can go out together with the end of the response."""
        has_more = self.close_delay_s or self.close_draw or self.trailers or self.cut
        return self.type == "graceful" and self.final is None and not has_more


class Terms(Struct, frozen=True):
    """The terms that all streams of a mock share."""

    mock_id: str
    kind: Kind
    status: int
    headers: FixedHeaders
    lasting_headers: FixedHeaders
    """The headers for a connection that lasts (HTTP/1.1, and the client has not asked to close it)."""
    framing: Framing
    pacing: Pacing
    source: Source
    lifetime: Lifetime
    ending: Ending
    head_delay_s: Pause = 0.0
    heartbeat: Heartbeat | None = None
    variation: FramingConfig | None = None
    """The form of its bytes, if it is not the usual one."""
    rate_limit: RateLimit | None = None
    resume: Resume | None = None
    retry: int | None = None
    flush_each: bool = False
    seed: int | None = None
    process_seed: int | None = None
    """The seed of the process, which counts if the mock has none."""
    header_rules: HeaderRules = NO_RULES
    """The rules of the mock's `headers`, which apply to whole answers too."""
    answer_status: int | None = None
    """The mock's status, which replaces the status of a source's answer unless that is an error."""
    recorded: RecordedAnswer | None = None
    """The recording that its streams play."""
    opens_unread: bool = False
    """Whether its source opens a request whose body is still on its way."""
    filled: Filled = {}
    """What the environment gave to the mock, which no error shows."""

    @property
    def expressions(self) -> list[Expression]:
        """The expressions in the headers, the heartbeats and the end of its streams."""
        rows = [row for row in (self.ending.final, self.ending.error) if row is not None]
        if self.heartbeat is not None:
            rows.append(self.heartbeat.row)
        return [*self.header_rules.expressions, *(expression for row in rows for expression in row.expressions)]

    def random(self, count: Count | None = None) -> random.Random:
        """The random generator of a new stream. With a seed of the mock, all its streams draw the same values; with a
        seed of the process, each stream that is counted draws its own, which are the same in every run."""
        if self.seed is not None:
            return random.Random(self.seed)
        if self.process_seed is not None and count is not None:
            return random.Random(f"{self.process_seed}:{self.mock_id}:{count(STREAMS)}")
        return UNSEEDED

    def ending_of(self, fill: Fill) -> Ending:
        """The ending of a new stream, its pause drawn. With a seed of the mock, the pause has a generator of its own,
        as the stream's generator must draw the same for its events when they are made again."""
        if (draw := self.ending.close_draw) is None:
            return self.ending
        rng = fill.rng if self.seed is None else random.Random(self.seed)
        return structs.replace(self.ending, close_draw=None, close_delay_s=draw(rng))

    def heartbeat_of(self, fill: Fill, count: Count) -> Heartbeat | None:
        """The heartbeat of a new stream. Its holes have a generator of their own, as silence must not change what the
        stream's generator draws for its events."""
        if self.heartbeat is None or not self.heartbeat.has_holes:
            return self.heartbeat
        own = Fill(self.random(count), fill.clock)
        own.rendered = fill.rendered
        return structs.replace(self.heartbeat, fill=own)
