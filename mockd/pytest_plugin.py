"""The pytest plug-in: the fixtures `mockd`, `amockd` and `mockd_server`.

pytest loads this module in every run of everybody who has mockd installed. So it imports nothing of mockd before a test
asks for one of the fixtures.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockd.fixtures import AsyncMockd, Mockd, MockdServer

_OPTION = "mockd_url"
_OF_TEST: pytest.StashKey[Any] = pytest.StashKey()
"""The `Mockd` of a test that is running."""


def pytest_addoption(parser: pytest.Parser) -> None:
    meaning = "URL of the admin API of a running mockd, on which all tests are run; by default each process starts one"
    parser.getgroup("mockd").addoption("--mockd-url", dest=_OPTION, metavar="ADMIN_URL", help=meaning)
    parser.addini(_OPTION, meaning)


@pytest.fixture(scope="session")
def mockd_server(pytestconfig: pytest.Config) -> Iterator[MockdServer]:
    """The server of this process's tests: one that is started in a thread, or that of `--mockd-url`."""
    from mockd.errors import MockdError
    from mockd.fixtures.server import reached, started

    url = pytestconfig.getoption(_OPTION) or pytestconfig.getini(_OPTION)
    with contextlib.ExitStack() as stack:
        try:
            opening = reached(url, os.environ.get("MOCKD_API_KEY")) if url else started(str(pytestconfig.rootpath))
            server = stack.enter_context(opening)
        except MockdError as error:
            pytest.fail(f"--mockd-url {url}: {error}", pytrace=False)
        yield server


@pytest.fixture
def mockd(request: pytest.FixtureRequest, mockd_server: MockdServer) -> Iterator[Mockd]:
    """A part of the server that this test has for itself. At the end of the test its streams and mocks are gone."""
    from mockd.fixtures import Mockd
    from mockd.fixtures.mockd import new_key

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    mockd = Mockd(mockd_server, new_key(worker, request.node.nodeid))
    request.node.stash[_OF_TEST] = mockd
    try:
        yield mockd
    finally:
        del request.node.stash[_OF_TEST]
        mockd.delete()


@pytest.fixture
def amockd(mockd: Mockd) -> AsyncMockd:
    """The same as `mockd`, for tests that are coroutines: its methods are awaited."""
    from mockd.fixtures.asynchronous import AsyncMockd

    return AsyncMockd(mockd)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journal to the report of a test that has failed, unless the failure says it already."""
    report = yield
    if report.failed and (mockd := item.stash.get(_OF_TEST, None)) is not None:
        from mockd.fixtures.journal import HEADING, journal_of

        if HEADING not in report.longreprtext:
            report.sections.append(("mockd", journal_of(mockd.admin, mockd.key)))
    return report
