"""Warnings: what they say of mocks that can hardly be meant as they are, and that all others have none."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mockd.config.load import parse_collection
from mockd.engine import Engine
from mockd.errors import Problem
from mockd.mocks.warnings import CHECKS


def warnings_about(**parts: Any) -> list[Problem]:
    found: list[Problem] = []
    mock = {"matcher": {"path": "/a"}, **parts}
    mock.setdefault("response", {}) if not {"sse", "chunked"} & mock.keys() else None
    Engine().load(parse_collection([mock], root=None), found.append)
    return found


WARNED: dict[str, list[tuple[dict[str, Any], str, str]]] = {
    "query-in-path": [({"matcher": {"path": "/a?x=1"}}, "matcher.path", "queryParams")],
}
"""For each check: mocks, the place of the warning about each, and a word of its cure."""

NOT_WARNED: list[dict[str, Any]] = [
    {"matcher": {"path": "/a", "queryParams": {"x": "1"}}},
]


def test_every_check_has_a_mock_that_it_warns_of() -> None:
    assert WARNED.keys() == CHECKS.keys()


@pytest.mark.parametrize(
    ("parts", "place", "cure"), [case for cases in WARNED.values() for case in cases], ids=lambda case: str(case)[:60]
)
def test_a_warning_has_its_place_and_a_cure(parts: dict[str, Any], place: str, cure: str) -> None:
    (problem,) = warnings_about(**parts)
    assert ".".join(map(str, problem.path[1:])) == place  # behind the mock's place in the list
    assert cure in (problem.hint or "")


@pytest.mark.parametrize("parts", NOT_WARNED, ids=lambda parts: str(parts)[:60])
def test_what_can_be_meant_so_has_no_warning(parts: dict[str, Any]) -> None:
    assert warnings_about(**parts) == []


def test_an_engine_logs_its_warnings(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mockd"):
        Engine().load(parse_collection([{"matcher": {"path": "/a?x"}, "response": {}}], root=None))
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("$[0].matcher.path: ")
