"""A vendor's SDK for Node, used on a running mockd."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.clients.node_packages import HERE
from tests.clients.sdk import run_program


class Outcomes:
    """How the calls of an SDK ended. One that ended otherwise than the test expects fails it, with the SDK's stack."""

    def __init__(self, outcomes: Mapping[str, dict[str, Any]]) -> None:
        self._outcomes = outcomes

    def reply(self, call: str) -> Any:
        outcome = self._outcomes[call]
        if "error" in outcome:
            pytest.fail(f"{call}:\n{outcome['error']['stack']}", pytrace=False)
        return outcome["reply"]

    def error(self, call: str) -> dict[str, Any]:
        """Its class's `name`, `message`, `status` and `stack`."""
        outcome = self._outcomes[call]
        if "reply" in outcome:
            pytest.fail(f"{call} should have failed, but replied {outcome['reply']}", pytrace=False)
        error: dict[str, Any] = outcome["error"]
        return error


def make_calls(sdk: str, calls: list[dict[str, str]]) -> Outcomes:
    """Make calls with `node/<sdk>.mjs`, all in one process. A call is the `name` of a function that the module exports,
    the `url` that it is given, and an `id`."""
    printed = run_program("node", "run.mjs", f"./{sdk}.mjs", cwd=HERE, stdin=json.dumps(calls))
    return Outcomes({outcome["id"]: outcome for outcome in map(json.loads, printed.splitlines())})
