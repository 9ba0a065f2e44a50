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

    def __init__(
        self, outcomes: Mapping[str, dict[str, Any]], statuses: Mapping[str, list[int]], warnings: list[str]
    ) -> None:
        self._outcomes = outcomes
        self.statuses = statuses
        """Of the answers that it was given, by call."""
        self.warnings = warnings

    def outcome(self, call: str) -> dict[str, Any]:
        """However a call ended: its `reply`, if it has one, and the `errors` before."""
        return self._outcomes[call]

    def reply(self, call: str) -> dict[str, Any]:
        outcome = self._outcomes[call]
        if "reply" not in outcome:
            pytest.fail(f"{call}:\n{outcome['errors'][-1]['stack']}", pytrace=False)
        reply: dict[str, Any] = outcome["reply"]
        return reply

    def error(self, call: str) -> dict[str, Any]:
        """Of the first attempt: the `name` of the error's class, its `message`, `status` and `stack`."""
        outcome = self._outcomes[call]
        if not outcome["errors"]:
            pytest.fail(f"{call} should have failed: {outcome['reply']}", pytrace=False)
        error: dict[str, Any] = outcome["errors"][0]
        return error


def make_calls(sdk: str, calls: list[dict[str, Any]]) -> Outcomes:
    """Make calls with `node/<sdk>.mjs`, all in one process. Each has an `id`, the `name` of a function that the module
    exports, the `url` that it is given, and how many `attempts` it has."""
    printed = json.loads(run_program("node", "run.mjs", f"./{sdk}.mjs", folder=HERE, stdin=json.dumps(calls)))
    return Outcomes(**printed)


def run_module(code: str) -> str:
    """What a JavaScript module prints that imports SDKs."""
    return run_program("node", "--input-type=module", folder=HERE, stdin=code)
