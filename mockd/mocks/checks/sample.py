"""The events of a template for a request as its clients send it."""

from __future__ import annotations

from collections.abc import Sequence

from mockd.clock import SystemClock
from mockd.events import Event
from mockd.program.terms import UNSEEDED
from mockd.request import RequestView
from mockd.source import Script, Source, SourceContext
from mockd.sources.llm.source import WireSource

_BODY = b'{"model": "any", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'


def sample_events(source: Source) -> Sequence[Event]:
    """The events of a reply on a provider's wire; none for other sources, as to open them may do anything."""
    if not isinstance(source, WireSource):
        return []
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"alt=sse", "headers": []}
    opened = source.open(SourceContext(RequestView(scope, _BODY), {}, SystemClock(), UNSEEDED))
    return opened.build() if isinstance(opened, Script) else []
