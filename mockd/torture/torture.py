"""The whole of it: read the source, judge the command, shrink what it gets wrong, save that."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from mockd.config.environment import escape
from mockd.config.models import FILE_VERSION
from mockd.errors import ConfigError
from mockd.torture.bench import OutOfRunsError, bench
from mockd.torture.marks import events_of
from mockd.torture.pauses import with_pauses
from mockd.torture.shrink import Shrinker, Shrunk, written_out
from mockd.torture.source import Mock, Source, part_of, read_source
from mockd.torture.trial import Trial, Verdict
from mockd.torture.variants import OF_DATA, Variant, body_of, combined, joined, may_have_ids, of_data, variants_of

_PAUSE_MS, _PAUSES_MS = 20, 2000
"""Longest pause, in milliseconds, between two pieces of a variant with pauses, and longest time of all of them."""


class Order(Struct, frozen=True):
    """What is to be done: the command `argv` against the stream of `source`, so many runs at once, each for so long at
    most, and so many in all; with all variants, or with those of `only`. Files go to the folder `out`."""

    source: str
    argv: Sequence[str]
    ways: Sequence[str]
    with_faults: bool
    only: Sequence[str]
    out: Path
    jobs: int
    timeout_s: float
    most_runs: int


class Outcome(Struct, frozen=True):
    """What came of one variant, and the file with the smallest stream that the command gets wrong, if it was saved."""

    verdict: Verdict
    saved: Path | None = None

    @property
    def is_failure(self) -> bool:
        """Whether the command is to blame: it gets a variant wrong that a parser gets right."""
        return self.verdict.is_wrong and self.verdict.variant.is_neutral


class Watch(Protocol):
    """Somebody who follows a torture."""

    def began(self, variants: int) -> None:
        """So many more variants will be tried."""

    def judged(self, verdict: Verdict) -> None:
        """A variant was tried."""

    def left_out(self, why: str) -> None:
        """Some variants cannot be tried."""

    def shrinks(self, variant: Variant) -> None:
        """A variant is being shrunk."""


def torture(order: Order, watch: Watch) -> list[Outcome]:
    """Torture a command. Raises `ConfigError` if there is nothing to torture it with, or it fails without."""
    _check_folder(order.out)
    source = read_source(order.source, order.timeout_s)
    with bench(source, order.argv, order.timeout_s, order.most_runs) as on:
        trial = Trial(on, source.mock, order.ways)
        trial.plain = written_out(on, trial)
        verdicts = _judged(trial, source, trial.plain or source.mock, order, watch)
        failing = [verdict for verdict in verdicts if Outcome(verdict).is_failure]
        saved = _saved(failing, Shrinker(on, trial, trial.plain), order.out, watch)
    return [Outcome(verdict, saved.get(verdict.variant.name)) for verdict in verdicts]


def _judged(trial: Trial, source: Source, plain: Mock, order: Order, watch: Watch) -> list[Verdict]:
    """The verdicts on each variant, then on combinations of those that the command gets right. `plain` is the mock as
    far as it could be written out."""

    def tried(variants: Sequence[Variant]) -> list[Verdict]:
        watch.began(len(variants))
        return trial.verdicts(variants, order.jobs, watch.judged)

    is_of_events = part_of(plain) == source.part
    variants = variants_of(
        source,
        body_of(source.mock) if is_of_events else "raw",
        has_ids=may_have_ids(plain),
        accepted=trial.accepted,
        with_faults=order.with_faults,
    )
    variants = [
        with_pauses(one, plain, most_ms=_PAUSE_MS, in_all_ms=_PAUSES_MS) if "pause" in one.framing else one
        for one in variants
    ]
    if order.only:
        has_mark = any(name.startswith(OF_DATA) for one in order.only for name in one.split("+"))
        return tried(_chosen([*variants, *(_of_data(trial, plain, watch) if has_mark else ())], order.only))
    verdicts = tried(variants)
    verdicts += tried(_of_data(trial, plain, watch))
    return verdicts + tried(combined([verdict.variant for verdict in verdicts if verdict.difference is None]))


def _of_data(trial: Trial, plain: Mock, watch: Watch) -> list[Variant]:
    """The variants of the data of a stream, as far as the command prints it."""
    if not events_of(plain):
        return []
    with contextlib.suppress(OutOfRunsError):
        trial.find_mark(plain)
        if trial.marked is None:
            watch.left_out("what is in the data was not tried: the command prints no text of it as it is")
    return [] if trial.marked is None else of_data(trial.marked)


def _chosen(variants: Sequence[Variant], names: Sequence[str]) -> list[Variant]:
    """The variants of these names, or combinations of them. Raises `ConfigError` for a name that none has."""
    known = {variant.name: variant for variant in variants}
    groups = [name.split("+") for name in names]
    for name in chain.from_iterable(groups):
        if name not in known:
            raise ConfigError(f"--only: this stream has no variant {name!r}", hint=f"known are {', '.join(known)}")
    return [joined([known[name] for name in group]) for group in groups]


def _saved(failing: Sequence[Verdict], shrinker: Shrinker, out: Path, watch: Watch) -> dict[str, Path]:
    files = {}
    for verdict in failing:
        name = verdict.variant.name
        watch.shrinks(verdict.variant)
        files[name] = out / f"torture-{name}.json"
        files[name].write_text(mock_file(shrinker.shrink(verdict.variant), verdict), encoding="utf-8")
    return files


_UNSEEN = re.compile("[\x7f-\xa0\u2028\u2029\ufeff]")
"""Characters that an editor does not show."""


def mock_file(shrunk: Shrunk, verdict: Verdict) -> str:
    """A mock file that shows by itself what a command gets wrong."""
    about = {"id": f"torture-{verdict.variant.name}", "name": f"{verdict.variant.name}: {verdict.difference}"}
    document = {"version": FILE_VERSION, "mocks": [escape({**about, **shrunk.whole})]}
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _check_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out: {out} cannot be made: {error.strerror}") from None
    if not os.access(out, os.W_OK):
        raise ConfigError(f"--out: nothing can be written into {out}")
