"""What `POST /verify` takes: which requests should have come, how often, and in which order."""

# This module does not postpone its annotations: msgspec would have to compile each of them.

from typing import Annotated

from msgspec import Meta

from mockd.config.base import Config, Count, Mistake, Seconds, doc, read_seconds
from mockd.config.models import Matcher

LONGEST_WAIT_S = 600
"""Longest time, in seconds, that an operation of the admin API waits."""
MOST_IN_ORDER = 100
"""Most requests of an order."""


def criteria_of(text: str) -> dict[str, str]:
    """The criteria for which a text such as `POST /path` or `/path` stands."""
    first, _, rest = text.strip().partition(" ")
    is_path = first.startswith(("/", "*")) or not rest  # one word that is no path is refused as one without its slash
    return {"path": text.strip()} if is_path else {"method": first, "path": rest.strip()}


class RequestSpec(Matcher, frozen=True, kw_only=True, omit_defaults=True):
    """Requests that came: every criterion that is given must match."""

    mock: Annotated[str | None, doc("ID of the mock that answers.")] = None
    key: Annotated[str | None, doc("Key of the request; empty: requests without one. Absent: any.")] = None


class Times(Config, frozen=True, kw_only=True):
    """How often a request should have come, if that is no single number."""

    at_least: Annotated[Count | None, doc("Least number of times.")] = None
    at_most: Annotated[Count | None, doc("Greatest number of times.")] = None

    def __post_init__(self) -> None:
        if self.at_least is None and self.at_most is None:
            raise ValueError("`times` needs `atLeast`, `atMost` or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise Mistake(f"{self.at_least} is more than `atMost`, which is {self.at_most}", ("atLeast",))


class Verification(Config, frozen=True, kw_only=True):
    """Which requests should have come."""

    request: Annotated[
        str | RequestSpec | None, doc('A request: an object, or text such as `"POST /path"` or `"/path"`.')
    ] = None
    times: Annotated[Count | Times | None, doc("How often it should have come; absent: at least once.")] = None
    never: Annotated[bool, doc("Whether it should not have come at all.")] = False
    order: Annotated[
        Annotated[list[str | RequestSpec], Meta(min_length=1, max_length=MOST_IN_ORDER)] | None,
        doc("Requests that should have come in this order. Others may have come between them."),
    ] = None
    within_seconds: Annotated[
        Seconds,
        doc(
            f"Time, in seconds, to wait until it is so, at most {LONGEST_WAIT_S}. If there is a greatest number of "
            "times, all of it is waited for."
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        read_seconds(self, "within_seconds")
        if self.within_seconds > LONGEST_WAIT_S:
            raise Mistake(f"more than {LONGEST_WAIT_S} seconds", ("withinSeconds",), "ask again when it is over")
        if (self.request is None) == (self.order is None):
            found = "neither" if self.request is None else "both"
            raise ValueError(f"exactly one of `request` and `order` says what should have come; found {found}")
        for name, is_given in (("times", self.times is not None), ("never", self.never)):
            if is_given and self.order is not None:
                raise Mistake(f"`{name}` does not go with `order`", (name,), "an order has each of its requests once")
        if self.never and self.times is not None:
            raise Mistake("`never` does not go with `times`", ("never",), "`never` is the same as `times: 0`")

    @property
    def bounds(self) -> tuple[int, int | None]:
        """The least and the greatest number of times."""
        if self.never:
            return 0, 0
        if isinstance(self.times, int):
            return self.times, self.times
        return (1, None) if self.times is None else (self.times.at_least or 0, self.times.at_most)
