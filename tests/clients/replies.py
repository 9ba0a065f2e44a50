"""Replies that every provider's clients are given, and mocks that give them."""

from __future__ import annotations

from typing import Any

TOKENS = ["Hello", "!", " How", " can", " I", " help", "?"]
SAID = "".join(TOKENS)
THOUGHT = "The user greets me."
REFUSED = "I can't help with that."
ARGUMENTS = {"city": "Paris", "unit": "celsius"}
WEATHER = {"name": "get_weather", "arguments": ARGUMENTS}
TIME = {"name": "get_time", "arguments": {"zone": "Europe/Paris"}}

TOO_MANY = "Slow down, please."
UNAVAILABLE = "Not right now."
BROKEN = "That was too much."

Replies = dict[str, dict[str, Any]]

REPLIES: Replies = {
    "text": {"tokens": TOKENS},
    "tool": {"toolCalls": [WEATHER], "argumentChunk": 7},
    "tools": {"toolCalls": [WEATHER, TIME], "argumentChunk": 7},
    "text_and_tool": {"tokens": TOKENS, "toolCalls": [WEATHER], "argumentChunk": 7},
    "reasoning": {"tokens": TOKENS, "reasoning": THOUGHT},
    "usage": {"tokens": TOKENS, "usage": {"inputTokens": 11, "outputTokens": 22}},
    "length": {"tokens": TOKENS, "finishReason": "length"},
    "agent": {
        "toolCalls": [WEATHER],
        "script": [{"when": {"toolResult": True}, "reply": {"tokens": TOKENS}}],
    },
    "too_many": {
        "tokens": TOKENS,
        "error": {"status": 429, "message": TOO_MANY, "retryAfter": 0.05, "times": 1},
    },
    "unavailable": {"tokens": TOKENS, "error": {"status": 503, "message": UNAVAILABLE, "times": 1}},
    "down": {"error": {"status": 500, "message": UNAVAILABLE}},
    "breaks": {"tokens": TOKENS, "error": {"message": BROKEN, "afterTokens": 2}},
}
"""What is said by the mocks of these names, in any provider's words."""


def mocks(template: str, path: str, replies: Replies = REPLIES, part: str = "sse") -> list[dict[str, Any]]:
    """A mock for each reply, at `/<name><path>`: SDKs keep a prefix of their base URL."""
    return [
        {
            "id": f"{template}-{name}",
            "matcher": {"method": "POST", "path": f"/{name}{path}"},
            part: {"template": template, "templateParams": params},
        }
        for name, params in replies.items()
    ]
