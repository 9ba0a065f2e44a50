"""The job that every agent does, and the mocks of the model that leads it through.

It has three steps: the model calls a tool, calls another one with what the first one found, and then answers. On the
way the first request is refused with a 429, and the reply with the second call breaks off in the middle.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

PLACE = "Rainville"
"""A word of the task, which nothing else that an agent sends has in it."""


@dataclass(frozen=True)
class Wire:
    """A provider's format, and where clients ask for it."""

    template: str
    paths: str
    tools: str = "$.tools[0]"
    """Where a request declares the first tool; empty: nowhere, as those on the other side know them."""


WIRES = {
    "anthropic": Wire("anthropic-messages", "/messages$"),
    "chat": Wire("openai-chat", "/chat/completions$"),
    "gemini": Wire("gemini", ":(g|streamG)enerateContent$"),
    "responses": Wire("openai-responses", "/responses$"),
    "vercel": Wire("vercel-ui", "/api/chat$", tools=""),
}

Reply = dict[str, Any]
"""Parameters of a template."""
Replies = tuple[Reply, Reply, Reply]
Results = tuple[dict[str, Any], dict[str, Any]]
"""By what a script knows that the first tool has been used, and the second."""


def call(name: str, **arguments: str) -> Reply:
    """A reply that calls a tool."""
    return {"toolCalls": [{"name": name, "arguments": arguments}]}


def say(text: str) -> Reply:
    """A reply in words."""
    return {"text": text}


def _word(before: str) -> str:
    return f"{before}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Job:
    """Words that nobody can guess: each is known only to who did the step before."""

    station: str = field(default_factory=lambda: _word("station"))
    """What the first tool finds."""
    rain: str = field(default_factory=lambda: _word("rain"))
    """What the second tool finds, or what a coding agent is told to write."""
    answer: str = field(default_factory=lambda: _word("answer"))
    """What the model says in the end."""

    def script(self, replies: Replies, results: Results, cut: Reply) -> list[dict[str, Any]]:
        """A script of the preset that leads through the same job. `cut` is how the second reply breaks off."""
        first, second, last = replies
        found, read = results
        refused = {"status": 429, "retryAfter": 1, "times": 1}
        return [
            {"when": read, "reply": last},
            {"when": found, "reply": {**second, "error": {**cut, "times": 1}}},
            {"when": {"contains": PLACE}, "reply": {**first, "error": refused}},
        ]

    def mocks(self, wire: Wire, replies: Replies, breaks: str) -> list[dict[str, Any]]:
        """The mocks `first`, `second` and `answer`. The request's last known word decides which of them replies. If
        tools are called, only requests that declare some are meant."""
        first, second, last = replies
        mocks = (
            ("first", PLACE, first, ["status 429 retryAfter=1 for requests 1"]),
            ("second", self.station, second, [f"{breaks} for requests 1"]),
            ("answer", self.rain, last, []),
        )
        return [
            {
                "id": name,
                "priority": priority,
                "matcher": {
                    "method": "POST",
                    "pathPattern": wire.paths,
                    "bodyContains": word,
                    **_told_apart(wire, first),
                },
                "sse": {"template": wire.template, "templateParams": reply},
                "faults": faults,
            }
            for priority, (name, word, reply, faults) in enumerate(mocks)
        ]


def _told_apart(wire: Wire, first: Reply) -> dict[str, Any]:
    """How the requests of the job differ from those that an agent makes beside it, such as for a title."""
    return {"bodyJsonPath": {wire.tools: {"exists": True}}} if wire.tools and "toolCalls" in first else {}
