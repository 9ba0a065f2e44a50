"""The ways in which SDKs for Node ask a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.clients.replies import REFUSED, REPLIES, Replies, mocks

GIVEN: Replies = {
    **{name: REPLIES[name] for name in ("text", "tool", "tools", "reasoning", "usage", "length", "too_many", "breaks")},
    "unavailable": {**REPLIES["unavailable"], "error": {**REPLIES["unavailable"]["error"], "retryAfter": 0}},
    "bad": {"error": {"status": 400, "message": "There is something wrong with this."}},
    "refusal": {"refusal": REFUSED},
}
"""Replies that they are given. Without `retryAfter` some wait for seconds before they try again."""


@dataclass(frozen=True)
class Way:
    """A function of `node/<sdk>.mjs`, and the mocks that it meets."""

    sdk: str
    call: str
    template: str
    path: str
    part: str = "sse"
    lacks: frozenset[str] = frozenset()
    """Replies that the wire has nothing for, or the SDK leaves out."""
    finish: Mapping[str, str] | None = None
    """What it calls the neutral reasons to finish; None where it says nothing of them."""
    retries: bool = True
    """Whether the SDK tries again by itself."""

    def __str__(self) -> str:
        return f"{self.sdk}-{self.call}"

    @property
    def is_streamed(self) -> bool:
        return not self.call.lower().endswith("whole")

    def can(self, reply: str) -> bool:
        return reply not in self.lacks and (reply != "breaks" or self.is_streamed)

    def replies(self) -> Replies:
        """Those that it can be given, under the names of calls."""
        return {self.named(reply): params for reply, params in GIVEN.items() if self.can(reply)}

    def named(self, reply: str) -> str:
        return f"{self.call}.{reply}"

    def mocks(self) -> list[dict[str, Any]]:
        return mocks(self.template, self.path, self.replies(), self.part)

    def calls(self, url: str) -> Iterator[dict[str, Any]]:
        attempts = 1 if self.retries else 2
        for name in self.replies():
            yield {"id": name, "name": self.call, "url": f"{url}/{name}", "attempts": attempts}


def _ways(sdk: str, *calls: str, **what: Any) -> list[Way]:
    return [Way(sdk, call, **what) for call in calls]


_AI_FINISH = {"stop": "stop", "tool_calls": "tool-calls", "length": "length"}
_OPENAI_CHAT: dict[str, Any] = {"template": "openai-chat", "path": "/v1/chat/completions"}
_RESPONSES: dict[str, Any] = {"template": "openai-responses", "path": "/v1/responses"}
_ANTHROPIC: dict[str, Any] = {"template": "anthropic-messages", "path": "/v1/messages"}
_MISTRAL: dict[str, Any] = {"template": "mistral-chat", "path": "/v1/chat/completions"}
_COHERE: dict[str, Any] = {"template": "cohere-chat", "path": "/v2/chat"}
_REFUSAL = frozenset({"refusal"})


def _gemini(method: str) -> dict[str, Any]:
    return {"template": "gemini", "path": f"/v1beta/models/gemini-2.5-flash:{method}", "lacks": _REFUSAL}


def _ollama(method: str, *more: str) -> dict[str, Any]:
    return {
        "template": f"ollama-{method}",
        "path": f"/api/{method}",
        "part": "chunked",
        "lacks": _REFUSAL.union(more),
        "finish": {"stop": "stop", "tool_calls": "stop", "length": "length"},
        "retries": False,
    }


WAYS = [
    *_ways(
        "openai",
        *("chatStream", "chatHelper", "chatWhole"),
        **_OPENAI_CHAT,
        finish={"stop": "stop", "tool_calls": "tool_calls", "length": "length"},
    ),
    *_ways(
        "openai",
        *("responsesStream", "responsesHelper", "responsesWhole"),
        **_RESPONSES,
        finish={"stop": "completed", "tool_calls": "completed", "length": "max_output_tokens"},
    ),
    *_ways(
        "anthropic",
        *("stream", "helper", "whole"),
        **_ANTHROPIC,
        lacks=_REFUSAL,
        finish={"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"},
    ),
    *_ways(
        "ai",
        *("openaiChatStream", "openaiChatWhole"),
        **_OPENAI_CHAT,
        lacks=_REFUSAL | {"reasoning"},
        finish=_AI_FINISH,
    ),
    *_ways(
        "ai", "openaiResponsesStream", "openaiResponsesWhole", **_RESPONSES, lacks=_REFUSAL, finish=_AI_FINISH
    ),
    *_ways("ai", "anthropicStream", "anthropicWhole", **_ANTHROPIC, lacks=_REFUSAL, finish=_AI_FINISH),
    *_ways("ai", "googleStream", **_gemini("streamGenerateContent"), finish=_AI_FINISH),
    *_ways("ai", "googleWhole", **_gemini("generateContent"), finish=_AI_FINISH),
    *_ways("ai", "mistralStream", "mistralWhole", **_MISTRAL, lacks=_REFUSAL, finish=_AI_FINISH),
    *_ways("ai", "cohereStream", "cohereWhole", **_COHERE, lacks=_REFUSAL, finish=_AI_FINISH),
    *_ways(
        "vercel_ui",
        "chat",
        template="vercel-ui",
        path="/api/chat",
        lacks=_REFUSAL | {"usage"},
        finish=_AI_FINISH,
        retries=False,
    ),
    *_ways("ag_ui", "run", template="ag-ui", path="/agent", lacks=_REFUSAL | {"usage", "length"}, retries=False),
    *_ways(
        "google",
        "stream",
        **_gemini("streamGenerateContent"),
        finish={"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS"},
        retries=False,
    ),
    *_ways(
        "google",
        "whole",
        **_gemini("generateContent"),
        finish={"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS"},
        retries=False,
    ),
    *_ways("ollama", "chatStream", "chatWhole", **_ollama("chat")),
    *_ways("ollama", "generateStream", "generateWhole", **_ollama("generate", "tool", "tools", "text_and_tool")),
]
