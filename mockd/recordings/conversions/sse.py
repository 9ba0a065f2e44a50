"""A bare text of an event stream, such as `curl` prints it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mockd.recordings.conversions.bodies import Say
from mockd.recordings.events import SSE, blocks_of, kind_of
from mockd.recordings.lines import Begun, End, Head, Line, Output
from mockd.recordings.reading import Exchange
from mockd.recordings.rewriting import Story

PATH = "/events"
"""The path of a stream of which there is no request."""


def read(content: bytes, say: Say) -> Iterator[Story]:
    """The stream as an answer to `GET /events`, event by event and at once."""
    say("a text has no request, no head and no times: it answers GET /events, and all comes at once")
    head = Head(status=200, reason="OK", headers=[("Content-Type", "text/event-stream")])
    outputs: list[tuple[int, Line]] = [(0, Output(data=block)) for block in blocks_of(content)]
    yield Story(Begun(method="GET", url=PATH), [(0, head), *outputs, (0, End(how="complete"))])


def write(exchanges: Iterable[Exchange], say: Say) -> str:
    """The bodies of the answers, one after the other."""
    text = b""
    for exchange in exchanges:
        if kind_of(exchange) != SSE:
            say(f"the answer to {exchange.begun.method} {exchange.begun.url[:200]} is no event stream, and left out")
            continue
        text += b"".join(data for _, data in exchange.output())
    say("a text carries no request, no head, no pieces, no times, and not how it ended")
    return text.decode("utf-8", "surrogateescape")
