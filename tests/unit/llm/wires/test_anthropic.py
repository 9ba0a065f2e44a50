"""`anthropic-messages`: its events, its whole answers and its errors, key by key."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import httpx2
import pytest

from mockd.testing import running_mockd
from tests.unit.llm.asking import ask, events

say = partial(ask, "anthropic-messages")

BODY = {"model": "claude-x", "max_tokens": 99, "messages": [{"role": "user", "content": "Say hello to me"}]}
STREAM = BODY | {"stream": True}
HELLO = ["Hello", "!"]
CREATION = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
TIER = {"service_tier": "standard", "inference_geo": "not_available"}
PING = ("ping", {"type": "ping"})
MESSAGE_ID = re.compile(r"msg_01[0-9a-f]{22}")
REQUEST_ID = re.compile(r"req_011[0-9a-f]{21}")


def stream(body: Any = STREAM, **params: Any) -> list[tuple[str | None, Any]]:
    return events(say(body, **params))


def total(output: int) -> dict[str, int]:
    """All tokens, for a request of four words."""
    return {
        "input_tokens": 4,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
    }


def usage(output: int) -> dict[str, Any]:
    return {**total(output), "cache_creation": CREATION, **TIER}


def message(id_: str, content: list[Any], stop_reason: str | None, output: int) -> dict[str, Any]:
    return {
        "model": "claude-x",
        "id": id_,
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage(output),
    }


def opened(index: int, block: dict[str, Any]) -> tuple[str, Any]:
    return "content_block_start", {"type": "content_block_start", "index": index, "content_block": block}


def filled(index: int, kind: str, **piece: Any) -> tuple[str, Any]:
    delta = {"type": kind, **piece}
    return "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}


def closed(index: int) -> tuple[str, Any]:
    return "content_block_stop", {"type": "content_block_stop", "index": index}


def end(stop_reason: str, output: int) -> list[tuple[str, Any]]:
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return [
        ("message_delta", {"type": "message_delta", "delta": delta, "usage": total(output)}),
        ("message_stop", {"type": "message_stop"}),
    ]


def start(got: list[tuple[str | None, Any]]) -> tuple[str, Any]:
    """The first event, with the id that it has."""
    id_ = got[0][1]["message"]["id"]
    assert MESSAGE_ID.fullmatch(id_)
    return "message_start", {"type": "message_start", "message": message(id_, [], None, 1)}


def test_text() -> None:
    got = stream(tokens=HELLO)
    assert got == [
        start(got),
        opened(0, {"type": "text", "text": ""}),
        PING,
        filled(0, "text_delta", text="Hello"),
        filled(0, "text_delta", text="!"),
        closed(0),
        *end("end_turn", 2),
    ]


def test_everything_at_once() -> None:
    calls = [{"name": "look", "arguments": {"at": "it"}, "id": "toolu_mine"}, {"name": "wait"}]
    got = stream(reasoning="Well then", tokens=HELLO, toolCalls=calls, argumentChunk=6)
    proof = got[5][1]["delta"]["signature"]
    made_up = got[16][1]["content_block"]["id"]
    assert len(proof) > 20
    assert re.fullmatch(r"toolu_01[0-9a-f]{22}", made_up)
    assert got == [
        start(got),
        opened(0, {"type": "thinking", "thinking": "", "signature": ""}),
        PING,
        filled(0, "thinking_delta", thinking="Well"),
        filled(0, "thinking_delta", thinking=" then"),
        filled(0, "signature_delta", signature=proof),
        closed(0),
        opened(1, {"type": "text", "text": ""}),
        filled(1, "text_delta", text="Hello"),
        filled(1, "text_delta", text="!"),
        closed(1),
        opened(2, {"type": "tool_use", "id": "toolu_mine", "name": "look", "input": {}}),
        filled(2, "input_json_delta", partial_json=""),
        filled(2, "input_json_delta", partial_json='{"at":'),
        filled(2, "input_json_delta", partial_json='"it"}'),
        closed(2),
        opened(3, {"type": "tool_use", "id": made_up, "name": "wait", "input": {}}),
        filled(3, "input_json_delta", partial_json=""),
        closed(3),
        *end("tool_use", 7),
    ]


def test_everything_in_one_piece() -> None:
    calls = [{"name": "look", "arguments": {"at": "it"}, "id": "toolu_mine"}]
    got = say(BODY, reasoning="Well then", tokens=HELLO, toolCalls=calls, argumentChunk=6).json()
    content = [
        {"type": "thinking", "thinking": "Well then", "signature": got["content"][0]["signature"]},
        {"type": "text", "text": "Hello!"},
        {"type": "tool_use", "id": "toolu_mine", "name": "look", "input": {"at": "it"}},
    ]
    assert got == message(got["id"], content, "tool_use", 6)


def test_the_same_thoughts_have_the_same_signature() -> None:
    first, second = (say(BODY, reasoning="Well then").json()["content"][0]["signature"] for _ in range(2))
    assert first == second != say(BODY, reasoning="Well").json()["content"][0]["signature"]


def test_refusal() -> None:
    got = stream(refusal="Not that.")
    details = {
        "type": "refusal",
        "category": "cyber",
        "explanation": "Not that.",
        "recommended_model": "claude-x",
    }
    delta, stop = end("refusal", 2)
    delta[1]["delta"]["stop_details"] = details
    assert got == [start(got), PING, delta, stop]
    whole = say(BODY, refusal="Not that.").json()
    assert whole == message(whole["id"], [], "refusal", 2) | {"stop_details": details}


def test_citations_are_on_the_passage_that_they_are_for() -> None:
    citation = {"url": "https://example.com", "title": "A", "text": "b c"}
    got = stream(text="a b c d", citations=[citation])
    source = {
        "type": "web_search_result_location",
        "cited_text": "b c",
        "url": "https://example.com",
        "title": "A",
        "encrypted_index": got[6][1]["delta"]["citation"]["encrypted_index"],
    }
    assert got[1:-2] == [
        opened(0, {"type": "text", "text": ""}),
        PING,
        filled(0, "text_delta", text="a"),
        closed(0),
        opened(1, {"citations": [], "type": "text", "text": ""}),
        filled(1, "citations_delta", citation=source),
        filled(1, "text_delta", text=" b"),
        filled(1, "text_delta", text=" c"),
        closed(1),
        opened(2, {"type": "text", "text": ""}),
        filled(2, "text_delta", text=" d"),
        closed(2),
    ]
    assert say(BODY, text="a b c d", citations=[citation]).json()["content"] == [
        {"type": "text", "text": "a"},
        {"citations": [source], "type": "text", "text": " b c"},
        {"type": "text", "text": " d"},
    ]


def test_a_citation_of_everything_makes_one_block() -> None:
    content = say(BODY, text="a b", citations=[{"url": "https://a"}, {"url": "https://b"}]).json()["content"]
    assert [block["text"] for block in content] == ["a b"]
    assert [citation["url"] for citation in content[0]["citations"]] == ["https://a", "https://b"]


@pytest.mark.parametrize(
    ("reason", "word"),
    {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}.items(),
)
def test_finish_reasons(reason: str, word: str) -> None:
    assert stream(tokens=HELLO, finishReason=reason)[-2][1]["delta"]["stop_reason"] == word
    assert say(BODY, tokens=HELLO, finishReason=reason).json()["stop_reason"] == word


def test_usage_is_cumulative_and_cached_tokens_are_apart() -> None:
    given = {"inputTokens": 100, "cachedTokens": 60, "outputTokens": 7}
    got = stream(tokens=HELLO, usage=given)
    expected = {"input_tokens": 40, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 60}
    assert got[-2][1]["usage"] == {**expected, "output_tokens": 7}
    assert got[0][1]["message"]["usage"] == {**expected, "output_tokens": 1, "cache_creation": CREATION, **TIER}


def test_error_in_the_stream() -> None:
    response = say(STREAM, tokens=HELLO, error={"type": "overloaded_error", "message": "Overloaded", "afterTokens": 1})
    got = events(response)
    error = {"type": "overloaded_error", "message": "Overloaded"}
    body = {"type": "error", "error": error, "request_id": response.headers["request-id"]}
    assert response.status_code == 200
    assert got == [
        start(got),
        opened(0, {"type": "text", "text": ""}),
        PING,
        filled(0, "text_delta", text="Hello"),
        ("error", body),
    ]


ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@pytest.mark.parametrize(("status", "word"), ERRORS.items())
def test_http_errors(status: int, word: str) -> None:
    response = say(STREAM, error={"status": status, "message": "No.", "retryAfter": 1.5})
    assert response.status_code == status
    assert response.headers["retry-after"] == "2"
    assert REQUEST_ID.fullmatch(response.headers["request-id"])
    assert response.json() == {
        "type": "error",
        "error": {"type": word, "message": "No."},
        "request_id": response.headers["request-id"],
    }


def test_an_error_of_the_stream_has_its_status_where_there_is_none() -> None:
    assert say(BODY, error={"type": "overloaded_error"}).status_code == 529


def test_an_error_for_the_first_requests_only() -> None:
    params = {"tokens": HELLO, "error": {"status": 529, "times": 2}}
    mock = {"matcher": {"path": "/a"}, "sse": {"template": "anthropic-messages", "templateParams": params}}
    with running_mockd(mock) as mockd:
        assert [httpx2.post(mockd.url + "/a", json=STREAM).status_code for _ in range(4)] == [529, 529, 200, 200]


COMPLAINTS: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "The request body is not valid JSON: unexpected character: line 1 column 1 (char 0)"),
    "no model": ({"messages": BODY["messages"], "max_tokens": 9}, "model: Field required"),
    "no messages": ({"model": "a", "max_tokens": 9}, "messages: Field required"),
    "empty messages": ({"model": "a", "max_tokens": 9, "messages": []}, "messages: at least one message is required"),
    "no max_tokens": ({"model": "a", "messages": BODY["messages"]}, "max_tokens: Field required"),
}


@pytest.mark.parametrize(("body", "complaint"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_strict(body: Any, complaint: str) -> None:
    response = say(body, strict=True)
    assert response.status_code == 400
    assert response.json()["error"] == {"type": "invalid_request_error", "message": complaint}


@pytest.mark.parametrize(("body", "complaint"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_not_strict(body: Any, complaint: str) -> None:
    assert say(body).status_code == 200


def test_headers() -> None:
    for body in (STREAM, BODY):
        headers = say(body).headers
        assert REQUEST_ID.fullmatch(headers["request-id"])
        assert "x-request-id" not in headers
        for what in ("requests", "tokens", "input-tokens", "output-tokens"):
            limit, remaining, reset = (
                headers[f"anthropic-ratelimit-{what}-{name}"] for name in ("limit", "remaining", "reset")
            )
            assert int(remaining) < int(limit)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", reset)
    assert say(STREAM).headers["content-type"] == "text/event-stream; charset=utf-8"
    assert say(BODY).headers["content-type"] == "application/json"


def test_the_ping_is_written_as_the_service_writes_it() -> None:
    assert 'event: ping\ndata: {"type": "ping"}\n\n' in say(STREAM).text


def test_ids_differ_between_replies() -> None:
    assert say(BODY).json()["id"] != say(BODY).json()["id"]


SCRIPT = [
    {"when": {"toolResult": True}, "reply": {"text": "with a result"}},
    {"when": {"turn": 2}, "reply": {"text": "in the second turn"}},
    {"when": {"contains": "hello"}, "reply": {"text": "to a greeting"}},
]
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "hello"}]}
ASKED = [{"role": "user", "content": [{"type": "text", "text": "One"}]}]
ANSWERED = [{"role": "assistant", "content": "Two"}]
CONVERSATIONS = {
    "with a result": [*ASKED, *ANSWERED, {"role": "user", "content": [RESULT]}],
    "in the second turn": [*ASKED, *ANSWERED, {"role": "user", "content": "Three"}],
    "to a greeting": [{"role": "user", "content": [{"type": "text", "text": "Well, hello"}]}],
}


@pytest.mark.parametrize("reply", CONVERSATIONS)
def test_scripted_replies(reply: str) -> None:
    got = say(BODY | {"messages": CONVERSATIONS[reply]}, script=SCRIPT).json()
    assert got["content"][0]["text"] == reply


def test_echo_says_what_the_user_said_and_not_what_a_tool_did() -> None:
    messages = [*ASKED, *ANSWERED, {"role": "user", "content": [RESULT]}]
    assert say(BODY | {"messages": messages}, echo=True).json()["content"][0]["text"] == "One"


def test_the_system_prompt_and_results_count_as_input() -> None:
    messages = [*ASKED, *ANSWERED, {"role": "user", "content": [RESULT]}]
    got = say(BODY | {"system": [{"type": "text", "text": "Be nice"}], "messages": messages}).json()
    assert got["usage"]["input_tokens"] == 5


@pytest.mark.parametrize("key", ["output_config", "output_format"])
def test_structured_output(key: str) -> None:
    schema = {"type": "object", "properties": {"kind": {"const": "cat"}}, "required": ["kind"]}
    form = {"type": "json_schema", "schema": schema}
    body = BODY | ({key: {"format": form}} if key == "output_config" else {key: form})
    assert say(body).json()["content"] == [{"type": "text", "text": '{"kind":"cat"}'}]
