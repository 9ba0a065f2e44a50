"""What every provider's own client calls besides chats, on the preset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockd.settings import Settings
from mockd.sources.llm.endpoints.embeddings import vector
from mockd.testing import running_mockd
from tests.clients.sdk import Saw, run_scenarios

pytestmark = pytest.mark.clients(group="providers")

SAID = "Say hello to me"
TOKENS = ["Say", " hello", " to", " me"]
REASONS = {
    "matcher": {"method": "POST", "path": "/reasons/responses"},
    "sse": {"template": "openai-responses", "templateParams": {"reasoning": "They greet me.", "text": "Hello"}},
}
CALLS = {
    "matcher": {"method": "POST", "path": "/calls/cohere/v1/chat"},
    "chunked": {"template": "cohere-chat-v1", "templateParams": {"obey": True, "autoTools": True, "text": "So it is."}},
}


@pytest.fixture(scope="module")
def saw(client_python: Callable[[str], Path]) -> Iterator[Saw]:
    with running_mockd(REASONS, CALLS, settings=Settings(preset="llm")) as mockd:
        yield run_scenarios(client_python("providers"), "endpoints", mockd.url)


def test_tokens(saw: Saw) -> None:
    assert saw["anthropic_tokens"] == [6, 6]
    assert saw["gemini_tokens"] == 4
    assert saw["openai_tokens"] == 4
    assert saw["anthropic_error"] == "messages: at least one message is required"


def test_models(saw: Saw) -> None:
    assert saw["models_with_slashes"] == ["meta-llama/Llama-3"] * 4
    assert saw["azure_models"] == ["gpt-5", "gpt-4o", "text-embedding-3-small"]
    assert saw["known_embeddings"] == [1536, 3072]


def test_health(saw: Saw) -> None:
    assert saw["health"] == {"status": "ok"}


def test_completions(saw: Saw) -> None:
    whole, tokens, streamed = saw["completions"]
    assert whole == ["one twothree", "one twothree", "threethree", "threethree"]
    assert tokens == ["one", " two", "three"]
    assert streamed == ["one", " two", ""]


def test_limits_of_completions(saw: Saw) -> None:
    found, best, refused = saw["limits_of_completions"]
    short, stopped, repeated = ["one", "length"], ["", "stop"], ["one two", "length"]
    assert found == [short, short, stopped, stopped, repeated, repeated]
    assert best == [2, 10]
    assert refused == ["best_of", "The results of 'best_of' cannot be streamed. Omit 'best_of' or 'stream'."]


def test_bases_in_the_form_of_openai(saw: Saw) -> None:
    assert saw["bases_in_the_form_of_openai"] == [[SAID, SAID]] * 6
    assert saw["claude_by_ollama"] == SAID


def test_vertex(saw: Saw) -> None:
    assert saw["gemini_on_vertex"] == [SAID, "gemini-any", TOKENS, 4]
    assert saw["gemini_on_vertex_with_a_key"] == SAID
    assert saw["claude_on_vertex"] == [SAID, "claude-any@1", TOKENS, 4]


def test_embeddings_on_vertex(saw: Saw) -> None:
    """The client asks for one or several, and older models by another method."""
    found, usual, characters = saw["embeddings_on_vertex"]
    values = vector("one two", 3)
    assert found == {
        "text-embedding-005 1": [values, 2],
        "text-embedding-005 2": [values, 2],
        "gemini-embedding-001 1": [values, 2],
        "gemini-embedding-001 2": [values, None],
    }
    assert (usual, characters) == (768, 7)


def test_stored_responses(saw: Saw) -> None:
    assert saw["stored_response"] == [SAID, True, [SAID], "Response with id 'ID' not found."]
    assert saw["response_in_the_background"] == [["queued", "in_progress", "completed"], SAID]
    assert saw["cancelled_response"] == ["cancelled", "cancelled"]
    assert saw["stream_that_goes_on"] == [True, SAID, "response.completed", SAID]


def test_conversations(saw: Saw) -> None:
    assert saw["conversation"] == [["First.", SAID, SAID, "Last."], "Last.", {"c": "d"}, 3, True]


def test_reasoning_without_a_summary(saw: Saw) -> None:
    bare, summed = saw["reasoning_without_a_summary"]
    assert [item["type"] for item in bare] == [item["type"] for item in summed] == ["reasoning", "message"]
    assert bare[0]["summary"] == []
    assert [part["text"] for part in summed[0]["summary"]] == ["They greet me."]


def test_a_websocket_is_refused_with_426(saw: Saw) -> None:
    assert "426" in saw["websocket"]


def test_cohere(saw: Saw) -> None:
    assert saw["cohere_ranks"] == [[1, 2], ["Paris is the capital of France.", "Madrid is a capital."]]
    assert saw["cohere_chat_of_version_1"] == [SAID, "COMPLETE", TOKENS, SAID]


def test_version_1_of_cohere(saw: Saw) -> None:
    short, stopped = ["Say hello", "MAX_TOKENS", 2], ["Say hell", "COMPLETE", 2]
    assert saw["cohere_limits_of_version_1"] == [short, short, stopped, stopped]
    calls, text = saw["cohere_steps_of_version_1"]
    for [(name, arguments)] in calls:
        assert (name, type(arguments["city"]), type(arguments["days"][0])) == ("look", str, int)
    assert text == "So it is."
    assert saw["cohere_refusals_of_version_1"] == [
        "invalid request: message must be at least 1 token long or tool results must be specified.",
        "invalid request: temperature must be between 0 and 1.0 inclusive.",
    ]


def test_embeddings_of_cohere(saw: Saw) -> None:
    packed = dict.fromkeys(("binary", "ubinary"), 192)
    lengths = {**dict.fromkeys(("float", "int8", "uint8"), 1536), **packed, "base64": 8192}
    assert saw["cohere_embeddings"] == ["embeddings_floats", 2, True, [lengths, lengths]]


def test_mistral(saw: Saw) -> None:
    assert saw["mistral_not_valid"] == ["HTTPValidationError", 422, "Input should be less than or equal to 1.5"]
    assert saw["mistral_fim"] == ["def f():", ["def", " f():"]]


def test_ollama(saw: Saw) -> None:
    seen = saw["ollama_models"]
    assert seen["pulled"] == [["pulling manifest", None], ["success", None]]
    assert seen["whole"] == "success"
    assert seen["running"] == ["llama3.2:latest"]
    assert len(set(seen["digests"])) == 2
    assert seen["chats"] == ["completion", "tools", "thinking", "vision"]
    assert seen["embeds"] == ["embedding"]
