"""Rules: mocks as the match table sees them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

from mockd.config.models import Matcher
from mockd.matching.paths import PathTemplate, parse_path
from mockd.matching.predicates import KINDS, Kind, Predicate, compile_predicates, method_fits
from mockd.patterns import NotAtOnceError, OutOfTimeError, compiled
from mockd.request import RequestView

T = TypeVar("T")


def capture_names(matcher: Matcher) -> tuple[str, ...]:
    """The names of the captures in the paths of requests that match. Raises `ConfigError`."""
    if matcher.path is not None:
        return parse_path(matcher.path).names
    return tuple(re.compile(matcher.path_pattern).groupindex) if matcher.path_pattern is not None else ()


class Rule(Generic[T]):
    """A compiled matcher and its target.

    Raises `ConfigError` (with a path that begins with `matcher`) for faults that are found only when the matcher is
    compiled: a wrong JSONPath, a brace in a path outside a `{name}`, or a name that is used twice. Rules never change,
    so a new table can use the rules of the last one.
    """

    __slots__ = (
        "id",
        "matcher",
        "method",
        "name",
        "path_pattern",
        "predicates",
        "priority",
        "score",
        "shown",
        "target",
        "template",
    )

    def __init__(
        self,
        matcher: Matcher,
        priority: int,
        id: str,
        name: str | None,
        target: T,
        shown: Matcher | None = None,
        conditions: Sequence[Predicate] = (),
        kinds: Sequence[Kind] = KINDS,
    ) -> None:
        self.matcher = matcher
        self.shown = shown or matcher
        """The matcher as people may see it, whose texts need not be those that are compared."""
        self.priority = priority
        self.id = id
        self.name = name
        self.target = target
        self.template: PathTemplate | None = None if matcher.path is None else parse_path(matcher.path)
        self.predicates: tuple[Predicate, ...] = (*compile_predicates(matcher, self.template, kinds), *conditions)
        self.path_pattern = None if matcher.path_pattern is None else compiled(matcher.path_pattern)
        self.method: str | None = None if matcher.method is None else matcher.method.upper()
        self.score = sum(predicate.score for predicate in self.predicates)
        """Specificity: the sum of the predicates' scores."""

    @property
    def may_read_body(self) -> bool:
        """Whether matching may look at the body of a request."""
        return any(predicate.kind.is_of_body for predicate in self.predicates)

    def may_answer(self, request: RequestView, method: str) -> bool:
        """Whether this rule fits `method` and the URL of a request, without regard to headers and body."""
        if self.method is not None and not method_fits(self.method, method):
            return False
        try:
            return all(predicate.holds(request) for predicate in self.predicates if predicate.kind.is_of_url)
        except (NotAtOnceError, OutOfTimeError):
            return False

    def is_on_path(self, request: RequestView) -> bool:
        """Whether this rule has a path that fits the request's, as far as can be told in time."""
        try:
            return self.template is not None and self.template.fits(request.path, request.effort)
        except OutOfTimeError:
            return False

    def captures(self, request: RequestView) -> dict[str, str]:
        """The captures in the path of a request that matches: `{name}` values, or the named groups of `pathPattern`.
        Raises as `Effort.left` does."""
        if self.template is not None:
            return self.template.captures(request.path, request.effort)
        if self.path_pattern is None or not self.path_pattern.names:
            return {}
        groups = self.path_pattern.groups(request.path, request.effort)
        assert groups is not None, "asked for captures of a request that does not fit"
        names = self.path_pattern.names
        return {name: value for name, number in names.items() if (value := groups[number - 1]) is not None}
