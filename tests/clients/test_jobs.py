"""A script carries every provider's own client through a job: a tool, another that depends on its result, an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.node_sdk import Outcomes, make_calls
from tests.clients.sdk import Saw, run_scenarios

ANSWERS = ("Take an umbrella to Rome.", "All in turn.")
CITY: dict[str, Any] = {"toolCalls": [{"name": "get_city"}]}
WEATHER: dict[str, Any] = {"toolCalls": [{"name": "get_weather", "arguments": {"city": "Rome"}}]}
SCRIPT = [
    {"when": {"contains": "In turn"}, "replies": [CITY, WEATHER, {"text": ANSWERS[1]}]},
    {"when": {"tools": ["get_city", "get_weather"], "step": 0, "contains": "umbrella"}, "reply": CITY},
    {"when": {"toolName": "get_city", "toolResultContains": "Rome"}, "reply": WEATHER},
    {
        "when": {"toolName": "get_weather", "toolResultContains": "Rain in Rome", "step": 2},
        "reply": {"text": ANSWERS[0]},
    },
]
WHOLE_JOBS = [[["get_city", "get_weather"], answer] for answer in ANSWERS]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    file = tmp_path_factory.mktemp("script") / "script.json"
    file.write_text(json.dumps(SCRIPT), encoding="utf-8")
    return Settings(preset="llm", preset_script=str(file))


@pytest.fixture(scope="module")
def saw(client_python: Callable[[str], Path], settings: Settings) -> Iterator[Saw]:
    with running_mockd(settings=settings) as mockd:
        yield run_scenarios(client_python("providers"), "jobs", mockd.url)


@pytest.mark.clients(group="providers")
@pytest.mark.parametrize(
    "client",
    [
        "openai",
        "openai_responses",
        "openai_previous",
        "openai_conversation",
        "anthropic",
        "gemini",
        "mistral",
        "cohere",
        "ollama",
    ],
)
def test_a_job(saw: Saw, client: str) -> None:
    assert saw[client] == WHOLE_JOBS


@pytest.mark.clients(group="openai")
@pytest.mark.parametrize("way", ["previous", "conversation", "session"])
def test_a_job_of_the_agents_sdk_that_sends_only_what_is_new(agents_saw: Saw, way: str) -> None:
    assert agents_saw[way] == WHOLE_JOBS


@pytest.fixture(scope="module")
def agents_saw(client_python: Callable[[str], Path], settings: Settings) -> Iterator[Saw]:
    with running_mockd(settings=settings) as mockd:
        yield run_scenarios(client_python("openai"), "jobs_openai_agents", mockd.url)


@pytest.fixture(scope="module")
def outcomes(node_clients: None, settings: Settings) -> Outcomes:
    with running_mockd(settings=settings) as mockd:
        return make_calls("behave", [{"id": "jobs", "name": "jobs", "url": mockd.url, "attempts": 1}])


@pytest.mark.clients(group="node")
@pytest.mark.parametrize("provider", ["openaiChat", "openaiResponses", "anthropic", "google", "mistral", "cohere"])
def test_a_job_in_node(outcomes: Outcomes, provider: str) -> None:
    assert outcomes.reply("jobs")[provider] == WHOLE_JOBS
