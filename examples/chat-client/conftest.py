"""The client that the tests get: the right one, or with `--bug NAME` one with that bug."""

from __future__ import annotations

import pytest
from bugs import BUGS
from client import ChatClient


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bug", choices=BUGS, help="a bug to put into the client")


@pytest.fixture
def chat(mockd, pytestconfig):
    """A client whose service is mockd, in the part of it that belongs to this test."""
    kind = BUGS.get(pytestconfig.getoption("--bug"), ChatClient)
    return kind(mockd.url)
