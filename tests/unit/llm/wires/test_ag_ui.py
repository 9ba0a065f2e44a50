"""`ag-ui`: its events and its errors, key by key."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest

from mockd.errors import ConfigError, format_path
from tests.unit.llm.asking import ask, events

say = partial(ask, "ag-ui")

BODY = {
    "threadId": 'thread "1"',
    "runId": "run-1",
    "messages": [{"id": "asked", "role": "user", "content": "Say hello to me"}],
    "tools": [],
    "context": [],
    "state": {},
    "forwardedProps": {},
}
RUN = {"threadId": 'thread "1"', "runId": "run-1"}
HELLO = ["Hello", "!"]
LOOK = {"name": "look", "arguments": {"at": "it"}, "id": "mine"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
END = {"type": "RUN_FINISHED", **RUN}


def run(body: Any = BODY, **params: Any) -> list[dict[str, Any]]:
    """The events of a run after its first, which is checked here."""
    response = say(body, **params)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
    (kind, start), *rest = events(response)
    assert start == {"type": "RUN_STARTED", **RUN}
    assert {kind, *(kind for kind, _ in rest)} == {None}
    return [data for _, data in rest]


def text(id: str, tokens: list[str]) -> list[dict[str, Any]]:
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": id, "role": "assistant"},
        *({"type": "TEXT_MESSAGE_CONTENT", "messageId": id, "delta": token} for token in tokens),
        {"type": "TEXT_MESSAGE_END", "messageId": id},
    ]


def test_text() -> None:
    got = run(tokens=HELLO)
    assert UUID.fullmatch(got[0]["messageId"])
    assert got == [*text(got[0]["messageId"], HELLO), END]


def test_everything_at_once() -> None:
    got = run(reasoning="Well then", tokens=HELLO, toolCalls=[LOOK, {"name": "wait"}], argumentChunk=6)
    thought, message, made_up = got[0]["messageId"], got[7]["messageId"], got[-2]["toolCallId"]
    assert UUID.fullmatch(thought)
    assert UUID.fullmatch(message)
    assert thought != message
    assert re.fullmatch(r"call_[0-9a-f]{24}", made_up)
    proof = got[5]["encryptedValue"]
    assert len(proof) > 20
    assert got == [
        {"type": "REASONING_START", "messageId": thought},
        {"type": "REASONING_MESSAGE_START", "messageId": thought, "role": "reasoning"},
        {"type": "REASONING_MESSAGE_CONTENT", "messageId": thought, "delta": "Well"},
        {"type": "REASONING_MESSAGE_CONTENT", "messageId": thought, "delta": " then"},
        {"type": "REASONING_MESSAGE_END", "messageId": thought},
        {"type": "REASONING_ENCRYPTED_VALUE", "subtype": "message", "entityId": thought, "encryptedValue": proof},
        {"type": "REASONING_END", "messageId": thought},
        *text(message, HELLO),
        {"type": "TOOL_CALL_START", "toolCallId": "mine", "toolCallName": "look", "parentMessageId": message},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "mine", "delta": '{"at":'},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "mine", "delta": '"it"}'},
        {"type": "TOOL_CALL_END", "toolCallId": "mine"},
        {"type": "TOOL_CALL_START", "toolCallId": made_up, "toolCallName": "wait", "parentMessageId": message},
        {"type": "TOOL_CALL_ARGS", "toolCallId": made_up, "delta": "{}"},
        {"type": "TOOL_CALL_END", "toolCallId": made_up},
        END,
    ]


def test_clients_that_say_their_version_are_told_ours_and_the_usage() -> None:
    (_, start), *_, (_, end) = events(say(BODY | {"protocolVersion": "1.0"}, tokens=HELLO, reasoning="Hm."))
    assert start == {"type": "RUN_STARTED", **RUN, "protocolVersion": "1.0"}
    usage = {"inputTokens": 4, "outputTokens": 3, "totalTokens": 7, "reasoningTokens": 1, "cachedInputTokens": 0}
    assert end == {**END, "usage": [usage]}


def test_usage_that_is_given() -> None:
    given = {"inputTokens": 11, "outputTokens": 22, "cachedTokens": 3, "reasoningTokens": 4}
    _, end = events(say(BODY | {"protocolVersion": "1.0"}, tokens=HELLO, usage=given, model="any"))[-1]
    assert end["usage"] == [
        {
            "model": "any",
            "inputTokens": 11,
            "outputTokens": 22,
            "totalTokens": 33,
            "reasoningTokens": 4,
            "cachedInputTokens": 3,
        }
    ]


def test_empty_tokens_are_left_out() -> None:
    got = run(tokens=["", "Hello", ""])
    assert got == [*text(got[0]["messageId"], ["Hello"]), END]


def test_a_run_without_ids_gets_some() -> None:
    for body in ({"messages": []}, b"not json"):
        (_, start), *_, (_, end) = events(say(body, tokens=HELLO))
        assert UUID.fullmatch(start["threadId"])
        assert UUID.fullmatch(start["runId"])
        assert end == {**start, "type": "RUN_FINISHED"}


def test_it_streams_whatever_is_asked() -> None:
    assert run(BODY | {"stream": False}, tokens=HELLO)[-1] == END


def test_replies_follow_the_messages() -> None:
    script = [
        {"when": {"toolResult": True}, "reply": {"text": "Seen."}},
        {"when": {"contains": "hello"}, "reply": {"toolCalls": [LOOK]}},
    ]
    assert run(BODY, script=script)[-2] == {"type": "TOOL_CALL_END", "toolCallId": "mine"}
    result = {"id": "seen", "role": "tool", "toolCallId": "mine", "content": "1"}
    answered = BODY | {"messages": [*BODY["messages"], result]}  # type: ignore[misc]
    assert run(answered, script=script)[1]["delta"] == "Seen."
    assert "".join(event.get("delta", "") for event in run(BODY, echo=True)) == "Say hello to me"


def test_http_error() -> None:
    response = say(BODY, error={"status": 429, "message": "Slow down.", "retryAfter": 0.2, "type": "RATE_LIMIT"})
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert response.json() == {"message": "Slow down.", "code": "RATE_LIMIT"}


@pytest.mark.parametrize(("type", "code"), [({}, "INTERNAL_ERROR"), ({"type": "OVERLOADED"}, "OVERLOADED")])
def test_error_in_the_stream(type: dict[str, str], code: str) -> None:
    got = run(tokens=HELLO, error={"message": "It broke.", "afterTokens": 1, **type})
    message = text(got[0]["messageId"], HELLO[:1])[:-1]
    assert got == [*message, {"type": "RUN_ERROR", "message": "It broke.", "code": code}]


def test_strict() -> None:
    for body, message in (
        (b"{", "the request body is not JSON"),
        ({**BODY, "threadId": None}, "threadId is required"),
        ({**BODY, "runId": ""}, "runId is required"),
        ({**RUN}, "messages is required"),
    ):
        response = say(body, strict=True)
        assert (response.status_code, response.json()) == (400, {"message": message, "code": "BAD_REQUEST"})
    assert run(BODY, strict=True, tokens=HELLO)[-1] == END


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"refusal": "No."}, "refusal"),
        ({"citations": [{"url": "http://a"}]}, "citations"),
        ({"finishReason": "length"}, "finishReason"),
    ],
)
def test_what_the_wire_has_nothing_for(params: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        say(BODY, **params)
    [problem] = caught.value.problems
    assert format_path(problem.path) == f"$.sse.templateParams.{place}"
