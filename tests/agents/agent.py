"""What is known of an agent: how it is installed, started, and pointed at mockd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.agents.job import Replies, Reply, Results, call, say

FIND = call("find_station", place="Rainville")
READ = call("read_rain", station="{station}")
"""Calls of the tools in `programs/tools.py`."""


@dataclass(frozen=True)
class Agent:
    """An agent, or a framework with a program that uses it.

    In the words of `command`, `environ`, `home`, `first`, `second`, `last` and `results`, these stand for what is only
    known when it runs: `{url}` of mockd, `{work}`, the folder it works in, `{home}`, `{bin}`, the folder of its
    environment's programs, `{here}`, the folder of these tests, `{python}`, their interpreter, `{task}`, `{station}`,
    `{rain}`, `{answer}`.
    """

    name: str
    """Its environment is `environments/<name>.txt` or `node/<name>/`."""
    package: str
    wire: str
    pointed: str
    """How it is pointed at mockd, for the table in the documentation."""
    command: tuple[str, ...]
    runs_on: Literal["Node", "Python"] = "Python"
    needs: tuple[tuple[str, ...], ...] = ()
    """Programs of the machine that it needs, each under one of its names."""
    environ: Mapping[str, str] = field(default_factory=dict)
    home: Mapping[str, str] = field(default_factory=dict)
    """Files in its home."""
    first: Reply = field(default_factory=lambda: FIND)
    second: Reply = field(default_factory=lambda: READ)
    last: Reply = field(default_factory=lambda: say("{answer}"))
    results: Results = ({"toolResultContains": "{station}"}, {"toolResultContains": "{rain}"})
    breaks: str = "reset after 300 bytes"
    """How the second reply breaks off, as a fault of a mock."""
    cut: Reply = field(default_factory=lambda: {"cut": "close", "afterTokens": 1})
    """The same, as an error of a script. A reset could come before the agent has read anything, which is no cut."""
    again: bool = False
    """Whether its user has to ask again when the reply breaks off, because it gives up."""
    again_by_script: bool | None = None
    """The same with the script, if that differs: a script does not let an answer in one piece begin."""
    writes: bool = False
    """Whether it reads `stations.txt` and writes `rain.txt`, instead of using the tools."""
    requests: tuple[int, int, int] = (2, 2, 1)
    """Number of requests that each of the three mocks gets."""
    side_calls: int = 0
    """Number of other requests, such as for a title."""
    quick: bool = False
    """Whether it runs with all other tests."""

    @property
    def script_requests(self) -> int:
        """Number of requests for the job by the script."""
        first, second, last = self.requests
        return first - self.again + self.is_asked_again(by_script=True) + second + last

    def is_asked_again(self, *, by_script: bool) -> bool:
        return self.again if self.again_by_script is None or not by_script else self.again_by_script

    @property
    def replies(self) -> Replies:
        return self.first, self.second, self.last
