"""`notification-stream`: one event for each notification."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from mockd.config.models import Delay
from mockd.config.timing import in_seconds
from mockd.errors import ConfigError
from mockd.events import JSON_NULL, Event, Pause, Text
from mockd.placeholders import Timestamp, Uuid, parse_value
from mockd.source import Script, Source
from mockd.sources.registry import SourceKind
from mockd.sources.static import ScriptSource

DEFAULT: list[dict[str, Any]] = [
    {"type": "info", "message": "Welcome back"},
    {"type": "message", "message": "You have 3 new messages"},
    {"type": "alert", "message": "System update tonight at 22:00 UTC"},
    {"type": "success", "message": "Backup completed"},
]


class NotificationParams(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Parameters of `notification-stream`."""

    notifications: Annotated[list[Any] | None, Meta(description="Payloads, one for each event; placeholders work.")] = (
        None
    )
    messages: Annotated[list[Any] | None, Meta(description="The same as `notifications`.")] = None
    include_timestamp: Annotated[bool, Meta(description="Add `timestamp` (RFC 3339) to items without one.")] = False
    include_id: Annotated[bool, Meta(description="Add `id` (a UUID) to items without one.")] = False
    event_type: Annotated[
        str | None, Meta(description="Event type of all events; by default each item's `type`, else `notification`.")
    ] = None
    interval: Annotated[
        Delay | None, Meta(description="Pause between events, in milliseconds, if `timing` has none.")
    ] = None
    loop: Annotated[bool, Meta(description="Whether the events start again after the last one.")] = False

    def __post_init__(self) -> None:
        if self.notifications is not None and self.messages is not None:
            raise ValueError("`notifications` and `messages` are the same: give one")
        if self.event_type is not None and any(char in self.event_type for char in "\r\n\0"):
            raise ValueError("eventType: a line break or NUL cannot be sent in an event's type")


class NotificationSource(ScriptSource):
    """A source whose events come at an interval, by default a second."""

    def __init__(self, script: Script, interval: Pause) -> None:
        super().__init__(script)
        self.default_delay_s = interval


def build(params: NotificationParams) -> Source:
    """The source for these parameters."""
    name = "messages" if params.notifications is None else "notifications"
    items = params.notifications if params.notifications is not None else params.messages
    events = [_event(item, params, (name, index)) for index, item in enumerate(DEFAULT if items is None else items)]
    script = Script(lambda: events, passes=None if params.loop else 1)
    return NotificationSource(script, 1.0 if params.interval is None else in_seconds(params.interval))


def _event(item: Any, params: NotificationParams, path: tuple[str, int]) -> Event:
    own_type = item.get("type") if isinstance(item, dict) else None
    if own_type is not None and not isinstance(own_type, str):
        own_type = None
    if own_type is not None and any(char in own_type for char in "\r\n\0"):
        raise ConfigError("a line break or NUL cannot be sent in an event's type", path=(*path, "type"))
    type_ = params.event_type if params.event_type is not None else own_type or "notification"
    data = parse_value(item, path)
    if isinstance(data, dict):
        if params.include_timestamp:
            data.setdefault("timestamp", Text((Timestamp(),)))
        if params.include_id:
            data.setdefault("id", Text((Uuid(),)))
    return Event(JSON_NULL if data is None else data, type=parse_value(type_, path))


KIND = SourceKind("notification-stream", NotificationParams, build, "A stream of notifications, one event each.")
