"""Headers of responses, as (name in lower case, value)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mockd.config.headers import HeaderValue, values_of
from mockd.errors import ConfigError, Path
from mockd.expressions import Expression, has_expression

Headers = list[tuple[bytes, bytes]]

OF_THE_BODY = frozenset({b"content-encoding", b"content-length"})
"""Names of headers that can be untrue, which `body_headers` looks at."""

_NEVER_FOLLOWING = ("connection", "content-length")
_NOT_IN_VALUES = r"[\x00-\x08\x0a-\x1f\x7f]+"


class HeaderRules:
    """What a mock's `headers` decide: they win over all others of the same names, on every answer of the mock.

    `names` are all that they decide, in lower case as everywhere here. `omitted` are those of headers that are left
    out; `fixed` the headers that are the same on every answer; `following` those with an expression among their
    values, all of which then keep their order. Raises `ConfigError` for an expression that can never be rendered, or
    that stands where it must not; `path` is the place of the headers in the mock.
    """

    __slots__ = ("fixed", "following", "names", "omitted")

    def __init__(self, config: Mapping[str, HeaderValue], path: Path) -> None:
        given = {name.lower().encode(): _parsed(name, value, (*path, name)) for name, value in config.items()}
        self.names = frozenset(given)
        self.omitted = frozenset(name for name, values in given.items() if not values)
        self.fixed: Headers = []
        self.following: dict[bytes, list[bytes | Expression]] = {}
        for name, values in given.items():
            constant = [value for value in values if isinstance(value, bytes)]
            if len(constant) == len(values):
                self.fixed += [(name, value) for value in constant]
            else:
                self.following[name] = values

    @property
    def expressions(self) -> list[Expression]:
        """What must be rendered before `followed` and `over` are asked."""
        return [value for values in self.following.values() for value in values if isinstance(value, Expression)]

    def undecided(self, headers: Headers) -> Headers:
        """Those of some headers that the mock says nothing about."""
        return [header for header in headers if header[0] not in self.names] if self.names else headers

    def followed(self, rendered: Mapping[str, str]) -> Headers:
        """The headers that follow the request, from what its expressions came to, by their source."""
        return [
            (name, value if isinstance(value, bytes) else _as_value(rendered[value.source]))
            for name, values in self.following.items()
            for value in values
        ]

    def over(self, headers: Headers, rendered: Mapping[str, str]) -> Headers:
        """The final headers of an answer that would have these without the mock's own."""
        return self.undecided(headers) + self.fixed + self.followed(rendered) if self.names else headers


NO_RULES = HeaderRules({}, ())
"""For what mockd itself answers."""


def _parsed(name: str, given: HeaderValue, path: Path) -> list[bytes | Expression]:
    """The values of a header in order; none where it is left out."""
    parsed: list[bytes | Expression] = []
    for below, value in values_of(given):
        place = path + below
        if not has_expression(value):
            parsed.append(value.encode("latin-1"))
        elif name.lower() in _NEVER_FOLLOWING:
            raise ConfigError(f"{name} cannot follow the request", path=place, hint="the server goes by it")
        else:
            parsed.append(Expression(value, place))
    return parsed


class FixedHeaders(list[tuple[bytes, bytes]]):
    """Headers that are the same for every answer of a kind: the usual ones, with what its rules make of them.

    `names` are theirs. `closes`: they say that the connection ends with the answer. `settled` are the names about
    which a single answer, or the server, has nothing more to say: theirs, and those that the rules decide. `raw` are
    the bytes they are sent as; `started` is a line's note of how answers with them begin, and what that goes by.
    """

    __slots__ = ("closes", "has_length", "names", "raw", "settled", "started")

    def __init__(self, usual: Headers, rules: HeaderRules = NO_RULES) -> None:
        super().__init__(rules.undecided(usual) + rules.fixed)
        self.names = frozenset([name for name, _ in self])
        self.settled = self.names | rules.names
        self.has_length = b"content-length" in self.names
        self.closes = any(name == b"connection" and b"close" in value.lower() for name, value in self)
        self.raw = raw_headers(self)
        self.started: tuple[tuple[object, int] | None, bytes] = (None, b"")

    def replaced(self, others: Headers) -> FixedHeaders:
        """These, with others in the place of those of the same names."""
        names = {name for name, _ in others}
        replaced = FixedHeaders([(name, value) for name, value in self if name not in names] + others)
        replaced.settled |= self.settled
        return replaced


def raw_headers(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Headers as they are sent (RFC 9112, section 5). Raises `ValueError` for one that would end its line."""
    raw = b"".join([b"%b: %b\r\n" % header for header in headers])
    if len(raw.splitlines()) != len(headers) or b"\0" in raw:
        raise ValueError(f"headers that cannot be sent: {headers!r}")
    return raw


def first_of_each(headers: Headers, more: Headers) -> Headers:
    """Headers, and those of more whose names are not among them."""
    names = {name for name, _ in headers}
    return headers + [(name, value) for name, value in more if name not in names]


def _as_value(text: str) -> bytes:
    """Text as the value of a header (RFC 9110, section 5.5): with blanks for line breaks and other control characters,
    and question marks for what is not latin-1."""
    return re.sub(_NOT_IN_VALUES, " ", text).strip().encode("latin-1", "replace")
