"""The ways in which a provider fails, and mocks of every template that fail so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.clients.replies import BROKEN, TOKENS

SAID_BEFORE = 2
"""Number of tokens before an error in the middle."""
PAGE = "<html><body>Please sign in.</body></html>"


@dataclass(frozen=True)
class Stream:
    """The events of a template's stream around its tokens: how many come before, and how many between the last token
    and the end that says that the reply is whole."""

    path: str
    before: int = 0
    behind: int = 0
    part: str = "sse"


STREAMS = {
    "openai-chat": Stream("/v1/chat/completions", 1),
    "azure-openai": Stream("/openai/deployments/{deployment}/chat/completions", 2),
    "openai-responses": Stream("/v1/responses", 4),
    "anthropic-messages": Stream("/v1/messages", 3, 1),
    "gemini": Stream("/{version}/models/gemini-2.5-flash:streamGenerateContent"),
    "mistral-chat": Stream("/v1/chat/completions", 1),
    "cohere-chat": Stream("/v2/chat", 2, 1),
    "ollama-chat": Stream("/api/chat", part="chunked"),
    "ollama-generate": Stream("/api/generate", part="chunked"),
    "vercel-ui": Stream("/api/chat", 3, 1),
    "ag-ui": Stream("/agent", 2, 1),
}

STATUSES = (400, 401, 429, 500, 503, 529)
PLACES = ("first", "middle", "last", "json", "html", *map(str, STATUSES))
"""An error in the stream as its first event, in the middle, or as its last; another answer than a stream; a status."""
ERROR_FORMS = {"openai-chat": ("chunk", "event"), "openai-responses": ("flat", "failed")}
"""The forms of an error in the stream, beside the usual one."""


def faults_of(template: str, place: str) -> list[str]:
    """How a mock of a template says it."""
    stream = STREAMS[template]
    events = {
        "first": 0,
        "middle": stream.before + SAID_BEFORE,
        "last": stream.before + len(TOKENS) + stream.behind,
    }
    if place in events:
        return [f'error message="{BROKEN}" after {events[place]} events']
    if place == "json":
        return ['status 200 body={"detail":"Please sign in."}']
    if place == "html":
        return [f'status 200 body="{PAGE}"', 'header set={"content-type":"text/html"}']
    return [f"status {place} retryAfter=0"]


def failing(template: str, id_: str, faults: list[str], **params: Any) -> dict[str, Any]:
    """A mock at `/<id>` and the template's path."""
    stream = STREAMS[template]
    return {
        "id": id_,
        "matcher": {"method": "POST", "path": f"/{id_}{stream.path}"},
        stream.part: {"template": template, "templateParams": {"tokens": TOKENS, **params}},
        "faults": faults,
    }


def mocks_of(template: str, name: str) -> Iterator[dict[str, Any]]:
    """A mock for each place and each form of an error, at `/<name>.<place>` and the template's path."""
    for place in PLACES:
        yield failing(template, f"{name}.{place}", faults_of(template, place))
    for form in ERROR_FORMS.get(template, ()):
        yield failing(template, f"{name}.{form}", faults_of(template, "middle"), errorForm=form)
