"""Scenarios: states that mocks share, so that what one request does decides which mock answers the next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from mockd.config.models import START, Mock
from mockd.request import RequestView
from mockd.store import ScopedStore

MOST_STATES = 100_000
"""Most states that are kept, over all keys and scenarios: any client can invent a key. Beyond this number, the scenario
that was set longest ago begins again."""


class Scenarios:
    """The states of scenarios, apart for each key, in the engine's store. They belong to the thread of the event
    loop."""

    def __init__(self, state: ScopedStore) -> None:
        self._state = state
        self._set: OrderedDict[tuple[str, str], None] = OrderedDict()
        """Key and name of the scenarios that are not at their start; the one set longest ago comes first."""

    def state(self, key: str, name: str) -> str:
        """The state in which a scenario is."""
        return self._state.get("scenarios", key, name) or START

    def seen_by(self, request: RequestView, name: str) -> str:
        """The state of a scenario for a request."""
        return self.state(request.key, name) if request.states is None else request.states[name]

    def set(self, key: str, name: str, state: str) -> None:
        """Put a scenario into a state."""
        self._drop(key, name)
        if state == START:
            return
        self._set[key, name] = None
        if len(self._set) > MOST_STATES:
            self._drop(*next(iter(self._set)))
        self._state.put("scenarios", key, name, value=state)

    def reset(self, key: str | None = None) -> int:
        """Put the scenarios of a key, or of all keys, back to their start. Returns the number of those that were not
        there."""
        return self._drop_all([place for place in self._set if key in (None, place[0])])

    def forget(self, name: str) -> None:
        """Forget a scenario that no mock names any more."""
        self._drop_all([place for place in self._set if place[1] == name])

    def _drop_all(self, places: Sequence[tuple[str, str]]) -> int:
        for place in places:
            self._drop(*place)
        return len(places)

    def _drop(self, key: str, name: str) -> None:
        if (key, name) in self._set:
            del self._set[key, name]
            self._state.drop("scenarios", key, name)


def known_states(mocks: Iterable[Mock]) -> Mapping[str, Sequence[str]]:
    """The scenarios that mocks name, each with the states that they name, its start first."""
    known: dict[str, dict[str, None]] = {}
    for mock in mocks:
        if (scenario := mock.scenario) is not None:
            states = known.setdefault(scenario.name, {START: None})
            states |= dict.fromkeys(scenario.states)
            if scenario.set is not None:
                states[scenario.set] = None
    return {name: list(states) for name, states in known.items()}
