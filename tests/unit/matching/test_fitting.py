"""Paths fit their templates as the regular expressions do that templates once were, and in linear time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.matching.paths import PathIndex, PathTemplate, parse_path
from mockd.patterns import APART, Effort, fits_pieces

TOKENS = st.sampled_from(["{}", "*", "a", "b", "/", "-", "//", "ab", "/a", "b/"])
TEMPLATES = st.lists(TOKENS, max_size=6).map(
    lambda tokens: "/" + "".join(f"{{{place}}}" if token == "{}" else token for place, token in enumerate(tokens))
)
LONG = 200_000


def effort() -> Effort:
    return Effort(APART._replace(seconds=20))


def in_words_of_re(template: PathTemplate) -> re.Pattern[str]:
    """What a template means: captures take as much as they can, and stars, but for the last one, as little."""
    kinds = {"capture": "([^/]+)", "star": ".*?"}
    sources = [kinds.get(part.kind) or re.escape(part.value) for part in template.parts]
    stars = [place for place, part in enumerate(template.parts) if part.kind == "star"]
    for place in stars[-1:]:
        sources[place] = ".*"
    return re.compile("".join(sources), re.DOTALL)


def filled(template: PathTemplate, values: list[str]) -> str:
    """A path that is likely to fit: the template, with values for all that is not text."""
    rest = iter(values)
    return "".join(part.value if part.kind == "text" else next(rest, "a") for part in template.parts)


@settings(deadline=None, max_examples=1500)
@given(
    template=TEMPLATES,
    values=st.lists(st.text("ab-/\n", max_size=4), max_size=6),
    other=st.text("ab-/\n", max_size=7),
)
def test_templates_fit_what_they_mean(template: str, values: list[str], other: str) -> None:
    compiled = parse_path(template)
    for path in (filled(compiled, values), "/" + other):
        wanted = in_words_of_re(compiled).fullmatch(path)
        assert compiled.fits(path, effort()) is (wanted is not None)
        if wanted is not None:
            assert compiled.captures(path, effort()) == dict(zip(compiled.names, wanted.groups(), strict=True))
        if not compiled.has_star:
            index: PathIndex[str] = PathIndex()
            index.add(compiled, "it")
            assert index.find(path) == ([["it"]] if wanted else [])


@settings(deadline=None, max_examples=500)
@given(pieces=st.lists(st.text("ab", max_size=3), min_size=1, max_size=5), text=st.text("ab\n", max_size=9))
def test_wildcards_fit_what_they_mean(pieces: list[str], text: str) -> None:
    wanted = re.fullmatch(".*".join(map(re.escape, pieces)), text, re.DOTALL)
    assert fits_pieces(pieces, text) is (wanted is not None)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/{a}-{b}-{c}-{d}-{e}z", "/" + "a-" * LONG),
        ("/{a}-{b}-{c}-{d}-{e}z", "/" + "-" * LONG),
        ("/{a}{b}{c}{d}{e}z", "/" + "a" * LONG),
        ("*a*a*a*b", "/" + "a" * LONG),
        ("/*-*-*-*-b", "/" + "-" * LONG),
        ("/*{x}-{y}-{z}b", "/" + "-" * LONG),
        ("/{x}-*-{y}-*-{z}b", "/" + "a-" * LONG),
        ("/*/{x}/*/{y}z", "/a" * LONG),
        ("/{x}/*/{y}/b", "/a" * LONG),
    ],
)
def test_long_paths_take_linear_time(template: str, path: str) -> None:
    compiled = parse_path(template)
    began = time.monotonic()
    assert not compiled.fits(path, effort())
    index: PathIndex[str] = PathIndex()
    index.add(compiled, "it")
    assert index.find(path) == ([["it"]] if compiled.has_star else [])
    assert time.monotonic() - began < 20  # a power of the length would be hours


def test_a_long_header_takes_linear_time() -> None:
    began = time.monotonic()
    assert not fits_pieces(["", "a", "a", "a", "b"], "a" * LONG)
    assert time.monotonic() - began < 20
