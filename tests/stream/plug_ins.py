"""Sources of our own, as a plug-in has them; named in a mock as `tests.stream.plug_ins:NAME`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from msgspec import Struct

from mockd.config.timing import Delay, in_seconds
from mockd.events import Event
from mockd.source import Answer, BaseSource, Opened, Script, Source, SourceContext
from mockd.sources import SourceKind

taken: list[int] = []
"""The numbers of events that sources here have been asked for."""
gates: dict[str, asyncio.Event] = {}
"""What a source waits for before the event of that data."""


class Params(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Parameters of all of them: how many events of how many bytes, and after how many the source fails."""

    count: int = 1_000_000
    size: int = 1
    takes_ms: float = 0
    fails_after: int | None = None


class OpenedBy(BaseSource):
    """A source that is opened by a function of its parameters and the context."""

    def __init__(self, params: Params, open_: Callable[[Params, SourceContext], Opened]) -> None:
        self._params = params
        self._open = open_

    def open(self, context: SourceContext) -> Opened:
        return self._open(self._params, context)


def _kind(name: str, open_: Callable[[Params, SourceContext], Opened]) -> SourceKind[Any]:
    def build(params: Params) -> Source:
        return OpenedBy(params, open_)

    return SourceKind(name, Params, build, "For tests.")


def _events(params: Params, context: SourceContext) -> Iterator[Event]:
    for number in range(params.count):
        if number == params.fails_after:
            raise ValueError("out of stock")
        taken.append(number)
        if params.takes_ms:
            context.clock.skip(params.takes_ms / 1000)  # type: ignore[attr-defined]
        yield Event(str(number) if params.size == 1 else "x" * params.size)


async def _awaited(params: Params, context: SourceContext) -> AsyncIterator[Event]:
    for event in _events(params, context):
        if (gate := gates.get(str(event.data))) is not None:
            await gate.wait()
        yield event


def _unopened(params: Params, context: SourceContext) -> Opened:
    raise ValueError("out of order")


class Told(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Parameters of a template that tells a story: the pause before each word."""

    delay_per_token: Delay | None = None
    words: int = 3


class Tale(BaseSource):
    """A template as those of model replies are: events that belong to the format around those of the content."""

    def __init__(self, params: Told) -> None:
        self._words = params.words
        self.token_delay = None if params.delay_per_token is None else in_seconds(params.delay_per_token)

    def open(self, context: SourceContext) -> Opened:
        return Script(self._events)

    def _events(self) -> list[Event]:
        words = [Event(str(number), opens=number == 1) for number in range(1, self._words + 1)]
        return [Event("head", delay_s=0.0), *words, Event("end", delay_s=0.0)]


TALE = SourceKind("tale", Told, Tale, "For tests.")
TALE_IN_LINES = SourceKind("tale-in-lines", Told, Tale, "For tests.", "chunked")
PLAIN = _kind("plain", _events)
AWAITED = _kind("awaited", _awaited)
REPLY = _kind("reply", lambda params, context: Answer(body={"path": context.request.path}, status=202))
UNOPENED = _kind("unopened", _unopened)
