"""LiteLLM on the wires of several providers: whatever they say, it gives the same answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clients.replies import ARGUMENTS, BROKEN, SAID, THOUGHT, TIME, TOKENS, UNAVAILABLE, mocks
from tests.clients.sdk import Saw

pytestmark = pytest.mark.clients(group="providers")

MOCKS = [
    *mocks("openai-chat", "/v1/chat/completions"),
    *mocks("azure-openai", "/openai/deployments/{deployment}/chat/completions"),
    *mocks("anthropic-messages", "/v1/messages"),
    *mocks("gemini", "/{version}/models/{target}"),
    *mocks("mistral-chat", "/mistral/v1/chat/completions"),
    *mocks("ollama-chat", "/api/chat", part="chunked"),
]
PROVIDERS = {"openai", "azure", "anthropic", "gemini", "mistral", "ollama"}


def choice_of(completion: dict[str, Any]) -> dict[str, Any]:
    [choice] = completion["choices"]
    return {"finish": choice["finish_reason"], **choice["message"]}


def calls_of(completion: dict[str, Any]) -> list[tuple[str, Any]]:
    calls = [call["function"] for call in choice_of(completion)["tool_calls"]]
    return [(call["name"], json.loads(call["arguments"])) for call in calls]


def of_each(seen: dict[str, Any], name: str) -> dict[str, Any]:
    return {provider: choice_of(completion)[name] for provider, completion in seen.items()}


def each(value: Any, providers: set[str] = PROVIDERS) -> dict[str, Any]:
    return dict.fromkeys(providers, value)


@pytest.mark.parametrize("scenario", ["text", "text_whole"])
def test_text(saw: Saw, scenario: str) -> None:
    assert of_each(saw[scenario], "content") == each(SAID)
    assert of_each(saw[scenario], "finish") == each("stop")


def test_text_async(saw: Saw) -> None:
    assert saw["text_async"] == ["", *TOKENS, None]


def test_tool(saw: Saw) -> None:
    called = {provider: calls_of(completion) for provider, completion in saw["tool"].items()}
    assert called == each([("get_weather", ARGUMENTS)])
    assert of_each(saw["tool"], "finish") == each("tool_calls")


@pytest.mark.parametrize("scenario", ["tools", "tools_whole"])
def test_parallel_tools(saw: Saw, scenario: str) -> None:
    called = {provider: calls_of(completion) for provider, completion in saw[scenario].items()}
    providers = PROVIDERS - {"ollama"} if scenario == "tools" else PROVIDERS
    assert called == each([("get_weather", ARGUMENTS), ("get_time", TIME["arguments"])], providers)
    assert of_each(saw[scenario], "finish") == each("tool_calls", providers)


@pytest.mark.parametrize("scenario", ["reasoning", "reasoning_whole"])
def test_reasoning(saw: Saw, scenario: str) -> None:
    assert of_each(saw[scenario], "reasoning_content") == each(THOUGHT)
    assert of_each(saw[scenario], "content") == each(SAID)


@pytest.mark.parametrize("scenario", ["usage", "usage_whole"])
def test_usage(saw: Saw, scenario: str) -> None:
    usage = {provider: completion["usage"] for provider, completion in saw[scenario].items()}
    counted = {provider: (used["prompt_tokens"], used["completion_tokens"]) for provider, used in usage.items()}
    assert counted == each((11, 22))


def test_length(saw: Saw) -> None:
    assert of_each(saw["length"], "finish") == each("length")


@pytest.mark.parametrize("scenario", ["too_many", "unavailable"])
def test_retry_succeeds(saw: Saw, scenario: str) -> None:
    assert of_each(saw[scenario], "content") == each(SAID)


def test_http_error(saw: Saw) -> None:
    types = {provider: error["type"] for provider, error in saw["down"].items()}
    assert types == each("InternalServerError") | {"azure": types["azure"]}
    assert all(UNAVAILABLE in error["message"] for error in saw["down"].values())


def test_error_in_the_stream(saw: Saw) -> None:
    assert saw["breaks"].keys() == PROVIDERS - {"mistral"}
    for provider, error in saw["breaks"].items():
        assert error["heard"] == "Hello!", provider
        assert BROKEN in error["message"], provider
