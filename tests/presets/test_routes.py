"""Every route of the preset answers as its provider does, at its own path and under the provider's name."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from mockd.config.load import MockSpec
from mockd.presets import configured
from mockd.presets.llm import LLM
from mockd.presets.routes import PRIORITY
from mockd.settings import Settings
from mockd.sources.llm import WIRES
from mockd.testing import running_mockd
from tests.presets.asking import ASKED, CHAT, MESSAGES, ONLY_STREAMS, SAID, asked, payloads, texts

SPECS = configured(Settings(preset="llm"))
STREAM_TYPES = ("text/event-stream", "application/x-ndjson", "application/stream+json")

# As the clients themselves send it.
USER_AGENTS_OF_MISTRAL = [
    "mistral-client-python/2.0.0",
    "mistral-client-typescript/1.10.0",
    "ai/6.0.0 ai-sdk/mistral/3.0.0 runtime/node.js/20",
]
USER_AGENTS_OF_OTHERS = ["OpenAI/Python 3.0.0", "OpenAI/JS 6.0.0", "ai/6.0.0 ai-sdk/openai/3.0.0", "curl/8"]


def template_of(spec: MockSpec) -> str | None:
    part = spec.doc.get("sse") or spec.doc.get("chunked") or spec.doc["response"]
    template: str | None = part.get("template")
    return template


def place_of(spec: MockSpec) -> tuple[str, dict[str, str]]:
    """A path that a mock is for, and the headers it wants."""
    matcher = spec.mock.matcher
    path = re.sub(r"\{\w+\}", "any", matcher.path or "")
    return path, {name: value.replace("*", "x") for name, value in matcher.headers.items()}


CHATS = [spec for spec in SPECS if template_of(spec) in ASKED]
PLAIN = [spec for spec in SPECS if template_of(spec) is None]


def id_of(spec: MockSpec) -> str:
    return spec.id


def test_every_wire_has_a_route() -> None:
    assert {template_of(spec) for spec in CHATS} == set(WIRES)


@pytest.mark.parametrize(
    "spec", [spec for spec in CHATS if ":generate" not in (spec.mock.matcher.path or "")], ids=id_of
)
def test_a_chat_streams_what_was_said(url: str, spec: MockSpec) -> None:
    template = template_of(spec)
    assert template is not None
    path, headers = place_of(spec)
    query = "?alt=sse" if template == "gemini" else ""
    answer = httpx2.post(url + path + query, json=asked(template, stream=True), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(STREAM_TYPES)
    said = texts(payloads(answer.text))
    assert [word for word in said if word in ("Say", " hello", " to", " me")] == ["Say", " hello", " to", " me"]


@pytest.mark.parametrize(
    "spec",
    [
        spec
        for spec in CHATS
        if template_of(spec) not in ONLY_STREAMS and ":stream" not in (spec.mock.matcher.path or "")
    ],
    ids=id_of,
)
def test_a_chat_answers_in_one_piece(url: str, spec: MockSpec) -> None:
    template = template_of(spec)
    assert template is not None
    path, headers = place_of(spec)
    answer = httpx2.post(url + path, json=asked(template, stream=False), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert SAID in texts(answer.json())


@pytest.mark.parametrize("spec", CHATS, ids=id_of)
@pytest.mark.parametrize("body", [b"{}", b"{", b"[]", b""], ids=["empty", "broken", "list", "none"])
def test_a_bad_request_is_refused(url: str, spec: MockSpec, body: bytes) -> None:
    path, headers = place_of(spec)
    answer = httpx2.post(url + path, content=body, headers=headers)
    is_mistral = (template_of(spec) or "").startswith("mistral")  # which answers 422 if fields are missing
    assert answer.status_code in ((400, 422) if is_mistral else (400,))
    assert answer.headers["content-type"].startswith("application/json")
    assert any(len(text) > 5 for text in texts(answer.json()))


@pytest.mark.parametrize("spec", PLAIN, ids=id_of)
def test_what_is_always_the_same(url: str, spec: MockSpec) -> None:
    path, headers = place_of(spec)
    answer = httpx2.request(spec.mock.matcher.method or "", url + path, headers=headers, json={"model": "m"})
    assert spec.mock.response is not None
    assert answer.status_code == spec.mock.response.status
    assert "{{ request" not in answer.text
    if path.endswith("/models/any"):
        assert {"any", "models/any"} & set(texts(answer.json()))


@pytest.mark.parametrize("provider", LLM.base_urls)
def test_a_base_url_leads_to_its_provider(provider: str) -> None:
    paths = [spec.mock.matcher.path or "" for spec in SPECS if spec.id.startswith(f"llm-{provider}-")]
    assert any(path.startswith(LLM.base_urls[provider]) for path in paths)
    assert {route.provider for route in LLM.routes} == set(LLM.base_urls)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("provider", LLM.bases)
def test_at_a_base_url_there_is_something(url: str, provider: str, method: str) -> None:
    for path in LLM.bases[provider]:
        for slash in ("", "/"):
            answer = httpx2.request(method, url + path + slash)
            assert answer.status_code == 200
            if method == "HEAD":
                assert answer.content == b""
            elif path + slash == "/ollama/":
                assert answer.text == "Ollama is running"
            else:
                assert answer.json() == {"service": provider, "mockedBy": "mockd"}


@pytest.mark.parametrize("path", ["/nobody", "/v2", "/openai/v1/x", "/anthropic//"])
def test_elsewhere_there_is_nothing(url: str, path: str) -> None:
    assert httpx2.get(url + path).status_code == 404
    assert httpx2.get(url).text == "Ollama is running"


# -- two providers in one place ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", [*USER_AGENTS_OF_MISTRAL, *USER_AGENTS_OF_OTHERS])
def test_mistral_is_known_by_its_clients(url: str, agent: str) -> None:
    is_mistral = agent in USER_AGENTS_OF_MISTRAL
    answers = {
        path: httpx2.post(url + path, json={**CHAT, "input": ["a"]}, headers={"User-Agent": agent}).json()
        for path in ("/v1/chat/completions", "/v1/embeddings")
    }
    assert ("service_tier" in answers["/v1/chat/completions"]) is not is_mistral
    assert ("completion_tokens" in answers["/v1/embeddings"]["usage"]) is is_mistral
    models = httpx2.get(url + "/v1/models", headers={"User-Agent": agent}).json()["data"]
    assert ("capabilities" in models[0]) is is_mistral


def test_the_ui_is_known_by_the_parts_of_its_messages(url: str) -> None:
    parts = [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}]
    ui = httpx2.post(url + "/api/chat", json={"id": "1", "messages": parts})
    assert ui.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert payloads(ui.text)[0]["type"] == "start"
    ollama = httpx2.post(url + "/api/chat", json=CHAT)
    assert ollama.headers["content-type"] == "application/x-ndjson"
    assert payloads(ollama.text)[-1]["done"] is True


@pytest.mark.parametrize(
    ("headers", "path", "keys"),
    [
        ({}, "/v1/models", {"object", "data"}),
        ({"anthropic-version": "2023-06-01"}, "/v1/models", {"data", "has_more", "first_id", "last_id"}),
        ({"x-goog-api-key": "any"}, "/v1/models", {"models"}),
        ({}, "/v1beta/models", {"models"}),
        ({}, "/v1/models/m", {"id", "object", "created", "owned_by"}),
        ({"anthropic-version": "2023-06-01"}, "/v1/models/m", {"type", "id", "display_name", "created_at"}),
    ],
)
def test_models_are_listed_as_who_asks_knows_them(url: str, headers: dict[str, str], path: str, keys: set[str]) -> None:
    assert httpx2.get(url + path, headers=headers).json().keys() == keys


def test_azure_and_openai_share_a_prefix(url: str) -> None:
    azure = httpx2.post(f"{url}/openai/deployments/mine/chat/completions?api-version=1", json={"messages": MESSAGES})
    assert azure.json()["prompt_filter_results"]
    assert "prompt_filter_results" not in httpx2.post(f"{url}/openai/v1/chat/completions", json=CHAT).json()


def test_methods_of_gemini_that_are_not_mocked_are_missed(url: str) -> None:
    answer = httpx2.post(url + "/v1beta/models/m:predict", json=ASKED["gemini"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_match")


def test_the_nearest_to_a_request_with_the_wrong_method_asks_for_nothing_else(url: str) -> None:
    nearest = httpx2.get(url + "/v1/chat/completions").json()["nearMisses"][0]
    assert (nearest["mockId"], nearest["matchPercentage"]) == ("llm-openai-chat", 60)


# -- mocks of one's own ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/*", "/*"])
def test_mocks_of_ones_own_win(path: str) -> None:
    own: dict[str, Any] = {"matcher": {"path": path}, "response": {"body": "mine"}}
    with running_mockd(own, settings=Settings(preset="llm")) as mockd:
        agent = {"User-Agent": USER_AGENTS_OF_MISTRAL[0]}
        assert httpx2.post(mockd.url + "/v1/chat/completions", json=CHAT, headers=agent).text == "mine"


def test_a_preset_is_below_everything() -> None:
    assert {spec.mock.priority for spec in SPECS} == {PRIORITY}
    assert len({spec.id for spec in SPECS}) == len(SPECS)
