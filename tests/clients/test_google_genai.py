"""Google's client on `gemini`."""

from __future__ import annotations

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

pytestmark = pytest.mark.clients(group="providers")

SOURCE = {"url": "https://example.com/a", "title": "A", "text": "How can I help"}
MOCKS = mocks(
    "gemini",
    "/{version}/models/{target}",
    REPLIES
    | {
        "refusal": {"refusal": REFUSED},
        "citations": {"tokens": TOKENS, "citations": [SOURCE]},
        "content_filter": {"tokens": TOKENS, "finishReason": "content_filter"},
        "nothing": {},
        "too_many_once": REPLIES["too_many"],
    },
)


def parts(chunk: dict[str, Any], candidate: int = 0) -> list[dict[str, Any]]:
    """The parts of a candidate, without what they do not have."""
    content = chunk["candidates"][candidate]["content"]
    return [{name: value for name, value in part.items() if value is not None} for part in content["parts"]]


def test_text(saw: Saw) -> None:
    chunks = saw["text"]
    assert [parts(chunk) for chunk in chunks] == [[{"text": token}] for token in [*TOKENS, ""]]
    assert [chunk["candidates"][0]["finish_reason"] for chunk in chunks] == [None] * len(TOKENS) + ["STOP"]
    assert {chunk["model_version"] for chunk in chunks} == {"gemini-2.5-flash"}
    assert len({chunk["response_id"] for chunk in chunks}) == 1


def test_text_in_one_piece(saw: Saw) -> None:
    assert saw["text_whole"]["text"] == SAID
    response = saw["text_whole"]["response"]
    assert response["candidates"][0]["finish_reason"] == "STOP"
    assert response["usage_metadata"]["candidates_token_count"] == len(TOKENS)


def test_text_with_the_async_client(saw: Saw) -> None:
    assert saw["text_async"] == [*TOKENS, ""]


def test_chat(saw: Saw) -> None:
    assert saw["chat"]["said"] == [SAID, SAID]
    assert set(saw["chat"]["roles"]) == {"user", "model"}


def test_tools(saw: Saw) -> None:
    assert [(call["name"], call["args"]) for call in saw["tool"]] == [("get_weather", ARGUMENTS)]
    assert [(call["name"], call["args"]) for call in saw["tools"]] == [
        ("get_weather", ARGUMENTS),
        ("get_time", TIME["arguments"]),
    ]
    [part] = parts(saw["tool_whole"])
    assert part["function_call"]["args"] == ARGUMENTS
    assert saw["tool_whole"]["candidates"][0]["finish_reason"] == "STOP"


def test_text_and_tool(saw: Saw) -> None:
    text, call = saw["text_and_tool"]["parts"]
    assert (text["text"], call["function_call"]["name"]) == (SAID, "get_weather")


def test_result_of_a_tool(saw: Saw) -> None:
    assert saw["agent"] == SAID


def test_reasoning(saw: Saw) -> None:
    chunks = saw["reasoning"]
    thoughts = [part["text"] for chunk in chunks for part in parts(chunk) if part.get("thought")]
    assert "".join(thoughts) == THOUGHT
    assert len(thoughts) == 4
    assert all("thought_signature" in part for part in parts(chunks[-1]))
    assert chunks[-1]["usage_metadata"]["thoughts_token_count"] == 4
    thought, text = parts(saw["reasoning_whole"])
    assert (thought["text"], thought["thought"], text["text"]) == (THOUGHT, True, SAID)
    [text] = parts(saw["reasoning_hidden"])
    assert text["text"] == SAID
    assert saw["reasoning_hidden"]["usage_metadata"]["thoughts_token_count"] == 4


def test_refusal(saw: Saw) -> None:
    [chunk] = saw["refusal"]
    for response in (chunk, saw["refusal_whole"]):
        assert response["candidates"] is None
        assert response["prompt_feedback"]["block_reason"] == "SAFETY"
        assert response["prompt_feedback"]["block_reason_message"] == REFUSED


def test_citations(saw: Saw) -> None:
    grounding = saw["citations"][-1]["candidates"][0]["grounding_metadata"]
    assert grounding["grounding_chunks"][0]["web"]["uri"] == SOURCE["url"]
    [support] = grounding["grounding_supports"]
    assert (support["segment"]["start_index"], support["segment"]["end_index"]) == (7, 21)
    assert support["segment"]["text"] == SOURCE["text"]


def test_usage(saw: Saw) -> None:
    for usage in (saw["usage"][-1], saw["usage_whole"]):
        counts = ("prompt_token_count", "candidates_token_count", "total_token_count")
        assert [usage[name] for name in counts] == [11, 22, 33]
    assert [usage["total_token_count"] for usage in saw["usage"][:-1]] == [12, 13, 14, 15, 16, 17, 18]


def test_finish_reasons(saw: Saw) -> None:
    assert saw["finish_reasons"] == {"length": "MAX_TOKENS", "content_filter": "SAFETY"}


def test_candidates(saw: Saw) -> None:
    response = saw["candidates"]
    assert [candidate["index"] for candidate in response["candidates"]] == [0, 1]
    assert parts(response, 0) == parts(response, 1) == [{"text": SAID}]
    assert response["usage_metadata"]["candidates_token_count"] == 2 * len(TOKENS)


def test_structured_output(saw: Saw) -> None:
    assert isinstance(saw["structured"]["age"], int)
    assert len(saw["structured"]["name"]) >= 3


def test_http_errors(saw: Saw) -> None:
    error = saw["too_many_not_retried"]
    assert (error["code"], error["status"], error["message"]) == (429, "RESOURCE_EXHAUSTED", TOO_MANY)
    assert error["details"]["error"]["details"][0]["retryDelay"] == "0.05s"
    assert saw["down"] == {"code": 500, "status": "INTERNAL"}


def test_retry_succeeds(saw: Saw) -> None:
    assert saw["too_many"] == saw["unavailable"] == SAID


def test_error_in_the_stream(saw: Saw) -> None:
    assert saw["breaks"] == {"heard": TOKENS[:2], "code": 500, "status": "INTERNAL", "message": BROKEN}
