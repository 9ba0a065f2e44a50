"""A server that is told to stop while streams are live: it stops, and where mockd can know of it, they end in order."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mockd.lines.stopping import LOOK_S
from tests.environments import Say
from tests.servers.environments import python_with
from tests.servers.kinds import FINAL, HELD, mock
from tests.servers.processes import Process, running
from tests.servers.servers import APP, SERVERS
from tests.wire.sockets import Client, eventually

pytestmark = pytest.mark.servers

APPS = Path(__file__).parent / "apps"
FIRST = b"data: Hello\n\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
NEVER_CLOSING = HELD | {"lifecycle": {"keepOpen": True, "termination": {"closeDelay": 60_000}}}

Start = Callable[..., AbstractContextManager[Process]]


@pytest.fixture
def start(tmp_path: Path, say: Say) -> Start:
    """Starts a server in a folder with `apps/` and mocks that hold their streams."""
    shutil.copytree(APPS, tmp_path, dirs_exist_ok=True)
    mocks = [mock("/held", sse=HELD), mock("/never-closing", sse=NEVER_CLOSING)]
    (tmp_path / "mocks.json").write_text(json.dumps({"mocks": mocks}), encoding="utf-8")

    def start(*words: str, group: str | None = None, **environ: str) -> AbstractContextManager[Process]:
        given: dict[str, Any] = {} if group is None else {"python": python_with(group, say)}
        return running(*words, folder=tmp_path, environ={"MOCKD_CONFIG": "mocks.json", **environ}, **given)

    return start


@contextmanager
def held(process: Process, path: str) -> Iterator[Client]:
    """A client of a stream that is live."""
    with Client(process.url) as client:
        assert client.ask(path).read_head()[0] == 200
        assert client.read_chunk() == FIRST
        yield client


def uvicorn(app: str, *options: str) -> tuple[str, ...]:
    return ("uvicorn", app, "--port", "{port}", *options)


WAYS: dict[str, tuple[tuple[str, ...], str | None, tuple[str, str]]] = {
    "alone": (uvicorn(APP), None, ("/held", "/held")),
    "alone, no lifespan": (uvicorn(APP, "--lifespan", "off"), None, ("/held", "/held")),
    "mounted": (uvicorn("mounted:app"), None, ("/a/held", "/b/held")),
    "mounted, no lifespan": (uvicorn("mounted:app", "--lifespan", "off"), None, ("/a/held", "/b/held")),
    "mounted, asyncio": (uvicorn("mounted:app", "--loop", "asyncio", "--http", "h11"), None, ("/a/held", "/b/held")),
    "mounted, zttp": (uvicorn("mounted:app", "--http", "zttp"), "zttp", ("/a/held", "/b/held")),
    "mounted with its lifespan": (uvicorn("with_lifespan:app"), None, ("/a/held", "/b/held")),
    "mounted in FastAPI": (uvicorn("in_fastapi:app"), "fastapi", ("/a/held", "/b/held")),
    "own signal handlers": (uvicorn("with_signals:app"), None, ("/a/held", "/b/held")),
    "two workers": (uvicorn("mounted:app", "--workers", "2"), None, ("/a/held", "/b/held")),
    "reloading": (uvicorn("mounted:app", "--reload"), None, ("/a/held", "/b/held")),
}
"""How uvicorn is run, in which environment, and two streams that are live when it is told to stop."""
SUPERVISED = ("two workers", "reloading")


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("way", WAYS)
def test_uvicorn_stops_and_streams_end_through_their_termination(start: Start, way: str, number: int) -> None:
    words, group, paths = WAYS[way]
    with start(*words, group=group) as process, held(process, paths[0]) as one, held(process, paths[1]) as two:
        process.tell(number)
        assert [b"".join(client.read_chunks()) for client in (one, two)] == [FINAL] * 2
        code = process.wait()
        assert process.complaints == []
    # uvicorn raises the signal again once it has stopped, and lets SIGINT pass; its supervisors do not.
    assert code == (-number if number == signal.SIGTERM and way not in SUPERVISED else 0)


def test_uvicorn_stops_twice_in_one_process(start: Start) -> None:
    with start("twice", "{port}") as process:
        for _ in range(2):
            eventually(process.is_open)
            with held(process, "/a/held") as client:
                process.tell(signal.SIGINT)
                assert b"".join(client.read_chunks()) == FINAL
        assert process.wait() == 0
        assert process.complaints == []


def is_noticed(process: Process, changed: Path) -> bool:
    """Whether uvicorn notices that a file is changed, which it does not in the first moments of its process."""
    os.utime(changed)
    time.sleep(0.3)
    return "detected changes" in process.log


def test_a_change_of_code_ends_streams_and_starts_again(start: Start, tmp_path: Path) -> None:
    with start(*uvicorn("mounted:app", "--reload")) as process:
        with held(process, "/a/held") as client:
            eventually(lambda: is_noticed(process, tmp_path / "mounted.py"))
            assert b"".join(client.read_chunks()) == FINAL
        with held(process, "/a/held"):
            pass
        assert process.complaints == []


def test_a_stream_that_begins_late_in_its_request_ends_as_well(start: Start) -> None:
    with start(*uvicorn("mounted:app")) as process, Client(process.url) as client:
        client.ask("/a/held", headers={"Content-Length": 2}).send(b"x")
        time.sleep(3 * LOOK_S)  # looks pass, which find no stream yet
        client.send(b"x")
        client.read_until(FIRST)
        process.tell(signal.SIGTERM)
        client.read_until(FINAL)
        process.wait()


def test_a_stream_that_takes_too_long_is_cut_off(start: Start) -> None:
    with (
        start(*uvicorn("mounted:app"), MOCKD_SHUTDOWN_TIMEOUT="0.3") as process,
        held(process, "/a/never-closing") as client,
    ):
        process.tell(signal.SIGTERM)
        with pytest.raises((AssertionError, ConnectionResetError)):
            client.read_chunks()
        process.wait()


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("options", [(), ("-k", "uvloop"), ("--workers", "0")], ids=str)
def test_hypercorn_stops_and_streams_end_through_their_termination(
    start: Start, options: tuple[str, ...], number: int
) -> None:
    """With several workers, it kills the others as soon as the first has stopped."""
    server = SERVERS["hypercorn"]
    with start(*server.serving(APP), *options, group=server.group) as process:
        with held(process, "/held") as one, held(process, "/held") as two:
            process.tell(number)
            assert [b"".join(client.read_chunks()) for client in (one, two)] == [FINAL] * 2
            process.wait()
        assert process.complaints == []


def test_hypercorn_does_not_tell_an_app_inside_another(start: Start) -> None:
    """The guide says so."""
    server = SERVERS["hypercorn"]
    with start(*server.serving("mounted:app"), group=server.group) as process, held(process, "/a/held") as client:
        process.tell(signal.SIGTERM)
        with pytest.raises((AssertionError, ConnectionResetError)):
            client.read_chunks()
        process.wait()


@pytest.mark.parametrize("name", [name for name, server in SERVERS.items() if not server.ends_streams])
def test_other_servers_stop_as_they_do_without_mockd(start: Start, name: str) -> None:
    server = SERVERS[name]
    codes = []
    for app in ("bare:app", APP):
        with start(*server.serving(app), group=server.group) as process, Client(process.url) as client:
            client.ask("/held").read_until(FIRST)
            codes.append(process.stop())
    assert codes[0] == codes[1]
