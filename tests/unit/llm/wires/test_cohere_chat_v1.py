"""`cohere-chat-v1`: its lines, whole answers and errors, key by key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockd.sources import llm
from mockd.sources.llm.replies.params import ReplyParams
from mockd.sources.llm.requests.options import Tool
from tests.unit.llm.asking import ask

BODY: dict[str, Any] = {"message": "Say hello"}
HELLO = ["Hello", "!"]
CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}
NO_MESSAGE = "invalid request: message must be at least 1 token long or tool results must be specified."
PARAMETERS = {
    "city": {"type": "str", "required": True},
    "days": {"type": "int", "required": True},
    "tags": {"type": "List[float]", "required": True},
    "unit": {"type": "Optional[str]", "required": False},
}
TOOL = {"name": "get_weather", "description": "The weather.", "parameter_definitions": PARAMETERS}
RESULT = {"call": {"name": "get_weather", "parameters": {"city": "Paris"}}, "outputs": [{"sky": "sunny"}]}


def asked(body: dict[str, Any] | None = None, **params: Any) -> Any:
    return ask("cohere-chat-v1", {**BODY, **(body or {})}, part="chunked", **params)


def lines(body: dict[str, Any] | None = None, **params: Any) -> list[Any]:
    answer = asked({"stream": True, **(body or {})}, **params)
    assert answer.headers["content-type"] == "application/stream+json"
    got = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["is_finished"] for line in got] == [False] * (len(got) - 1) + [True]
    return got


def test_a_stream_ends_with_the_whole_answer() -> None:
    got = lines(tokens=HELLO)
    assert [line["event_type"] for line in got] == ["stream-start", *["text-generation"] * 2, "stream-end"]
    assert [line["text"] for line in got[1:3]] == HELLO
    last = got[-1]
    assert (last["finish_reason"], last["response"]["text"]) == ("COMPLETE", "Hello!")
    assert last["response"]["generation_id"] == got[0]["generation_id"]


def test_in_one_piece() -> None:
    got = asked(tokens=HELLO).json()
    assert got.pop("generation_id") != got.pop("response_id")
    tokens = {"input_tokens": 2, "output_tokens": 2}
    meta = {"api_version": {"version": "1"}, "billed_units": tokens, "tokens": tokens}
    said = [{"role": "USER", "message": "Say hello"}, {"role": "CHATBOT", "message": "Hello!"}]
    assert got == {"text": "Hello!", "chat_history": said, "finish_reason": "COMPLETE", "meta": meta}


def test_tools() -> None:
    got = lines(toolCalls=[CALL], argumentChunk=8)
    chunks = [line["tool_call_delta"] for line in got if line["event_type"] == "tool-calls-chunk"]
    assert chunks[0] == {"name": "get_weather", "index": 0}
    assert json.loads("".join(chunk["parameters"] for chunk in chunks[1:])) == CALL["arguments"]
    call = {"name": "get_weather", "parameters": {"city": "Paris"}}
    assert got[-2]["tool_calls"] == [call]
    assert got[-1]["response"]["tool_calls"] == [call]
    assert asked(toolCalls=[CALL]).json()["tool_calls"] == [call]


def test_citations() -> None:
    cited = [{"url": "https://a.example", "title": "A", "text": "you"}]
    got = lines(text="I know you", citations=cited)
    place = {"start": 7, "end": 10, "text": "you", "document_ids": ["doc_0"]}
    assert got[-2] == {"is_finished": False, "event_type": "citation-generation", "citations": [place]}
    assert got[-1]["response"]["documents"] == [{"id": "doc_0", "title": "A", "url": "https://a.example"}]


def test_who_said_what() -> None:
    history = [
        {"role": "SYSTEM", "message": "Be kind."},
        {"role": "USER", "message": "First"},
        {"role": "CHATBOT", "message": "Yes"},
    ]
    script = [{"when": {"turn": 2}, "reply": {"text": "Second turn"}}]
    got = asked({"chat_history": history, "preamble": "Be brief."}, script=script).json()
    assert got["text"] == "Second turn"
    assert got["meta"]["tokens"]["input_tokens"] == 8
    after_tool = [{"when": {"toolResult": True}, "reply": {"text": "So it is."}}]
    results = [{"call": {"name": "f", "parameters": {}}, "outputs": [{"text": "sunny"}]}]
    assert asked({"tool_results": results}, script=after_tool).json()["text"] == "So it is."
    assert asked({"tool_results": []}, script=after_tool, text="No.").json()["text"] == "No."


def test_errors() -> None:
    refused = asked({"message": ""}, strict=True)
    assert (refused.status_code, refused.json()["message"]) == (400, NO_MESSAGE)
    got = lines(tokens=HELLO, error={"message": "Broken", "afterTokens": 1})
    assert [line["event_type"] for line in got] == ["stream-start", "text-generation", "stream-end"]
    assert (got[-1]["finish_reason"], got[-1]["error"]) == ("ERROR", "Broken")


# -- what is asked of the reply ----------------------------------------------------------------------------------------


def test_limits_and_stops() -> None:
    """Version 1 has no word for a text at which a reply ends."""
    short = lines({"max_tokens": 2}, text="Say hello to me", obey=True)
    assert (short[-1]["finish_reason"], short[-1]["response"]["text"]) == ("MAX_TOKENS", "Say hello")
    assert short[-1]["response"]["meta"]["tokens"]["output_tokens"] == 2
    stopped = asked({"stop_sequences": ["o t"]}, text="Say hello to me", obey=True).json()
    assert (stopped["finish_reason"], stopped["text"]) == ("COMPLETE", "Say hell")


def test_offered_tools_are_called_with_valid_arguments() -> None:
    [call] = asked({"tools": [TOOL]}, obey=True, autoTools=True).json()["tool_calls"]
    arguments = call["parameters"]
    assert {name: type(arguments[name]) for name in ("city", "days")} == {"city": str, "days": int}
    assert all(isinstance(tag, float) for tag in arguments["tags"])


@pytest.mark.parametrize(
    ("type", "schema"),
    [
        ("str", {"type": "string"}),
        ("bool", {"type": "boolean"}),
        ("Dict[str, int]", {"type": "object"}),
        ("list[List[int]]", {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}),
        ("typing.Optional[float]", {"type": "number"}),
        ("integer", {"type": "integer"}),
        ("Fruit", {"type": "string"}),
        ("", {"type": "string"}),
        (None, {"type": "string"}),
        (5, {"type": "string"}),
    ],
)
def test_types_of_python(type: Any, schema: dict[str, Any]) -> None:
    wire = llm.wire_of("cohere-chat-v1")(ReplyParams())
    found = wire.tool_schema(Tool("f", {"a": {"type": type, "required": True}, "b": {"type": "str"}, "c": 5}))
    assert found == {"type": "object", "properties": {"a": schema, "b": {"type": "string"}}, "required": ["a"]}


@pytest.mark.parametrize("type_", ["List[" * 5000 + "]" * 5000, f"List[{'x' * 1000}]"], ids=["deep", "long"])
def test_a_tool_with_too_large_a_type_is_not_called(type_: str) -> None:
    tool = {"name": "f", "description": "d", "parameter_definitions": {"a": {"type": type_, "required": True}}}
    answer = asked({"tools": [tool, TOOL]}, obey=True, autoTools=True).json()
    assert [call["name"] for call in answer["tool_calls"]] == [TOOL["name"]]


def test_one_step_alone_is_answered_by_a_text() -> None:
    script = [{"reply": {"toolCalls": [CALL]}}]
    body = {"tools": [TOOL], "tool_results": [RESULT]}
    assert "tool_calls" in asked({"message": "", **body}, script=script, obey=True).json()
    single = asked({**body, "force_single_step": True}, script=script, obey=True, text="It is sunny.").json()
    assert (single["text"], "tool_calls" in single) == ("It is sunny.", False)
    first = asked({"tools": [TOOL], "force_single_step": True}, script=script, obey=True).json()
    assert [call["name"] for call in first["tool_calls"]] == ["get_weather"]


def test_the_history_is_sent_back_for_the_next_step() -> None:
    """As the loop over several steps in Cohere's documentation does."""
    script = [
        {"when": {"step": 0}, "reply": {"toolCalls": [CALL]}},
        {"when": {"step": 1}, "reply": {"toolCalls": [{"name": "wait", "arguments": {}}]}},
        {"when": {"step": 2, "toolResultContains": "sunny"}, "reply": {"text": "It is sunny."}},
    ]
    tools = [TOOL, {"name": "wait", "description": "Wait.", "parameter_definitions": {}}]
    got = asked({"tools": tools}, script=script, obey=True, strict=True).json()
    steps = 0
    while calls := got.get("tool_calls"):
        results = [{"call": call, "outputs": [{"sky": "sunny"}]} for call in calls]
        body = {"message": "", "tools": tools, "chat_history": got["chat_history"], "tool_results": results}
        got = asked(body, script=script, obey=True, strict=True).json()
        steps += 1
    assert (steps, got["text"]) == (2, "It is sunny.")
    roles = [message["role"] for message in got["chat_history"]]
    assert roles == ["USER", "CHATBOT", "TOOL", "CHATBOT", "TOOL", "CHATBOT"]


def test_a_history_that_is_too_long() -> None:
    answer = asked({"chat_history": [{"role": "USER", "message": "x" * 1_000_000}]})
    assert (answer.status_code, "mockd repeats no more" in answer.json()["message"]) == (400, True)
