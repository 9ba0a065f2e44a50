"""JSON in steps is the same JSON."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.jsontext import encode_json, encode_large_json


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "\u2028",
        1.5,
        10**30,
        {},
        [],
        (),
        {"a\u2029": {"b": [1, [2, {"c": "\u0085"}], []], "": {}}, "ü": ("x", None)},
        list(range(99)),
        list(range(100)),
        list(range(101)),
        [{"n": number, "in": [number] * 150} for number in range(301)],
        {"mocks": [{"events": [{"data": str(number)} for number in range(1000)]}, {"events": []}]},
    ],
    ids=lambda value: repr(value)[:30],
)
def test_it_is_the_same(value: Any) -> None:
    assert encode_large_json(value) == encode_json(value)
