"""What the documentation of an agent shows is what the agent is tested with."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.agents.agent import Agent
from tests.agents.coding_agents import CODING_AGENTS
from tests.agents.frameworks import FRAMEWORKS
from tests.agents.installed import HERE
from tests.agents.job import Job
from tests.agents.table import AGENTS
from tests.agents.working import fill
from tests.docs.blocks import NOT_RUN, Block, blocks
from tests.environments import ROOT

GUIDES = ROOT / "docs" / "guides" / "agents"
HEADINGS = {
    "pydantic-ai": "Pydantic AI",
    "langgraph": "LangChain and LangGraph",
    "llama-index": "LlamaIndex",
    "instructor": "instructor",
    "dspy": "DSPy",
    "smolagents": "smolagents",
    "haystack": "Haystack",
    "semantic-kernel": "Semantic Kernel",
    "autogen": "AutoGen",
    "google-adk": "Google ADK",
    "strands": "Strands",
    "crewai": "CrewAI",
    "mastra": "Mastra",
    "ai-sdk-react": "AI SDK UI",
}
"""Those that are on one page."""

URL = "http://127.0.0.1:4280"
JOB = Job(station="station-7", rain="12-mm", answer="It has rained 12 mm.")
KNOWN = {"url": URL, "work": "/home/ada/trip", "station": JOB.station, "rain": JOB.rain, "answer": JOB.answer}
PARSERS: dict[str, Callable[[str], Any]] = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}


@dataclass(frozen=True)
class Section:
    """Where an agent is told of: its page, or what is below its heading."""

    text: str
    blocks: list[Block]

    def shown(self, *languages: str) -> list[str]:
        """What it shows of the agent's own, in these languages."""
        return [block.text for block in self.blocks if block.label == NOT_RUN and block.language in languages]

    def scripts(self) -> list[object]:
        return [yaml.safe_load(block.text) for block in self.blocks if block.language == "yaml" and block.is_run]


def _section(name: str) -> Section:
    page = GUIDES / (f"{name}.md" if name not in HEADINGS else "frameworks.md")
    text = page.read_text(encoding="utf-8")
    first, last = 1, text.count("\n") + 1
    if name in HEADINGS:
        headings = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith("## ")] + [last + 1]
        first = 1 + text.splitlines().index(f"## {HEADINGS[name]}")
        last = headings[headings.index(first) + 1] - 1
    within = [block for block in blocks(page) if first <= block.line <= last]
    return Section("\n".join(text.splitlines()[first - 1 : last]), within)


def _program(agent: Agent) -> str:
    """The program that uses a framework, with mockd's usual address for the one that it is told."""
    [file] = [
        *(HERE / "programs").glob(f"{agent.name.replace('-', '_')}.py"),
        *(HERE / "node" / agent.name).glob("*.mjs"),
        *(HERE / "node" / agent.name).glob("*.jsx"),
    ]
    text = file.read_text(encoding="utf-8")
    return re.sub(r"""(?:f"|`)[{$]+url}([^"`]*)["`]""", rf'"{URL}\1"', text)


def _is_in(part: object, whole: object) -> bool:
    """Whether all that is in `part` is in `whole` too, at the same place."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(key in whole and _is_in(part[key], whole[key]) for key in part)
    return part == whole


def _commands(text: str) -> tuple[dict[str, str], list[list[str]]]:
    """The variables that are exported, and the other commands."""
    lines = [shlex.split(line) for line in text.splitlines()]
    exported = dict(line[1].split("=", 1) for line in lines if line[0] == "export")
    return exported, [line for line in lines if line[0] != "export"]


def _names(agents: tuple[Agent, ...], *, on_one_page: bool) -> list[str]:
    return [agent.name for agent in agents if (agent.name in HEADINGS) == on_one_page]


def test_every_agent_has_a_page_or_a_heading() -> None:
    pages = {page.stem for page in GUIDES.glob("*.md")} - {"frameworks"}
    assert pages == set(_names((*CODING_AGENTS, *FRAMEWORKS), on_one_page=False))
    headings = re.findall(r"^## (.*)$", (GUIDES / "frameworks.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[1:] == list(HEADINGS.values())
    assert list(HEADINGS) == _names(FRAMEWORKS, on_one_page=True)


@pytest.mark.parametrize("name", sorted(AGENTS.keys() - HEADINGS.keys()))
def test_a_page_points_a_program_at_mockd_as_its_test_does(name: str) -> None:
    agent, section = AGENTS[name], _section(name)
    exported, typed = _commands("".join(section.shown("bash")))
    environ = fill(dict(agent.environ), KNOWN)
    assert exported.items() <= environ.items()
    [command] = typed
    flags = [Path(word).name for word in agent.command]
    assert command[0] in flags
    assert {word for word in command if word.startswith("--")} <= set(flags)
    configured = section.shown(*PARSERS)
    assert any(URL in text for text in (*exported.values(), *configured)), "nothing points at mockd"
    for block in section.blocks:
        if block.label == NOT_RUN and block.language in PARSERS:
            [(file, whole)] = agent.home.items()
            assert f"`{Path(file).name}`" in section.text
            parse = PARSERS[block.language]
            assert _is_in(parse(block.text), parse(fill(whole, KNOWN)))


@pytest.mark.parametrize("name", HEADINGS)
def test_a_page_points_a_framework_at_mockd_as_its_test_does(name: str) -> None:
    [shown] = _section(name).shown("python", "javascript")
    assert URL in shown
    lines = {line.strip() for line in _program(AGENTS[name]).splitlines()}
    assert [line for line in shown.splitlines() if line.strip() not in lines] == []


@pytest.mark.parametrize("name", AGENTS)
def test_a_page_has_the_script_that_leads_through_the_job(name: str) -> None:
    agent = AGENTS[name]
    scripts = _section(name).scripts() or [yaml.safe_load(blocks(GUIDES / "frameworks.md")[0].text)]
    assert scripts == [JOB.script(fill(agent.replies, KNOWN), fill(agent.results, KNOWN), agent.cut)]


@pytest.mark.parametrize("name", AGENTS)
def test_a_page_says_what_the_agent_does_when_a_reply_breaks_off(name: str) -> None:
    text = " ".join(_section(name).text.split())
    assert ("gives up" in text) == AGENTS[name].again
    assert ("again by itself" in text) != AGENTS[name].again
