"""The words that expressions may use: members of `request`, filters, tests. A word that does not exist is found when a
mock is loaded, in branches too that no request may ever take."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from mockd.expressions.tags import STRING

STEPS: dict[str, int | None] = {
    "method": 0,
    "path": 0,
    "url": 0,
    "base": 0,
    "params": 1,
    "query": 1,
    "headers": 1,
    "cookies": 1,
    "body": None,
}
"""The members of `request`, each with the number of steps below it that lead to text. A body may have any number."""

FILTERS = (
    "abs attr bool capitalize count d default dictsort e escape filesizeformat first float groupby int items join last "
    "length lines list lower map max min pluralize pprint reject rejectattr replace reverse round safe select "
    "selectattr sort split string striptags sum title tojson trim truncate unique upper urlencode zip"
)
"""The filters that there are."""
TESTS = (
    "boolean defined divisibleby endingwith eq equalto even false float ge greaterthan gt in integer iterable le "
    "lessthan lower lt mapping ne none number odd sameas sequence startingwith string true undefined upper"
)
"""The tests that there are."""
LOOP = "changed cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0"
"""The members of `loop`."""

_SUBSCRIPT = r"""(?<=[\w\])])\[\s*(["'])([A-Za-z_]\w*)\1\s*\]"""
_WORDS = (
    ("filter", r"\|\s*([^\W\d]\w*)", FILTERS),
    ("filter", r"^\{%[-+]?\s*filter\s+([^\W\d]\w*)", FILTERS),
    ("test", r"\bis\s+(?:not\s+)?([^\W\d]\w*)", TESTS),
)
"""For each kind of word: its name, where it stands in a tag, and the words that there are."""

Unknown = tuple[str, str | None]
"""What is wrong with a word, and the cure if there is one."""


def unknown_word(pieces: Iterable[str]) -> Unknown | None:
    """The first filter or test that does not exist, in a text that was cut by `split_tags`."""
    for tag in _tags(pieces):
        for what, pattern, known in _WORDS:
            for word in re.findall(pattern, tag):
                if word not in known.split():
                    return f"{what} {word} is unknown", _meant(word, known.split())
        for word in re.findall(r"(?<![\w.])loop\.(\w+)", tag):
            if word not in LOOP.split():
                return f"`loop` has no `{word}`", _meant(word, LOOP.split())
    return None


def _tags(pieces: Iterable[str]) -> Iterator[str]:
    """The tags of a text, but for those in `{% raw %}` and for comments, without what stands in quotes."""
    is_raw = False
    for number, piece in enumerate(pieces):
        if number % 2 == 0 or piece.startswith("{#"):
            continue
        if re.match(r"\{%[-+]?\s*(end)?raw\b", piece):
            is_raw = "endraw" not in piece
        elif not is_raw:
            yield re.sub(STRING, "''", piece, flags=re.DOTALL)


def unknown_member(
    names: Callable[[str], Collection[str]], source: str, captures: Collection[str] | None
) -> Unknown | None:
    """The first member of `request` that can never be there. `names` finds the names in a text, with their members, and
    `captures` are those of the mock's path, or None if they are not known."""
    for name in sorted(_names(names, source)):
        first, *steps = name.split(".")
        if first == "request" and steps and (unknown := _unknown_step(steps, captures)):
            return unknown
    return None


def _names(names: Callable[[str], Collection[str]], source: str) -> Collection[str]:
    """The names in a text. Members in brackets and quotes count as if they followed a dot."""
    try:
        return names(re.sub(_SUBSCRIPT, r".\2", source))
    except Exception:  # that was no member, so what follows from it is no language
        return names(source)


def _unknown_step(steps: list[str], captures: Collection[str] | None) -> Unknown | None:
    member, *below = steps
    if member not in STEPS:
        return f"`request` has no `{member}`", _meant(member, STEPS)
    most = STEPS[member]
    if most is not None and len(below) > most:
        text, word = ".".join(["request", *steps[: most + 1]]), below[most]
        last = steps[most]
        hint = f'a name with a dot is written `request.{member}["{last}.{word}"]`' if most else "filters change text"
        return f"`{text}` is text and has no `{word}`", hint
    if member == "params" and below and captures is not None and below[0] not in captures:
        return f"the mock's path has no `{{{below[0]}}}`", _meant(below[0], captures)
    return None


def _meant(word: str, known: Iterable[Any]) -> str | None:
    from mockd.config.hints import nearest  # loaded only after a first error

    words = list(known)
    if close := nearest(word, words):
        return f"did you mean `{close}`?"
    return "known here: " + ", ".join(f"`{name}`" for name in words) if 0 < len(words) < 12 else None
