"""OpenAI's client for Azure on `azure-openai`: what is not as on `openai-chat`."""

from __future__ import annotations

import json

import pytest

from tests.clients.replies import ARGUMENTS, BROKEN, REPLIES, SAID, THOUGHT, TIME, TOKENS, TOO_MANY, mocks
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="openai")

MOCKS = mocks(
    "azure-openai",
    "/openai/deployments/my-deployment/chat/completions",
    REPLIES
    | {
        "filtered": {"tokens": TOKENS, "finishReason": "content_filter"},
        "unsafe": {"error": {"status": 400, "type": "content_filter", "message": "The response was filtered."}},
        "too_many_once": REPLIES["too_many"],
    },
)
SAFE = {"filtered": False, "severity": "safe"}


def test_text(saw: Saw) -> None:
    first, *chunks = saw["text"]
    assert (first["choices"], first["object"], first["model"]) == ([], "", "")
    [found] = first["prompt_filter_results"]
    assert found["content_filter_results"]["hate"] == SAFE
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == ["", *TOKENS, None]
    results = [chunk["choices"][0]["content_filter_results"] for chunk in chunks]
    assert [bool(result) for result in results] == [False, *[True] * len(TOKENS), False]
    assert {chunk["model"] for chunk in chunks} == {"my-deployment"}
    assert saw["text_accumulated"] == SAID


def test_text_in_one_piece(saw: Saw) -> None:
    whole = saw["text_whole"]
    [choice] = whole["choices"]
    assert choice["message"]["content"] == SAID
    assert choice["content_filter_results"]["violence"] == SAFE
    assert whole["prompt_filter_results"][0]["prompt_index"] == 0
    assert saw["filtered"]["finish_reason"] == "content_filter"
    assert saw["filtered"]["content_filter_results"]["violence"] == {"filtered": True, "severity": "high"}


def test_tools_and_reasoning(saw: Saw) -> None:
    assert [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in saw["tools"]] == [
        ("get_weather", ARGUMENTS),
        ("get_time", TIME["arguments"]),
    ]
    assert saw["reasoning"] == THOUGHT


def test_usage(saw: Saw) -> None:
    assert saw["usage"]["choices"] == []
    assert saw["usage"]["usage"]["total_tokens"] == 33


def test_http_error(saw: Saw) -> None:
    error = saw["too_many_not_retried"]
    assert error["body"] == {"code": "429", "message": TOO_MANY}
    headers = error["headers"]
    assert len(headers["apim-request-id"]) == len(error["request_id"]) == 36
    assert headers["x-ms-region"] == "East US"
    assert headers["azureml-model-session"]
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "50")


def test_what_the_filters_refuse(saw: Saw) -> None:
    unsafe = saw["unsafe"]
    assert (unsafe["code"], unsafe["param"]) == ("content_filter", "prompt")
    found = unsafe["body"]["innererror"]
    assert found["code"] == "ResponsibleAIPolicyViolation"
    assert found["content_filter_result"]["violence"]["filtered"] is True


def test_retry_succeeds(saw: Saw) -> None:
    assert saw["too_many"] == SAID


def test_error_in_the_stream(saw: Saw) -> None:
    assert saw["breaks"] == {"heard": ["", *TOKENS[:2]], "message": BROKEN}
