"""What runs a pattern finds what Python's `re` finds, whichever engine it is."""

from __future__ import annotations

import re
import sys
import unicodedata
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.patterns import APART, Effort, Pattern
from mockd.patterns.dialects import Unsupported, for_re2

LINEAR = [
    *("", "()", "(|a)b", "(?:)*", "(a*)*", "(a*)+b", "(?P<n>a|b)+", "(?P<n>a+)(?P<m>b*)", "(?P<n>a+?)b", "((a)|b)(c)?"),
    *("a.*b.*c", "a.b", "(?s)a.b", "(?s:.)b", "a|bc", "a{2,3}?b", "a{2}", "a{1,}", "(?:a|b)*?c", "(?x) a b # c"),
    *(
        "^",
        "$",
        "^$",
        "a$",
        "^a$|^b$",
        "(a|b)$",
        "(a$)|b",
        "[^a]|[^b]",
        "[^a]|.",
        "a|$",
        r"\Aab\Z",
        r"\Z",
        r"(?m)\Z",
        "(?m)^a$",
        r"(?m)a$\n",
    ),
    *(r"\u0041\d", r"\d+\s\w", r"\D\S\W", r"[^\s\w]", r"[^\S]", r"[\s\S]", r"[\d\D]", r"\x00", r"\n$", r"\t\v\f"),
    *(r"(?a)\w+\b", r"(?a)\s", r"[\x1c-\x1f]", r"\.\*\+\?\#\ \-\"", "é+", "[à-ü]", r"\N{BULLET}", "ſ"),
    *("[]a]", "[^]a]", r"[a\-z]", r"[\]\^]", "a&&b", "a{e<=1}", "[[:alpha:]]", "[a&&b]", "[a||b]", "[a~~b]", "[[a]b]"),
]
IN_ASCII = [
    *(r"\bfoo\b", "(?i)k", "(?i)[j-l]", "(?i)[^k]", r"(?i)\W", r"(?i)[\Wk]", "(?i:a)b", "(?i)a(?-i:b)", "(?i)s"),
    *(r"[\W\d]", r"[^\W\d]", r"[\w\W]x", "(?i)A|[b-d]"),
]
"""Those that RE2 runs on ASCII texts alone."""
BACKTRACKING = [
    *(
        "a$b",
        r"b$\n",
        r"(?:[ab]$|x)\n?",
        r"\Bo",
        r"\B",
        r"(a)(?:b)?\1",
        "(?=a)b|(?!a)c",
        "(?<=a)b",
        "(?<!a)b",
        "(?P<x>a)(?(x)b|c)",
        "a{1001}",
    ),
    *("(?!)", "x|(?!)", r"\ud800", r"[\ud800-\udfff]", "(?i)ß", "(?i)ſ", "(?i)[İı]", "(?i)straße", "(?>a|b)c", "a++b"),
    "a" * 10_000,
]
PIECES = [
    "b\n",
    *(
        "a",
        "b",
        "c",
        "A",
        "B",
        "k",
        "K",
        "\u212a",
        "s",
        "ſ",
        "ß",
        "ẞ",
        "é",
        "É",
        "e\u0301",
        "1",
        "٣",
        "½",
        "Ⅷ",
        "_",
        "•",
    ),
    *("•", " ", "\n", "\t", "\x0b", "\x1c", "\x85", "\u2028", "\xa0", "-", ".", "\x00", "[", ":", "]", "{", "x", "foo"),
    *("o", "İ", "ı", "i", "I", "\ud800", "\U0001f600", '.*+?# -"', "straße", "STRASSE", "ab", "bc", "aa", "\t\x0b\x0c"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
QUIET = settings(deadline=None, max_examples=150)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of sets that may mean something else one day
        yield


def on_every_engine(source: str) -> list[Pattern]:
    """The pattern as it runs here, and as it runs if RE2 is not installed."""
    here = Pattern(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "re2", None)
        return [here, Pattern(source)]


def check(patterns: list[Pattern], text: str) -> None:
    wanted = re.search(patterns[0].source, text)
    for pattern in patterns:
        assert pattern.is_in(text, Effort(APART)) is (wanted is not None)
        assert pattern.groups(text, Effort(APART)) == (wanted and wanted.groups())


@pytest.mark.parametrize("source", LINEAR + IN_ASCII + BACKTRACKING)
def test_a_pattern_means_what_it_means_to_python(source: str) -> None:
    patterns = on_every_engine(source)
    for text in ("", *PIECES):
        check(patterns, text)

    @QUIET
    @given(text=TEXTS)
    def in_any_text(text: str) -> None:
        check(patterns, text)

    in_any_text()


ATOMS = st.sampled_from(
    [*"abcB1 é.^$", r"\d", r"\w", r"\s", r"\W", r"\b", r"\n", "[ab]", "[^a]", r"[^\W\d]", "[a-c1-3]", r"\A", r"\Z"]
)
TIMES = st.sampled_from(["*", "+", "?", "*?", "+?", "{2}", "{1,2}", "{2,}"])
GROUPS = ["?:", "?i:", "?s:", "?m:", "?=", "?!"]
SOURCES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join),
        inner.map("({})".format),
        st.tuples(st.sampled_from(["?:", "?i:", "?s:", "?m:", "?=", "?!"]), inner).map(lambda p: f"({p[0]}{p[1]})"),
        st.tuples(inner, TIMES).map(lambda p: f"(?:{p[0]}){p[1]}"),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=400)
@given(source=SOURCES, texts=st.lists(st.text("abcAB1 é\n_-", max_size=8), min_size=1, max_size=5))
def test_any_pattern_means_what_it_means_to_python(source: str, texts: list[str]) -> None:
    patterns = on_every_engine(source)
    for text in texts:
        check(patterns, text)


def is_linear(source: str, *, is_ascii: bool) -> bool:
    try:
        return bool(for_re2(source, is_ascii=is_ascii))
    except Unsupported:
        return False


@pytest.mark.parametrize("source", LINEAR)
def test_most_patterns_take_linear_time(source: str) -> None:
    assert is_linear(source, is_ascii=True)
    assert is_linear(source, is_ascii=False)


@pytest.mark.parametrize("source", IN_ASCII)
def test_some_patterns_take_linear_time_in_ascii_texts(source: str) -> None:
    assert is_linear(source, is_ascii=True)


def test_letters_and_digits_are_the_same_ones() -> None:
    """But for those that the Unicode of this Python does not know."""
    codes = (*range(0x3400), *range(0x3400, 0x20000, 7))
    known = [chr(code) for code in codes if unicodedata.category(chr(code)) not in ("Cn", "Cs")]
    for source in (r"^\w\Z", r"^\d\Z", r"^\s\Z"):
        python = {character for character in known if re.search(source, character)}
        for pattern in on_every_engine(source):
            effort = Effort(APART._replace(seconds=60))
            assert {character for character in known if pattern.is_in(character, effort)} == python
