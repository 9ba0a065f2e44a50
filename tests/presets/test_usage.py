"""The numbers of tokens of requests, and the tier in which they are served."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.presets.asking import PATHS, WITH_TOOLS, asked, tools

PROMPT = {
    **dict.fromkeys(("openai-chat", "azure-openai", "mistral-chat"), ("usage", "prompt_tokens")),
    **dict.fromkeys(("openai-responses", "anthropic-messages"), ("usage", "input_tokens")),
    "gemini": ("usageMetadata", "promptTokenCount"),
    "cohere-chat": ("usage", "tokens", "input_tokens"),
    **dict.fromkeys(("ollama-chat", "ollama-generate"), ("prompt_eval_count",)),
}
WORDS = 4
"""Those of the message."""
SYSTEM: dict[str, dict[str, Any]] = {
    "openai-responses": {"instructions": "Be very kind"},
    "anthropic-messages": {"system": "Be very kind"},
    "gemini": {"systemInstruction": {"parts": [{"text": "Be very kind"}]}},
    "ollama-generate": {"system": "Be very kind"},
}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def counted(url: str, template: str, **more: Any) -> int:
    path = PATHS[template].replace("{model}", "m")
    answer = httpx2.post(url + path, json=asked(template, stream=False, **more)).json()
    for step in PROMPT[template]:
        answer = answer[step]
    return int(answer)


@pytest.mark.parametrize("template", PROMPT)
def test_system_prompts_count(url: str, template: str) -> None:
    chat = (
        {"messages": [{"role": "system", "content": "Be very kind"}, *asked(template, stream=False)["messages"]]}
        if (template not in SYSTEM)
        else SYSTEM[template]
    )
    assert counted(url, template) == WORDS
    assert counted(url, template, **chat) == WORDS + 3


@pytest.mark.parametrize("template", [name for name in WITH_TOOLS if name in PROMPT])
def test_tools_count(url: str, template: str) -> None:
    one, two = (counted(url, template, **tools(template, *names)) for names in (["look"], ["look", "look"]))
    assert one > WORDS + 10
    assert two - one == pytest.approx(one - WORDS, abs=2)


IMAGES: list[tuple[str, dict[str, Any]]] = [
    *(
        (name, {"messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello to me"}, IMAGE]}]})
        for name in ("openai-chat", "azure-openai", "mistral-chat", "cohere-chat")
    ),
    (
        "openai-responses",
        {
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "Say hello to me"},
                        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                    ],
                }
            ]
        },
    ),
    (
        "anthropic-messages",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                        {"type": "text", "text": "Say hello to me"},
                    ],
                }
            ]
        },
    ),
    *(
        ("gemini", {"contents": [{"role": "user", "parts": [{"text": "Say hello to me"}, {key: {"data": "AAAA"}}]}]})
        for key in ("inlineData", "inline_data", "fileData")
    ),
    ("ollama-chat", {"messages": [{"role": "user", "content": "Say hello to me", "images": ["AAAA"]}]}),
    ("ollama-generate", {"images": ["AAAA"]}),
]


@pytest.mark.parametrize(("template", "more"), IMAGES)
def test_images_count(url: str, template: str, more: dict[str, Any]) -> None:
    assert counted(url, template, **more) == WORDS + 85


# -- tiers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["openai-chat", "openai-responses"])
@pytest.mark.parametrize(
    ("tier", "served"),
    [(None, "default"), ("auto", "default"), ("default", "default"), ("flex", "flex"), ("priority", "priority")],
)
def test_the_tier(url: str, template: str, tier: str | None, served: str) -> None:
    more = {} if tier is None else {"service_tier": tier}
    whole, stream = (
        httpx2.post(url + PATHS[template], json=asked(template, stream=stream, **more)) for stream in (False, True)
    )
    assert whole.json()["service_tier"] == served
    last = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: {")][-1]
    assert last.get("response", last)["service_tier"] == served


# -- the cache ---------------------------------------------------------------------------------------------------------

MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
SYSTEM_OF_5 = [{"type": "text", "text": "Be kind, brief and exact"}]
ASKED = {"role": "user", "content": [{"type": "text", "text": "How is the weather?"}]}
MORE = [{"role": "assistant", "content": "It rains."}, {"role": "user", "content": "And tomorrow?"}]


def marked(message: dict[str, Any], mark: dict[str, Any] = MARK) -> dict[str, Any]:
    content = message["content"]
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return {**message, "content": [*blocks[:-1], {**blocks[-1], **mark}]}


CACHED: list[tuple[str, dict[str, Any], tuple[int, int, int, int]]] = [
    ("no mark", {"system": SYSTEM_OF_5, "messages": [ASKED]}, (9, 0, 0, 0)),
    ("the system", {"system": [{**SYSTEM_OF_5[0], **MARK}], "messages": [ASKED]}, (4, 0, 5, 0)),
    ("the system, later", {"system": [{**SYSTEM_OF_5[0], **MARK}], "messages": [ASKED, *MORE]}, (8, 5, 0, 0)),
    ("the message", {"system": SYSTEM_OF_5, "messages": [marked(ASKED)]}, (0, 0, 9, 0)),
    ("the message, for an hour", {"system": SYSTEM_OF_5, "messages": [marked(ASKED, HOUR)]}, (0, 0, 0, 9)),
    ("a message, later", {"system": SYSTEM_OF_5, "messages": [ASKED, MORE[0], marked(MORE[1])]}, (0, 9, 4, 0)),
    ("a message before", {"system": SYSTEM_OF_5, "messages": [marked(ASKED), *MORE]}, (4, 9, 0, 0)),
    ("all", {"system": SYSTEM_OF_5, "messages": [ASKED, *MORE], **MARK}, (0, 9, 4, 0)),
]


@pytest.mark.parametrize(("body", "expected"), [case[1:] for case in CACHED], ids=[case[0] for case in CACHED])
def test_the_cache(url: str, body: dict[str, Any], expected: tuple[int, int, int, int]) -> None:
    """Tokens outside the cache, read from it, and written to it for five minutes and for an hour."""
    whole, stream = (
        httpx2.post(url + "/v1/messages", json=asked("anthropic-messages", stream=stream, **body))
        for stream in (False, True)
    )
    events = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: {")]
    assert numbers(whole.json()["usage"]) == expected
    assert numbers(events[0]["message"]["usage"]) == expected
    last = events[-2]["usage"]
    assert (last["cache_read_input_tokens"], last["cache_creation_input_tokens"]) == (expected[1], sum(expected[2:]))


def numbers(usage: dict[str, Any]) -> tuple[int, ...]:
    created = usage["cache_creation"]
    short, long = created["ephemeral_5m_input_tokens"], created["ephemeral_1h_input_tokens"]
    assert usage["cache_creation_input_tokens"] == short + long
    return (usage["input_tokens"], usage["cache_read_input_tokens"], short, long)


def test_tools_in_the_cache(url: str) -> None:
    declared = tools("anthropic-messages", "look")
    tokens = counted(url, "anthropic-messages", **declared) - WORDS
    declared["tools"][0].update(MARK)
    answer = httpx2.post(url + "/v1/messages", json=asked("anthropic-messages", stream=False, **declared)).json()
    uncached, read, written, _ = numbers(answer["usage"])
    assert (uncached, read) == (WORDS, 0)
    assert written >= tokens
