from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from mockd.config.models import Matcher
from mockd.matching import Match, MatchTable, Miss, Rule
from mockd.patterns import APART
from mockd.request import RequestView


class Make:
    """Makes requests, rules and tables of rules whose targets are their ids."""

    @staticmethod
    def request(
        path: str = "/",
        method: str = "GET",
        *,
        headers: list[tuple[str, str]] | dict[str, str] | None = None,
        query: list[tuple[str, str]] | dict[str, str] | str = "",
        body: bytes | str = b"",
        json_body: object = ...,
    ) -> RequestView:
        pairs = headers.items() if isinstance(headers, dict) else headers or []
        if json_body is not ...:
            body = json.dumps(json_body)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": (query if isinstance(query, str) else urlencode(query)).encode(),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
        }
        request = RequestView(scope, body.encode() if isinstance(body, str) else body)
        request.allow(APART)  # however slow the machine is
        return request

    @staticmethod
    def rule(id: str = "mock", *, priority: int = 0, name: str | None = None, **criteria: Any) -> Rule[str]:
        return Rule(Matcher(**criteria), priority, id, name, id)

    @staticmethod
    def table(*rules: Rule[str]) -> MatchTable[str]:
        return MatchTable(rules)

    def holds(self, criteria: dict[str, Any], request: RequestView) -> bool:
        return isinstance(self.table(self.rule(**criteria)).resolve(request), Match)

    @staticmethod
    def near(table: MatchTable[str], request: RequestView) -> list[dict[str, Any]]:
        miss = table.resolve(request)
        assert isinstance(miss, Miss)
        return miss.near_misses


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


Winner = Callable[[MatchTable[str], RequestView], "str | None"]


@pytest.fixture(scope="session")
def winner() -> Winner:
    def find(table: MatchTable[str], request: RequestView) -> str | None:
        found = table.resolve(request)
        return found.target if isinstance(found, Match) else None

    return find
