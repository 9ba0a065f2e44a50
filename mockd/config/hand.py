"""What the admin API takes of those who hold a stream, as structs, from which validation and the OpenAPI document
follow."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

from typing import Annotated, Literal

from msgspec import Meta

from mockd.config.base import Config, doc

_MOST = 1_000_000_000
AtLeastOne = Annotated[int, Meta(ge=1, le=_MOST)]
Place = Annotated[int, Meta(ge=0, le=_MOST)]


class Hold(Config, frozen=True, kw_only=True):
    """A place at which a stream is held until it is released. Due times shift by the time for which it is held."""

    at: Annotated[
        Place | Literal["head"] | None,
        doc("Number of events after which it is held; `head`: before the head. Absent, or passed already: at once."),
    ] = None
    keepalives: Annotated[bool, doc("Whether keepalives and heartbeats go on meanwhile.")] = True
    freeze_timeouts: Annotated[bool, doc("Whether `timeout` and `connectionTimeout` stand still meanwhile.")] = False


class MockHold(Hold, frozen=True, kw_only=True):
    """A hold of the streams of a mock."""

    upcoming: Annotated[
        AtLeastOne | Literal["all"] | bool,
        doc(
            "In place of the live streams, hold so many of those that begin next; `true`: the next one; `all`: each "
            "until they are released."
        ),
    ] = False


class Step(Config, frozen=True, kw_only=True):
    """The events that a held stream sends at once, before it is held again."""

    count: Annotated[AtLeastOne, doc("Number of events.")] = 1
