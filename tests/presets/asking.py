"""What clients of each provider send, by the template that answers."""

from __future__ import annotations

import json
from typing import Any

SAID = "Say hello to me"
MESSAGES = [{"role": "user", "content": SAID}]
CHAT = {"model": "m", "messages": MESSAGES}
PARTS = [{"id": "1", "role": "user", "parts": [{"type": "text", "text": SAID}]}]

ASKED: dict[str, dict[str, Any]] = {
    "openai-chat": CHAT,
    "openai-responses": {"model": "m", "input": SAID},
    "azure-openai": {"messages": MESSAGES},
    "anthropic-messages": {**CHAT, "max_tokens": 99},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": SAID}]}]},
    "mistral-chat": CHAT,
    "ollama-chat": CHAT,
    "ollama-generate": {"model": "m", "prompt": SAID},
    "cohere-chat": CHAT,
    "vercel-ui": {"id": "1", "messages": PARTS, "trigger": "submit-message"},
    "ag-ui": {"threadId": "t", "runId": "r", "messages": [{"id": "1", **MESSAGES[0]}]},
}
PATHS = {
    "openai-chat": "/openai/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "azure-openai": "/openai/deployments/{model}/chat/completions",
    "anthropic-messages": "/v1/messages",
    "gemini": "/v1beta/models/{model}:generateContent",
    "mistral-chat": "/mistral/v1/chat/completions",
    "ollama-chat": "/api/chat",
    "ollama-generate": "/api/generate",
    "cohere-chat": "/v2/chat",
    "vercel-ui": "/api/chat",
    "ag-ui": "/agent",
}
ONLY_STREAMS = {"vercel-ui", "ag-ui"}


def asked(template: str, *, stream: bool, **more: Any) -> dict[str, Any]:
    """A request body; Gemini says in the path, and the UIs never, whether they want a stream."""
    body = {**ASKED[template], **more}
    return body if template in {"gemini", *ONLY_STREAMS} else {**body, "stream": stream}


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
