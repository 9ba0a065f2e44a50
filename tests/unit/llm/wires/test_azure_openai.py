"""`azure-openai`: what is not as in `openai-chat`, key by key."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.llm.asking import ask, events

PATH = "/openai/deployments/my-gpt/chat/completions"
BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "Say hello to me"}]}
HELLO = ["Hello", "!"]
CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

NOT_FILTERED = {"filtered": False, "severity": "safe"}
SAFE = {"hate": NOT_FILTERED, "self_harm": NOT_FILTERED, "sexual": NOT_FILTERED, "violence": NOT_FILTERED}
FILTERED = {**SAFE, "violence": {"filtered": True, "severity": "high"}}
JAILBREAK = {"filtered": False, "detected": False}
PROMPT = [{"prompt_index": 0, "content_filter_results": {**SAFE, "jailbreak": JAILBREAK}}]


def stream(body: dict[str, Any] | None = None, path: str = PATH, **params: Any) -> list[Any]:
    got = ask("azure-openai", {**BODY, "stream": True, **(body or {})}, path, **params)
    return [data for _, data in events(got)]


def whole(body: dict[str, Any] | None = None, path: str = PATH, **params: Any) -> Any:
    return ask("azure-openai", {**BODY, **(body or {})}, path, **params).json()


def test_text() -> None:
    first, *chunks, done = stream(tokens=HELLO)
    assert first == {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter_results": PROMPT,
    }
    same = {
        "id": chunks[0]["id"],
        "object": "chat.completion.chunk",
        "created": chunks[0]["created"],
        "model": "my-gpt",
        "system_fingerprint": None,
    }
    told: list[tuple[dict[str, Any], str | None, Any]] = [
        ({"role": "assistant", "content": "", "refusal": None}, None, {}),
        ({"content": "Hello"}, None, SAFE),
        ({"content": "!"}, None, SAFE),
        ({}, "stop", {}),
    ]
    choices = [
        {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish, "content_filter_results": found}
        for delta, finish, found in told
    ]
    assert chunks == [{**same, "choices": [choice]} for choice in choices]
    assert done == "[DONE]"


def test_text_in_one_piece() -> None:
    answer = whole(tokens=HELLO)
    assert answer["prompt_filter_results"] == PROMPT
    assert answer["choices"][0]["content_filter_results"] == SAFE
    assert answer["choices"][0]["message"]["content"] == "Hello!"
    assert "service_tier" not in answer


def test_what_the_filters_cut_off() -> None:
    chunks = stream(tokens=HELLO, finishReason="content_filter")
    assert chunks[-2]["choices"][0]["content_filter_results"] == FILTERED
    [choice] = whole(tokens=HELLO, finishReason="content_filter")["choices"]
    assert (choice["finish_reason"], choice["content_filter_results"]) == ("content_filter", FILTERED)


def test_calls() -> None:
    chunks = stream(toolCalls=[CALL])
    assert {str(chunk["choices"][0]["content_filter_results"]) for chunk in chunks[1:-1]} == {"{}"}
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("path", "body", "params", "model"),
    [
        (PATH, {}, {}, "my-gpt"),
        (PATH, {"model": "theirs"}, {}, "theirs"),
        (PATH, {"model": "theirs"}, {"model": "mine"}, "mine"),
        ("/prefix" + PATH, {}, {}, "my-gpt"),
        ("/openai/v1/chat/completions", {}, {}, "gpt-4-mock"),
    ],
)
def test_model(path: str, body: dict[str, Any], params: dict[str, Any], model: str) -> None:
    assert stream(body, path, tokens=HELLO, **params)[1]["model"] == model
    assert whole(body, path, tokens=HELLO, **params)["model"] == model


def test_headers() -> None:
    for body in (BODY, {**BODY, "stream": True}):
        headers = ask("azure-openai", body, tokens=HELLO).headers
        assert UUID.fullmatch(headers["apim-request-id"])
        assert UUID.fullmatch(headers["x-request-id"])
        assert headers["x-ms-region"] == "East US"
        assert headers["azureml-model-session"]


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "401"),
        (403, "403"),
        (404, "DeploymentNotFound"),
        (408, "Timeout"),
        (429, "429"),
        (503, "ServiceUnavailable"),
    ],
)
def test_errors_of_the_gateway(status: int, code: str) -> None:
    answer = ask("azure-openai", BODY, error={"status": status, "message": "No", "retryAfter": 0.25})
    assert (answer.status_code, answer.json()) == (status, {"error": {"code": code, "message": "No"}})
    assert (answer.headers["retry-after"], answer.headers["retry-after-ms"]) == ("1", "250")
    assert UUID.fullmatch(answer.headers["apim-request-id"])


@pytest.mark.parametrize(("status", "type_"), [(400, "invalid_request_error"), (500, "server_error")])
def test_errors_of_the_model(status: int, type_: str) -> None:
    answer = ask("azure-openai", BODY, error={"status": status, "message": "No"})
    assert answer.json() == {"error": {"message": "No", "type": type_, "param": None, "code": None}}


def test_what_the_filters_refuse() -> None:
    answer = ask("azure-openai", BODY, error={"type": "content_filter", "message": "No"})
    assert answer.status_code == 400
    found = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {**FILTERED, "jailbreak": JAILBREAK}}
    error = {"message": "No", "type": None, "param": "prompt", "code": "content_filter", "status": 400}
    assert answer.json() == {"error": {**error, "innererror": found}}


def test_an_error_in_the_stream() -> None:
    first, role, hello, last = stream(tokens=HELLO, error={"message": "No", "afterTokens": 1})
    assert "prompt_filter_results" in first
    assert role["choices"][0]["delta"]["role"] == "assistant"
    assert hello["choices"][0]["delta"] == {"content": "Hello"}
    assert last == {"error": {"message": "No", "type": "server_error", "param": None, "code": None}}


def test_what_the_service_refuses() -> None:
    answer = ask("azure-openai", {"model": "x"}, strict=True, tokens=HELLO)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages")
    assert ask("azure-openai", BODY, strict=True, tokens=HELLO).status_code == 200
