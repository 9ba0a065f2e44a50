"""The headers of a mock as they are configured, and a check that HTTP allows them."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Meta

from mockd.config.base import Config, Mistake
from mockd.errors import Path

HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NOT_IN_VALUES = r"[\x00-\x08\x0a-\x1f\x7f]"


class OmittedHeader(Config, frozen=True, kw_only=True):
    """The value of a header that mockd would add by itself and that is left out."""

    omit: Annotated[bool, Meta(description="Always true.", extra_json_schema={"const": True})]

    def __post_init__(self) -> None:
        if not self.omit:
            raise Mistake("`omit` can only be true", ("omit",), "leave the header out to have what mockd sends")


HeaderValue = str | Annotated[list[str], Meta(min_length=1)] | OmittedHeader
"""A value, the values of a header that is sent several times, or an order to leave the header out."""

Headers = Annotated[
    dict[str, HeaderValue],
    Meta(
        description="HTTP headers; on every answer they replace mockd's own. A list of texts sends the header once for "
        'each text; `{"omit": true}` leaves out a header that mockd would add by itself.'
    ),
]


def values_of(given: HeaderValue) -> Iterator[tuple[Path, str]]:
    """The values of a header, each with its path below the header. A header that is left out has none."""
    if isinstance(given, str):
        yield (), given
    elif isinstance(given, list):
        yield from (((index,), value) for index, value in enumerate(given))


def check_headers(headers: Mapping[str, HeaderValue]) -> None:
    """Raise `Mistake` if a name or value cannot be sent as an HTTP header (RFC 9110, section 5)."""
    written: dict[str, str] = {}
    for name, given in headers.items():
        place: Path = ("headers", name)
        if not re.fullmatch(HEADER_NAME, name):
            raise Mistake(f"{name!r} is not a header name", place)
        first = written.setdefault(name.lower(), name)
        if first != name:
            raise Mistake(f"{name!r} and {first!r} are the same header", place, "give it once, with a list of values")
        is_omitted = isinstance(given, OmittedHeader)
        if name.lower() == "transfer-encoding" or (name.lower() == "content-length" and is_omitted):
            hint = "clients go by it to find the end of the body: leave it out of `headers`"
            raise Mistake(f"{name!r} is the server's to say", place, hint)
        for below, value in values_of(given):
            _check_value(name, value, place + below)


def _check_value(name: str, value: str, place: Path) -> None:
    if re.search(_NOT_IN_VALUES, value):
        raise Mistake(f"the value of {name!r} has a line break, NUL or other control character in it", place)
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise Mistake(f"the value of {name!r} has a character outside latin-1", place) from None
