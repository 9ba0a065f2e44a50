"""Texts that are valid against a grammar. Lark itself judges them in `tests/clients/test_custom_tools.py`."""

from __future__ import annotations

import re

import pytest

from mockd.sources.llm.budget import LONGEST_SCHEMA, Budget, Refused
from mockd.sources.llm.schemas.grammar import grammatical_text

LARK = {
    'start: "a"': "a",
    'start: "\\n\\t\\\\\\"\\x41\\u00e9\\d"': '\n\t\\"Aé\\d',
    'start: "Select"i': "Select",
    'start: ("a" | "b")+ "c"? ["d"] "e"* "f"~2 "g"~3..5': "affggg",
    'start: A~2\nA: "k".."z"': "kk",
    'start: x\n\n# what it is\nx: "a" // the first\n  | "b"\n': "a",
    '?start: _x\n!_x.2: X -> one\n    | "b" -> two\nX.-1: "q"': "q",
    'start: e\ne: e "+" t | t\nt: "(" e ")" | N\nN: /[0-9]/': re.compile("[0-9]"),
    "start: INT MINE\n%import common (INT, LF)\n%import common.LF -> MINE": "1\n",
    'start: "a" WORD WORD ","\n%import common.WORD\n%ignore /[ \\t]+/': re.compile(r"a[ \t]text[ \t]text[ \t],"),
    'start: A B\nA: "a" "b"\nB: "c"\nC: "#" /.*/\n%ignore C': "abc",
    "start: /a\\/b/": "a/b",
    "start: /[a-c]/i": re.compile("[a-c]", re.IGNORECASE),
    'start: (a\n  | b)\na: x\nb: "b"\n%declare x': "b",
    'start: /(?P<broken/ | "b"': "b",
    'start: "a" \\\n  "b"': "ab",
    'start: x x\nx: "a" | "b"': "aa",
}
REFUSED = {
    'start: start "x"': "it has no rule `start`, or one that never comes to an end",
    'x: "a"': "it has no rule `start`",
    "start: missing": "it has no rule `start`",
    "start: /(/": "the pattern '(' is not understood",
    'start: "a" -> ': "mockd does not understand '-> '",
    'start: ("a"': "it has 'the end' in place of ')'",
    'start: "a" )': "it has ')' in place of 'the end'",
    'start "a"': "in place of ':'",
    'start: t{"a"}\nt{x}: x': "mockd does not understand",
    'start: %json {"a": 1}': "mockd does not understand",
    '%override start: "a"': "mockd does not understand '%override'",
    "start: X\n%import python.NAME -> X": "it has no rule `start`",
    'start: "\\ud800"': "half of a surrogate pair",
    'start: "' + "a" * LONGEST_SCHEMA: "the limit is 262144",
    "start: " + '"a" ' * 60_000: "asks for too much",
    "\n".join(f"r{n}: r{n + 1} r{n + 1}" for n in range(40)) + '\nr40: "a"\nstart: r0': "more than 1000000 characters",
    'start: "a"~9999999': "asks for too much",
}


@pytest.mark.parametrize(("grammar", "text"), LARK.items())
def test_rules(grammar: str, text: str | re.Pattern[str]) -> None:
    found = grammatical_text("lark", grammar, Budget())
    assert found == text if isinstance(text, str) else text.fullmatch(found)
    assert found == grammatical_text("lark", grammar, Budget())


@pytest.mark.parametrize(("grammar", "reason"), REFUSED.items(), ids=lambda value: value[:40])
def test_what_is_refused(grammar: str, reason: str) -> None:
    with pytest.raises(Refused, match=re.escape(reason)):
        grammatical_text("lark", grammar, Budget())


@pytest.mark.parametrize("pattern", [r"^\d{3}-[a-z]+$", r"(?P<hour>\d+) (?:am|pm)", "a|b", "", ".*"])
def test_patterns(pattern: str) -> None:
    assert re.fullmatch(pattern, grammatical_text("regex", pattern, Budget()))


def test_other_syntaxes() -> None:
    with pytest.raises(Refused, match="its syntax is 'ebnf', and neither `lark` nor `regex`"):
        grammatical_text("ebnf", "a", Budget())


def test_brackets_without_end() -> None:
    with pytest.raises((Refused, RecursionError)):
        grammatical_text("lark", "start: " + "(" * 20_000, Budget())
