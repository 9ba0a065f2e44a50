"""Requests as the journal keeps them, and what they tell: whether a criterion holds, or why that cannot be known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import cast

from msgspec import Struct

from mockd.config.models import Matcher, ValueTest
from mockd.journal import redaction
from mockd.journal.entries import parsed
from mockd.journal.journal import Asked
from mockd.matching.paths import parse_path
from mockd.matching.predicates import KINDS as KINDS_OF_MATCHERS
from mockd.matching.predicates import Kind, Note, Predicate, compile_predicates
from mockd.patterns import OutOfTimeError
from mockd.request import RequestView, once


class Doubt(Enum):
    """A reason for which it cannot be known whether a criterion holds."""

    CUT = "only the beginning of its body was kept (--body-limit)"
    NO_BODY = "its body is not there"
    NO_ANSWER = "it is not known yet which mock answers it"
    HIDDEN = "credentials are in what was to be searched, and only their whole values are compared"
    TOO_LONG = "to test it takes too long"


class KeptRequest(RequestView):
    """A request that is in the journal. `is_open` says whether its credentials may be searched."""

    def __init__(self, asked: Asked, *, is_open: bool) -> None:
        exchange = asked.exchange
        _, query, headers = parsed(asked)
        headers = [(name.lower(), value) for name, value in headers]
        scope = {"method": exchange.method, "path": exchange.path, "query_string": query, "headers": headers}
        super().__init__(scope, asked.body)
        self.key = exchange.key
        self.mock_id = exchange.mock_id
        self.body_bytes = asked.body_bytes
        self.is_open = is_open
        self.is_assigned = bool(
            exchange.mock_id or exchange.http_status or exchange.outcome or exchange.near_misses is not None
        )
        """Whether it has been decided which mock answers it, if any."""
        self.is_settled = self.is_assigned and bool(asked.body_bytes is not None or exchange.outcome)
        """Whether nothing more will be known of what its client has sent, and of its mock."""

    @once
    def has_hidden_body(self) -> bool:
        """Whether there are credentials in the body that must not be searched."""
        return not self.is_open and redaction.body(self.text) != self.text


def _of_mock(expected: str, _: str) -> Callable[[RequestView], bool]:
    return lambda request: cast(KeptRequest, request).mock_id == expected


def _of_key(expected: str, _: str) -> Callable[[RequestView], bool]:
    return lambda request: request.key == expected


NO_MOCK = Note("(no mock)")
MOCK = Kind("mock", "mock", 20, _of_mock, lambda request, _: cast(KeptRequest, request).mock_id or NO_MOCK, "mock")
KEY = Kind("key", "key", 10, _of_key, lambda request, _: request.key, "key")
KINDS = (MOCK, KEY, *KINDS_OF_MATCHERS)
"""The kinds of criteria for requests that came, cheapest first."""


class Criterion(Struct, frozen=True):
    """A criterion for requests that came. If it is a `not`, `inside` has those of its matcher."""

    predicate: Predicate
    inside: tuple[Criterion, ...] = ()

    @classmethod
    def of(cls, predicate: Predicate) -> Criterion:
        matcher = predicate.expected
        if not isinstance(matcher, Matcher):
            return cls(predicate)
        template = None if matcher.path is None else parse_path(matcher.path)
        return cls(predicate, tuple(map(cls.of, compile_predicates(matcher, template))))

    def told_by(self, request: KeptRequest) -> bool | Doubt:
        """Whether it holds for a request."""
        try:
            return _TELLERS.get(self.predicate.kind.field, _tested)(self, request)
        except OutOfTimeError:
            return Doubt.TOO_LONG

    @property
    def is_search(self) -> bool:
        """Whether it says something of the parts of a value. Whoever asks often would learn all of it."""
        kind, expected = self.predicate.kind.field, self.predicate.expected
        if isinstance(expected, ValueTest):
            return expected.pattern is not None
        # A JSONPath has a `?` before each filter.
        return ("*" in expected) if kind == "headers" else kind in _SEARCHES or "?" in self.predicate.key


_SEARCHES = ("bodyContains", "bodyPattern")


def told_by_all(criteria: Iterable[Criterion], request: KeptRequest) -> bool | Doubt:
    """Whether all criteria hold."""
    doubt: Doubt | None = None
    for criterion in criteria:
        told = criterion.told_by(request)
        if told is False:
            return False
        if isinstance(told, Doubt):
            doubt = doubt or told
    return doubt or True


def _tested(criterion: Criterion, request: KeptRequest) -> bool | Doubt:
    return criterion.predicate.holds(request)


def _told_by_mock(criterion: Criterion, request: KeptRequest) -> bool | Doubt:
    return _tested(criterion, request) if request.is_assigned else Doubt.NO_ANSWER


def _told_by_header(criterion: Criterion, request: KeptRequest) -> bool | Doubt:
    name = criterion.predicate.key
    is_hidden = _is_hidden(criterion, request, request.headers.get(name.lower(), ()), redaction.header)
    return Doubt.HIDDEN if is_hidden else _tested(criterion, request)


def _told_by_parameter(criterion: Criterion, request: KeptRequest) -> bool | Doubt:
    values = request.query.get(criterion.predicate.key, ())
    is_hidden = _is_hidden(criterion, request, values, redaction.parameter)
    return Doubt.HIDDEN if is_hidden else _tested(criterion, request)


def _is_hidden(
    criterion: Criterion, request: KeptRequest, values: Iterable[str], redacted: Callable[[str, str], str]
) -> bool:
    if request.is_open or not criterion.is_search:
        return False
    return any(redacted(criterion.predicate.key, value) != value for value in values)


def _told_by_body(criterion: Criterion, request: KeptRequest) -> bool | Doubt:
    if request.has_hidden_body and criterion.is_search:
        return Doubt.HIDDEN
    if request.body_bytes == len(request.body):
        return _tested(criterion, request)
    return Doubt.NO_BODY if request.body_bytes is None else Doubt.CUT


def _told_by_part_of_body(criterion: Criterion, request: KeptRequest) -> bool | Doubt:
    told = _told_by_body(criterion, request)
    return True if told is Doubt.CUT and _tested(criterion, request) is True else told


def _told_by_whole_body(criterion: Criterion, request: KeptRequest) -> bool | Doubt:
    told = _told_by_body(criterion, request)
    if told is not Doubt.CUT:
        return told
    expected = criterion.predicate.expected.encode("utf-8", "surrogatepass")
    return Doubt.CUT if len(expected) == request.body_bytes and expected.startswith(request.body) else False


def _told_by_not(criterion: Criterion, request: KeptRequest) -> bool | Doubt:
    told = told_by_all(criterion.inside, request)
    return told if isinstance(told, Doubt) else not told


_TELLERS: dict[str, Callable[[Criterion, KeptRequest], bool | Doubt]] = {
    "mock": _told_by_mock,
    "headers": _told_by_header,
    "queryParams": _told_by_parameter,
    "bodyEquals": _told_by_whole_body,
    "bodyContains": _told_by_part_of_body,
    "bodyPattern": _told_by_body,
    "bodyJsonPath": _told_by_body,
    "not": _told_by_not,
}
"""How a request tells whether the criteria of each kind hold. Those of other kinds are always tested."""
