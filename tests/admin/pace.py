"""How late a paced stream is while the admin API works on thousands of mocks, as a client on a raw socket sees it.

`python -m tests.admin.pace` prints it for each operation. Numbers mean something on a quiet machine only.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import yaml
from msgspec import Struct

from tests.wire.sockets import PATIENCE_S, Client, eventually

INTERVAL_S = 0.005
MOCKS = 2000
PACED: dict[str, Any] = {
    "id": "paced",
    "matcher": {"path": "/paced"},
    "scenario": {"name": "paced", "set": "start"},
    "sse": {"events": [{"data": "tick"}], "repeat": 0, "timing": {"fixedDelay": INTERVAL_S * 1000}},
}


def some_mock(number: int, word: str) -> dict[str, Any]:
    events = [{"type": "news", "data": {"number": number, "text": f"{word} {place} $uuid"}} for place in range(8)]
    sse = {"events": events, "timing": {"fixedDelay": 50}, "resume": {"enabled": number % 2 == 0}}
    return {"id": f"m{number}", "matcher": {"method": "GET", "path": f"/m/{number}"}, "sse": sse}


@cache
def some_mocks(word: str) -> list[dict[str, Any]]:
    return [PACED, *(some_mock(number, word) for number in range(MOCKS))]


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_yaml(word: str) -> bytes:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(some_mocks(word), Dumper=dumper).encode()


class Operation(Struct, frozen=True):
    """A request to the admin API, and the status of its answer."""

    method: str
    path: str
    body: bytes = b""
    status: int = 200
    type: str = "application/json"

    def ask(self, url: str) -> bytes:
        """The answer, for a client that takes next to no time itself."""
        with Client(url) as client:
            headers = {"Content-Type": self.type, "Connection": "close"}
            client.ask(self.path, method=self.method, headers=headers, body=self.body)
            status, _ = client.read_head()
            parts = [client.received]
            while part := client.socket.recv(1 << 20):
                parts.append(part)
        assert status == self.status, (self.method, self.path, status, parts[0][:500])
        return b"".join(parts)


SETTING_UP = Operation("POST", "/config", as_json(some_mocks("event")))


def fill_journal(url: str) -> None:
    """Send as many requests as the journal keeps."""
    body = b'{"api_key": "secret", "text": "' + b"some words " * 100 + b'"}'
    request = b"POST /n/%d?key=secret HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
    with Client(url) as client:
        for number in range(1000):
            client.send(request % (number, len(body), body))
            client.read_head()
            client.read_until(b'"nearMisses":[]}')


def _import(mocks: list[dict[str, Any]], query: str = "", status: int = 200) -> list[Operation]:
    return [Operation("POST", "/config" + query, as_json(mocks), status)]


def _each(make: Callable[[int], Operation]) -> list[Operation]:
    return [make(number) for number in range(20)]


def _verify(request: Any) -> Operation:
    return Operation("POST", "/verify", as_json({"request": request}))


def _wrong() -> list[dict[str, Any]]:
    return [{"id": f"x{number}", "matcher": {"path": "/"}, "sse": {"template": "no"}} for number in range(MOCKS)]


OPERATIONS: dict[str, Callable[[], list[Operation]]] = {
    "nothing": lambda: [Operation("GET", "/health")] * 200,
    "import": lambda: _import(some_mocks("another"), "?replace=true"),
    "import of what is there": lambda: _import(some_mocks("another")),
    "import of YAML": lambda: [Operation("POST", "/config", as_yaml("event"), type="application/yaml")],
    "dry run": lambda: _import(some_mocks("dry"), "?dryRun=true"),
    "import that is refused": lambda: _import(_wrong(), "", 400),
    "import that is no JSON": lambda: [Operation("POST", "/config", as_json(_wrong())[:-1], 400)],
    "export": lambda: [Operation("GET", "/config")] * 5,
    "export as YAML": lambda: [Operation("GET", "/config?format=yaml")],
    "list mocks": lambda: [Operation("GET", "/mocks")] * 5,
    "get": lambda: [Operation("GET", "/mocks/m7")] * 20,
    "create": lambda: _each(lambda number: Operation("POST", "/mocks", as_json(some_mock(MOCKS + number, "new")), 201)),
    "replace": lambda: _each(lambda number: Operation("PUT", "/mocks/m7", as_json(some_mock(7, f"new {number}")))),
    "patch": lambda: _each(lambda number: Operation("PATCH", "/mocks/m8", as_json({"name": f"patch {number}"}))),
    "toggle": lambda: [Operation("POST", "/mocks/m9/toggle")] * 20,
    "delete": lambda: _each(lambda number: Operation("DELETE", f"/mocks/m{10 + number}", status=204)),
    "buffer": lambda: [Operation("GET", "/mocks/m8/sse/buffer"), Operation("DELETE", "/mocks/m8/sse/buffer")] * 5,
    "list connections": lambda: [Operation("GET", "/sse/connections")] * 10,
    "connections of a mock": lambda: [Operation("GET", "/mocks/m7/sse/connections")] * 10,
    "end connections": lambda: [Operation("DELETE", "/mocks/m7/sse/connections")] * 10,
    "list requests": lambda: [Operation("GET", "/requests?limit=1000")] * 5,
    "verify": lambda: [_verify(request) for request in ("/m", {"bodyPattern": "w.*x"}, {"bodyJsonPath": {"$.a": 1}})],
    "forget requests": lambda: [Operation("DELETE", "/requests")] * 10,
    "hold": lambda: [Operation("POST", "/mocks/m7/sse/hold", as_json({"at": 1, "upcoming": "all"}))] * 10,
    "hold live ones": lambda: [Operation("POST", "/mocks/m7/sse/hold")] * 10,
    "release": lambda: [Operation("POST", "/mocks/m7/sse/release")] * 10,
    "step": lambda: [Operation("POST", "/mocks/m7/sse/step")] * 10,
    "push": lambda: [Operation("POST", "/mocks/m7/sse/push", as_json({"data": "x"}), 409)] * 10,
    "cut": lambda: [Operation("POST", "/mocks/m7/sse/cut", as_json({"action": "reset"}))] * 10,
    "end in place": lambda: [Operation("POST", "/mocks/m7/sse/close")] * 10,
    "watch": lambda: [Operation("GET", "/sse/connections/nope/watch", status=404)] * 10,
    "wait": lambda: [Operation("GET", "/mocks/m7/sse/wait?opened=1&timeoutSeconds=0.01")] * 10,
    "create for keys": lambda: _each(
        lambda number: Operation("POST", f"/mocks?key=k{number}", as_json(some_mock(number, "own")), 201)
    ),
    "list keys": lambda: [Operation("GET", "/keys")] * 10,
    "delete keys": lambda: _each(lambda number: Operation("DELETE", f"/keys/k{number}")),
    "reset": lambda: [Operation("POST", "/reset?streams=false")] * 10,
    "variants that are not served": lambda: [Operation("GET", "/torture", status=404)] * 10,
    "scenarios": lambda: [Operation("GET", "/scenarios")] * 10,
    "set a scenario": lambda: [Operation("PUT", "/scenarios/paced", as_json({"state": "start"}))] * 10,
    "statistics": lambda: [Operation("GET", "/sse/stats")] * 10,
    "status": lambda: [Operation("GET", "/status")] * 10,
    "reset of the mocks": lambda: [
        *_import(some_mocks("event")),
        Operation("POST", "/reset?key=k1&mocks=true"),
    ],
    "schema": lambda: [Operation("GET", "/schema")] * 10,
    "schema of recordings": lambda: [Operation("GET", "/schema/recording")] * 10,
    "OpenAPI document": lambda: [Operation("GET", "/openapi.json")] * 10,
}


class Reader:
    """Reads the paced stream in a thread, and notes when each event came."""

    def __init__(self, url: str) -> None:
        self._client = Client(url)
        self._arrivals: list[float] = []
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Reader:
        self._client.ask("/paced").read_head()
        self._thread.start()
        self.wait_for(20)
        return self

    def __exit__(self, *args: object) -> None:
        self._client.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._client.socket.close()

    def _read(self) -> None:
        with suppress(ConnectionResetError):  # upon what the server was sending while this end was closed
            while part := self._client.socket.recv(65536):
                self._arrivals += [time.monotonic()] * part.count(b"tick")

    def wait_for(self, more: int) -> None:
        count = len(self._arrivals) + more
        eventually(lambda: len(self._arrivals) >= count)

    def lateness_during(self, work: Callable[[], object]) -> list[float]:
        """How late each event was that was due while that worked, in seconds, the latest first."""
        first = len(self._arrivals)
        work()
        self.wait_for(5)
        offsets = [arrival - number * INTERVAL_S for number, arrival in enumerate(self._arrivals)]
        return sorted((offset - min(offsets) for offset in offsets[first:]), reverse=True)


@contextmanager
def served(*arguments: str) -> Iterator[tuple[str, str]]:
    """`mockd serve` as a process of its own: the URLs of its mocks and of its admin API."""
    command = [sys.executable, "-m", "mockd", "serve", "--port", "0", "--admin-port", "0", "--log-format", "json"]
    with subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            welcome = json.loads(process.stderr.readline())
            yield welcome["mocks"], welcome["admin"]
        finally:
            process.kill()


def main() -> None:
    with served() as (url, admin):
        SETTING_UP.ask(admin)
        fill_journal(url)
        for name, operations in OPERATIONS.items():
            asked = operations()
            with Reader(url) as reader:
                late = reader.lateness_during(lambda: [operation.ask(admin) for operation in asked])  # noqa: B023
            print(
                f"{name:25} latest {late[0] * 1000:5.1f} ms, median {late[len(late) // 2] * 1000:5.1f} ms", flush=True
            )
            time.sleep(PATIENCE_S / 20)


if __name__ == "__main__":
    main()
