"""Providers' own clients on a preset that needs a key and has rate limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mockd import AdminClient
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.sdk import Saw, run_scenarios

pytestmark = pytest.mark.clients(group="providers")

KEYS = ("right", "right-2", "right-3", "right-4")
RPM = 40
SAID = "Say hello to me"


@pytest.fixture(scope="module")
def seen(client_python: Callable[[str], Path]) -> Iterator[tuple[Saw, list[dict[str, Any]]]]:
    settings = Settings(preset="llm", require_key=KEYS, rpm=RPM, context_window=1000)
    with running_mockd(settings=settings) as mockd, AdminClient(mockd.admin_url) as admin:
        saw = run_scenarios(client_python("providers"), "limits", mockd.url)
        yield saw, admin.list_requests(limit=1000)["requests"]


def test_right_keys(seen: tuple[Saw, Any]) -> None:
    assert Counter(seen[0]["right_keys"].values()) == {SAID: 8}


def test_wrong_keys_are_the_clients_own_errors(seen: tuple[Saw, Any]) -> None:
    assert seen[0]["wrong_keys"] == {
        "openai": ["AuthenticationError", 401],
        "openai-models": ["AuthenticationError", 401],
        "azure": ["AuthenticationError", 401],
        "anthropic": ["AuthenticationError", 401],
        "gemini": ["ClientError", 401],
        "mistral": ["SDKError", 401],
        "cohere": ["UnauthorizedError", 401],
        "ollama": ["ResponseError", 401],
    }


def test_what_is_refused_is_the_clients_own_error(seen: tuple[Saw, Any]) -> None:
    own = {"gemini": "ClientError", "mistral": "SDKError"}
    assert seen[0]["refused"] == {
        name: [own.get(name.partition("-")[0], "BadRequestError"), 400] for name in seen[0]["refused"]
    }
    assert len(seen[0]["refused"]) == 10


def test_a_client_that_does_not_wait_is_told_to(seen: tuple[Saw, Any]) -> None:
    for answered, raised in seen[0]["used_up"].values():
        assert raised == ["RateLimitError", 429]
        assert answered >= RPM


def test_clients_that_wait_as_they_are_told_get_every_answer(seen: tuple[Saw, Any]) -> None:
    saw, requests = seen
    assert {name: Counter(said) for name, said in saw["retries"].items()} == {
        name: {SAID: RPM + 2} for name in ("openai", "anthropic", "mistral", "cohere")
    }
    refused = Counter(one["path"].split("/")[1] for one in requests if one["status"] == 429)
    assert refused["openai"] > 1
    assert refused["anthropic"] > 1
    for name in ("mistral", "cohere"):
        asked = [datetime.fromisoformat(one["time"]) for one in requests if one["path"].split("/")[1] == name]
        refilled = (max(asked) - min(asked)).total_seconds() * RPM / 60
        # A client on a slow machine asks no faster than it may.
        assert refused[name] > 0 or refilled > 1


def test_what_is_left_is_in_the_headers(seen: tuple[Saw, Any]) -> None:
    assert seen[0]["left"] == [str(RPM - 1)] * 2
