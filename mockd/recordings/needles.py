"""The search for secrets that are known: those that were given, and the credentials that this exchange was seen to
have, in every spelling."""

from __future__ import annotations

from functools import lru_cache

from mockd.recordings.searching import Found, Span, is_filling
from mockd.recordings.spelling import (
    LONGEST_LETTER,
    SPELLINGS,
    any_of,
    cut_off,
    end_of,
    literals_of,
    needles_of,
    next_sign,
    search_engine,
    whole,
)

SHORTEST_LEARNED = 8
"""Least characters of a credential that is looked for elsewhere in its exchange. Shorter ones may be any word."""

MOST_LEARNED = 64
"""Most credentials of an exchange that are looked for elsewhere in it. To be ready for a search takes about a
millisecond for each."""

_TOGETHER = 8
"""Most learned credentials that are one search. The fewer there are, the sooner it is made anew with one more; the more
there are, the fewer searches go through each text."""

_MOST_INSIDE = 64
"""Most places inside a secret where it is looked whether another one begins."""

_STEM = 4
"""Letters of a needle that are looked for at first; the others are compared if these are there."""


class Secrets:
    """The secrets of an exchange, of which more may become known while it goes on."""

    def __init__(self, given: frozenset[str]) -> None:
        self._given = given
        self._learned: list[str] = []
        self._finders: list[_Finder] = []
        self._looked_for = -1  # so many of the learned ones the finders know

    def learn(self, secret: str) -> None:
        """Look for a credential from now on, unless there are many already. What stands for one is none."""
        has_room = len(self._learned) < MOST_LEARNED
        is_known = is_filling(secret) or secret in self._given.union(self._learned)
        if has_room and len(secret) >= SHORTEST_LEARNED and not is_known:
            self._learned.append(secret)

    @property
    def finders(self) -> list[_Finder]:
        """What finds them, made when it is needed: many credentials may be learned at once."""
        if self._looked_for != len(self._learned):
            learned = [self._learned[at : at + _TOGETHER] for at in range(0, len(self._learned), _TOGETHER)]
            self._finders = [_finder_of(secrets) for secrets in (self._given, *map(frozenset, learned)) if secrets]
            self._looked_for = len(self._learned)
        return self._finders


class NeedleSearch:
    """The search for secrets in one body."""

    def __init__(self, secrets: Secrets, found: Found) -> None:
        self._secrets = secrets
        self._found = found

    def spans(self, text: bytes, complete: bool) -> tuple[list[Span], int]:
        spans: list[Span] = []
        hold = len(text)
        for finder in self._secrets.finders:
            found, held = finder.spans(text, complete)
            spans, hold = spans + found, min(hold, held)
        if not spans:
            return spans, hold
        self._found("")
        return _kept_whole(sorted(spans), hold)


class _Finder:
    def __init__(self, secrets: frozenset[str]) -> None:
        needles = [needle for secret in secrets for needle in needles_of(secret)]
        self._needles = [(needle, literals_of(needle)) for needle in needles]
        stems = [[any_of(letter) for letter in needle[:_STEM]] for needle in needles]
        self._stems = search_engine(b"|".join(map(whole, stems)))
        self._cut = search_engine(b"|".join(map(cut_off, stems)))

    def spans(self, text: bytes, complete: bool) -> tuple[list[Span], int]:
        spans: list[Span] = []
        at, sign, behind, inside = 0, -1, 0, 0
        while (match := self._stems.search(text, at)) is not None:
            start = match.start()
            sign = next_sign(text, start) if sign < start else sign
            stop = self._end(text, start, sign)
            if stop > len(text) and not complete:
                return spans, start
            if stop:
                spans.append(Span(start, min(stop, len(text))))
            # Another secret may begin inside this one; but where one repeats itself, it begins everywhere.
            inside = inside + 1 if start < behind else 0
            behind = max(behind, stop)
            at = min(behind, len(text)) if inside > _MOST_INSIDE else start + 1
        if complete:
            return spans, len(text)
        cut = self._cut.search(text, max(at, len(text) - _STEM * LONGEST_LETTER))
        return spans, len(text) if cut is None else cut.start()

    def _end(self, text: bytes, start: int, sign: int) -> int:
        """The end of the longest needle that begins there; 0 if none does. `sign` is the next place from there on where
        a letter may be spelled otherwise than it is. If the text ends too early for that to be
        known, it is one more than the text's length."""
        stop = 0
        for needle, literals in self._needles:
            for literal in literals:
                if text.startswith(literal, start):
                    stop = max(stop, start + len(literal))
                elif start + len(literal) > len(text) and literal.startswith(text[start:]):
                    return len(text) + 1
            if sign < min(len(text), start + len(needle) * LONGEST_LETTER):
                stop = max(stop, *(end_of(needle, text, start, spelling) or 0 for spelling in SPELLINGS))
        return stop


def _kept_whole(spans: list[Span], hold: int) -> tuple[list[Span], int]:
    """The same, but without letting go of the beginning of what ends behind `hold`, as it is searched again then."""
    for span in spans:
        if span.start < hold < span.stop:
            hold = span.start
    return spans, hold


@lru_cache(64)
def _finder_of(secrets: frozenset[str]) -> _Finder:
    return _Finder(secrets)
