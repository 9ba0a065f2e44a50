"""Each template's streams beside those that the real services sent.

Every key that all recordings of a kind of event have is there with its type; the words are known ones; the order of
events is one that occurs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx2
import pytest

from mockd.testing import running_mockd
from tests.clients.recordings import FOLDER, Known, Payload, Recordings, differences, learn
from tests.clients.replies import TIME, TOKENS, WEATHER

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(not FOLDER, reason="MOCKD_RECORDINGS names no folder of recorded streams"),
]

THOUGHT = "The user greets me."
SOURCE = {"url": "https://example.com/a", "title": "A"}
CHAT = "/v1/chat/completions"
CHAT_BODY: Payload = {"model": "any", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def kind_of_chat(chunk: Payload) -> str:
    """Which part of a chat completion's stream a chunk is."""
    if not chunk["choices"]:
        return "filter" if "prompt_filter_results" in chunk else "usage"
    [choice] = chunk["choices"]
    if choice["finish_reason"] is not None:
        return "finish"
    return "role" if "role" in choice["delta"] else "content"


def kind_of_gemini(chunk: Payload) -> str:
    """What a chunk of Gemini's brings."""
    [candidate] = chunk["candidates"]
    if "finishReason" in candidate:
        return "finish"
    [part] = candidate["content"]["parts"]
    if "functionCall" in part:
        return "call"
    return "thought" if part.get("thought") else "text"


OPENAI_CHAT = Recordings("openai-chat", kind_of=kind_of_chat, words=("object", "role", "finish_reason", "service_tier"))
AZURE = Recordings("azure-openai", kind_of=kind_of_chat, words=("object", "role", "finish_reason", "severity"))
MISTRAL = Recordings(
    "mistral",
    kind_of=kind_of_chat,
    words=("object", "role", "finish_reason", "type"),
    beyond=("finish.choices[].delta.tool_calls[].index",),
)
RESPONSES = Recordings(
    "openai-responses",
    trusted=("openai-phase.1", "openai-reasoning-encrypted-content.1", "openai-error.1"),
    words=("object", "type", "role", "status", "service_tier", "truncation", "verbosity"),
    free=("tools", "metadata"),
    beyond=(
        "response.completed.response.usage.input_tokens_details.cache_write_tokens",
        "response.failed.response.completed_at",
        "response.failed.response.frequency_penalty",
        "response.failed.response.presence_penalty",
    ),
)
ANTHROPIC = Recordings(
    "anthropic",
    trusted=("anthropic-text", "anthropic-tool-no-args", "anthropic-json-tool.1", "anthropic-refusal"),
    words=("type", "role", "stop_reason", "service_tier"),
    free=("input",),
    anywhere=("ping",),
)
GOOGLE = Recordings(
    "google",
    trusted=("google-text", "google-tool-call", "google-reasoning"),
    kind_of=kind_of_gemini,
    words=("role", "finishReason", "modality"),
    free=("args",),
)
COHERE = Recordings("cohere", words=("type", "role", "finish_reason"))
ALL = (OPENAI_CHAT, AZURE, MISTRAL, RESPONSES, ANTHROPIC, GOOGLE, COHERE)


@dataclass(frozen=True)
class Case:
    """A reply, what asks for it, and the recordings that its stream is compared with."""

    recordings: Recordings
    template: str
    params: Payload
    path: str = CHAT
    body: Payload = field(default_factory=lambda: CHAT_BODY)


USAGE = CHAT_BODY | {"stream_options": {"include_usage": True, "include_obfuscation": True}}
RESPONSE = {
    "model": "any",
    "input": "Hi",
    "stream": True,
    "reasoning": {"effort": "medium", "summary": "detailed"},
    "include": ["reasoning.encrypted_content"],
    "tools": [{"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}],
    "stream_options": {"include_obfuscation": True},
}
TEXT: Payload = {"tokens": TOKENS}
MESSAGES = CHAT_BODY | {"max_tokens": 100}
GEMINI = "/v1beta/models/any:streamGenerateContent?alt=sse"
CONTENTS = {
    "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
    "generationConfig": {"thinkingConfig": {"includeThoughts": False}},
}

CASES = {
    "openai-chat": Case(OPENAI_CHAT, "openai-chat", TEXT, body=USAGE),
    "azure-openai": Case(AZURE, "azure-openai", TEXT, "/openai/deployments/any/chat/completions", USAGE),
    "openai-responses": Case(RESPONSES, "openai-responses", TEXT, "/v1/responses", RESPONSE),
    "openai-responses, thought and a call": Case(
        RESPONSES, "openai-responses", {"toolCalls": [WEATHER], "reasoning": THOUGHT}, "/v1/responses", RESPONSE
    ),
    "openai-responses, a call": Case(
        RESPONSES, "openai-responses", {"toolCalls": [WEATHER]}, "/v1/responses", RESPONSE
    ),
    "openai-responses, an error": Case(
        RESPONSES,
        "openai-responses",
        {"error": {"type": "insufficient_quota"}},
        "/v1/responses",
        RESPONSE | {"reasoning": {"effort": "medium"}},
    ),
    "mistral": Case(MISTRAL, "mistral-chat", TEXT),
    "mistral, thought": Case(MISTRAL, "mistral-chat", {**TEXT, "reasoning": THOUGHT}),
    "mistral, a call": Case(MISTRAL, "mistral-chat", {"toolCalls": [WEATHER]}),
    "anthropic": Case(ANTHROPIC, "anthropic-messages", TEXT, "/v1/messages", MESSAGES),
    "anthropic, thought": Case(
        ANTHROPIC, "anthropic-messages", {**TEXT, "reasoning": THOUGHT}, "/v1/messages", MESSAGES
    ),
    "anthropic, a call": Case(ANTHROPIC, "anthropic-messages", {"toolCalls": [WEATHER]}, "/v1/messages", MESSAGES),
    "anthropic, text and a call": Case(
        ANTHROPIC, "anthropic-messages", {**TEXT, "toolCalls": [{"name": "update"}]}, "/v1/messages", MESSAGES
    ),
    "anthropic, a refusal": Case(ANTHROPIC, "anthropic-messages", {"refusal": "No."}, "/v1/messages", MESSAGES),
    "gemini": Case(GOOGLE, "gemini", {**TEXT, "reasoning": THOUGHT}, GEMINI, CONTENTS),
    "gemini, a call": Case(GOOGLE, "gemini", {"toolCalls": [WEATHER], "reasoning": THOUGHT}, GEMINI, CONTENTS),
    "cohere": Case(COHERE, "cohere-chat", TEXT, "/v2/chat"),
    "cohere, thought": Case(COHERE, "cohere-chat", {**TEXT, "reasoning": THOUGHT}, "/v2/chat"),
    "cohere, calls": Case(COHERE, "cohere-chat", {"toolCalls": [WEATHER, TIME], "reasoning": THOUGHT}, "/v2/chat"),
    "cohere, an empty call": Case(
        COHERE, "cohere-chat", {"toolCalls": [{"name": "now"}], "reasoning": THOUGHT}, "/v2/chat"
    ),
}


@cache
def known_of(recordings: Recordings) -> Known:
    return learn(recordings)


def payloads(case: Case) -> Iterator[Payload]:
    """What the template streams."""
    path = case.path.partition("?")[0]
    mock = {"matcher": {"path": path}, "sse": {"template": case.template, "templateParams": case.params}}
    with running_mockd(mock) as mockd:
        answer = httpx2.post(mockd.url + case.path, json=case.body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    for line in answer.text.splitlines():
        field_, _, value = line.partition(": ")
        if field_ == "data" and value != "[DONE]":
            yield json.loads(value)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_events_are_those_of_the_recordings(case: Case) -> None:
    stream = list(payloads(case))
    known = known_of(case.recordings)
    assert differences(case.recordings, known, stream) == []
    assert case.recordings.order_of(stream) in known.orders


def test_every_provider_that_was_recorded_is_compared() -> None:
    assert {case.recordings.folder for case in CASES.values()} == {
        folder.name for folder in Path(FOLDER).iterdir() if folder.is_dir()
    }


KIND_KEYS = {"type", "choices", "candidates", "prompt_filter_results"}
"""Without these it cannot be said what an event is."""


@pytest.mark.parametrize("recordings", ALL, ids=lambda one: one.folder)
def test_a_difference_is_seen(recordings: Recordings) -> None:
    known = known_of(recordings)
    [stream, *_] = recordings.streams(*recordings.trusted)
    first = stream[0]
    kind = recordings.kind_of(first)
    assert differences(recordings, known, stream) == []
    assert differences(recordings, known, [{**first, "more": 1}]) == [f"{kind}.more: no such key"]
    for key in known.always[kind] - KIND_KEYS:
        less = {name: value for name, value in first.items() if name != key}
        assert differences(recordings, known, [less]) == [f"{kind}.{key}: missing"]
        types = known.ever[kind][key]
        other = {**first, key: True}
        expected = f"{kind}.{key}: boolean in the place of {' or '.join(sorted(types))}"
        assert differences(recordings, known, [other]) == [expected]
