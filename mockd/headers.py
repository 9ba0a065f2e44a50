"""Headers of responses, as pairs of a name in lower case and a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mockd.config.headers import HeaderValue, values_of
from mockd.errors import ConfigError, Path
from mockd.expressions.expression import Expression
from mockd.expressions.tags import mentions_request

Headers = list[tuple[bytes, bytes]]

OF_THE_BODY = frozenset({b"content-encoding", b"content-length"})
"""Names of headers that describe the body and can be wrong. Module `body_headers` checks them."""

_NEVER_FOLLOWING = ("connection", "content-length")
_NOT_IN_VALUES = r"[\x00-\x08\x0a-\x1f\x7f]+"


class HeaderRules:
    """The rules of a mock's `headers`, which win over all other headers of the same names, on every answer of the mock.

    `names` are the names of all these headers, in lower case as everywhere here. `omitted` are the names of headers
    that are left out. `fixed` are the headers that are the same on every answer. `following` are the headers that have
    an expression in a value, with all their values in order. `path` is the place of the headers in the mock. Raises
    `ConfigError` for an expression that can never be rendered, or in a header that must not have one.
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
        """The expressions that must be rendered before `followed` and `over` are called."""
        return [value for values in self.following.values() for value in values if isinstance(value, Expression)]

    def undecided(self, headers: Headers) -> Headers:
        """The given headers without those that the mock decides."""
        return [header for header in headers if header[0] not in self.names] if self.names else headers

    def followed(self, rendered: Mapping[str, str]) -> Headers:
        """The headers with expressions. `rendered` has the rendered texts by the source of each expression."""
        return [
            (name, value if isinstance(value, bytes) else _as_value(rendered[value.source]))
            for name, values in self.following.items()
            for value in values
        ]

    def over(self, headers: Headers, rendered: Mapping[str, str]) -> Headers:
        """The final headers of an answer: the given ones, with the mock's own over them."""
        return self.undecided(headers) + self.fixed + self.followed(rendered) if self.names else headers


NO_RULES = HeaderRules({}, ())
"""The rules for answers that are mockd's own."""


def _parsed(name: str, given: HeaderValue, path: Path) -> list[bytes | Expression]:
    """The values of a header in order. A header that is left out has none."""
    parsed: list[bytes | Expression] = []
    for below, value in values_of(given):
        place = path + below
        if not mentions_request(value):
            parsed.append(value.encode("latin-1"))
        elif name.lower() in _NEVER_FOLLOWING:
            raise ConfigError(
                f"{name} cannot follow the request", path=place, hint="the server needs its value in advance"
            )
        else:
            parsed.append(Expression(value, place))
    return parsed


class FixedHeaders(list[tuple[bytes, bytes]]):
    """Headers that are the same for every answer of a kind: the usual ones with the mock's rules applied.

    `names` are their names. `closes` is true if they say that the connection ends with the answer. `settled` are the
    names to which neither a single answer nor the server may add: their own names, and those that the rules decide.
    `raw` are the bytes in which they are sent. `started` is a line's cache of the beginning of answers with these
    headers, with the state on which it depends. `reason` is the reason phrase of these answers; None: the one of
    their status.
    """

    __slots__ = ("closes", "has_length", "names", "raw", "reason", "settled", "started")

    def __init__(self, usual: Headers, rules: HeaderRules = NO_RULES) -> None:
        super().__init__(rules.undecided(usual) + rules.fixed)
        self.names = frozenset([name for name, _ in self])
        self.settled = self.names | rules.names
        self.has_length = b"content-length" in self.names
        self.closes = any(name == b"connection" and b"close" in value.lower() for name, value in self)
        self.raw = raw_headers(self)
        self.started: tuple[tuple[object, int] | None, bytes] = (None, b"")
        self.reason: bytes | None = None

    def replaced(self, others: Headers) -> FixedHeaders:
        """These headers, with `others` instead of those with the same names."""
        names = {name for name, _ in others}
        replaced = FixedHeaders([(name, value) for name, value in self if name not in names] + others)
        replaced.settled |= self.settled
        replaced.reason = self.reason
        return replaced


def headers_as_sent(headers: Sequence[tuple[str, str]], reason: str) -> FixedHeaders:
    """The headers of an answer that another server has sent, to be sent in the same way: with its reason phrase, with
    names spelled as they are, and with nothing that a server adds."""
    sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    fixed = FixedHeaders([(name.lower(), value) for name, value in sent])
    fixed.raw, fixed.reason = raw_headers(sent), reason.encode("latin-1")
    fixed.settled |= {b"date", b"server"}
    return fixed


def raw_headers(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Headers as they are sent (RFC 9112, section 5). Raises `ValueError` if one has a line break or NUL."""
    raw = b"".join([b"%b: %b\r\n" % header for header in headers])
    if len(raw.splitlines()) != len(headers) or b"\0" in raw:
        raise ValueError(f"headers that cannot be sent: {headers!r}")
    return raw


def first_of_each(headers: Headers, more: Headers) -> Headers:
    """The headers, and those in `more` with other names."""
    names = {name for name, _ in headers}
    return headers + [(name, value) for name, value in more if name not in names]


def _as_value(text: str) -> bytes:
    """Text as the value of a header (RFC 9110, section 5.5): in latin-1 if possible, otherwise in UTF-8. Line breaks
    and other control characters become spaces."""
    text = re.sub(_NOT_IN_VALUES, " ", text).strip()
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
