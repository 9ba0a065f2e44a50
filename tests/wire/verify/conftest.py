"""Servers whose requests are verified."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.middleware import Middleware

from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import Stamp, mounted
from tests.wire.test_journal import MOCKS


@pytest.fixture(params=["mockd's own", "h11", "mounted", "mounted behind a middleware"])
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    if request.param.startswith("mounted"):
        with mounted(*([Middleware(Stamp)] if request.param != "mounted" else [])) as mockd:
            for mock in MOCKS:
                mockd.engine.create(mock)
            yield mockd
    else:
        options = {} if request.param == "mockd's own" else {"http": request.param}
        with running_mockd(*MOCKS, **options) as mockd:
            yield mockd


@pytest.fixture
def one() -> Iterator[RunningMockd]:
    with running_mockd(*MOCKS) as mockd:
        yield mockd
