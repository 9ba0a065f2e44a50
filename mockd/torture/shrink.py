"""From a variant that a command gets wrong to the smallest stream, in the simplest form, that it still gets wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from msgspec import Struct

from mockd.errors import ConfigError
from mockd.torture.bench import Bench, OutOfRunsError
from mockd.torture.parts import parts_of, smallest
from mockd.torture.simpler import simplest
from mockd.torture.source import KINDS, Mock, answer_of
from mockd.torture.trial import Trial
from mockd.torture.variants import Variant

MOST_TRIES = 150
"""Most streams that are tried for one variant; each takes two runs."""


class Shrunk(Struct, frozen=True):
    """A stream and its variant, after all that could be left out."""

    mock: Mock
    variant: Variant

    @property
    def whole(self) -> Mock:
        """The mock with its variant."""
        return self.variant.of(self.mock)


class Shrinker:
    """Shrinks what a command gets wrong. What was small enough for one variant is where the next one begins. `plain` is
    the mock with its source written out, if that is possible."""

    def __init__(self, bench: Bench, trial: Trial, plain: Mock | None) -> None:
        self._bench = bench
        self._trial = trial
        self._starts = [] if plain is None else [plain]

    def shrink(self, variant: Variant) -> Shrunk:
        """The smallest stream in the simplest form of a variant that the command gets wrong, as far as the runs that
        are left allow."""
        clean = self._trial.clean_of(variant)
        search = _Search(self._trial, Shrunk(clean, variant))
        starts = self._starts if variant.mark is None else [*self._starts, clean]
        with contextlib.suppress(OutOfRunsError):
            self._search(search, variant, starts)
        self._starts.insert(0, search.best.mock)
        return search.best

    def _search(self, search: _Search, variant: Variant, starts: Sequence[Mock]) -> None:
        start = next((mock for mock in starts if search.fails(mock, variant)), None)
        stream = None if start is None else parts_of(start)
        if stream is None:
            return
        mock = smallest(stream, lambda smaller: search.fails(smaller, variant))
        if variant.framing or variant.mark:
            simplest(variant, self._size(mock), lambda simpler: search.fails(mock, simpler))

    def _size(self, mock: Mock) -> int:
        """The size of the body of a mock; 0 if it has no whole body, such as one with a fault."""
        try:
            return len(self._bench.body(mock, self._trial.request)[1])
        except ConfigError:
            return 0


class _Search:
    """The best that a search has found yet, and the number of tries that it has left."""

    def __init__(self, trial: Trial, best: Shrunk) -> None:
        self.best = best
        self._trial = trial
        self._left = MOST_TRIES

    def fails(self, mock: Mock, variant: Variant) -> bool:
        """Whether the command gets it wrong. Raises `OutOfRunsError`."""
        if variant.of(mock) == mock:  # such as a mock without the mark
            return False
        if not self._left:
            raise OutOfRunsError("there are no tries left")
        self._left -= 1
        try:
            if not self._trial.fails_on(mock, variant):
                return False
        except ConfigError:  # such as an event without any field
            return False
        self.best = Shrunk(mock, variant)
        return True


def written_out(bench: Bench, trial: Trial) -> Mock | None:
    """The mock with a list of events, items or lines as its source: its own, or what it answers. None if that is not
    text."""
    mock = trial.mock
    if parts_of(mock) is not None:
        return mock
    try:
        content_type, body = bench.body(mock, trial.request)
        answer = answer_of(body, content_type, "the stream")
    except ConfigError:
        return None
    return {**{name: value for name, value in mock.items() if name not in KINDS}, **answer}
