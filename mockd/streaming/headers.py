"""Headers of responses, as (name in lower case, value)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mockd.errors import ConfigError, Path
from mockd.expressions import Expression, has_expression

Headers = list[tuple[bytes, bytes]]


_FIXED = ("connection", "content-length")
_NOT_IN_VALUES = r"[\x00-\x08\x0a-\x1f\x7f]+"


class FixedHeaders(list[tuple[bytes, bytes]]):
    """Headers that are the same for every response of a mock.

    `names` are theirs, `raw` the bytes they are sent as. `is_plain`: they leave it to the server how long the body and
    the connection are.
    """

    __slots__ = ("is_plain", "names", "raw")

    def __init__(self, headers: Headers) -> None:
        super().__init__(headers)
        self.names = frozenset(name for name, _ in headers)
        self.raw = raw_headers(headers)
        given = dict(headers)
        self.is_plain = b"content-length" not in given and given.get(b"connection", b"keep-alive") == b"keep-alive"

    def replaced(self, others: Headers) -> FixedHeaders:
        """These, with others in the place of those of the same names."""
        names = {name for name, _ in others}
        return FixedHeaders([(name, value) for name, value in self if name not in names] + others)


def raw_headers(headers: Headers) -> bytes:
    """Headers as they are sent (RFC 9112, section 5)."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def first_of_each(headers: Headers, more: Headers) -> Headers:
    """Headers, and those of more whose names are not among them."""
    names = {name for name, _ in headers}
    return headers + [(name, value) for name, value in more if name not in names]


def override(headers: Headers, given: dict[str, str]) -> Headers:
    """Headers with those a mock gives in the place of the same names; without those that follow the request."""
    names = {name.lower().encode() for name in given}
    kept = [(name, value) for name, value in headers if name not in names]
    fixed = [(name, value) for name, value in given.items() if not has_expression(value)]
    return kept + [(name.lower().encode(), value.encode("latin-1")) for name, value in fixed]


def following(given: Mapping[str, str], path: Path) -> dict[bytes, Expression]:
    """Those of a mock's headers that follow the request. Raises `ConfigError`."""
    found: dict[bytes, Expression] = {}
    for name, value in given.items():
        if has_expression(value):
            where = (*path, name)
            if name.lower() in _FIXED:
                raise ConfigError(f"{name} cannot follow the request", path=where, hint="the server goes by it")
            found[name.lower().encode()] = Expression(value, where)
    return found


def as_value(text: str) -> bytes:
    """Text as the value of a header (RFC 9110, section 5.5): with blanks for line breaks and other control characters,
    and question marks for what is not latin-1."""
    return re.sub(_NOT_IN_VALUES, " ", text).strip().encode("latin-1", "replace")
