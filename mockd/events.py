"""What flows through mockd: events, as sources yield them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Event(NamedTuple):
    """One event, before it is framed.

    `data` is text as written, `bytes` as they are, `None` for an event without data, or any other JSON value
    (sent as compact JSON). To send the JSON value `null`, use `JSON_NULL`.
    `delay_s` is the pause before this event in seconds, None where the mock's timing decides.
    `counted` is False for what is not the reply itself (an error event, a provider's ping).
    """

    data: Any = None
    type: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: str | None = None
    delay_s: float | None = None
    counted: bool = True


class _JsonNull:
    """Stands for the JSON value `null`, where `None` means that there is no data at all."""

    def __repr__(self) -> str:
        return "JSON_NULL"


JSON_NULL = _JsonNull()
