"""JSONPath (RFC 9535) over request bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mockd.errors import ConfigError
from mockd.request import NOT_JSON, RequestView

if TYPE_CHECKING:
    from jsonpath.selectors import JSONPathSelector

    from mockd.matching.json_nodes import Environment, Query

Select = Callable[[RequestView], "list[Any] | None"]
"""The values that a JSONPath selects in the body of a request, or None if the body cannot be searched."""

_Steps = Sequence[str | int]
"""The path to one value: a name for each object around it, and an index for each array."""


@cache
def _environment() -> Environment:
    # Imported when the first mock needs it, as it takes longer to import than the rest of matching.
    from mockd.matching.json_nodes import Environment

    return Environment()


def compile_json_path(expression: str) -> Select:
    """Compile a JSONPath. Raises `ConfigError` if RFC 9535 does not allow it.

    A body cannot be searched if it is not JSON, or if a `..` in the expression meets deeper nesting than the library
    can search. To search one raises as `Effort.left` does.
    """
    from mockd.matching.json_nodes import bounded_by

    query = _compile(expression)
    if query.singular_query():
        steps = _steps(query)

        def select_one(request: RequestView) -> list[Any] | None:
            if request.json is NOT_JSON:
                return None
            value = _walk(request.json, steps)
            return [] if value is NOT_JSON else [value]

        return select_one

    def select(request: RequestView) -> list[Any] | None:
        body = request.json
        if body is NOT_JSON:
            return None
        if not isinstance(body, dict | list):
            # The library would parse text as a JSON document. A scalar has nothing in it to select.
            return [] if query.segments else [body]
        try:
            with bounded_by(request.effort.share()):
                return query.findall(body)
        except RecursionError:
            return None

    return select


def compile_json_equal(expression: str, expected: Any) -> Callable[[RequestView], bool]:
    """A test whether a JSONPath selects a value that equals `expected`. Raises as `compile_json_path` does."""
    query = _compile(expression)
    if query.singular_query():
        steps = _steps(query)
        return lambda request: (value := _walk(request.json, steps)) is expected or json_equal(value, expected)
    select = compile_json_path(expression)
    return lambda request: any(json_equal(value, expected) for value in select(request) or ())


def steps_of(expression: str) -> tuple[str | int | None, ...]:
    """The steps of a JSONPath that has only names, indexes and `*`, for which None stands. Raises `ConfigError`."""
    from jsonpath.segments import JSONPathChildSegment
    from jsonpath.selectors import IndexSelector, NameSelector, WildcardSelector

    steps: list[str | int | None] = []
    for segment in _compile(expression).segments:
        selector = segment.selectors[0]
        is_step = isinstance(selector, NameSelector | IndexSelector | WildcardSelector)
        if not is_step or len(segment.selectors) > 1 or not isinstance(segment, JSONPathChildSegment):
            hint = "such as `$.stream_options` or `$.messages[*].id`"
            raise ConfigError(f"{expression!r}: only names, indexes and `*` are possible", hint=hint)
        steps.append(None if isinstance(selector, WildcardSelector) else _step(selector))
    return tuple(steps)


def _compile(expression: str) -> Query:
    from jsonpath import JSONPath, JSONPathError

    from mockd.matching.json_nodes import bounded

    try:
        query = _environment().compile(expression)
    except (JSONPathError, ValueError, OverflowError) as error:
        # The last two come from numbers that Python cannot convert. The first argument is the reason alone.
        raise ConfigError(
            f"not a JSONPath: {error.args[0]}",
            path=("matcher", "bodyJsonPath", expression),
            hint="RFC 9535, for example `$.messages[0].role`",
        ) from None
    assert isinstance(query, JSONPath), "compound queries are not part of RFC 9535"
    return bounded(query)


def _steps(query: Query) -> _Steps:
    """The steps of a query that has only names and indexes, such as `$.messages[-1].role`. Nearly all queries are of
    this kind. They are evaluated here, as the library's general evaluation takes ten times as long."""
    return [_step(segment.selectors[0]) for segment in query.segments]


def _step(selector: JSONPathSelector) -> str | int:
    from jsonpath.selectors import IndexSelector, NameSelector

    if isinstance(selector, NameSelector):
        return selector.name
    assert isinstance(selector, IndexSelector), "singular queries have names and indexes"
    return selector.index


def _walk(body: Any, steps: _Steps) -> Any:
    """The value at the end of the steps, or `NOT_JSON` if there is none."""
    value: Any = body
    try:
        for step in steps:
            if type(value) is str:  # Python would index its characters
                return NOT_JSON
            value = value[step]
    except (KeyError, IndexError, TypeError):
        return NOT_JSON
    return value


def json_equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal. Numbers are compared by value, and `true` is not `1`."""
    if type(one) is str:
        return bool(one == other)  # first, as most values are text
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return bool(one == other)
