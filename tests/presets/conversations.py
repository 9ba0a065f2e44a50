"""A conversation in the words of every provider: a system prompt, a question, calls of tools, their results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Step = tuple[str, str]
"""A call of a tool without arguments, and its result: the name of the tool, and the text."""

WITH_RESULTS = (
    "openai-chat",
    "openai-responses",
    "azure-openai",
    "anthropic-messages",
    "anthropic-vertex",
    "gemini",
    "mistral-chat",
    "ollama-chat",
    "cohere-chat",
    "vercel-ui",
    "ag-ui",
)
"""Templates whose requests may have results of tools."""


def conversation(template: str, said: str, steps: Sequence[Step] = (), system: str | None = None) -> dict[str, Any]:
    """The body of a request in which the user says something, after which the model has called tools, one by one."""
    match template:
        case "openai-responses":
            return _responses(said, steps, system)
        case "anthropic-messages":
            return {"model": "m", **_anthropic(said, steps, system)}
        case "anthropic-vertex":
            return {"anthropic_version": "vertex-2023-10-16", **_anthropic(said, steps, system)}
        case "gemini":
            return _gemini(said, steps, system)
        case "vercel-ui":
            return _vercel(said, steps, system)
        case "cohere-chat-v1":
            assert not steps
            return {"message": said, **({} if system is None else {"preamble": system})}
        case "ollama-generate" | "openai-completions" | "mistral-fim":
            assert not steps
            name = "system" if template == "ollama-generate" else "suffix"
            return {"model": "m", "prompt": said, **({} if system is None else {name: system})}
    messages: list[dict[str, Any]] = [] if system is None else [{"role": "system", "content": system}]
    messages.append({"role": "user", "content": said})
    for number, (name, result) in enumerate(steps):
        messages += _chat_step(template, f"call_{number}", name, result)
    if template == "ag-ui":
        return {"threadId": "t", "runId": "r", "messages": messages}
    return {"model": "m", "messages": messages}


def _chat_step(template: str, id: str, name: str, result: str) -> list[dict[str, Any]]:
    function = {"name": name, "arguments": {} if template == "ollama-chat" else "{}"}
    if template == "ollama-chat":
        call: dict[str, Any] = {"function": function}
        return [{"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "tool", "content": result}]
    call = {"id": id, "type": "function", "function": function}
    calls, of_call = ("toolCalls", "toolCallId") if template == "ag-ui" else ("tool_calls", "tool_call_id")
    return [{"role": "assistant", calls: [call]}, {"role": "tool", of_call: id, "content": result}]


def _responses(said: str, steps: Sequence[Step], system: str | None) -> dict[str, Any]:
    items: list[dict[str, Any]] = [] if system is None else [{"role": "developer", "content": system}]
    items.append({"role": "user", "content": [{"type": "input_text", "text": said}]})
    for number, (name, result) in enumerate(steps):
        id = f"call_{number}"
        items.append({"type": "reasoning", "id": f"rs_{number}", "summary": []})
        items.append({"type": "function_call", "call_id": id, "name": name, "arguments": "{}"})
        items.append({"type": "function_call_output", "call_id": id, "output": result})
    return {"model": "m", "input": items}


def _anthropic(said: str, steps: Sequence[Step], system: str | None) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": said}]
    for number, (name, result) in enumerate(steps):
        id = f"toolu_{number}"
        messages.append({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": name, "input": {}}]})
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": result}]})
    body: dict[str, Any] = {"max_tokens": 100_000, "messages": messages}
    return body if system is None else {**body, "system": [{"type": "text", "text": system}]}


def _gemini(said: str, steps: Sequence[Step], system: str | None) -> dict[str, Any]:
    contents: list[dict[str, Any]] = [{"role": "user", "parts": [{"text": said}]}]
    for name, result in steps:
        contents.append({"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}}]})
        response = {"functionResponse": {"name": name, "response": {"result": result}}}
        contents.append({"role": "user", "parts": [response]})
    body: dict[str, Any] = {"contents": contents}
    return body if system is None else {**body, "systemInstruction": {"parts": [{"text": system}]}}


def _vercel(said: str, steps: Sequence[Step], system: str | None) -> dict[str, Any]:
    messages = [{"id": "1", "role": "user", "parts": [{"type": "text", "text": said}]}]
    if system is not None:
        messages.insert(0, {"id": "0", "role": "system", "parts": [{"type": "text", "text": system}]})
    parts: list[dict[str, Any]] = []
    for number, (name, result) in enumerate(steps):
        call = {"toolCallId": f"c{number}", "state": "output-available", "input": {}, "output": result}
        parts += [{"type": "step-start"}, {"type": f"tool-{name}", **call}]
    if parts:
        messages.append({"id": "2", "role": "assistant", "parts": parts})
    return {"id": "1", "messages": messages, "trigger": "submit-message"}


def answered(template: str, body: dict[str, Any], text: str) -> dict[str, Any]:
    """The same conversation after the model has answered with a text, and the user has said "Go on"."""
    body = json.loads(json.dumps(body))
    if template == "openai-responses":
        body["input"] += [{"role": "assistant", "content": text}, {"role": "user", "content": "Go on"}]
    elif template == "gemini":
        body["contents"] += [
            {"role": "model", "parts": [{"text": text}]},
            {"role": "user", "parts": [{"text": "Go on"}]},
        ]
    elif template == "vercel-ui":
        for role, said in (("assistant", text), ("user", "Go on")):
            body["messages"].append({"id": "9", "role": role, "parts": [{"type": "text", "text": said}]})
    else:
        body["messages"] += [{"role": "assistant", "content": text}, {"role": "user", "content": "Go on"}]
    return body
