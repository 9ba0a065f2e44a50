"""Excerpts of the examples on the pages are what stands in the examples."""

from __future__ import annotations

import textwrap

import pytest

from tests.docs.blocks import PAGES, ROOT, Block, blocks

EXCERPTS = [(page, block) for page in PAGES for block in blocks(page) if block.is_excerpt]


@pytest.mark.parametrize("block", [pytest.param(block, id=f"{page.name}:{block.line}") for page, block in EXCERPTS])
def test_an_excerpt_is_in_its_file(block: Block) -> None:
    text = (ROOT / block.label).read_text(encoding="utf-8")
    method = textwrap.indent(block.text, "    ")
    assert f"\n{block.text}" in text or f"\n{method}" in text, f"line {block.line}:\n{block.text}"
