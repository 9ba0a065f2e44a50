"""The lines that are printed when the server is ready."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, urlencode

from mockd.config.load import MockSpec
from mockd.config.models import START, ChunkedConfig, Matcher, Mock, SseConfig, ValueTest
from mockd.config.parts import parts_of
from mockd.journal import redaction

_CHAT = '{"model": "any", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'
_CAPTURE = r"\{[^/{}:]+\}"
_VARIABLE = r'(\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}"$`\\!]*)?\})'
"""A variable that a shell fills in, between double quotation marks, as mockd does."""


def aligned(values: Mapping[str, str]) -> Iterator[str]:
    """Names and values, one pair on each line, with the values in one column."""
    width = max(6, *map(len, values))
    for name, value in values.items():
        yield f"  {name:<{width}} {value}"


def curl_line(specs: Iterable[MockSpec], base_url: str) -> str | None:
    """A curl command for the first mock that a plain request can reach, or None if there is none.

    Environment variables stay in it as they were written, for the shell to fill in. A mock with a credential is passed
    over, unless that is in a variable.
    """
    for spec in specs:
        mock, shown = spec.mock, spec.shown
        if not (mock.enabled and mock.matcher.path and mock.proxy is None) or _needs_more(mock.matcher) or _waits(mock):
            continue
        if not _tells_credential(mock.matcher, shown.matcher):
            has_variables = shown.matcher != mock.matcher
            method = (mock.matcher.method or "GET").upper()
            target = _target(shown.matcher, has_variables)
            words = ["curl", "-N", *_arguments(shown, method), base_url + target]
            return " ".join(map(_quoted if has_variables else shlex.quote, words))
    return None


def _needs_more(matcher: Matcher) -> bool:
    """Whether it takes more than a look at a matcher to say what it matches."""
    values = (*matcher.headers.values(), *matcher.query_params.values())
    has_pattern = any(isinstance(value, ValueTest) and value.pattern is not None for value in values)
    return bool(has_pattern or matcher.body_pattern or matcher.body_json_path or matcher.not_)


def _waits(mock: Mock) -> bool:
    """Whether a mock does not match yet, as its scenario must first be in another state."""
    return mock.scenario is not None and bool(mock.scenario.states) and START not in mock.scenario.states


def _tells_credential(matcher: Matcher, shown: Matcher) -> bool:
    """Whether a matcher has a credential as it is, and not in an environment variable. A pattern is none."""
    bodies = (matcher.body_equals, shown.body_equals), (matcher.body_contains, shown.body_contains)
    if any(body and body == written and redaction.body(body) != body for body, written in bodies):
        return True
    parts = (
        (redaction.header, matcher.headers, shown.headers),
        (redaction.parameter, matcher.query_params, shown.query_params),
    )
    return any(
        isinstance(value, str) and "*" not in value and value == written[name] and redacted(name, value) != value
        for redacted, values, written in parts
        for name, value in values.items()
    )


def _quoted(word: str) -> str:
    """A word for a shell, which fills in the variables."""
    pieces = filter(None, re.split(_VARIABLE, word))
    return "".join(f'"{piece}"' if re.fullmatch(_VARIABLE, piece) else shlex.quote(piece) for piece in pieces)


def _values(criteria: Mapping[str, str | ValueTest]) -> dict[str, str]:
    """Values that match the criteria for headers or query parameters."""
    return {
        name: value if isinstance(value, str) else "x"
        for name, value in criteria.items()
        if isinstance(value, str) or value.exists
    }


def _arguments(mock: Mock, method: str) -> list[str]:
    matcher = mock.matcher
    arguments = [] if method == "GET" else ["-I"] if method == "HEAD" else ["-X", method]
    body = matcher.body_equals or matcher.body_contains
    headers = {name: value.replace("*", "x") for name, value in _values(matcher.headers).items()}
    if body is None and method == "POST" and _has_template(mock):
        body = _CHAT
        headers = {"Content-Type": "application/json", **headers}
    for name, value in headers.items():
        arguments += ["-H", f"{name}: {value}"]
    return [*arguments, "-d", body] if body else arguments


def _has_template(mock: Mock) -> bool:
    first = parts_of(mock)[0]
    return isinstance(first.config, SseConfig | ChunkedConfig) and first.config.template is not None


def _target(matcher: Matcher, has_variables: bool) -> str:
    capture, kept = (rf"(?<!\$){_CAPTURE}", "${}:") if has_variables else (_CAPTURE, "")
    path = re.sub(capture, "1", matcher.path or "").replace("*", "x")
    path = path if path.startswith(("/", "$")) else "/" + path
    query = urlencode(_values(matcher.query_params), safe=kept)
    return quote(path, safe="/:@!$&'()+*,;=~%" + kept) + (f"?{query}" if query else "")
