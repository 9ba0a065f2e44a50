"""Tools for which no valid arguments can be made: they break a chat only if one of them must be called."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from mockd.testing import running_mockd
from tests.presets.asking import MESSAGES, PATHS, WITH_TOOLS, Serve, asked, post, texts, tools

CONTRADICTORY: dict[str, Any] = {"type": "object", "properties": {"a": False}, "required": ["a"]}
EXPENSIVE: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "string"}, "minItems": 999_999}},
    "required": ["a"],
}
NESTED: dict[str, Any] = {"$ref": "#"}
IMPOSSIBLE = {"contradictory": CONTRADICTORY, "expensive": EXPENSIVE, "endless": NESTED}
FORCED: dict[str, dict[str, Any]] = {
    "openai-chat": {"tool_choice": "required"},
    "azure-openai": {"tool_choice": "required"},
    "openai-responses": {"tool_choice": "required"},
    "anthropic-messages": {"tool_choice": {"type": "any"}},
    "anthropic-vertex": {"tool_choice": {"type": "any"}},
    "gemini": {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
    "mistral-chat": {"tool_choice": "any"},
    "cohere-chat": {"tool_choice": "REQUIRED"},
}


def declared(template: str, schema: dict[str, Any], *others: str) -> dict[str, Any]:
    """A tool `bad` with a schema, and other tools after it."""
    found = tools(template, "bad", *others)
    return {"tools": _with(found["tools"], schema)}


def _with(value: Any, schema: dict[str, Any]) -> Any:
    """The same declarations, with another schema for the tool `bad`."""
    if isinstance(value, list):
        return [_with(item, schema) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("name") == "bad":
        key = "input_schema" if "input_schema" in value else "parameters"
        return {**value, key: schema}
    return {key: _with(item, schema) for key, item in value.items()}


@pytest.mark.parametrize("template", WITH_TOOLS)
@pytest.mark.parametrize("kind", IMPOSSIBLE)
@pytest.mark.parametrize("said", [{}, {"preset_text": "It rains."}], ids=["echo", "a text"])
@pytest.mark.parametrize("stream", [False, True])
def test_one_that_is_offered(serve: Serve, template: str, kind: str, said: dict[str, str], stream: bool) -> None:
    """The model says what it would say without the tool."""
    url = serve(auto_tools=True, **said)
    answer = post(url, template, stream=stream, **declared(template, IMPOSSIBLE[kind])).text
    assert ("rains" if said else "hello") in answer
    assert '"bad"' not in answer.partition('"tools":')[0]


@pytest.mark.parametrize("template", WITH_TOOLS)
def test_others_beside_it_are_called(serve: Serve, template: str) -> None:
    url = serve(auto_tools=True)
    answer = post(url, template, stream=False, **declared(template, CONTRADICTORY, "look", "listen")).text
    called = answer if template == "ag-ui" else answer.partition('"tools":')[0]
    assert '"look"' in called
    assert '"listen"' in called
    assert '"bad"' not in called


@pytest.mark.parametrize("template", FORCED)
def test_another_is_called_if_any_must_be(serve: Serve, template: str) -> None:
    answer = post(serve(), template, stream=False, **declared(template, CONTRADICTORY, "look"), **FORCED[template])
    assert '"look"' in answer.text.partition('"tools":')[0]


@pytest.mark.parametrize("auto_tools", [False, True])
@pytest.mark.parametrize("template", FORCED)
def test_it_must_be_called(serve: Serve, template: str, auto_tools: bool) -> None:
    path = PATHS[template].replace("{model}", "m")
    body = asked(template, stream=False, **declared(template, CONTRADICTORY), **FORCED[template])
    answer = httpx2.post(serve(auto_tools=auto_tools) + path, json=body)
    assert answer.status_code == 400
    assert any("mockd can make no value that is valid against the JSON schema" in text for text in texts(answer.json()))


def test_one_call_is_made_if_any_must_be_though_all_are_offered(serve: Serve) -> None:
    more = {**tools("openai-chat", "look", "listen"), "tool_choice": "required"}
    message = post(serve(auto_tools=True), "openai-chat", stream=False, **more).json()["choices"][0]["message"]
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["look"]


def test_another_is_called_again_rather_than_it(serve: Serve) -> None:
    called = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    results = [{"role": "assistant", "tool_calls": [called]}, {"role": "tool", "tool_call_id": "c", "content": "rain"}]
    more = {**declared("openai-chat", CONTRADICTORY, "look"), "tool_choice": "required"}
    assert '"look"' in post(serve(), "openai-chat", stream=False, **more, messages=[*MESSAGES, *results]).text


def test_a_refusal_stands_though_tools_are_offered() -> None:
    params = {"refusal": "No.", "obey": True, "autoTools": True}
    mock = {"matcher": {"path": "/chat"}, "sse": {"template": "openai-chat", "templateParams": params}}
    with running_mockd(mock) as mockd:
        body = asked("openai-chat", stream=False, **tools("openai-chat", "look"))
        message = httpx2.post(mockd.url + "/chat", json=body).json()["choices"][0]["message"]
    assert (message["refusal"], message.get("tool_calls")) == ("No.", None)
