"""Sequences and scenarios that cannot go on as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mockd.config.models import START
from mockd.errors import Problem
from mockd.mocks.registered import Registered


def times(mock: Registered) -> Iterator[Problem]:
    """A number of requests for the last answer, which stays anyway."""
    config = mock.spec.mock
    if config.responses and config.responses[-1].times > 1 and config.then in (None, "last"):
        path = ("responses", len(config.responses) - 1, "times")
        yield Problem("the last answer stays, however often it was given", path, "leave it out, or say `then`")


def unset_states(mocks: Sequence[Registered]) -> Iterator[Problem]:
    """States for which a mock waits and which no mock sets."""
    known = [(mock, scenario) for mock in mocks if (scenario := mock.spec.mock.scenario) is not None]
    set_by_name: dict[str, set[str]] = {}
    for _, scenario in known:
        set_by_name.setdefault(scenario.name, {START}).add(scenario.set or START)
    for mock, scenario in known:
        for number, state in enumerate(scenario.states):
            if state not in set_by_name[scenario.name]:
                path = ("scenario", "when") if isinstance(scenario.when, str) else ("scenario", "when", number)
                message = f"no mock sets the scenario {scenario.name!r} to {state!r}"
                yield mock.spec.origin.report(Problem(message, path, _set_states(set_by_name[scenario.name])))


def _set_states(states: set[str]) -> str:
    others = sorted(states - {START})
    return f"it is `{START}`" + "".join(f" or `{state}`" for state in others)
