"""The bench: a real server in this process, on which each run of the command has a key, and so a mock, of its own."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from mockd.client import AdminClient
from mockd.clock import SystemClock
from mockd.engine import Engine
from mockd.errors import ConfigError, MockdError
from mockd.settings import Settings
from mockd.testing import running_mockd
from mockd.torture.command import Ended, Running, end_all, run_command
from mockd.torture.source import Mock, Source, fetch

_SEED = 1
"""Seed of placeholders and random delays: every run gets the same stream."""
_MOCK_ID = "torture"
"""ID of the mock of each run, on which what is drawn depends too."""
_CLIENT_HEADERS = ("accept", "content-type", "authorization", "x-api-key", "anthropic-version")
"""Headers of a client's request that the answer may depend on."""


class _StoppedClock(SystemClock):
    """A clock for timestamps that stands still, so that they are the same in every run. All else takes its time."""

    def __init__(self) -> None:
        moment = time.time()
        self.wall = lambda: moment


class OutOfRunsError(MockdError):
    """The command has run as often as it may."""


class Ran(Struct, frozen=True):
    """A run: how the command ended, and the requests that it made. If it made none below its URL, `astray` are those
    that came from somewhere without the key of a run."""

    ended: Ended
    requests: list[dict[str, Any]]
    astray: list[dict[str, Any]] = []

    @property
    def has_asked(self) -> bool:
        """Whether it has asked for anything at all."""
        return bool(self.requests)

    @property
    def has_reached(self) -> bool:
        """Whether the mock has answered a request."""
        return any("mockId" in request for request in self.requests)


class Bench:
    """Runs a command against mocks. It may be used by several threads at once."""

    def __init__(self, url: str, admin: AdminClient, path: str, argv: Sequence[str], timeout_s: float, most: int):
        self._url = url
        self._admin = admin
        self._path = path
        self._argv = argv
        self.timeout_s = timeout_s
        self._left = most
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._running: Running = set()

    def stop(self) -> None:
        """End the runs that are going on, and allow no more."""
        self._left = 0
        end_all(self._running)

    def run(self, mock: Mock) -> Ran:
        """Run the command against a mock. Raises `OutOfRunsError`, and `ConfigError` if the command cannot be started
        or the mock not be served."""
        with self._lock:
            if not self._left:
                raise OutOfRunsError("there are no runs left")
            self._left -= 1
        with self._served(mock) as (key, url):
            argv = [word.replace("{url}", url) for word in self._argv]
            ended = run_command(argv, {"MOCKD_URL": url}, self.timeout_s, self._running)
            requests = self._admin.list_requests(key=key)["requests"]
            return Ran(ended, requests, [] if requests else self._admin.list_requests(key="")["requests"])

    def body(self, mock: Mock, request: dict[str, Any]) -> tuple[str, bytes]:
        """The media type and the body of a mock's answer to a request of the journal. Raises `ConfigError`."""
        with self._served(mock) as (key, _):
            query = urlencode(request["query"])
            target = f"{self._url}/~{key}{request['path']}" + (f"?{query}" if query else "")
            headers = {name: value for name, value in request["headers"] if name.lower() in _CLIENT_HEADERS}
            body = str(request.get("body") or "").encode()
            return fetch(request["method"], target, headers=headers, body=body, patience_s=self.timeout_s)

    @contextlib.contextmanager
    def _served(self, mock: Mock) -> Iterator[tuple[str, str]]:
        """Serve a mock under a key of its own, which is gone afterwards. Yields the key and the mock's URL."""
        key = f"run{next(self._numbers)}"
        try:
            self._admin.create_mock({"id": _MOCK_ID, **mock}, key=key)
        except MockdError as error:
            details = getattr(error, "details", {})
            raise ConfigError(str(details.get("message", error)), hint=details.get("hint")) from None
        try:
            yield key, f"{self._url}/~{key}{self._path}"
        finally:
            self._admin.delete_key(key)


@contextlib.contextmanager
def bench(source: Source, argv: Sequence[str], timeout_s: float, most_runs: int) -> Iterator[Bench]:
    """A bench for the command `argv`, in which `{url}` stands for the URL of the stream."""
    root = str(source.root.absolute())
    settings = Settings(seed=_SEED, files_root=root, journal_secrets=True, shutdown_timeout=0.5)
    with running_mockd(engine=Engine(settings, clock=_StoppedClock())) as running, running.admin() as admin:
        yield Bench(running.url, admin, source.path, argv, timeout_s, most_runs)
