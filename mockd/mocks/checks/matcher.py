"""Criteria of a matcher that are written in the way of other tools, and so match nothing, or not what is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockd.config.headers import HEADER_NAME
from mockd.errors import Problem
from mockd.journal.credentials import is_credential
from mockd.mocks.registered import Registered

_REGEX = r"\\[dDwWsSb]|\[[^][/]+\][+*{]|\([^()|]*\|[^()]*\)|\.\+|^\^"
"""Each kind of bracket ends where the next one begins, so that a search takes linear time."""

_PATHS: tuple[tuple[str, str, str], ...] = (
    (r"/:(?P<name>\w+)", "`:{name}` is the text itself", "write `{{{name}}}` for one segment"),
    (r"/<(?:\w+:)?(?P<name>\w+)>", "`<{name}>` is the text itself", "write `{{{name}}}` for one segment"),
    (rf"/\.\*|\\[./]|\$$|{_REGEX}", "a path is no regular expression", "write it in `pathPattern`"),
    (r"\?", "the query is not part of a path, so no request matches", "write the query in `queryParams`"),
    (r"#", "no client sends what is behind `#`, so no request matches", "leave it out"),
)
"""What does not belong in a path: a pattern, and what is said about it. The first that fits counts."""


def path(mock: Registered) -> Iterator[Problem]:
    """A path in the syntax of a router, of regular expressions or of URLs."""
    path = mock.spec.mock.matcher.path or ""
    for pattern, message, hint in _PATHS:
        if found := re.search(pattern, path):
            names = found.groupdict()
            yield Problem(f"{path!r}: {message.format(**names)}", ("matcher", "path"), hint.format(**names))
            return


def path_pattern(mock: Registered) -> Iterator[Problem]:
    """A pattern for a path that wants a query."""
    pattern = mock.spec.mock.matcher.path_pattern or ""
    if r"\?" in pattern:
        message = f"{pattern!r}: the query is not part of a path"
        yield Problem(message, ("matcher", "pathPattern"), "write the query in `queryParams`")


def path_of_a_key(mock: Registered) -> Iterator[Problem]:
    """A path that begins with what is a key in those of requests."""
    config = mock.spec.mock.matcher
    for name, text in ("path", config.path), ("pathPattern", config.path_pattern):
        if text is not None and text.removeprefix("^").startswith("/~"):
            message = f"{text!r}: the first segment is the key of a request and is cut off, so no request matches"
            yield Problem(message, ("matcher", name), "leave it out, or start mockd with `--no-key-path`")


def values(mock: Registered) -> Iterator[Problem]:
    """A regular expression as the value of a header, or a wildcard as the value of a query parameter."""
    matcher = mock.spec.mock.matcher
    for name, value in matcher.headers.items():
        if not re.fullmatch(HEADER_NAME, name):
            yield Problem(f"no header has the name {name!r}", ("matcher", "headers", name), "correct it")
        if isinstance(value, str) and re.search(rf"\.\*|{_REGEX}", value):
            shown = "…" if is_credential("headers", name) else value
            message = f"{shown!r} is no regular expression here: only `*` stands for any characters"
            yield Problem(message, ("matcher", "headers", name), _as_pattern(shown))
    for name, value in matcher.query_params.items():
        if not isinstance(value, str):
            continue
        if value == "*":
            message = "`*` stands for nothing here: the value must be the same"
            yield Problem(message, ("matcher", "queryParams", name), 'write {"exists": true} for any value')
        elif re.search(rf"\.\*|{_REGEX}", value):
            shown = "…" if is_credential("query_params", name) else value
            message = f"{shown!r} is no regular expression here: the value must be the same"
            yield Problem(message, ("matcher", "queryParams", name), _as_pattern(shown))


def _as_pattern(value: str) -> str:
    return f'write {{"pattern": "{value}"}}'


def body(mock: Registered) -> Iterator[Problem]:
    """A body that requests of this method do not have, or a regular expression as text that it contains."""
    matcher = mock.spec.mock.matcher
    method = (matcher.method or "").upper()
    for name in ("bodyContains", "bodyEquals", "bodyPattern", "bodyJsonPath"):
        if method in ("GET", "HEAD") and mock.spec.values["matcher"].get(name):
            yield Problem(f"clients send no body with {method}", ("matcher", name), 'did you mean `"method": "POST"`?')
    contained = matcher.body_contains or ""
    if ".*" in contained:
        message = f"{contained!r} is no regular expression here: the body must contain it as it is"
        yield Problem(message, ("matcher", "bodyContains"), "write it in `bodyPattern`")
