"""The pytest plug-in: the fixtures `mockd`, `amockd` and `mockd_server`; the marker `mockd_torture`, and its `torture`;
the marker `mockd_cassette`.

pytest loads this module in every run of everybody who has mockd installed. So it imports nothing of mockd before a test
asks for one of the fixtures.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import CodeType, TracebackType

    from mockd.fixtures import AsyncMockd, Mockd, MockdServer
    from mockd.fixtures.cassettes import Cassette
    from mockd.fixtures.torture import Torture

_OPTION = "mockd_url"
_PACKAGE = Path(__file__).parent.parts
_MARK = "mockd_torture"
_CASSETTE = "mockd_cassette"
_RECORD, _RECORD_MODE = "mockd_record", "mockd_record_mode"
_OF_TEST: pytest.StashKey[Any] = pytest.StashKey()
"""The `Mockd` of a test that is running."""
_CASSETTE_OF_TEST: pytest.StashKey[Any] = pytest.StashKey()
"""The `Cassette` of a test that is running."""
_BEGAN = pytest.StashKey[float]()
"""When the run of all tests began, in seconds of the Unix epoch: in each worker of pytest-xdist the same."""


def pytest_addoption(parser: pytest.Parser) -> None:
    meaning = "URL of the admin API of a running mockd, on which all tests are run; by default each process starts one"
    group = parser.getgroup("mockd")
    group.addoption("--mockd-url", dest=_OPTION, metavar="ADMIN_URL", help=meaning)
    parser.addini(_OPTION, meaning)
    group.addoption(
        "--mockd-record",
        dest=_RECORD,
        metavar="URL",
        action="append",
        help="URL of the service from which tests with a cassette are recorded, or /prefix=URL; by default all of them "
        "are replayed",
    )
    group.addoption(
        "--mockd-record-mode",
        dest=_RECORD_MODE,
        choices=("once", "new", "all", "none"),
        help="what --mockd-record records: cassettes that are not there yet (once, the default), requests that are "
        "missing in them too (new), everything anew (all), nothing (none)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "mockd_torture(source, neutral_only=True, accepts=()): runs a test, which has the fixture `torture`, once for "
        "each legal form of the stream of a mock file or a recording",
    )
    config.addinivalue_line(
        "markers",
        "mockd_cassette(name, **settings): what the test asks of `mockd` is replayed from the recordings in the folder "
        "`cassettes/name` beside its file, or recorded there with --mockd-record",
    )
    if config.getoption(_RECORD_MODE) and not config.getoption(_RECORD):
        raise pytest.UsageError("--mockd-record-mode: nothing is recorded without --mockd-record URL")
    config.stash[_BEGAN] = getattr(config, "workerinput", {}).get(_RECORD, time.time())


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist when the run began."""
    node.workerinput[_RECORD] = node.config.stash[_BEGAN]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker(_MARK)
    if mark is None:
        return
    from mockd.errors import ConfigError
    from mockd.fixtures.torture import cases

    try:
        found = cases(*mark.args, **mark.kwargs)
    except ConfigError as error:
        raise pytest.Collector.CollectError(f"{_MARK}: {error}") from None
    metafunc.parametrize("torture", found.values(), ids=list(found), indirect=True)


@pytest.fixture(scope="session")
def mockd_server(pytestconfig: pytest.Config) -> Iterator[MockdServer]:
    """The server of this process's tests: one that is started in a thread, or the one at `--mockd-url`."""
    from mockd.errors import MockdError
    from mockd.fixtures.server import reached, started

    url = pytestconfig.getoption(_OPTION) or pytestconfig.getini(_OPTION)
    with contextlib.ExitStack() as stack:
        try:
            opening = (
                reached(url, os.environ.get("MOCKD_API_KEY")) if url else started(files_root=str(pytestconfig.rootpath))
            )
            server = stack.enter_context(opening)
        except MockdError as error:
            reason = f"--mockd-url {url}: {error}" if url else f"the server of the tests has not started: {error}"
            raise pytest.fail.Exception(reason, pytrace=False) from None
        yield server


@pytest.fixture
def mockd(request: pytest.FixtureRequest) -> Iterator[Mockd]:
    """A part of the server that this test has for itself. At the end of the test its streams and mocks are gone. A test
    with a cassette has a server of its own."""
    from mockd.fixtures import Mockd
    from mockd.fixtures.mockd import new_key

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    mark = request.node.get_closest_marker(_CASSETTE)
    with contextlib.ExitStack() as stack:
        if mark is None:
            server = request.getfixturevalue("mockd_server")
        else:
            server = stack.enter_context(_played(request.node, mark))
        mockd = Mockd(server, new_key(worker, request.node.nodeid))
        request.node.stash[_OF_TEST] = mockd
        try:
            yield mockd
        finally:
            del request.node.stash[_OF_TEST]
            mockd.delete()


@contextlib.contextmanager
def _played(item: pytest.Item, mark: pytest.Mark) -> Iterator[MockdServer]:
    """A server that plays the cassette of a test."""
    from mockd.errors import MockdError

    with contextlib.ExitStack() as stack:
        try:
            cassette = _cassette_of(item, mark)
            server = stack.enter_context(cassette.played(str(item.config.rootpath)))
        except MockdError as error:
            pytest.fail(f"{_CASSETTE}: {error}", pytrace=False)
        item.stash[_CASSETTE_OF_TEST] = cassette
        try:
            yield server
        finally:
            del item.stash[_CASSETTE_OF_TEST]


def _cassette_of(item: pytest.Item, mark: pytest.Mark) -> Cassette:
    from mockd.errors import ConfigError
    from mockd.fixtures.cassettes import Cassette, Source

    if len(mark.args) != 1 or not isinstance(mark.args[0], str):
        raise ConfigError("it has one name", hint=f'@pytest.mark.{_CASSETTE}("chat")')
    config = item.config
    source = Source(config.getoption(_RECORD) or (), config.getoption(_RECORD_MODE) or "once", config.stash[_BEGAN])
    case = item.callspec.id if hasattr(item, "callspec") else None
    return Cassette(item.path, mark.args[0], case, source, dict(mark.kwargs))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test whose cassette lacks what it has asked for, or has no effect."""
    if item.get_closest_marker(_CASSETTE) is None:
        yield
        return
    if _CASSETTE_OF_TEST not in item.stash:
        pytest.fail(f"@pytest.mark.{_CASSETTE} goes with the fixture `mockd` or `amockd`", pytrace=False)
    yield
    cassette: Cassette = item.stash[_CASSETTE_OF_TEST]
    if (missing := cassette.missing()) is not None:
        pytest.fail(missing, pytrace=False)
    cassette.replace()


@pytest.fixture
def amockd(mockd: Mockd) -> AsyncMockd:
    """The same as `mockd`, for tests that are coroutines: its methods are awaited."""
    from mockd.fixtures.asynchronous import AsyncMockd

    return AsyncMockd(mockd)


@pytest.fixture
def torture(request: pytest.FixtureRequest, mockd: Mockd) -> Torture:
    """One form of the stream that the marker `mockd_torture` names."""
    from mockd.fixtures.torture import tortured

    if not hasattr(request, "param"):
        pytest.fail(f'the fixture `torture` goes with @pytest.mark.{_MARK}("FILE")', pytrace=False)
    return tortured(mockd, request.param)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show of a failure what is the test's: the traceback ends at the line that has called mockd. Add the journal,
    unless the failure says it already."""
    if call.excinfo is not None and _OF_TEST in item.stash and not item.config.getoption("fulltrace"):
        _end_at_test(call.excinfo.tb)
    report = yield
    if report.failed and (mockd := item.stash.get(_OF_TEST, None)) is not None:
        from mockd.fixtures.journal import HEADING, journal_of

        if HEADING not in report.longreprtext:
            report.sections.append(("mockd", journal_of(mockd.admin, mockd.key)))
        _tell_missing(item, report)
    return report


def _tell_missing(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add to a failure what the test's cassette lacks, as that is perhaps why it has failed."""
    cassette: Cassette | None = item.stash.get(_CASSETTE_OF_TEST, None)
    if cassette is not None and (missing := cassette.missing()) is not None and missing not in report.longreprtext:
        report.sections.append(("mockd cassette", missing))


def _end_at_test(traceback: TracebackType) -> None:
    """End a traceback where a test calls mockd."""
    last = traceback
    while last.tb_next is not None and not _is_of_mockd(last.tb_next.tb_frame.f_code):
        last = last.tb_next
    last.tb_next = None


def _is_of_mockd(code: CodeType) -> bool:
    """Whether code is mockd's. What is around each test is not where a test calls mockd."""
    return code is not pytest_runtest_call.__code__ and Path(code.co_filename).parts[: len(_PACKAGE)] == _PACKAGE
