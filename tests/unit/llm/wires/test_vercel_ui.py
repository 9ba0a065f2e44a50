"""`vercel-ui`: its parts and its errors, key by key."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest

from mockd.errors import ConfigError, format_path
from tests.unit.llm.asking import ask, events

say = partial(ask, "vercel-ui")

HELLO = ["Hello", "!"]
LOOK = {"name": "look", "arguments": {"at": "it"}, "id": "mine"}


def message(role: str, *parts: dict[str, Any], id: str = "asked") -> dict[str, Any]:
    return {"id": id, "role": role, "parts": list(parts)}


ASKED = message("user", {"type": "text", "text": "Say hello to me"})
BODY = {"id": "chat-1", "trigger": "submit-message", "messages": [ASKED]}


def parts(body: Any = BODY, **params: Any) -> list[dict[str, Any]]:
    """The parts of a stream, after its beginning, which is checked here, and before its end."""
    (kind, start), step, *between = events(say(body, **params))
    assert kind is None
    assert start["type"] == "start"
    assert re.fullmatch(r"msg-[0-9a-f]{16}", start["messageId"])
    assert step == (None, {"type": "start-step"})
    assert {kind for kind, _ in between} == {None}
    return [data for _, data in between]


def text(kind: str, tokens: list[str]) -> list[dict[str, Any]]:
    id = f"{kind}-0"
    deltas = [{"type": f"{kind}-delta", "id": id, "delta": token} for token in tokens]
    return [{"type": f"{kind}-start", "id": id}, *deltas, {"type": f"{kind}-end", "id": id}]


def end(reason: str) -> list[Any]:
    return [{"type": "finish-step"}, {"type": "finish", "finishReason": reason}, "[DONE]"]


def said(body: Any, **params: Any) -> str:
    told = parts(body, **params)[:-1]
    return "".join(part["delta"] for part in told if part["type"] == "text-delta")


def test_text() -> None:
    response = say(BODY, tokens=HELLO)
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert response.headers["x-accel-buffering"] == "no"
    assert parts(tokens=HELLO) == [*text("text", HELLO), *end("stop")]


def test_everything_at_once() -> None:
    citations = [{"url": "http://a", "title": "A"}, {"url": "http://b"}]
    calls = [LOOK, {"name": "wait"}]
    got = parts(reasoning="Well then", tokens=HELLO, citations=citations, toolCalls=calls, argumentChunk=6)
    made_up = got[-4]["toolCallId"]
    assert re.fullmatch(r"call_[0-9a-f]{24}", made_up)
    assert got == [
        *text("reasoning", ["Well", " then"]),
        *text("text", HELLO),
        {"type": "source-url", "sourceId": "source-0", "url": "http://a", "title": "A"},
        {"type": "source-url", "sourceId": "source-1", "url": "http://b"},
        {"type": "tool-input-start", "toolCallId": "mine", "toolName": "look"},
        {"type": "tool-input-delta", "toolCallId": "mine", "inputTextDelta": '{"at":'},
        {"type": "tool-input-delta", "toolCallId": "mine", "inputTextDelta": '"it"}'},
        {"type": "tool-input-available", "toolCallId": "mine", "toolName": "look", "input": {"at": "it"}},
        {"type": "tool-input-start", "toolCallId": made_up, "toolName": "wait"},
        {"type": "tool-input-delta", "toolCallId": made_up, "inputTextDelta": "{}"},
        {"type": "tool-input-available", "toolCallId": made_up, "toolName": "wait", "input": {}},
        *end("tool-calls"),
    ]


@pytest.mark.parametrize(
    ("reason", "word"),
    {"stop": "stop", "length": "length", "tool_calls": "tool-calls", "content_filter": "content-filter"}.items(),
)
def test_finish_reason(reason: str, word: str) -> None:
    assert parts(tokens=HELLO, finishReason=reason)[-3:] == end(word)


def test_it_streams_whatever_is_asked() -> None:
    for body in (BODY | {"stream": False}, {}, b"not json"):
        assert parts(body, tokens=HELLO) == [*text("text", HELLO), *end("stop")]


def test_a_message_of_the_assistant_is_continued() -> None:
    result = {"type": "tool-look", "toolCallId": "mine", "state": "output-available", "output": 1}
    body = BODY | {"messages": [ASKED, message("assistant", result, id='its "id"')]}
    assert events(say(body))[0][1] == {"type": "start", "messageId": 'its "id"'}


def test_replies_follow_the_messages() -> None:
    assert said(BODY, echo=True) == "Say hello to me"
    script = [
        {"when": {"toolResult": True}, "reply": {"text": "I see."}},
        {"when": {"turn": 2}, "reply": {"text": "Again."}},
        {"when": {"contains": "hello"}, "reply": {"toolCalls": [LOOK]}},
    ]
    assert parts(BODY, script=script)[-3:] == end("tool-calls")
    result = {"type": "tool-look", "toolCallId": "mine", "state": "output-available", "output": 1}
    looked = [ASKED, message("assistant", result, id="msg-0123456789abcdef")]
    assert said({"messages": looked}, script=script) == "I see."
    assert said({"messages": [*looked, ASKED]}, script=script) == "Again."


def test_http_error() -> None:
    response = say(BODY, error={"status": 429, "message": "Slow down.", "retryAfter": 0.2})
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert response.json() == {"error": "Slow down."}
    assert "x-vercel-ai-ui-message-stream" not in response.headers


def test_error_in_the_stream() -> None:
    assert parts(tokens=HELLO, error={"message": "It broke.", "afterTokens": 1}) == [
        *text("text", HELLO[:1])[:-1],
        {"type": "error", "errorText": "It broke."},
        *end("error"),
    ]


def test_strict() -> None:
    for body, message in ((b"{", "the request body is not JSON"), ({"messages": []}, "messages is required")):
        response = say(body, strict=True)
        assert (response.status_code, json.loads(response.text)) == (400, {"error": message})
    assert parts(BODY, strict=True, tokens=HELLO) == [*text("text", HELLO), *end("stop")]


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"refusal": "No."}, "refusal"),
        ({"usage": {"inputTokens": 1}}, "usage"),
        ({"model": "any"}, "model"),
        ({"error": {"type": "overloaded"}}, "error.type"),
    ],
)
def test_what_the_wire_has_nothing_for(params: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        say(BODY, **params)
    [problem] = caught.value.problems
    assert format_path(problem.path) == f"$.sse.templateParams.{place}"
