"""LangChain's models on `openai-chat`, `openai-responses` and `anthropic-messages`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.replies import ARGUMENTS, BROKEN, SAID, THOUGHT, TIME, TOKENS, UNAVAILABLE, mocks
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="openai")

MOCKS = [
    *mocks("openai-chat", "/v1/chat/completions"),
    *mocks("openai-responses", "/v1/responses"),
    *mocks("anthropic-messages", "/v1/messages"),
]
CALLS = [("get_weather", ARGUMENTS), ("get_time", TIME["arguments"])]


def text_of(message: dict[str, Any]) -> str:
    """What is said: a text, or blocks with text."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(block["text"] for block in content if block["type"] == "text")


def calls_of(message: dict[str, Any]) -> list[tuple[str, Any]]:
    assert message["invalid_tool_calls"] == []
    return [(call["name"], call["args"]) for call in message["tool_calls"]]


@pytest.mark.parametrize("scenario", ["text", "text_async"])
def test_text_in_chunks(saw: Saw, scenario: str) -> None:
    assert [piece for piece in saw[scenario] if piece] == TOKENS


@pytest.mark.parametrize(
    "scenario", ["text_whole", "responses_text", "responses_text_whole", "anthropic_text", "anthropic_text_whole"]
)
def test_text(saw: Saw, scenario: str) -> None:
    assert text_of(saw[scenario]) == SAID


@pytest.mark.parametrize("scenario", ["tools", "tools_whole", "responses_tools", "anthropic_tools"])
def test_tools(saw: Saw, scenario: str) -> None:
    assert calls_of(saw[scenario]) == CALLS
    assert len({call["id"] for call in saw[scenario]["tool_calls"]}) == 2


def test_the_answer_after_a_tool(saw: Saw) -> None:
    assert text_of(saw["tool_and_answer"]) == SAID


def test_reasoning(saw: Saw) -> None:
    [thought, *_] = saw["responses_reasoning"]["content"]
    assert thought["type"] == "reasoning"
    assert "".join(part["text"] for part in thought["summary"]) == THOUGHT
    [thought, *_] = saw["anthropic_reasoning"]["content"]
    assert thought["thinking"] == THOUGHT
    assert thought["signature"]


@pytest.mark.parametrize("scenario", ["usage", "usage_whole", "anthropic_usage"])
def test_usage(saw: Saw, scenario: str) -> None:
    usage = saw[scenario]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (11, 22, 33)


def test_length(saw: Saw) -> None:
    assert saw["length"]["finish_reason"] == "length"


@pytest.mark.parametrize("scenario", ["too_many", "unavailable", "responses_too_many", "anthropic_too_many"])
def test_retry_succeeds(saw: Saw, scenario: str) -> None:
    assert saw[scenario] == SAID


def test_http_error(saw: Saw) -> None:
    assert UNAVAILABLE in saw["down"]["message"]


@pytest.mark.parametrize("scenario", ["breaks", "responses_breaks", "anthropic_breaks"])
def test_error_in_the_stream(saw: Saw, scenario: str) -> None:
    assert BROKEN in saw[scenario]["message"]
