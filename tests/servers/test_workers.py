"""Several processes of one server: mockd says that each has its own mocks, and says nothing if there is only one."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx2
import pytest

from tests.servers.processes import running
from tests.servers.servers import APP
from tests.wire.sockets import eventually

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, processes leave no mark for each other"),
]

WARNING = "a change through the admin API reaches only one of them; start it with one worker"
UVICORN = ("uvicorn", APP, "--port", "{port}")


def test_several_workers_are_warned_of(tmp_path: Path) -> None:
    with running(*UVICORN, "--workers", "3", folder=tmp_path) as process:
        eventually(lambda: process.log.count(WARNING) == 2)
        assert httpx2.get(process.url + "/__mockd/health").status_code == 200


@pytest.mark.parametrize("options", [(), ("--workers", "1"), ("--reload",)], ids=str)
def test_one_worker_is_not(tmp_path: Path, options: tuple[str, ...]) -> None:
    with running(*UVICORN, *options, folder=tmp_path) as process, running(*UVICORN, *options, folder=tmp_path) as other:
        for server in (process, other):
            eventually(lambda server=server: "startup complete" in server.log)
            assert WARNING not in server.log
