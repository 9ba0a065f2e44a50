"""`mistral-chat`: its chunks, whole answers and errors, key by key."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mockd.config.load import parse_mock
from mockd.config.parts import parts_of
from mockd.errors import ConfigError
from mockd.sources import build_source
from tests.unit.llm.asking import ask, events

BODY: dict[str, Any] = {"model": "mistral-x", "messages": [{"role": "user", "content": "Say hello to me"}]}
HELLO = ["Hello", "!"]
CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}
TIME = {"name": "get_time", "id": "time00001"}
USAGE = {"prompt_tokens": 4, "total_tokens": 6, "completion_tokens": 2}


def stream(body: dict[str, Any] | None = None, **params: Any) -> list[Any]:
    *chunks, done = (
        data for _, data in events(ask("mistral-chat", {**BODY, "stream": True, **(body or {})}, **params))
    )
    assert done == "[DONE]"
    return chunks


def whole(body: dict[str, Any] | None = None, **params: Any) -> Any:
    return ask("mistral-chat", {**BODY, **(body or {})}, **params).json()


def deltas(chunks: list[Any]) -> list[Any]:
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def thought(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def call(chunk: dict[str, Any], number: int = 0) -> Any:
    return chunk["choices"][0]["delta"]["tool_calls"][number]


def test_text() -> None:
    chunks = stream(tokens=HELLO)
    assert re.fullmatch("[0-9a-f]{32}", chunks[0]["id"])
    same = {
        "id": chunks[0]["id"],
        "object": "chat.completion.chunk",
        "created": chunks[0]["created"],
        "model": "mistral-x",
    }

    def choices(delta: dict[str, Any], finish: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]

    assert chunks == [
        {**same, "choices": choices({"role": "assistant", "content": ""})},
        {**same, "choices": choices({"content": "Hello"})},
        {**same, "choices": choices({"content": "!"})},
        {**same, "choices": choices({"content": ""}, "stop"), "usage": USAGE},
    ]


def test_text_in_one_piece() -> None:
    answer = whole(tokens=HELLO)
    message = {"role": "assistant", "tool_calls": None, "content": "Hello!"}
    assert answer == {
        "id": answer["id"],
        "object": "chat.completion",
        "created": answer["created"],
        "model": "mistral-x",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": USAGE,
    }


def test_calls_come_whole_with_the_end() -> None:
    first, last = stream(toolCalls=[CALL, TIME])
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    [choice] = last["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert re.fullmatch("[0-9a-f]{9}", call(last)["id"])
    assert choice["delta"] == {
        "content": None,
        "tool_calls": [
            {
                "id": call(last)["id"],
                "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
                "index": 0,
            },
            {"id": "time00001", "function": {"name": "get_time", "arguments": "{}"}, "index": 1},
        ],
    }
    assert last["usage"]["completion_tokens"] == 2


def test_calls_in_fragments() -> None:
    _, *chunks = stream(toolCalls=[CALL, TIME], argumentChunk=9)
    found = [(call(one)["index"], call(one)["function"]["name"], call(one)["function"]["arguments"]) for one in chunks]
    assert found == [(0, "get_weather", '{"city":"'), (0, "", 'Paris"}'), (1, "get_time", "{}")]
    assert call(chunks[0])["id"] == call(chunks[1])["id"]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "tool_calls"]
    assert ["usage" in chunk for chunk in chunks] == [False, False, True]


def test_a_call_in_one_piece() -> None:
    [choice] = whole(tokens=HELLO, toolCalls=[TIME])["choices"]
    function = {"name": "get_time", "arguments": "{}"}
    assert choice["message"]["content"] == "Hello!"
    assert choice["message"]["tool_calls"] == [{"id": "time00001", "function": function, "index": 0}]


def test_thoughts_are_parts_of_the_content() -> None:
    got = deltas(stream(reasoning="I think", tokens=HELLO))
    assert got == [
        {"role": "assistant", "content": [thought("I")]},
        {"content": [thought(" think")]},
        {"content": [{"type": "text", "text": "Hello"}]},
        {"content": [{"type": "text", "text": "!"}]},
        {"content": ""},
    ]
    message = whole(reasoning="I think", tokens=HELLO)["choices"][0]["message"]
    assert message["content"] == [thought("I think"), {"type": "text", "text": "Hello!"}]
    message = whole(reasoning="I think", toolCalls=[CALL])["choices"][0]["message"]
    assert message["content"] == [thought("I think")]


def test_choices() -> None:
    chunks = stream({"n": 2}, tokens=HELLO)
    told = [(chunk["choices"][0]["index"], chunk["choices"][0]["delta"]["content"]) for chunk in chunks]
    assert told == [(0, ""), (1, ""), (0, "Hello"), (1, "Hello"), (0, "!"), (1, "!"), (0, ""), (1, "")]
    assert [chunk.get("usage", {}).get("completion_tokens") for chunk in chunks] == [None] * 7 + [4]
    assert [choice["index"] for choice in whole({"n": 2}, tokens=HELLO)["choices"]] == [0, 1]


def test_logprobs_on_request() -> None:
    found = [chunk["choices"][0]["logprobs"] for chunk in stream({"logprobs": True, "top_logprobs": 1}, tokens=HELLO)]
    assert [one and one["content"][0]["token"] for one in found] == [None, *HELLO, None]
    hello = found[1]["content"][0]
    assert set(hello) == {"token", "logprob", "bytes", "token_id", "top_logprobs"}
    assert hello["top_logprobs"] == [{key: value for key, value in hello.items() if key != "top_logprobs"}]


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls"])
def test_finish_reasons(reason: str) -> None:
    assert stream(tokens=HELLO, finishReason=reason)[-1]["choices"][0]["finish_reason"] == reason
    assert whole(tokens=HELLO, finishReason=reason)["choices"][0]["finish_reason"] == reason


def test_headers() -> None:
    for body in (BODY, {**BODY, "stream": True}):
        headers = ask("mistral-chat", body, tokens=HELLO).headers
        assert re.fullmatch("[0-9a-f-]{36}", headers["mistral-correlation-id"])
    assert headers["content-type"] == "text/event-stream"


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    assert re.fullmatch(r'\{"a":-?\d+\}', whole({"response_format": form})["choices"][0]["message"]["content"])


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "type_", "code"),
    [
        (400, "invalid_request_error", None),
        (401, "unauthorized", None),
        (404, "invalid_model", "1500"),
        (429, "rate_limited", "1300"),
        (500, "internal_server_error", "1000"),
        (503, "service_unavailable", None),
    ],
)
def test_http_errors(status: int, type_: str, code: str | None) -> None:
    answer = ask("mistral-chat", BODY, error={"status": status, "message": "No", "retryAfter": 2})
    error = {"object": "error", "message": "No", "type": type_, "param": None, "code": code, "raw_status_code": status}
    assert (answer.status_code, answer.json()) == (status, error)
    assert answer.headers["retry-after"] == "2"
    assert "mistral-correlation-id" in answer.headers


@pytest.mark.parametrize(("after", "heard"), [(0, [""]), (1, ["", "Hello"]), (9, ["", "Hello", "!"])])
def test_an_error_in_the_stream(after: int, heard: list[str]) -> None:
    answer = ask("mistral-chat", {**BODY, "stream": True}, tokens=HELLO, error={"message": "No", "afterTokens": after})
    *chunks, last = (data for _, data in events(answer))
    assert [delta["content"] for delta in deltas(chunks)] == heard
    assert (last["object"], last["message"], last["type"]) == ("error", "No", "internal_server_error")


@pytest.mark.parametrize(
    ("body", "missing"),
    [({"messages": [1]}, "model"), ({"model": "x"}, "messages"), ({"model": "x", "messages": []}, "messages")],
    ids=str,
)
def test_what_the_service_refuses(body: Any, missing: str) -> None:
    answer = ask("mistral-chat", body, strict=True, tokens=HELLO)
    error = answer.json()
    assert (answer.status_code, error["object"], error["type"]) == (422, "error", "invalid_request_error")
    assert error["message"] == {"detail": [{"type": "missing", "loc": ["body", missing], "msg": "Field required"}]}
    assert (error["param"], error["code"]) == (None, None)


def test_a_body_that_is_not_json() -> None:
    answer = ask("mistral-chat", b"{", strict=True, tokens=HELLO)
    assert (answer.status_code, answer.json()["message"]) == (400, "The body of the request is not valid JSON.")


def test_an_error_of_a_mock_with_the_status_of_what_is_not_valid() -> None:
    error = ask("mistral-chat", {**BODY}, error={"status": 422, "message": "No."}).json()
    assert (error["message"], error["raw_status_code"]) == ("No.", 422)


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"refusal": "No"}, ("refusal",)),
        ({"citations": [{"url": "https://example.com"}]}, ("citations",)),
        ({"finishReason": "content_filter"}, ("finishReason",)),
        ({"script": [{"reply": {"refusal": "No"}}]}, ("script", 0, "reply", "refusal")),
    ],
)
def test_what_it_cannot_say(params: dict[str, Any], path: tuple[str | int, ...]) -> None:
    config = {"matcher": {"path": "/"}, "sse": {"template": "mistral-chat", "templateParams": params}}
    with pytest.raises(ConfigError) as caught:
        build_source(parts_of(parse_mock(config, root=None).mock)[0].config, None)
    assert caught.value.problems[0].path == ("sse", "templateParams", *path)
