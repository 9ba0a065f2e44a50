"""What clients of each provider send, by the template that answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2

Serve = Callable[..., str]
"""Serves the preset with a script and settings, and says where."""

SAID = "Say hello to me"
MESSAGES = [{"role": "user", "content": SAID}]
CHAT = {"model": "m", "messages": MESSAGES}
PARTS = [{"id": "1", "role": "user", "parts": [{"type": "text", "text": SAID}]}]

ASKED: dict[str, dict[str, Any]] = {
    "openai-chat": CHAT,
    "openai-responses": {"model": "m", "input": SAID},
    "openai-completions": {"model": "m", "prompt": SAID},
    "azure-openai": {"messages": MESSAGES},
    "anthropic-messages": {**CHAT, "max_tokens": 100_000},
    "anthropic-vertex": {"anthropic_version": "vertex-2023-10-16", "messages": MESSAGES, "max_tokens": 100_000},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": SAID}]}]},
    "mistral-chat": CHAT,
    "mistral-fim": {"model": "m", "prompt": SAID},
    "ollama-chat": CHAT,
    "ollama-generate": {"model": "m", "prompt": SAID},
    "cohere-chat": CHAT,
    "cohere-chat-v1": {"model": "m", "message": SAID},
    "vercel-ui": {"id": "1", "messages": PARTS, "trigger": "submit-message"},
    "ag-ui": {"threadId": "t", "runId": "r", "messages": [{"id": "1", **MESSAGES[0]}]},
}
PATHS = {
    "openai-chat": "/openai/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "openai-completions": "/v1/completions",
    "azure-openai": "/openai/deployments/{model}/chat/completions",
    "anthropic-messages": "/v1/messages",
    "anthropic-vertex": "/v1/projects/p/locations/l/publishers/anthropic/models/{model}:rawPredict",
    "gemini": "/v1beta/models/{model}:generateContent",
    "mistral-chat": "/mistral/v1/chat/completions",
    "mistral-fim": "/v1/fim/completions",
    "ollama-chat": "/api/chat",
    "ollama-generate": "/api/generate",
    "cohere-chat": "/v2/chat",
    "cohere-chat-v1": "/v1/chat",
    "vercel-ui": "/api/chat",
    "ag-ui": "/agent",
}
ONLY_STREAMS = {"vercel-ui", "ag-ui"}


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 6}, "days": {"type": "integer", "minimum": 3}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
WITHOUT_TOOLS = {"openai-completions", "mistral-fim", "ollama-generate", "cohere-chat-v1", "vercel-ui"}
WITH_TOOLS = [name for name in ASKED if name not in WITHOUT_TOOLS]
"""The templates whose requests declare tools."""


def tools(template: str, *names: str) -> dict[str, Any]:
    """The fields of a request that declare tools, each with the same schema of its arguments."""
    functions = [{"name": name, "description": "It looks.", "parameters": SCHEMA} for name in names]
    match template:
        case "ollama-generate" | "vercel-ui":
            return {}
        case "anthropic-messages" | "anthropic-vertex":
            return {"tools": [{"name": name, "input_schema": SCHEMA} for name in names]}
        case "gemini":
            return {"tools": [{"functionDeclarations": functions}]}
        case "ag-ui":
            return {"tools": functions}
        case "cohere-chat-v1":
            defined = {
                name: {"type": {"string": "str", "integer": "int"}[member["type"]], "required": True}
                for name, member in SCHEMA["properties"].items()
            }
            return {
                "tools": [
                    {"name": name, "description": "It looks.", "parameter_definitions": defined} for name in names
                ]
            }
        case "openai-responses":
            return {"tools": [{"type": "function", **function} for function in functions]}
    return {"tools": [{"type": "function", "function": function} for function in functions]}


def asked(template: str, *, stream: bool, **more: Any) -> dict[str, Any]:
    """A request body; Gemini says in the path, and the UIs never, whether they want a stream."""
    body = {**ASKED[template], **more}
    return body if template in {"gemini", *ONLY_STREAMS} else {**body, "stream": stream}


def ask(url: str, template: str, **more: Any) -> Any:
    """The answer in one piece, or the payloads of the stream if the provider has nothing else."""
    answer = post(url, template, stream=False, **more)
    return payloads(answer.text) if template in ONLY_STREAMS else answer.json()


def post(url: str, template: str, *, stream: bool, **more: Any) -> httpx2.Response:
    path = PATHS[template].replace("{model}", "m")
    if stream and template == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent") + "?alt=sse"
    answer = httpx2.post(url + path, json=asked(template, stream=stream, **more))
    assert answer.status_code == 200, answer.text
    return answer


def texts(value: Any) -> list[str]:
    """Every text in a JSON value, in order."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in items for text in texts(item)]


def payloads(stream: str) -> list[Any]:
    """The JSON values of a stream, of Server-Sent Events or of lines."""
    lines = (line.removeprefix("data: ") for line in stream.splitlines())
    return [json.loads(line) for line in lines if line.startswith("{")]
