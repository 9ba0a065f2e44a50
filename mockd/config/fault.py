"""A fault as it is configured, but for its action: the place in an answer, and the requests that it strikes."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from mockd.config.base import Config, Count, Milliseconds, Mistake, doc, read_milliseconds
from mockd.config.models import Matcher

_RANGES = "[0-9]{1,9}(-[0-9]{0,9})?(,[0-9]{1,9}(-[0-9]{0,9})?)*"
ANYWHERE = frozenset({"head", "events", "bytes", "wireBytes", "ms"})
BEHIND_HEAD = ANYWHERE - {"head"}
"""Units of places: all of them, and those behind the head."""
Positive = Annotated[int, Meta(ge=1)]


def like(pattern: str) -> Meta:
    """The pattern of a text, for the JSON Schema. The struct itself refuses another one, in words."""
    return Meta(extra_json_schema={"pattern": f"^({pattern})$"})


class After(Config, frozen=True, kw_only=True):
    """A place behind the head of an answer, by what the connection itself has sent."""

    events: Annotated[Count | None, doc("Number of events with data.")] = None
    bytes: Annotated[Count | None, doc("Number of bytes of the body, before chunking.")] = None
    wire_bytes: Annotated[
        Count | None, doc("Number of bytes of the response, with head and chunk sizes, before TLS.")
    ] = None
    ms: Annotated[Milliseconds | None, doc("Time since the head, in milliseconds.")] = None

    def __post_init__(self) -> None:
        read_milliseconds(self, "ms")
        if len(list(self._given())) != 1:
            raise ValueError("a place has one of `events`, `bytes`, `wireBytes` and `ms`")

    def _given(self) -> Iterator[str]:
        for name, attribute in zip(self.__struct_encode_fields__, self.__struct_fields__, strict=True):
            if getattr(self, attribute) is not None:
                yield name

    @property
    def unit(self) -> str:
        """What is counted: `events`, `bytes`, `wireBytes` or `ms`."""
        return next(self._given())

    @property
    def count(self) -> float:
        """The number of them."""
        number: float = getattr(self, {"wireBytes": "wire_bytes"}.get(self.unit, self.unit))
        return number


class Fault(Config, frozen=True, kw_only=True, tag_field="action"):
    """What all faults have: their place in an answer, and the requests that they strike."""

    places: ClassVar[frozenset[str]] = ANYWHERE
    """The places at which the action is possible: `head` is before the head, the others are units of `After`."""
    place: ClassVar[Literal["head", "start"]] = "start"
    """The place if none is given: before the head, or right behind it."""
    connection: ClassVar[str] = "as it was"
    """What becomes of the connection afterwards, for the reference."""
    makes_up: ClassVar[str | None] = None
    """The setting that says how many bytes the action makes up, if it makes up any; `--max-fault-bytes` bounds it."""
    example: ClassVar[str]
    """A line of text with the action, for the reference."""

    name: Annotated[str | None, doc("Name of the fault, for records.")] = None
    before: Annotated[Literal["head"] | None, doc("`head`: before anything is sent.")] = None
    after: Annotated[After | None, doc("Place behind the head.")] = None
    requests: Annotated[
        Annotated[str, like(_RANGES)] | None,
        doc("Numbers of the requests that it strikes, such as `1-2,5-`; of each key, counted from 1."),
    ] = None
    every: Annotated[Positive | None, doc("It strikes each request whose number this divides.")] = None
    probability: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        doc("Probability with which it strikes a request; drawn with the seed of the mock, if it has one."),
    ] = None
    match: Annotated[Matcher | None, doc("It strikes only requests that match this too; others are not counted.")] = (
        None
    )

    def __post_init__(self) -> None:
        if self.before is not None and self.after is not None:
            raise ValueError("give one of `before` and `after`")
        given = "head" if self.before else self.after.unit if self.after else None
        if given is not None and given not in self.places:
            known = ", ".join(self.places_in_words()) or "behind the last event, which is not said"
            where = ("before",) if self.before else ("after",)
            raise Mistake(f"`{self.action}` is not possible there", where, f"it goes {known}")
        if self.requests is not None and not re.fullmatch(_RANGES, self.requests):
            message = f"{self.requests[:40]!r} is no list of request numbers"
            raise Mistake(message, ("requests",), "write it as in `1-2,5-`, without blanks")
        for low, high in self.ranges:
            if not low or low > high:
                raise Mistake(f"there are no requests {self.requests!r}", ("requests",), "they count from 1")

    @property
    def action(self) -> str:
        """The name of the action."""
        return str(self.__struct_config__.tag)

    @classmethod
    def places_in_words(cls) -> list[str]:
        """The places at which the action is possible, as they are written in a line."""
        return [words for place, words in _PLACE_WORDS.items() if place in cls.places]

    @property
    def is_before_head(self) -> bool:
        return self.before is not None or (self.after is None and self.place == "head")

    @property
    def ranges(self) -> list[tuple[int, float]]:
        """The numbers of the requests that it strikes, as pairs of the first and the last; empty for all."""
        found: list[tuple[int, float]] = []
        for part in self.requests.split(",") if self.requests else ():
            first, dash, last = part.partition("-")
            found.append((int(first), (int(last) if last else float("inf")) if dash else int(first)))
        return found


_PLACE_WORDS = {
    "head": "`before head`",
    "events": "`after N events`",
    "bytes": "`after N bytes`",
    "wireBytes": "`after N wire bytes`",
    "ms": "`after T ms`",
}
