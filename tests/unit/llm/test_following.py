"""Parameters of models' templates with expressions follow the request."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.testing import running_mockd
from tests.unit.llm.asking import ask, events

HELLO: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello $uuid {{ request.path }}"}]}
TEXT = "{{ request.method }} says {{ request.body.messages[-1].content }}"


def test_a_text_is_what_the_request_says() -> None:
    answer = ask("openai-chat", HELLO, text=TEXT).json()
    assert answer["choices"][0]["message"]["content"] == "POST says Hello $uuid {{ request.path }}"


def test_so_it_is_in_a_stream_and_differs_from_request_to_request() -> None:
    mock = {
        "matcher": {"path": "/{who}"},
        "sse": {"template": "openai-chat", "templateParams": {"text": "I am {{ request.params.who }}"}},
    }
    with running_mockd(mock) as mockd:
        said = []
        for who in ("ann", "bob", "ann"):
            answer = httpx2.post(f"{mockd.url}/{who}", json={**HELLO, "stream": True})
            chunks = [data for _, data in events(answer) if isinstance(data, dict)]
            said.append("".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks))
    assert said == ["I am ann", "I am bob", "I am ann"]


def test_arguments_of_tools_and_scripted_replies_follow_it_too() -> None:
    reply = {"toolCalls": [{"name": "look", "arguments": {"for": "{{ request.body.model }}"}}]}
    answer = ask("openai-chat", HELLO, script=[{"when": {"contains": "Hello"}, "reply": reply}]).json()
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"for":"m"}'


def test_what_is_no_expression_is_refused_with_its_place() -> None:
    params = {"text": "{{ request. }}"}
    with pytest.raises(ConfigError, match=r"sse\.templateParams\.text"):
        Engine().create({"matcher": {"path": "/"}, "sse": {"template": "openai-chat", "templateParams": params}})
