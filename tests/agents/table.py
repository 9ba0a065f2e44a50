"""All agents, in the order in which the documentation has them."""

from __future__ import annotations

from tests.agents.coding_agents import CODING_AGENTS
from tests.agents.frameworks import FRAMEWORKS

AGENTS = {agent.name: agent for agent in (*CODING_AGENTS, *FRAMEWORKS)}
