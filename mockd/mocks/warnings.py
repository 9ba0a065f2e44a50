"""Warnings about mocks that can be served, but hardly as they were meant.

`mockd validate`, `mockd serve` (when it starts and when files change) and the admin API give them. To add one, write a
function in `mockd.mocks.checks` that yields a `Problem` for each place in a mock, with a path that starts at the mock,
and name it in `CHECKS`. If it looks at one answer of a mock, put `_each` around it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from mockd.errors import Problem
from mockd.mocks.checks import effects, fault_requests, faults, framing, ids, matcher, sequences, texts
from mockd.mocks.checks.answer import CheckedAnswer, answers_of
from mockd.mocks.registered import Registered


def warnings_of(mock: Registered, without: Collection[str] = ()) -> Iterator[Problem]:
    """The warnings about a mock, each with its place, without those of some checks."""
    for name, check in CHECKS.items():
        if name not in without:
            for problem in check(mock):
                yield mock.spec.origin.report(problem)


def _each(check: Callable[[CheckedAnswer], Iterable[Problem]]) -> Callable[[Registered], Iterable[Problem]]:
    """A check of every answer of a mock."""

    def check_all(mock: Registered) -> Iterator[Problem]:
        for answer in answers_of(mock):
            for problem in check(answer):
                yield problem.under(answer.ready.part.place)

    return check_all


def shadowed(mocks: Sequence[Registered]) -> Iterator[Problem]:
    """Warnings about mocks that never answer, as a later one has the same matcher."""
    answering: dict[tuple[int, str], Registered] = {}
    for mock in reversed(mocks):
        spec = mock.spec
        if spec.mock.enabled:
            scenario = spec.mock.scenario
            states = () if scenario is None else (scenario.name, *scenario.states)
            key = (spec.mock.priority, repr((spec.mock.matcher, states)))
            if spec.mock.then == "miss" and key not in answering:
                continue  # one before it answers once its answers are used up
            later = answering.setdefault(key, mock)
            if later is not mock:
                message = f"it never answers, as {later.spec.id!r} has the same matcher and comes later"
                yield spec.origin.report(Problem(message, ("matcher",), "give it a higher `priority`, or remove it"))


CHECKS: dict[str, Callable[[Registered], Iterable[Problem]]] = {
    "path": matcher.path,
    "path-pattern": matcher.path_pattern,
    "path-of-a-key": matcher.path_of_a_key,
    "matched-values": matcher.values,
    "matched-body": matcher.body,
    "unknown-placeholder": _each(texts.unknown_placeholder),
    "placeholder-elsewhere": _each(texts.placeholder_elsewhere),
    "body": _each(effects.body),
    "chunk-size": _each(effects.chunk_size),
    "timing": _each(effects.timing),
    "burst": _each(effects.burst),
    "delays-by-position": _each(effects.delays_by_position),
    "limits": _each(effects.limits),
    "last-event": _each(effects.last_event),
    "ending": _each(effects.ending),
    "heartbeat": _each(effects.heartbeat),
    "resume": _each(effects.resume),
    "framing": _each(framing.framing),
    "given-ids": _each(ids.given),
    "times": sequences.times,
    "requests-of-faults": fault_requests.requests,
    "requests-of-own-faults": fault_requests.own_requests,
    "places-of-faults": faults.places,
    "places-of-own-faults": _each(faults.own_places),
    "effects-of-faults": faults.effects,
    "effects-of-own-faults": _each(faults.own_effects),
}
"""Every check of a mock, by its name."""
