"""The table: what is measured of whom, and what mockd is to reach. The figures mean what docs/performance.md says."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import measures
from benchmarks.measures import Measure


@dataclass(frozen=True)
class Goal:
    """What a figure of mockd must be, and what is aimed at: absolutely, or times the figure of another server."""

    must: float
    after: float
    against: str | None = None
    server: str = "mockd"


@dataclass(frozen=True)
class Figure:
    """A figure of the measurement that the table shows. `unit` ends its number; `ms` and `%` have their own forms."""

    name: str
    label: str
    goals: tuple[Goal, ...] = ()
    unit: str = ""
    less_is_better: bool = False


@dataclass(frozen=True)
class Case:
    """One measurement of a row. `seconds` is about how long it takes for one server."""

    row: str
    name: str
    title: str
    servers: tuple[str, ...]
    measure: Measure
    figures: tuple[Figure, ...]
    seconds: float
    rounds: int = 3
    is_long: bool = False


BY_HAND = ("mockd", "sse-starlette", "node", "go")
CHATS = ("mockd", "sse-starlette", "node", "go", "aimock", "llmock", "mockllm")


def _events(sse_starlette: tuple[float, float], node: tuple[float, float] | None = None) -> tuple[Figure, ...]:
    goals = [Goal(*sse_starlette, "sse-starlette")] + ([Goal(*node, "node")] if node else [])
    return (Figure("events_per_s", "events/s", tuple(goals)),)


def _streams(sse_starlette: tuple[float, float], node: tuple[float, float]) -> tuple[Figure, ...]:
    return (Figure("streams_per_s", "streams/s", (Goal(*sse_starlette, "sse-starlette"), Goal(*node, "node"))),)


def _least(name: str, label: str, *goals: Goal, unit: str = "ms") -> Figure:
    return Figure(name, label, goals, unit, less_is_better=True)


def _bulk(row: str, work: str, title: str, servers: tuple[str, ...], figures: tuple[Figure, ...]) -> Case:
    return Case(row, work, title, servers, measures.throughput(work, 100, keep_alive=True), figures, seconds=7)


def _short(row: str, title: str, keep_alive: bool, figures: tuple[Figure, ...]) -> Case:
    name = "kept alive" if keep_alive else "new connections"
    measure = measures.throughput("chat-short", 32, keep_alive=keep_alive)
    return Case(row, name, title, CHATS, measure, figures, seconds=7)


_LATE = "gap late p99"
_BEHIND = "behind schedule after 30 s, p99"
_FIRST = "first byte p99"

CASES = (
    _bulk("1", "static", "events without delay: a list", BY_HAND, _events((30, 60), (4, 6))),
    _bulk("1", "chat-long", "events without delay: `openai-chat`", (*BY_HAND, "aimock"), _events((30, 60), (4, 6))),
    _bulk("1", "ndjson", "events without delay: NDJSON", BY_HAND, _events((30, 60), (4, 6))),
    _bulk("2", "uuid", "a `$uuid` in every event", BY_HAND, _events((4, 12))),
    _bulk("2", "random", "a `$random` in every event", BY_HAND, _events((4, 10))),
    _bulk("3", "flushed", "one send per event", BY_HAND, _events((2.5, 4))),
    _short("4", "20-token chats, new connection each", False, _streams((6, 9), (0.8, 1.2))),
    _short("5", "20-token chats, kept alive", True, _streams((15, 25), (0.9, 1.8))),
    Case(
        "6",
        "fixed delay",
        "1,000 streams × 20 events/s",
        (*BY_HAND, "aimock"),
        measures.paced("paced", 1000),
        (
            _least("gap_late_p99_ms", _LATE, Goal(5, 2)),
            _least("behind_at_end_p99_ms", _BEHIND, Goal(5, 3)),
            _least("behind_p99_ms", "behind schedule, all events, p99"),
        ),
        seconds=36,
    ),
    Case(
        "6",
        "random delay",
        "the same, delays random with a seed",
        ("mockd",),
        measures.paced("paced-random", 1000, schedule=True),
        (
            _least("gap_late_p99_ms", _LATE),
            _least("behind_at_end_p99_ms", _BEHIND),
            _least("behind_p99_ms", "behind schedule, all events, p99"),
        ),
        seconds=36,
    ),
    Case(
        "7",
        "streams held",
        f"streams held at 20 events/s with gap late p99 < {measures.GAP_LIMIT_MS:.0f} ms",
        (*BY_HAND, "aimock"),
        measures.capacity,
        (Figure("streams_held", "streams", (Goal(2, 3.4, "sse-starlette"), Goal(1, 1.5, "node"))),),
        seconds=65,
    ),
    Case(
        "8",
        "beside paced",
        "beside 1,000 paced streams",
        BY_HAND,
        measures.first_byte_beside_paced,
        (_least("first_byte_p99_ms", _FIRST, Goal(5, 2)), _least("first_byte_p50_ms", "first byte p50")),
        seconds=14,
    ),
    Case(
        "9",
        "beside endless",
        "beside an endless stream without delay",
        BY_HAND,
        measures.first_byte_beside_endless,
        (
            _least("first_byte_p99_ms", _FIRST, Goal(20, 5)),
            _least("free_again_ms", "loop free again after its client has left", Goal(100, 100)),
            _least("cpu_after", "CPU in the second after that", unit="%"),
        ),
        seconds=8,
    ),
    Case(
        "10",
        "idle",
        "10,000 idle streams, a keepalive each 15 s",
        BY_HAND,
        measures.idle,
        (
            _least("kib_per_stream", "memory per stream", Goal(20, 13), unit="KiB"),
            _least("cpu", "CPU", Goal(0.5, 0.33, "sse-starlette"), unit="%"),
        ),
        seconds=45,
    ),
    Case(
        "11",
        "start",
        "process start to first answer",
        ("mockd-1-uvicorn", "mockd-1", "bare"),
        measures.start_up,
        (
            _least(
                "start_ms",
                "start",
                Goal(1.1, 0.9, "bare", server="mockd-1-uvicorn"),
                Goal(1.5, 1.1, "bare", server="mockd-1"),
            ),
        ),
        seconds=1.2,
        rounds=11,
    ),
    Case(
        "12",
        "many mocks",
        "a request with 1,000 other mocks loaded",
        ("mockd-1001", "mockd-1"),
        measures.throughput("one", 16, keep_alive=True),
        (_least("cost_us", "cost of a request", Goal(1.3, 1.1, "mockd-1", server="mockd-1001"), unit="µs"),),
        seconds=7,
    ),
    Case(
        "13",
        "fixture",
        "in-process start and stop",
        ("mockd",),
        measures.fixture,
        (_least("start_ms", "start", Goal(20, 5)), _least("stop_ms", "stop", Goal(60, 20))),
        seconds=2,
    ),
    Case(
        "14",
        "plain",
        "plain JSON answers of 1 KiB, kept alive",
        ("mockd", "bare-starlette", "node", "go"),
        measures.throughput("plain", 32, keep_alive=True),
        (Figure("streams_per_s", "answers/s", (Goal(1.5, 2, "bare-starlette"), Goal(0.8, 1, "node"))),),
        seconds=7,
    ),
    Case(
        "15",
        "relay",
        "a chunk by way of `mockd record`, compared with a relay of TCP",
        ("mockd",),
        measures.relayed,
        (
            _least("added_p50_ms", "added to each chunk, p50", Goal(1, 0.5)),
            _least("tcp_relay_p50_ms", "by way of the relay of TCP, p50"),
            _least("leave_seen_ms", "the target sees that a client has left, at most", Goal(50, 10)),
        ),
        seconds=20,
    ),
    Case(
        "16",
        "replay",
        "the gaps of a replay, compared with those that were recorded",
        ("mockd",),
        measures.replayed,
        (
            _least("one_p99_ms", "off, p99, one stream", Goal(2, 1)),
            _least("many_p99_ms", "off, p99, 1,000 at once", Goal(5, 3)),
            _least("long_added_mib", "memory that 100 MB take", Goal(16, 8), unit="MiB"),
        ),
        seconds=30,
    ),
    Case(
        "events",
        "ten million events",
        "10 million events through one connection",
        ("mockd",),
        measures.many_events,
        (
            _least("events_missing", "events missing", Goal(0, 0), unit=""),
            _least("counter_off_by", "counter is off by", Goal(0, 0), unit=""),
            _least("grown_kib", "memory grown", Goal(1024, 256), unit="KiB"),
        ),
        seconds=20,
        rounds=1,
        is_long=True,
    ),
    Case(
        "connections",
        "a hundred thousand connections",
        "100,000 connections one after another",
        ("mockd",),
        measures.many_connections,
        (
            _least("streams_missing", "streams missing", Goal(0, 0), unit=""),
            _least("still_listed", "still listed", Goal(0, 0), unit=""),
            _least("grown_kib", "memory grown", Goal(1024, 256), unit="KiB"),
        ),
        seconds=60,
        rounds=1,
        is_long=True,
    ),
    Case(
        "readers",
        "readers that stop",
        "50 readers that stop reading",
        ("mockd",),
        measures.stopped_readers,
        (
            _least("kib_per_reader", "memory per reader", Goal(256, 128), unit="KiB"),
            _least("first_byte_p99_ms", _FIRST + " beside them", Goal(20, 5)),
        ),
        seconds=12,
        rounds=1,
        is_long=True,
    ),
    Case(
        "lag",
        "a process that is stopped",
        "20 paced streams, the process stopped for a second",
        ("mockd",),
        measures.lag,
        (
            _least("streams_wrong", "streams with events missing", Goal(0, 0), unit=""),
            _least("behind_max_ms", "most behind"),
            _least("behind_at_end_p99_ms", "behind schedule at their end", Goal(5, 3)),
        ),
        seconds=8,
        rounds=1,
        is_long=True,
    ),
    Case(
        "faults",
        "random faults",
        "100,000 random faults beside 1,000 paced streams",
        ("mockd",),
        measures.faults,
        (
            _least("not_exact", "not exact to the byte", Goal(0, 0), unit=""),
            Figure("stops", "the process was stopped and continued"),
        ),
        seconds=120,
        rounds=1,
        is_long=True,
    ),
)
