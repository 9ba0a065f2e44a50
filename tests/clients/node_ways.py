"""The ways in which SDKs for Node ask a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.clients.replies import BROKEN, REFUSED, REPLIES, TOKENS, mocks

SOURCE = {"url": "https://example.org/greetings", "title": "Greetings"}
BAD = "There is something wrong with this."

GIVEN = {
    **{name: REPLIES[name] for name in ("text", "tool", "tools", "text_and_tool", "reasoning", "usage", "length")},
    **{name: REPLIES[name] for name in ("agent", "too_many", "breaks")},
    # Without `retryAfter` some wait for seconds before they try again.
    "unavailable": {**REPLIES["unavailable"], "error": {**REPLIES["unavailable"]["error"], "retryAfter": 0}},
    "bad": {"error": {"status": 400, "message": BAD}},
    "refusal": {"refusal": REFUSED},
    "citations": {"tokens": TOKENS, "citations": [SOURCE]},
    "object": {},
}
"""Replies that they are given."""

USUAL = frozenset(GIVEN) - {"agent", "citations", "object", "refusal"}

PREFIXES = {
    "openai-chat": "/openai",
    "openai-responses": "/openai",
    "azure-openai": "/azure",
    "anthropic-messages": "/anthropic",
    "gemini": "/gemini",
    "mistral-chat": "/mistral",
    "cohere-chat": "/cohere",
    "ollama-chat": "/ollama",
    "ollama-generate": "/ollama",
    "vercel-ui": "/vercel",
    "ag-ui": "/ag-ui",
}
"""Of the providers in the preset."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """A function of `node/<sdk>.mjs`, and the mocks that it meets."""

    sdk: str
    call: str
    template: str
    part: str = "sse"
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the template, besides the reply."""
    given: frozenset[str] = USUAL
    """The replies that the wire can express and the SDK hands on."""
    finish: Mapping[str, str] | None = None
    """What it calls the neutral reasons to finish; None where it says nothing of them."""
    retries: bool = True
    """Whether the SDK tries again by itself."""
    broken: str | None = None
    """What it calls the end of a stream with an error; None where it raises the error."""
    raised: tuple[str, ...] = (BROKEN,)
    """One of these is what it raises."""

    def __str__(self) -> str:
        return f"{self.sdk}-{self.call}"

    def named(self, reply: str) -> str:
        """The call to the mock with that reply."""
        return f"{self.call}.{reply}"

    def mocks(self) -> list[dict[str, Any]]:
        replies = {self.named(reply): {**GIVEN[reply], **self.params} for reply in sorted(self.given)}
        return mocks(self.template, self.path, replies, self.part)

    def calls(self, url: str, preset: str) -> Iterator[dict[str, Any]]:
        """One for each reply, and two of the preset: at the provider's prefix, and at its real path."""
        places = {name: f"{url}/{name}" for name in map(self.named, sorted(self.given))}
        if "text" in self.given:
            places |= {self.named("prefix"): preset + PREFIXES[self.template], self.named("real"): preset}
        for id_, place in places.items():
            yield {"id": id_, "name": self.call, "url": place, "attempts": 1 if self.retries else 2}


def _ways(sdk: str, *calls: str, **what: Any) -> list[Way]:
    return [Way(sdk=sdk, call=call, **what) for call in calls]


_WHOLE = USUAL - {"breaks"}
_CITED = USUAL | {"citations"}

_OPENAI_CHAT = {
    "template": "openai-chat",
    "path": "/v1/chat/completions",
    "finish": {"stop": "stop", "tool_calls": "tool_calls", "length": "length"},
}
_COMPATIBLE = {**_OPENAI_CHAT, "params": {"reasoningKey": "reasoning"}}
_AZURE = {**_OPENAI_CHAT, "template": "azure-openai", "path": "/openai/deployments/{deployment}/chat/completions"}
_RESPONSES = {
    "template": "openai-responses",
    "path": "/v1/responses",
    "finish": {"stop": "completed", "tool_calls": "completed", "length": "max_output_tokens"},
}
_ANTHROPIC = {
    "template": "anthropic-messages",
    "path": "/v1/messages",
    "finish": {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"},
}
_GEMINI = {
    "template": "gemini",
    "path": "/{version}/models/gemini-2.5-flash:generateContent",
    "finish": {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS"},
}
_GEMINI_STREAM = {**_GEMINI, "path": "/{version}/models/gemini-2.5-flash:streamGenerateContent"}
_MISTRAL = {"template": "mistral-chat", "path": "/v1/chat/completions"}
_COHERE = {"template": "cohere-chat", "path": "/v2/chat"}
_OLLAMA = {"part": "chunked", "finish": {"stop": "stop", "tool_calls": "stop", "length": "length"}}
_OLLAMA_CHAT = {"template": "ollama-chat", "path": "/api/chat", **_OLLAMA}
_OLLAMA_GENERATE = {"template": "ollama-generate", "path": "/api/generate", **_OLLAMA}
_AI = {"finish": {"stop": "stop", "tool_calls": "tool-calls", "length": "length"}}


def _ai(name: str, stream: dict[str, Any], whole: dict[str, Any], *drops: str, **what: Any) -> list[Way]:
    """A provider of `ai`: streamed and in one piece, each also in a loop with tools and for an object."""
    streamed = Way(sdk="ai", call=f"{name}Stream", **stream | {"given": _CITED.difference(drops), **_AI, **what})
    in_one_piece = Way(sdk="ai", call=f"{name}Whole", **whole | {"given": _CITED.difference(drops, {"breaks"}), **_AI})
    more = [
        replace(way, call=f"{name}{kind}{way.call.removeprefix(name)}", given=frozenset({reply}))
        for kind, reply in (("Agent", "agent"), ("Object", "object"))
        for way in (streamed, in_one_piece)
    ]
    return [streamed, in_one_piece, *more]


WAYS = [
    *_ways("openai", "chatStream", **_OPENAI_CHAT, given=USUAL | {"refusal"}),
    # Of what it does not know, the helper keeps the last piece.
    *_ways("openai", "chatHelper", **_OPENAI_CHAT, given=(USUAL | {"refusal"}) - {"reasoning"}),
    *_ways("openai", "chatWhole", **_OPENAI_CHAT, given=_WHOLE | {"refusal"}),
    *_ways("openai", "azureStream", **_AZURE, given=USUAL | {"refusal"}),
    *_ways("openai", "azureHelper", **_AZURE, given=(USUAL | {"refusal"}) - {"reasoning"}),
    *_ways("openai", "azureWhole", **_AZURE, given=_WHOLE | {"refusal"}),
    *_ways("openai", "responsesStream", "responsesHelper", **_RESPONSES, given=USUAL | {"refusal"}),
    *_ways("openai", "responsesWhole", **_RESPONSES, given=_WHOLE | {"refusal"}),
    *_ways("anthropic", "stream", "helper", **_ANTHROPIC),
    *_ways("anthropic", "whole", **_ANTHROPIC, given=_WHOLE),
    *_ai("openaiChat", _OPENAI_CHAT, _OPENAI_CHAT, "reasoning"),
    *_ai("openaiCompatible", _COMPATIBLE, _COMPATIBLE, "citations"),
    *_ai("openaiResponses", _RESPONSES, _RESPONSES),
    *_ai("anthropic", _ANTHROPIC, _ANTHROPIC),
    # An error in the stream is not framed as an event, so that it is overlooked.
    *_ai("google", _GEMINI_STREAM, _GEMINI, broken="other"),
    *_ai("mistral", _MISTRAL, _MISTRAL, "citations"),
    *_ai("cohere", _COHERE, _COHERE, broken="error", given=USUAL),
    *_ways(
        "vercel_ui",
        "chat",
        template="vercel-ui",
        path="/api/chat",
        given=_CITED - {"usage"},
        **_AI,
        retries=False,
    ),
    *_ways("ag_ui", "run", template="ag-ui", path="/agent", given=USUAL - {"length"}, retries=False),
    # It knows the error where it reads it on its own: behind an event, when it is slow to read, it is only not JSON.
    *_ways(
        "google",
        "stream",
        **_GEMINI_STREAM,
        retries=False,
        raised=(BROKEN, "Incomplete JSON segment at the end"),
    ),
    *_ways("google", "whole", **_GEMINI, given=_WHOLE, retries=False),
    *_ways("ollama", "chatStream", **_OLLAMA_CHAT, retries=False),
    *_ways("ollama", "chatWhole", **_OLLAMA_CHAT, given=_WHOLE, retries=False),
    *_ways(
        "ollama",
        "generateStream",
        **_OLLAMA_GENERATE,
        given=USUAL - {"tool", "tools", "text_and_tool"},
        retries=False,
    ),
    *_ways(
        "ollama",
        "generateWhole",
        **_OLLAMA_GENERATE,
        given=_WHOLE - {"tool", "tools", "text_and_tool"},
        retries=False,
    ),
]
