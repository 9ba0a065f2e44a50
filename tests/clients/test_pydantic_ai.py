"""Pydantic AI on `openai-chat`, `openai-responses` and `anthropic-messages`: an agent gets the same from each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.replies import ARGUMENTS, BROKEN, SAID, THOUGHT, TOKENS, UNAVAILABLE, mocks
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="openai")

MOCKS = [
    *mocks("openai-chat", "/v1/chat/completions"),
    *mocks("openai-responses", "/v1/responses"),
    *mocks("anthropic-messages", "/v1/messages"),
]
MODELS = ("openai", "responses", "anthropic")
ASKED = [["user-prompt", "Say hello, please"]]
WITH_A_TOOL = [
    ASKED,
    [["tool-call", ARGUMENTS]],
    [["tool-return", "Sunny in Paris, in celsius"]],
    [["text", SAID]],
]


def each(seen: dict[str, Any], name: str) -> list[Any]:
    return [seen[model][name] for model in MODELS]


@pytest.mark.parametrize("scenario", ["text", "too_many"])
def test_text(saw: Saw, scenario: str) -> None:
    assert each(saw[scenario], "texts") == [TOKENS] * 3
    assert each(saw[scenario], "parts") == [[ASKED, [["text", SAID]]]] * 3


@pytest.mark.parametrize("scenario", ["text_whole", "unavailable"])
def test_text_in_one_piece(saw: Saw, scenario: str) -> None:
    assert each(saw[scenario], "text") == [SAID] * 3


@pytest.mark.parametrize("scenario", ["agent", "agent_whole"])
def test_a_tool_and_the_answer_after_it(saw: Saw, scenario: str) -> None:
    assert each(saw[scenario], "parts") == [WITH_A_TOOL] * 3


def test_reasoning(saw: Saw) -> None:
    assert each(saw["reasoning"], "parts") == [[ASKED, [["thinking", THOUGHT], ["text", SAID]]]] * 3


@pytest.mark.parametrize("scenario", ["usage", "usage_whole"])
def test_usage(saw: Saw, scenario: str) -> None:
    assert each(saw[scenario], "usage") == [[11, 22]] * 3


def test_http_error(saw: Saw) -> None:
    assert each(saw["down"], "status") == [500] * 3
    assert all(UNAVAILABLE in str(body) for body in each(saw["down"], "body"))


def test_error_in_the_stream(saw: Saw) -> None:
    assert all(BROKEN in str(body) for body in each(saw["breaks"], "body"))
