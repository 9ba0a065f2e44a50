"""Headers as they are configured: a text, a list of texts, or an order to leave one out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockd.config.load import dump_collection, parse_collection, parse_mock
from mockd.config.schema import json_schema
from mockd.errors import ConfigError

KINDS: dict[str, dict[str, Any]] = {"sse": {"events": [{"data": 1}]}, "chunked": {"data": "x"}, "response": {}}
VALIDATOR = Draft202012Validator(json_schema())

HEADERS = {"Set-Cookie": ["a=1", "b=2"], "Server": {"omit": True}, "X-A": "b", "x-b": ["c"]}


def mock_with(kind: str, headers: Any) -> dict[str, Any]:
    return {"id": "a", "matcher": {"path": "/a"}, kind: {**KINDS[kind], "headers": headers}}


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_is_read_and_given_back_as_it_was_written(kind: str) -> None:
    doc = mock_with(kind, HEADERS)
    spec = parse_mock(doc, root=None)
    assert json.loads(json.dumps(dump_collection([spec])))["mocks"] == [doc]
    VALIDATOR.validate(doc)
    assert [again.mock for again in parse_collection(dump_collection([spec]), root=None)] == [spec.mock]


@pytest.mark.parametrize(
    ("headers", "text", "place"),
    [
        ({"X Y": "a"}, "'X Y' is not a header name", ("X Y",)),
        ({"X-A": "b", "x-a": "c"}, "'x-a' and 'X-A' are the same header (give it once, with a list of", ("x-a",)),
        ({"X-A": "b", "x-a": {"omit": True}}, "'x-a' and 'X-A' are the same header", ("x-a",)),
        ({"a": "b", "X.A": "a\nb"}, "the value of 'X.A' has a line break", ("X.A",)),
        ({"X-A": ["b", "a\0"]}, "the value of 'X-A' has a line break", ("X-A", 1)),
        ({"X-A": "€"}, "the value of 'X-A' has a character outside latin-1", ("X-A",)),
        ({"X-A": 5}, 'expected text or an object or a list, got a whole number (quote it: "5")', ("X-A",)),
        ({"X-A": ["b", 5]}, 'expected text, got a whole number (quote it: "5")', ("X-A", 1)),
        ({"X-A": []}, "expected a list of length >= 1", ("X-A",)),
        ({"X-A": {"omit": False}}, "`omit` can only be true (leave the header out to have", ("X-A", "omit")),
        ({"X-A": {"omitted": True}}, "unknown key `omitted` (did you mean `omit`?)", ("X-A", "omitted")),
        ({"X-A": {}}, "missing `omit`", ("X-A",)),
        (
            {"transfer-Encoding": "gzip"},
            "'transfer-Encoding' is the server's to say (clients go",
            ("transfer-Encoding",),
        ),
        ({"Transfer-Encoding": {"omit": True}}, "'Transfer-Encoding' is the server's to say", ("Transfer-Encoding",)),
        ({"Content-Length": {"omit": True}}, "'Content-Length' is the server's to say", ("Content-Length",)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_said_at_its_place_with_the_cure(
    kind: str, headers: Any, text: str, place: tuple[str | int, ...]
) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_mock(mock_with(kind, headers), root=None)
    (problem,) = refused.value.problems
    assert problem.path == (kind, "headers", *place)
    assert str(problem).partition(": ")[2].startswith(text)


@pytest.mark.parametrize("value", [5, [], ["a", 1], {"omit": False}, {}, {"omit": True, "x": 1}, None], ids=str)
def test_the_schema_sees_what_is_no_value(value: Any) -> None:
    assert not VALIDATOR.is_valid(mock_with("response", {"X-A": value}))
