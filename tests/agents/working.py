"""An agent at work, in a process of its own, on a mockd in another one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mockd.client import AdminClient
from tests.agents.agent import Agent
from tests.agents.installed import HERE
from tests.agents.job import PLACE, WIRES, Job
from tests.cli.harness import Served

PATIENCE_S = 300.0
TASK = f"Find the station of {PLACE}, see how much it has rained there, and tell me the answer."
WRITTEN_TASK = (
    f"Look up the station of {PLACE} in this folder's list, write its rain into rain.txt, and tell the answer."
)

Words = TypeVar("Words")


class Working:
    """An agent's folders, and the mockd that it is pointed at."""

    def __init__(self, agent: Agent, job: Job, programs: Path, folder: Path) -> None:
        self._agent = agent
        self._job = job
        self.work = folder / "work"
        self.calls = folder / "calls.jsonl"
        self._folder = folder
        self._known = {
            "work": str(self.work),
            "home": str(folder / "home"),
            "bin": str(programs),
            "here": str(HERE),
            "python": sys.executable,
            "task": WRITTEN_TASK if agent.writes else TASK,
            "station": job.station,
            "rain": job.rain,
            "answer": job.answer,
        }

    def mocks(self) -> tuple[str, ...]:
        """Mocks that lead the agent through its job, as arguments of `mockd serve`."""
        first, second, last = map(self._fill, self._agent.replies)
        mocks = self._job.mocks(WIRES[self._agent.wire], (first, second, last), self._agent.breaks)
        return (self._written("mocks.json", mocks),)

    def script(self) -> tuple[str, ...]:
        """The same with a script for the preset."""
        first, second, last = map(self._fill, self._agent.replies)
        found, read = map(self._fill, self._agent.results)
        script = self._job.script((first, second, last), (found, read), self._agent.cut)
        return "--preset-script", self._written("script.json", script)

    @contextmanager
    def model(self, *arguments: str) -> Iterator[AdminClient]:
        """The preset, with what leads through the job."""
        served = Served(*arguments, "--preset", "llm", "--admin-port", "0")
        try:
            self._known["url"] = served.mocks
            with AdminClient(served.admin, api_key=served.key) as admin:
                yield admin
        finally:
            served.stop()

    def run(self) -> str:
        """What the agent prints. It is given nothing of the environment that could point it at a real service."""
        agent = self._agent
        for name, text in agent.home.items():
            file = Path(self._known["home"], name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._fill(text), encoding="utf-8")
        self.work.mkdir()
        if agent.writes:
            (self.work / "stations.txt").write_text(f"{self._job.station}\n", encoding="utf-8")
        environ = {
            "HOME": self._known["home"],
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "JOB_CALLS": str(self.calls),
            "JOB_STATION": self._job.station,
            "JOB_RAIN": self._job.rain,
            "JOB_ATTEMPTS": "2" if agent.again else "1",
            **self._fill(dict(agent.environ)),
        }
        return run_to_its_end([self._fill(word) for word in agent.command], self.work, environ)

    def _written(self, name: str, content: object) -> str:
        file = self._folder / name
        file.write_text(json.dumps(content), encoding="utf-8")
        return str(file)

    def _fill(self, words: Words) -> Words:
        return fill(words, self._known)


def fill(words: Words, known: Mapping[str, str]) -> Words:
    """The same, with what stands for something that is known by now."""
    names = re.compile("{(" + "|".join(known) + ")}")
    filled: Words = json.loads(names.sub(lambda name: json.dumps(known[name[1]])[1:-1], json.dumps(words)))
    return filled


def run_to_its_end(command: list[str], folder: Path, environ: dict[str, str]) -> str:
    """What a program prints. If it fails or takes too long, so does the test, and what it has started is ended."""
    Path(environ["HOME"]).mkdir(exist_ok=True)
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        pytest.fail(f"no end after {PATIENCE_S:g} s", pytrace=False)
    finally:
        _end_all(process)
    if process.returncode:
        pytest.fail(f"exit code {process.returncode}:\n{out}{err}", pytrace=False)
    return out


def _end_all(process: subprocess.Popen[str]) -> None:
    """A program may leave servers of its own behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def answered_by(admin: AdminClient) -> Counter[Any]:
    """How many requests each mock has answered."""
    return Counter(request.get("mockId") for request in admin.list_requests()["requests"])
