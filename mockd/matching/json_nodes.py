"""The JSONPath library, with a bound on what it does: each node that it visits is a step of the request's effort."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathMatch
from jsonpath.filter import FilterQuery, walk
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.selectors import Filter

from mockd.patterns import LONGEST_PATTERN, Effort, Pattern

_effort: ContextVar[Effort] = ContextVar("effort")


@contextmanager
def bounded_by(effort: Effort) -> Iterator[None]:
    """Have queries be evaluated with this effort, beyond which they raise as `Effort.left` does."""
    token = _effort.set(effort)
    try:
        yield
    finally:
        _effort.reset(token)


class _Node(JSONPathMatch):
    """A node that knows neither its path nor its children, which nobody asks for."""

    __slots__ = ()

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        _effort.get().step()
        return _node(obj, self.root)

    def add_child(self, *children: JSONPathMatch) -> None:
        pass


def _node(value: Any, root: Any) -> _Node:
    return _Node(filter_context={}, obj=value, parent=None, path="", parts=(), root=root)


class Query(JSONPath):
    """A query whose nodes are counted."""

    __slots__ = ()

    def finditer(self, data: Any, *, filter_context: Any = None) -> Iterable[JSONPathMatch]:
        _effort.get().step()
        nodes: Iterable[JSONPathMatch] = [_node(data, data)]
        for segment in self.segments:
            nodes = segment.resolve(nodes)
        return nodes


def bounded(query: JSONPath) -> Query:
    """The query, with counted nodes in its filters too."""
    for segment in query.segments:
        for selector in segment.selectors:
            for expression in walk(selector.expression) if isinstance(selector, Filter) else ():
                if isinstance(expression, FilterQuery):
                    expression.path = Query(env=query.env, segments=expression.path.segments)
    return Query(env=query.env, segments=query.segments)


class Environment(JSONPathEnvironment):
    """RFC 9535, with patterns that are looked for as those of matchers are."""

    def __init__(self) -> None:
        super().__init__(strict=True)

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = _PatternFunction(r"\A(?:", r")\Z")
        self.function_extensions["search"] = _PatternFunction("", "")

    def is_truthy(self, obj: object) -> bool:
        _effort.get().step()
        return super().is_truthy(obj)


class _PatternFunction(FilterFunction):
    """`match` or `search`. A pattern that is none matches nothing, as RFC 9535 says. It may come from the request."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012
    return_type = ExpressionType.LOGICAL

    def __init__(self, before: str, behind: str) -> None:
        self._before = before
        self._behind = behind

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str) or len(pattern) > LONGEST_PATTERN:
            return False
        found = _pattern(f"{self._before}{pattern}{self._behind}")
        return found is not None and found.is_in(value, _effort.get())


@lru_cache(8)
def _pattern(source: str) -> Pattern | None:
    try:
        return Pattern(source)
    except (re.error, ValueError, RecursionError, OverflowError):
        return None
