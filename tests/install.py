"""All that tests install beside mockd when they first need it: environments for Python, and packages for Node.

python -m tests.install makes what a run of all tests needs, in the order in which they ask for it. A test that is ahead
of it waits, or installs what it needs itself.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.agents.installed import PYTHON
from tests.agents.table import AGENTS
from tests.clients import node_packages
from tests.clients.environments import CLIENTS
from tests.environments import ROOT
from tests.recordings.environments import TOOLS
from tests.servers.environments import SERVERS

Install = Callable[[], object]


def say(message: str) -> None:
    print(message, file=sys.stderr)


def for_python() -> Iterator[Install]:
    groups = {
        PYTHON: [agent.name for agent in AGENTS.values() if agent.quick and agent.runs_on == "Python"],
        CLIENTS: CLIENTS.groups(),
        TOOLS: TOOLS.groups(),
        SERVERS: SERVERS.groups(),
    }
    for environments, names in groups.items():
        for name in names:
            yield partial(environments.python_of, name, say)


def for_node() -> Iterator[Install]:
    if node_packages.why_missing() is None:
        for file in sorted(ROOT.glob("tests/*/node/package.json")):
            yield partial(node_packages.install, say, file.parent)


def in_turn(installs: Iterator[Install]) -> None:
    """A test that needs what cannot be installed says so itself."""
    for install in installs:
        try:
            install()
        except subprocess.CalledProcessError as error:
            say(str(error))


if __name__ == "__main__":
    with ThreadPoolExecutor() as pool:
        list(pool.map(in_turn, (for_python(), for_node())))
