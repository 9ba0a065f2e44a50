"""The command that tortures another command with every legal form of a stream."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mockd.cli.output import note, print_json, print_table
from mockd.cli.session import JSON_HELP
from mockd.errors import ConfigError
from mockd.tables import Column, printable, terminal_width

if TYPE_CHECKING:
    from mockd.torture.torture import Outcome
    from mockd.torture.trial import Verdict
    from mockd.torture.variants import Variant

DIFFERED = 1
"""Exit code if the command got a neutral variant wrong."""


def torture(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="The stream: FILE#ID of a mock file, URL of a running stream, or a recording."
        ),
    ],
    command: Annotated[
        list[str], typer.Argument(metavar="CMD", help="Command behind `--`, in which {url} is the URL of the stream.")
    ],
    compare: Annotated[
        str, typer.Option("--compare", metavar="WAYS", help="What must be the same: exit, stdout, json, with commas.")
    ] = "exit,stdout",
    faults: Annotated[
        bool, typer.Option("--faults", help="Try every fault too, of which the result is shown.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="VARIANT", help="Try only this variant. May be given several times."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the streams that it gets wrong.")] = (
        Path()
    ),
    jobs: Annotated[
        int | None, typer.Option("--jobs", metavar="N", min=1, help="Runs at once. Default: one for each processor.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="Longest time, in seconds, of a run.")
    ] = 10.0,
    max_runs: Annotated[int, typer.Option("--max-runs", metavar="N", min=2, help="Most runs in all.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Find what a command gets wrong in the legal forms of a stream.

    Exit code 0: it reads all alike. 1: it does not. 2: nothing can be learned from it.
    """
    from mockd.torture.compare import read_ways
    from mockd.torture.torture import Order
    from mockd.torture.torture import torture as start

    ways = read_ways(compare)
    order = Order(source, command, ways, faults, only or (), out, jobs or os.cpu_count() or 1, timeout, max_runs)
    is_table = not as_json and terminal_width() is not None
    with _progress(is_quiet=as_json, is_table=is_table) as progress:
        outcomes = start(order, progress)
    if as_json:
        print_json([_document(outcome) for outcome in outcomes])
    elif is_table:
        print_table(_COLUMNS, [_row(outcome) for outcome in outcomes])
    else:
        for outcome in outcomes:
            if outcome.saved is not None:
                print(f"saved {outcome.saved}")
    _sum_up(outcomes, progress.variants)


def _sum_up(outcomes: list[Outcome], variants: int) -> None:
    neutral = [outcome for outcome in outcomes if outcome.verdict.variant.is_neutral]
    failures = [outcome for outcome in neutral if outcome.is_failure]
    flaky = [outcome for outcome in neutral if outcome.verdict.is_flaky]
    if len(outcomes) < variants:
        note(f"{variants - len(outcomes)} of {variants} variants were not tried: --max-runs was reached.")
    if failures or not flaky:
        wrong = str(len(failures) or "none")
        note(f"The command got {wrong} of {len(neutral)} variants wrong that a parser must get right.")
    names = ", ".join(outcome.verdict.variant.name for outcome in flaky)
    if failures:
        if flaky:
            note(f"It is flaky too: it did not do the same each time with {names}.")
        raise typer.Exit(DIFFERED)
    if flaky:
        raise ConfigError(
            "the command is flaky: it did not do the same each time with the same stream, so nothing is known",
            hint=f"variants: {names}",
        )


# -- what is told ------------------------------------------------------------------------------------------------------

_COLUMNS = ("VARIANT", "NEUTRAL", "RESULT", Column("DIFFERENCE", is_words=True), "SAVED")


def _row(outcome: Outcome) -> tuple[object, ...]:
    verdict = outcome.verdict
    neutral = "yes" if verdict.variant.is_neutral else "no"
    return verdict.variant.name, neutral, _result(verdict), verdict.difference or "", outcome.saved or ""


def _result(verdict: Verdict) -> str:
    if verdict.is_flaky:
        return "flaky"
    return "same" if verdict.difference is None else "differs"


def _line(verdict: Verdict) -> str:
    kind = "" if verdict.variant.is_neutral else " (not neutral)"
    found = f": {printable(verdict.difference)}" if verdict.difference is not None else ""
    return f"{_result(verdict)} {verdict.variant.name}{kind}{found}"


def _document(outcome: Outcome) -> dict[str, Any]:
    verdict = outcome.verdict
    fields = {
        "difference": verdict.difference,
        "flaky": verdict.is_flaky or None,
        "saved": outcome.saved and str(outcome.saved),
    }
    about = {
        "variant": verdict.variant.name,
        "neutral": verdict.variant.is_neutral,
        "same": verdict.difference is None,
    }
    return {**about, **{name: value for name, value in fields.items() if value is not None}}


class _Lines:
    """Progress for those who have no terminal: a line for each variant, as soon as it is known."""

    def __init__(self, is_quiet: bool) -> None:
        self.variants = 0
        self._is_quiet = is_quiet

    def began(self, variants: int) -> None:
        self.variants += variants

    def judged(self, verdict: Verdict) -> None:
        if not self._is_quiet:
            print(_line(verdict), flush=True)

    def left_out(self, why: str) -> None:
        if not self._is_quiet:
            print(why, flush=True)

    def shrinks(self, variant: Variant) -> None:
        if not self._is_quiet:
            print(f"shrinking {variant.name}", flush=True)


class _Bar(_Lines):
    """Progress on a terminal, above which stands what the command got wrong, as soon as it is known."""

    def __init__(self, progress: Any) -> None:
        super().__init__(is_quiet=True)
        self._progress = progress
        self._task = progress.add_task("torturing", total=None)

    def began(self, variants: int) -> None:
        super().began(variants)
        self._progress.update(self._task, total=self.variants)

    def judged(self, verdict: Verdict) -> None:
        self._progress.update(self._task, advance=1, description=verdict.variant.name)
        if verdict.is_wrong:
            self._say(_line(verdict))

    def left_out(self, why: str) -> None:
        self._say(why)

    def _say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)

    def shrinks(self, variant: Variant) -> None:
        self._progress.update(self._task, description=f"shrinking {variant.name}")


@contextmanager
def _progress(*, is_quiet: bool, is_table: bool) -> Iterator[_Lines]:
    if not is_table:
        yield _Lines(is_quiet)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress)
