"""A mock's headers win on every answer: every kind of mock and every template, streams, whole answers and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.sources.registry import SourceKind
from mockd.sources.templates import built_in
from tests.stream.harness import Exchange, Lab, words

pytestmark = pytest.mark.anyio

CHAT = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi"}],
    "contents": [{"parts": [{"text": "hi"}]}],
    "input": "hi",
    "prompt": "hi",
    "texts": ["hi"],
    "input_type": "search_document",
    "embedding_types": ["float"],
}
STREAM = "/v1beta/models/m:streamGenerateContent?alt=sse", {**CHAT, "stream": True}
WHOLE = "/v1beta/models/m:generateContent", {**CHAT, "stream": False}
ERROR = {"error": {"status": 429, "message": "slow down", "retryAfter": 2}}
STREAMS_ONLY = {"vercel-ui", "ag-ui", "notification-stream"}
OF_WHAT_IS_STORED = {"openai-stored-responses"}
"""Templates that answer with what was stored before, and have nothing here."""
NO_FIELD_NEEDED = {"openai-conversations"}

Case = tuple[str, dict[str, Any], tuple[str, Any], int, bool]
"""The part of a mock and what it says there, the request, and what comes: its status, and whether it is whole."""


def of_template(kind: SourceKind[Any]) -> Iterator[tuple[str, Case]]:
    """Every answer that a template has."""

    def case(request: tuple[str, Any], status: int, *, is_whole: bool, **params: Any) -> Case:
        said = {"template": kind.name, "templateParams": params}
        return kind.part, said, request, status, is_whole

    if kind.name in OF_WHAT_IS_STORED:
        yield "missing", case(STREAM, 404, is_whole=True)
        yield "error", case(STREAM, 429, is_whole=True, **ERROR)
        return
    if kind.part != "response":
        yield "stream", case(STREAM, 200, is_whole=False)
    if kind.name not in STREAMS_ONLY:
        yield "whole", case(WHOLE, 200, is_whole=True)
    if kind.name != "notification-stream":
        yield "error", case(STREAM, 429, is_whole=True, **ERROR)
    if kind.name not in ("notification-stream", *NO_FIELD_NEEDED):
        yield "strict", case((WHOLE[0], []), 400, is_whole=True, strict=True)


def cases() -> Iterator[tuple[str, Case]]:
    """Every kind of mock that is no template, and all templates."""
    yield "events", ("sse", {"events": words(2)}, STREAM, 200, False)
    yield "status", ("sse", {"events": words(2), "status": 500}, STREAM, 500, False)
    yield "session", ("sse", {"events": words(2), "resume": {"enabled": True}}, STREAM, 200, False)
    limited = {"eventsPerSecond": 100, "headers": True}
    yield "limited", ("sse", {"events": words(2), "rateLimit": limited}, STREAM, 200, False)
    yield "chunked", ("chunked", {"data": "abc"}, STREAM, 200, False)
    yield "filled in", ("chunked", {"data": "$uuid"}, STREAM, 200, False)
    yield "ndjson", ("chunked", {"ndjsonItems": [1, 2]}, STREAM, 200, False)
    yield "body", ("response", {"body": {"a": 1}, "status": 503}, WHOLE, 503, True)
    yield "text", ("response", {"body": "{{ request.method }} $uuid"}, WHOLE, 200, True)
    for kind in built_in():
        for answer, case in of_template(kind):
            yield f"{kind.name} {answer}", case


CASES = dict(cases())


async def ask(lab: Lab, case: Case, headers: dict[str, Any]) -> Exchange:
    part, said, (url, body), status, is_whole = case
    lab.engine.create({"id": "mock", "matcher": {"path": "/*"}, part: {**said, "headers": headers}})
    sent = {"Origin": "https://page.example", "X-Said": "said"}
    answer = await lab.open(url, method="POST", headers=sent, body=json.dumps(body).encode())
    await lab.clock.advance(60)
    assert answer.status == status
    names = {name for name, _ in all_of(answer)}
    if status != 204:
        assert (b"content-length" in names) is is_whole
    return answer


def all_of(answer: Exchange) -> list[tuple[bytes, bytes]]:
    """Every header, in order."""
    return list(answer.messages[0][1]["headers"])


def values(answer: Exchange, name: bytes) -> list[bytes]:
    return [value for found, value in all_of(answer) if found == name]


everywhere = pytest.mark.parametrize("name", CASES)


@everywhere
async def test_a_text(lab: Lab, name: str) -> None:
    answer = await ask(lab, CASES[name], {"X-A": "b", "Retry-After": "7"})
    assert (values(answer, b"x-a"), values(answer, b"retry-after")) == ([b"b"], [b"7"])


@everywhere
async def test_a_list_sends_the_header_once_for_each(lab: Lab, name: str) -> None:
    answer = await ask(lab, CASES[name], {"Set-Cookie": ["a=1", "b=2"]})
    assert values(answer, b"set-cookie") == [b"a=1", b"b=2"]


@everywhere
async def test_values_that_follow_the_request(lab: Lab, name: str) -> None:
    said = "{{ request.headers['x-said'] }}"
    answer = await ask(lab, CASES[name], {"X-A": said, "Set-Cookie": ["a=1", f"b={said}", "c=3"]})
    assert values(answer, b"x-a") == [b"said"]
    assert values(answer, b"set-cookie") == [b"a=1", b"b=said", b"c=3"]


@everywhere
@pytest.mark.parametrize("kind", ["text/x-mine", "text/x-{{ request.method }}"])
async def test_a_content_type_of_its_own(lab: Lab, name: str, kind: str) -> None:
    answer = await ask(lab, CASES[name], {"content-TYPE": kind})
    assert values(answer, b"content-type") == [b"text/x-mine" if kind == "text/x-mine" else b"text/x-POST"]


@everywhere
async def test_all_that_mockd_adds_can_be_left_out(lab: Lab, name: str) -> None:
    usual = {header for header, _ in all_of(await ask(lab, CASES[name], {}))}
    lab.engine.delete("mock")
    assert usual >= {b"content-type", b"access-control-allow-origin"}
    left_out = {header.decode().title(): {"omit": True} for header in usual - {b"content-length"}}
    answer = await ask(lab, CASES[name], left_out)
    assert {header for header, _ in all_of(answer)} <= {b"content-length"}


@everywhere
async def test_what_is_left_out_is_all_that_is(lab: Lab, name: str) -> None:
    usual = [header for header, _ in all_of(await ask(lab, CASES[name], {}))]
    lab.engine.delete("mock")
    answer = await ask(lab, CASES[name], {"Vary": {"omit": True}, "X-Never": {"omit": True}})
    assert [header for header, _ in all_of(answer)] == [header for header in usual if header != b"vary"]


async def test_the_204_of_a_stream_that_is_over(lab: Lab) -> None:
    lab.mock(events=words(1), resume={"enabled": True}, headers={"X-A": ["b", "{{ request.method }}"]})
    await lab.open()
    answer = await lab.open(headers={"Last-Event-ID": "1"})
    assert (answer.status, values(answer, b"x-a")) == (204, [b"b", b"GET"])


async def test_a_failure_of_mockd_is_no_answer_of_the_mock(lab: Lab) -> None:
    headers = {"X-A": "b", "Content-Length": "4", "Content-Type": "text/plain", "X-B": "{{ 1 + request.path }}"}
    lab.mock("response", body="four", headers=headers)
    answer = await lab.open()
    assert answer.status == 500
    assert answer.json["error"]["code"] == "source_error"
    assert values(answer, b"content-type") == [b"application/json"]
    assert values(answer, b"content-length") == [b"%d" % len(answer.body)]
    assert values(answer, b"x-a") == []
