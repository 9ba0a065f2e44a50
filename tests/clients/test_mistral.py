"""Mistral's client on `mistral-chat`: it checks every chunk."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.clients.replies import (
    ARGUMENTS,
    BROKEN,
    REPLIES,
    SAID,
    THOUGHT,
    TIME,
    TOKENS,
    TOO_MANY,
    UNAVAILABLE,
    WEATHER,
    mocks,
)
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="providers")

MOCKS = mocks(
    "mistral-chat",
    "/v1/chat/completions",
    REPLIES
    | {
        "call": {"toolCalls": [WEATHER]},
        "calls": {"toolCalls": [WEATHER, TIME]},
        "text_and_call": {"tokens": TOKENS, "toolCalls": [WEATHER]},
        "open": {},
        "too_many_once": REPLIES["too_many"],
    },
)


def choices(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0] for chunk in chunks]


def calls(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for choice in choices(chunks) for call in choice["delta"].get("tool_calls") or ()]


def test_text(saw: Saw) -> None:
    chunks = saw["text"]
    assert [choice["delta"]["content"] for choice in choices(chunks)] == ["", *TOKENS, ""]
    assert [choice["finish_reason"] for choice in choices(chunks)] == [None] * 8 + ["stop"]
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert saw["text_async"] == ["", *TOKENS, ""]


def test_text_in_one_piece(saw: Saw) -> None:
    [choice] = saw["text_whole"]["choices"]
    assert choice["message"]["content"] == SAID
    assert choice["finish_reason"] == "stop"
    assert saw["text_whole"]["model"] == "mistral-small-latest"


def test_a_call_comes_whole_with_the_end(saw: Saw) -> None:
    role, last = choices(saw["tool"])
    assert role["delta"] == {"role": "assistant", "content": ""}
    assert last["finish_reason"] == "tool_calls"
    [call] = last["delta"]["tool_calls"]
    assert re.fullmatch("[0-9a-zA-Z]{9}", call["id"])
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == ARGUMENTS


def test_a_call_in_fragments(saw: Saw) -> None:
    fragments = calls(saw["tool_in_fragments"])
    assert len(fragments) > 1
    assert [call["function"]["name"] for call in fragments] == ["get_weather"] + [""] * (len(fragments) - 1)
    assert len({(call["id"], call["index"]) for call in fragments}) == 1
    assert json.loads("".join(call["function"]["arguments"] for call in fragments)) == ARGUMENTS


def test_tools(saw: Saw) -> None:
    assert [(call["index"], call["function"]["name"]) for call in calls(saw["tools"])] == [
        (0, "get_weather"),
        (1, "get_time"),
    ]
    assert [choice["delta"]["content"] for choice in choices(saw["text_and_tool"])] == ["", *TOKENS, None]
    assert saw["tool_whole"]["finish_reason"] == "tool_calls"
    [call] = saw["tool_whole"]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == ARGUMENTS
    assert saw["agent"] == SAID


def test_reasoning(saw: Saw) -> None:
    *chunks, last = choices(saw["reasoning"])
    parts = [part for choice in chunks for part in choice["delta"]["content"]]
    thoughts = [part["thinking"][0]["text"] for part in parts if part["type"] == "thinking"]
    assert len(thoughts) > 1
    assert "".join(thoughts) == THOUGHT
    assert [part["text"] for part in parts if part["type"] == "text"] == TOKENS
    assert chunks[0]["delta"]["role"] == "assistant"
    assert last["delta"]["content"] == ""
    thought, said = saw["reasoning_whole"]["content"]
    assert (thought["thinking"][0]["text"], said["text"]) == (THOUGHT, SAID)


def test_usage(saw: Saw) -> None:
    *others, last = saw["usage"]
    assert others == [None] * 8
    for usage in (last, saw["usage_whole"]):
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (11, 22, 33)


def test_what_only_some_ask_for(saw: Saw) -> None:
    assert saw["length"] == [None] * 8 + ["length"]
    assert saw["choices"] == [SAID, SAID]
    assert [tops[0] for tops in saw["logprobs"]["whole"]] == TOKENS
    assert all(len(tops) == 2 for tops in saw["logprobs"]["whole"])
    assert saw["logprobs"]["streamed"] == [None, *TOKENS, None]
    assert isinstance(json.loads(saw["parsed"])["name"], str)


def test_http_error(saw: Saw) -> None:
    error = saw["too_many_not_retried"]
    assert error["status"] == 429
    assert json.loads(error["body"]) == {
        "object": "error",
        "message": TOO_MANY,
        "type": "rate_limited",
        "param": None,
        "code": "1300",
        "raw_status_code": 429,
    }
    assert error["retry-after"] == "1"
    assert len(error["mistral-correlation-id"]) == 36
    assert saw["down"]["status"] == 500
    assert json.loads(saw["down"]["body"])["message"] == UNAVAILABLE


def test_retry_succeeds(saw: Saw) -> None:
    assert saw["too_many"] == ["", *TOKENS, ""]
    assert saw["unavailable"] == SAID


def test_error_in_the_stream(saw: Saw) -> None:
    """Its client does not know such an event, and says so."""
    assert saw["breaks"]["heard"] == ["", *TOKENS[:2]]
    assert BROKEN in saw["breaks"]["body"]
