"""`openai-chat`: its chunks, whole answers and errors, key by key."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mockd.config.load import parse_mock
from mockd.config.parts import parts_of
from mockd.errors import ConfigError
from mockd.sources import build_source
from tests.unit.llm.asking import ask, events

BODY: dict[str, Any] = {"model": "gpt-x", "messages": [{"role": "user", "content": "Say hello to me"}]}
HELLO = ["Hello", "!"]
CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}
TIME = {"name": "get_time", "id": "call_mine"}
OPENING = {"role": "assistant", "content": "", "refusal": None}


def stream(body: dict[str, Any] | None = None, **params: Any) -> list[Any]:
    return [data for _, data in events(ask("openai-chat", {**BODY, "stream": True, **(body or {})}, **params))]


def whole(body: dict[str, Any] | None = None, **params: Any) -> Any:
    return ask("openai-chat", {**BODY, **(body or {})}, **params).json()


def deltas(chunks: list[Any]) -> list[Any]:
    assert chunks[-1] == "[DONE]"
    return [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]


def usage(said: int, *, prompt: int = 4, thought: int = 0, cached: int = 0) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def test_text() -> None:
    *chunks, done = stream(tokens=HELLO)
    first = chunks[0]
    assert re.fullmatch("chatcmpl-[0-9a-f]{29}", first["id"])
    same = {
        "id": first["id"],
        "object": "chat.completion.chunk",
        "created": first["created"],
        "model": "gpt-x",
        "service_tier": "default",
        "system_fingerprint": "fp_mockd",
    }

    def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}

    choices = [choice(OPENING), choice({"content": "Hello"}), choice({"content": "!"}), choice({}, "stop")]
    assert chunks == [{**same, "choices": [one]} for one in choices]
    assert done == "[DONE]"


def test_text_in_one_piece() -> None:
    answer = whole(tokens=HELLO)
    message = {"role": "assistant", "content": "Hello!", "refusal": None, "annotations": []}
    assert answer == {
        "id": answer["id"],
        "object": "chat.completion",
        "created": answer["created"],
        "model": "gpt-x",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": usage(2),
        "service_tier": "default",
        "system_fingerprint": "fp_mockd",
    }


def test_one_call_opens_together_with_the_message() -> None:
    got = deltas(stream(toolCalls=[CALL], argumentChunk=9))
    start = got[0]["tool_calls"][0]
    assert re.fullmatch("call_[0-9a-f]{24}", start["id"])
    function = {"name": "get_weather", "arguments": ""}
    opening = {"role": "assistant", "content": None, "refusal": None}
    fragments = ['{"city":"', 'Paris"}']
    assert got == [
        {**opening, "tool_calls": [{"index": 0, "id": start["id"], "type": "function", "function": function}]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": fragment}}]} for fragment in fragments),
        {},
    ]


@pytest.mark.parametrize(
    ("said", "opening"),
    [
        ({}, {**OPENING, "content": None}),
        ({"tokens": HELLO}, OPENING),
        ({"reasoning": "Hm"}, {**OPENING, "content": None}),
    ],
    ids=["calls", "text", "thought"],
)
def test_calls_come_after_what_is_said(said: dict[str, Any], opening: dict[str, Any]) -> None:
    calls = [CALL, TIME] if not said else [CALL]
    got = deltas(stream(toolCalls=calls, **said))
    assert got[0] == opening
    started = [call for delta in got for call in delta.get("tool_calls", ()) if "id" in call]
    assert [call["index"] for call in started] == list(range(len(calls)))
    assert [call["function"]["name"] for call in started] == [call["name"] for call in calls]
    assert started[-1]["id"] == "call_mine" or len(calls) == 1


def test_a_call_in_one_piece() -> None:
    [choice] = whole(toolCalls=[CALL, TIME])["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    first, second = choice["message"]["tool_calls"]
    assert first["function"] == {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    assert second == {"id": "call_mine", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}


def test_thoughts() -> None:
    got = deltas(stream(reasoning="I think", tokens=HELLO))
    assert got[1:3] == [{"reasoning_content": "I"}, {"reasoning_content": " think"}]
    answer = whole(reasoning="I think", tokens=HELLO)
    assert answer["choices"][0]["message"]["reasoning_content"] == "I think"
    assert answer["usage"] == usage(4, thought=2)


def test_refusal() -> None:
    got = deltas(stream(refusal="No way"))
    assert got == [{**OPENING, "content": None}, {"refusal": "No"}, {"refusal": " way"}, {}]
    message = whole(refusal="No way")["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "No way")


def test_citations() -> None:
    cited = {"url": "https://example.com", "title": "E", "text": "!"}
    place = {"start_index": 5, "end_index": 6, "url": "https://example.com", "title": "E"}
    annotation = {"type": "url_citation", "url_citation": place}
    assert deltas(stream(tokens=HELLO, citations=[cited]))[3] == {"annotations": [annotation]}
    assert whole(tokens=HELLO, citations=[cited])["choices"][0]["message"]["annotations"] == [annotation]


def test_usage_on_request() -> None:
    *chunks, last, done = stream({"stream_options": {"include_usage": True}}, tokens=HELLO)
    assert [chunk["usage"] for chunk in chunks] == [None] * 4
    assert (last["choices"], last["usage"], done) == ([], usage(2), "[DONE]")
    given = {"inputTokens": 7, "outputTokens": 9, "reasoningTokens": 3, "cachedTokens": 5}
    assert whole(tokens=HELLO, usage=given)["usage"] == usage(9, prompt=7, thought=3, cached=5)


def test_choices() -> None:
    chunks = stream({"n": 2, "stream_options": {"include_usage": True}}, tokens=HELLO)
    told = [(choice["index"], choice["delta"].get("content")) for chunk in chunks[:-1] for choice in chunk["choices"]]
    assert told == [(0, ""), (1, ""), (0, "Hello"), (1, "Hello"), (0, "!"), (1, "!"), (0, None), (1, None)]
    assert all(len(chunk["choices"]) <= 1 for chunk in chunks[:-1])
    assert chunks[-2]["usage"] == usage(4)
    answer = whole({"n": 3}, tokens=HELLO)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert answer["usage"] == usage(6)


@pytest.mark.parametrize("choices", [0, -1, "2", True, None, 1.5])
def test_choices_that_are_no_number(choices: Any) -> None:
    assert len(whole({"n": choices}, tokens=HELLO)["choices"]) == 1


def test_logprobs() -> None:
    chunks = stream({"logprobs": True, "top_logprobs": 2}, tokens=HELLO)
    found = [chunk["choices"][0]["logprobs"] for chunk in chunks[:-1]]
    assert (found[0], found[-1]) == (None, None)
    [hello] = found[1]["content"]
    assert (hello["token"], hello["bytes"]) == ("Hello", list(b"Hello"))
    assert hello["top_logprobs"][0]["token"] == "Hello"
    assert len({top["token"] for top in hello["top_logprobs"]}) == 2
    assert all(top["logprob"] <= hello["logprob"] for top in hello["top_logprobs"])
    assert found[1]["refusal"] is None
    [choice] = whole({"logprobs": True}, tokens=HELLO)["choices"]
    assert [one["token"] for one in choice["logprobs"]["content"]] == HELLO
    assert choice["logprobs"]["content"][0]["top_logprobs"] == []
    [choice] = whole({"logprobs": True}, refusal="No")["choices"]
    assert choice["logprobs"]["content"] is None
    assert [one["token"] for one in choice["logprobs"]["refusal"]] == ["No"]
    calls = stream({"logprobs": True}, toolCalls=[CALL])
    assert {chunk["choices"][0]["logprobs"] for chunk in calls[:-1]} == {None}


def test_obfuscation_on_request() -> None:
    chunks = stream({"stream_options": {"include_obfuscation": True}}, tokens=HELLO)[:-1]
    assert all(re.fullmatch("[0-9a-zA-Z]{1,16}", chunk["obfuscation"]) for chunk in chunks)
    assert all("obfuscation" not in chunk for chunk in stream(tokens=HELLO)[:-1])


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter", "function_call"])
def test_finish_reasons(reason: str) -> None:
    assert stream(tokens=HELLO, finishReason=reason)[-2]["choices"][0]["finish_reason"] == reason
    assert whole(tokens=HELLO, finishReason=reason)["choices"][0]["finish_reason"] == reason


def test_headers() -> None:
    for body in (BODY, {**BODY, "stream": True}):
        headers = ask("openai-chat", body, tokens=HELLO).headers
        assert re.fullmatch("req_[0-9a-f]{32}", headers["x-request-id"])
        assert headers["openai-version"] == "2020-10-01"
        assert headers["x-ratelimit-reset-requests"] == "6ms"
    assert headers["content-type"] == "text/event-stream; charset=utf-8"


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "type_", "code"),
    [
        (400, "invalid_request_error", None),
        (401, "invalid_request_error", "invalid_api_key"),
        (404, "invalid_request_error", "model_not_found"),
        (418, "invalid_request_error", None),
        (429, "requests", "rate_limit_exceeded"),
        (500, "server_error", None),
        (503, "service_unavailable_error", "server_is_overloaded"),
        (599, "server_error", None),
    ],
)
def test_http_errors(status: int, type_: str, code: str | None) -> None:
    answer = ask("openai-chat", BODY, error={"status": status, "message": "No"})
    assert answer.status_code == status
    assert answer.json() == {"error": {"message": "No", "type": type_, "param": None, "code": code}}
    assert "retry-after" not in answer.headers
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("word", "type_", "code", "status"),
    [
        ("insufficient_quota", "insufficient_quota", "insufficient_quota", 429),
        ("context_length_exceeded", "invalid_request_error", "context_length_exceeded", 400),
        ("my_own", "my_own", None, 500),
    ],
)
def test_errors_by_their_word(word: str, type_: str, code: str | None, status: int) -> None:
    """Without a status of its own, one that is not in a stream has that of its word."""
    body = {"error": {"message": "No", "type": type_, "param": None, "code": code}}
    *_, last = stream(tokens=HELLO, error={"type": word, "message": "No"})
    assert last == body
    answer = ask("openai-chat", BODY, tokens=HELLO, error={"type": word, "message": "No"})
    assert (answer.status_code, answer.json()) == (status, body)


@pytest.mark.parametrize(
    ("after", "heard"), [(0, [""]), (1, ["", "Hello"]), (2, ["", "Hello", "!"]), (9, ["", "Hello", "!"])]
)
def test_an_error_in_the_stream_comes_before_its_end(after: int, heard: list[str]) -> None:
    *chunks, last = stream(tokens=HELLO, error={"message": "No", "afterTokens": after})
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == heard
    assert last["error"]["message"] == "No"


def test_an_error_where_nothing_is_said() -> None:
    chunks = stream(tokens=[], error={"message": "No"})
    assert ["error" in chunk for chunk in chunks] == [False, True]


def complaint(body: Any) -> Any:
    answer = ask("openai-chat", body, strict=True, tokens=HELLO)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    return error


def test_what_the_service_refuses() -> None:
    assert "We could not parse the JSON body" in complaint(b"{")["message"]
    assert "We could not parse the JSON body" in complaint([])["message"]
    without_model = complaint({"messages": BODY["messages"]})
    assert (without_model["message"], without_model["param"]) == ("you must provide a model parameter", None)
    without_messages = complaint({"model": "x"})
    assert without_messages["message"] == "Missing required parameter: 'messages'."
    assert (without_messages["param"], without_messages["code"]) == ("messages", "missing_required_parameter")
    assert complaint({"model": "x", "messages": []})["code"] == "empty_array"
    assert ask("openai-chat", BODY, strict=True, tokens=HELLO).status_code == 200
    assert ask("openai-chat", {}, tokens=HELLO).status_code == 200


# -- what a request asks for -------------------------------------------------------------------------------------------


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    said = whole({"response_format": form})["choices"][0]["message"]["content"]
    assert re.fullmatch(r'\{"a":-?\d+\}', said)
    assert whole({"response_format": {"type": "json_object"}})["choices"][0]["message"]["content"] == "{}"
    assert whole({"response_format": form}, text="Mine")["choices"][0]["message"]["content"] == "Mine"
    for other in ({"type": "text"}, "json", {"type": "json_schema"}, {"type": "json_schema", "json_schema": 1}):
        assert whole({"response_format": other})["choices"][0]["message"]["content"].startswith("Hello!")


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[1]", b'"text"'])
def test_a_body_that_is_no_object_gets_the_stream(body: bytes) -> None:
    answer = ask("openai-chat", body, tokens=HELLO)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert deltas([data for _, data in events(answer)])[1] == {"content": "Hello"}


@pytest.mark.parametrize(
    "body",
    [
        {"stream": True, "stream_options": 1, "n": [], "logprobs": "yes", "messages": {"a": 1}, "model": 5},
        {"stream": True, "messages": [1, None, {"role": 5, "content": {"a": []}}], "response_format": []},
    ],
)
def test_bodies_of_the_wrong_types(body: dict[str, Any]) -> None:
    chunks = [data for _, data in events(ask("openai-chat", body, tokens=HELLO))]
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks[:-1]] == ["", "Hello", "!", None]
    assert chunks[0]["model"] == "gpt-4-mock"


# -- parameters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"tokens": ["a"], "text": "a"}, ()),
        ({"finishReason": "done"}, ("finishReason",)),
        ({"includeDone": "yes"}, ("includeDone",)),
        ({"argumentChunk": 0}, ("argumentChunk",)),
        ({"toolCalls": [{"name": "a", "arguments": "text"}]}, ("toolCalls", 0, "arguments")),
        ({"usage": {"inputTokens": -1}}, ("usage", "inputTokens")),
        ({"script": [{"reply": {"tokens": 1}}]}, ("script", 0, "reply", "tokens")),
    ],
)
def test_bad_parameters(params: dict[str, Any], path: tuple[str | int, ...]) -> None:
    config = {"matcher": {"path": "/"}, "sse": {"template": "openai-chat", "templateParams": params}}
    with pytest.raises(ConfigError) as caught:
        build_source(parts_of(parse_mock(config, root=None).mock)[0].config, None)
    assert caught.value.problems[0].path == ("sse", "templateParams", *path)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_the_key_of_reasoning(key: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    params = {"reasoning": "I think", "text": "so", "reasoningKey": key}
    deltas = [
        data["choices"][0]["delta"]
        for _, data in events(ask("openai-chat", {**body, "stream": True}, **params))
        if isinstance(data, dict)
    ]
    keys = [set(delta) & {"reasoning", "reasoning_content"} for delta in deltas]
    assert [names for names in keys if names] == [{key}, {key}]
    message = ask("openai-chat", body, **params).json()["choices"][0]["message"]
    assert message[key] == "I think"
    assert len({"reasoning", "reasoning_content"} & message.keys()) == 1
