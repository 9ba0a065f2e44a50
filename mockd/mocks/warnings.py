"""Warnings about mocks that can be served, but hardly as they were meant.

`mockd validate`, `mockd serve` (when it starts and when files change) and the admin API give them. To add one, write a
function in `mockd.mocks.checks` that yields a `Problem` for each place in a mock, with a path that starts at the mock,
and name it in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from mockd.errors import Problem
from mockd.mocks.checks import effects, faults, ids, matcher, texts
from mockd.mocks.registered import Registered


def warnings_of(mock: Registered, without: Collection[str] = ()) -> Iterator[Problem]:
    """The warnings about a mock, each with its place, without those of some checks."""
    for name, check in CHECKS.items():
        if name not in without:
            for problem in check(mock):
                yield mock.spec.origin.report(problem)


def shadowed(mocks: Sequence[Registered]) -> Iterator[Problem]:
    """Warnings about mocks that never answer, as a later one has the same matcher."""
    answering: dict[tuple[int, str], Registered] = {}
    for mock in reversed(mocks):
        spec = mock.spec
        if spec.mock.enabled:
            key = (spec.mock.priority, repr(spec.mock.matcher))
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
    "unknown-placeholder": texts.unknown_placeholder,
    "placeholder-elsewhere": texts.placeholder_elsewhere,
    "body": effects.body,
    "chunk-size": effects.chunk_size,
    "timing": effects.timing,
    "burst": effects.burst,
    "delays-by-position": effects.delays_by_position,
    "limits": effects.limits,
    "last-event": effects.last_event,
    "ending": effects.ending,
    "heartbeat": effects.heartbeat,
    "resume": effects.resume,
    "given-ids": ids.given,
    "places-of-faults": faults.places,
    "effects-of-faults": faults.effects,
}
"""Every check of a mock, by its name."""
