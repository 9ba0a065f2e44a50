"""One event as it is configured: its fields, or the bytes that are sent in place of them."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from typing import Annotated, Any

from msgspec import UNSET

from mockd.config.base import Config, Count, Mistake, WholeMilliseconds, doc, read_whole_milliseconds
from mockd.config.timing import Delay

_LINE_BREAK = r"[\r\n\0]"


def check_line(value: str | None, field: str) -> None:
    """Raise `ValueError` if a text cannot stand in one line of an event."""
    if value is not None and re.search(_LINE_BREAK, value):
        raise ValueError(f"{field}: a line break or NUL cannot be sent in an event's {field}")


class EventConfig(Config, frozen=True, kw_only=True):
    """One event of a stream."""

    type: Annotated[str | None, doc("Event type (the `event:` line), by which clients tell events apart.")] = None
    data: Annotated[Any, doc("Payload: text is sent as written, any other JSON value as compact JSON.")] = UNSET
    id: Annotated[str | None, doc("Event ID, for `Last-Event-ID`. Empty text resets the client's ID.")] = None
    retry: Annotated[WholeMilliseconds | None, doc("Reconnection interval for the client, in milliseconds.")] = None
    comment: Annotated[str | None, doc("A comment, which clients do not deliver as an event.")] = None
    delay: Annotated[Delay | None, doc("Pause before this event, in milliseconds; overrides `timing`.")] = None
    raw: Annotated[
        str | None,
        doc(
            "Text that is sent as it stands, with nothing filled in, in place of `type`, `data`, `retry` and "
            "`comment`. `id` beside it is the ID that clients find in it."
        ),
    ] = None
    raw_base64: Annotated[bytes | None, doc("The same as `raw`, as bytes in base64.")] = None
    count: Annotated[Count | None, doc("Number of events that `raw` or `rawBase64` counts as, by default 1.")] = None

    @property
    def as_it_stands(self) -> bytes | None:
        """The bytes of a raw event, or None for any other event."""
        return self.raw_base64 if self.raw is None else self.raw.encode()

    def __post_init__(self) -> None:
        read_whole_milliseconds(self, "retry")
        check_line(self.type, "type")
        check_line(self.id, "id")
        if self.raw is not None or self.raw_base64 is not None:
            self._check_raw()
            return
        if self.count is not None:
            raise Mistake("`count` goes with `raw` or `rawBase64`", ("count",), "any other event with data is one")
        if self.comment is not None and "\0" in self.comment:
            raise ValueError("comment: NUL cannot be sent in a comment")
        if self.data is UNSET and self.id is None and self.retry is None and self.comment is None:
            message = "an event needs `data` (or `comment`, `id` or `retry`): without it clients see nothing"
            hint = None if self.type is None else 'to send it all the same, write it as `raw`: "event: …\\n\\n"'
            raise Mistake(message, (), hint)

    def _check_raw(self) -> None:
        name = "raw" if self.raw is not None else "rawBase64"
        if self.raw is not None and self.raw_base64 is not None:
            raise Mistake("`raw` and `rawBase64` are the same: give one", ("rawBase64",))
        if not self.as_it_stands:
            raise Mistake(f"`{name}` is empty", (name,), "give the bytes that are sent")
        for field, absent in (("type", None), ("data", UNSET), ("retry", None), ("comment", None)):
            if getattr(self, field) is not absent:
                raise Mistake(f"`{name}` is sent in place of `{field}`", (field,), f"write it into `{name}`")
