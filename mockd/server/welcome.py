"""The lines that are printed when the server is ready."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, urlencode

from mockd.config.models import Matcher, Mock, ValueTest

_CHAT = '{"model": "any", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'


def aligned(values: Mapping[str, str]) -> Iterator[str]:
    """Names and values, one pair on each line, with the values in one column."""
    width = max(6, *map(len, values))
    for name, value in values.items():
        yield f"  {name:<{width}} {value}"


def curl_line(mocks: Iterable[Mock], base_url: str) -> str | None:
    """A curl command for the first mock that a plain request can reach, or None if there is none."""
    for mock in mocks:
        matcher = mock.matcher
        if mock.enabled and matcher.path and not _needs_more(matcher):
            return shlex.join(["curl", "-N", *_arguments(mock), base_url + _target(matcher)])
    return None


def _needs_more(matcher: Matcher) -> bool:
    """Whether it takes more than a look at a matcher to say what it matches."""
    values = (*matcher.headers.values(), *matcher.query_params.values())
    has_pattern = any(isinstance(value, ValueTest) and value.pattern is not None for value in values)
    return bool(has_pattern or matcher.body_pattern or matcher.body_json_path or matcher.not_)


def _values(criteria: Mapping[str, str | ValueTest]) -> dict[str, str]:
    """Values that match the criteria for headers or query parameters."""
    return {
        name: value if isinstance(value, str) else "x"
        for name, value in criteria.items()
        if isinstance(value, str) or value.exists
    }


def _arguments(mock: Mock) -> list[str]:
    matcher = mock.matcher
    method = (matcher.method or "GET").upper()
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
    answer = mock.sse or mock.chunked
    return answer is not None and answer.template is not None


def _target(matcher: Matcher) -> str:
    path = re.sub(r"\{[^/{}:]+\}", "1", matcher.path or "").replace("*", "x")
    path = path if path.startswith("/") else "/" + path
    query = urlencode(_values(matcher.query_params))
    return quote(path, safe="/:@!$&'()+*,;=~%") + (f"?{query}" if query else "")
