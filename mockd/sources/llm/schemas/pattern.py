"""Texts in which the regular expression of a JSON schema matches.

Clients may send any pattern. So every step of making a text is taken from the budget, and a text is searched for the
pattern only if that cannot take long.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable, Sequence
from re import _parser  # type: ignore[attr-defined]  # typeshed does not know it
from reprlib import repr as shortened
from typing import Any

from mockd.sources.llm.budget import LONGEST_PATTERN, Budget, Refused

_ATTEMPTS = 20
_MOST_MORE = 20
"""Most characters by which a further attempt is longer than it must be."""
_MOST_TRIES = 100_000
"""Most steps that a search for a pattern may take. They are about a hundred times faster than steps of Python."""
_WIDEST = 256
"""Number of characters of a range that are looked at. They contain all printable ones of the range."""

_PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
_CATEGORIES = {
    name: "".join(filter(re.compile(pattern).match, _PRINTABLE))
    for name, pattern in {
        "CATEGORY_DIGIT": r"\d",
        "CATEGORY_NOT_DIGIT": r"\D",
        "CATEGORY_SPACE": r"\s",
        "CATEGORY_NOT_SPACE": r"\S",
        "CATEGORY_WORD": r"\w",
        "CATEGORY_NOT_WORD": r"\W",
    }.items()
}

States = Iterable[tuple[Any, Any]]
"""A sequence in the form of `re`: an operation and its operands, for each part."""


class Impossible(Exception):
    """No valid value exists, or none was found. The message has the reason."""


def matching_text(pattern: str, least: int, most: float, number: int, budget: Budget) -> str:
    """A text of `least` to `most` characters in which a pattern matches. Different values of `number` give different
    texts if possible. Raises `Impossible`, and `Refused` for a pattern that is too large."""
    if len(pattern) > LONGEST_PATTERN:
        raise Refused(f"A pattern has more than {LONGEST_PATTERN} characters.")
    budget.spend(len(pattern))
    try:
        parsed = _parser.parse(pattern)
        shortest = parsed.getwidth()[0]
        for attempt in range(_ATTEMPTS if shortest <= most else 0):
            rng = random.Random(number * _ATTEMPTS + attempt)
            more = max(least - shortest, 0) + (rng.randrange(_MOST_MORE) if attempt else 0)
            text = _Writer(rng, more, budget).sequence(parsed)
            text.encode()  # fails for half of a surrogate pair, which JSON in UTF-8 cannot have
            if least <= len(text) <= most and _is_found(pattern, parsed, text, budget):
                return text
    except (re.error, ValueError, LookupError, RecursionError, OverflowError) as error:
        raise Impossible(f"the pattern {shortened(pattern)} is not understood: {error}") from None
    raise Impossible(f"no text of {least} to {most} characters was found for the pattern {shortened(pattern)}")


def is_in(pattern: str, text: str, budget: Budget) -> bool:
    """Whether a pattern matches anywhere in a text. One that is not understood, or whose search could take long, is
    taken to match."""
    if len(pattern) > LONGEST_PATTERN:
        return True
    budget.spend(len(pattern))
    try:
        return _is_found(pattern, _parser.parse(pattern), text, budget)
    except (re.error, ValueError, RecursionError, OverflowError):
        return True


class _Writer:
    """The writer of one text. It repeats nothing more often than it must, until `more` characters are added."""

    def __init__(self, rng: random.Random, more: int, budget: Budget) -> None:
        self._rng = rng
        self._more = more
        self._budget = budget
        self._groups: dict[int, str] = {}

    def sequence(self, states: States) -> str:
        """A text for a sequence."""
        return "".join(self._part(op.name, value) for op, value in states)

    def _part(self, op: str, value: Any) -> str:
        self._budget.spend()
        match op:
            case "LITERAL":
                return chr(value)
            case "NOT_LITERAL":
                return self._one_of(_PRINTABLE.replace(chr(value), ""))
            case "ANY":
                return self._one_of(_PRINTABLE)
            case "IN":
                return self._one_of(_members(value, self._budget))
            case "BRANCH":
                return self.sequence(self._rng.choice(value[1]))
            case "SUBPATTERN":
                group, *_, states = value
                self._groups[group] = text = self.sequence(states)
                return text
            case "GROUPREF":
                self._budget.spend(len(self._groups[value]))
                return self._groups[value]
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeated(*value)
            case "ATOMIC_GROUP":
                return self.sequence(value)
            case "ASSERT":
                return self.sequence(value[1])
            case "ASSERT_NOT" | "AT":
                return ""
            case _:
                raise ValueError(f"mockd knows no {op}")

    def _repeated(self, least: int, most: int, states: States) -> str:
        parts: list[str] = []
        while len(parts) < most and (len(parts) < least or self._more > 0):
            self._budget.spend()
            more = self._more
            part = self.sequence(states)
            if len(parts) >= least:
                if not part:
                    break
                self._more = more - len(part)
            parts.append(part)
        return "".join(parts)

    def _one_of(self, characters: Sequence[str]) -> str:
        return self._rng.choice(characters)


def _members(items: Sequence[tuple[Any, Any]], budget: Budget) -> Sequence[str]:
    """The characters that a set in brackets stands for, as far as they are wanted."""
    members: list[str] = []
    for op, value in items:
        match op.name:
            case "LITERAL":
                members.append(chr(value))
            case "RANGE":
                first, last = value
                members += map(chr, range(first, min(last, first + _WIDEST) + 1))
            case "CATEGORY":
                members += _CATEGORIES[value.name]
    budget.spend(len(members) // 20)  # each is quick
    if items[0][0].name != "NEGATE":
        return members
    return "".join(sorted(set(_PRINTABLE).difference(members)))


def _is_found(pattern: str, parsed: Any, text: str, budget: Budget) -> bool:
    """Whether a pattern matches in a text that was made for it. If a search could take long, it is taken to match: only
    what looks around or stands at a boundary can differ from what was made."""
    tries = (len(text) + 1) * _ways(parsed, len(text))
    # To compile a set whose case is ignored takes long, and patterns of JSON Schema have no flags.
    if tries > _MOST_TRIES or parsed.state.flags & re.IGNORECASE:
        return True
    budget.spend(tries // 100)
    return re.search(pattern, text) is not None


def _ways(states: States, length: int) -> int:
    """About the most ways in which a search tries a sequence at one place of a text of that length. Any number above
    `_MOST_TRIES` stands for too many."""
    ways = 1
    for op, value in states:
        ways = min(ways * _ways_of(op.name, value, length), _MOST_TRIES + 1)
    return ways


def _ways_of(op: str, value: Any, length: int) -> int:
    match op:
        case "BRANCH":
            return sum(_ways(branch, length) for branch in value[1])
        case "SUBPATTERN":
            _, flags, _, states = value
            return _MOST_TRIES + 1 if flags & re.IGNORECASE else _ways(states, length)
        case "ATOMIC_GROUP":
            return _ways(value, length)
        case "ASSERT" | "ASSERT_NOT":
            return _ways(value[1], length)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, states = value
            inner = _ways(states, length)
            most = min(most, max(least, length + 1))
            # A power of 2 or more is above the limit from the seventeenth on.
            return int((most - least + 1) * inner ** min(most, 17))
        case _:
            return 1
