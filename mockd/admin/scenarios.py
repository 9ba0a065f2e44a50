"""Operations on scenarios."""

from __future__ import annotations

from typing import Any

from mockd.admin.calls import Call
from mockd.admin.shapes import ScenarioState
from mockd.config.conversion import convert
from mockd.config.hints import nearest
from mockd.engine import Engine
from mockd.errors import ConfigError, NotFoundError


async def list_scenarios(engine: Engine, call: Call) -> Any:
    """List the scenarios that mocks name, each with its state."""
    key = call.text("key") or ""
    return {"scenarios": [_described(engine, key, name) for name in engine.mock_set.served.scenarios]}


async def set_scenario(engine: Engine, call: Call) -> Any:
    """Put a scenario into a state that a mock names."""
    key, name = call.text("key") or "", call.params["name"]
    states = engine.mock_set.served.scenarios.get(name)
    if states is None:
        raise _unknown_scenario(name, list(engine.mock_set.served.scenarios))
    state = convert(call.json(), ScenarioState).state
    if state not in states:
        close = nearest(state, list(states))
        known = "known here: " + ", ".join(f"`{one}`" for one in states)
        hint = f"did you mean `{close}`? {known}" if close else known
        raise ConfigError(f"no mock names the state {state!r} of the scenario {name!r}", path=("state",), hint=hint)
    engine.mock_set.scenarios.set(key, name, state)
    return _described(engine, key, name)


def _unknown_scenario(name: str, known: list[str]) -> NotFoundError:
    error = NotFoundError(f"no mock names a scenario {name!r}")
    if close := nearest(name, known):
        error.hint = f"did you mean `{close}`?"
    return error


def _described(engine: Engine, key: str, name: str) -> dict[str, Any]:
    mock_set = engine.mock_set
    return {"name": name, "state": mock_set.scenarios.state(key, name), "states": mock_set.served.scenarios[name]}
