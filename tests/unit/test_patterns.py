"""Regular expressions mean the same to every Python that mockd runs on.

Possessive quantifiers and atomic groups came with Python 3.11, and its releases do not agree on what they match. All
that they do can be said without them: let only one way through a text fit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mockd

PACKAGE = Path(mockd.__file__).parent
WRITES_FOR_OTHERS = PACKAGE / "patterns" / "dialects.py"
"""The module that writes users' patterns for other engines, with what is in them."""

_ESCAPE_OR_SET = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_POSSESSIVE_OR_ATOMIC = re.compile(r"[*+?}]\+|\(\?>")


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """The texts in a module's code, with their lines. An f-string is one text, with `0` for each value in it."""
    tree = ast.parse(source)
    parts: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(node.values)
            yield node.lineno, "".join(str(p.value) if isinstance(p, ast.Constant) else "0" for p in node.values)
        elif isinstance(node, ast.Expr):  # a docstring
            parts.add(node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.lineno, node.value


def has_possessive_or_atomic(pattern: str) -> bool:
    return _POSSESSIVE_OR_ATOMIC.search(_ESCAPE_OR_SET.sub("0", pattern)) is not None


@pytest.mark.parametrize("pattern", ["a++", "(?:a|b)*+", "[+]?+x", r"\d{2,3}+", "(?>.*?a)", r"\\*+"])
def test_the_kind_is_recognised(pattern: str) -> None:
    re.compile(pattern)
    assert has_possessive_or_atomic(pattern)


@pytest.mark.parametrize("pattern", [r"a\++", "[*+]+", r"[\]*+]", "[]*+]", "(?=a)+", "a+b"])
def test_what_only_looks_like_it_is_not(pattern: str) -> None:
    re.compile(pattern)
    assert not has_possessive_or_atomic(pattern)


def test_texts_of_a_module() -> None:
    source = 'A = rf"({B})*+{C}"\ndef f():\n    "not *+ code"\n    return "d"\n'
    assert list(texts_of(source)) == [(1, "(0)*+0"), (4, "d")]


def test_no_pattern_has_possessive_quantifiers_or_atomic_groups() -> None:
    found = [
        f"{file.relative_to(PACKAGE)}:{line}: {text}"
        for file in PACKAGE.rglob("*.py")
        if file != WRITES_FOR_OTHERS
        for line, text in texts_of(file.read_text(encoding="utf-8"))
        if has_possessive_or_atomic(text)
    ]
    assert found == []
