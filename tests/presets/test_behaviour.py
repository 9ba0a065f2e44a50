"""The preset does as a request asks, on every wire: tools, limits, JSON, reasoning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import pytest

from mockd.testing import running_mockd
from tests.presets.asking import (
    MESSAGES,
    PATHS,
    SAID,
    SCHEMA,
    WITH_TOOLS,
    Serve,
    ask,
    asked,
    post,
    texts,
    tools,
)

Calls = list[tuple[str, dict[str, Any]]]

CHATS = ("openai-chat", "azure-openai", "mistral-chat", "mistral-fim", "cohere-chat", "ollama-chat")
"""Those whose messages have calls in OpenAI's form, with arguments as text or as an object."""


def calls(template: str, answer: Any) -> Calls:
    """The calls of an answer in one piece, or of a stream of a UI."""
    if template in CHATS:
        message = answer["message"] if "message" in answer else answer["choices"][0]["message"]
        functions = [call["function"] for call in message.get("tool_calls") or ()]
        return [(one["name"], _object(one["arguments"])) for one in functions]
    if template == "openai-responses":
        items = (item for item in answer["output"] if item["type"] == "function_call")
        return [(item["name"], json.loads(item["arguments"])) for item in items]
    if template in ("anthropic-messages", "anthropic-vertex"):
        return [(block["name"], block["input"]) for block in answer["content"] if block["type"] == "tool_use"]
    if template == "gemini":
        parts = answer["candidates"][0]["content"]["parts"]
        return [
            (part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part
        ]
    if template == "vercel-ui":
        return [(part["toolName"], part["input"]) for part in answer if part["type"] == "tool-input-available"]
    names = {event["toolCallId"]: event["toolCallName"] for event in answer if event["type"] == "TOOL_CALL_START"}
    deltas = [event for event in answer if event["type"] == "TOOL_CALL_ARGS"]
    whole = {id: "".join(event["delta"] for event in deltas if event["toolCallId"] == id) for id in names}
    return [(name, json.loads(whole[id])) for id, name in names.items()]


def _object(arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(arguments) if isinstance(arguments, str) else arguments
    return found


def said(template: str, answer: Any) -> str:
    """The text of an answer."""
    if template in CHATS:
        message = answer["message"] if "message" in answer else answer["choices"][0]["message"]
        content = message.get("content") or ""
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    match template:
        case "openai-responses":
            return "".join(text for item in answer["output"] for text in texts_of(item.get("content"), "text"))
        case "anthropic-messages" | "anthropic-vertex":
            return "".join(texts_of(answer["content"], "text"))
        case "gemini":
            parts = answer["candidates"][0]["content"]["parts"]
            return "".join(texts_of([part for part in parts if "thought" not in part], "text"))
        case "openai-completions":
            return "".join(texts_of(answer["choices"], "text"))
        case "ollama-generate" | "cohere-chat-v1":
            text: str = answer["response" if template == "ollama-generate" else "text"]
            return text
    kind = {"vercel-ui": "text-delta", "ag-ui": "TEXT_MESSAGE_CONTENT"}[template]
    return "".join(event["delta"] for event in answer if event["type"] == kind)


def texts_of(parts: Any, key: str) -> list[str]:
    return [part[key] for part in parts or () if key in part]


# -- forced calls ------------------------------------------------------------------------------------------------------

FORCED: list[tuple[str, dict[str, Any]]] = [
    *((name, {"tool_choice": "required"}) for name in ("openai-chat", "azure-openai", "openai-responses")),
    ("openai-chat", {"tool_choice": {"type": "function", "function": {"name": "look"}}}),
    ("openai-responses", {"tool_choice": {"type": "function", "name": "look"}}),
    ("anthropic-messages", {"tool_choice": {"type": "any"}}),
    ("anthropic-messages", {"tool_choice": {"type": "tool", "name": "look"}}),
    ("gemini", {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
    ("gemini", {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}}}),
    ("mistral-chat", {"tool_choice": "any"}),
    ("cohere-chat", {"tool_choice": "REQUIRED"}),
]
NAMED = [(template, choice) for template, choice in FORCED if "look" in json.dumps(choice)]
TEXT = {"reply": {"text": "Only this."}}
WEATHER = {"reply": {"toolCalls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}}
ENDS = {
    "openai-chat": '"finish_reason":"tool_calls"',
    "azure-openai": '"finish_reason":"tool_calls"',
    "openai-responses": '"status":"completed"',
    "anthropic-messages": '"stop_reason":"tool_use"',
    "gemini": '"finishReason":"STOP"',
    "mistral-chat": '"finish_reason":"tool_calls"',
    "cohere-chat": '"finish_reason":"TOOL_CALL"',
}


@pytest.mark.parametrize(("template", "choice"), FORCED)
@pytest.mark.parametrize("script", [(), (TEXT,)], ids=["echo", "a text"])
def test_a_forced_call(serve: Serve, template: str, choice: dict[str, Any], script: tuple[Any, ...]) -> None:
    url = serve(*script)
    answer = ask(url, template, **tools(template, "look"), **choice)
    [(name, arguments)] = calls(template, answer)
    assert name == "look"
    jsonschema.validate(arguments, SCHEMA)
    assert said(template, answer) == ""
    assert ENDS[template] in json.dumps(answer, separators=(",", ":"))
    stream = post(url, template, stream=True, **tools(template, "look"), **choice).text
    assert "look" in stream
    assert SAID not in stream
    assert ENDS[template] in stream


@pytest.mark.parametrize(("template", "choice"), FORCED)
def test_a_forced_call_that_a_later_rule_has(serve: Serve, template: str, choice: dict[str, Any]) -> None:
    own = {"reply": {"toolCalls": [{"name": "look", "arguments": {"city": "Berlin"}}]}}
    answer = ask(serve(TEXT, WEATHER, own), template, **tools(template, "look"), **choice)
    assert calls(template, answer) == [("look", {"city": "Berlin"})]


@pytest.mark.parametrize(("template", "choice"), NAMED)
def test_a_call_of_the_named_one_of_several(serve: Serve, template: str, choice: dict[str, Any]) -> None:
    answer = ask(serve(), template, **tools(template, "listen", "look"), **choice)
    assert [name for name, _ in calls(template, answer)] == ["look"]


def test_forced_calls_one_after_the_other(serve: Serve) -> None:
    """As agents ask that must call a tool for their result too."""
    called = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    results = [{"role": "assistant", "tool_calls": [called]}, {"role": "tool", "tool_call_id": "c", "content": "rain"}]
    more = {**tools("openai-chat", "look", "final_result"), "tool_choice": "required"}
    assert [name for name, _ in calls("openai-chat", ask(serve(), "openai-chat", **more))] == ["look"]
    answer = ask(serve(), "openai-chat", **more, messages=[*MESSAGES, *results])
    assert [name for name, _ in calls("openai-chat", answer)] == ["final_result"]


def test_a_call_of_an_unknown_tool(serve: Serve) -> None:
    """As a model makes it by mistake."""
    answer = ask(serve(WEATHER), "openai-chat", **tools("openai-chat", "look"))
    assert [name for name, _ in calls("openai-chat", answer)] == ["get_weather"]


# -- calls that must not be --------------------------------------------------------------------------------------------

FORBIDDEN: list[tuple[str, dict[str, Any]]] = [
    *((name, {**tools(name, "get_weather"), "tool_choice": "none"}) for name in ("openai-chat", "openai-responses")),
    ("mistral-chat", {**tools("mistral-chat", "get_weather"), "tool_choice": "none"}),
    ("cohere-chat", {**tools("cohere-chat", "get_weather"), "tool_choice": "NONE"}),
    ("anthropic-messages", {**tools("anthropic-messages", "get_weather"), "tool_choice": {"type": "none"}}),
    (
        "gemini",
        {**tools("gemini", "get_weather"), "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
    ),
    *((name, {}) for name in WITH_TOOLS if name != "ag-ui"),
]


@pytest.mark.parametrize(("template", "more"), FORBIDDEN)
def test_no_call_without_tools(serve: Serve, template: str, more: dict[str, Any]) -> None:
    both = {"reply": {**WEATHER["reply"], "text": "Let me look.", "finishReason": "tool_calls"}}
    answer = ask(serve(both), template, **more)
    assert (calls(template, answer), said(template, answer)) == ([], "Let me look.")
    assert {"tool_calls", "tool_use", "TOOL_CALL"}.isdisjoint(texts(answer))
    answer = ask(serve(WEATHER, TEXT), template, **more)
    assert (calls(template, answer), said(template, answer)) == ([], "Only this.")
    answer = ask(serve(WEATHER), template, **more)
    assert (calls(template, answer), said(template, answer)) == ([], SAID)


@pytest.mark.parametrize("template", ["vercel-ui", "ag-ui"])
def test_agents_have_tools_of_their_own(serve: Serve, template: str) -> None:
    assert calls(template, ask(serve(WEATHER), template)) == [("get_weather", {"city": "Paris"})]


ONE_AT_A_TIME: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("openai-chat", "openai-responses", "mistral-chat"), {"parallel_tool_calls": False}),  # noqa: RUF024
    "anthropic-messages": {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
}


@pytest.mark.parametrize("template", ONE_AT_A_TIME)
def test_one_call_at_a_time(serve: Serve, template: str) -> None:
    two = {"reply": {"toolCalls": [{"name": "look"}, {"name": "listen"}]}}
    declared = tools(template, "look", "listen")
    assert [name for name, _ in calls(template, ask(serve(two), template, **declared))] == ["look", "listen"]
    found = calls(template, ask(serve(two), template, **declared, **ONE_AT_A_TIME[template]))
    assert [name for name, _ in found] == ["look"]
    found = calls(template, ask(serve(auto_tools=True), template, **declared, **ONE_AT_A_TIME[template]))
    assert [name for name, _ in found] == ["look"]


# -- tools that are offered --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", WITH_TOOLS)
def test_offered_tools_are_called_once(serve: Serve, template: str) -> None:
    declared = tools(template, "look", "listen")
    for url in (serve(auto_tools=True), serve(auto_tools=True, preset_text="It rains.")):
        found = calls(template, ask(url, template, **declared))
        assert [name for name, _ in found] == ["look", "listen"]
        for _, arguments in found:
            jsonschema.validate(arguments, SCHEMA)
    assert calls(template, ask(serve(), template, **declared)) == []


def test_offered_tools_are_not_called_again(serve: Serve) -> None:
    called = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    results = [{"role": "assistant", "tool_calls": [called]}, {"role": "tool", "tool_call_id": "c", "content": "rain"}]
    url = serve(auto_tools=True, preset_text="It rains.")
    answer = ask(url, "openai-chat", **tools("openai-chat", "look"), messages=[*MESSAGES, *results])
    assert (calls("openai-chat", answer), said("openai-chat", answer)) == ([], "It rains.")
    answer = ask(url, "openai-chat", **tools("openai-chat", "look"), messages=[*MESSAGES, *results, *MESSAGES])
    assert [name for name, _ in calls("openai-chat", answer)] == ["look"]


def test_a_script_comes_before_offered_tools(serve: Serve) -> None:
    answer = ask(serve(TEXT, auto_tools=True), "openai-chat", **tools("openai-chat", "look"))
    assert said("openai-chat", answer) == "Only this."


def test_several_candidates_in_digits(serve: Serve) -> None:
    """As protobuf's JSON may have numbers."""
    for number in (2, "2"):
        assert len(ask(serve(), "gemini", generationConfig={"candidateCount": number})["candidates"]) == 2


# -- limits ------------------------------------------------------------------------------------------------------------

LIMITED: list[tuple[str, dict[str, Any], str]] = [
    ("openai-chat", {"max_tokens": 2}, '"finish_reason":"length"'),
    ("openai-chat", {"max_completion_tokens": 2}, '"finish_reason":"length"'),
    ("azure-openai", {"max_tokens": 2}, '"finish_reason":"length"'),
    ("openai-responses", {"max_output_tokens": 2}, '"incomplete_details":{"reason":"max_output_tokens"}'),
    ("anthropic-messages", {"max_tokens": 2}, '"stop_reason":"max_tokens"'),
    ("gemini", {"generationConfig": {"maxOutputTokens": 2}}, '"finishReason":"MAX_TOKENS"'),
    ("gemini", {"generationConfig": {"maxOutputTokens": "2"}}, '"finishReason":"MAX_TOKENS"'),
    ("gemini", {"generation_config": {"max_output_tokens": 2.0}}, '"finishReason":"MAX_TOKENS"'),
    ("anthropic-vertex", {"max_tokens": 2}, '"stop_reason":"max_tokens"'),
    ("mistral-chat", {"max_tokens": 2}, '"finish_reason":"length"'),
    ("cohere-chat", {"max_tokens": 2}, '"finish_reason":"MAX_TOKENS"'),
    ("ollama-chat", {"options": {"num_predict": 2}}, '"done_reason":"length"'),
    ("ollama-generate", {"options": {"num_predict": 2}}, '"done_reason":"length"'),
]
COUNTED = {
    **dict.fromkeys(("openai-chat", "azure-openai", "mistral-chat"), '"completion_tokens":2'),
    **dict.fromkeys(("openai-responses", "anthropic-messages", "anthropic-vertex", "cohere-chat"), '"output_tokens":2'),
    **dict.fromkeys(("ollama-chat", "ollama-generate"), '"eval_count":2'),
    "gemini": '"candidatesTokenCount":2',
}
USAGE = {"openai-chat": {"stream_options": {"include_usage": True}}}
USAGE["azure-openai"] = USAGE["openai-chat"]


@pytest.mark.parametrize(("template", "limit", "word"), LIMITED)
def test_at_most_so_many_tokens(serve: Serve, template: str, limit: dict[str, Any], word: str) -> None:
    """A token is a word with the space before it."""
    answer = ask(serve(), template, **limit)
    whole = json.dumps(answer, separators=(",", ":"))
    stream = post(serve(), template, stream=True, **limit, **USAGE.get(template, {})).text
    assert said(template, answer) == "Say hello"
    assert word in whole
    assert word in stream
    assert COUNTED[template] in whole
    assert COUNTED[template] in stream
    assert '" to"' not in stream


@pytest.mark.parametrize(("template", "limit", "word"), LIMITED)
def test_a_reply_that_is_as_long_as_it_may_be(serve: Serve, template: str, limit: dict[str, Any], word: str) -> None:
    answer = ask(serve({"reply": {"text": "Two words"}}), template, **limit)
    assert said(template, answer) == "Two words"
    assert word not in json.dumps(answer, separators=(",", ":"))


WITH_ZERO: list[tuple[str, dict[str, Any], str, str]] = [
    # 0 is a limit for those whose documentation allows it, and none for those to whom it says nothing
    ("openai-completions", {"max_tokens": 0}, "", '"finish_reason":"length"'),
    ("mistral-chat", {"max_tokens": 0}, "", '"finish_reason":"length"'),
    ("mistral-fim", {"max_tokens": 0}, "", '"finish_reason":"length"'),
    ("cohere-chat", {"max_tokens": 0}, SAID, '"finish_reason":"COMPLETE"'),
    ("cohere-chat-v1", {"max_tokens": 0}, SAID, '"finish_reason":"COMPLETE"'),
    *(
        (template, {"options": {"num_predict": limit}}, SAID, '"done_reason":"stop"')
        for template in ("ollama-chat", "ollama-generate")
        for limit in (0, -1, -2)
    ),
]


@pytest.mark.parametrize(("template", "limit", "text", "word"), WITH_ZERO)
def test_a_limit_of_0(serve: Serve, template: str, limit: dict[str, Any], text: str, word: str) -> None:
    answer = ask(serve(), template, **limit)
    assert said(template, answer) == text
    assert word in json.dumps(answer, separators=(",", ":"))
    stream = post(serve(), template, stream=True, **limit).text
    assert word in stream
    assert (" hello" in stream) == bool(text)


def test_reasoning_counts_before_the_text(serve: Serve) -> None:
    thinking = {"reply": {"reasoning": "One two three.", "text": "Four five."}}
    message = ask(serve(thinking), "openai-chat", max_tokens=4)["choices"][0]
    assert (message["message"]["reasoning_content"], message["message"]["content"]) == ("One two three.", "Four")
    message = ask(serve(thinking), "openai-chat", max_tokens=2)["choices"][0]
    assert (message["message"]["reasoning_content"], message["finish_reason"]) == ("One two", "length")


def test_a_call_for_which_there_are_no_tokens(serve: Serve) -> None:
    both = {"reply": {**WEATHER["reply"], "text": "Let me look."}}
    answer = ask(serve(both), "openai-chat", **tools("openai-chat", "get_weather"), max_tokens=3)
    assert (calls("openai-chat", answer), answer["choices"][0]["finish_reason"]) == ([], "length")
    answer = ask(serve(both), "openai-chat", **tools("openai-chat", "get_weather"), max_tokens=4)
    assert (calls("openai-chat", answer), answer["choices"][0]["finish_reason"]) == (
        [("get_weather", {"city": "Paris"})],
        "tool_calls",
    )


def test_a_refusal_is_cut_too(serve: Serve) -> None:
    answer = ask(serve({"reply": {"refusal": "I will not."}}), "openai-chat", max_tokens=2)["choices"][0]
    assert (answer["message"]["refusal"], answer["finish_reason"]) == ("I will", "length")


STOPPED: list[tuple[str, dict[str, Any], str]] = [
    ("openai-chat", {"stop": [" me", "o t"]}, '"finish_reason":"stop"'),
    ("openai-chat", {"stop": "o t"}, '"finish_reason":"stop"'),
    ("azure-openai", {"stop": ["o t"]}, '"finish_reason":"stop"'),
    ("anthropic-messages", {"stop_sequences": [" me", "o t"]}, '"stop_reason":"stop_sequence","stop_sequence":"o t"'),
    ("gemini", {"generationConfig": {"stopSequences": ["o t"]}}, '"finishReason":"STOP"'),
    ("mistral-chat", {"stop": ["o t"]}, '"finish_reason":"stop"'),
    ("cohere-chat", {"stop_sequences": ["o t"]}, '"finish_reason":"STOP_SEQUENCE"'),
    ("ollama-chat", {"options": {"stop": ["o t"]}}, '"done_reason":"stop"'),
    ("ollama-generate", {"options": {"stop": ["o t"]}}, '"done_reason":"stop"'),
]


@pytest.mark.parametrize(("template", "stops", "word"), STOPPED)
def test_a_text_at_which_the_reply_ends(serve: Serve, template: str, stops: dict[str, Any], word: str) -> None:
    answer = ask(serve(), template, **stops)
    stream = post(serve(), template, stream=True, **stops, **USAGE.get(template, {})).text
    assert said(template, answer) == "Say hell"
    assert word in json.dumps(answer, separators=(",", ":"))
    assert word in stream
    assert COUNTED[template] in json.dumps(answer, separators=(",", ":"))
    assert COUNTED[template] in stream
    assert '" to"' not in stream


def test_a_stop_text_that_is_not_reached(serve: Serve) -> None:
    answer = ask(serve(), "anthropic-messages", stop_sequences=["to"], max_tokens=1)
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("max_tokens", None)
    answer = ask(serve(), "anthropic-messages", stop_sequences=["never"])
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("end_turn", None)


def test_what_comes_after_a_stop_text_is_left_out(serve: Serve) -> None:
    both = {"reply": {**WEATHER["reply"], "text": "Let me look."}}
    answer = ask(serve(both), "openai-chat", **tools("openai-chat", "get_weather"), stop="look")
    assert (calls("openai-chat", answer), said("openai-chat", answer)) == ([], "Let me ")
    assert answer["choices"][0]["finish_reason"] == "stop"


# -- text that must be JSON --------------------------------------------------------------------------------------------

DEMANDED: list[tuple[str, dict[str, Any]]] = [
    ("openai-chat", {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}),
    ("azure-openai", {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}),
    ("mistral-chat", {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}),
    ("openai-responses", {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}}),
    ("anthropic-messages", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
    ("gemini", {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}}),
    ("gemini", {"generationConfig": {"responseMimeType": "application/json", "responseSchema": SCHEMA}}),
    ("cohere-chat", {"response_format": {"type": "json_object", "json_schema": SCHEMA}}),
    ("ollama-chat", {"format": SCHEMA}),
    ("ollama-generate", {"format": SCHEMA}),
]
ANY_JSON: list[tuple[str, dict[str, Any]]] = [
    ("openai-chat", {"response_format": {"type": "json_object"}}),
    ("openai-responses", {"text": {"format": {"type": "json_object"}}}),
    ("mistral-chat", {"response_format": {"type": "json_object"}}),
    ("gemini", {"generationConfig": {"responseMimeType": "application/json"}}),
    ("cohere-chat", {"response_format": {"type": "json_object"}}),
    ("ollama-chat", {"format": "json"}),
    ("ollama-generate", {"format": "json"}),
]
VALID = {"reply": {"text": '{"city": "Berlin", "days": 7}'}}
INVALID = {"reply": {"text": '{"city": "Berlin", "days": 2}'}}


@pytest.mark.parametrize(("template", "form"), DEMANDED)
def test_a_text_is_valid_or_another_is_said(serve: Serve, template: str, form: dict[str, Any]) -> None:
    assert said(template, ask(serve(TEXT, INVALID, VALID), template, **form)) == VALID["reply"]["text"]
    for url in (serve(TEXT, INVALID), serve(preset_text="Only this.")):
        jsonschema.validate(json.loads(said(template, ask(url, template, **form))), SCHEMA)


@pytest.mark.parametrize(("template", "form"), ANY_JSON)
def test_a_text_is_json_or_another_is_said(serve: Serve, template: str, form: dict[str, Any]) -> None:
    listed = {"reply": {"tokens": ["[", "1]"]}}
    assert said(template, ask(serve(TEXT, listed, INVALID), template, **form)) == INVALID["reply"]["text"]
    assert isinstance(json.loads(said(template, ask(serve(TEXT), template, **form))), dict)


def test_a_word(serve: Serve) -> None:
    form = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["rain", "sun"]}}
    assert said("gemini", ask(serve(TEXT), "gemini", generationConfig=form)) == "rain"
    assert said("gemini", ask(serve(TEXT, {"reply": {"text": "sun"}}), "gemini", generationConfig=form)) == "sun"


def test_calls_and_refusals_need_not_be_json(serve: Serve) -> None:
    form = DEMANDED[0][1]
    answer = ask(serve(WEATHER), "openai-chat", **form, **tools("openai-chat", "get_weather"))
    assert [name for name, _ in calls("openai-chat", answer)] == ["get_weather"]
    forced = {**tools("openai-chat", "look"), "tool_choice": "required"}
    answer = ask(serve({"reply": {"refusal": "No."}}), "openai-chat", **form, **forced)
    assert answer["choices"][0]["message"]["refusal"] == "No."


def test_an_error_holds_whatever_is_said_after_it(serve: Serve) -> None:
    failing = {"reply": {"text": "Now it works.", "error": {"status": 429, "times": 1}}}
    url = serve(failing, preset_text="Not reached.")
    body = asked("openai-chat", stream=False, **DEMANDED[0][1])
    first, second = (httpx2.post(url + PATHS["openai-chat"], json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (429, 200)
    jsonschema.validate(json.loads(said("openai-chat", second.json())), SCHEMA)


# -- reasoning ---------------------------------------------------------------------------------------------------------

THINKING: list[tuple[str, dict[str, Any]]] = [
    ("openai-chat", {"reasoning": {"effort": "low"}}),
    ("openai-responses", {"reasoning": {"effort": "low", "summary": "auto"}}),
    ("anthropic-messages", {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}),
    ("gemini", {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}),
    ("mistral-chat", {"reasoning_effort": "high"}),
    ("cohere-chat", {"thinking": {"type": "enabled"}}),
    ("ollama-chat", {"think": True}),
    ("ollama-generate", {"think": True}),
]


@pytest.mark.parametrize(("template", "more"), THINKING)
def test_reasoning_if_it_is_asked_for(serve: Serve, template: str, more: dict[str, Any]) -> None:
    assert "Let me think." in texts(ask(serve(), template, **more))
    assert "Let me think." not in texts(ask(serve(), template))
    written = {"reply": {"reasoning": "Hmm.", "text": "Yes."}}
    for asking in (more, {}):
        found = texts(ask(serve(written), template, **asking))
        assert "Hmm." in found
        assert "Let me think." not in found
    assert "Let" in post(serve(), template, stream=True, **more).text


# -- a mock of one's own -----------------------------------------------------------------------------------------------


def test_a_mock_says_what_was_written_for_it() -> None:
    mock = {"matcher": {"path": "/chat"}, "sse": {"template": "openai-chat", "templateParams": {"text": "Only this."}}}
    with running_mockd(mock) as mockd:
        body = asked("openai-chat", stream=False, **tools("openai-chat", "look"), tool_choice="required", max_tokens=1)
        answer = httpx2.post(mockd.url + "/chat", json=body).json()
    assert (said("openai-chat", answer), answer["choices"][0]["finish_reason"]) == ("Only this.", "stop")


def test_offered_tools_need_a_mock_that_obeys(tmp_path: Path) -> None:
    mock = {"matcher": {"path": "/"}, "sse": {"template": "openai-chat", "templateParams": {"autoTools": True}}}
    with pytest.raises(Exception, match="`autoTools` goes with `obey`"), running_mockd(mock):
        pass
