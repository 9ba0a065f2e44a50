"""An engine on a manual clock, and requests to it in this process, with every write and its moment.

A stream may be given a line in memory, which takes all at once as uvicorn's does, or only the messages of ASGI: what
it sends is the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from mockd.engine import Engine
from mockd.lines.memory import Command, MemoryLine
from mockd.settings import Settings
from tests.manual_clock import ManualClock, settle

PATH = "/stream"


class Exchange:
    """One request and what came back. Times are whole milliseconds since the clock was made."""

    line: MemoryLine

    def __init__(self, engine: Engine, clock: ManualClock, *, in_memory: bool = False) -> None:
        self._engine = engine
        self._clock = clock
        self._in_memory = in_memory
        self._left = asyncio.Event()
        self._reads = asyncio.Event()
        self._reads.set()
        self._failure: OSError | None = None
        self.messages: list[tuple[int, dict[str, Any]]] = []
        self.task: asyncio.Task[None]

    def start(
        self,
        path: str = PATH,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        http_version: str = "1.1",
    ) -> Exchange:
        raw_headers = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        if body:
            raw_headers.append((b"content-length", b"%d" % len(body)))
        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "headers": raw_headers,
            "http_version": http_version,
            "client": ("127.0.0.1", 50000),
        }
        self._body = body
        if self._in_memory:
            self.line = MemoryLine(scope, body, self._note_command)
            answering = self._engine.answer(self.line)
        else:
            answering = self._engine.handle(scope, self._receive, self._send)
        self.task = asyncio.get_running_loop().create_task(answering)
        return self

    def _note_command(self, command: Command) -> None:
        name, value = command
        if name == "head":
            self.note({"type": "http.response.start", **value})
        elif name in ("write", "finish"):
            self.note({"type": "http.response.body", "body": value, "more_body": name == "write"})

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None  # type: ignore[assignment]
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self._reads.wait()
        if self._failure is not None:
            raise self._failure
        self.note(message)

    def note(self, message: dict[str, Any]) -> None:
        self.messages.append((self._clock.elapsed_ms, dict(message)))

    # -- what the client does --------------------------------------------------------------------------------------

    async def hang_up(self) -> None:
        if self._in_memory:
            self.line.leave("client-fin")
        self._left.set()
        await settle()

    async def stop_reading(self) -> None:
        if self._in_memory:
            self.line.stop_reading()
        self._reads.clear()
        await settle()

    async def read_on(self) -> None:
        if self._in_memory:
            self.line.read_on()
        self._reads.set()
        await settle()

    def fail_with(self, error: OSError) -> None:
        """Let every further `send` raise."""
        self._failure = error

    # -- what it saw -----------------------------------------------------------------------------------------------

    @property
    def status(self) -> int:
        return int(self.messages[0][1]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode("latin-1") for name, value in self.messages[0][1]["headers"]}

    @property
    def writes(self) -> list[tuple[int, bytes]]:
        """Each write of the body with its moment; a write is one HTTP chunk."""
        return [(at, message["body"]) for at, message in self.messages[1:] if message["body"]]

    @property
    def body(self) -> bytes:
        return b"".join(part for _, part in self.writes)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def blocks(self) -> list[tuple[int, str]]:
        """Every SSE block and every comment line by itself, with its moment."""
        found: list[tuple[int, str]] = []
        for at, part in self.writes:
            rest = part.decode()
            while rest:
                end = "\n" if rest.startswith(":") else "\n\n"
                block, mark, rest = rest.partition(end)
                assert mark, f"unfinished block {block!r}"
                found.append((at, block))
        return found

    @property
    def events(self) -> list[tuple[int, str]]:
        """Moment and data of every event that has data."""
        found = []
        for at, block in self.blocks:
            data = [line.removeprefix("data: ") for line in block.split("\n") if line.startswith("data: ")]
            if data:
                found.append((at, "\n".join(data)))
        return found

    @property
    def times(self) -> list[int]:
        return [at for at, _ in self.events]

    @property
    def is_open(self) -> bool:
        return not self.task.done()

    @property
    def ended_at(self) -> int | None:
        """When the body was ended cleanly; None where it was not."""
        at, last = self.messages[-1]
        is_last = last["type"] == "http.response.body" and not last.get("more_body", False)
        return at if is_last else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Lab:
    """An engine on a manual clock."""

    def __init__(self, *, in_memory: bool = False, **settings: Any) -> None:
        self.in_memory = in_memory
        self.clock = ManualClock()
        self.engine = Engine(Settings(**settings), clock=self.clock)

    async def open(self, path: str = PATH, **request: Any) -> Exchange:
        """Send a request, and let its answer run as far as it goes at this moment."""
        exchange = Exchange(self.engine, self.clock, in_memory=self.in_memory).start(path, **request)
        await settle()
        return exchange

    async def stream(self, kind: str = "sse", /, mock_id: str = "mock", **config: Any) -> Exchange:
        """Make a mock at `PATH` of an `sse`, `chunked` or `response` part, and send a request to it."""
        self.mock(kind, mock_id, **config)
        return await self.open()

    def mock(self, kind: str = "sse", /, mock_id: str = "mock", **config: Any) -> None:
        self.engine.create({"id": mock_id, "matcher": {"path": PATH}, kind: config})

    async def run(self, kind: str = "sse", /, *, seconds: float = 3600, **config: Any) -> Exchange:
        """The whole of a stream, or its first seconds."""
        exchange = await self.stream(kind, **config)
        await self.clock.advance(seconds)
        return exchange

    @property
    def live(self) -> list[dict[str, Any]]:
        return self.engine.connections.live()

    @property
    def ended(self) -> dict[str, Any]:
        """The connection that ended last."""
        return self.engine.connections.listed("ended")[-1].to_json()


def words(count: int) -> list[dict[str, Any]]:
    """As many events, with their numbers from 1 as data."""
    return [{"data": str(number)} for number in range(1, count + 1)]


async def files_are_read() -> None:
    """Files are read in the loop's executor, which has one thread here: what was asked of it before is done."""
    for _ in range(3):
        await asyncio.get_running_loop().run_in_executor(None, int)
        await settle()
