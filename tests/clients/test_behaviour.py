"""Every provider's own client on the preset, which does as its requests ask: limits, stop texts, reasoning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.sdk import Saw, run_scenarios

pytestmark = pytest.mark.clients(group="providers")

SHORT, STOPPED = "Say hello", "Say hell"
THOUGHT = "Let me think."


@pytest.fixture(scope="module")
def saw(client_python: Callable[[str], Path]) -> Iterator[Saw]:
    with running_mockd(settings=Settings(preset="llm")) as mockd:
        yield run_scenarios(client_python("providers"), "behaviour", mockd.url)


@pytest.mark.parametrize("scenario", ["openai", "mistral"])
def test_chats(saw: Saw, scenario: str) -> None:
    assert saw[scenario] == [[SHORT, "length"], [STOPPED, "stop"]]


def test_responses(saw: Saw) -> None:
    seen = saw["openai_responses"]
    assert seen["short"] == [SHORT, "incomplete", "max_output_tokens", 2]
    assert (seen["tier"], seen["thought"]) == ("flex", THOUGHT)


def test_anthropic(saw: Saw) -> None:
    seen = saw["anthropic"]
    assert seen["short"] == [SHORT, "max_tokens", 2]
    assert seen["stopped"] == [STOPPED, "stop_sequence", "o t"]
    assert seen["thought"] == THOUGHT
    assert seen["cached"] == [4, 2]


def test_gemini(saw: Saw) -> None:
    seen = saw["gemini"]
    assert seen["short"] == [SHORT, "MAX_TOKENS"]
    assert seen["stopped"] == [STOPPED, "STOP"]
    assert (seen["thought"], seen["word"]) == ([THOUGHT], "rain")


def test_cohere(saw: Saw) -> None:
    seen = saw["cohere"]
    assert seen["said"] == [[SHORT, "MAX_TOKENS"], [STOPPED, "STOP_SEQUENCE"]]
    assert seen["thought"] == THOUGHT


def test_ollama(saw: Saw) -> None:
    seen = saw["ollama"]
    assert seen["said"] == [[SHORT, "length"], [STOPPED, "stop"]]
    assert seen["thought"] == THOUGHT
