"""Criteria that name no value, from a client's request to the mock that answers, and the line to try a mock with."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.server.welcome import curl_line
from mockd.testing import RunningMockd, running_mockd
from tests.programs import program
from tests.wire.sockets import curl

EXISTS: dict[str, Any] = {"exists": True}
ABSENT: dict[str, Any] = {"exists": False}
CHAT: dict[str, Any] = {"path": "/chat"}
KEY = {"pattern": "^Bearer sk-[a-z]+$"}


def mock(answer: str, **matcher: Any) -> dict[str, Any]:
    return {"matcher": matcher, "response": {"headers": {"Content-Type": "text/plain"}, "body": answer}}


MOCKS = [
    mock("no key", **CHAT, headers={"Authorization": ABSENT}),
    mock("a key", **CHAT, headers={"Authorization": KEY}),
    mock("some key", **CHAT, headers={"Authorization": EXISTS}),
    mock("a page", path="/list", queryParams={"page": {"pattern": r"^\d+$"}}),
    mock("no page", path="/list", queryParams={"page": ABSENT}),
    mock("not a robot", path="/page", **{"not": {"headers": {"User-Agent": "*bot*"}}}),
]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    with running_mockd(*MOCKS) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "headers", "answer"),
    [
        ("/chat", (), "no key"),
        ("/chat", ("Authorization: Bearer sk-abc",), "a key"),
        ("/chat", ("Authorization: Basic abc",), "some key"),
        ("/chat", ("authorization;",), "some key"),
        ("/list", (), "no page"),
        ("/list?page=12", (), "a page"),
        ("/page", (), "not a robot"),
    ],
)
def test_the_mock_that_answers(server: RunningMockd, path: str, headers: tuple[str, ...], answer: str) -> None:
    options = [option for header in headers for option in ("--header", header)]
    assert curl(server.url + path, *options) == (0, answer)


@pytest.mark.parametrize("options", [("/list?page=x",), ("/list?page=",), ("/page", "--user-agent", "a robot")])
def test_the_miss(server: RunningMockd, options: tuple[str, ...]) -> None:
    assert '"no_match"' in curl(server.url + options[0], *options[1:])[1]


def test_they_come_back_as_they_were_given(server: RunningMockd) -> None:
    assert [spec["matcher"] for spec in server.engine.export()["mocks"]] == [spec["matcher"] for spec in MOCKS]


@pytest.mark.parametrize(
    ("matcher", "is_tried"),
    [
        ({"headers": {"A": EXISTS, "B": ABSENT, "C": "x*"}}, True),
        ({"queryParams": {"a": EXISTS, "b": ABSENT, "c": "1"}}, True),
        ({"headers": {"A": {"pattern": "^a$"}}}, False),
        ({"queryParams": {"a": {"pattern": "^a$"}}}, False),
        ({"not": {"method": "GET"}}, False),
    ],
)
def test_the_line_to_try_a_mock_with_reaches_it(server: RunningMockd, matcher: dict[str, Any], is_tried: bool) -> None:
    spec = server.engine.create(mock("tried", path="/try", **matcher))
    try:
        line = curl_line([spec], server.url)
        assert (line is not None) is is_tried
        if line is not None:
            words = [program("curl"), *shlex.split(line)[1:], "--silent"]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            assert done.stdout == "tried"
    finally:
        server.engine.delete(spec.id)
