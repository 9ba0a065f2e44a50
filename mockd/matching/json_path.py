"""JSONPath (RFC 9535) over request bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mockd.errors import ConfigError
from mockd.request import NOT_JSON, RequestView

if TYPE_CHECKING:
    from jsonpath import JSONPath, JSONPathEnvironment
    from jsonpath.selectors import JSONPathSelector

Select = Callable[[RequestView], "list[Any] | None"]
"""The values a JSONPath selects in the body of a request; None if the body cannot be searched."""

_Steps = Sequence[str | int]
"""The way to one value: the names and indexes in the containers it is in."""


@cache
def _environment() -> JSONPathEnvironment:
    # Imported when the first mock needs it: it takes longer to import than the rest of matching.
    from jsonpath import JSONPathEnvironment

    return JSONPathEnvironment(strict=True)


def compile_json_path(expression: str) -> Select:
    """Compile a JSONPath. Raises `ConfigError` for one that RFC 9535 does not allow.

    A body that is not JSON cannot be searched, nor one so deeply nested that a `..` in the expression would need
    more levels than the library goes down.
    """
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
            # The library would take text for a JSON document to parse. Below a scalar there is nothing.
            return [] if query.segments else [body]
        try:
            return query.findall(body)
        except RecursionError:
            return None

    return select


def compile_json_equal(expression: str, expected: Any) -> Callable[[RequestView], bool]:
    """Whether one of the values that a JSONPath selects equals a JSON value. Raises as `compile_json_path`."""
    query = _compile(expression)
    if query.singular_query():
        steps = _steps(query)
        return lambda request: (value := _walk(request.json, steps)) is expected or json_equal(value, expected)
    select = compile_json_path(expression)
    return lambda request: any(json_equal(value, expected) for value in select(request) or ())


def _compile(expression: str) -> JSONPath:
    from jsonpath import JSONPath, JSONPathError

    try:
        query = _environment().compile(expression)
    except (JSONPathError, ValueError, OverflowError) as error:
        # The last two for numbers that Python does not convert. Only the first argument is the bare reason.
        raise ConfigError(
            f"not a JSONPath: {error.args[0]}",
            path=("matcher", "bodyJsonPath", expression),
            hint="RFC 9535, for example `$.messages[0].role`",
        ) from None
    assert isinstance(query, JSONPath), "compound queries are not part of RFC 9535"
    return query


def _steps(query: JSONPath) -> _Steps:
    """The steps of a query of names and indexes only, such as `$.messages[-1].role`. Nearly all of them are, and
    walked here: the library's machinery for the others takes ten times as long."""
    return [_step(segment.selectors[0]) for segment in query.segments]


def _step(selector: JSONPathSelector) -> str | int:
    from jsonpath.selectors import IndexSelector, NameSelector

    if isinstance(selector, NameSelector):
        return selector.name
    assert isinstance(selector, IndexSelector), "singular queries have names and indexes"
    return selector.index


def _walk(body: Any, steps: _Steps) -> Any:
    """What is at the end of the steps; `NOT_JSON` where they lead nowhere."""
    value: Any = body
    try:
        for step in steps:
            if type(value) is str:  # the one value in which an index finds something, and which is no container
                return NOT_JSON
            value = value[step]
    except (KeyError, IndexError, TypeError):
        return NOT_JSON
    return value


def json_equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: numbers by value, and `true` is not `1`."""
    if type(one) is str:
        return bool(one == other)  # said first because most are
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return bool(one == other)
