"""Servers, and vendors' SDKs pointed at them: OpenAI's in this process, all others in environments of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from mockd.testing import RunningMockd, running_mockd
from tests.clients import node_packages
from tests.clients.environments import CLIENTS
from tests.clients.replies import TOKENS
from tests.clients.sdk import Saw, run_scenarios

PATIENCE_S = 20.0

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


@pytest.fixture(scope="session")
def client_python(say: Callable[[str], None]) -> Callable[[str], Path]:
    """The interpreter of a group of SDKs."""
    return lambda group: CLIENTS.python_of(group, say)


@pytest.fixture(scope="session")
def node_clients(say: Callable[[str], None]) -> None:
    """The SDKs for Node are installed, and there is a Node that they run on."""
    if (reason := node_packages.why_missing()) is not None:
        pytest.skip(reason)
    node_packages.install(say)


@pytest.fixture(scope="module")
def saw(request: pytest.FixtureRequest, client_python: Callable[[str], Path]) -> Iterator[Saw]:
    """What the SDK of this module saw: all of `scenarios/<name>.py` ran on the module's `MOCKS`, in the environment
    of the group that its `clients` mark names."""
    module = request.module
    mark = request.node.get_closest_marker("clients")
    name = module.__name__.rpartition(".")[2].removeprefix("test_")
    python = client_python(mark.kwargs["group"])
    with running_mockd(*module.MOCKS) as mockd:
        yield run_scenarios(python, name, mockd.url)
