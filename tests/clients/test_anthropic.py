"""Anthropic's client on `anthropic-messages`."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
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

pytestmark = pytest.mark.clients(group="providers")

SOURCE = {"url": "https://example.com/a", "title": "A", "text": "How can I help"}
MOCKS = mocks(
    "anthropic-messages",
    "/v1/messages",
    REPLIES
    | {
        "refusal": {"refusal": REFUSED},
        "citations": {"tokens": TOKENS, "citations": [SOURCE]},
        "content_filter": {"tokens": TOKENS, "finishReason": "content_filter"},
        "no_arguments": {"toolCalls": [{"name": "get_time"}]},
        "too_many_once": REPLIES["too_many"],
        "overloaded": {"error": {"status": 529, "message": UNAVAILABLE}},
        "strict": {"strict": True},
    },
)


def runs(types: list[str]) -> list[str]:
    """Types, one for each run of the same."""
    return [type for type, _ in groupby(types)]


def deltas(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["delta"] for event in events if event["type"] == "content_block_delta"]


def test_text(saw: Saw) -> None:
    events = saw["text"]
    assert runs([event["type"] for event in events]) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert [delta["text"] for delta in deltas(events)] == TOKENS
    assert events[0]["message"]["model"] == "claude-sonnet-4-5"
    assert events[0]["message"]["stop_reason"] is None
    assert events[-2]["delta"]["stop_reason"] == "end_turn"


def test_text_in_one_piece(saw: Saw) -> None:
    message = saw["text_whole"]
    assert [(block["type"], block["text"]) for block in message["content"]] == [("text", SAID)]
    assert message["stop_reason"] == "end_turn"
    assert message["id"].startswith("msg_")


def test_text_accumulated(saw: Saw) -> None:
    message = saw["text_accumulated"]["message"]
    assert [block["text"] for block in message["content"]] == [SAID]
    assert message["usage"]["output_tokens"] == len(TOKENS)
    assert saw["text_accumulated"]["events"].count("text") == len(TOKENS)
    assert saw["text_stream"] == saw["text_async"] == TOKENS


def test_tool(saw: Saw) -> None:
    events = saw["tool"]
    opening = events[1]["content_block"]
    assert (opening["type"], opening["name"], opening["input"]) == ("tool_use", "get_weather", {})
    assert opening["id"].startswith("toolu_")
    fragments = [delta["partial_json"] for delta in deltas(events)]
    assert fragments[0] == ""
    assert max(map(len, fragments)) == 7
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_tool_in_one_piece(saw: Saw) -> None:
    [call] = saw["tool_whole"]["content"]
    assert (call["name"], call["input"]) == ("get_weather", ARGUMENTS)
    assert saw["tool_whole"]["stop_reason"] == "tool_use"


def test_parallel_tools(saw: Saw) -> None:
    calls = saw["tools_accumulated"]["message"]["content"]
    assert [(call["name"], call["input"]) for call in calls] == [
        ("get_weather", ARGUMENTS),
        ("get_time", TIME["arguments"]),
    ]
    assert len({call["id"] for call in calls}) == 2


def test_tool_without_arguments(saw: Saw) -> None:
    [call] = saw["no_arguments_accumulated"]["message"]["content"]
    assert (call["name"], call["input"]) == ("get_time", {})


def test_text_and_tool(saw: Saw) -> None:
    text, call = saw["text_and_tool_accumulated"]["message"]["content"]
    assert (text["text"], call["input"]) == (SAID, ARGUMENTS)


def test_result_of_a_tool(saw: Saw) -> None:
    assert [block["text"] for block in saw["agent"]["content"]] == [SAID]


def test_reasoning(saw: Saw) -> None:
    kinds = runs([delta["type"] for delta in deltas(saw["reasoning"])])
    assert kinds == ["thinking_delta", "signature_delta", "text_delta"]
    for message in (saw["reasoning_accumulated"]["message"], saw["reasoning_whole"]):
        thinking, text = message["content"]
        assert (thinking["type"], thinking["thinking"], text["text"]) == ("thinking", THOUGHT, SAID)
        assert thinking["signature"] == deltas(saw["reasoning"])[4]["signature"]


def test_refusal(saw: Saw) -> None:
    for message in (saw["refusal_accumulated"]["message"], saw["refusal_whole"]):
        assert message["content"] == []
        assert message["stop_reason"] == "refusal"
        assert message["stop_details"]["explanation"] == REFUSED


def test_citations(saw: Saw) -> None:
    for message in (saw["citations_accumulated"]["message"], saw["citations_whole"]):
        assert [block["text"] for block in message["content"]] == ["Hello!", " How can I help", "?"]
        plain, cited, rest = (block["citations"] for block in message["content"])
        assert not plain
        assert not rest
        assert [(citation["url"], citation["cited_text"]) for citation in cited] == [(SOURCE["url"], SOURCE["text"])]


def test_usage(saw: Saw) -> None:
    start, *_, delta, _ = saw["usage"]
    assert start["message"]["usage"]["input_tokens"] == 11
    assert start["message"]["usage"]["output_tokens"] == 1
    for usage in (delta["usage"], saw["usage_whole"]):
        assert (usage["input_tokens"], usage["output_tokens"]) == (11, 22)


def test_finish_reasons(saw: Saw) -> None:
    assert saw["finish_reasons"] == {"length": "max_tokens", "content_filter": "refusal"}


def test_http_errors(saw: Saw) -> None:
    error = saw["too_many_not_retried"]
    assert error["body"]["error"] == {"type": "rate_limit_error", "message": TOO_MANY}
    assert error["request_id"] == error["body"]["request_id"]
    assert error["retry_after"] == "1"
    assert (saw["down"]["status"], saw["down"]["body"]["error"]["type"]) == (500, "api_error")
    overloaded = saw["overloaded"]
    assert (overloaded["status"], overloaded["error"]) == (529, "OverloadedError")
    assert overloaded["body"]["error"] == {"type": "overloaded_error", "message": UNAVAILABLE}
    assert saw["bad_request"]["error"]["message"] == "messages: at least one message is required"


def test_retry_succeeds(saw: Saw) -> None:
    assert saw["too_many"] == SAID
    assert saw["unavailable"]["content"][0]["text"] == SAID


def test_error_in_the_stream(saw: Saw) -> None:
    assert saw["breaks"]["heard"] == ["message_start", "content_block_start", *["content_block_delta"] * 2]
    assert saw["breaks"]["body"]["error"] == {"type": "api_error", "message": BROKEN}


def test_headers(saw: Saw) -> None:
    headers = saw["headers"]["headers"]
    assert headers["request-id"] == saw["headers"]["request_id"]
    assert int(headers["anthropic-ratelimit-tokens-remaining"]) < int(headers["anthropic-ratelimit-tokens-limit"])
    assert datetime.fromisoformat(headers["anthropic-ratelimit-output-tokens-reset"]).tzinfo is not None
