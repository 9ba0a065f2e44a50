"""OpenAI's Agents SDK on `openai-chat` and `openai-responses`."""

from __future__ import annotations

import pytest

from tests.clients.replies import BROKEN, SAID, TOKENS, UNAVAILABLE, mocks
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="openai")

MOCKS = [*mocks("openai-chat", "/v1/chat/completions"), *mocks("openai-responses", "/v1/responses")]
SAYS = ["message_output_created"]


@pytest.mark.parametrize("scenario", ["text", "too_many", "responses_text", "responses_too_many"])
def test_text(saw: Saw, scenario: str) -> None:
    assert saw[scenario]["texts"] == TOKENS
    assert saw[scenario]["output"] == SAID
    assert saw[scenario]["items"] == SAYS


@pytest.mark.parametrize("scenario", ["text_whole", "unavailable", "responses_text_whole"])
def test_text_in_one_piece(saw: Saw, scenario: str) -> None:
    assert saw[scenario]["output"] == SAID
    assert saw[scenario]["items"] == ["message_output_item"]


@pytest.mark.parametrize("scenario", ["agent", "responses_agent"])
def test_a_tool_and_the_answer_after_it(saw: Saw, scenario: str) -> None:
    assert saw[scenario]["items"] == ["tool_called", "tool_output", *SAYS]
    assert saw[scenario]["output"] == SAID
    assert saw[scenario]["usage"][0] == 2


def test_a_tool_in_one_piece(saw: Saw) -> None:
    assert saw["agent_whole"]["items"] == ["tool_call_item", "tool_call_output_item", "message_output_item"]


@pytest.mark.parametrize("scenario", ["reasoning", "responses_reasoning"])
def test_reasoning(saw: Saw, scenario: str) -> None:
    assert saw[scenario]["items"] == ["reasoning_item_created", *SAYS]


@pytest.mark.parametrize("scenario", ["usage", "usage_whole"])
def test_usage(saw: Saw, scenario: str) -> None:
    assert saw[scenario]["usage"] == [1, 11, 22]


def test_http_error(saw: Saw) -> None:
    assert saw["down"]["status"] == 500
    assert saw["down"]["body"]["message"] == UNAVAILABLE


def test_error_in_the_stream(saw: Saw) -> None:
    assert saw["breaks"] == BROKEN
    assert saw["responses_breaks"] == ["APIError", BROKEN]
