"""A mockd server, and OpenAI's client pointed at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import openai
import pytest

from mockd.testing import RunningMockd, running_mockd

PATIENCE_S = 20.0
TOKENS = ["Hello", "!", " How", " can", " I", " help", "?"]

Serve = Callable[..., RunningMockd]


def chat(path: str = "/v1/chat/completions", *, sse: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    """An `openai-chat` mock with these parameters."""
    parameters = {"tokens": TOKENS, **params}
    return {
        "matcher": {"method": "POST", "path": path},
        "sse": {"template": "openai-chat", "templateParams": parameters, **(sse or {})},
    }


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with the given mocks."""
    with ExitStack() as running:
        yield lambda *mocks: running.enter_context(running_mockd(*mocks))


@pytest.fixture
def client_of() -> Iterator[Callable[[RunningMockd], openai.OpenAI]]:
    """The official client of a server."""
    with ExitStack() as opened:
        yield lambda mockd: opened.enter_context(
            openai.OpenAI(base_url=mockd.url + "/v1", api_key="sk-any", max_retries=0, timeout=PATIENCE_S)
        )
