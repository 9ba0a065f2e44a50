"""What is measured, each as a function of a server that brings figures by name.

A figure that cannot be had because the server never answered is infinite.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks import client
from benchmarks.machine import SERVER_PREFIX, wakeful_clients
from benchmarks.paths import GENERATED, PROJECT
from benchmarks.servers import Running, Server, first_byte_s, running
from benchmarks.works import DELAY_MS, WORKS, Work

GAP_LIMIT_MS = 20.0
"""How late the 99th of a hundred events may be for the streams to count as held."""
LEAST_RATE = 0.95
"""What share of the events that are due they must get for that."""
MOST_STREAMS = 8000
NEVER_S = 2.0
"""Seconds after which a first byte is taken as never coming."""


@dataclass
class Sample:
    """One measurement: figures by name, lateness by the age of streams, what went wrong, and the raw results."""

    figures: dict[str, float]
    lateness: list[list[float]] = field(default_factory=list)
    """(seconds since the first byte, median and 99th percentile of the lateness in ms)."""
    remarks: list[str] = field(default_factory=list)
    raw: list[client.Result] = field(default_factory=list)
    stolen: float = 0.0
    """Share of the machine that its host gave to others meanwhile."""


@dataclass(frozen=True)
class Scale:
    """How long and how much: full, or a quick look that shows that everything works."""

    quick: bool = False

    def seconds(self, full: float, quick: float = 1.0) -> float:
        return quick if self.quick else full

    def count(self, full: int, quick: int) -> int:
        return quick if self.quick else full


Measure = Callable[[Server, Scale], Sample]


def _remarks(*results: client.Result) -> list[str]:
    remarks = []
    for result in results:
        wrong = {kind: count for kind, count in result["errors"].items() if count}
        if wrong:
            remarks.append("errors: " + ", ".join(f"{count} {kind}" for kind, count in wrong.items()))
        if result["client_cpu"] > 0.9 > result["server_cpu"]:
            remarks.append("the client was the limit")
    return remarks


# -- how much ----------------------------------------------------------------------------------------------------------


def throughput(work: str, connections: int, *, keep_alive: bool) -> Measure:
    """Events and complete streams a second, every connection asking again at once."""

    def measure(server: Server, scale: Scale) -> Sample:
        with running(server) as target:
            result = _load(
                target,
                work,
                connections=connections,
                keep_alive=keep_alive,
                sources=1 if keep_alive else 8,
                warmup=scale.seconds(1.0, 0.3),
                seconds=scale.seconds(4.0),
            )
        streams = result["streams_per_s"]
        figures = {
            "events_per_s": result["events_per_s"],
            "streams_per_s": streams,
            "cost_us": 1e6 / streams if streams else math.inf,
            "server_cpu": result["server_cpu"],
        }
        return Sample(figures, remarks=_remarks(result), raw=[result])

    return measure


def _load(target: Running, work_name: str, **options: Any) -> client.Result:
    work = target.server.works[work_name]
    return client.run(**_request(target, work), **options)


def _request(target: Running, work: Work) -> dict[str, Any]:
    return {**work.options(), "port": target.port, "pids": target.pid}


# -- when --------------------------------------------------------------------------------------------------------------


def paced(work: str, streams: int, *, schedule: bool = False) -> Measure:
    """How late events are, of streams opened together and watched for half a minute."""

    def measure(server: Server, scale: Scale) -> Sample:
        count = scale.count(streams, 100)
        with running(server, paced=True) as target, wakeful_clients():
            result = _load(target, work, **_paced_options(count, schedule), seconds=scale.seconds(30.0, 3.0))
        figures = {
            "gap_late_p99_ms": _ms(result["gap_late_us"]["p99"]),
            "behind_p99_ms": _ms(result["behind_us"]["p99"]),
            "behind_at_end_p50_ms": _ms(result["behind_at_end_us"]["p50"]),
            "behind_at_end_p99_ms": _ms(result["behind_at_end_us"]["p99"]),
            "rate": _rate(result, count),
            "server_cpu": result["server_cpu"],
        }
        lateness = [[age, _ms(p50), _ms(p99)] for age, p50, p99 in result["behind_by_age"]]
        return Sample(figures, lateness, _remarks(result), [result])

    return measure


def _paced_options(streams: int, schedule: bool = False) -> dict[str, Any]:
    due = {"schedule": GENERATED / "schedule.txt"} if schedule else {"delay_ms": DELAY_MS}
    return {"connections": streams, "once": True, "ramp": 1000, "sources": 4, "warmup": 1.0, **due}


def _ms(us: float) -> float:
    return us / 1000 if us >= 0 else math.inf


def capacity(server: Server, scale: Scale) -> Sample:
    """How many streams a server holds with events that are not late: doubled until it fails, then halved in."""
    held, failed = 0, 0
    trials: list[client.Result] = []
    level = scale.count(250, 100)
    most = scale.count(MOST_STREAMS, 200)
    while level <= most and (not failed or failed - held > held / 10):
        if any(_is_held(trial, level) for trial in _tries(server, level, scale, trials)):
            held = level
        else:
            failed = level
        if failed and not held:
            level = failed // 2
            if level < 25:
                break
        else:
            level = (held + failed) // 2 if failed else 2 * held
    remarks = [] if failed else [f"not more than {most} were tried"]
    return Sample({"streams_held": held}, remarks=remarks, raw=trials)


def _tries(server: Server, level: int, scale: Scale, trials: list[client.Result]) -> Iterator[client.Result]:
    """A second one where the first has failed: it may have been disturbed, and all that follows hangs on it."""
    for _ in range(2):
        trials.append(_hold(server, level, scale))
        yield trials[-1]


def _hold(server: Server, streams: int, scale: Scale) -> client.Result:
    with running(server, paced=True) as target, wakeful_clients():
        return _load(target, "paced", **_paced_options(streams), seconds=scale.seconds(3.0))


def _is_held(result: client.Result, streams: int) -> bool:
    late_ms = _ms(result["gap_late_us"]["p99"])
    is_on_time = late_ms < GAP_LIMIT_MS and _rate(result, streams) >= LEAST_RATE
    return is_on_time and result["live"] == streams and not client.has_errors(result)


def _rate(result: client.Result, streams: int) -> float:
    """The events of paced streams, as a share of those that were due."""
    rate: float = result["events_per_s"] / (streams * 1000 / DELAY_MS)
    return rate


# -- first bytes -------------------------------------------------------------------------------------------------------


def _probe(target: Running, seconds: float) -> client.Result:
    """Ask for one event again and again, each time on a new connection, beside whatever else goes on."""
    return _load(target, "one", pause_ms=3, timeout_ms=NEVER_S * 1000, sources=1, seconds=seconds)


def _first_byte_figures(probe: client.Result) -> dict[str, float]:
    times, never = probe["first_byte_us"], probe["errors"]["timed_out"]
    lost = never > times["n"] / 100
    return {f"first_byte_{name}_ms": math.inf if lost else _ms(times[name]) for name in ("p50", "p99", "max")}


def first_byte_beside_paced(server: Server, scale: Scale) -> Sample:
    """The first byte of one event beside a thousand paced streams."""
    streams = scale.count(1000, 100)
    with running(server, paced=True) as target, wakeful_clients():
        beside = {**_paced_options(streams), "announce": True, "seconds": 600}
        with client.background(**_request(target, target.server.works["paced"]), **beside) as load:
            # So that it does not keep the other client waiting.
            os.sched_setscheduler(load.process.pid, os.SCHED_IDLE, os.sched_param(0))
            load.wait_until_measuring()
            probe = _probe(target, scale.seconds(8.0, 2.0))
    return Sample(_first_byte_figures(probe), remarks=_remarks(probe), raw=[probe])


def first_byte_beside_endless(server: Server, scale: Scale) -> Sample:
    """The first byte of one event beside an endless stream without delay, and once its client has left."""
    with running(server) as target:
        beside = {"once": True, "announce": True, "seconds": 600}
        with client.background(**_request(target, target.server.works["endless"]), **beside) as load:
            load.wait_until_measuring()
            probe = _probe(target, scale.seconds(4.0, 2.0))
        left = time.perf_counter()
        answered = first_byte_s(target.port, target.server.works["one"].path, NEVER_S)
        free_s = math.inf if answered is None else time.perf_counter() - left
        before = target.cpu_s()
        time.sleep(1.0)
        busy = target.cpu_s() - before
    figures = {**_first_byte_figures(probe), "free_again_ms": free_s * 1000, "cpu_after": busy}
    return Sample(figures, raw=[probe])


# -- idle --------------------------------------------------------------------------------------------------------------


def idle(server: Server, scale: Scale) -> Sample:
    """Memory and CPU time of open streams in which nothing happens but a keepalive each 15 seconds."""
    streams = scale.count(10_000, 500)
    with running(server) as target:
        first_byte_s(target.port, server.works["one"].path, NEVER_S)
        before = target.rss_kib()
        options = {"connections": streams, "once": True, "ramp": 1000, "sources": 8}
        result = _load(target, "idle", **options, seconds=scale.seconds(30.0, 16.0))
    figures = {
        "kib_per_stream": (result["rss_kib"]["end"] - before) / streams,
        "cpu": result["server_cpu"],
        "keepalives": result["measured"]["comments"] / streams,
    }
    remarks = _remarks(result)
    if result["live"] < streams:
        remarks.append(f"only {result['live']} streams stayed open")
    return Sample(figures, remarks=remarks, raw=[result])


# -- start and stop ----------------------------------------------------------------------------------------------------


def start_up(server: Server, scale: Scale) -> Sample:
    """From the start of the process to its first answer."""
    with running(server) as target:
        return Sample({"start_ms": target.started_s * 1000})


def fixture(server: Server, scale: Scale) -> Sample:
    """Start and stop of mockd inside a Python process, as in a test suite."""
    rounds = scale.count(20, 5)
    command = [*SERVER_PREFIX, sys.executable, "-m", "benchmarks.fixture", str(rounds)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=True)
    return Sample(json.loads(done.stdout))


def relayed(server: Server, scale: Scale) -> Sample:
    """What a relay that records adds to each chunk, beside a relay of TCP."""
    command = [*SERVER_PREFIX, sys.executable, "-m", "benchmarks.relayed", str(scale.count(1000, 100))]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=True)
    return Sample(json.loads(done.stdout))


def replayed(server: Server, scale: Scale) -> Sample:
    """How far the gaps of a replay are from those that were recorded."""
    command = [*SERVER_PREFIX, sys.executable, "-m", "benchmarks.replayed", str(scale.count(1000, 100))]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=True)
    return Sample(json.loads(done.stdout))


# -- counted -----------------------------------------------------------------------------------------------------------


def many_events(server: Server, scale: Scale) -> Sample:
    """Ten million events through one connection: all of them, counted exactly, in memory that stays flat."""
    work = WORKS["ten-million"]
    with running(server) as target:
        _load(target, "static", seconds=1.0)
        before, warm = target.rss_kib(), _stats(target)
        result = _load(target, "ten-million", once=True, seconds=600)
        grown = target.rss_kib() - before
        counted = _stats(target)["totalEventsSent"] - warm["totalEventsSent"]
    figures = {
        "events_missing": float((work.events or 0) - result["whole_run"]["events"]),
        "counter_off_by": float(abs(counted - (work.events or 0))),
        "grown_kib": float(grown),
    }
    return Sample(figures, remarks=_remarks(result), raw=[result])


def _stats(target: Running) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{target.port}/__mockd/sse/stats", timeout=10) as answer:
        stats: dict[str, Any] = json.load(answer)
        return stats


def many_connections(server: Server, scale: Scale) -> Sample:
    """A hundred thousand connections one after another, in memory that stays flat."""
    first, then = scale.count(20_000, 2000), scale.count(80_000, 4000)
    with running(server) as target:
        warm = _load(target, "one", requests=first, sources=8, seconds=600)
        before = target.rss_kib()
        result = _load(target, "one", requests=then, sources=8, seconds=600)
        grown = target.rss_kib() - before
        live = _stats(target)["activeConnections"]
    missing = first + then - warm["whole_run"]["streams"] - result["whole_run"]["streams"]
    figures = {"streams_missing": float(missing), "still_listed": float(live), "grown_kib": float(grown)}
    return Sample(figures, remarks=_remarks(warm, result), raw=[warm, result])


def stopped_readers(server: Server, scale: Scale) -> Sample:
    """Readers that stop reading an endless stream: what each costs in the process, and whom it holds up."""
    readers = 50
    with running(server) as target:
        _probe(target, 0.5)
        before = target.rss_kib()
        stall = {"once": True, "stall": True, "announce": True, "connections": readers, "seconds": 600}
        with client.background(**_request(target, target.server.works["endless"]), **stall) as load:
            load.wait_until_measuring()
            time.sleep(scale.seconds(5.0, 2.0))
            probe = _probe(target, scale.seconds(4.0, 1.0))
            grown = target.rss_kib() - before
    figures = {"kib_per_reader": grown / readers, **_first_byte_figures(probe)}
    return Sample(figures, remarks=_remarks(probe), raw=[probe])


def lag(server: Server, scale: Scale) -> Sample:
    """Streams of a process that is stopped for a second: nothing is skipped, later events are on time."""
    with running(server) as target:
        options = {**_paced_options(20), "warmup": 0, "ramp": None, "announce": True, "seconds": 30}
        with client.background(**_request(target, target.server.works["paced-counted"]), **options) as load:
            load.wait_until_measuring()
            time.sleep(1.0)
            target.process.send_signal(signal.SIGSTOP)
            time.sleep(1.0)
            target.process.send_signal(signal.SIGCONT)
            result = load.result()
    wrong = result["errors"]["wrong_count"] + result["errors"]["incomplete"]
    figures = {
        "streams_wrong": float(wrong + 20 - result["whole_run"]["streams"]),
        "behind_max_ms": _ms(result["behind_us"]["max"]),
        "behind_at_end_p99_ms": _ms(result["behind_at_end_us"]["p99"]),
    }
    return Sample(figures, raw=[result])


def faults(server: Server, scale: Scale) -> Sample:
    """Random faults beside a thousand paced streams, while the process is stopped and continued: each exact to the
    byte."""
    count = scale.count(100_000, 1000)
    command = [sys.executable, "-m", "tests.stress.breaking", str(count), "--seed", "1", "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=1800, check=False)
    outcome = json.loads(done.stdout)
    figures = {"not_exact": float(count - sum(outcome["exact"].values())), "stops": float(outcome["stops"])}
    return Sample(figures, remarks=outcome["failures"][:3])
