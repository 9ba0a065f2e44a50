"""Wherever a mock may follow the request, a word that no request can have is refused at its place when it is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.engine import Engine
from mockd.errors import ConfigError, format_path

WRONG = {
    "{{ request.bdy.x }}": "`request` has no `bdy`",
    "{{ request.params.usr }}": "the mock's path has no `{usr}`",
    "{% if request.body.x %}{{ request.path | uper }}{% endif %}": "filter uper is unknown",
}
PLACES: dict[str, dict[str, Any]] = {
    "$.sse.events[0].data.a[1]": {"sse": {"events": [{"data": {"a": [1, "X"]}}]}},
    "$.sse.events[1].id": {"sse": {"events": [{"data": 1}, {"data": 1, "id": "X"}]}},
    "$.sse.events[0].type": {"sse": {"events": [{"data": 1, "type": "X"}]}},
    "$.sse.headers.X-A": {"sse": {"events": [{"data": 1}], "headers": {"X-A": "X"}}},
    "$.sse.lifecycle.termination.finalEvent.data": {
        "sse": {"events": [{"data": 1}], "lifecycle": {"termination": {"finalEvent": {"data": "X"}}}}
    },
    "$.sse.templateParams.tokens[0]": {"sse": {"template": "openai-chat", "templateParams": {"tokens": ["X"]}}},
    "$.chunked.data": {"chunked": {"data": "X"}},
    "$.chunked.ndjsonItems[0].a": {"chunked": {"ndjsonItems": [{"a": "X"}]}},
    "$.response.body.a": {"response": {"body": {"a": "X"}}},
    "$.response.headers.X-A[1]": {"response": {"body": "", "headers": {"X-A": ["1", "X"]}}},
}


def put(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {key: put(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [put(item, text) for item in value]
    return text if value == "X" else value


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("place", PLACES)
def test_it_is_refused(place: str, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Engine().create({"matcher": {"path": "/users/{user}"}, **put(PLACES[place], text)})
    [problem] = refused.value.problems
    assert (format_path(problem.path), problem.message) == (place, WRONG[text])
    assert problem.hint


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "matcher",
    [{"path": "/users/{usr}"}, {"path": "/{a}/{usr}.json"}, {"pathPattern": "^/users/(?P<usr>.+)$"}],
)
def test_a_capture_that_the_path_has_is_none(place: str, matcher: dict[str, Any]) -> None:
    Engine().create({"matcher": matcher, **put(PLACES[place], "{{ request.params.usr }}")})


@pytest.mark.parametrize("matcher", [{"path": "/users"}, {"pathPattern": "^/users/(.+)$"}, {"method": "GET"}])
def test_a_matcher_without_captures_has_none(matcher: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the mock's path has no"):
        Engine().create({"matcher": matcher, "response": {"body": "{{ request.params.usr }}"}})


def mock(path: str, name: str) -> dict[str, Any]:
    return {"id": path[1], "matcher": {"path": path}, "response": {"body": "{{ request.params." + name + " }}"}}


def test_one_mocks_captures_are_not_anothers() -> None:
    engine = Engine()
    engine.create(mock("/1/{a}", "a"))
    engine.create(mock("/2/{b}", "b"))
    with pytest.raises(ConfigError, match="the mock's path has no"):
        engine.create(mock("/3/{b}", "a"))


def test_a_path_that_loses_a_capture_is_looked_at_again() -> None:
    engine = Engine()
    engine.create(mock("/1/{a}", "a"))
    with pytest.raises(ConfigError, match="the mock's path has no"):
        engine.patch("1", {"matcher": {"path": "/1/{b}"}})
