"""Warnings about mocks that can be served, but hardly as they were meant.

`mockd validate`, `mockd serve` (when it starts and when files change) and the admin API give them. To add one, write a
function that yields a `Problem` for each place in a mock, with a path that starts at the mock, and name it in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mockd.errors import Problem
from mockd.mocks.registered import Registered


def warnings_of(mock: Registered) -> Iterator[Problem]:
    """The warnings about a mock, each with its place."""
    for check in CHECKS.values():
        for problem in check(mock):
            yield mock.spec.origin.report(problem)


def _query_in_path(mock: Registered) -> Iterator[Problem]:
    path = mock.spec.mock.matcher.path
    if path is not None and "?" in path:
        message = f"{path!r} matches no request, as the query is not part of the path"
        yield Problem(message, ("matcher", "path"), "write the query in `queryParams`")


CHECKS: dict[str, Callable[[Registered], Iterable[Problem]]] = {
    "query-in-path": _query_in_path,
}
"""Every check of a mock, by its name."""
