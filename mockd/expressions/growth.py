"""Tags of expressions, rewritten so that all that makes a value larger is counted.

MiniJinja limits steps, but one step can double a value: a few dozen of `x ~ x` take all memory. So filters of mockd's
are put behind all that makes a value: behind filters, calls and slices, and behind what is joined by `~`, `+` and `*`
or stands in a list. They add sizes up, and stop what takes too much. Statements that let a value grow by themselves
(macros, parts of a `namespace`) are refused.

What is read here is only what the filters need: operands, what hangs on them, and the operators between them. All other
grammar is MiniJinja's, and what is written is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mockd.expressions.tags import STRING

STATEMENTS = "break continue elif else endfilter endfor endif endraw endset filter for if raw set"
"""The statements that there are."""
SMALL_FILTERS = "abs attr bool count d default first float int last length max min pluralize round sum"
"""The filters whose results are no larger than what they get."""
ITEM_FILTERS = "dictsort groupby items map reject rejectattr select selectattr sort unique zip"
"""The filters that are for lists alone, and take memory for each item."""

_TOKEN = re.compile(
    rf"\s*(?:(?P<text>{STRING})|\d\w*(?:\.\d\w*)?(?:(?<=[eE])[-+]\d+)?|[^\W\d]\w*|\*\*|//|[=!<>]=|[-+~*/%<>=|.,:()\[\]{{}}])",
    re.DOTALL,
)
_TAG = re.compile(r"(\{[{%][-+]?)(.*?)([-+]?[}%]\})", re.DOTALL)
_TEXT = '"'
"""What stands for any text in quotes."""
_OPERATORS = "+ - ~ * / // % ** == != < > <= >= and or in if else"
_GUARDS = {"*": "_factor", "+": "_addend", "~": "_text"}
"""The filter for each operand of an operator. An operand between two of them has the one that comes first here."""
_CONSTANT = rf"{_TEXT}|\d.*|(?i:true|false|none)|[(),=]"


class Refused(Exception):
    """Tags that are refused, with the message and perhaps a cure."""

    def __init__(self, message: str, cure: str | None = None) -> None:
        super().__init__(message, cure)


def counted(pieces: Sequence[str]) -> str:
    """A text that was cut by `split_tags`, with filters that count what it makes. Raises `Refused`."""
    written = list(pieces)
    loops: list[tuple[int, int]] = []  # those that are open: the place of the tag, and the literal text before it
    literal, is_raw = 0, False
    for place, piece in enumerate(pieces):
        tag = _TAG.fullmatch(piece) if place % 2 else None
        if tag is None:  # literal text, or a comment
            literal += len(piece)
            continue
        opening, content, closing = tag.groups()
        word = content.split(maxsplit=1)[0] if opening[1] == "%" and content.strip() else ""
        if is_raw:
            is_raw = word != "endraw"
            if is_raw and re.search(r"\{%[-+]?\s*endraw", piece):
                raise Refused("`{% endraw %}` stands in quotes, and would be taken for the end")
            literal += len(piece)
            continue
        is_raw = word == "raw"
        read = _Tag(content).statement() if opening[1] == "%" else _Tag(content).whole()
        written[place] = opening + read + closing
        if word == "for":
            loops.append((place, literal))
        elif word == "endfor" and loops:
            start, before = loops.pop()
            trim = "-" if pieces[start].endswith("-%}") else ""
            written[start] += f"{{{{ {literal - before}|_repeated {trim}}}}}"
    return "".join(written)


class _Tag:
    """Reads the content of one tag, and returns it with the filters in it."""

    def __init__(self, content: str) -> None:
        self._read: list[str] = []
        self._words: list[str] = []
        position = 0
        while token := _TOKEN.match(content, position):
            self._read.append(token[0])
            self._words.append(_TEXT if token["text"] else token[0].strip())
            position = token.end()
        self._rest = content[position:]
        if self._rest.strip():
            raise Refused(f"syntax error: unexpected `{self._rest.strip()[:20]}`")
        self._place = 0

    @property
    def _word(self) -> str:
        """The word that is next; empty at the end."""
        return self._words[self._place] if self._place < len(self._words) else ""

    def _take(self) -> str:
        if not self._word:
            raise Refused("syntax error: unexpected end of a tag")
        self._place += 1
        return self._read[self._place - 1]

    def _take_as(self, word: str) -> str:
        if self._word and self._word != word:
            raise Refused(f"syntax error: unexpected `{self._word}`")
        if not self._word and word == "}":
            raise Refused("syntax error: unexpected end of a tag", "if braces stand together, put a blank between them")
        return self._take()

    # -- statements ----------------------------------------------------------------------------------------------------

    def statement(self) -> str:
        """The content of `{% %}`."""
        word = self._word
        if word not in STATEMENTS.split():
            raise Refused(f"statement {word} is unknown", f"known here: {', '.join(STATEMENTS.split())}")
        read = self._take()
        if word == "filter":
            read = self._filter(read)
        elif word in ("for", "set"):
            read += self._names("in" if word == "for" else "=")
        while self._word == "|":  # of `{% filter %}`, and of a `{% set %}` with a block
            read = self._filter(read + self._take())
        return read + self.whole() if self._word else read + self._rest

    def _names(self, end: str) -> str:
        """The names to which a statement gives values, and the word behind them."""
        read = ""
        while self._word not in (end, "|", ""):
            if not re.fullmatch(r"[^\W\d]\w*|[,()]", self._word):
                raise Refused(f"syntax error: unexpected `{self._word}`", "values are given to names, not to parts")
            read += self._take()
        return read + self._take() if self._word == end else read

    # -- expressions ---------------------------------------------------------------------------------------------------

    def whole(self) -> str:
        """An expression that goes on to the end of the tag."""
        read = self._several("")
        if self._word:
            raise Refused(f"syntax error: unexpected `{self._word}`")
        return read + self._rest

    def _several(self, end: str) -> str:
        """Expressions and the commas between them, up to `end`."""
        plain, as_items, is_list = "", "", end == "]"
        while self._word != end:
            alone, as_item = self._expression()
            plain, as_items = plain + alone, as_items + as_item
            if self._word != ",":
                break
            is_list = True
            comma = self._take()
            plain, as_items = plain + comma, as_items + comma
        return as_items if is_list else plain

    def _expression(self) -> tuple[str, str]:
        """An expression as it is by itself, and as an item of a list."""
        operands, operators = [self._operand()], [""]
        while operator := self._operator():
            operands.append(self._operand())
            operators.append(operator)
        plain = as_item = ""
        for number, (negations, operand) in enumerate(operands):
            around = [operator.strip() for operator in operators[number : number + 2]]
            guard = next((guard for operator, guard in _GUARDS.items() if operator in around), None)
            plain += operators[number] + negations + (_guarded(operand, guard) if guard else operand)
            as_item += operators[number] + negations + _guarded(operand, guard or "_item")
        return plain, as_item

    def _operator(self) -> str:
        if self._word in _OPERATORS.split():
            return self._take()
        return self._take() + self._take_as("in") if self._word == "not" else ""

    def _operand(self) -> tuple[str, str]:
        """The words `not` before an operand; and the operand with its sign and all that hangs on it. Filters come after
        the sign."""
        negations = sign = ""
        while self._word == "not":
            negations += self._take()
        while self._word == "-":
            sign += self._take()
        return negations, sign + self._hanging(self._first())

    def _first(self) -> str:
        word = self._word
        if word == "(":
            return self._take() + self._several(")") + self._take_as(")")
        if word == "[":
            return self._take() + self._several("]") + self._take_as("]")
        if word == "{":
            read = self._take()
            while self._word != "}":
                read += self._expression()[0] + self._take_as(":") + self._expression()[1]
                if self._word != ",":
                    break
                read += self._take()
            return read + self._take_as("}")
        if word != _TEXT and not re.match(r"\w", word):
            raise Refused(f"syntax error: unexpected `{word}`" if word else "syntax error: unexpected end of a tag")
        return self._take()

    def _hanging(self, read: str) -> str:
        """An operand with all that hangs on it: members, calls, filters and tests."""
        while True:
            match self._word:
                case ".":
                    read += self._take() + self._take()
                case "[":
                    part, is_slice = self._subscript()
                    read = f"({read}{part}|_made)" if is_slice else read + part
                case "(":
                    read = f"({read}{self._arguments()}|_made)"
                case "|":
                    read = self._filter(read + self._take())
                case "is":
                    read += self._test()
                case _:
                    return read

    def _subscript(self) -> tuple[str, bool]:
        read, is_slice = self._take(), False
        while self._word != "]":
            is_slice = is_slice or self._word == ":"
            read += self._take() if self._word == ":" else self._expression()[0]
        return read + self._take(), is_slice

    def _arguments(self) -> str:
        read = self._take_as("(")
        while self._word != ")":
            if self._word in ("*", "**"):
                read += self._take()
            if self._words[self._place + 1 : self._place + 2] == ["="]:
                read += self._take() + self._take()
            read += self._expression()[0]
            if self._word != ",":
                break
            read += self._take()
        return read + self._take_as(")")

    def _filter(self, before: str) -> str:
        name, start = self._word, self._place + 1
        read = self._take()
        if self._word == "(":
            read += self._arguments()
        if name == "map":
            self._check_constant(start)
        if name in SMALL_FILTERS.split():
            return before + read
        if name in ITEM_FILTERS.split():
            before += " _few|"
        # MiniJinja's groups would lose the name by which they were grouped.
        return before + read if name == "groupby" else f"{before}{read}|_made"

    def _check_constant(self, start: int) -> None:
        """Refuse arguments that may be large, of a filter that may put them in place of every item."""
        for place in range(start, self._place):
            is_name = self._words[place + 1 : place + 2] == ["="]
            if not is_name and not re.fullmatch(_CONSTANT, self._words[place]):
                raise Refused("the arguments of `map` are texts and numbers", "use `{% for %}`")

    def _test(self) -> str:
        read = self._take()
        if self._word == "not":
            read += self._take()
        read += self._take()
        if self._word == "(":
            return read + self._arguments()
        is_alone = self._word in _OPERATORS.split() or self._word in ("not", "is", "recursive")
        return read if is_alone or not re.match(r"[\w\"\[{]", self._word) else read + self._first()


def _guarded(operand: str, guard: str) -> str:
    return operand if re.fullmatch(r"\s*\d[\w.]*", operand) else f" (({operand})|{guard}) "
