"""Servers, each started once with the mocks of a module, or of `kinds.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.environments import Say
from tests.servers.environments import python_with
from tests.servers.kinds import MAX_BODY, MOCKS
from tests.servers.processes import Process, running
from tests.servers.servers import APP, Server

Served = Callable[[Server], Process]


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, say: Say) -> Iterator[Served]:
    """The process of a server, started when it is first asked for, with the module's `MOCKS` if it has any."""
    folder: Path = tmp_path_factory.mktemp("servers")
    mocks = getattr(request.module, "MOCKS", MOCKS)
    (folder / "mocks.json").write_text(json.dumps({"mocks": mocks}), encoding="utf-8")
    environ = {"MOCKD_CONFIG": "mocks.json", "MOCKD_MAX_BODY": str(MAX_BODY)}
    with ExitStack() as stack:

        @cache
        def start(server: Server) -> Process:
            given = {} if server.group is None else {"python": python_with(server.group, say)}
            return stack.enter_context(running(*server.serving(APP), folder=folder, environ=environ, **given))

        yield start
