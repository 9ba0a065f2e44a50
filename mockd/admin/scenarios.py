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
    key = call.key or ""
    return {"scenarios": [_described(engine, key, name) for name in engine.by_key.scenarios_of(key)]}


async def set_scenario(engine: Engine, call: Call) -> Any:
    """Put a scenario into a state that a mock names."""
    key, name = call.key or "", call.params["name"]
    known = engine.by_key.scenarios_of(key)
    if name not in known:
        raise _unknown_scenario(name, list(known))
    states = known[name]
    state = convert(call.json(), ScenarioState).state
    if state not in states:
        close = nearest(state, list(states))
        listed = "known here: " + ", ".join(f"`{one}`" for one in states)
        hint = f"did you mean `{close}`? {listed}" if close else listed
        raise ConfigError(f"no mock names the state {state!r} of the scenario {name!r}", path=("state",), hint=hint)
    engine.scenarios.set(key, name, state)
    return _described(engine, key, name)


def _unknown_scenario(name: str, known: list[str]) -> NotFoundError:
    error = NotFoundError(f"no mock names a scenario {name!r}")
    if close := nearest(name, known):
        error.hint = f"did you mean `{close}`?"
    return error


def _described(engine: Engine, key: str, name: str) -> dict[str, Any]:
    states = engine.by_key.scenarios_of(key)[name]
    return {"name": name, "state": engine.scenarios.state(key, name), "states": states}
