"""Installs the peers, measures the table, shows how far it is, and writes the results."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import client, instructions, machine, report, works
from benchmarks.measures import Sample, Scale
from benchmarks.paths import CACHE, RESULTS
from benchmarks.plot import lateness_svg
from benchmarks.rows import CASES, Case
from benchmarks.servers import SERVERS, NotAvailableError, compile_python

PLOTTED = "fixed delay"
BUSY = 0.5
"""Load of the machine above which a warning is due."""


@dataclass(frozen=True)
class Trial:
    """One measurement of one server."""

    case: Case
    server: str
    round: int


def main() -> None:
    """The command."""
    options = _options()
    if options.docs:
        report.fill_page()
        return
    machine.check_system()
    cases = _chosen(options)
    if options.list:
        for case in cases:
            print(f"{case.row:>12}  {case.title} ({', '.join(case.servers)})")
        return
    client.build()
    works.generate()
    compile_python()
    if options.instructions:
        instructions.run(options.against)
        return
    machine_now = machine.describe()
    machine.prepare()
    if machine_now["load_before"] > BUSY:
        print(f"This machine is busy (load {machine_now['load_before']}): numbers will be worse than they could be.")
    wanted = _wanted(cases, options.peers)
    skipped = _install(wanted)
    servers = wanted - set(skipped)
    results: report.Results = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine_now,
        "versions": {SERVERS[name].title: SERVERS[name].version() for name in sorted(servers)},
        "skipped": skipped,
        "cases": [],
    }
    _measure(cases, servers, Scale(options.quick), options, results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description="Measure mockd beside its peers.")
    parser.add_argument("--rows", help="only these rows, with commas between: 1,4,6")
    parser.add_argument("--peers", help="only these peers beside mockd, with commas between; `none` for mockd alone")
    parser.add_argument("--rounds", type=int, help="how often each is measured; the median counts (default 3)")
    parser.add_argument("--quick", action="store_true", help="once, small and short: shows that everything works")
    parser.add_argument("--long", action="store_true", help="also what is counted and takes long")
    parser.add_argument("--list", action="store_true", help="print what would be measured")
    parser.add_argument("--instructions", action="store_true", help="count instructions instead, by valgrind")
    parser.add_argument("--against", type=Path, metavar="FILE", help="earlier counts of instructions to compare with")
    parser.add_argument("--docs", action="store_true", help="only fill docs/performance.md from the newest results")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Case]:
    rows = options.rows.split(",") if options.rows else None
    known = dict.fromkeys(case.row for case in CASES)
    if rows and (unknown := set(rows) - set(known)):
        raise SystemExit(f"There is no row {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return [case for case in CASES if (case.row in rows if rows else options.long or not case.is_long)]


def _wanted(cases: Sequence[Case], peers: str | None) -> set[str]:
    """The servers that are needed: with `peers` given, mockd in all its forms, the bare apps and these."""
    names = {name for case in cases for name in case.servers}
    if peers is None:
        return names
    given = set() if peers == "none" else set(peers.split(","))
    if unknown := given - set(SERVERS):
        raise SystemExit(f"There is no peer {', '.join(sorted(unknown))}; known: {', '.join(SERVERS)}")
    return {name for name in names if name.startswith(("mockd", "bare")) or name in given}


def _install(names: set[str]) -> dict[str, str]:
    """Install what is needed; the servers that cannot be had, and why."""
    skipped = {}
    for name, server in SERVERS.items():
        if name not in names:
            continue
        try:
            server.install()
        except NotAvailableError as error:
            skipped[name] = str(error)
            print(f"{server.title} is left out: {error}")
    return skipped


# -- measuring ---------------------------------------------------------------------------------------------------------


def _measure(
    cases: Sequence[Case], servers: set[str], scale: Scale, options: argparse.Namespace, results: report.Results
) -> None:
    progress = Progress([trial for case in cases for trial in _trials(case, servers, scale, options.rounds)])
    raw: list[dict[str, Any]] = []
    for case in cases:
        samples: dict[str, list[Sample]] = {}
        for trial in _trials(case, servers, scale, options.rounds):
            progress.begin(trial)
            stolen = machine.Stolen()
            try:
                sample = case.measure(SERVERS[trial.server], scale)
            except (NotAvailableError, client.ClientError, OSError, subprocess.SubprocessError) as error:
                progress.end(f"failed: {error}")
                continue
            sample.stolen = stolen.share()
            samples.setdefault(trial.server, []).append(sample)
            raw += [{"case": case.name, "server": trial.server, "result": result} for result in sample.raw]
            shown = ", ".join(f"{fig.label} {_shown(sample, fig.name, fig.unit)}" for fig in case.figures)
            progress.end("; ".join([shown, *sample.remarks, f"stolen {sample.stolen:.1%}"]))
        if samples:
            titles = {name: SERVERS[name].title for name in samples}
            results["cases"].append(report.case_result(case, samples, titles))
            _print_goals(results["cases"][-1])
            _keep(results, scale)
    (CACHE / "raw.json").write_text(json.dumps(raw))


def _trials(case: Case, servers: set[str], scale: Scale, rounds: int | None) -> list[Trial]:
    """Alternating: a round of all servers, and another."""
    times = rounds or (1 if scale.quick else case.rounds)
    return [Trial(case, server, number) for number in range(times) for server in case.servers if server in servers]


def _shown(sample: Sample, name: str, unit: str) -> str:
    value = sample.figures[name]
    return report.number(None if value == float("inf") else value, unit)


def _print_goals(case: report.Results) -> None:
    for figure in case["figures"]:
        for goal in figure["goals"]:
            print(f"    {case['title']}, {figure['label']}: {report.goal_text(goal, figure['unit'])}")


def _keep(results: report.Results, scale: Scale) -> None:
    """Write what there is so far: JSON, Markdown and the plot. Quick looks go into the cache."""
    folder = CACHE / "quick" if scale.quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{results['date']}.json"
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    whole = report.merged(old, results)
    whole["cases"].sort(key=lambda case: _place(case["row"], case["name"]))
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    plot = _plot(whole, path.with_suffix(".svg"))
    path.with_suffix(".md").write_text(report.markdown(whole, plot), encoding="utf-8")


def _place(row: str, name: str) -> int:
    return [(case.row, case.name) for case in CASES].index((row, name))


def _plot(results: report.Results, path: Path) -> str | None:
    series = next((case["lateness"] for case in results["cases"] if case["name"] == PLOTTED), None)
    if not series:
        return None
    path.write_text(lateness_svg(series, {name: SERVERS[name].title for name in series}), encoding="utf-8")
    return path.name


class Progress:
    """Says what is going on and how long it will take."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self._trials = list(trials)
        self._done = 0
        self._planned_s = self._taken_s = 0.0

    def begin(self, trial: Trial) -> None:
        self._trial = trial
        self._began = time.monotonic()
        of = f"{trial.case.row}. {trial.case.title} · {SERVERS[trial.server].title} · round {trial.round + 1}"
        print(f"[{self._done + 1}/{len(self._trials)}, {self._left()} left] {of}", end=" … ", flush=True)

    def end(self, result: str) -> None:
        self._planned_s += self._trial.case.seconds
        self._taken_s += time.monotonic() - self._began
        self._done += 1
        print(result, flush=True)

    def _left(self) -> str:
        """By what the trials should take, and how long those that are done took compared with that."""
        pace = self._taken_s / self._planned_s if self._planned_s else 1.0
        seconds = pace * sum(trial.case.seconds for trial in self._trials[self._done :])
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


if __name__ == "__main__":
    main()
