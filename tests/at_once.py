"""Tests that fail are named at once, with workers of pytest-xdist too, and not only when all tests are over."""

from __future__ import annotations

import pytest

LONGEST = 200
"""Most characters of what a test says of its failure at once; all of it comes at the end."""


class NamedAtOnce:
    """A plug-in of pytest that writes a line for each failure: the test, and the first line of what it says."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(trylast=True)  # after the letter
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.failed:
            return
        crash = getattr(report.longrepr, "reprcrash", None)
        said = (crash.message if crash else report.longreprtext).strip().partition("\n")[0][:LONGEST]
        word = "FAILED" if report.when == "call" else "ERROR"
        self._terminal.write(f"\n{word} {report.nodeid} - {said}\n", flush=True, red=True)


@pytest.hookimpl(trylast=True)  # once there is a terminal
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None:  # a worker has none
        config.pluginmanager.register(NamedAtOnce(terminal))
