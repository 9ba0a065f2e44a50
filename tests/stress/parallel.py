"""One of several processes that run tests at once on one server. Each test has a key of its own, and tells of anything
that another test has left in its way.

`python -m tests.stress.parallel MOCKS ADMIN NAME TESTS` prints each thing that is not as the test has it, and nothing
if all is well.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tests.stress.asking import ask
from tests.wire.sockets import Client

MOCKS: list[dict[str, Any]] = [
    {
        "id": "retried",
        "matcher": {"path": "/retried"},
        "responses": [
            {"response": {"status": 429, "headers": {"Retry-After": "0"}}},
            {"response": {"status": 500}, "times": 2},
            {"sse": {"events": [{"data": "fine"}]}},
        ],
    },
    {
        "id": "cut",
        "matcher": {"path": "/cut"},
        "sse": {
            # Whatever is drawn differs in each session, so an id that several keys have sent would name none of them.
            "events": [{"data": "$uuid", "id": str(number)} for number in range(6)],
            "resume": {"enabled": True},
            "timing": {"fixedDelay": 1},
        },
        "faults": ["reset after 3 events for requests 1"],
    },
    {
        "id": "drawn",
        "matcher": {"path": "/drawn"},
        "sse": {"events": [{"data": "$uuid"}], "seed": 7},
    },
    {
        "id": "before",
        "matcher": {"path": "/login"},
        "scenario": {"name": "login", "when": "start", "set": "in"},
        "response": {"body": "who are you?"},
    },
    {
        "id": "after",
        "matcher": {"path": "/login"},
        "scenario": {"name": "login", "when": "in"},
        "response": {"body": "welcome"},
    },
    {"id": "own", "matcher": {"path": "/own"}, "response": {"body": "for all"}},
]


class Case:
    """One test. Its key is in the path of every other one, and in a header of the rest."""

    def __init__(self, mocks: str, admin: str, key: str, *, in_path: bool) -> None:
        self._mocks, self._admin, self._key = mocks, admin, key
        self._prefix = f"/~{key}" if in_path else ""
        self._headers = {} if in_path else {"X-Mockd-Key": key}

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """The status and what came of the body."""
        with Client(self._mocks) as client:
            client.ask(self._prefix + path, version="1.0", headers={**self._headers, **headers})
            status, _ = client.read_head()
            body = client.received
            with suppress(ConnectionResetError):
                while part := client.socket.recv(65536):
                    body += part
            return status, body

    def run(self) -> Iterator[str]:
        """What is not as it should be."""
        yield from self._is("a sequence", [self.get("/retried")[0] for _ in range(5)], [429, 500, 500, 200, 200])
        status, body = self.get("/cut")
        yield from self._is("what came before the cut", (status, body.count(b"data:")), (200, 3))
        status, body = self.get("/cut", **{"Last-Event-ID": "2"})
        yield from self._is("what came after it", (status, _ids(body)), (200, [3, 4, 5]))
        yield from self._is("the next stream", _ids(self.get("/cut")[1]), [*range(6)])
        first = [self.get("/drawn")[1] for _ in range(2)]
        yield from self._is(
            "a scenario", [self.get("/login")[1] for _ in range(3)], [b"who are you?", *[b"welcome"] * 2]
        )
        own = {"id": "own", "matcher": {"path": "/own"}, "response": {"body": self._key}}
        ask(f"{self._admin}/mocks?key={self._key}", "POST", json.dumps(own).encode())
        yield from self._is("a mock of its own", self.get("/own")[1], self._key.encode())
        ask(f"{self._admin}/reset?key={self._key}", "POST")
        yield from self._is("drawn values after a reset", [self.get("/drawn")[1] for _ in range(2)], first)
        yield from self._is("a sequence after a reset", self.get("/retried")[0], 429)
        ask(f"{self._admin}/keys/{self._key}", "DELETE")
        yield from self._is("what a key is that was deleted", self.get("/own")[1], b"for all")

    def _is(self, what: str, got: object, wanted: object) -> Iterator[str]:
        if got != wanted:
            yield f"{self._key}: {what} is {got!r}, not {wanted!r}"


def _ids(body: bytes) -> list[int]:
    return [int(line[3:]) for line in body.splitlines() if line.startswith(b"id:")]


def main(mocks: str, admin: str, name: str, tests: str) -> None:
    for number in range(int(tests)):
        for problem in Case(mocks, admin, f"{name}-{number}", in_path=number % 2 == 0).run():
            print(problem)


if __name__ == "__main__":
    main(*sys.argv[1:])
