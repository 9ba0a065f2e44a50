"""The trial of a command: right on the clean stream, it is confronted with each variant, and every difference is tried
again before it is held against the command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from msgspec import Struct

from mockd.errors import ConfigError
from mockd.jsontext import encode_json
from mockd.torture.bench import Bench, OutOfRunsError, Ran
from mockd.torture.command import Ended
from mockd.torture.compare import check_comparable, difference
from mockd.torture.marks import PLAIN, Mark, marked
from mockd.torture.pauses import with_pauses
from mockd.torture.source import Mock
from mockd.torture.variants import Variant

_AGAIN = 4
"""Number of times that a variant which differs is tried again, and the clean stream with it."""

_PAUSE_MS = 200
"""Longest pause, in milliseconds, between two pieces of a stream that a command reads differently now and then."""
MOST_PLACES = 8
"""Most places in the data of a stream that are tried for a mark."""
_REFUSED = ("q=0", "q=0.0", "q=0.00", "q=0.000")
"""Weights of an encoding that a client does not accept."""


class Verdict(Struct, frozen=True):
    """What came of one variant. `difference` says in words how the command differed, if it did. `is_flaky` is true if
    it did so only now and then, or differs on the clean stream too."""

    variant: Variant
    difference: str | None = None
    is_flaky: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether the command gets this variant wrong, each time."""
        return self.difference is not None and not self.is_flaky


class Trial:
    """The trial of a command on a bench. `ways` are what is compared."""

    def __init__(self, bench: Bench, mock: Mock, ways: Sequence[str]) -> None:
        self._bench = bench
        self._ways = ways
        self.mock = mock
        self.plain: Mock | None = None
        """The mock with its source written out, once that is known; None if it is no text."""
        self.marked: Mock | None = None
        """The mock with a plain mark in its data that the command prints, once that was found."""
        self.baseline = self._clean_twice()
        self._known = {encode_json(mock): self.baseline}

    @property
    def request(self) -> dict[str, Any]:
        """The request of the command that the clean stream has answered, as in the journal."""
        return next(request for request in self.baseline.requests if "mockId" in request)

    @property
    def accepted(self) -> set[str]:
        """The encodings that the command accepts."""
        said = [value for name, value in self.request["headers"] if name.lower() == "accept-encoding"]
        parts = (part.partition(";") for value in said for part in value.split(","))
        return {name.strip().lower() for name, _, weight in parts if weight.strip().lower() not in _REFUSED}

    def _clean_twice(self) -> Ran:
        """How the command reads the clean stream. Raises `ConfigError` if it fails, or differs from itself."""
        first, second = self._bench.run(self.mock), self._bench.run(self.mock)
        _check_baseline(first, self.mock)
        check_comparable(first.ended, self._ways)
        unlike = difference(first.ended, second.ended, self._ways)
        if unlike is not None:
            hint = "what it prints must not depend on the time or on chance; or compare less, with --compare"
            raise ConfigError(f"the command differs from itself on the clean stream: {unlike}", hint=hint)
        return first

    def find_mark(self, plain: Mock) -> None:
        """Put a plain mark into the data of the mock, with its source written out: in the first place of which the
        command prints it, and does all else as before."""
        for mock in islice(marked(plain, self.baseline.ended.stdout), MOST_PLACES):
            ended = self._clean(mock).ended
            is_right = ended.trouble is None and ended.code == self.baseline.ended.code
            if is_right and PLAIN.encode() in ended.stdout:
                self.marked = mock
                return

    def clean_of(self, variant: Variant) -> Mock:
        """The mock that a variant is a form of."""
        return self.mock if variant.mark is None or self.marked is None else self.marked

    def verdicts(self, variants: Sequence[Variant], jobs: int, done: Callable[[Verdict], None]) -> list[Verdict]:
        """Try variants, so many at once. `done` is told of each verdict when it is known. Variants for which no run is
        left have none."""
        found: list[Verdict] = []
        with ThreadPoolExecutor(jobs, thread_name_prefix="mockd-torture") as pool:
            try:
                for verdict in pool.map(self._judged, variants):
                    if verdict is not None:
                        found.append(verdict)
                        done(verdict)
            except BaseException:  # above all, Ctrl-C: the pool waits for its threads
                self._bench.stop()
                raise
        return found

    def _judged(self, variant: Variant) -> Verdict | None:
        try:
            return self._judge(variant)
        except OutOfRunsError:
            return None

    def _judge(self, variant: Variant) -> Verdict:
        mock = self.clean_of(variant)
        first = self._differs(mock, variant)
        if first is None:
            return Verdict(variant)
        if self._is_always_wrong(mock, variant):
            return Verdict(variant, first)
        # How many pieces a command reads together depends on the machine, unless there is time between them.
        slower = (
            variant
            if self.plain is None
            else with_pauses(variant, self.plain, most_ms=_PAUSE_MS, in_all_ms=self._bench.timeout_s * 1000 / 4)
        )
        is_wrong = slower != variant and self._is_always_wrong(mock, slower)
        return Verdict(slower if is_wrong else variant, first, not is_wrong)

    def _is_always_wrong(self, mock: Mock, variant: Variant) -> bool:
        """Whether the command gets a variant of a mock wrong each time, and the clean stream right."""
        return all(
            self._differs(mock, variant) is not None and self._differs(mock, _CLEAN) is None for _ in range(_AGAIN)
        )

    def _differs(self, mock: Mock, variant: Variant) -> str | None:
        """How the command reads a variant of a mock otherwise than its clean stream; None if it reads it alike."""
        clean, ran = self._clean(mock), self._bench.run(variant.of(mock))
        unlike = difference(*_as_marked(clean.ended, ran.ended, variant.mark), self._ways)
        if unlike is not None and not ran.has_asked:
            return f"{unlike}; it has requested nothing"
        return unlike

    def fails_on(self, mock: Mock, variant: Variant) -> bool:
        """Whether the command gets a variant of another mock wrong, and does not fail on its clean stream."""
        clean = self._clean(mock)
        if clean.ended.trouble is not None or clean.ended.code != self.baseline.ended.code:
            return False
        return self._differs(mock, variant) is not None

    def _clean(self, mock: Mock) -> Ran:
        """How the command reads the clean stream of another mock; it is run once."""
        known = encode_json(mock)
        if known not in self._known:
            self._known[known] = self._bench.run(mock)
        return self._known[known]


_CLEAN = Variant("clean", True)


def _as_marked(clean: Ended, ended: Ended, mark: Mark | None) -> tuple[Ended, Ended]:
    """Two ends that are the same if a right command ends so: with a plain mark, and with that one."""
    return (clean, ended) if mark is None else (mark.wanted(clean), mark.read(ended))


def _check_baseline(ran: Ran, mock: Mock) -> None:
    ended = ran.ended
    said = f": {ended.last_words}" if ended.last_words else ""
    if ran.astray:
        asked = ran.astray[-1]
        raise ConfigError(
            f"the command has requested {asked['method']} {asked['path']}, which is not below the URL of the stream",
            hint="`{url}` stands for all of the URL; its path begins with the key of the run, as in `/~run1/…`",
        )
    if not ran.has_asked:
        hint = "`{url}` in its arguments, or the variable MOCKD_URL, says where the stream is"
        raise ConfigError(f"the command has requested nothing, and {ended.in_words}{said}", hint=hint)
    if not ran.has_reached:
        asked = ran.requests[0]
        matcher = mock["matcher"]
        wanted = f"{matcher.get('method', 'GET')} {matcher.get('path', '')}".strip()
        raise ConfigError(
            f"the command has requested {asked['method']} {asked['path']}, and the stream is at {wanted}",
            hint="`{url}` stands for all of the URL",
        )
    if ended.trouble is not None or ended.code:
        raise ConfigError(f"the command {ended.in_words} on the clean stream{said}")
