"""The environments of agents, each made when a test first needs it: a Python in `.venv-agents`, or a `node_modules`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.agents.agent import Agent
from tests.clients import node_packages
from tests.environments import ROOT, Environments, Say
from tests.programs import program

HERE = Path(__file__).parent
NODE = HERE / "node"
NPM = ("install", "--no-save")
"""Other than `npm ci`, it does without optional packages that the registry lacks: programs for other machines."""
PYTHON = Environments(HERE / "environments", ROOT / ".venv-agents")


def programs_of(agent: Agent, say: Say) -> Path:
    """The folder of the programs in an agent's environment. Skips the test if it cannot be made."""
    for names in agent.needs:
        program(*names)
    if agent.runs_on == "Python":
        return PYTHON.python_or_skip(agent.name, say).parent
    return node_packages.install_or_skip(say, NODE / agent.name, NPM) / ".bin"


def version_of(agent: Agent) -> str:
    """The version of its package that is pinned."""
    if agent.runs_on == "Node":
        package = json.loads((NODE / agent.name / "package.json").read_text(encoding="utf-8"))
        return str(package["dependencies"][agent.package])
    requirements = (HERE / "environments" / f"{agent.name}.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(agent.package)}==(.+)$", requirements, re.MULTILINE)
    assert found, f"{agent.package} is not pinned"
    return found[1]
