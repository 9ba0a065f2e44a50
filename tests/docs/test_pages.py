"""What the pages say works as they say it: configurations load, commands run, the output is the output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockd.config.models import Matcher, ValueTest
from mockd.matching import paths
from mockd.matching.predicates import KINDS, METHOD, compile_predicates
from mockd.mocks.choice import SCENARIO_SCORE
from tests.docs.blocks import LLM_GUIDES, PAGES, ROOT, Block, blocks
from tests.docs.reader import Reader

LANGUAGES = {"bash", "java", "javascript", "json", "mermaid", "nginx", "python", "text", "toml", "yaml", ""}
READ = [page for page in PAGES if any(block.language in ("bash", "json", "yaml", "python") for block in blocks(page))]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks_to_read(page: Path) -> list[Block]:
    return blocks(page)[1:] if page.parent == LLM_GUIDES else blocks(page)


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    reader = Reader(monkeypatch, tmp_path)
    yield reader
    reader.close()


@pytest.mark.parametrize("page", READ, ids=name_of)
def test_a_page_can_be_followed(page: Path, reader: Reader) -> None:
    for block in blocks_to_read(page):
        reader.read(block)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_are_in_known_languages(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= LANGUAGES


def test_the_scores_in_the_guide_are_the_scores() -> None:
    page = (ROOT / "docs/guides/matching.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (.*`.*) \| (\d+) \|$", page, re.MULTILINE))
    written = {name: int(score) for names, score in rows.items() for name in names.split("; ")}
    scores = {f"`{kind.field}`": kind.score for kind in KINDS} | {
        "`method`": METHOD.score,
        "`path`, exact": paths.EXACT_SCORE,
        "`path` with `{name}`": paths.CAPTURE_SCORE,
        "`path` with `*`": paths.STAR_SCORE,
        "`scenario` with `when`": SCENARIO_SCORE,
    }
    for place, field in (("header", "headers"), ("parameter", "query_params")):
        for name, test in (("pattern", ValueTest(pattern="a")), ("exists", ValueTest(exists=True))):
            [predicate] = compile_predicates(Matcher(**{field: {"x": test}}), None)
            scores[f"a {place} with `{name}`"] = predicate.score
    assert {name.removesuffix(", each"): score for name, score in written.items()} == scores
