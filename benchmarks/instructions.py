"""How many instructions an answer costs a server, as valgrind counts them. They hardly vary; times do.

A server runs under callgrind and is asked few times and then many times. The difference is what more answers cost:
starting, connecting and closing fall out of it. What the server does by the clock, such as uvicorn's ten looks a second
at whether to stop, is counted while nobody asks and subtracted. What the kernel does is not counted at all.
"""

from __future__ import annotations

import compileall
import dataclasses
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import client
from benchmarks.machine import describe
from benchmarks.paths import CACHE
from benchmarks.servers import SERVERS, Running, Server, running
from benchmarks.works import WORKS

RESULTS = CACHE / "instructions.json"
MEASURED = ("mockd", "bare-asgi")
ROUNDS = 3
IDLE_S = 6.0
SETTLE_S = 0.3
"""Seconds after an answer in which the server sees that its client has left."""
MOST_S = 60.0
"""Seconds after which a client gives up."""

Counts = dict[str, list[float]]
"""For each name of the table what was counted in each round."""


@dataclass(frozen=True)
class Asked:
    """So many requests for a work, one after another on one connection."""

    work: str
    requests: int


@dataclass(frozen=True)
class Count:
    """A line of the table: the cost of one request, or of one event, is the difference between few and many."""

    name: str
    title: str
    unit: str
    few: Asked
    many: Asked

    def cost(self, few: float, many: float) -> float:
        """The cost of one unit, from the instructions of both runs."""
        return (many - few) / (self._units(self.many) - self._units(self.few))

    def _units(self, asked: Asked) -> int:
        return asked.requests * ((WORKS[asked.work].events or 0) if self.unit == "event" else 1)


COUNTS = (
    Count("chat", "20-token chat", "request", Asked("chat-short", 100), Asked("chat-short", 600)),
    Count("plain", "plain JSON answer of 1 KiB", "request", Asked("plain", 100), Asked("plain", 600)),
    Count("bulk", "list of 500 events", "request", Asked("static", 10), Asked("static", 110)),
    Count("flushed", "one send per event", "event", Asked("flushed", 1), Asked("flushed", 5)),
    Count("paced", "paced event, alone on its server", "event", Asked("paced-few", 1), Asked("paced-many", 1)),
)


def run(baseline: Path | None) -> None:
    """Count, print the table, and write the results; `baseline` is a file of results to compare with."""
    for program in ("valgrind", "vgdb"):
        if shutil.which(program) is None:
            raise SystemExit(f"Instructions are counted by valgrind, and there is no `{program}` here.")
    before = json.loads(baseline.read_text(encoding="utf-8")) if baseline else {"counts": []}
    package = _measured_package()
    compileall.compile_dir(package, quiet=1)  # compiling takes minutes under valgrind
    print(f"Counting what {package} costs, which takes two minutes.", flush=True)
    counted = {name: _count(SERVERS[name]) for name in MEASURED}
    results = {
        "package": package,
        "versions": describe()["versions"],
        "counts": [result(count, {name: counted[name][count.name] for name in MEASURED}) for count in COUNTS],
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results["counts"], before["counts"]), f"Written to {RESULTS}", sep="\n\n")


def _measured_package() -> str:
    """The folder of the `mockd` that the server will import; PYTHONPATH chooses it."""
    code = "import mockd; print(mockd.__path__[0])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


# -- counting ----------------------------------------------------------------------------------------------------------


def _count(server: Server) -> Counts:
    with metered(server) as (target, meter):
        return {count.name: rounds(count, target, meter) for count in COUNTS}


def rounds(count: Count, target: Running, meter: Meter) -> list[float]:
    """The cost of one unit, counted so often."""
    ask(target, count.few)  # it makes what the server keeps from then on
    costs = []
    for _ in range(ROUNDS):
        few, many = (meter.cost_of(partial(ask, target, asked)) for asked in (count.few, count.many))
        costs.append(count.cost(few, many))
    return costs


def ask(target: Running, asked: Asked) -> None:
    """Ask a server, and accept no answer that is not as it must be."""
    work = target.server.works[asked.work]
    limits = {"requests": asked.requests, "seconds": MOST_S}
    result = client.run(**work.options(), port=target.port, keep_alive=True, **limits)
    if client.has_errors(result) or result["whole_run"]["streams"] != asked.requests:
        raise SystemExit(f"{target.server.title}, {asked}: not every answer was as it must be: {result['errors']}")
    time.sleep(SETTLE_S)


@contextmanager
def metered(server: Server) -> Iterator[tuple[Running, Meter]]:
    """Run a server under callgrind for the time of a `with` block."""
    with tempfile.TemporaryDirectory(prefix="callgrind-") as folder, running(_valgrind(server, folder)) as target:
        yield target, Meter(target, Path(folder))


def _valgrind(server: Server, folder: str) -> Server:
    """The same server, run by valgrind, which writes into a folder and listens to orders there."""
    valgrind = [
        "valgrind",
        "--quiet",
        "--tool=callgrind",
        f"--callgrind-out-file={folder}/out",
        f"--vgdb-prefix={folder}/vgdb",
    ]
    return dataclasses.replace(
        server,
        command=lambda port: [*valgrind, sys.executable, *server.command(port)],
        environment={**server.environment, "PYTHONHASHSEED": "0"},
    )


class Meter:
    """The instructions that a server under callgrind executes, those by the clock not counted."""

    def __init__(self, target: Running, folder: Path) -> None:
        self._folder = folder
        self._order = ["vgdb", f"--vgdb-prefix={folder}/vgdb", f"--pid={target.pid}", "dump"]
        self._per_s = 0.0
        time.sleep(SETTLE_S)
        self._per_s = self.cost_of(lambda: time.sleep(IDLE_S)) / IDLE_S

    def cost_of(self, action: Callable[[], None]) -> float:
        """The instructions of whatever an action makes the server do."""
        self._since_last()
        began = time.monotonic()
        action()
        taken_s = time.monotonic() - began  # before the server stands still for its dump
        return self._since_last() - self._per_s * taken_s

    def _since_last(self) -> int:
        subprocess.run(self._order, capture_output=True, timeout=MOST_S, check=True)
        [dump] = self._folder.glob("out.*")
        text = dump.read_text()
        dump.unlink()
        return total(text)


def total(dump: str) -> int:
    """All instructions of one of callgrind's dumps."""
    found = re.search(r"^totals: (\d+)$", dump, re.MULTILINE)
    if found is None:
        raise SystemExit("callgrind has written no totals")
    return int(found[1])


# -- showing -----------------------------------------------------------------------------------------------------------


def result(count: Count, costs: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """A line of the results, ready for JSON."""
    medians = {name: round(median(taken)) for name, taken in costs.items()}
    return {
        "name": count.name,
        "title": count.title,
        "unit": count.unit,
        **medians,
        "beside": medians["mockd"] - medians["bare-asgi"],
        "samples": {name: [round(cost) for cost in taken] for name, taken in costs.items()},
    }


def table(counts: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> str:
    """The results as a Markdown table; with earlier ones also by how much they differ from those."""
    earlier = {line["name"]: line for line in before}
    rows = [
        ["", "per", "mockd", SERVERS["bare-asgi"].title, "mockd beside it", "mockd before"],
        ["---"] * 6,
        *(_cells(line, earlier.get(line["name"])) for line in counts),
    ]
    return "\n".join("| " + " | ".join(row if before else row[:-1]) + " |" for row in rows)


def _cells(line: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[str]:
    numbers = [f"{line[name]:,}" for name in (*MEASURED, "beside")]
    change = f"{before['mockd']:,} ({line['mockd'] / before['mockd'] - 1:+.1%})" if before else ""
    return [line["title"], line["unit"], *numbers, change]
