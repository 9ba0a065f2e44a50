"""What a mock's stream is made of, worked out once when the mock is registered.

A `StreamPlan` holds everything about a stream but the connection. Scripts (events known in advance) are framed and
timed once for each key (`CompiledScript`); after that nothing runs per event but the calendar and one send.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, count
from typing import Literal

from mockd.config.models import (
    ChunkedConfig,
    ChunkedLifecycle,
    Lifecycle,
    RateLimit,
    ResponseConfig,
    Resume,
    SseConfig,
    Timing,
)
from mockd.errors import ConfigError
from mockd.events import Event, EventId, Slot, Text
from mockd.placeholders import EventNumber, parse_event
from mockd.source import Script, Source
from mockd.streaming.connections import Kind, Outcome
from mockd.streaming.framing import Frame, FrameTemplate, Framing, NdjsonFraming, RawFraming, SseFraming
from mockd.streaming.pacing import Pacing

Headers = list[tuple[bytes, bytes]]

MOST_SCRIPTS = 64
"""Compiled scripts kept for each mock: one for each key that its source makes out of requests."""
MOST_UNROLLED = 4096
UNSEEDED = random.Random()
"""Shared by all streams without a seed: a generator of their own would cost each 2.5 KiB."""
BATCH = 128
"""Events in one send at the most, so that others get their turn."""
BATCH_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a stream lives; seconds, 0 is off."""

    keepalive_s: float = 0.0
    timeout_s: float = 0.0
    connection_timeout_s: float = 0.0
    keep_open: bool = False
    max_events: int = 0
    disconnect_after: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a stream ends when mockd ends it."""

    type: Literal["graceful", "abrupt", "error"] = "graceful"
    final: Frame | None = None
    error: Frame | None = None
    close_delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """Everything about a mock's streams but the connection."""

    mock_id: str
    kind: Kind
    status: int
    headers: Headers
    framing: Framing
    pacing: Pacing
    source: Source
    lifetime: Lifetime
    ending: Ending
    head_delay_s: float = 0.0
    rate_limit: RateLimit | None = None
    resume: Resume | None = None
    retry: int | None = None
    flush_each: bool = False
    seed: int | None = None
    run_seed: int | None = None
    scripts: OrderedDict[object, CompiledScript] = field(default_factory=OrderedDict)
    opened: Iterator[int] = field(default_factory=count)

    def random(self) -> random.Random:
        """The random generator of a new stream: the same for each with a seed of the mock; with one of the server
        (`run_seed`) a different one for each, but the same from run to run."""
        if self.seed is not None:
            return random.Random(self.seed)
        if self.run_seed is not None:
            return random.Random(f"{self.run_seed}:{self.mock_id}:{next(self.opened)}")
        return UNSEEDED

    def compiled(self, script: Script) -> CompiledScript:
        """The script's frames and times: framed on first use, then kept."""
        compiled = self.scripts.get(script.key)
        if compiled is None:
            compiled = CompiledScript(
                script,
                self.framing,
                self.pacing,
                with_ids=self.resume is not None,
                limited=self.rate_limit is not None,
            )
            compiled.stop = _stop_of(self.lifetime, compiled)
            self.scripts[script.key] = compiled
            if len(self.scripts) > MOST_SCRIPTS:
                self.scripts.popitem(last=False)
        return compiled


class CompiledScript:
    """A script's events with their frames, and what can be known of them in advance.

    `ids` are the given ones, a number for events that are assigned one, None for those that get none (only with
    resume). `is_fixed`: every client gets the same bytes. `timetable`: when everything is due, where that can be said
    for all streams at once (not with random delays, ids of a session, or a rate limit). `stop`: after how many events
    the mock's streams stop, and why.
    """

    stop: tuple[float, Outcome]

    def __init__(
        self, script: Script, framing: Framing, pacing: Pacing, *, with_ids: bool = False, limited: bool = False
    ) -> None:
        self.events = tuple(script.build())
        self.length = len(self.events)
        self.passes = script.passes
        self.limit = script.limit
        self.ids = _ids(self.events, repeats=script.passes != 1) if with_ids else ()
        framed = self.events
        if with_ids:
            framed = tuple(
                event if id_ is None else event._replace(id=Text((EventId(),)))
                for event, id_ in zip(self.events, self.ids, strict=True)
            )
        self.frames: list[Frame] = [framing.encode(event) for event in framed]
        self.data_events = sum(event.counted for event in self.events)
        self.numbers = [index for index, event in enumerate(self.events) if event.counted]
        holes = [hole for frame in self.frames if isinstance(frame, FrameTemplate) for hole in frame.holes if hole]
        self.is_fixed = all(isinstance(hole, EventNumber | EventId) for hole in holes)
        self.timetable = None if pacing.is_random or with_ids or limited else _timetable(self, pacing)

    @property
    def total(self) -> float:
        """Events in all, over every pass; infinite where it goes on for ever."""
        if not self.length:
            return 0
        total = math.inf if self.passes is None else self.passes * self.length
        return total if self.limit is None else min(total, self.limit)

    def after_counted(self, count: int) -> float:
        """How many events of the stream have been sent when `count` with data have been."""
        if count == 0:
            return 0
        if not self.data_events:
            return math.inf
        passes, rest = divmod(count - 1, self.data_events)
        return passes * self.length + self.numbers[rest] + 1

    def counted_before(self, number: int) -> int:
        """How many of the events before event `number` of the stream have data."""
        if not self.length:
            return 0
        passes, rest = divmod(number, self.length)
        return passes * self.data_events + bisect_left(self.numbers, rest)


def _stop_of(life: Lifetime, script: CompiledScript) -> tuple[float, Outcome]:
    """After how many events a script's stream stops, and why; the weightier reason where two fall together."""
    stops: list[tuple[float, Outcome]] = [(script.total, "completed")]
    if life.max_events:
        stops.append((script.after_counted(life.max_events), "max_events"))
    if life.disconnect_after is not None:
        stops.append((script.after_counted(life.disconnect_after), "aborted"))
    least = min(stop for stop, _ in stops)
    return least, [why for stop, why in stops if stop == least][-1]


def _ids(events: Sequence[Event], *, repeats: bool) -> tuple[str | Text | int | None, ...]:
    """An id for each event that a client sees: the given one, or its number among them, from 1."""
    ids: list[str | Text | int | None] = []
    number = 0
    for event in events:
        number += event.counted
        ids.append(event.id if event.id is not None else number if event.counted else None)
    if any(isinstance(id_, int) for id_ in ids):
        for index, id_ in enumerate(ids):
            if isinstance(id_, str) and id_.isdecimal() and (repeats or int(id_) <= number) and ids.count(int(id_)):
                raise ConfigError(
                    f"id {id_!r} is also what resume gives to an event that has none",
                    path=("sse", "events", index, "id"),
                    hint="give every event an id, or none",
                )
    return tuple(ids)


class Timetable:
    """When a script's events are due, in seconds: in the first pass from the head, in later ones from the last event
    of the pass before. Short lists are repeated in it, so that one send can carry several passes.

    `counted` holds how many events with data come before each place (None where all have), `ids` the given ids (None
    where there are none). Frames marked in `is_led` begin with `lead`, which is filled in once for each stream.
    """

    __slots__ = ("counted", "first", "frames", "has_holes", "ids", "is_led", "later", "lead", "most")

    def __init__(
        self, frames: list[Frame], events: list[Event], first: list[float] | None, later: list[float] | None
    ) -> None:
        self.lead, self.is_led, self.frames = _split_lead(frames)
        self.first = first
        self.later = later
        self.counted = None
        if not all(event.counted for event in events):
            self.counted = list(accumulate((event.counted for event in events), initial=0))
        self.ids = [event.id for event in events] if any(event.id is not None for event in events) else None
        self.has_holes = any(type(frame) is FrameTemplate for frame in self.frames)
        largest = max((len(frame) for frame in frames if isinstance(frame, bytes)), default=1)
        self.most = max(1, min(BATCH, BATCH_BYTES // max(1, largest)))


def _split_lead(frames: list[Frame]) -> tuple[FrameTemplate | None, list[bool], list[Frame]]:
    """What frames begin with up to the last slot of the first, which frames do, and what is left of them.

    A chat completion's chunks all begin with the same id, time and model: with that filled in once, what is left has
    no holes.
    """
    first = next((frame for frame in frames if isinstance(frame, FrameTemplate)), None)
    slots = [place for place, hole in enumerate(first.holes) if isinstance(hole, Slot)] if first else []
    if first is None or not slots:
        return None, [], frames
    size = slots[-1] + 1
    key = _key(first, size)
    if any(not isinstance(part, bytes | Slot) for part in key):
        return None, [], frames
    is_led = [isinstance(frame, FrameTemplate) and _key(frame, size) == key for frame in frames]
    rest = [_rest(frame, size) if led else frame for frame, led in zip(frames, is_led, strict=True)]
    return FrameTemplate(first.parts[:size], first.holes[:size]), is_led, rest


def _key(frame: FrameTemplate, size: int) -> list[object]:
    return [hole or part for hole, part in zip(frame.holes[:size], frame.parts[:size], strict=True)]


def _rest(frame: Frame, size: int) -> Frame:
    assert isinstance(frame, FrameTemplate)
    parts = frame.parts[size:]
    constant = [part for part in parts if isinstance(part, bytes)]
    return b"".join(constant) if len(constant) == len(parts) else FrameTemplate(parts, frame.holes[size:])


def _timetable(script: CompiledScript, pacing: Pacing) -> Timetable | None:
    """The timetable, or None where passes differ too much to lay one out."""
    length, times = script.length, 1
    if any(isinstance(event.id, Text) for event in script.events):
        return None  # what the ids are is known only when they are filled in
    if length and script.total > length:
        period = pacing.period
        times = period // math.gcd(length, period)
        times *= max(1, BATCH // (length * times))
        if length * times > MOST_UNROLLED and times > 1:
            return None
    unrolled = length * times
    rng = random.Random(0)  # not used: random pacing has no timetable

    def due(start: int) -> list[float] | None:
        at, table = 0.0, []
        for number in range(start, start + unrolled):
            at += pacing.delay_s(number, number % length, script.events[number % length], rng)
            table.append(at)
        return table if at else None

    first = due(0)
    later = due(unrolled) if script.total > unrolled else None
    if later is None and first is not None and script.total > unrolled:
        later = [0.0] * unrolled
    if first is None and later is not None:
        first = [0.0] * unrolled
    return Timetable(script.frames * times, list(script.events) * times, first, later)


def compile_sse(mock_id: str, config: SseConfig, source: Source, run_seed: int | None) -> StreamPlan:
    """The plan of an `sse` mock. Raises `ConfigError` with the path from the mock."""
    life = config.lifecycle
    framing = SseFraming()
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    ]
    plan = StreamPlan(
        mock_id=mock_id,
        kind="sse",
        status=config.status,
        headers=override(headers, config.headers),
        framing=framing,
        pacing=Pacing(config.timing, source.default_delay_s),
        source=source,
        lifetime=_lifetime(life),
        ending=_ending(life, framing, "sse"),
        rate_limit=config.rate_limit,
        resume=config.resume if config.resume.enabled else None,
        retry=config.retry,
        flush_each=config.flush == "event",
        seed=config.seed,
        run_seed=run_seed,
    )
    if source.script is not None:
        plan.compiled(source.script)  # what is wrong with it is said now, not when the first client comes
    return plan


def compile_chunked(mock_id: str, config: ChunkedConfig, source: Source, run_seed: int | None) -> StreamPlan:
    """The plan of a `chunked` mock."""
    ndjson = config.ndjson_items is not None or config.format == "ndjson"
    framing: Framing = NdjsonFraming() if ndjson else RawFraming()
    headers = [
        (b"content-type", framing.content_type.encode()),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    ]
    return StreamPlan(
        mock_id=mock_id,
        kind="ndjson" if ndjson else "chunked",
        status=config.status,
        headers=override(headers, config.headers),
        framing=framing,
        pacing=Pacing(Timing(fixed_delay=config.chunk_delay)),
        source=source,
        lifetime=_lifetime(config.lifecycle),
        ending=_ending(config.lifecycle, framing, "chunked"),
        flush_each=config.flush == "event" or config.chunk_delay > 0,
        run_seed=run_seed,
    )


def compile_response(mock_id: str, config: ResponseConfig, source: Source, run_seed: int | None) -> StreamPlan:
    """The plan of a `response` mock."""
    return StreamPlan(
        mock_id=mock_id,
        kind="response",
        status=config.status or config.status_code or 200,
        headers=override([(b"content-type", b"application/octet-stream")], config.headers),
        framing=RawFraming(),
        pacing=Pacing(Timing()),
        source=source,
        lifetime=Lifetime(),
        ending=Ending(),
        head_delay_s=config.delay / 1000,
        run_seed=run_seed,
    )


def override(headers: Headers, given: dict[str, str]) -> Headers:
    """Headers with those a mock gives in the place of the same names."""
    names = {name.lower().encode() for name in given}
    kept = [(name, value) for name, value in headers if name not in names]
    return kept + [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()]


def _lifetime(life: ChunkedLifecycle) -> Lifetime:
    if not isinstance(life, Lifecycle):
        return Lifetime(0.0, life.timeout, life.connection_timeout, life.keep_open)
    return Lifetime(
        life.keepalive_interval,
        life.timeout,
        life.connection_timeout,
        life.keep_open,
        life.max_events,
        life.simulate_disconnect,
    )


def _ending(life: ChunkedLifecycle, framing: Framing, kind: str) -> Ending:
    termination = life.termination
    path = (kind, "lifecycle", "termination")

    def frame(field: str) -> Frame | None:
        config = getattr(termination, field)
        name = {"final_event": "finalEvent", "error_event": "errorEvent"}[field]
        return None if config is None else framing.encode(parse_event(config, (*path, name)))

    return Ending(termination.type, frame("final_event"), frame("error_event"), termination.close_delay / 1000)
