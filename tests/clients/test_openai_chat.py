"""OpenAI's client on `openai-chat`: everything a reply can have. `test_openai` has what a mock can do besides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clients.replies import (
    ARGUMENTS,
    BROKEN,
    REFUSED,
    REPLIES,
    SAID,
    THOUGHT,
    TIME,
    TOKENS,
    TOO_MANY,
    UNAVAILABLE,
    mocks,
)
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="openai")

MOCKS = mocks(
    "openai-chat",
    "/v1/chat/completions",
    REPLIES
    | {
        "refusal": {"refusal": REFUSED},
        "nothing": {},
        "too_many_once": REPLIES["too_many"],
        "reasoning_of_openrouter": {**REPLIES["reasoning"], "reasoningKey": "reasoning"},
    },
)


def deltas(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def test_text(saw: Saw) -> None:
    chunks = saw["text"]
    assert [delta.get("content") for delta in deltas(chunks)] == ["", *TOKENS, None]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 8 + ["stop"]
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert all(chunk["usage"] is None for chunk in chunks)


def test_text_in_one_piece(saw: Saw) -> None:
    completion = saw["text_whole"]
    [choice] = completion["choices"]
    assert completion["model"] == "gpt-4.1"
    assert choice["message"]["content"] == SAID
    assert choice["message"]["tool_calls"] is None
    assert choice["finish_reason"] == "stop"


def test_text_accumulated(saw: Saw) -> None:
    assert saw["text_accumulated"]["completion"]["choices"][0]["message"]["content"] == SAID
    assert saw["text_accumulated"]["events"] == ["content.delta"] * 8 + ["content.done"]


def test_text_with_the_async_client(saw: Saw) -> None:
    assert saw["text_async"] == ["", *TOKENS, None]


def test_tool(saw: Saw) -> None:
    chunks = saw["tool"]
    fragments = [call for delta in deltas(chunks) for call in delta["tool_calls"] or ()]
    assert fragments[0]["function"]["name"] == "get_weather"
    assert fragments[0]["id"].startswith("call_")
    assert {call["index"] for call in fragments} == {0}
    assert all(len(call["function"]["arguments"]) <= 7 for call in fragments)
    assert json.loads("".join(call["function"]["arguments"] for call in fragments)) == ARGUMENTS
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_tool_in_one_piece(saw: Saw) -> None:
    [choice] = saw["tool_whole"]["choices"]
    [call] = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == ARGUMENTS


def test_parallel_tools(saw: Saw) -> None:
    calls = saw["tools_accumulated"]["completion"]["choices"][0]["message"]["tool_calls"]
    assert [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls] == [
        ("get_weather", ARGUMENTS),
        ("get_time", TIME["arguments"]),
    ]
    assert len({call["id"] for call in calls}) == 2
    assert saw["tools_accumulated"]["events"].count("tool_calls.function.arguments.done") == 2


def test_text_and_tool(saw: Saw) -> None:
    message = saw["text_and_tool_accumulated"]["completion"]["choices"][0]["message"]
    assert message["content"] == SAID
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["get_weather"]


def test_reasoning(saw: Saw) -> None:
    thoughts = [thought for thought in saw["reasoning"] if thought is not None]
    assert len(thoughts) > 1
    assert "".join(thoughts) == saw["reasoning_whole"] == THOUGHT


def test_the_key_of_reasoning(saw: Saw) -> None:
    thoughts = [extra for extra in saw["reasoning_of_openrouter"] if extra]
    assert len(thoughts) > 1
    assert {key for extra in thoughts for key in extra} == {"reasoning"}
    assert "".join(extra["reasoning"] for extra in thoughts) == THOUGHT
    assert saw["reasoning_of_openrouter_whole"] == {"reasoning": THOUGHT}


def test_refusal(saw: Saw) -> None:
    message = saw["refusal_accumulated"]["completion"]["choices"][0]["message"]
    assert message["refusal"] == REFUSED
    assert message["content"] is None
    assert saw["refusal_accumulated"]["events"][-1] == "refusal.done"
    assert saw["refusal_whole"]["choices"][0]["message"]["refusal"] == REFUSED


def test_usage(saw: Saw) -> None:
    *others, last = saw["usage"]
    assert all(chunk["usage"] is None for chunk in others)
    assert last["choices"] == []
    for usage in (last["usage"], saw["usage_whole"]):
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (11, 22, 33)


def test_length(saw: Saw) -> None:
    assert saw["length"] == [None] * 8 + ["length"]


def test_choices(saw: Saw) -> None:
    choices = saw["choices"]["completion"]["choices"]
    assert [(choice["index"], choice["message"]["content"]) for choice in choices] == [(0, SAID), (1, SAID)]


def test_logprobs(saw: Saw) -> None:
    [choice] = saw["logprobs"]["completion"]["choices"]
    assert [token["token"] for token in choice["logprobs"]["content"]] == TOKENS
    assert [len(token["top_logprobs"]) for token in choice["logprobs"]["content"]] == [1] * len(TOKENS)


def test_structured_output(saw: Saw) -> None:
    """The client has validated it."""
    [choice] = saw["structured_accumulated"]["completion"]["choices"]
    for message in (saw["structured"], choice["message"]):
        assert message["parsed"].keys() == {"name", "people", "rivers"}
        assert json.loads(message["content"]) == message["parsed"]


def test_http_error(saw: Saw) -> None:
    error = saw["too_many_not_retried"]
    assert error["body"] == {"message": TOO_MANY, "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    assert error["request_id"].startswith("req_")
    assert (error["retry_after"], error["retry_after_ms"]) == ("1", "50")
    assert saw["down"]["status"] == 500
    assert saw["down"]["body"]["type"] == "server_error"
    assert saw["down"]["body"]["message"] == UNAVAILABLE


def test_retry_succeeds(saw: Saw) -> None:
    assert saw["too_many"] == ["", *TOKENS, None]
    assert saw["unavailable"]["choices"][0]["message"]["content"] == SAID


def test_error_in_the_stream(saw: Saw) -> None:
    assert saw["breaks"]["heard"] == ["", *TOKENS[:2]]
    assert saw["breaks"]["error"] == "APIError"
    assert saw["breaks"]["message"] == BROKEN
    assert saw["breaks"]["body"]["type"] == "server_error"
