"""Custom tools on OpenAI's wires, which get a text in place of arguments: any text, or one that a grammar describes."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest

from mockd.testing import running_mockd
from tests.presets.asking import PATHS, Serve, ask, asked, payloads, post, tools

WIRES = ("openai-chat", "azure-openai", "openai-responses")
CHATS = ("openai-chat", "azure-openai")
PATCH = 'start: "*** Begin Patch" LF line+ "*** End Patch" LF?\nline: "+" /(.*)/ LF\n%import common.LF'
FORMS: dict[str, tuple[dict[str, Any] | None, str]] = {
    "any text": (None, "text"),
    "plain text": ({"type": "text"}, "text"),
    "a pattern": ({"type": "grammar", "syntax": "regex", "definition": r"[0-9]+ (am|pm)"}, r"[0-9]+ (am|pm)"),
    "rules": (
        {"type": "grammar", "syntax": "lark", "definition": PATCH},
        r"\*\*\* Begin Patch\n\+.*\n\*\*\* End Patch\n?",
    ),
}
"""The forms of an input, as Responses have them, and what an input matches."""
Calls = list[tuple[str, str, str]]
"""The kind of each call, its tool, and what that gets."""


def custom(template: str, name: str = "note", form: dict[str, Any] | None = None) -> dict[str, Any]:
    """A tool as a request declares it."""
    if template == "openai-responses":
        return {"type": "custom", "name": name, **({} if form is None else {"format": form})}
    if form is not None and form["type"] == "grammar":
        form = {"type": "grammar", "grammar": {name: value for name, value in form.items() if name != "type"}}
    return {"type": "custom", "custom": {"name": name, **({} if form is None else {"format": form})}}


def named(template: str, name: str = "note") -> dict[str, Any]:
    return {"type": "custom", "name": name} if template == "openai-responses" else custom(template, name)


def only(template: str, name: str = "note") -> dict[str, Any]:
    allowed = {"mode": "required", "tools": [named(template, name)]}
    if template == "openai-responses":
        return {"type": "allowed_tools", **allowed}
    return {"type": "allowed_tools", "allowed_tools": allowed}


def calls(template: str, answer: Any) -> Calls:
    """The calls of an answer in one piece."""
    if template in CHATS:
        return [_of_chat(call) for call in answer["choices"][0]["message"].get("tool_calls") or ()]
    kinds = {"custom_tool_call": ("custom", "input"), "function_call": ("function", "arguments")}
    return [
        (kinds[item["type"]][0], item["name"], item[kinds[item["type"]][1]])
        for item in answer["output"]
        if item["type"] in kinds
    ]


def _of_chat(call: dict[str, Any]) -> tuple[str, str, str]:
    kind = call["type"]
    return kind, call[kind]["name"], call[kind]["input" if kind == "custom" else "arguments"]


def streamed(template: str, stream: str) -> Calls:
    """The calls of a stream, put together from their fragments."""
    return _streamed_chat(payloads(stream)) if template in CHATS else _streamed_responses(payloads(stream))


def _streamed_chat(chunks: list[Any]) -> Calls:
    whole: dict[int, tuple[str, str, str]] = {}
    for chunk in chunks:
        for piece in chunk["choices"][0]["delta"].get("tool_calls", ()) if chunk["choices"] else ():
            kind, name, given = whole.get(piece["index"]) or (piece["type"], piece[piece["type"]]["name"], "")
            whole[piece["index"]] = kind, name, given + piece[kind]["input" if kind == "custom" else "arguments"]
    return list(whole.values())


def _streamed_responses(events: list[Any]) -> Calls:
    items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    for item in items:
        if item["type"] == "custom_tool_call":
            of_item = [event for event in events if event.get("item_id") == item["id"]]
            *deltas, done = of_item
            assert {event["type"] for event in deltas} <= {"response.custom_tool_call_input.delta"}
            assert done["type"] == "response.custom_tool_call_input.done"
            assert "".join(event["delta"] for event in deltas) == done["input"] == item["input"]
    assert [item["type"] for item in events[-1]["response"]["output"]] == [item["type"] for item in items]
    return calls("openai-responses", {"output": items})


def both(url: str, template: str, **more: Any) -> Calls:
    """The calls of the answer, which are the same in a stream."""
    whole = calls(template, ask(url, template, **more))
    assert streamed(template, post(url, template, stream=True, **more).text) == whole
    return whole


# -- calls that are made for a request ---------------------------------------------------------------------------------


@pytest.mark.parametrize("template", WIRES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("choice", ["required", named, only], ids=["any", "named", "allowed"])
@pytest.mark.parametrize("script", [(), ({"reply": {"text": "Only this."}},)], ids=["echo", "a text"])
def test_a_forced_call(serve: Serve, template: str, form: str, choice: Any, script: tuple[Any, ...]) -> None:
    given, pattern = FORMS[form]
    chosen = choice if isinstance(choice, str) else choice(template)
    [(kind, name, text)] = both(
        serve(*script), template, tools=[custom(template, form=given)], tool_choice=chosen, parallel_tool_calls=True
    )
    assert (kind, name) == ("custom", "note")
    assert re.fullmatch(pattern, text), text


@pytest.mark.parametrize("template", WIRES)
def test_the_end_is_that_of_calls(serve: Serve, template: str) -> None:
    more = {"tools": [custom(template)], "tool_choice": "required"}
    ends = json.dumps(ask(serve(), template, **more)) + post(serve(), template, stream=True, **more).text
    word = '"status":"completed"' if template == "openai-responses" else '"finish_reason":"tool_calls"'
    assert ends.replace(": ", ":").count(word) >= 2


@pytest.mark.parametrize("template", WIRES)
def test_offered_tools_of_both_kinds_are_called_once(serve: Serve, template: str) -> None:
    declared = [custom(template), *tools(template, "look")["tools"]]
    found = both(serve(auto_tools=True), template, tools=declared)
    assert [(kind, name) for kind, name, _ in found] == [("custom", "note"), ("function", "look")]
    assert both(serve(), template, tools=declared) == []
    assert both(serve(auto_tools=True), template, tools=declared, tool_choice="none") == []


@pytest.mark.parametrize("template", WIRES)
def test_what_mockd_cannot_make(serve: Serve, template: str) -> None:
    form = {"type": "grammar", "syntax": "lark", "definition": 'start: start "x"'}
    more = {"tools": [custom(template, form=form)], "tool_choice": "required"}
    answer = httpx2.post(serve() + PATHS[template].format(model="m"), json=asked(template, stream=False, **more))
    assert answer.status_code == 400
    assert "mockd can make no text that is valid against the grammar" in answer.json()["error"]["message"]


# -- calls that a script has -------------------------------------------------------------------------------------------

NOTED = {"reply": {"toolCalls": [{"name": "note", "input": "It rains.\nBring a coat."}]}}
SCRIPTED: list[tuple[dict[str, Any], str]] = [
    ({"input": "It rains."}, "It rains."),
    ({"input": ""}, ""),
    ({"arguments": {"input": "It rains."}}, "It rains."),
    ({"arguments": {"a": 1}}, '{"a":1}'),
    ({"arguments": {"input": "It rains.", "a": 1}}, '{"input":"It rains.","a":1}'),
    ({}, ""),
]


@pytest.mark.parametrize("template", WIRES)
@pytest.mark.parametrize(("given", "text"), SCRIPTED)
def test_a_scripted_call(serve: Serve, template: str, given: dict[str, Any], text: str) -> None:
    url = serve({"reply": {"toolCalls": [{"name": "note", **given}]}})
    assert both(url, template, tools=[custom(template)]) == [("custom", "note", text)]


@pytest.mark.parametrize("template", WIRES)
def test_a_tool_that_is_no_custom_one_gets_an_argument(serve: Serve, template: str) -> None:
    [(kind, name, arguments)] = both(serve(NOTED), template, **tools(template, "note"))
    assert (kind, name, json.loads(arguments)) == ("function", "note", {"input": "It rains.\nBring a coat."})


def test_providers_without_custom_tools_have_an_argument_too(serve: Serve) -> None:
    answer = ask(serve(NOTED), "anthropic-messages", **tools("anthropic-messages", "note"))
    [block] = answer["content"]
    assert block["input"] == {"input": "It rains.\nBring a coat."}


def test_a_mock_of_ones_own_calls_what_is_written() -> None:
    params = {"toolCalls": [{"name": "note", "input": "It rains."}], "argumentChunk": 4}
    mock = {"matcher": {"path": "/chat"}, "sse": {"template": "openai-chat", "templateParams": params}}
    with running_mockd(mock) as mockd:
        stream = httpx2.post(mockd.url + "/chat", json=asked("openai-chat", stream=True)).text
    assert streamed("openai-chat", stream) == [("custom", "note", "It rains.")]
    assert '{"input":"It r"}' in stream


def test_a_call_has_arguments_or_an_input() -> None:
    params = {"toolCalls": [{"name": "note", "input": "a", "arguments": {"b": 1}}]}
    mock = {"matcher": {"path": "/"}, "sse": {"template": "openai-chat", "templateParams": params}}
    with pytest.raises(Exception, match="give one of `arguments` and `input`"), running_mockd(mock):
        pass


# -- results of custom tools -------------------------------------------------------------------------------------------


def _went_on(template: str) -> dict[str, Any]:
    """A conversation in which the tool was called, and its result has come."""
    if template == "openai-responses":
        call = {"type": "custom_tool_call", "call_id": "c1", "name": "note", "input": "It rains."}
        return {"input": [call, {"type": "custom_tool_call_output", "call_id": "c1", "output": "noted"}]}
    called = {"id": "c1", "type": "custom", "custom": {"name": "note", "input": "It rains."}}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None, "tool_calls": [called]}]
    return {"messages": [*messages, {"role": "tool", "tool_call_id": "c1", "content": "noted"}]}


@pytest.mark.parametrize("template", WIRES)
def test_results_are_those_of_the_tool(serve: Serve, template: str) -> None:
    script = [
        {"when": {"toolName": "note", "toolResultContains": "noted", "step": 1}, "reply": {"text": "All is noted."}},
        NOTED,
    ]
    declared = {"tools": [custom(template)]}
    assert both(serve(*script), template, **declared) == [("custom", "note", "It rains.\nBring a coat.")]
    assert "All is noted." in json.dumps(ask(serve(*script), template, **declared, **_went_on(template)))


@pytest.mark.parametrize("template", WIRES)
def test_a_tool_that_was_called_is_not_offered_again(serve: Serve, template: str) -> None:
    declared = [custom(template), custom(template, "read")]
    found = both(serve(auto_tools=True), template, tools=declared, **_went_on(template))
    assert [name for _, name, _ in found] == ["read"]
    forced = both(serve(), template, tools=declared, tool_choice="required", **_went_on(template))
    assert [name for _, name, _ in forced] == ["read"]


def test_a_stored_call_is_gone_on_from(serve: Serve) -> None:
    """The result of a call that is only in the response before, and one of a call that is not."""
    url = serve({"when": {"toolName": "note"}, "reply": {"text": "All is noted."}}, NOTED)
    more = {"tools": [custom("openai-responses")]}
    first = ask(url, "openai-responses", **more)
    [item] = first["output"]
    assert item["id"].startswith("ctc_")
    result = {"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "noted"}
    second = ask(url, "openai-responses", previous_response_id=first["id"], input=[result], **more)
    assert second["output"][0]["content"][0]["text"] == "All is noted."
    body = asked("openai-responses", stream=False, input=[{**result, "call_id": "c9"}], **more)
    refused = httpx2.post(url + PATHS["openai-responses"], json=body)
    assert refused.json()["error"]["message"] == "No tool call found for custom tool call output with call_id c9."


@pytest.mark.parametrize("template", WIRES)
def test_a_choice_of_a_custom_tool_that_is_not_declared(serve: Serve, template: str) -> None:
    body = asked(template, stream=False, tools=[custom(template)], tool_choice=named(template, "read"))
    refused = httpx2.post(serve() + PATHS[template].format(model="m"), json=body)
    assert refused.status_code == 400
    assert "tool 'read' not found in 'tools' parameter." in refused.json()["error"]["message"]
