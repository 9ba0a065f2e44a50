"""Vendors' clients for Node on the preset: replies that end early, and what they raise if they are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.node_sdk import Outcomes, make_calls

pytestmark = pytest.mark.clients(group="node")

CLIENTS = ("openai", "responses", "anthropic", "google", "ai")
RPM = 20
ENDED_EARLY = {
    "openai": "length",
    "responses": "max_output_tokens",
    "anthropic": "max_tokens",
    "google": "MAX_TOKENS",
    "ai": "length",
}
STOPPED = {"openai": "stop", "anthropic": "stop_sequence", "google": "STOP", "ai": "stop"}
RAISED = {
    "openai": {400: "BadRequestError", 401: "AuthenticationError", 429: "RateLimitError"},
    "google": dict.fromkeys((400, 401, 429), "ApiError"),
    "ai": dict.fromkeys((400, 401, 429), "AI_APICallError"),
}
RAISED |= {"responses": RAISED["openai"], "anthropic": RAISED["openai"]}
REFUSED = {
    "openai": "Invalid 'temperature': decimal above maximum value.",
    "responses": "Invalid 'temperature': decimal above maximum value.",
    "anthropic": "temperature: range: 0..1",
    "google": "temperature must be in the range [0.0, 2.0]",
    "ai": "Invalid 'temperature': decimal above maximum value.",
}


@pytest.fixture(scope="module")
def outcomes(node_clients: None) -> Iterator[dict[str, Outcomes]]:
    """Each kind of call on a server of its own, as the last one uses up its rates."""
    settings = Settings(preset="llm", require_key=("right",))
    limited = Settings(preset="llm", require_key=("right",), rpm=RPM)
    with running_mockd(settings=settings) as mockd, running_mockd(settings=limited) as strict:
        yield {
            "obeys": make_calls(
                "limits", [call(name, mockd.url) for name in ("short", "stopped", "refused", "wrongKey")]
            ),
            "limited": make_calls("limits", [call("tooMany", strict.url)]),
        }


def call(name: str, url: str) -> dict[str, Any]:
    return {"id": name, "name": name, "url": url, "attempts": 1}


@pytest.mark.parametrize("client", CLIENTS)
def test_few_tokens(outcomes: dict[str, Outcomes], client: str) -> None:
    for reply in outcomes["obeys"].reply("short")[client]:
        assert (reply["text"], reply["finish"], reply["tokens"]) == ("Say hello", ENDED_EARLY[client], 2)


@pytest.mark.parametrize("client", STOPPED)
def test_a_text_at_which_to_stop(outcomes: dict[str, Outcomes], client: str) -> None:
    for reply in outcomes["obeys"].reply("stopped")[client]:
        assert (reply["text"], reply["finish"], reply["tokens"]) == ("Say hell", STOPPED[client], 2)
        assert reply.get("stop") == ("o t" if client == "anthropic" else None)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_number_out_of_range(outcomes: dict[str, Outcomes], client: str) -> None:
    for error in raised(outcomes["obeys"].reply("refused"), client, 400):
        assert REFUSED[client] in error["message"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_key(outcomes: dict[str, Outcomes], client: str) -> None:
    raised(outcomes["obeys"].reply("wrongKey"), client, 401)


@pytest.mark.parametrize("client", CLIENTS)
def test_used_up_rates(outcomes: dict[str, Outcomes], client: str) -> None:
    """Google's client hands on no headers."""
    for error in raised(outcomes["limited"].reply("tooMany"), client, 429):
        if client != "google":
            assert 1 <= int(error["after"]) <= 60 / RPM


def raised(found: dict[str, Any], client: str, status: int) -> list[dict[str, Any]]:
    """What a client raised, for the whole answer and for the stream."""
    errors: list[dict[str, Any]] = found[client]
    assert [(error["name"], error["status"]) for error in errors] == [(RAISED[client][status], status)] * 2
    return errors
