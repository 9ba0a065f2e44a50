"""All agents do their job, and `docs/clients-llm.md` says how it went: `python -m tests.agents.report`.

With arguments, which go to pytest, only some of them run, and the page stays as it is.
"""

from __future__ import annotations

import datetime
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agents.agent import Agent
from tests.agents.installed import version_of
from tests.agents.job import WIRES
from tests.agents.table import AGENTS
from tests.environments import ROOT
from tests.programs import find

HERE = Path(__file__).parent
TESTS = ("test_it_does_its_job", "test_a_script_leads_it_through_its_job")
PAGE = ROOT / "docs" / "clients-llm.md"

_PAGE = """\
<!-- Written by scripts/agents: change it there. -->

# Agents and frameworks

Each of these programs did a job on `mockd serve --preset llm`: the model calls a tool, calls another one with what the
first one found, and then answers. It is led through once by three mocks, and once by a [script](guides/scripts.md).
Both refuse the first request with a 429, and break off the reply with the second call; by the script, a reply in one
piece does not even begin. Agents for coding read a file with their own tools and write another one; frameworks get two
functions. A program has done the job if the tools did what the model said, the answer arrived, and mockd's journal has
the requests that were expected.

[A page for each](guides/agents.md) says how to do it.

Run on {date}, with Python {python} and Node {node}. `scripts/agents` does it again.

| Program | Version | Format | What points it at mockd | When a reply breaks off | Job, by mocks | by a script |
|---|---|---|---|---|---|---|
{rows}
"""


_AFTER = {True: "gives up; its user asks again", False: "asks again by itself"}


class Outcomes:
    """A plug-in of pytest: how each test of each agent ended, in words."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = re.search(r"::(\w+)\[(.+)\]$", report.nodeid)
        if found and (report.when == "call" or not report.passed):
            self.of[found[1], found[2]] = _in_words(report)


def _in_words(report: pytest.TestReport) -> str:
    if report.skipped and hasattr(report, "wasxfail"):
        return f"not yet: {report.wasxfail}"
    if report.skipped:
        assert isinstance(report.longrepr, tuple)
        return f"not run: {report.longrepr[2].removeprefix('Skipped: ')}"
    return "done" if report.passed else "**failed**"


def _row(agent: Agent, outcomes: Outcomes) -> str:
    template = WIRES[agent.wire].template
    by_mocks, by_script = (_AFTER[agent.is_asked_again(by_script=by_script)] for by_script in (False, True))
    after = by_mocks if by_mocks == by_script else f"{by_mocks}. By the script: {by_script}"
    about = f"| `{agent.package}` | {version_of(agent)} | `{template}` | {agent.pointed} | {after}"
    return f"{about} | {' | '.join(outcomes.of[test, agent.name] for test in TESTS)} |"


def page(outcomes: Outcomes) -> str:
    node = find("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout if node else "none"
    return _PAGE.format(
        date=datetime.datetime.now(tz=datetime.UTC).date(),
        python=platform.python_version(),
        node=version.strip(),
        rows="\n".join(_row(agent, outcomes) for agent in AGENTS.values()),
    )


def main(arguments: list[str]) -> int:
    outcomes = Outcomes()
    code = pytest.main(["-p", "no:xdist", str(HERE), *arguments], plugins=[outcomes])
    if not arguments:
        PAGE.write_text(page(outcomes), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
