"""`openai-responses`: what requests ask for, and errors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.llm.asking import ask, events
from tests.unit.llm.wires.test_openai_responses import BODY, HELLO, response, stream, whole

# -- errors ------------------------------------------------------------------------------------------------------------


def test_an_error_before_anything_is_said() -> None:
    got = stream(tokens=HELLO, error={"type": "insufficient_quota", "message": "No"})
    error = {"message": "No", "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}
    failed = {"code": "insufficient_quota", "message": "No"}
    first = got[0]["response"]
    assert [event["type"] for event in got] == [
        "response.created",
        "response.in_progress",
        "error",
        "response.failed",
    ]
    assert got[2]["error"] == error
    assert got[3]["response"] == response(first, status="failed", error=failed)


def test_an_error_in_the_middle() -> None:
    got = stream(tokens=HELLO, error={"message": "No", "afterTokens": 1})
    assert [event["type"].removeprefix("response.") for event in got[2:]] == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "error",
        "failed",
    ]
    assert got[-2]["error"] == {"message": "No", "type": "server_error", "param": None, "code": "server_error"}


@pytest.mark.parametrize("params", [{"tokens": HELLO}, {"tokens": []}], ids=str)
def test_an_error_comes_before_the_end(params: dict[str, Any]) -> None:
    got = stream(**params, error={"message": "No", "afterTokens": 99})
    assert [event["type"] for event in got[-2:]] == ["error", "response.failed"]
    assert not any(event["type"].endswith("done") for event in got)


def test_an_error_as_the_types_have_it() -> None:
    error = stream(tokens=HELLO, error={"message": "No"}, errorForm="flat")[2]
    del error["sequence_number"]
    assert error == {"type": "error", "code": "server_error", "message": "No", "param": None}


def test_http_errors() -> None:
    answer = ask("openai-responses", BODY, error={"status": 429, "message": "No", "retryAfter": 2})
    error = {"message": "No", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    assert (answer.status_code, answer.json()) == (429, {"error": error})
    assert (answer.headers["retry-after"], answer.headers["retry-after-ms"]) == ("2", "2000")


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b"{", None, None),
        ({"input": "Hi"}, "model", "missing_required_parameter"),
        ({"model": "x"}, "input", "missing_required_parameter"),
        ({"model": "x", "input": []}, "input", "empty_array"),
    ],
    ids=str,
)
def test_what_the_service_refuses(body: Any, param: str | None, code: str | None) -> None:
    answer = ask("openai-responses", body, strict=True, tokens=HELLO)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error["code"]) == (param, code)


# -- what a request asks for -------------------------------------------------------------------------------------------


def text_of(answer: Any) -> str:
    return str(answer["output"][0]["content"][0]["text"])


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"type": "json_schema", "name": "it", "schema": schema}
    answer = whole({"text": {"format": form}})
    assert re.fullmatch(r'\{"a":-?\d+\}', text_of(answer))
    assert answer["text"] == {"format": form, "verbosity": "medium"}
    assert text_of(whole({"text": {"format": form}}, text="Mine")) == "Mine"
    assert text_of(whole({"text": {"format": {"type": "json_object"}}})) == "{}"
    assert text_of(whole({"text": {"format": {"type": "text"}}})).startswith("Hello!")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Hi there", "Hi there"),
        ([{"role": "user", "content": "Hi there"}], "Hi there"),
        ([{"role": "user", "content": [{"type": "input_text", "text": "Hi there"}]}], "Hi there"),
        ([{"role": "user", "content": "Hi"}, {"type": "function_call_output", "output": "5"}], "tool"),
        ([{"role": "user", "content": "Hi"}, {"type": "function_call_output", "output": [{"text": "5"}]}], "tool"),
        ([{"type": "function_call_output", "output": "5"}, {"role": "user", "content": "Hi"}], "Hi"),
    ],
    ids=str,
)
def test_the_conversation(asked: Any, said: str) -> None:
    script = [{"when": {"toolResult": True}, "reply": {"text": "tool"}}]
    assert text_of(whole({"input": asked}, echo=True, script=script)) == said


@pytest.mark.parametrize(
    "body",
    [
        {"stream": True, "input": 5, "include": "x", "text": [], "stream_options": [], "tools": 1, "metadata": 2},
        {"stream": True, "input": [1, None, {"role": 5}, {"type": "function_call_output"}], "tools": [1]},
    ],
)
def test_bodies_of_the_wrong_types(body: dict[str, Any]) -> None:
    got = [data for _, data in events(ask("openai-responses", body, tokens=HELLO))]
    assert [event["delta"] for event in got if "delta" in event] == HELLO
