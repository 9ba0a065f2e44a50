"""`cohere-chat`: its events, its whole answers and its errors, key by key."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest

from mockd.errors import ConfigError, format_path
from tests.unit.llm.asking import ask, events

say = partial(ask, "cohere-chat")

BODY = {"model": "command-a", "messages": [{"role": "user", "content": "Say hello to me"}]}
STREAM = BODY | {"stream": True}
HELLO = ["Hello", "!"]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DONE = (None, "[DONE]")


def stream(body: Any = STREAM, **params: Any) -> list[tuple[str | None, Any]]:
    """The events of a stream between its first one, which is checked here, and `[DONE]`."""
    (kind, start), *between, done = events(say(body, **params))
    assert UUID.fullmatch(start.pop("id"))
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    assert (kind, start) == ("message-start", {"type": "message-start", "delta": {"message": empty}})
    assert done == DONE
    return between


def event(type: str, message: Any = None, **more: Any) -> tuple[str, Any]:
    return type, {"type": type, **more, **({} if message is None else {"delta": {"message": message}})}


def block(index: int, kind: str, tokens: list[str]) -> list[tuple[str, Any]]:
    return [
        event("content-start", {"content": {"type": kind, kind: ""}}, index=index),
        *(event("content-delta", {"content": {kind: token}}, index=index) for token in tokens),
        event("content-end", index=index),
    ]


def usage(output: int, prompt: int = 4, cached: int = 0) -> dict[str, Any]:
    tokens = {"input_tokens": prompt, "output_tokens": output}
    return {"billed_units": tokens, "tokens": tokens, "cached_tokens": cached}


def end(reason: str, output: int) -> tuple[str, Any]:
    return "message-end", {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage(output)}}


def test_text() -> None:
    assert stream(tokens=HELLO) == [*block(0, "text", HELLO), end("COMPLETE", 2)]


def test_reasoning_is_a_block_before_the_text() -> None:
    assert stream(tokens=HELLO, reasoning="Well then") == [
        *block(0, "thinking", ["Well", " then"]),
        *block(1, "text", HELLO),
        end("COMPLETE", 4),
    ]


def test_reasoning_before_tools_is_their_plan() -> None:
    calls = [{"name": "look", "arguments": {"at": "it"}, "id": "mine"}, {"name": "wait for it"}]
    got = stream(reasoning="Well then", toolCalls=calls, argumentChunk=6)
    made_up = got[6][1]["delta"]["message"]["tool_calls"]["id"]
    assert re.fullmatch(r"wait_for_it_[0-9a-f]{12}", made_up)

    def start(id_: str, name: str, index: int) -> tuple[str, Any]:
        call = {"id": id_, "type": "function", "function": {"name": name, "arguments": ""}}
        return event("tool-call-start", {"tool_calls": call}, index=index)

    def fragment(text: str) -> tuple[str, Any]:
        return event("tool-call-delta", {"tool_calls": {"function": {"arguments": text}}}, index=0)

    assert got == [
        event("tool-plan-delta", {"tool_plan": "Well"}),
        event("tool-plan-delta", {"tool_plan": " then"}),
        start("mine", "look", 0),
        fragment('{"at":'),
        fragment('"it"}'),
        event("tool-call-end", index=0),
        start(made_up, "wait for it", 1),
        event("tool-call-end", index=1),
        end("TOOL_CALL", 5),
    ]


def test_citations_come_after_the_text() -> None:
    got = stream(
        text="Paris is big.", citations=[{"url": "http://a", "title": "A", "text": "big"}, {"url": "http://b"}]
    )
    first, second = (
        {
            **place,
            "content_index": 0,
            "sources": [{"type": "document", "id": document["id"], "document": document}],
            "type": "TEXT_CONTENT",
        }
        for place, document in (
            ({"start": 9, "end": 12, "text": "big"}, {"id": "doc_0", "title": "A", "url": "http://a", "text": "big"}),
            (
                {"start": 0, "end": 13, "text": "Paris is big."},
                {"id": "doc_1", "title": "", "url": "http://b", "text": "Paris is big."},
            ),
        )
    )
    assert got == [
        *block(0, "text", ["Paris", " is", " big."]),
        event("citation-start", {"citations": first}, index=0),
        event("citation-end", index=0),
        event("citation-start", {"citations": second}, index=1),
        event("citation-end", index=1),
        end("COMPLETE", 3),
    ]


def test_in_one_piece() -> None:
    response = say(BODY, tokens=HELLO, reasoning="Well then", citations=[{"url": "http://a"}])
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert UUID.fullmatch(body.pop("id"))
    [citation] = body["message"].pop("citations")
    assert citation["sources"][0]["document"]["url"] == "http://a"
    assert citation["content_index"] == 1
    assert body == {
        "message": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "Well then"}, {"type": "text", "text": "Hello!"}],
        },
        "finish_reason": "COMPLETE",
        "usage": usage(4),
    }


def test_tools_in_one_piece() -> None:
    message = say(BODY, toolCalls=[{"name": "look", "arguments": {"at": "it"}, "id": "mine"}], reasoning="Hm.").json()
    assert message["finish_reason"] == "TOOL_CALL"
    assert message["message"] == {
        "role": "assistant",
        "tool_plan": "Hm.",
        "tool_calls": [
            {"id": "mine", "type": "function", "function": {"name": "look", "arguments": '{"at":"it"}'}},
        ],
    }


def test_length() -> None:
    assert stream(tokens=HELLO, finishReason="length")[-1] == end("MAX_TOKENS", 2)


def test_usage_that_is_given() -> None:
    given = {"inputTokens": 11, "outputTokens": 22, "cachedTokens": 3}
    assert stream(tokens=HELLO, usage=given)[-1][1]["delta"]["usage"] == usage(22, 11, 3)
    assert say(BODY, tokens=HELLO, usage=given).json()["usage"] == usage(22, 11, 3)


def test_logprobs_where_the_request_asks() -> None:
    def logprobs(token: str) -> dict[str, Any]:
        return {"text": token, "token_ids": list(token.encode()), "logprobs": [-0.01] * len(token.encode())}

    deltas = stream(STREAM | {"logprobs": True}, tokens=HELLO)[1:3]
    assert [data["logprobs"] for _, data in deltas] == list(map(logprobs, HELLO))
    assert say(BODY | {"logprobs": True}, tokens=HELLO).json()["logprobs"] == list(map(logprobs, HELLO))


def test_a_schema_is_followed() -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    for key in ("json_schema", "schema"):
        asked = BODY | {"response_format": {"type": "json_object", key: schema}}
        assert type(json.loads(say(asked).json()["message"]["content"][0]["text"])["age"]) is int
    asked = BODY | {"response_format": {"type": "json_object"}}
    assert isinstance(json.loads(say(asked).json()["message"]["content"][0]["text"]), dict)
    asked = BODY | {"response_format": {"type": "text"}}
    assert say(asked, text="No.").json()["message"]["content"][0]["text"] == "No."


def test_headers() -> None:
    for body in (STREAM, BODY):
        headers = say(body).headers
        assert re.fullmatch(r"[0-9a-f]{32}", headers["x-debug-trace-id"])
        assert int(headers["x-trial-endpoint-call-remaining"]) < int(headers["x-trial-endpoint-call-limit"])
    assert say(STREAM).headers["content-type"] == "text/event-stream"


def test_http_error() -> None:
    for body in (STREAM, BODY):
        response = say(body, error={"status": 429, "message": "Slow down.", "retryAfter": 0.2})
        assert (response.status_code, response.headers["retry-after"]) == (429, "1")
        answer = response.json()
        assert UUID.fullmatch(answer.pop("id"))
        assert answer == {"message": "Slow down."}


def test_error_in_the_stream() -> None:
    delta = {"error": "It broke.", "finish_reason": "ERROR", "usage": usage(2)}
    assert stream(tokens=HELLO, error={"message": "It broke.", "afterTokens": 1}) == [
        *block(0, "text", HELLO[:1])[:-1],
        ("message-end", {"type": "message-end", "delta": delta}),
    ]


def test_strict() -> None:
    for body, message in (
        (b"{", "invalid request: the body is not valid JSON"),
        ({"messages": BODY["messages"]}, "a model parameter is required for this endpoint."),
        ({"model": "m", "messages": []}, "invalid request: messages is required"),
    ):
        response = say(body, strict=True)
        assert response.status_code == 400
        assert response.json()["message"] == message
    assert say(BODY, strict=True).status_code == 200


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"refusal": "No."}, "refusal"),
        ({"finishReason": "content_filter"}, "finishReason"),
        ({"model": "command-b"}, "model"),
        ({"error": {"type": "overloaded"}}, "error.type"),
    ],
)
def test_what_the_wire_has_nothing_for(params: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        say(BODY, **params)
    [problem] = caught.value.problems
    assert format_path(problem.path) == f"$.sse.templateParams.{place}"
