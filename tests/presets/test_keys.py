"""`--require-key`: no route of the preset answers without a key, and the key is seen nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockd import AdminClient
from mockd.config.load import MockSpec
from mockd.errors import ConfigError
from mockd.presets import configured
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.cli.harness import Served, free_port
from tests.presets.asking import ASKED, CHAT
from tests.presets.test_routes import SPECS, id_of, place_of, template_of

KEY, OTHER = "canary-key-1f9e", "canary-key-77ab"
OF_PROVIDERS = {
    "openai": {"authorization": f"Bearer {KEY}"},
    "azure": {"api-key": KEY},
    "anthropic": {"x-api-key": KEY},
    "gemini": {"x-goog-api-key": KEY},
    "vertex": {"authorization": f"Bearer {KEY}"},
    "ollama": {"authorization": f"bearer {KEY}"},
    "cohere": {"authorization": f"Bearer {KEY}"},
    "mistral": {"authorization": f"Bearer {KEY}"},
    "vercel": {"authorization": f"Bearer {KEY}"},
    "ag-ui": {"authorization": f"Bearer {KEY}"},
}
OWN: dict[str, Any] = {"id": "own", "matcher": {"path": "/own/v1/models"}, "response": {"body": "mine"}}


@pytest.fixture(scope="module")
def locked() -> Iterator[RunningMockd]:
    with running_mockd(OWN, settings=Settings(preset="llm", require_key=(OTHER, KEY))) as mockd:
        yield mockd


def provider_of(spec: MockSpec) -> str:
    return next(name for name in OF_PROVIDERS if spec.id.startswith(f"llm-{name}-"))


def ask(url: str, spec: MockSpec, headers: dict[str, str]) -> httpx2.Response:
    path, wanted = place_of(spec)
    method = spec.mock.matcher.method or "POST"
    body = ASKED.get(template_of(spec) or "", CHAT) if method == "POST" else None
    return httpx2.request(method, url + path, json=body, headers={**wanted, **headers})


@pytest.mark.parametrize("spec", SPECS, ids=id_of)
def test_every_route_needs_a_key(locked: RunningMockd, spec: MockSpec) -> None:
    own = OF_PROVIDERS[provider_of(spec)]
    for headers in ({}, {name: value.replace(KEY, "wrong") for name, value in own.items()}):
        refused = ask(locked.url, spec, headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.headers["content-type"].startswith("application/json")
        assert not [name for name in refused.headers if "ratelimit" in name]
        assert refused.json()
    answer = ask(locked.url, spec, own)
    assert answer.status_code != 401
    assert "no_match" not in answer.text


WORDS = {
    "/openai/v1/chat/completions": (
        ["error", "message"],
        "You didn't provide an API key.",
        "Incorrect API key provided: ***.",
    ),
    "/azure/openai/v1/responses": (["error", "message"], "Access denied due to", "Access denied due to"),
    "/anthropic/v1/messages": (["error", "message"], "x-api-key header is required", "invalid x-api-key"),
    "/gemini/v1beta/models/m:generateContent": (["error", "status"], "UNAUTHENTICATED", "UNAUTHENTICATED"),
    "/mistral/v1/chat/completions": (["message"], "Unauthorized", "Unauthorized"),
    "/cohere/v2/chat": (["message"], "no api key supplied", "invalid api token"),
    "/ag-ui/agent": (["code"], "UNAUTHORIZED", "UNAUTHORIZED"),
    "/ollama/api/chat": (["error"], "unauthorized", "unauthorized"),
}


@pytest.mark.parametrize("path", WORDS)
def test_it_is_refused_in_the_words_of_its_provider(locked: RunningMockd, path: str) -> None:
    place, missing, wrong = WORDS[path]
    for headers, words in (({}, missing), ({"authorization": "Bearer no", "x-api-key": "no", "api-key": "no"}, wrong)):
        said = httpx2.post(locked.url + path, json=CHAT, headers=headers).json()
        for name in place:
            said = said[name]
        assert said.startswith(words)


def test_openai_tells_a_missing_key_from_a_wrong_one(locked: RunningMockd) -> None:
    url = locked.url + "/v1/chat/completions"
    errors = [httpx2.post(url, json=CHAT, headers=each).json()["error"] for each in ({}, {"authorization": "Bearer x"})]
    assert [(error["type"], error["code"]) for error in errors] == [
        ("invalid_request_error", None),
        ("invalid_request_error", "invalid_api_key"),
    ]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/gemini/v1beta/models", {"x-goog-api-key": KEY}),
        (f"/gemini/v1beta/models?key={KEY}", {}),
        ("/gemini/v1beta/models", {"authorization": f"Bearer {KEY}"}),
        ("/azure/openai/v1/models", {"api-key": KEY}),
        ("/azure/openai/v1/models", {"authorization": f"Bearer {KEY}"}),
        ("/anthropic/v1/models", {"anthropic-version": "1", "x-api-key": KEY}),
        ("/anthropic/v1/models", {"anthropic-version": "1", "authorization": f"BEARER  {KEY}"}),
        ("/anthropic/v1/models", {"anthropic-version": "1", "x-api-key": "other", "authorization": f"Bearer {KEY}"}),
        ("/openai/v1/models", {"authorization": f"Bearer {OTHER}"}),
    ],
)
def test_the_places_of_a_key(locked: RunningMockd, path: str, headers: dict[str, str]) -> None:
    assert httpx2.get(locked.url + path, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/openai/v1/models", {"x-api-key": KEY}),
        (f"/openai/v1/models?key={KEY}", {}),
        ("/openai/v1/models", {"authorization": KEY}),
        ("/openai/v1/models", {"authorization": f"Basic {KEY}"}),
        ("/openai/v1/models", {"authorization": "Bearer"}),
        ("/openai/v1/models", {"authorization": f"Bearer {KEY}x"}),
        ("/openai/v1/models", {"authorization": f"Bearer {KEY[:-1]}"}),
        ("/anthropic/v1/models", {"anthropic-version": "1", "x-goog-api-key": KEY}),
    ],
)
def test_a_key_in_the_place_of_another_provider_is_none(
    locked: RunningMockd, path: str, headers: dict[str, str]
) -> None:
    assert httpx2.get(locked.url + path, headers=headers).status_code == 401


def test_a_compatible_service_takes_its_clients_keys(locked: RunningMockd) -> None:
    """OpenAI's client at Anthropic sends a bearer token, Anthropic's client at Ollama its own header."""
    path = locked.url + "/anthropic/v1/chat/completions"
    assert httpx2.post(path, json=CHAT, headers={"authorization": f"Bearer {KEY}"}).status_code == 200
    assert httpx2.post(path, json=CHAT).json()["error"]["type"] == "invalid_request_error"
    path = locked.url + "/ollama/v1/messages"
    assert httpx2.post(path, json={**CHAT, "max_tokens": 9}, headers={"x-api-key": KEY}).status_code == 200


def test_heads_need_a_key_and_preflights_none(locked: RunningMockd) -> None:
    url = locked.url + "/openai/v1/models"
    assert httpx2.head(url).status_code == 401
    assert httpx2.head(url, headers=OF_PROVIDERS["openai"]).status_code == 200
    asked = {"Origin": "https://page.test", "Access-Control-Request-Method": "GET"}
    assert httpx2.options(url, headers=asked).status_code == 204


def test_mocks_of_ones_own_need_none(locked: RunningMockd) -> None:
    assert httpx2.get(locked.url + "/own/v1/models").text == "mine"


def test_a_route_that_is_changed_is_a_mock_of_ones_own() -> None:
    with running_mockd(settings=Settings(preset="llm", require_key=(KEY,))) as mockd:
        with AdminClient(mockd.admin_url) as admin:
            admin.patch_mock("llm-openai-models", {"name": "mine"})
        assert httpx2.get(mockd.url + "/v1/models").status_code == 200
        assert httpx2.get(mockd.url + "/openai/v1/models").status_code == 401


def test_without_the_setting_nobody_needs_a_key(url: str) -> None:
    assert httpx2.get(url + "/openai/v1/models").status_code == 200


@pytest.mark.parametrize("key", ["", " ", "a b ", "k\n", "clé"])
def test_a_key_that_no_client_could_send_is_refused(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings(preset="llm", require_key=("fine", key))
    [problem] = caught.value.problems
    assert problem.message.startswith("--require-key (MOCKD_REQUIRE_KEY): a key is empty, or has characters")
    assert "fine" not in str(caught.value)


def test_keys_of_the_environment_are_several() -> None:
    assert Settings.from_env({"MOCKD_PRESET": "llm", "MOCKD_REQUIRE_KEY": "a,b"}).require_key == ("a", "b")


# -- nowhere -----------------------------------------------------------------------------------------------------------


def test_no_key_is_in_a_mock() -> None:
    assert KEY not in repr(configured(Settings(preset="llm", require_key=(KEY,))))


@pytest.mark.parametrize("level", ["info", "debug"])
def test_a_key_is_seen_nowhere(tmp_path: Path, level: str) -> None:
    state = tmp_path / "state.json"
    arguments = ("--preset", "llm", "--rpm", "5", "--state", str(state), "--log-level", level)
    served = Served("--admin-port", str(free_port()), *arguments, environ={"MOCKD_REQUIRE_KEY": KEY})
    try:
        url = served.mocks
        assert httpx2.get(f"{url}/gemini/v1beta/models?key={KEY}").status_code == 200
        for headers in OF_PROVIDERS.values():
            httpx2.post(url + "/openai/v1/chat/completions", json=CHAT, headers=headers)
            httpx2.post(url + "/azure/openai/v1/chat/completions", json={**CHAT, "stream": True}, headers=headers)
            httpx2.post(url + "/anthropic/v1/messages", json={**CHAT, "max_tokens": 9}, headers=headers)
        with AdminClient(served.admin) as admin:
            admin.create_mock({"matcher": {"path": "/x"}, "response": {"body": "x"}})
            shown = [admin.list_mocks(), admin.export_config(), admin.export_yaml(), admin.list_requests(limit=100)]
            shown += [admin.list_keys(), admin.get_status(), admin.get_metrics(), admin.list_connections()]
        assert served.stop() == 0
    finally:
        served.process.kill()
    assert len(shown[3]["requests"]) == 31
    said = json.dumps([shown, served.lines]) + state.read_text(encoding="utf-8")
    assert "gemini/v1beta/models" in said
    assert KEY not in said
