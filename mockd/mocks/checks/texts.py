"""Placeholders that nothing fills in: words that only look like one, and real ones where none is looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockd.errors import MAX_SHOWN, Path, Problem
from mockd.events import Text
from mockd.mocks.checks.answer import CheckedAnswer
from mockd.placeholders import NAMES, parse_text

_WORD = r"(?<![$\w])\$\{?(?P<name>[A-Za-z_]\w*)(?P<mark>[:(])?"
_OTHER_NAMES = {"guid": "uuid", "now": "timestamp", "datetime": "timestamp", "choice": "pick", "oneof": "pick"}
_FILLING_TEMPLATES = frozenset({"notification-stream"})


def unknown_placeholder(answer: CheckedAnswer) -> Iterator[Problem]:
    """A word after `$` that is nearly a placeholder."""
    seen: set[str] = set()
    for path, text in _texts(answer, is_filled=True):
        for word in re.finditer(_WORD, text):
            name = word["name"]
            if name not in seen and (hint := _meant(word)):
                seen.add(name)
                yield Problem(f"`${name}` is no placeholder, and is sent as it is", path, hint)


def _meant(word: re.Match[str]) -> str | None:
    """The cure for a word after `$`; None if it is a placeholder, or nothing like one."""
    name = word["name"]
    if name in NAMES:
        if "{" in word[0]:
            return f"write `${name}` without braces"
        needs_arguments = not isinstance(parse_text(f"${name}"), Text)
        return f"it needs arguments, as in `{_EXAMPLES[name]}`" if needs_arguments and not word["mark"] else None
    from difflib import get_close_matches  # not needed by texts without a `$`

    close = get_close_matches(name[:MAX_SHOWN].lower(), NAMES, 1, 0.75)
    near = _OTHER_NAMES.get(name.lower()) or next(iter(close), None)
    return f"did you mean `{_EXAMPLES.get(near, f'${near}')}`? `$$` is a plain `$`" if near else None


_EXAMPLES = {"random": "$random:1:100", "pick": "$pick:A,B,C", "float": "$float:0:1:2"}


def placeholder_elsewhere(answer: CheckedAnswer) -> Iterator[Problem]:
    """A placeholder in a text that is sent as it is written."""
    for path, text in _texts(answer, is_filled=False):
        for word in re.finditer(_WORD, text):
            if word["name"] in NAMES and "{" not in word[0] and not _meant(word):
                hint = "placeholders are filled in in events, items and bodies"
                yield Problem(f"`${word['name']}` is no placeholder here, and stays as it is", path, hint)
                break


def _texts(answer: CheckedAnswer, *, is_filled: bool) -> Iterator[tuple[Path, str]]:
    """The texts with a `$` in which placeholders are filled in, or those in which they are not."""
    kind = answer.kind
    part = answer.written[kind]
    as_written = {"headers"} if part.get("template") in _FILLING_TEMPLATES else {"headers", "templateParams"}
    for key, value in part.items():
        if (key in as_written) != is_filled:
            yield from _within(value, (kind, key))


def _within(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if "$" in value:
            yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _within(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _within(item, (*path, index))
