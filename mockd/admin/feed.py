"""The live feed as Server-Sent Events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, get_args

from sse_starlette import EventSourceResponse, ServerSentEvent

from mockd.admin.calls import HEADERS, Call
from mockd.engine import Engine
from mockd.errors import ConfigError, TooManyReadersError
from mockd.journal.feed import Feed, Happening, Missed, Type
from mockd.jsontext import encode_json


async def follow(engine: Engine, call: Call) -> Any:
    """Follow what happens, as Server-Sent Events: those that `type` may name, and `missed`."""
    feed, settings = engine.connections.feed, engine.settings
    fits, after = _filter(call), call.view.last_event_id
    if feed.readers >= settings.max_subscribers:
        raise TooManyReadersError(f"as many follow the feed as --max-subscribers allows ({settings.max_subscribers:,})")
    return EventSourceResponse(_events(feed, fits, after), headers=HEADERS)


def _filter(call: Call) -> Callable[[Happening], bool]:
    key, mock_id, text = call.text("key"), call.text("mock"), call.text("type")
    types = get_args(Type) if text is None else text.split(",")
    for name in types:
        if name not in get_args(Type):
            raise ConfigError(f"query parameter `type`: {name!r} is none of {', '.join(get_args(Type))}")

    def fits(event: Happening) -> bool:
        if event.type not in types:
            return False
        # What happens to mocks may matter to every key.
        return event.key is None or (key in (None, event.key) and mock_id in (None, event.mock_id))

    return fits


async def _events(feed: Feed, fits: Callable[[Happening], bool], after: str | None) -> AsyncIterator[ServerSentEvent]:
    async for event in feed.read(fits, after):
        id_ = feed.id_of(event.number)
        if isinstance(event, Missed):
            yield ServerSentEvent(encode_json({"missed": event.count}).decode(), event="missed", id=id_)
        else:
            yield ServerSentEvent(encode_json(event.data).decode(), event=event.type, id=id_)
