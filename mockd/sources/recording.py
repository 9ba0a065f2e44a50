"""The source of mocks that play a recording: the events and chunks of a `.stream.jsonl` file, at their times.

A short recording is a script. A long one is read while it is played, in another thread and a batch ahead, so that it
takes no more memory than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path as FilePath
from typing import Literal

from mockd.config.files import resolve_file
from mockd.config.replay import Replay
from mockd.config.timing import Timing
from mockd.config.warn import log_warning
from mockd.errors import ConfigError, Path
from mockd.events import Event
from mockd.lines.line import BODILESS
from mockd.program.recorded import Informed, RecordedAnswer, RecordedRow
from mockd.recordings.events import BLOCK_END
from mockd.recordings.lines import Info, Output
from mockd.recordings.reading import Exchange, Remarks, exchanges
from mockd.relay.heads import answer_headers, reason_of
from mockd.source import BaseSource, CutOffError, Opened, Script, SourceContext
from mockd.sources.blocks import told
from mockd.sources.files import DataFileError

MOST_SCRIPTED_BYTES = 1024 * 1024
"""Most bytes of the body of a recording that is held in memory."""
MOST_SCRIPTED_CHUNKS = 4096
"""Most chunks of a recording that is held in memory."""
MOST_OF_EVENT = 256 * 1024
"""Bytes of an event from which on each of its chunks is sent by itself."""
LONGEST_EVENT_S = 0.1
"""Time, in seconds, from the first byte of an event after which each of its chunks is sent by itself. What is to
happen at a time, such as a fault, waits no longer for the end of an event."""
AHEAD_BYTES = 256 * 1024
"""Bytes of a long recording that are read at once."""
AHEAD_EVENTS = 256
"""Most events of a long recording that are read at once."""

_LONGEST_END = 3
"""Most bytes of the end of a block that may have come before the last of it."""


class RecordingSource(BaseSource):
    """The answer in a recording. `recorded` is all of it but the body. If `ends_at_once`, the last event is known to be
    it when it is sent, as the end does not come later."""

    def __init__(self, exchange: Exchange, replay: Replay, *, ends_at_once: bool = False) -> None:
        self._exchange = exchange
        self._replay = replay
        self._ends_at_once = ends_at_once
        self._is_sse = _is_event_stream(exchange)
        self.recorded = _answer_of(exchange, replay)
        is_long = exchange.output_bytes > MOST_SCRIPTED_BYTES or exchange.pieces > MOST_SCRIPTED_CHUNKS
        if not is_long and self.recorded.status is not None:
            events = list(self._events())
            self.script = Script(lambda: events)

    def open(self, context: SourceContext) -> Opened:
        if self.recorded.status is None:
            raise CutOffError(self.recorded.cut or "closed")
        return self._ahead() if self.script is None else self.script

    async def _ahead(self) -> AsyncIterator[Event]:
        loop, batches = asyncio.get_running_loop(), _batches(self._events())
        coming = loop.run_in_executor(None, next, batches, None)
        while batch := await coming:
            coming = loop.run_in_executor(None, next, batches, None)
            for event in batch:
                yield event

    def _events(self) -> Iterator[Event]:
        chunks = _chunks(self._exchange, self._replay)
        rows = _blocks(chunks) if self._is_sse else _apart(chunks)
        is_timed = not isinstance(self._replay.timing, Timing)
        before_s, has_opened = 0.0, False
        for at_s, row, id_, counts in rows:
            if not row and self._ends_at_once:
                return
            delay_s = at_s - before_s if is_timed or not counts else None
            yield Event(raw=row, id=id_, counts=counts, delay_s=delay_s, opens=bool(counts) and not has_opened)
            before_s, has_opened = at_s, has_opened or bool(counts)


def recording_source(
    name: str, root: FilePath | None, replay: Replay, path: Path, *, ends_at_once: bool = False
) -> RecordingSource:
    """The source of the recording that a mock names at `path`. Raises `ConfigError`."""
    file = resolve_file(name, root, path=path)
    found = exchanges_in(file)
    if len(found) < replay.exchange:
        count = "one exchange" if len(found) == 1 else f"{len(found)} exchanges"
        place = path if not found else (*path[:-1], "replay", "exchange")
        raise ConfigError(f"{name!r} has {count if found else 'no exchange'} in it", path=place)
    return RecordingSource(found[replay.exchange - 1], replay, ends_at_once=ends_at_once)


def exchanges_in(file: FilePath) -> list[Exchange]:
    """The exchanges in a file, which is read only if it has changed. Raises `ConfigError`."""
    stat = file.stat()
    return _scanned(file, stat.st_mtime_ns, stat.st_size)


@lru_cache(4096)
def _scanned(file: FilePath, changed: int, size: int) -> list[Exchange]:
    remarks = Remarks()
    found = list(exchanges(file, remarks))
    for remark in (*remarks.problems, *remarks.warnings):
        log_warning(remark)
    return found


# -- the answer --------------------------------------------------------------------------------------------------------


class _Times:
    """Times as they are played, in seconds from the request or the head, by how they were recorded."""

    def __init__(self, replay: Replay, at_us: int = 0) -> None:
        self._is_timed = replay.timing == "recorded"
        self._speed = replay.speed
        self._most_s = None if replay.max_gap is None else replay.max_gap / 1000
        self._before_us = at_us
        self._now_s = 0.0

    def at(self, at_us: int) -> float:
        gap_s = (at_us - self._before_us) / 1e6 / self._speed if self._is_timed else 0.0
        self._before_us = at_us
        return self.after(gap_s if self._most_s is None else min(gap_s, self._most_s))

    def after(self, gap_s: float) -> float:
        self._now_s += gap_s
        return self._now_s

    def first(self, at_us: int, ttft_ms: float | None) -> float:
        """The time of the first bytes behind the head."""
        if ttft_ms is None:
            return self.at(at_us)
        self._before_us = at_us
        return self.after(ttft_ms / 1000)


def _answer_of(exchange: Exchange, replay: Replay) -> RecordedAnswer:
    times, head = _Times(replay), exchange.head
    informed = []
    version = "1.1" if head is None else head.http_version
    if exchange.infos:
        before = ((at_us, line) for at_us, line in exchange.happened() if isinstance(line, Info))
        informed = [
            Informed(
                times.at(at_us),
                line.status,
                reason_of(line.status, line.reason, version),
                answer_headers(_encoded(line.headers)),
            )
            for at_us, line in islice(before, exchange.infos)
        ]
    if head is None or exchange.head_us is None:
        return RecordedAnswer(
            head_s=times.at(exchange.duration_us), informed=informed, cut=_cut_of(exchange) or "closed"
        )
    headers = answer_headers(_encoded(head.headers), head.status)
    if exchange.end is not None and exchange.end.decoded:
        headers = tuple(header for header in headers if header[0].lower() not in ("content-encoding", "content-length"))
    return RecordedAnswer(
        head_s=times.at(exchange.head_us),
        status=head.status,
        reason=reason_of(head.status, head.reason, version),
        headers=tuple(header for header in headers if header[0].lower() != "date"),
        has_date=any(name.lower() == "date" for name, _ in headers),
        informed=informed,
        trailers=[] if exchange.trailers is None else answer_headers(_encoded(exchange.trailers.headers)),
        cut=_cut_of(exchange),
    )


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]


def _cut_of(exchange: Exchange) -> Literal["closed", "reset", "timeout"] | None:
    """How an answer was cut off; None if it is complete. Whose client has left is complete as far as it is there, but
    for a body of known length."""
    if exchange.how == "reset":
        return "reset"
    if exchange.how == "timeout":
        return "timeout"
    if exchange.how in ("complete", "client") and not _is_short(exchange):
        return None
    return "closed"


def _is_short(exchange: Exchange) -> bool:
    """Whether there are fewer bytes than the head has said."""
    if exchange.head is None or (exchange.end is not None and exchange.end.decoded):
        return False
    said = {name.lower(): value for name, value in exchange.head.headers}
    if "transfer-encoding" in said or exchange.head.status in BODILESS:
        return False
    return said.get("content-length", str(exchange.output_bytes)) != str(exchange.output_bytes)


def _is_event_stream(exchange: Exchange) -> bool:
    said = {} if exchange.head is None else {name.lower(): value.lower() for name, value in exchange.head.headers}
    is_coded = said.get("content-encoding", "identity") != "identity"
    is_decoded = exchange.end is not None and exchange.end.decoded is not None
    is_sse = said.get("content-type", "").partition(";")[0].strip() == "text/event-stream"
    return is_sse and (is_decoded or not is_coded)


# -- the body ----------------------------------------------------------------------------------------------------------

_Chunk = tuple[float, bytes]
_Row = tuple[float, RecordedRow, str | None, int]
"""A row of the body: when it is due, its bytes, the id in it, and the number of events that it counts as."""


def _chunks(exchange: Exchange, replay: Replay) -> Iterator[_Chunk]:
    """The chunks with their times in seconds from the head, and behind them nothing at the time of the end."""
    times, is_first = _Times(replay, exchange.head_us or 0), True
    for at_us, line in exchange.happened():
        if isinstance(line, Output) and line.data:
            yield (times.first(at_us, replay.ttft) if is_first else times.at(at_us)), line.data
            is_first = False
    yield times.at(exchange.duration_us), b""


def _apart(chunks: Iterator[_Chunk]) -> Iterator[_Row]:
    for at_s, data in chunks:
        yield at_s, RecordedRow(data), None, int(bool(data))


def _blocks(chunks: Iterator[_Chunk]) -> Iterator[_Row]:
    """The events of an event stream, each with the places where chunks end in it."""
    begun, earlier = bytearray(), b""
    cuts: list[tuple[int, float]] = []
    begun_s = 0.0
    for at_s, data in chunks:
        if begun and (not data or at_s - begun_s > LONGEST_EVENT_S or len(begun) > MOST_OF_EVENT):
            yield begun_s, RecordedRow(bytes(begun), cuts), None, 0
            earlier = (earlier + begun)[:MOST_OF_EVENT]
            begun.clear()
            cuts = []
        if not data:
            yield at_s, RecordedRow(b""), None, 0
            return
        if begun:
            cuts.append((len(begun), at_s - begun_s))
        else:
            begun_s = at_s
        seen = max(0, len(begun) - _LONGEST_END)
        begun += data
        start = 0
        for stop in [match.end() for match in BLOCK_END.finditer(begun, seen)]:
            block = bytes(begun[start:stop])
            id_, counts = told(earlier + block)
            yield begun_s, RecordedRow(block, cuts, ends_chunk=stop == len(begun)), id_, counts
            start, begun_s, cuts, earlier = stop, at_s, [], b""
        del begun[:start]


def _batches(events: Iterator[Event]) -> Iterator[list[Event]]:
    """The events of a file, some at once. No chunk is in two batches, as the second may come late; an event may be."""
    batch: list[Event] = []
    size, parted_s = 0, 0.0
    try:
        for event in events:
            if parted_s and isinstance(event.delay_s, float):
                event = event._replace(delay_s=event.delay_s - parted_s)
            parted_s = 0.0
            batch.append(event)
            size += len(event.raw)
            if size < AHEAD_BYTES and len(batch) < AHEAD_EVENTS:
                continue
            if event.raw.ends_chunk:
                yield batch
                batch, size = [], 0
            elif event.raw.cuts:
                batch[-1], rest, parted_s = _parted(event)
                yield batch
                batch, size = [rest], len(rest.raw)
    except OSError as error:
        raise DataFileError(f"its file cannot be read on: {error.strerror}") from None
    if batch:
        yield batch


def _parted(event: Event) -> tuple[Event, Event, float]:
    """An event in two: up to where its last chunk ends, which counts as none, and the rest; and the time in seconds
    between the two."""
    row: RecordedRow = event.raw
    end, after_s = row.cuts[-1]
    rest = event._replace(raw=row[end:], delay_s=after_s, opens=False)
    return event._replace(raw=row[:end], id=None, counts=0), rest, after_s
