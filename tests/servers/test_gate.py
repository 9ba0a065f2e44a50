"""Keys and rate limits of the preset under other servers, and mounted in an app: the same as under `mockd serve`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.environments import Say
from tests.presets.asking import ASKED, asked
from tests.servers.environments import python_with
from tests.servers.processes import running
from tests.servers.servers import APP, SERVERS

pytestmark = pytest.mark.servers

RUN = {
    "uvicorn, h11": ("uvicorn, h11", APP, ""),
    "hypercorn": ("hypercorn", APP, ""),
    "granian": ("granian", APP, ""),
    "daphne": ("daphne", APP, ""),
    "uvicorn, mounted": ("uvicorn", "tests.servers.apps.mounted:app", "/a"),
    "hypercorn, mounted": ("hypercorn", "tests.servers.apps.mounted:app", "/b"),
}
"""The server, the app that it runs, and where mockd is in it."""
KEYS = ("one", "two", "three", "four")
ENVIRON = {"MOCKD_PRESET": "llm", "MOCKD_REQUIRE_KEY": ",".join(KEYS), "MOCKD_RPM": "1", "MOCKD_TPM": "50"}
"""A client has nothing left of a minute after its first request, so no test need be fast."""
CHATS = {
    "openai": ("/openai/v1/chat/completions", "openai-chat", "authorization", "Bearer {}"),
    "anthropic": ("/anthropic/v1/messages", "anthropic-messages", "x-api-key", "{}"),
    "ollama": ("/ollama/api/chat", "ollama-chat", "authorization", "Bearer {}"),
}


@pytest.fixture(scope="module", params=RUN)
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, say: Say
) -> Iterator[httpx2.Client]:
    name, app, base = RUN[request.param]
    server, folder = SERVERS[name], tmp_path_factory.mktemp("gate")
    given: dict[str, Path] = {} if server.group is None else {"python": python_with(server.group, say)}
    with (
        running(*server.serving(app), folder=folder, environ=ENVIRON, **given) as process,
        httpx2.Client(base_url=process.url + base, timeout=60) as client,
    ):
        yield client
        assert process.complaints == [], process.log


def ask(client: httpx2.Client, provider: str, key: str | None, *, stream: bool, **more: Any) -> httpx2.Response:
    path, template, header, form = CHATS[provider]
    body = asked(template, stream=stream, **more)
    return client.post(path, json=body, headers={} if key is None else {header: form.format(key)})


@pytest.mark.parametrize("provider", CHATS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("key", [None, "wrong"])
def test_who_has_no_key(client: httpx2.Client, provider: str, stream: bool, key: str | None) -> None:
    """On a connection that can be used again."""
    for _ in range(2):
        answer = ask(client, provider, key, stream=stream)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"].startswith("application/json")
        assert not [name for name in answer.headers if "ratelimit" in name]
        assert answer.json()["error"]


@pytest.mark.parametrize(("key", "stream"), [("one", False), ("two", True)])
def test_each_key_has_its_own_minute(client: httpx2.Client, key: str, stream: bool) -> None:
    used = 2 * len(ASKED["openai-responses"]["input"].split())
    first = ask(client, "openai", key, stream=stream)
    assert first.status_code == 200
    assert ("data: [DONE]" in first.text) is stream
    names = [f"x-ratelimit-{what}-{kind}" for kind in ("requests", "tokens") for what in ("limit", "remaining")]
    # What a reply uses is known when the head is sent, as all of it is made by then.
    assert [first.headers[name] for name in names] == ["1", "0", "50", str(50 - used)]
    second = ask(client, "openai", key, stream=stream)
    assert (second.status_code, second.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 0 < int(second.headers["retry-after"]) <= 60
    assert second.headers["x-ratelimit-remaining-requests"] == "0"
    assert ask(client, "anthropic", key, stream=stream).status_code == 200


def test_a_request_above_the_tokens_of_a_minute(client: httpx2.Client) -> None:
    long = [{"role": "user", "content": "word " * 51}]
    answer = ask(client, "openai", "three", stream=True, messages=long)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert "retry-after" not in answer.headers
    assert ask(client, "openai", "three", stream=True).status_code == 200


def test_a_head_uses_nothing(client: httpx2.Client) -> None:
    path, *_ = CHATS["openai"]
    assert client.head(path).status_code in (401, 404, 405)
    assert client.head("/openai/v1/models", headers={"authorization": "Bearer four"}).status_code == 200
    assert client.head("/openai/v1/models").status_code == 401
    assert ask(client, "openai", "four", stream=False).status_code == 200
