"""OpenAI's client on `openai-responses`."""

from __future__ import annotations

import json
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
    mocks,
)
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="openai")

SOURCE = {"url": "https://example.com/a", "title": "A", "text": "Hello"}
MOCKS = mocks(
    "openai-responses",
    "/v1/responses",
    REPLIES
    | {
        "refusal": {"refusal": REFUSED},
        "citations": {"tokens": TOKENS, "citations": [SOURCE]},
        "filtered": {"tokens": TOKENS, "finishReason": "content_filter"},
        "open": {},
        "strict": {"strict": True},
        "too_many_once": REPLIES["too_many"],
        "breaks_flat": REPLIES["breaks"] | {"errorForm": "flat"},
    },
)

OPENING = ["created", "in_progress"]
MESSAGE = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
]
CALL = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]


def order_of(types: list[str]) -> list[str]:
    """The types of events, repeats as one."""
    return [type_.removeprefix("response.") for type_, _ in groupby(types)]


def types_of(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def deltas(events: list[dict[str, Any]], part: str = "output_text") -> list[str]:
    return [event["delta"] for event in events if event["type"] == f"response.{part}.delta"]


def test_text(saw: Saw) -> None:
    events = saw["text"]
    assert order_of(types_of(events)) == [*OPENING, *MESSAGE, "completed"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert deltas(events) == TOKENS
    assert len({event["item_id"] for event in events if "item_id" in event}) == 1
    first, last = events[0]["response"], events[-1]["response"]
    assert (first["status"], first["usage"], first["output"]) == ("in_progress", None, [])
    assert last["status"] == "completed"
    assert last["output"][0]["content"][0]["text"] == SAID
    assert {(event["response"]["id"], event["response"]["created_at"]) for event in events if "response" in event} == {
        (first["id"], first["created_at"])
    }


def test_text_in_one_piece(saw: Saw) -> None:
    whole = saw["text_whole"]
    assert whole["output_text"] == SAID
    assert (whole["object"], whole["status"], whole["model"]) == ("response", "completed", "gpt-4.1")


def test_text_accumulated(saw: Saw) -> None:
    assert saw["text_accumulated"]["text"] == SAID
    assert saw["text_async"] == TOKENS


def test_a_response_says_what_was_asked(saw: Saw) -> None:
    asked = saw["asked"]
    assert asked["instructions"] == "Be polite."
    assert (asked["temperature"], asked["max_output_tokens"], asked["user"]) == (0.5, 99, "someone")
    assert asked["metadata"] == {"team": "blue"}
    assert asked["reasoning"] == {"effort": "high", "summary": "detailed"}
    assert (asked["tool_choice"], asked["parallel_tool_calls"]) == ("required", False)
    [tool] = asked["tools"]
    assert (tool["name"], tool["strict"], tool["description"]) == ("get_weather", True, None)
    assert asked["text"]["format"] == {"type": "text"}


def test_tool(saw: Saw) -> None:
    events = saw["tool"]
    assert order_of(types_of(events)) == [*OPENING, *CALL, "completed"]
    fragments = deltas(events, "function_call_arguments")
    assert len(fragments) > 1
    assert all(len(fragment) <= 7 for fragment in fragments)
    assert json.loads("".join(fragments)) == ARGUMENTS
    [call] = events[-1]["response"]["output"]
    assert (call["type"], call["name"], call["status"]) == ("function_call", "get_weather", "completed")
    assert call["call_id"].startswith("call_")
    assert json.loads(call["arguments"]) == ARGUMENTS


def test_tools_accumulated_and_in_one_piece(saw: Saw) -> None:
    [call] = saw["tool_accumulated"]["response"]["output"]
    assert call["parsed_arguments"] == ARGUMENTS
    assert json.loads(saw["tool_whole"]["output"][0]["arguments"]) == ARGUMENTS
    calls = saw["tools_accumulated"]["response"]["output"]
    assert [(call["name"], json.loads(call["arguments"])) for call in calls] == [
        ("get_weather", ARGUMENTS),
        ("get_time", TIME["arguments"]),
    ]
    assert len({call["call_id"] for call in calls} | {call["id"] for call in calls}) == 4
    assert order_of(saw["tools_accumulated"]["types"]) == [*OPENING, *CALL, *CALL, "completed"]
    assert saw["text_and_tool"] == [["message", "completed"], ["function_call", "completed"]]


def test_the_result_of_a_tool(saw: Saw) -> None:
    assert saw["agent"] == {"call": "get_weather", "said": SAID}


def test_reasoning(saw: Saw) -> None:
    events = saw["reasoning"]
    part, text = "reasoning_summary_part", "reasoning_summary_text"
    thinking = [
        "output_item.added",
        f"{part}.added",
        f"{text}.delta",
        f"{text}.done",
        f"{part}.done",
        "output_item.done",
    ]
    assert order_of(types_of(events)) == [*OPENING, *thinking, *MESSAGE, "completed"]
    assert "".join(deltas(events, text)) == THOUGHT
    thought, said = events[-1]["response"]["output"]
    assert thought["encrypted_content"]
    assert thought["summary"] == [{"type": "summary_text", "text": THOUGHT}]
    assert said["content"][0]["text"] == SAID
    whole, _ = saw["reasoning_whole"]
    assert whole["encrypted_content"] is None
    assert whole["summary"] == thought["summary"]


def test_refusal(saw: Saw) -> None:
    events = saw["refusal"]
    assert "".join(deltas(events, "refusal")) == REFUSED
    assert events[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": REFUSED}]
    assert saw["refusal_accumulated"]["response"]["output"][0]["content"][0]["refusal"] == REFUSED


def test_citations(saw: Saw) -> None:
    events = saw["citations"]
    place = {"type": "url_citation", "url": SOURCE["url"], "title": "A", "start_index": 0, "end_index": 5}
    [added] = [event for event in events if event["type"] == "response.output_text.annotation.added"]
    assert added["annotation"] == place
    assert events[-1]["response"]["output"][0]["content"][0]["annotations"] == [place]


def test_usage(saw: Saw) -> None:
    for usage in (saw["usage"], saw["usage_streamed"]):
        assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (11, 22, 33)


def test_cut_off(saw: Saw) -> None:
    assert saw["length"]["type"] == "response.incomplete"
    for response in (saw["length"]["response"], saw["length_whole"]):
        assert response["status"] == response["output"][-1]["status"] == "incomplete"
        assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert saw["filtered"] == {"type": "response.incomplete", "reason": "content_filter"}


def test_structured_output(saw: Saw) -> None:
    city = saw["parsed"]
    assert isinstance(city["name"], str)
    assert isinstance(city["people"], int)


def test_what_only_some_ask_for(saw: Saw) -> None:
    logprobs = saw["logprobs"]
    assert [token for token, _ in logprobs] == TOKENS
    assert all(len(tops) == 1 and len(tops[0]) == 2 and tops[0][0] == token for token, tops in logprobs)
    assert saw["obfuscation"]["not_asked"] == [None] * len(TOKENS)
    assert all(saw["obfuscation"]["asked"])


def test_http_error(saw: Saw) -> None:
    error = saw["too_many_not_retried"]
    assert error["body"] == {"message": TOO_MANY, "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    assert error["request_id"].startswith("req_")
    assert (error["retry_after"], error["retry_after_ms"]) == ("1", "50")
    assert saw["strict"]["param"] == "input"
    assert saw["strict"]["code"] == "missing_required_parameter"


def test_retry_succeeds(saw: Saw) -> None:
    assert saw["too_many"] == TOKENS
    assert saw["unavailable"] == SAID


def test_error_in_the_stream(saw: Saw) -> None:
    broken = saw["breaks"]
    assert order_of(broken["heard"]) == [*OPENING, "output_item.added", "content_part.added", "output_text.delta"]
    assert (broken["error"], broken["message"]) == ("APIError", BROKEN)
    assert broken["body"] == {"type": "server_error", "code": "server_error", "message": BROKEN, "param": None}


def test_error_in_the_stream_as_the_types_have_it(saw: Saw) -> None:
    error, failed = saw["breaks_flat"]
    assert (error["type"], error["message"], error["code"]) == ("error", BROKEN, "server_error")
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"] == {"code": "server_error", "message": BROKEN}
    assert failed["sequence_number"] == error["sequence_number"] + 1
