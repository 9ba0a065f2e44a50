"""The preset with every provider's own client: embeddings, models, moderations, structured output, shared paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockd.settings import Settings
from mockd.sources.llm.endpoints.embeddings import vector
from mockd.testing import running_mockd
from tests.clients.sdk import Saw, run_scenarios

pytestmark = pytest.mark.clients(group="providers")

PERSON = {"name": "text", "age": 1, "friends": ["text"]}
VECTORS = [pytest.approx(list(vector(text, 4))) for text in ("one two", "three")]


@pytest.fixture(scope="module")
def saw(client_python: Callable[[str], Path]) -> Iterator[Saw]:
    with running_mockd(settings=Settings(preset="llm")) as mockd:
        yield run_scenarios(client_python("providers"), "preset", mockd.url)


def test_openai_embeddings(saw: Saw) -> None:
    packed, plain = saw["openai_embeddings"]
    assert packed == VECTORS
    assert plain == VECTORS


def test_openai_moderations(saw: Saw) -> None:
    results = saw["openai_moderations"]
    assert [result["flagged"] for result in results] == [False, False]
    assert results[0]["categories"]["self_harm_intent"] is False


def test_gemini_embeddings(saw: Saw) -> None:
    one, several = saw["gemini_embeddings"]
    assert one == VECTORS[:1]
    assert several == VECTORS


def test_mistral_embeddings(saw: Saw) -> None:
    assert saw["mistral_embeddings"] == VECTORS


def test_cohere_embeddings(saw: Saw) -> None:
    floats, whole, bits = saw["cohere_embeddings"]
    assert floats == [pytest.approx(list(vector(text, 8))) for text in ("one two", "three")]
    assert whole == [[round(number * 127) for number in numbers] for numbers in floats]
    assert [len(packed) for packed in bits] == [1, 1]


def test_ollama_embeddings(saw: Saw) -> None:
    several, dimensions = saw["ollama_embeddings"]
    assert several == VECTORS
    assert dimensions == 768


@pytest.mark.parametrize(
    ("scenario", "first", "asked"),
    [
        ("openai_models", "gpt-5", "gpt-any"),
        ("anthropic_models", "claude-sonnet-4-5", "claude-any"),
        ("gemini_models", "models/gemini-2.5-pro", "models/gemini-any"),
        ("mistral_models", "mistral-large-latest", "mistral-any"),
    ],
)
def test_models(saw: Saw, scenario: str, first: str, asked: str) -> None:
    listed, one = saw[scenario]
    assert listed[0] == first
    assert one == asked


def test_ollama_models(saw: Saw) -> None:
    listed, capabilities = saw["ollama_models"]
    assert "llama3.2:latest" in listed
    assert "tools" in capabilities


@pytest.mark.parametrize("scenario", ["openai_parsed", "responses_parsed", "gemini_parsed"])
def test_structured_output(saw: Saw, scenario: str) -> None:
    assert saw[scenario] == PERSON


def test_clients_where_providers_share_a_path(saw: Saw) -> None:
    content, usage = saw["mistral_on_the_path_of_openai"]
    assert content == "Say hello"
    assert "prompt_tokens_details" not in usage
    assert saw["ollama_on_the_path_of_the_ui"] == "Say hello"
    assert saw["openai_without_a_version"] == "Say hello"
