"""Texts that are valid against a grammar, for the custom tools of OpenAI's.

A grammar is a regular expression, or rules in Lark's language: https://lark-parser.readthedocs.io/en/stable/grammar.html.
Of alternatives the first is taken that comes to an end soonest, and what may be left out is. Templates of rules, and
imports from elsewhere than Lark's `common`, are not understood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from reprlib import repr as shortened
from typing import NamedTuple

from mockd.sources.llm.budget import Budget, Refused, refuse_large_grammar
from mockd.sources.llm.schemas.pattern import Impossible, matching_text

_ANY_TEXT = "text"
_COMMON = {
    **dict.fromkeys(("DIGIT", "HEXDIGIT", "INT", "SIGNED_INT", "NUMBER", "SIGNED_NUMBER"), "1"),
    **dict.fromkeys(("DECIMAL", "FLOAT", "SIGNED_FLOAT"), "1.5"),
    **dict.fromkeys(("LCASE_LETTER", "LETTER"), "a"),
    **dict.fromkeys(("WORD", "CNAME"), _ANY_TEXT),
    **dict.fromkeys(("WS", "WS_INLINE"), " "),
    **dict.fromkeys(("LF", "NEWLINE"), "\n"),
    "UCASE_LETTER": "A",
    "ESCAPED_STRING": f'"{_ANY_TEXT}"',
    "CR": "\r",
    "C_COMMENT": f"/* {_ANY_TEXT} */",
    "CPP_COMMENT": f"// {_ANY_TEXT}",
    "SH_COMMENT": f"# {_ANY_TEXT}",
    "SQL_COMMENT": f"-- {_ANY_TEXT}",
}
"""A text for each terminal of Lark's `common`."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\f]+|//[^\n]*|\#[^\n]*|\\[ \t]*\r?\n)
    |(?P<newline>\r?\n\s*)
    |(?P<text>"(?:\\.|[^"\\\n])*"i?)
    |(?P<pattern>/(?!/)(?:\\.|[^/\\\n])*/[imslux]*)
    |(?P<times>~[ \t]*(?P<least>\d+)(?:[ \t]*\.\.[ \t]*\d+)?)
    |(?P<repeat>[+*]|\?(?![a-z]))
    |(?P<name>[!?]*_?[A-Za-z][A-Za-z0-9_]*)
    |(?P<order>%\w+)
    |(?P<alias>->[ \t]*\w+)
    |(?P<range>\.\.)
    |(?P<priority>\.-?\d+)
    |(?P<sign>[()\[\]|:,.])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "\\": "\\", '"': '"'}
_CLOSING = {"(": ")", "[": "]"}


class _Pattern(NamedTuple):
    source: str


class _Name(NamedTuple):
    name: str


class _Choice(NamedTuple):
    """Alternatives, each of which is a sequence of parts."""

    alternatives: list[list[_Part]]


_Part = str | _Pattern | _Name | _Choice


class _Token(NamedTuple):
    kind: str
    text: str
    least: int = 0


_END = _Token("end", "the end")


def grammatical_text(syntax: str, grammar: str, budget: Budget) -> str:
    """A text that is valid against a grammar in a syntax, `lark` or `regex`. It is always the same.

    Raises `Refused` if the text is too large, takes too many steps, or cannot be made: because the grammar is not
    valid, or has something that mockd does not understand.
    """
    refuse_large_grammar(grammar)
    try:
        text = _text_of(syntax, grammar, budget)
        text.encode()  # fails for half of a surrogate pair
    except Impossible as reason:
        raise Refused(f"mockd can make no text that is valid against the grammar: {reason}.") from None
    except UnicodeEncodeError:
        raise Refused("mockd can make no text for the grammar, as it has half of a surrogate pair.") from None
    budget.spend(characters=len(text))
    return text


def _text_of(syntax: str, grammar: str, budget: Budget) -> str:
    if syntax == "regex":
        return matching_text(grammar, 0, math.inf, 0, budget)
    if syntax == "lark":
        return _Writer(_Rules(grammar, budget), budget).text()
    raise Impossible(f"its syntax is {shortened(syntax)}, and neither `lark` nor `regex`")


class _Rules:
    """The rules of a grammar, as they are read."""

    def __init__(self, grammar: str, budget: Budget) -> None:
        self.choices: dict[str, _Choice] = {}
        self.ignored: list[_Choice] = []
        self.known: dict[str, str] = {}
        """Texts of what is imported."""
        for tokens in _statements(grammar, budget):
            _Reader(tokens).into(self)


def _statements(grammar: str, budget: Budget) -> Iterator[list[_Token]]:
    """The tokens of each statement. One goes on in a line that begins with `|`, and in brackets."""
    tokens, depth = list(_tokens(grammar, budget)), 0
    statement: list[_Token] = []
    for token, following in zip(tokens, [*tokens[1:], _END], strict=True):
        depth += (token.text in _CLOSING) - (token.text in _CLOSING.values())
        if token.kind != "newline":
            statement.append(token)
        elif following.text != "|" and depth == 0 and statement:
            yield statement
            statement = []
    if statement:
        yield statement


def _tokens(grammar: str, budget: Budget) -> Iterator[_Token]:
    place = 0
    while place < len(grammar):
        budget.spend()
        found = _TOKEN.match(grammar, place)
        if found is None:
            raise Impossible(f"mockd does not understand {shortened(grammar[place : place + 20])} in it")
        place = found.end()
        if found.lastgroup is not None and found.lastgroup != "space":
            yield _Token(found.lastgroup, found[0], int(found["least"] or 0))


class _Reader:
    """The reader of one statement."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = [*reversed(tokens)]

    def into(self, rules: _Rules) -> None:
        """Read the statement, and add it to the rules."""
        first = self._next()
        if first.text == "%import":
            rules.known |= self._imported()
        elif first.text == "%ignore":
            rules.ignored.append(self._choice())
        elif first.kind == "name":
            self._skip("priority")
            self._expect(":")
            rules.choices[first.text.lstrip("!?")] = self._choice()
        elif first.text != "%declare":  # what is only declared has no text
            raise Impossible(f"mockd does not understand {shortened(first.text)} in it")

    def _next(self) -> _Token:
        return self._tokens.pop() if self._tokens else _END

    @property
    def _following(self) -> _Token:
        return self._tokens[-1] if self._tokens else _END

    def _skip(self, kind: str) -> None:
        if self._following.kind == kind:
            self._next()

    def _expect(self, text: str) -> None:
        if (found := self._next()).text != text:
            raise Impossible(f"it has {shortened(found.text)} in place of {text!r}")

    def _imported(self) -> Mapping[str, str]:
        """The texts of what a statement imports, under the names that it gets."""
        words = [token.text for token in self._tokens[::-1]]
        if words[:1] != ["common"]:
            return {}
        names = [word for word in words[2:] if word in _COMMON]
        alias = words[-1].removeprefix("->").strip() if words[-1].startswith("->") else None
        return {alias or name: _COMMON[name] for name in names}

    def _choice(self, closing: str = _END.text) -> _Choice:
        alternatives = [self._sequence()]
        while (token := self._next()).text == "|":
            alternatives.append(self._sequence())
        if token.text != closing:
            raise Impossible(f"it has {shortened(token.text)} in place of {closing!r}")
        return _Choice(alternatives)

    def _sequence(self) -> list[_Part]:
        """The parts of a sequence that cannot be left out."""
        parts: list[_Part] = []
        while self._following.kind in ("text", "pattern", "name") or self._following.text in _CLOSING:
            part, is_optional = self._atom()
            times = 1
            if self._following.kind == "repeat":
                is_optional = is_optional or self._next().text != "+"
            elif self._following.kind == "times":
                times = self._next().least
            parts += [] if is_optional else [part] * times
        self._skip("alias")
        return parts

    def _atom(self) -> tuple[_Part, bool]:
        """A part, and whether it can be left out."""
        token = self._next()
        if token.text in _CLOSING:
            return self._choice(_CLOSING[token.text]), token.text == "["
        if token.kind == "name":
            return _Name(token.text), False
        if token.kind == "pattern":
            source, _, flags = token.text[1:].rpartition("/")
            flags = "".join(flag for flag in flags if flag in "imsx")
            return _Pattern(f"(?{flags}){source}" if flags else source), False
        text = _unescaped(token.text.removesuffix("i")[1:-1])
        if self._following.kind == "range":
            self._next()
            self._next()
        return text, False


def _unescaped(text: str) -> str:
    def meant(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) > 1:
            return chr(min(int(code[1:], 16), 0x10FFFF))
        return _ESCAPED.get(code, found[0])

    return _ESCAPE.sub(meant, text)


class _Writer:
    """The writer of a text for each rule, those first that need no other."""

    def __init__(self, rules: _Rules, budget: Budget) -> None:
        self._rules = rules
        self._budget = budget
        self._texts = dict(rules.known)
        self._patterns: dict[str, str | None] = {}
        self._reason: Impossible | None = None

    def text(self) -> str:
        """The text for the whole grammar. Raises `Impossible`."""
        self._write({name: choice for name, choice in self._rules.choices.items() if _is_terminal(name)}, "")
        ignored = (self._of_choice(choice, "") for choice in self._rules.ignored)
        # Words run together unless there is space between them, if the grammar allows it.
        space = next((text for text in ignored if text is not None and text.isspace()), "")
        self._write({name: choice for name, choice in self._rules.choices.items() if not _is_terminal(name)}, space)
        text = self._texts.get("start")
        if text is None:
            raise self._reason or Impossible("it has no rule `start`, or one that never comes to an end")
        return text

    def _write(self, choices: Mapping[str, _Choice], space: str) -> None:
        left, before = dict(choices), -1
        while len(left) != before:
            before = len(left)
            found = {name: self._of_choice(choice, space) for name, choice in left.items()}
            self._texts |= {name: text for name, text in found.items() if text is not None}
            left = {name: choice for name, choice in left.items() if found[name] is None}

    def _of_choice(self, choice: _Choice, space: str) -> str | None:
        """The text of the first alternative that has one now."""
        for parts in choice.alternatives:
            texts = [self._of(part, space) for part in parts]
            told = [text for text in texts if text]
            if None not in texts:
                self._budget.spend(characters=sum(map(len, told)))
                return space.join(told)
        return None

    def _of(self, part: _Part, space: str) -> str | None:
        self._budget.spend()
        if isinstance(part, _Choice):
            return self._of_choice(part, space)
        if isinstance(part, _Name):
            return self._texts.get(part.name)
        return self._of_pattern(part.source) if isinstance(part, _Pattern) else part

    def _of_pattern(self, source: str) -> str | None:
        if source not in self._patterns:
            try:
                self._patterns[source] = matching_text(source, 0, math.inf, 0, self._budget)
            except Impossible as reason:
                self._patterns[source] = None
                self._reason = self._reason or reason
        return self._patterns[source]


def _is_terminal(name: str) -> bool:
    return name.lstrip("_")[:1].isupper()
