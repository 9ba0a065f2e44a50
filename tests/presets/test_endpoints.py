"""What clients call besides chats: tokens, models, ranks, websockets, and bases in the form of OpenAI."""

from __future__ import annotations

import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from mockd.sources.llm.endpoints.embeddings import DIMENSIONS
from tests.presets.asking import CHAT, MESSAGES, SAID
from tests.wire.sockets import PATIENCE_S

# -- counting tokens ---------------------------------------------------------------------------------------------------

PARTS = {"contents": [{"role": "user", "parts": [{"text": SAID}]}]}
CLAUDE = "/v1/projects/p/locations/l/publishers/anthropic/models"
GEMINI = "/v1/projects/p/locations/l/publishers/google/models"


@pytest.mark.parametrize(
    ("path", "body", "field", "answer", "used"),
    [
        (
            "/v1/messages/count_tokens",
            {**CHAT, "system": "Be kind."},
            "input_tokens",
            "/v1/messages",
            lambda body: body["usage"]["input_tokens"],
        ),
        (
            "/v1/responses/input_tokens",
            {"model": "m", "input": SAID, "instructions": "Be kind."},
            "input_tokens",
            "/v1/responses",
            lambda body: body["usage"]["input_tokens"],
        ),
        (
            "/v1beta/models/m:countTokens",
            {**PARTS, "systemInstruction": {"parts": [{"text": "Be kind."}]}},
            "totalTokens",
            "/v1beta/models/m:generateContent",
            lambda body: body["usageMetadata"]["promptTokenCount"],
        ),
        (
            f"{GEMINI}/m:countTokens",
            PARTS,
            "totalTokens",
            f"{GEMINI}/m:generateContent",
            lambda body: body["usageMetadata"]["promptTokenCount"],
        ),
        (
            f"{CLAUDE}/count-tokens:rawPredict",
            {**CHAT, "anthropic_version": "vertex-2023-10-16"},
            "input_tokens",
            f"{CLAUDE}/m:rawPredict",
            lambda body: body["usage"]["input_tokens"],
        ),
    ],
)
def test_tokens_are_counted_as_the_answer_counts_them(
    url: str, path: str, body: Any, field: str, answer: str, used: Any
) -> None:
    counted = httpx2.post(url + path, json=body).json()[field]
    whole = httpx2.post(url + answer, json={**body, "max_tokens": 9}).json()
    assert counted == used(whole) > 0


def test_gemini_counts_a_whole_request(url: str) -> None:
    place = url + "/v1beta/models/m:countTokens"
    whole = {**PARTS, "systemInstruction": {"parts": [{"text": "Be kind."}]}}
    assert httpx2.post(place, json={"generateContentRequest": whole}).json() == {
        "totalTokens": 6,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}],
    }


def test_anthropic_counts_no_tokens_of_nothing(url: str) -> None:
    answer = httpx2.post(url + "/v1/messages/count_tokens", json={"model": "m"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "messages: Field required")


# -- Vertex AI ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("before", ["/projects/p/locations/l", ""])
def test_gemini_on_vertex(url: str, version: str, before: str) -> None:
    at = f"{url}/{version}{before}/publishers/google/models/gemini-x"
    assert httpx2.post(f"{at}:generateContent", json=PARTS).json()["modelVersion"] == "gemini-x"
    streamed = httpx2.post(f"{at}:streamGenerateContent?alt=sse", json=PARTS)
    assert streamed.headers["content-type"].startswith("text/event-stream")


def test_claude_on_vertex_has_its_model_in_the_path(url: str) -> None:
    body = {"anthropic_version": "vertex-2023-10-16", "messages": MESSAGES, "max_tokens": 9}
    answer = httpx2.post(f"{url}{CLAUDE}/claude-x@20250101:rawPredict", json=body).json()
    assert (answer["model"], answer["content"][0]["text"]) == ("claude-x@20250101", SAID)
    del body["anthropic_version"]
    refused = httpx2.post(f"{url}{CLAUDE}/claude-x:rawPredict", json=body)
    assert refused.json()["error"]["message"] == "anthropic_version: Field required"


# -- models ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/v1", "/openai/v1", "/azure/openai/v1", "/ollama/v1", "/gemini/v1beta/openai"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("gpt-x", "gpt-x"),
        ("meta-llama/Llama-3", "meta-llama/Llama-3"),
        ("meta-llama%2FLlama-3", "meta-llama/Llama-3"),
        ("accounts/a/models/llama", "accounts/a/models/llama"),
    ],
)
def test_the_name_of_a_model_may_have_slashes(url: str, base: str, path: str, name: str) -> None:
    answer = httpx2.get(f"{url}{base}/models/{path}")
    assert (answer.json()["id"], answer.json()["object"]) == (name, "model")


def test_health(url: str) -> None:
    assert httpx2.get(url + "/health").json() == {"status": "ok"}


# -- bases in the form of OpenAI ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "base",
    [
        "/ollama/v1",
        "/gemini/v1beta/openai",
        "/v1beta/openai",
        "/cohere/compatibility/v1",
        "/compatibility/v1",
        "/anthropic/v1",
    ],
)
def test_a_chat_in_the_form_of_openai(url: str, base: str) -> None:
    answer = httpx2.post(f"{url}{base}/chat/completions", json=CHAT).json()
    assert (answer["object"], answer["choices"][0]["message"]["content"]) == ("chat.completion", SAID)


# -- WebSocket ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/responses", "/openai/v1/responses", "/openai/responses?x=1"])
def test_a_websocket_is_refused_at_once_and_http_goes_on(url: str, path: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=PATIENCE_S) as client:
        offer = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YQ==\r\n"
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{offer}\r\n".encode())
        answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
        assert b"\r\nupgrade: HTTP/1.1\r\n" in answer
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_without_a_websocket_it_is_no_path(url: str) -> None:
    assert httpx2.get(url + "/v1/responses").status_code == 404


# -- Cohere's rerank ---------------------------------------------------------------------------------------------------

DOCUMENTS = ["A cat sat.", {"text": "Paris is the capital of France."}, "The capital of Spain is Madrid."]


@pytest.mark.parametrize("version", ["1", "2"])
def test_the_document_with_most_words_of_the_query_is_first(url: str, version: str) -> None:
    body = {"model": "m", "query": "capital of France", "documents": DOCUMENTS}
    answer = httpx2.post(f"{url}/v{version}/rerank", json=body).json()
    assert [result["index"] for result in answer["results"]] == [1, 2, 0]
    scores = [result["relevance_score"] for result in answer["results"]]
    assert scores == [0.98, 0.66, 0.02]
    assert answer["meta"]["api_version"] == {"version": version}
    top = httpx2.post(f"{url}/v{version}/rerank", json={**body, "top_n": 1, "return_documents": True}).json()
    assert top["results"] == [
        {"document": {"text": "Paris is the capital of France."}, "index": 1, "relevance_score": 0.98}
    ]


def test_ranks_are_bounded_and_need_a_query(url: str) -> None:
    many = httpx2.post(url + "/v2/rerank", json={"model": "m", "query": "a", "documents": ["a"] * 10_001})
    assert (many.status_code, many.json()["message"]) == (400, "too many documents: 10001; the limit is 10000")
    assert httpx2.post(url + "/v2/rerank", json={"model": "m", "documents": ["a"]}).status_code == 400


# -- Mistral's Fill in the Middle --------------------------------------------------------------------------------------


def test_fill_in_the_middle(url: str) -> None:
    body = {"model": "codestral-latest", "prompt": "def f():", "suffix": "return 1 + 1"}
    answer = httpx2.post(url + "/v1/fim/completions", json=body).json()
    assert answer["choices"][0]["message"]["content"] == "def f():"
    assert answer["usage"]["prompt_tokens"] == 6
    assert httpx2.post(url + "/v1/fim/completions", json={"model": "m"}).status_code == 422


# -- Ollama ------------------------------------------------------------------------------------------------------------


def test_a_pull_tells_how_far_it_is(url: str) -> None:
    answer = httpx2.post(url + "/api/pull", json={"model": "llama3.2"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0] == {"status": "pulling manifest"}
    assert lines[-1] == {"status": "success"}
    layers: dict[str, list[int]] = {}
    for line in lines:
        if "digest" in line:
            assert line["status"] == f"pulling {line['digest'].removeprefix('sha256:')[:12]}"
            layers.setdefault(line["digest"], []).append(line.get("completed", 0))
            assert line.get("completed", 0) <= line["total"]
    assert len(layers) == 3
    assert all(done == sorted(done) for done in layers.values())
    whole = httpx2.post(url + "/api/pull", json={"model": "llama3.2", "stream": False})
    assert whole.json() == {"status": "success"}
    assert httpx2.post(url + "/api/pull", json={"name": "llama3.2", "stream": False}).status_code == 200
    assert httpx2.post(url + "/api/pull", json={}).json() == {"error": "model is required"}


def test_each_model_has_a_digest_of_its_own(url: str) -> None:
    models = httpx2.get(url + "/api/tags").json()["models"]
    digests = [model["digest"] for model in models]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)
    assert len(set(digests)) == len(models) == 2
    [running] = httpx2.get(url + "/api/ps").json()["models"]
    assert (running["name"], running["digest"]) == (models[0]["name"], digests[0])
    assert "modified_at" not in running
    assert running["size_vram"] > 0


@pytest.mark.parametrize(
    ("model", "can"),
    [
        ("llama3.2", ["completion", "tools", "thinking", "vision"]),
        ("nomic-embed-text", ["embedding"]),
        ("all-minilm:33m", ["embedding"]),
        ("bge-m3", ["embedding"]),
    ],
)
def test_a_model_is_shown_as_what_it_is(url: str, model: str, can: list[str]) -> None:
    shown = httpx2.post(url + "/api/show", json={"model": model}).json()
    assert shown["capabilities"] == can
    family = shown["model_info"]["general.architecture"]
    assert shown["details"]["family"] == family
    assert f"{family}.context_length" in shown["model_info"]
    assert httpx2.post(url + "/api/show", json={}).json() == {"error": "model is required"}


@pytest.mark.parametrize("path", ["/", "/ollama/"])
def test_ollama_says_that_it_runs(url: str, path: str) -> None:
    assert httpx2.get(url + path).text == "Ollama is running"
    assert httpx2.head(url + path).status_code == 200


def test_a_browser_gets_the_page_of_mockd(url: str) -> None:
    answer = httpx2.get(url + "/", headers={"Sec-Fetch-Dest": "document"})
    assert answer.headers["content-type"].startswith("text/html")


# -- embeddings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["text-embedding-3-small", "text-embedding-3-large"])
def test_a_known_model_has_its_dimensions(url: str, model: str) -> None:
    found = httpx2.post(url + "/v1/embeddings", json={"model": model, "input": "a"}).json()["data"][0]["embedding"]
    assert len(found) == DIMENSIONS[model]
