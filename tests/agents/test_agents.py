"""Agents do their whole job on mockd."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.agents.agent import Agent
from tests.agents.installed import programs_of
from tests.agents.job import PLACE, Job
from tests.agents.table import AGENTS
from tests.agents.working import Working, answered_by


def _marked(agent: Agent) -> Any:
    return pytest.param(agent, id=agent.name, marks=pytest.mark.agents(long=not agent.quick))


class Work:
    """What an agent did, and what mockd was asked meanwhile."""

    def __init__(self, working: Working, job: Job, arguments: tuple[str, ...]) -> None:
        with working.model(*arguments) as admin:
            self.said = working.run()
            self.asked: Counter[str | None] = answered_by(admin)
        self._working = working
        self._job = job

    def check(self, agent: Agent, *, again: bool) -> None:
        """That the tools did what the model said, and that its answer arrived."""
        assert self._job.answer in self.said
        if agent.writes:
            assert (self._working.work / "rain.txt").read_text(encoding="utf-8").strip() == self._job.rain
            return
        calls = [json.loads(line) for line in self._working.calls.read_text(encoding="utf-8").splitlines()]
        assert calls == [["find_station", PLACE]] * (1 + again) + [["read_rain", self._job.station]]


@pytest.mark.parametrize("agent", list(map(_marked, AGENTS.values())))
def test_it_does_its_job(agent: Agent, say: Callable[[str], None], tmp_path: Path) -> None:
    job = Job()
    working = Working(agent, job, programs_of(agent, say), tmp_path)
    work = Work(working, job, working.mocks())
    work.check(agent, again=agent.again)
    asked = work.asked
    assert (asked.pop("first"), asked.pop("second"), asked.pop("answer")) == agent.requests
    assert asked.total() == agent.side_calls, asked


@pytest.mark.parametrize("agent", list(map(_marked, AGENTS.values())))
def test_a_script_leads_it_through_its_job(agent: Agent, say: Callable[[str], None], tmp_path: Path) -> None:
    job = Job()
    working = Working(agent, job, programs_of(agent, say), tmp_path)
    work = Work(working, job, working.script())
    work.check(agent, again=agent.is_asked_again(by_script=True))
    assert work.asked.total() == agent.script_requests + agent.side_calls, work.asked
