"""Ollama's client on `ollama-chat` and `ollama-generate`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.replies import (
    ARGUMENTS,
    BROKEN,
    REPLIES,
    SAID,
    THOUGHT,
    TOKENS,
    TOO_MANY,
    UNAVAILABLE,
    mocks,
)
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="providers")

MOCKS = [
    *mocks("ollama-chat", "/api/chat", REPLIES | {"strict": {"tokens": TOKENS, "strict": True}}, "chunked"),
    *mocks("ollama-generate", "/api/generate", {"generate": REPLIES["reasoning"]}, "chunked"),
]


def contents(parts: list[dict[str, Any]]) -> list[str]:
    return [part["message"]["content"] for part in parts]


def test_text(saw: Saw) -> None:
    parts = saw["text"]
    assert contents(parts) == [*TOKENS, ""]
    assert [part["done"] for part in parts] == [False] * len(TOKENS) + [True]
    assert {part["model"] for part in parts} == {"llama3.2"}
    assert parts[-1]["done_reason"] == "stop"
    assert saw["text_async"] == [*TOKENS, ""]


def test_text_in_one_piece(saw: Saw) -> None:
    answer = saw["text_whole"]
    assert answer["message"]["content"] == SAID
    assert (answer["done"], answer["done_reason"]) == (True, "stop")


def test_tool(saw: Saw) -> None:
    called, last = saw["tool"]
    [call] = called["message"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert call["function"]["arguments"] == ARGUMENTS
    assert last["done_reason"] == "stop"


def test_parallel_tools(saw: Saw) -> None:
    calls = saw["tools_whole"]["message"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["get_weather", "get_time"]


def test_text_and_tool(saw: Saw) -> None:
    *said, called, _ = saw["text_and_tool"]
    assert contents(said) == TOKENS
    assert called["message"]["tool_calls"][0]["function"]["arguments"] == ARGUMENTS


def test_agent(saw: Saw) -> None:
    assert saw["agent"]["message"]["content"] == SAID


def test_reasoning(saw: Saw) -> None:
    thoughts = [part["message"]["thinking"] for part in saw["reasoning"] if part["message"]["thinking"]]
    assert len(thoughts) > 1
    assert "".join(thoughts) == THOUGHT
    assert contents(saw["reasoning"]) == [""] * len(thoughts) + [*TOKENS, ""]
    assert saw["reasoning_whole"]["message"]["thinking"] == THOUGHT


def test_usage(saw: Saw) -> None:
    for answer in (saw["usage"][-1], saw["usage_whole"]):
        assert (answer["prompt_eval_count"], answer["eval_count"]) == (11, 22)
        assert answer["total_duration"] > answer["eval_duration"] > 0


def test_length(saw: Saw) -> None:
    assert saw["length"][-1]["done_reason"] == "length"


def test_logprobs(saw: Saw) -> None:
    assert [part["logprobs"][0]["token"] for part in saw["logprobs"][:-1]] == TOKENS
    assert [part["logprobs"][0]["top_logprobs"][0]["token"] for part in saw["logprobs"][:-1]] == TOKENS


def test_load(saw: Saw) -> None:
    assert (saw["load"]["done_reason"], saw["load"]["message"]["content"]) == ("load", "")


def test_generate(saw: Saw) -> None:
    parts = saw["generate"]
    assert "".join(part["thinking"] or "" for part in parts) == THOUGHT
    assert "".join(part["response"] for part in parts) == SAID
    assert parts[-1]["context"]
    assert (saw["generate_whole"]["thinking"], saw["generate_whole"]["response"]) == (THOUGHT, SAID)


def test_http_error(saw: Saw) -> None:
    assert saw["down"] == {"status": 500, "message": UNAVAILABLE}


def test_retry_succeeds(saw: Saw) -> None:
    assert saw["too_many"] == {"error": {"status": 429, "message": TOO_MANY}, "then": [*TOKENS, ""]}
    assert saw["unavailable"] == {"error": {"status": 503, "message": UNAVAILABLE}, "then": SAID}


def test_error_in_the_stream(saw: Saw) -> None:
    assert saw["breaks"]["heard"] == TOKENS[:2]
    assert saw["breaks"]["error"]["message"] == BROKEN
