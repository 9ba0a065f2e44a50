"""What a request asks, read from every provider's own words."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from mockd.request import RequestView
from mockd.source import SourceContext
from mockd.sources import llm
from mockd.sources.llm.choosing.asked import Asked
from mockd.sources.llm.replies.params import ReplyParams
from mockd.sources.llm.requests.ask import Ask, ToolResult, ToolUse
from mockd.sources.llm.requests.options import InputForm, Options, Tool
from tests.manual_clock import ManualClock

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "look", "description": "Look.", "parameters": SCHEMA}
FLAT = [{"type": "function", **FUNCTION}, {"type": "function", "name": "wait"}]
TOOLS = [{"type": "function", "function": FUNCTION}, {"type": "function", "function": {"name": "wait"}}]
OWN = [{"name": "look", "input_schema": SCHEMA}, {"type": "bash_20250124", "name": "bash"}]
DECLARED = (Tool("look", SCHEMA), Tool("wait", {}))
LOOK = {"type": "function", "function": {"name": "look"}}
ONLY = frozenset({"look"})


def asked(template: str, body: Any, path: str = "/") -> Asked:
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
    view = RequestView(scope, json.dumps(body).encode())
    context = SourceContext(view, {}, ManualClock(), random.Random(1))
    return Asked(llm.wire_of(template)(ReplyParams()), Ask(context))


def options(**given: Any) -> Options:
    return Options(tools=DECLARED, **given)


GRAMMAR = {"syntax": "regex", "definition": "a+"}
OF_TOOLS: list[tuple[str, dict[str, Any], Options]] = [
    ("openai-chat", {"tools": TOOLS}, options()),
    ("openai-chat", {"tools": TOOLS, "tool_choice": "auto"}, options()),
    ("openai-chat", {"tools": TOOLS, "tool_choice": "none"}, options(calling="none")),
    ("openai-chat", {"tools": TOOLS, "tool_choice": "required"}, options(calling="required")),
    ("openai-chat", {"tools": TOOLS, "tool_choice": LOOK}, options(calling="required", only=ONLY)),
    (
        "openai-chat",
        {"tools": TOOLS, "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [LOOK]}}},
        options(only=ONLY),
    ),
    (
        "openai-chat",
        {
            "tools": TOOLS,
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [LOOK]}},
        },
        options(calling="required", only=ONLY),
    ),
    ("openai-chat", {"tools": TOOLS, "parallel_tool_calls": False}, options(is_parallel=False)),
    (
        "openai-chat",
        {"functions": [FUNCTION, {"name": "wait"}], "function_call": {"name": "look"}},
        options(calling="required", only=ONLY),
    ),
    (
        "openai-chat",
        {"tools": [{"type": "custom", "custom": {"name": "own"}}], "tool_choice": "required"},
        Options(tools=(Tool("own", form=InputForm()),), calling="required"),
    ),
    (
        "openai-responses",
        {"tools": [{"type": "custom", "name": "own", "format": {**GRAMMAR, "type": "grammar"}}]},
        Options(tools=(Tool("own", form=InputForm("regex", "a+")),)),
    ),
    (
        "openai-chat",
        {"tools": [{"type": "custom", "custom": {"name": "own", "format": {"type": "grammar", "grammar": GRAMMAR}}}]},
        Options(tools=(Tool("own", form=InputForm("regex", "a+")),)),
    ),
    ("mistral-chat", {"tools": [{"type": "custom", "custom": {"name": "own"}}, *TOOLS]}, options()),
    ("azure-openai", {"tools": TOOLS, "tool_choice": "required"}, options(calling="required")),
    ("openai-responses", {"tools": FLAT, "tool_choice": "required"}, options(calling="required")),
    (
        "openai-responses",
        {"tools": FLAT, "tool_choice": {"type": "function", "name": "look"}},
        options(calling="required", only=ONLY),
    ),
    (
        "openai-responses",
        {
            "tools": FLAT,
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "look"}],
            },
        },
        options(calling="required", only=ONLY),
    ),
    (
        "openai-responses",
        {"tools": [*FLAT, {"type": "web_search"}], "tool_choice": {"type": "web_search"}},
        options(has_others=True),
    ),
    ("openai-responses", {"tools": FLAT, "parallel_tool_calls": False}, options(is_parallel=False)),
    ("mistral-chat", {"tools": TOOLS, "tool_choice": "any"}, options(calling="required")),
    ("mistral-chat", {"tools": TOOLS, "tool_choice": LOOK}, options(calling="required", only=ONLY)),
    ("mistral-chat", {"tools": TOOLS, "parallel_tool_calls": False}, options(is_parallel=False)),
    ("cohere-chat", {"tools": TOOLS, "tool_choice": "REQUIRED"}, options(calling="required")),
    ("cohere-chat", {"tools": TOOLS, "tool_choice": "NONE"}, options(calling="none")),
    ("ollama-chat", {"tools": TOOLS}, options()),
    ("ag-ui", {"tools": [FUNCTION, {"name": "wait"}]}, options(has_others=True)),
    ("vercel-ui", {"tools": TOOLS}, Options(has_others=True)),
    ("gemini", {"tools": [{"functionDeclarations": [FUNCTION, {"name": "wait"}]}]}, options()),
    (
        "gemini",
        {"tools": {"function_declarations": [{"name": "look", "parametersJsonSchema": SCHEMA}, {"name": "wait"}]}},
        options(),
    ),
    *(
        (
            "gemini",
            {
                "tools": [{"functionDeclarations": [FUNCTION, {"name": "wait"}]}],
                "toolConfig": {"functionCallingConfig": calling},
            },
            expected,
        )
        for calling, expected in (
            ({"mode": "AUTO"}, options()),
            ({"mode": "VALIDATED"}, options()),
            ({"mode": "NONE"}, options(calling="none")),
            ({"mode": "ANY"}, options(calling="required")),
            ({"mode": "ANY", "allowedFunctionNames": ["look"]}, options(calling="required", only=ONLY)),
        )
    ),
    *(
        (
            "anthropic-messages",
            {"tools": OWN, "tool_choice": choice},
            Options(tools=(Tool("look", SCHEMA), Tool("bash")), **expected),
        )
        for choice, expected in (
            ({"type": "auto"}, {}),
            ({"type": "auto", "disable_parallel_tool_use": True}, {"is_parallel": False}),
            ({"type": "none"}, {"calling": "none"}),
            ({"type": "any"}, {"calling": "required"}),
            ({"type": "tool", "name": "look"}, {"calling": "required", "only": ONLY}),
        )
    ),
    ("anthropic-messages", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, Options()),
]


@pytest.mark.parametrize(("template", "body", "expected"), OF_TOOLS)
def test_tools(template: str, body: dict[str, Any], expected: Options) -> None:
    assert asked(template, body).options == expected


LIMITED = Options(max_tokens=5, stops=("x", "y"))
THINKING = Options(thinks=True)
OF_TEXT: list[tuple[str, dict[str, Any], Options]] = [
    ("openai-chat", {}, Options()),
    ("openai-chat", {"max_tokens": 5, "stop": ["x", "y"]}, LIMITED),
    ("openai-chat", {"max_completion_tokens": 5, "max_tokens": 9, "stop": "x"}, Options(max_tokens=5, stops=("x",))),
    ("openai-chat", {"max_tokens": 0, "stop": [""]}, Options()),
    ("openai-chat", {"reasoning": {"effort": "low"}}, THINKING),
    ("openai-chat", {"reasoning": {"effort": "none"}}, Options()),
    ("openai-responses", {"max_output_tokens": 5}, Options(max_tokens=5)),
    ("openai-responses", {"reasoning": {"effort": "low"}}, THINKING),
    ("openai-responses", {"reasoning": {"summary": "auto"}}, Options()),
    ("anthropic-messages", {"max_tokens": 5, "stop_sequences": ["x", "y"]}, LIMITED),
    ("anthropic-messages", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, THINKING),
    ("anthropic-messages", {"thinking": {"type": "adaptive"}}, THINKING),
    ("anthropic-messages", {"thinking": {"type": "disabled"}}, Options()),
    ("gemini", {"generationConfig": {"maxOutputTokens": 5, "stopSequences": ["x", "y"]}}, LIMITED),
    ("gemini", {"generationConfig": {"maxOutputTokens": "5", "stopSequences": ["x", "y"]}}, LIMITED),
    ("gemini", {"generationConfig": {"maxOutputTokens": "9" * 5000}}, Options()),
    ("gemini", {"generation_config": {"max_output_tokens": 5, "stop_sequences": ["x", "y"]}}, LIMITED),
    ("gemini", {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}, THINKING),
    ("gemini", {"generationConfig": {"thinkingConfig": {"thinkingBudget": 5}}}, Options()),
    ("mistral-chat", {"max_tokens": 5, "stop": ["x", "y"]}, LIMITED),
    ("mistral-chat", {"prompt_mode": "reasoning"}, THINKING),
    ("mistral-chat", {"reasoning_effort": "high"}, THINKING),
    ("mistral-chat", {"reasoning_effort": "none"}, Options()),
    ("cohere-chat", {"max_tokens": 5, "stop_sequences": ["x", "y"]}, LIMITED),
    ("cohere-chat", {"thinking": {"type": "enabled"}}, THINKING),
    ("cohere-chat", {"thinking": {"type": "disabled"}}, Options()),
    *(
        (template, body, expected)
        for template in ("ollama-chat", "ollama-generate")
        for body, expected in (
            ({"options": {"num_predict": 5, "stop": ["x", "y"]}}, LIMITED),
            ({"options": {"num_predict": -1}}, Options()),
            ({"think": True}, THINKING),
            ({"think": "high"}, THINKING),
            ({"think": False}, Options()),
        )
    ),
]


@pytest.mark.parametrize(("template", "body", "expected"), OF_TEXT)
def test_limits_and_reasoning(template: str, body: dict[str, Any], expected: Options) -> None:
    assert asked(template, body).options == expected


CALLED = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CHAT = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "How is it?"},
        {"role": "assistant", "content": None, "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]
}
CONVERSATIONS: dict[str, dict[str, Any]] = {
    "openai-chat": CHAT,
    "azure-openai": CHAT,
    "mistral-chat": CHAT,
    "cohere-chat": CHAT,
    "openai-responses": {
        "instructions": "Be kind.",
        "input": [
            {"role": "user", "content": "How is it?"},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        ],
    },
    "anthropic-messages": {
        "system": "Be kind.",
        "messages": [
            {"role": "user", "content": "How is it?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}]},
        ],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "How is it?"}]},
            {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "look", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "look", "response": {"r": "rain"}}}]},
        ],
    },
    "ollama-chat": {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "How is it?"},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "look", "arguments": {}}}]},
            {"role": "tool", "tool_name": "look", "content": "rain"},
        ]
    },
    "vercel-ui": {
        "messages": [
            {"role": "system", "parts": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "parts": [{"type": "text", "text": "How is it?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool-look", "toolCallId": "c1", "state": "output-available", "output": "rain"}],
            },
        ]
    },
    "ag-ui": {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "How is it?"},
            {"role": "assistant", "toolCalls": [CALLED]},
            {"role": "tool", "toolCallId": "c1", "content": "rain"},
        ]
    },
}


@pytest.mark.parametrize("template", CONVERSATIONS)
def test_a_conversation(template: str) -> None:
    found = asked(template, CONVERSATIONS[template])
    assert [(turn.role, turn.text) for turn in found.turns][:2] == [("system", "Be kind."), ("user", "How is it?")]
    assert (found.said, found.turn, found.has_results) == ("How is it?", 1, True)
    assert [call.name for turn in found.turns for call in turn.calls] == ["look"]
    [result] = [result for turn in found.turns for result in turn.results]
    assert "rain" in result.text
    names = {ToolUse(call.name, call.id) for turn in found.turns for call in turn.calls}
    assert result.name == "look" or ToolUse("look", result.call_id) in names
    assert found.called == {"look"}


@pytest.mark.parametrize("template", [name for name in CONVERSATIONS if name not in ("gemini", "openai-responses")])
def test_what_was_called_before_the_last_message_is_over(template: str) -> None:
    said = {"role": "user", "content": "And now?", "parts": [{"type": "text", "text": "And now?"}]}
    found = asked(template, {"messages": [*CONVERSATIONS[template]["messages"], said]})
    assert (found.called, found.said, found.has_results) == (frozenset(), "And now?", False)


def test_a_message_with_a_result_and_a_text() -> None:
    blocks = [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}, {"type": "text", "text": "Well?"}]
    found = asked("anthropic-messages", {"messages": [{"role": "user", "content": blocks}]})
    assert found.turns[1:] == [("user", "Well?", (ToolResult("rain", "c1"),), ())]
    assert (found.said, found.turn, found.has_results) == ("Well?", 0, True)


@pytest.mark.parametrize("kind", ["function", "custom_tool", "local_shell", "shell", "apply_patch", "computer"])
def test_results_of_all_kinds_in_responses(kind: str) -> None:
    found = asked("openai-responses", {"input": [{"type": f"{kind}_call_output", "call_id": "c1", "output": "rain"}]})
    name = None if kind in ("function", "custom_tool") else kind
    assert found.turns == [("tool", "rain", (ToolResult("rain", "c1", name),), ())]


def test_a_text_that_is_a_word() -> None:
    config = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["rain", "sun"]}}
    assert asked("gemini", {"generationConfig": config}).example == "rain"
    config["responseMimeType"] = "application/json"
    assert asked("gemini", {"generationConfig": config}).example == '"rain"'
