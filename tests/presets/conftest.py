"""The preset `llm` over real sockets: one server for the tests that only ask it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with running_mockd(settings=Settings(preset="llm")) as mockd:
        yield mockd.url
