"""A template of `response` that decides the status of its answers and how long they take."""

from __future__ import annotations

from msgspec import Struct

from mockd.events import Event
from mockd.source import Answer, BaseSource, SourceContext
from mockd.sources import SourceKind


class Decided(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Status and delay of each answer, and whether it is a stream."""

    status: int = 200
    delay_ms: float = 0
    is_stream: bool = False


class DecidedSource(BaseSource):
    """What it is told."""

    def __init__(self, params: Decided) -> None:
        self._params = params

    def open(self, context: SourceContext) -> Answer:
        params = self._params
        events = iter([Event("x")]) if params.is_stream else None
        return Answer(status=params.status, delay_s=params.delay_ms / 1000, body="x", events=events)


WITH_STATUS = SourceKind("with-status", Decided, DecidedSource, "For tests.", "response")
