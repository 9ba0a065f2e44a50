"""The criteria of a matcher, as a table of their kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct

from mockd.config.models import Matcher, Recorded, ValueTest
from mockd.errors import ConfigError
from mockd.matching.paths import PathTemplate, parse_path
from mockd.patterns import Pattern, compiled, fits_pieces
from mockd.request import RequestView

Holds = Callable[[RequestView], bool]
"""A test of a request. Raises as `Effort.left` does, as a thousand mocks may look through one long text."""

_SHOWN_BYTES = 1000


class Note(str):
    """A remark that is shown if the request has no value to show."""

    __slots__ = ()


MISSING = Note("(missing)")
MATCHED = Note("(it matched)")
NOT_SEARCHABLE = Note("(not JSON, or nested too deeply)")
NOT_TESTED = Note("(not tested, as that would take too long)")


class Kind(Struct, frozen=True):
    """One kind of criterion.

    `field` is its key in the configuration, `attribute` its field of `Matcher`, and `label` its name in sentences. If
    a matcher may have several criteria of the kind, each has a key, such as a header's name. `compile` makes the test
    from the expected value and the key. `actual` returns the request's own value. `difference` says in a sentence of
    its own how a request differs. `is_of_url` is true if the test reads only the URL, `is_of_body` if it may read the
    body.

    A kind without an `attribute` is no part of a matcher: it tests what came before the request.
    """

    field: str
    attribute: str
    score: int
    compile: Callable[[Any, str], Holds]
    actual: Callable[[RequestView, str], Any]
    label: str
    difference: Callable[[Predicate, RequestView], str] | None = None
    is_of_url: bool = False
    is_of_body: bool = False


class Predicate(Struct, frozen=True):
    """One criterion of one matcher, compiled."""

    kind: Kind
    key: str
    expected: Any
    score: int
    holds: Holds

    @property
    def field(self) -> str:
        """The criterion's place in the matcher, such as `headers.x-key`."""
        return f"{self.kind.field}.{self.key}" if self.key else self.kind.field

    @property
    def is_absence(self) -> bool:
        """Whether the predicate holds for most requests, as it only says what must not be there, or what came
        before."""
        if not self.kind.attribute or isinstance(self.expected, Matcher):
            return True
        return isinstance(self.expected, ValueTest) and self.expected.exists is False

    @property
    def label(self) -> str:
        """The criterion's name in sentences."""
        return self.kind.label.format(key=self.key)

    def actual(self, request: RequestView) -> Any:
        """The value of a request that this predicate tests: a JSON value or a `Note`."""
        return self.kind.actual(request, self.key)


def method_fits(expected: str, actual: str) -> bool:
    """Whether a mock for the method `expected` may answer the method `actual`: the same one, or HEAD for GET."""
    return expected == actual or (actual == "HEAD" and expected == "GET")


def _compile_method(expected: str, _: str) -> Holds:
    return lambda request: method_fits(expected, request.method.upper())


def _compile_path(template: PathTemplate, _: str) -> Holds:
    if not template.has_star:
        return lambda request: template.fits(request.path, request.effort)

    def holds(request: RequestView) -> bool:
        request.effort.left()
        return template.fits(request.path, request.effort)

    return holds


def _pattern(source: str, *place: str) -> Pattern:
    try:
        return compiled(source)
    except ValueError as error:
        hint = "write it shorter, with fewer repetitions or less nesting"
        raise ConfigError(f"a pattern that mockd cannot run: {error}", path=("matcher", *place), hint=hint) from None


def _compile_path_pattern(expected: str, _: str) -> Holds:
    is_in = _pattern(expected, "pathPattern").is_in
    return lambda request: is_in(request.path, request.effort)


def _compile_value(expected: str | ValueTest, values: Callable[[RequestView], Sequence[str]], *place: str) -> Holds:
    if isinstance(expected, str):
        return lambda request: expected in values(request)
    if expected.pattern is None:
        return lambda request: bool(values(request)) is expected.exists
    is_in = _pattern(expected.pattern, *place, "pattern").is_in
    return lambda request: any(is_in(value, request.effort) for value in values(request))


def _compile_query(expected: str | ValueTest, name: str) -> Holds:
    return _compile_value(expected, lambda request: request.query.get(name, ()), "queryParams", name)


def _compile_header(expected: str | ValueTest, name: str) -> Holds:
    key = name.lower()
    if not isinstance(expected, str) or "*" not in expected:
        return _compile_value(expected, lambda request: request.headers.get(key, ()), "headers", name)
    pieces = expected.split("*")

    def holds(request: RequestView) -> bool:
        request.effort.left()
        return any(fits_pieces(pieces, value) for value in request.headers.get(key, ()))

    return holds


def _bytes(text: str) -> bytes:
    # JSON can have code points that UTF-8 does not. They then match no body, which is better than an error.
    return text.encode("utf-8", "surrogatepass")


def _compile_body_equals(expected: str, _: str) -> Holds:
    body = _bytes(expected)
    return lambda request: request.body == body


def _compile_body_contains(expected: str, _: str) -> Holds:
    part = _bytes(expected)

    def holds(request: RequestView) -> bool:
        request.effort.left()
        return part in request.body

    return holds


def _compile_body_pattern(expected: str, _: str) -> Holds:
    is_in = _pattern(expected, "bodyPattern").is_in
    return lambda request: is_in(request.text, request.effort)


def _compile_body_json_path(expected: Any, expression: str) -> Holds:
    from mockd.matching.json_path import compile_json_equal, compile_json_path

    match expected:
        case {"exists": bool(wanted), **others} if not others:
            select = compile_json_path(expression)
            return lambda request: (found := select(request)) is not None and bool(found) is wanted
    return compile_json_equal(expression, expected)


def _compile_not(expected: Matcher, _: str) -> Holds:
    try:
        template = None if expected.path is None else parse_path(expected.path)
        predicates = tuple(compile_predicates(expected, template))
    except ConfigError as error:
        [problem] = error.problems
        raise ConfigError(problem.message, path=("matcher", "not", *problem.path[1:]), hint=problem.hint) from None
    return lambda request: not all(predicate.holds(request) for predicate in predicates)


def _compile_recorded(expected: Recorded, _: str) -> Holds:
    from mockd.matching.recorded import Likeness  # loaded only with the first recording

    likeness = Likeness(expected)
    return lambda request: likeness.difference(request) is None


def _actual_recorded(request: RequestView, _: str) -> Any:
    return Note("(another request)")


def _other_than_recorded(predicate: Predicate, request: RequestView) -> str:
    from mockd.matching.recorded import Likeness

    return f"the request differs from the recorded one: {Likeness(predicate.expected).difference(request)}"


def _one_or_all(values: list[Any]) -> Any:
    if not values:
        return MISSING
    return values[0] if len(values) == 1 else values


def _actual_body(request: RequestView, _: str) -> Any:
    return request.body[:_SHOWN_BYTES].decode("utf-8", "replace")


def _actual_json(request: RequestView, expression: str) -> Any:
    from mockd.matching.json_path import compile_json_path

    found = compile_json_path(expression)(request)
    return NOT_SEARCHABLE if found is None else _one_or_all(found)


METHOD = Kind("method", "method", 10, _compile_method, lambda request, _: request.method, "method")
PATH = Kind("path", "path", 15, _compile_path, lambda request, _: request.path, "path", is_of_url=True)

KINDS = (
    Kind(
        "pathPattern",
        "path_pattern",
        14,
        _compile_path_pattern,
        lambda request, _: request.path,
        "pathPattern",
        is_of_url=True,
    ),
    Kind(
        "queryParams",
        "query_params",
        5,
        _compile_query,
        lambda request, name: _one_or_all(request.query.get(name, [])),
        "query parameter {key}",
        is_of_url=True,
    ),
    Kind(
        "headers",
        "headers",
        10,
        _compile_header,
        lambda request, name: _one_or_all(request.headers.get(name.lower(), [])),
        "header {key}",
    ),
    Kind("bodyEquals", "body_equals", 25, _compile_body_equals, _actual_body, "bodyEquals", is_of_body=True),
    Kind("bodyContains", "body_contains", 20, _compile_body_contains, _actual_body, "bodyContains", is_of_body=True),
    Kind("bodyPattern", "body_pattern", 22, _compile_body_pattern, _actual_body, "bodyPattern", is_of_body=True),
    Kind(
        "bodyJsonPath",
        "body_json_path",
        15,
        _compile_body_json_path,
        _actual_json,
        "bodyJsonPath {key}",
        is_of_body=True,
    ),
    Kind(
        "recorded",
        "recorded",
        30,
        _compile_recorded,
        _actual_recorded,
        "recorded",
        _other_than_recorded,
        is_of_body=True,
    ),
    Kind("not", "not_", 5, _compile_not, lambda request, _: MATCHED, "not", is_of_body=True),
)
"""The other kinds, cheapest first, which is the order in which they are tested."""


def compile_predicates(
    matcher: Matcher, template: PathTemplate | None, kinds: Sequence[Kind] = KINDS
) -> Iterator[Predicate]:
    """The predicates of a matcher, cheapest first. `template` is its path. `kinds` are the kinds of its other criteria,
    but for its method. Raises `ConfigError`."""
    if matcher.method is not None:
        yield predicate_of(METHOD, "", matcher.method.upper())
    if template is not None:
        yield Predicate(PATH, "", template.text, template.score, PATH.compile(template, ""))
    for kind in kinds:
        value = getattr(matcher, kind.attribute)
        if isinstance(value, Mapping):
            yield from (predicate_of(kind, key, expected) for key, expected in value.items())
        elif value is not None:
            yield predicate_of(kind, "", value)


def predicate_of(kind: Kind, key: str, expected: Any) -> Predicate:
    """The predicate of a criterion. Raises `ConfigError`."""
    return Predicate(kind, key, expected, kind.score - _vagueness(expected), kind.compile(expected, key))


def _vagueness(expected: Any) -> int:
    """The number of points that a criterion scores less, as it says less than a whole value."""
    if isinstance(expected, Recorded):
        return 5 * (expected.query is None) + 10 * (expected.body is UNSET)
    if not isinstance(expected, ValueTest):
        return 0
    return 2 if expected.pattern is None else 1
