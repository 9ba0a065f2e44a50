"""Scenarios: states that mocks share, so that what one request does decides which mock answers the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mockd.config.models import START, Mock
from mockd.mocks.counters import Remembering
from mockd.request import RequestView
from mockd.store import ScopedStore


class Scenarios:
    """The states of scenarios, apart for each key, in the engine's store: those of all mocks, whether for all keys or a
    key's own. They belong to the thread of the event loop."""

    def __init__(self, state: ScopedStore, keys: Remembering) -> None:
        self._state = state
        self._keys = keys

    def state(self, key: str, name: str) -> str:
        """The state in which a scenario is."""
        return self._state.get("scenarios", key, name) or START

    def seen_by(self, request: RequestView, name: str) -> str:
        """The state of a scenario for a request."""
        return self.state(request.key, name) if request.states is None else request.states[name]

    def set(self, key: str, name: str, state: str) -> None:
        """Put a scenario into a state. Raises `TooManyKeysError`."""
        if state == START:
            self._state.drop("scenarios", key, name)
            return
        if key:
            self._keys.need(key)
        self._state.put("scenarios", key, name, value=state)

    def reset(self, key: str | None = None) -> int:
        """Put the scenarios of a key, or of all keys, back to their start. Returns the number of those that were not
        there."""
        return self._state.drop("scenarios", *([] if key is None else [key]))

    def forget(self, key: str, names: Iterable[str]) -> None:
        """Forget scenarios that no mock names any more for requests of a key."""
        for name in names:
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
