"""The match table, which finds the mock that answers a request."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Generic

from msgspec import Struct

from mockd.matching.paths import PathIndex
from mockd.matching.predicates import METHOD, PATH, Holds
from mockd.matching.rule import Rule, T
from mockd.patterns import OutOfTimeError
from mockd.request import RequestView

logger = logging.getLogger("mockd")


class Match(Struct, Generic[T], frozen=True):
    """The target of the rule that matched, and the captures in the request's path."""

    target: T
    captures: dict[str, str]


class Miss:
    """The result if no rule matches. The near misses are found only when they are read."""

    def __init__(self, table: Table[Any], request: RequestView) -> None:
        self._table = table
        self._request = request

    @cached_property
    def near_misses(self) -> list[dict[str, Any]]:
        """The mocks that nearly matched, at most three, nearest first, as JSON: `{mockId, mockName?, score,
        maxPossibleScore, matchPercentage, fields: [{field, matched, score, maxScore, expected, actual}], reason}`."""
        return self._table.near_misses(self._request)


_Entry = tuple[int, str | None, tuple[Holds, ...], Rule[T]]
"""A rule in a table: its rank, its method, the tests that the index has not done, and the rule."""


class MatchTable(Generic[T]):
    """Rules in order of rank: by priority, then by score, then the one loaded last first.

    Rules with a path are found through an index, so that a request takes no time for mocks with other paths. Rules
    without a path are tested in order. A table never changes; another set of mocks has another table.
    """

    def __init__(self, rules: Sequence[Rule[T]], disabled: Sequence[Rule[T]] = ()) -> None:
        """`rules` are in the order in which they were loaded. `disabled` are those that answer nothing; they are only
        near misses."""
        self.disabled = disabled
        places = sorted(
            range(len(rules)), key=lambda place: (rules[place].priority, rules[place].score, place), reverse=True
        )
        self.rules = [rules[place] for place in places]
        self._index: PathIndex[_Entry[T]] = PathIndex()
        self._anywhere: list[_Entry[T]] = []
        for rank, rule in enumerate(self.rules):
            self._add(rank, rule)

    def _add(self, rank: int, rule: Rule[T]) -> None:
        found_by_index = (METHOD,) if rule.template is None or rule.template.has_star else (METHOD, PATH)
        checks = tuple(predicate.holds for predicate in rule.predicates if predicate.kind not in found_by_index)
        entry: _Entry[T] = (rank, rule.method, checks, rule)
        if rule.template is None:
            self._anywhere.append(entry)
        else:
            self._index.add(rule.template, entry)

    def resolve(self, request: RequestView) -> Match[T] | Miss:
        """The first rule that matches, in order of rank.

        HEAD is matched against rules for HEAD and rules for every method. If the first that matches is for HEAD, it
        answers; otherwise the rule that answers GET does.

        Raises `NotAtOnceError` if that takes more effort than the request may in the event loop. A rule that takes more
        effort than is ever made does not match.
        """
        method = request.method.upper()
        rule = self._first(request, method)
        if method == "HEAD" and (rule is None or rule.method is None):
            rule = self._first(request, "GET")
        if rule is None:
            return Miss(self, request)
        try:
            return Match(rule.target, rule.captures(request))
        except OutOfTimeError:
            _log(rule)
            return Miss(self, request)

    def _first(self, request: RequestView, method: str) -> Rule[T] | None:
        first: Rule[T] | None = None
        first_rank = sys.maxsize
        skipped: Rule[T] | None = None
        found = self._index.find(request.path)
        if self._anywhere:
            found.append(self._anywhere)
        for entries in found:
            for rank, wanted, checks, rule in entries:
                if rank > first_rank:
                    break
                if wanted is not None and wanted != method:
                    continue
                try:
                    for holds in checks:
                        if not holds(request):
                            break
                    else:
                        first, first_rank = rule, rank
                        break
                except OutOfTimeError:
                    skipped = skipped or rule
        if skipped is not None:
            _log(skipped)
        return first

    def announced_by(self, preflight: RequestView, method: str) -> Rule[T] | None:
        """The rule that a preflight for `method` is about: the first whose method and URL fit. The other criteria
        cannot be tested, as the request itself is yet to come."""
        found = [
            (rank, rule)
            for entries in (*self._index.find(preflight.path), self._anywhere)
            for rank, _, _, rule in entries
            if rule.may_answer(preflight, method)
        ]
        return min(found, key=lambda entry: entry[0])[1] if found else None

    def near_misses(self, request: RequestView) -> list[dict[str, Any]]:
        """The near misses of a request that no rule matches, in the form of `Miss.near_misses`."""
        return _near_misses((self,), request)

    def fitting(self, request: RequestView) -> set[Rule[T]]:
        """The rules whose path fits, those that answer nothing too."""
        return {*self._on_path(request), *(rule for rule in self.disabled if rule.is_on_path(request))}

    def is_settled_by_head(self, request: RequestView) -> bool:
        """Whether what a request matches does not depend on its body, as no rule on its path reads it. Raises
        `NotAtOnceError`."""
        found = [*self._index.find(request.path), self._anywhere]
        return not any(rule.may_read_body for entries in found for *_, rule in entries)

    def _on_path(self, request: RequestView) -> Iterator[Rule[T]]:
        for entries in self._index.find(request.path):
            for *_, rule in entries:
                template = rule.template
                if template is not None and (not template.has_star or rule.is_on_path(request)):
                    yield rule


class Layered(Struct, Generic[T], frozen=True):
    """Two tables, of which the second is asked only if the first has no match."""

    first: MatchTable[T]
    second: MatchTable[T]

    def resolve(self, request: RequestView) -> Match[T] | Miss:
        """What `MatchTable.resolve` finds in the first table, or else in the second."""
        match = self.first.resolve(request)
        if not isinstance(match, Match):
            match = self.second.resolve(request)
        return match if isinstance(match, Match) else Miss(self, request)

    def announced_by(self, preflight: RequestView, method: str) -> Rule[T] | None:
        """The rule that a preflight is about, as in `MatchTable.announced_by`."""
        return self.first.announced_by(preflight, method) or self.second.announced_by(preflight, method)

    def is_settled_by_head(self, request: RequestView) -> bool:
        """Whether what a request matches does not depend on its body, as in `MatchTable.is_settled_by_head`."""
        return self.first.is_settled_by_head(request) and self.second.is_settled_by_head(request)

    def near_misses(self, request: RequestView) -> list[dict[str, Any]]:
        """The near misses in both tables."""
        return _near_misses((self.first, self.second), request)


Table = MatchTable[T] | Layered[T]


def _near_misses(tables: Sequence[MatchTable[Any]], request: RequestView) -> list[dict[str, Any]]:
    from mockd.matching.nearmiss import near_misses

    on_path = {rule for table in tables for rule in table.fitting(request)}
    rules = [rule for table in tables for rule in table.rules]
    return near_misses(rules, on_path, request, [rule for table in tables for rule in table.disabled])


def _log(rule: Rule[Any]) -> None:
    logger.warning("%s: does not match a request, as it would take too long to test it", rule.id)
