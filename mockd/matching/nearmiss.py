"""Near misses: the mocks that nearly matched a request, and how they differ from it."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from copy import copy
from functools import partial
from itertools import chain
from operator import eq
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import structs

from mockd.config.models import Matcher, ValueTest
from mockd.journal import credentials, redaction
from mockd.matching.paths import PathTemplate, Segment
from mockd.matching.predicates import NOT_TESTED, PATH, Note, Predicate, method_fits
from mockd.matching.rule import Rule
from mockd.patterns import Effort, OutOfTimeError
from mockd.request import RequestView

L = TypeVar("L")
R = TypeVar("R")
Holds = Callable[[Predicate, RequestView], bool | Note]
"""Whether a predicate holds for a request, or the reason why it is not tested."""

MOST_NAMED = 3
"""Most near misses that are named."""

MOST_SHOWN = 200
"""Most characters of a request's value that are shown."""

HIDDEN = Note("(a value that is not shown)")
"""What is shown for a credential."""

LONGEST_LIKENED = 2000
"""Most characters of a path that is likened to those of mocks: to see how like it is takes time for each mock."""

_LIKE_ENOUGH = 0.5


class _NearMiss(NamedTuple):
    rule: Rule[Any]
    held: tuple[bool | Note, ...]
    """For each predicate of the rule, whether it holds, or the reason why it was not tested."""
    score: int
    """The sum of the scores of the predicates that hold."""
    likeness: float
    """The likeness of the paths, from 0 to 1."""
    is_enabled: bool = True

    @property
    def nearness(self) -> tuple[float, float, int]:
        """The share of what the mock asks for that the request has, by which a mock that asks for much is no nearer
        than one that asks for little. If it is the same, the likeness of the paths counts, then the score."""
        return self.score / self.rule.score, self.likeness, self.score


def near_misses(
    rules: Sequence[Rule[Any]],
    on_path: Set[Rule[Any]],
    request: RequestView,
    disabled: Sequence[Rule[Any]] = (),
) -> list[dict[str, Any]]:
    """The near misses among the rules, as JSON, nearest first.

    `rules` are in order of rank, and none of them matches. `disabled` are those of mocks that are not enabled.
    `on_path` are those of both whose path fits. A rule is near in two
    cases: its path fits, or it has none and a predicate holds that is neither its method nor an absence; or its path
    differs from the request's only in case, one slash or one segment, and its method holds. Near misses are sorted by
    `nearness`, then by rank.
    """
    found = chain(
        _near(rules, on_path, request),
        (near._replace(is_enabled=False) for near in _near(disabled, on_path, request)),
    )
    nearest = heapq.nlargest(MOST_NAMED, found, key=lambda near: near.nearness)
    shown = redaction.View(request) if nearest else request
    return [{**_named(near.rule), **_report(near, shown)} for near in nearest]


class Nearest:
    """The requests that nearly fit a rule, at most as many as are named. `holds` says whether a predicate of it holds
    for a request. None of the requests fits it."""

    def __init__(self, rule: Rule[Any], holds: Holds) -> None:
        self._rule = rule
        self._holds = holds
        self._found: list[tuple[_NearMiss, str, RequestView]] = []

    def add(self, id_: str, request: RequestView) -> None:
        """Look at a request. Of those that are equally near, the first are named."""
        on_path = {self._rule} if self._rule.is_on_path(request) else set()
        found = [(near, id_, request) for near in _near([self._rule], on_path, request, self._holds)]
        self._found = heapq.nlargest(MOST_NAMED, [*self._found, *found], key=lambda each: each[0].nearness)

    def reports(self) -> list[dict[str, Any]]:
        """The requests as JSON, nearest first, each with its ID."""
        return [{"requestId": id_, **_report(near, redaction.View(request))} for near, id_, request in self._found]


def _holds(predicate: Predicate, request: RequestView) -> bool | Note:
    try:
        return predicate.holds(request)
    except OutOfTimeError:
        return NOT_TESTED


def _near(
    rules: Sequence[Rule[Any]], on_path: Set[Rule[Any]], request: RequestView, holds: Holds = _holds
) -> Iterator[_NearMiss]:
    method = request.method.upper()
    segments = [segment for segment in request.path.split("/") if segment]
    for rule in rules:
        if rule.template is None or rule in on_path:
            likeness = 1.0
        elif len(request.path) > LONGEST_LIKENED or not (rule.method is None or method_fits(rule.method, method)):
            continue
        else:
            likeness = _likeness(rule.template, segments, request.effort)
            if likeness < _LIKE_ENOUGH:
                continue
        held = tuple(
            rule in on_path if predicate.kind is PATH else holds(predicate, request) for predicate in rule.predicates
        )
        if rule.template is None and not _says_something(rule, held):
            continue
        score = sum(predicate.score for predicate, holds in zip(rule.predicates, held, strict=True) if holds is True)
        yield _NearMiss(rule, held, score, likeness)


def _says_something(rule: Rule[Any], held: Sequence[bool | Note]) -> bool:
    """Whether something of a request fits the rule other than its method and what it lacks."""
    pairs = list(zip(rule.predicates, held, strict=True))[rule.method is not None :]
    return any(holds is True and not predicate.is_absence for predicate, holds in pairs)


def _likeness(template: PathTemplate, segments: Sequence[str], effort: Effort) -> float:
    """The likeness of a template and the segments of a path, from 0 to 1; 0 if more than one segment differs."""
    wanted = template.outline
    longer = max(len(wanted), len(segments))
    if 2 * longer - len(wanted) - len(segments) > 1:
        return 0.0
    head, tail = _common_ends(wanted, segments, partial(_is_alike, effort))
    different = longer - head - tail
    if different == 0:
        return 1.0
    if different > 1:
        return 0.0
    same = float(longer - 1)
    if len(wanted) == len(segments):
        same += _text_likeness(wanted[head].folded, segments[head].casefold())
    return same / longer


def _is_alike(effort: Effort, segment: Segment, text: str) -> bool:
    if segment.literal is not None:
        return segment.folded == text.casefold()
    try:
        return segment.is_capture or segment.fit(text, effort) is not None
    except OutOfTimeError:
        return False


def _text_likeness(one: str, other: str) -> float:
    """The share of two texts that is in their common beginning and common end. It is high if one has a typing error."""
    return 2 * sum(_common_ends(one, other, eq)) / (len(one) + len(other))


def _common_ends(ones: Sequence[L], others: Sequence[R], alike: Callable[[L, R], bool]) -> tuple[int, int]:
    """The number of elements that are alike at the beginning, and the number of others that are alike at the end."""
    shorter = min(len(ones), len(others))
    head = tail = 0
    while head < shorter and alike(ones[head], others[head]):
        head += 1
    while tail < shorter - head and alike(ones[-1 - tail], others[-1 - tail]):
        tail += 1
    return head, tail


def _named(rule: Rule[Any]) -> dict[str, Any]:
    return {"mockId": rule.id, **({"mockName": rule.name} if rule.name else {})}


def _report(near: _NearMiss, request: RequestView) -> dict[str, Any]:
    rule = near.rule
    fields = [
        {
            "field": predicate.field,
            "matched": holds is True,
            "score": predicate.score if holds is True else 0,
            "maxScore": predicate.score,
            "expected": _plain(_expected(rule, predicate)),
            "actual": _sendable(_shown(_actual(predicate, holds, request))),
        }
        for predicate, holds in zip(rule.predicates, near.held, strict=True)
    ]
    return {
        "score": near.score,
        "maxPossibleScore": rule.score,
        # What does not match is never 100 %, also if all it lacks has no score: it is used up, or not enabled.
        "matchPercentage": min(99, 100 * near.score // rule.score),
        "fields": fields,
        "reason": _reason(near, request),
    }


def _expected(rule: Rule[Any], predicate: Predicate) -> Any:
    """The value that a mock expects, as it was written, unless it is a credential."""
    expected, shown = (_criterion(matcher, predicate) for matcher in (rule.matcher, rule.shown))
    plain = predicate.expected if shown == expected else shown
    if not _is_whole(predicate.kind.attribute, predicate.expected):
        return plain
    return _without_credentials(predicate.kind.attribute, predicate.key, plain)


def _criterion(matcher: Matcher, predicate: Predicate) -> Any:
    """The criterion of a matcher from which a predicate was compiled. A predicate that is no part of a matcher has its
    own."""
    if not predicate.kind.attribute:
        return predicate.expected
    criterion = getattr(matcher, predicate.kind.attribute)
    return criterion[predicate.key] if isinstance(criterion, dict) else criterion


def _actual(predicate: Predicate, holds: bool | Note, request: RequestView) -> Any:
    """The value that a request has, unless it is a credential."""
    if isinstance(holds, Note):
        return holds
    try:
        actual = predicate.actual(request)
    except OutOfTimeError:
        return NOT_TESTED
    return HIDDEN if _is_secret(predicate) and not isinstance(actual, Note) else actual


def _is_secret(predicate: Predicate) -> bool:
    return _names_credential(predicate.kind.attribute, predicate.key)


def _names_credential(attribute: str, key: str) -> bool:
    """Whether a field of a matcher says with a key, a name or a JSONPath, what is a credential."""
    if attribute == "body_json_path":
        return any(credentials.is_credential("body", name) for name in re.findall(r"[\w-]+", key))
    return credentials.is_credential(attribute, key)


def _is_whole(attribute: str, expected: Any) -> bool:
    """Whether a field of a matcher says a value that a request must have, and not a pattern of it, which is no
    credential."""
    return not (isinstance(expected, ValueTest) or (attribute == "headers" and "*" in expected))


def _sendable(value: Any) -> Any:
    """A shown value for the JSON encoder, which does not take subclasses of `str`."""
    return str(value) if isinstance(value, Note) else value


def _reason(near: _NearMiss, request: RequestView) -> str:
    """A sentence that says what matched and what did not."""
    pairs = list(zip(near.rule.predicates, near.held, strict=True))
    matched = [predicate.label for predicate, holds in pairs if holds is True and predicate.score]
    differences = [_difference(near.rule, predicate, holds, request) for predicate, holds in pairs if holds is not True]
    different = "; ".join(differences if near.is_enabled else [*differences, "the mock is not enabled"])
    if not matched:
        return different
    return f"{_listed(matched)} matched, but {different}"


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _difference(rule: Rule[Any], predicate: Predicate, holds: bool | Note, request: RequestView) -> str:
    if (says := predicate.kind.difference) is not None:
        return says(predicate, request)
    expected, actual = _wanted(_expected(rule, predicate)), _quoted(_shown(_actual(predicate, holds, request)))
    return f"{predicate.label} expected {expected}, got {actual}"


def _plain(expected: Any) -> Any:
    """An expected value as JSON."""
    return msgspec.to_builtins(expected) if isinstance(expected, msgspec.Struct) else _sendable(expected)


def _without_credentials(attribute: str, key: str, expected: Any) -> Any:
    """The value of a field of a matcher without credentials, inside a matcher that must not match too."""
    if isinstance(expected, Matcher):
        shown = copy(expected)
        for field in _MAY_TELL:  # not checked again, as variables of the environment are not filled in
            structs.force_setattr(shown, field, _field_shown(expected, field))
        return shown
    if _names_credential(attribute, key):
        return HIDDEN
    return redaction.body(expected) if attribute in _BODIES else redaction.value(expected)


_BODIES = ("body_equals", "body_contains")
_MAY_TELL = ("headers", "query_params", "body_json_path", *_BODIES, "not_")
"""Fields of a matcher in which there may be a credential."""


def _field_shown(matcher: Matcher, field: str) -> Any:
    value = getattr(matcher, field)
    if isinstance(value, dict):
        return {
            key: _sendable(_without_credentials(field, key, each)) if _is_whole(field, each) else each
            for key, each in value.items()
        }
    return None if value is None else _without_credentials(field, "", value)


def _wanted(expected: Any) -> str:
    match expected:
        case ValueTest(pattern=str(pattern)):
            return f"a match of {_quoted(_shown(pattern))}"
        case ValueTest(exists=exists):
            return "any value" if exists else "none"
        case Matcher():
            return f"no match of {_shown(_plain(expected))}"
    return _quoted(_shown(expected))


def _quoted(value: Any) -> str:
    return value if isinstance(value, Note) else json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> Any:
    """A request's value, cut to a length that can be shown. Arrays and objects become JSON text."""
    if isinstance(value, list | dict):
        value = _beginning(json.JSONEncoder(ensure_ascii=False).iterencode(value))
    if not isinstance(value, str) or isinstance(value, Note):
        return value
    if len(value) > MOST_SHOWN:
        value = value[:MOST_SHOWN] + "…"
    # A request can have code points that cannot be encoded in UTF-8.
    return value.encode("utf-8", "replace").decode()


def _beginning(pieces: Iterable[str]) -> str:
    """The beginning of a text in pieces, longer than is shown. A large body is not written out as a whole."""
    text = ""
    for piece in pieces:
        text += piece
        if len(text) > MOST_SHOWN:
            break
    return text
