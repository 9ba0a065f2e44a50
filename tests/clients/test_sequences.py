"""Vendors' clients are driven through 429 and 500 to a stream, by their own retries, from the `responses` of one
file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from mockd.testing import RunningMockd, running_mockd
from tests.clients.conftest import PATIENCE_S
from tests.clients.node_sdk import run_module
from tests.clients.replies import SAID, TOKENS
from tests.clients.sdk import run_scenarios
from tests.environments import ROOT

WRONG = json.loads((ROOT / "examples" / "sse" / "retry.json").read_text())["responses"][:2]
"""What comes before the stream."""
PROVIDERS = {
    "openai": ("openai-chat", "/v1/chat/completions"),
    "anthropic": ("anthropic-messages", "/v1/messages"),
    "google": ("gemini", "/{version}/models/{target}"),
    "ai": ("openai-chat", "/v1/chat/completions"),
}


def mock(name: str) -> dict[str, Any]:
    template, path = PROVIDERS[name]
    stream = {"sse": {"template": template, "templateParams": {"tokens": list(TOKENS)}}}
    return {"id": name, "matcher": {"method": "POST", "path": f"/{name}{path}"}, "responses": [*WRONG, stream]}


@pytest.fixture(scope="module")
def mockd() -> Iterator[RunningMockd]:
    with running_mockd(*map(mock, PROVIDERS)) as mockd:
        yield mockd


def attempts(mockd: RunningMockd, name: str) -> list[tuple[int, int | None]]:
    """The status and the entry of each answer that a client got."""
    ended = [one for one in mockd.engine.connections.listed("ended") if one.mock_id == name]
    return [(one.http_status, one.entry) for one in ended]


THREE = [(429, 0), (500, 1), (200, 2)]


@pytest.mark.clients
def test_openai(mockd: RunningMockd) -> None:
    said = ""
    base_url = mockd.url + "/openai/v1"
    with openai.OpenAI(base_url=base_url, api_key="sk-any", max_retries=2, timeout=PATIENCE_S) as client:
        asked = client.chat.completions.create(
            model="gpt-4.1", messages=[{"role": "user", "content": "Say hello, please"}], stream=True
        )
        for chunk in asked:
            said += "".join(choice.delta.content or "" for choice in chunk.choices)
    assert said == SAID
    assert attempts(mockd, "openai") == THREE


@pytest.mark.clients(group="providers")
def test_anthropic_and_google(mockd: RunningMockd, client_python: Callable[[str], Path]) -> None:
    saw = run_scenarios(client_python("providers"), "sequences", mockd.url)
    assert (saw["anthropic_stream"], saw["google_stream"]) == (SAID, SAID)
    assert attempts(mockd, "anthropic") == THREE
    assert attempts(mockd, "google") == THREE


@pytest.mark.clients(group="node")
def test_the_ai_sdk(mockd: RunningMockd, node_clients: None) -> None:
    said = run_module(
        f"""
        import {{ createOpenAI }} from "@ai-sdk/openai";
        import {{ streamText }} from "ai";
        const model = createOpenAI({{ baseURL: "{mockd.url}/ai/v1", apiKey: "any" }}).chat("gpt-4.1");
        console.log(await streamText({{ model, prompt: "Say hello, please", maxRetries: 2 }}).text);
        """
    )
    assert said == SAID + "\n"
    assert attempts(mockd, "ai") == THREE
