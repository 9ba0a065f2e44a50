"""A client that is held, and the hand that holds it, over plain sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import TLS, speaking_tls
from tests.wire.sockets import PATIENCE_S, Client, body_of

SILENCE_S = 0.03
"""Time for which a client listens to be sure that nothing comes; a hold that leaks does so at once."""


SERVERS: dict[str, dict[str, Any]] = {"plain": {}, "TLS": TLS, "h11": {"http": "h11", "loop": "asyncio"}}
"""Options of servers on which streams are cut."""


def serving(server: str, kinds: dict[str, dict[str, Any]]) -> Iterator[RunningMockd]:
    """One of `SERVERS` that has each of these answers under the path of its name."""
    mocks = [{"id": kind, "matcher": {"path": f"/{kind}"}, **mock} for kind, mock in kinds.items()]
    with running_mockd(*mocks, **SERVERS[server]) as running:
        yield speaking_tls(running) if server == "TLS" else running


class Admin:
    """The admin API of a server, or at a URL, whatever its certificate."""

    def __init__(self, server: RunningMockd | str) -> None:
        self._url = server if isinstance(server, str) else server.admin_url

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """The status and the JSON of an answer."""
        content = b"" if body is None else json.dumps(body).encode()
        with Client(self._url) as client:
            client.socket.settimeout(2 * PATIENCE_S)
            client.ask(path, method=method, headers={"Connection": "close"}, body=content)
            status, _ = client.read_head()
            data = client.read_to_end()
        return status, json.loads(data)

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        status, answer = self.ask("POST", path, body)
        assert status == 200, answer
        return answer

    def get(self, path: str) -> dict[str, Any]:
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def wait(self, path: str, query: str) -> dict[str, Any]:
        """The connection of a wait that must come true."""
        answer = self.get(f"{path}/wait?{query}&timeoutSeconds={PATIENCE_S}")
        assert answer["ok"], answer
        return answer["connection"] if "connection" in answer else answer["connections"][-1]  # type: ignore[no-any-return]


def of(connection: dict[str, Any]) -> str:
    """The path of the operations on a connection."""
    return f"/sse/connections/{connection['id']}"


class Reader(Client):
    """A client that knows how much of the body has come."""

    def start(self, path: str, **headers: str) -> Reader:
        self.socket.settimeout(PATIENCE_S)
        self.ask(path, headers={"Connection": "close", **headers})
        self.data = b""
        return self

    @property
    def body(self) -> bytes:
        return body_of(self.data)

    def read_body(self, size: int) -> bytes:
        """The body, once so much of it has come."""
        while len(self.body) < size or b"\r\n\r\n" not in self.data:
            part = self.socket.recv(65536)
            assert part, f"the end came early: {self.data!r}"
            self.data += part
        return self.body

    def is_silent(self) -> bool:
        """Whether nothing more comes."""
        self.socket.settimeout(SILENCE_S)
        try:
            self.data += self.socket.recv(65536)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)
        return False

    def rest(self) -> bytes:
        """The whole body, up to the end of the connection."""
        while part := self.socket.recv(65536):
            self.data += part
        return self.body
