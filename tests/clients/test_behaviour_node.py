"""npm `ai` on the preset, which does as its requests ask, with each of its providers."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.node_sdk import Outcomes, make_calls

pytestmark = pytest.mark.clients(group="node")

PROVIDERS = ("openaiChat", "openaiResponses", "anthropic", "google", "mistral", "cohere")
CALLS = ("required", "requiredStream", "named", "steps", "short")


@pytest.fixture(scope="module")
def outcomes(node_clients: None) -> Outcomes:
    with running_mockd(settings=Settings(preset="llm")) as mockd:
        return make_calls("behave", [{"id": name, "name": name, "url": mockd.url, "attempts": 1} for name in CALLS])


@pytest.mark.parametrize("call", ["required", "requiredStream"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_tool_is_required(outcomes: Outcomes, call: str, provider: str) -> None:
    reply = outcomes.reply(call)[provider]
    check(reply["calls"])
    assert (reply["text"], reply["finish"]) == ("", "tool-calls")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_tool_is_named(outcomes: Outcomes, provider: str) -> None:
    check(outcomes.reply("named")[provider])


def check(calls: list[dict[str, Any]]) -> None:
    """`ai` has looked whether the arguments are valid."""
    [call] = calls
    assert (call["name"], call["invalid"]) == ("look", False)
    assert call["input"]["unit"] in ("K", "C")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_tool_is_required_in_every_step(outcomes: Outcomes, provider: str) -> None:
    assert outcomes.reply("steps")[provider] == [["look"], ["done"]]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_few_tokens(outcomes: Outcomes, provider: str) -> None:
    assert outcomes.reply("short")[provider] == {"text": "How is", "finish": "length", "tokens": 2}
