"""The lines that open each page about a provider work: they point its SDK at `mockd serve --preset llm`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockd.client import AdminClient
from tests.cli.harness import Served
from tests.clients.environments import CLIENTS
from tests.clients.node_sdk import run_module
from tests.clients.sdk import run_python
from tests.docs.blocks import LLM_GUIDES, Block, blocks

pytestmark = pytest.mark.clients

PAGES = sorted(LLM_GUIDES.glob("*.md"))
PACKAGES = {"agents": "openai-agents", "google": "google-genai"}
"""Which package a module is in, where its name does not say so."""


def name_of(page: Path) -> str:
    return page.name


def opening(page: Path) -> Block | None:
    """The first fenced block, where it has code."""
    block = next(iter(blocks(page)), None)
    return block if block and block.language in ("python", "javascript") else None


def in_javascript(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "javascript" and block.is_run]


IN_JAVASCRIPT = list(filter(in_javascript, PAGES))
IN_PYTHON = [page for page in PAGES if (block := opening(page)) and block.language == "python"]


def package_of(code: str) -> str:
    """The package of the first module that is imported."""
    found = re.search(r"^(?:from|import) (\w+)", code, re.MULTILINE)
    assert found, f"nothing is imported:\n{code}"
    return PACKAGES.get(found[1], found[1].replace("_", "-"))


@pytest.fixture(scope="module")
def preset() -> Iterator[Served]:
    served = Served("--preset", "llm", "--admin-port", "0")
    yield served
    served.stop()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_opens_with_code(page: Path) -> None:
    assert opening(page) is not None, "the first fenced block of this page must point the SDK at mockd"


def check(code: str, run: Callable[[str], str], preset: Served) -> None:
    """That it asks the preset "Hi", and prints the answer, which is the same."""
    here, count = re.subn(r"http://(localhost|127\.0\.0\.1):4280", preset.mocks, code)
    assert count == 1, "the client is pointed at http://127.0.0.1:4280"
    with AdminClient(preset.admin, api_key=preset.key) as admin:
        before = admin.get_stats()["totalConnections"]
        assert "Hi" in run(here)
        assert admin.get_stats()["totalConnections"] > before


@pytest.mark.parametrize("page", IN_PYTHON, ids=name_of)
def test_the_opening_lines_work(page: Path, preset: Served, client_python: Callable[[str], Path]) -> None:
    block = opening(page)
    assert block is not None
    python = client_python(CLIENTS.group_with(package_of(block.text)))
    check(block.text, lambda code: run_python(python, "-c", code), preset)


@pytest.mark.parametrize("page", IN_JAVASCRIPT, ids=name_of)
def test_the_lines_for_node_work(page: Path, preset: Served, node_clients: None) -> None:
    for block in in_javascript(page):
        check(block.text, run_module, preset)
