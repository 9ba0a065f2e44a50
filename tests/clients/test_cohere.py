"""Cohere's client on `cohere-chat`."""

from __future__ import annotations

import json
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

SOURCE = {"url": "https://example.com/paris", "title": "Paris", "text": "help"}
MOCKS = mocks(
    "cohere-chat",
    "/v2/chat",
    REPLIES
    | {
        "plan": {"reasoning": THOUGHT, "toolCalls": [WEATHER]},
        "citations": {"tokens": TOKENS, "citations": [SOURCE]},
        "strict": {"strict": True},
    },
)


def messages(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event["delta"]["message"] for event in events if event["type"] == kind]


def contents(events: list[dict[str, Any]], kind: str = "text") -> list[str]:
    pieces = [message["content"] for message in messages(events, "content-delta")]
    return [piece[kind] for piece in pieces if piece.get(kind) is not None]


def arguments(events: list[dict[str, Any]], index: int) -> list[str]:
    deltas = [event for event in events if event.get("index") == index]
    return [message["tool_calls"]["function"]["arguments"] for message in messages(deltas, "tool-call-delta")]


def test_text(saw: Saw) -> None:
    events = saw["text"]
    kinds = [event["type"] for event in events]
    assert kinds == [
        "message-start",
        "content-start",
        *["content-delta"] * len(TOKENS),
        "content-end",
        "message-end",
    ]
    assert contents(events) == TOKENS
    assert events[0]["id"]
    assert events[-1]["delta"]["finish_reason"] == "COMPLETE"
    assert saw["text_async"] == kinds


def test_text_in_one_piece(saw: Saw) -> None:
    answer = saw["text_whole"]
    assert [block["text"] for block in answer["message"]["content"]] == [SAID]
    assert answer["finish_reason"] == "COMPLETE"


def test_tool(saw: Saw) -> None:
    events = saw["tool"]
    [start] = messages(events, "tool-call-start")
    assert start["tool_calls"]["function"]["name"] == "get_weather"
    assert start["tool_calls"]["id"].startswith("get_weather_")
    fragments = arguments(events, 0)
    assert all(len(fragment) <= 7 for fragment in fragments)
    assert json.loads("".join(fragments)) == ARGUMENTS
    assert events[-1]["delta"]["finish_reason"] == "TOOL_CALL"


def test_parallel_tools(saw: Saw) -> None:
    assert json.loads("".join(arguments(saw["tools"], 0))) == ARGUMENTS
    assert json.loads("".join(arguments(saw["tools"], 1))) == TIME["arguments"]
    calls = saw["tools_whole"]["message"]["tool_calls"]
    assert [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls] == [
        ("get_weather", ARGUMENTS),
        ("get_time", TIME["arguments"]),
    ]
    assert len({call["id"] for call in calls}) == 2


def test_text_and_tool(saw: Saw) -> None:
    assert contents(saw["text_and_tool"]) == TOKENS
    assert json.loads("".join(arguments(saw["text_and_tool"], 0))) == ARGUMENTS


def test_plan_before_tools(saw: Saw) -> None:
    assert "".join(message["tool_plan"] for message in messages(saw["plan"], "tool-plan-delta")) == THOUGHT
    assert saw["plan_whole"]["message"]["tool_plan"] == THOUGHT


def test_agent(saw: Saw) -> None:
    assert saw["agent"]["message"]["content"][0]["text"] == SAID


def test_reasoning(saw: Saw) -> None:
    assert "".join(contents(saw["reasoning"], "thinking")) == THOUGHT
    assert contents(saw["reasoning"]) == TOKENS
    thought, said = saw["reasoning_whole"]["message"]["content"]
    assert (thought["thinking"], said["text"]) == (THOUGHT, SAID)


def test_citations(saw: Saw) -> None:
    streamed = messages(saw["citations"], "citation-start")[0]["citations"]
    [whole] = saw["citations_whole"]["message"]["citations"]
    for citation in (streamed, whole):
        assert SAID[citation["start"] : citation["end"]] == citation["text"] == "help"
        assert citation["sources"][0]["document"]["url"] == SOURCE["url"]


def test_usage(saw: Saw) -> None:
    for usage in (saw["usage"][-1]["delta"]["usage"], saw["usage_whole"]["usage"]):
        assert (usage["tokens"]["input_tokens"], usage["tokens"]["output_tokens"]) == (11, 22)
        assert (usage["billed_units"]["input_tokens"], usage["billed_units"]["output_tokens"]) == (11, 22)


def test_length(saw: Saw) -> None:
    assert saw["length"][-1]["delta"]["finish_reason"] == "MAX_TOKENS"


def test_logprobs(saw: Saw) -> None:
    streamed = [event["logprobs"] for event in saw["logprobs"] if event["type"] == "content-delta"]
    for items in (streamed, saw["logprobs_whole"]["logprobs"]):
        assert [item["text"] for item in items] == TOKENS
        assert all(len(item["token_ids"]) == len(item["logprobs"]) for item in items)


def test_http_error(saw: Saw) -> None:
    error = saw["too_many"]["error"]
    assert (error["class"], error["status"], error["body"]["message"]) == ("TooManyRequestsError", 429, TOO_MANY)
    assert error["body"]["id"]
    assert (saw["down"]["class"], saw["down"]["body"]["message"]) == ("InternalServerError", UNAVAILABLE)
    assert saw["bad_request"]["class"] == "BadRequestError"
    assert saw["bad_request"]["body"]["message"] == "invalid request: messages is required"


def test_retry_succeeds(saw: Saw) -> None:
    assert contents(saw["too_many"]["then"]) == TOKENS
    assert saw["unavailable"]["message"]["content"][0]["text"] == SAID


def test_error_in_the_stream(saw: Saw) -> None:
    """The client raises nothing: the last event says what went wrong."""
    assert contents(saw["breaks"]) == TOKENS[:2]
    delta = saw["breaks"][-1]["delta"]
    assert (delta["finish_reason"], delta["error"]) == ("ERROR", BROKEN)
