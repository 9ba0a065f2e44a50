"""Frameworks that get an object out of a model, on the preset: its replies are what the frameworks demand, though no
script says so. Each of them has looked itself whether the object is valid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.sdk import Saw, run_scenarios

GROUPS = {
    "pydantic_ai": "frameworks",
    "langchain": "frameworks",
    "instructor": "instructor",
    "dspy": "instructor",
    "strands": "strands",
}
PROVIDERS = ("openai", "responses", "anthropic", "gemini", "mistral")
WEATHER = {"city": "text..", "days": 3, "kinds": ["text"]}

SawOf = Callable[[str], Saw]


@pytest.fixture(scope="module")
def saw_of(client_python: Callable[[str], Path]) -> Iterator[SawOf]:
    """What the scenarios of a framework saw."""
    seen: dict[str, Saw] = {}
    with running_mockd(settings=Settings(preset="llm", preset_text="It rains.")) as mockd:

        def see(name: str) -> Saw:
            if name not in seen:
                seen[name] = run_scenarios(client_python(GROUPS[name]), f"structured_{name}", mockd.url)
            return seen[name]

        yield see


@pytest.mark.clients(group="frameworks")
@pytest.mark.parametrize("scenario", ["output_type", "output_type_streamed"])
def test_pydantic_ai(saw_of: SawOf, scenario: str) -> None:
    assert saw_of("pydantic_ai")[scenario] == dict.fromkeys(PROVIDERS, WEATHER)


@pytest.mark.clients(group="frameworks")
def test_pydantic_ai_with_a_tool(saw_of: SawOf) -> None:
    seen = saw_of("pydantic_ai")["with_a_tool"]
    assert seen == {"found": dict.fromkeys(PROVIDERS, WEATHER), "used": dict.fromkeys(PROVIDERS, 1)}


@pytest.mark.clients(group="frameworks")
def test_langchain(saw_of: SawOf) -> None:
    seen = saw_of("langchain")
    unbounded = {"city": "text", "days": 1, "kinds": ["text"]}
    assert seen["function_calling"] == dict.fromkeys(PROVIDERS, unbounded)
    assert seen["ollama"] == unbounded


@pytest.mark.clients(group="instructor")
@pytest.mark.parametrize("scenario", ["openai", "openai_json", "openai_json_in_a_block", "anthropic", "anthropic_json"])
def test_instructor(saw_of: SawOf, scenario: str) -> None:
    assert saw_of("instructor")[scenario] == WEATHER


@pytest.mark.clients(group="instructor")
@pytest.mark.parametrize("scenario", ["by_a_schema", "by_the_prompt"])
def test_dspy(saw_of: SawOf, scenario: str) -> None:
    fields: dict[str, Any] = {"answer": "text", "days": 1, "sure": True, "kind": "rain", "kinds": ["text"]}
    assert saw_of("dspy")[scenario] == fields


@pytest.mark.clients(group="strands")
def test_strands(saw_of: SawOf) -> None:
    assert saw_of("strands")["structured_output"] == {"openai": WEATHER, "anthropic": WEATHER}
