"""`openai-responses`: its events, whole answers and errors, key by key."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import httpx2
import pytest

from mockd.sources.llm.wires.wire import signature
from mockd.testing import running_mockd
from tests.unit.llm.asking import ask, events

BODY: dict[str, Any] = {"model": "gpt-x", "input": "Say hello to me"}
HELLO = ["Hello", "!"]
CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}


def stream(body: dict[str, Any] | None = None, **params: Any) -> list[Any]:
    """The data of every event; it says its type and its number."""
    got = events(ask("openai-responses", {**BODY, "stream": True, **(body or {})}, **params))
    assert [(type_, data["sequence_number"]) for type_, data in got] == [
        (data["type"], number) for (_, data), number in zip(got, count(), strict=False)
    ]
    return [data for _, data in got]


def whole(body: dict[str, Any] | None = None, **params: Any) -> Any:
    return ask("openai-responses", {**BODY, **(body or {})}, **params).json()


def between(got: list[Any]) -> list[Any]:
    """The events about items, without what each has anyway."""
    for number, event in enumerate(got):
        assert event.pop("sequence_number") == number
    return got[2:-1]


def response(like: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A response object with the ids and the time of another one."""
    return {
        "id": like["id"],
        "object": "response",
        "created_at": like["created_at"],
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": "gpt-x",
        "output": [],
        "service_tier": "auto",
        "usage": None,
        "background": False,
        "frequency_penalty": 0.0,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": None,
        "metadata": {},
        **more,
    }


def usage(said: int, *, prompt: int = 4, thought: int = 0, cached: int = 0) -> dict[str, Any]:
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": prompt + said,
    }


def message(id_: str, text: str, status: str = "completed", **part: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "annotations": [], "logprobs": [], "text": text, **part}]
    return {"id": id_, "type": "message", "role": "assistant", "status": status, "content": content}


def test_text() -> None:
    got = stream(tokens=HELLO)
    first = got[0]["response"]
    id_ = got[2]["item"]["id"]
    assert re.fullmatch("resp_[0-9a-f]{50}", first["id"])
    assert re.fullmatch("msg_[0-9a-f]{50}", id_)
    at = {"item_id": id_, "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    done = response(
        first,
        status="completed",
        completed_at=first["created_at"],
        output=[message(id_, "Hello!")],
        service_tier="default",
        usage=usage(2),
    )
    opening = {**message(id_, ""), "status": "in_progress", "content": []}
    expected: list[dict[str, Any]] = [
        {"type": "response.created", "response": response(first)},
        {"type": "response.in_progress", "response": response(first)},
        {"type": "response.output_item.added", "output_index": 0, "item": opening},
        {"type": "response.content_part.added", **at, "part": part},
        {"type": "response.output_text.delta", **at, "delta": "Hello", "logprobs": []},
        {"type": "response.output_text.delta", **at, "delta": "!", "logprobs": []},
        {"type": "response.output_text.done", **at, "text": "Hello!", "logprobs": []},
        {"type": "response.content_part.done", **at, "part": {**part, "text": "Hello!"}},
        {"type": "response.output_item.done", "output_index": 0, "item": message(id_, "Hello!")},
        {"type": "response.completed", "response": done},
    ]
    assert got == [{**event, "sequence_number": number} for number, event in enumerate(expected)]


def test_text_in_one_piece() -> None:
    answer = whole(tokens=HELLO)
    assert answer == response(
        answer,
        status="completed",
        completed_at=answer["created_at"],
        output=[message(answer["output"][0]["id"], "Hello!")],
        service_tier="default",
        usage=usage(2),
    )


def test_a_call() -> None:
    got = stream(toolCalls=[CALL], argumentChunk=9)
    item = got[2]["item"]
    assert re.fullmatch("fc_[0-9a-f]{50}", item["id"])
    assert re.fullmatch("call_[0-9a-f]{24}", item["call_id"])
    at = {"item_id": item["id"], "output_index": 0}
    call = {"id": item["id"], "type": "function_call", "call_id": item["call_id"], "name": "get_weather"}
    text = '{"city":"Paris"}'
    finished = {**call, "status": "completed", "arguments": text}
    assert between(got) == [
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**call, "status": "in_progress", "arguments": ""},
        },
        {"type": "response.function_call_arguments.delta", **at, "delta": '{"city":"'},
        {"type": "response.function_call_arguments.delta", **at, "delta": 'Paris"}'},
        {"type": "response.function_call_arguments.done", **at, "arguments": text},
        {"type": "response.output_item.done", "output_index": 0, "item": finished},
    ]
    assert got[-1]["response"]["output"] == [finished]


def test_items_come_one_after_the_other() -> None:
    params = {"reasoning": "Hm", "tokens": HELLO, "toolCalls": [CALL, {"name": "now", "id": "call_mine"}]}
    got = stream(**params)
    added = [(event["output_index"], event["item"]["type"]) for event in got if event["type"].endswith("item.added")]
    assert added == [(0, "reasoning"), (1, "message"), (2, "function_call"), (3, "function_call")]
    output = got[-1]["response"]["output"]
    assert output[3]["call_id"] == "call_mine"
    assert len({item["id"] for item in output}) == 4
    assert [item["type"] for item in whole(**params)["output"]] == [type_ for _, type_ in added]


def test_thoughts() -> None:
    got = stream(reasoning="I think", tokens=HELLO)
    id_ = got[2]["item"]["id"]
    assert re.fullmatch("rs_[0-9a-f]{50}", id_)
    at = {"item_id": id_, "output_index": 0, "summary_index": 0}
    part = {"type": "summary_text", "text": "I think"}
    item = {"id": id_, "type": "reasoning"}
    assert between(got)[:7] == [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "summary": []}},
        {"type": "response.reasoning_summary_part.added", **at, "part": {**part, "text": ""}},
        {"type": "response.reasoning_summary_text.delta", **at, "delta": "I"},
        {"type": "response.reasoning_summary_text.delta", **at, "delta": " think"},
        {"type": "response.reasoning_summary_text.done", **at, "text": "I think"},
        {"type": "response.reasoning_summary_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": {**item, "summary": [part]}},
    ]
    assert got[-1]["response"]["usage"] == usage(4, thought=2)


def test_thoughts_are_signed_on_request() -> None:
    asked = {"include": ["reasoning.encrypted_content"]}
    proof = signature("I think")
    items = [event["item"] for event in stream(asked, reasoning="I think") if "item" in event]
    assert [item.get("encrypted_content") for item in items] == [proof, proof, None, None]
    assert whole(asked, reasoning="I think")["output"][0]["encrypted_content"] == proof
    assert "encrypted_content" not in whole(reasoning="I think")["output"][0]


def test_refusal() -> None:
    got = stream(refusal="No way")
    at = {"item_id": got[2]["item"]["id"], "output_index": 0, "content_index": 0}
    part = {"type": "refusal", "refusal": "No way"}
    assert between(got)[1:-1] == [
        {"type": "response.content_part.added", **at, "part": {"type": "refusal", "refusal": ""}},
        {"type": "response.refusal.delta", **at, "delta": "No"},
        {"type": "response.refusal.delta", **at, "delta": " way"},
        {"type": "response.refusal.done", **at, "refusal": "No way"},
        {"type": "response.content_part.done", **at, "part": part},
    ]
    assert whole(refusal="No way")["output"][0]["content"] == [part]


def test_citations() -> None:
    cited = {"url": "https://example.com", "title": "E", "text": "!"}
    place = {"type": "url_citation", "url": "https://example.com", "title": "E", "start_index": 5, "end_index": 6}
    got = stream(tokens=HELLO, citations=[cited])
    at = {"item_id": got[2]["item"]["id"], "output_index": 0, "content_index": 0}
    added = {"type": "response.output_text.annotation.added", **at, "annotation_index": 0, "annotation": place}
    events_ = between(got)
    assert events_[4] == added
    assert [event["part"]["annotations"] for event in events_ if "part" in event] == [[], [place]]
    assert whole(tokens=HELLO, citations=[cited])["output"][0]["content"][0]["annotations"] == [place]


@pytest.mark.parametrize(("reason", "said"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_what_is_cut_off(reason: str, said: str) -> None:
    last = stream(tokens=HELLO, finishReason=reason)[-1]
    assert last["type"] == "response.incomplete"
    for answer in (last["response"], whole(tokens=HELLO, finishReason=reason)):
        assert answer["status"] == "incomplete"
        assert answer["incomplete_details"] == {"reason": said}
        assert answer["completed_at"] is None
        assert answer["output"] == [message(answer["output"][0]["id"], "Hello!", "incomplete")]


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
def test_what_is_complete(reason: str) -> None:
    assert stream(tokens=HELLO, finishReason=reason)[-1]["type"] == "response.completed"


def test_usage() -> None:
    given = {"inputTokens": 7, "outputTokens": 9, "reasoningTokens": 3, "cachedTokens": 5}
    assert whole(tokens=HELLO, usage=given)["usage"] == usage(9, prompt=7, thought=3, cached=5)
    items = [{"role": "user", "content": [{"type": "input_text", "text": "one two"}]}]
    items += [{"type": "function_call_output", "call_id": "c", "output": "three"}]
    assert whole({"input": items, "instructions": "four five"}, tokens=HELLO)["usage"] == usage(2, prompt=5)


def test_a_response_says_what_was_asked() -> None:
    asked = {
        "instructions": "Be brief",
        "max_output_tokens": 5,
        "metadata": {"a": "b"},
        "reasoning": {"effort": "low"},
        "store": False,
        "temperature": 0,
        "text": {"verbosity": "low"},
        "tools": [
            {"type": "function", "name": "f", "parameters": {}},
            {"type": "function", "name": "g", "parameters": {}, "strict": False, "description": "G"},
            {"type": "web_search"},
        ],
        "top_logprobs": None,
        "unknown": 1,
    }
    said = {
        **{name: asked[name] for name in ("instructions", "max_output_tokens", "metadata", "store", "temperature")},
        "reasoning": {"effort": "low", "summary": None},
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tools": [
            {"description": None, "strict": True, "type": "function", "name": "f", "parameters": {}},
            {"description": "G", "strict": False, "type": "function", "name": "g", "parameters": {}},
            {"type": "web_search"},
        ],
    }
    created = stream(asked, tokens=HELLO)[0]["response"]
    assert created == response(created, **said)


def test_obfuscation_on_request() -> None:
    params = {"reasoning": "Hm", "tokens": HELLO, "toolCalls": [CALL]}
    got = stream({"stream_options": {"include_obfuscation": True}}, **params)
    padded = {event["type"] for event in got if "obfuscation" in event}
    assert padded == {event["type"] for event in got if event["type"].endswith(".delta")}
    assert len(padded) == 3
    assert not any("obfuscation" in event for event in stream(**params))


def test_logprobs_on_request() -> None:
    asked = {"include": ["message.output_text.logprobs"], "top_logprobs": 1}
    got = stream(asked, tokens=HELLO)
    deltas = [event["logprobs"] for event in got if event["type"] == "response.output_text.delta"]
    assert [[one["token"] for one in logprobs] for logprobs in deltas] == [["Hello"], ["!"]]
    assert [one["token"] for one in got[-1]["response"]["output"][0]["content"][0]["logprobs"]] == HELLO
    assert all(len(one["top_logprobs"]) == 1 for logprobs in deltas for one in logprobs)


def test_headers() -> None:
    headers = ask("openai-responses", {**BODY, "stream": True}, tokens=HELLO).headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert re.fullmatch("req_[0-9a-f]{32}", headers["x-request-id"])


@pytest.mark.parametrize(
    ("asked", "has_summary"),
    [
        ({"effort": "low"}, False),
        ({"effort": "low", "summary": None}, False),
        ({"effort": "low", "summary": "auto"}, True),
        ({"generate_summary": "concise"}, True),
        ({}, True),
        (None, True),
    ],
    ids=str,
)
def test_reasoning_has_no_summary_if_the_request_reasons_without_one(asked: Any, has_summary: bool) -> None:
    body = {"reasoning": asked, "include": ["reasoning.encrypted_content"]}
    got = between(stream(body, reasoning="I think", tokens=HELLO))
    assert any("summary" in event["type"] for event in got) is has_summary
    items = [event["item"] for event in got if event["type"] == "response.output_item.done"]
    assert [item["type"] for item in items] == ["reasoning", "message"]
    assert items[0]["summary"] == ([{"type": "summary_text", "text": "I think"}] if has_summary else [])
    assert items[0]["encrypted_content"] == signature("I think")
    output = whole(body, reasoning="I think", tokens=HELLO)["output"]
    assert output[0]["summary"] == items[0]["summary"]


def test_in_the_background_the_answer_waits_for_no_token() -> None:
    slow = {"timing": {"ttft": 60_000, "itl": 60_000}}
    mock = {
        "matcher": {"path": "/"},
        "sse": {"template": "openai-responses", "templateParams": {"text": "a b"}, **slow},
    }
    with running_mockd(mock) as mockd:
        answer = httpx2.post(mockd.url + "/", json={**BODY, "background": True}, timeout=30)
    assert answer.json()["status"] == "queued"
