"""Values that are nearly right: mocks and requests with one mistake in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.admin.conftest import HELLO

RICH: dict[str, Any] = {
    "id": "rich",
    "name": "Rich",
    "priority": 3,
    "matcher": {"method": "POST", "path": "/a/{id}/*", "headers": {"x": "a*"}, "bodyJsonPath": {"$.a": 1}},
    "sse": {
        "events": [{"type": "a", "data": {"n": [1, "$uuid"]}, "id": "1", "retry": 5, "comment": "c", "delay": 3}],
        "timing": {"burst": {"count": 2, "interval": 1, "pause": 5}, "perEventDelays": [1, 2]},
        "lifecycle": {"keepaliveInterval": 5, "termination": {"type": "error", "finalEvent": {"data": "x"}}},
        "rateLimit": {"eventsPerSecond": 2.5, "burstSize": 1, "strategy": "drop"},
        "resume": {"enabled": True, "bufferSize": 2},
        "headers": {"X-A": "b"},
        "repeat": 2,
    },
}
SHAPES: list[dict[str, Any]] = [
    HELLO,
    RICH,
    {"matcher": {"pathPattern": "^/x"}, "chunked": {"ndjsonItems": [{"a": 1}], "chunkDelay": 1}},
    {"matcher": {"path": "/g"}, "sse": {"generator": {"type": "sequence", "sequence": {"format": "n%d"}}}},
    {"matcher": {"path": "/t"}, "sse": {"template": "openai-chat", "templateParams": {"tokens": ["a"]}}},
    {"matcher": {"path": "/n"}, "sse": {"template": "notification-stream"}},
    {"matcher": {"bodyPattern": "a+"}, "response": {"status": 201, "body": {"a": 1}, "delay": 1}},
    {"type": "http", "http": {"matcher": {"path": "/h"}, "chunked": {"data": "abc", "chunkSize": 1}}},
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 0, 2**64, 10**30, 1e308, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["", "$random:5:1", "$pick:", "${X}", "(", "/{a", "\u2028", "\x00", "a\r\nb", "\ud800", "../x"]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a JSON value, its own included."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place] + [found for step, inner in steps for found in places(inner, (*place, step))]


@st.composite
def nearly(draw: st.DrawFn, shapes: Sequence[Any]) -> Any:
    """One of some JSON values with one value anywhere in it exchanged for another, or under another key."""
    shape = json.loads(json.dumps(draw(st.sampled_from(shapes))))
    *way, last = draw(st.sampled_from(places(shape)[1:]))
    parent = shape
    for step in way:
        parent = parent[step]
    if isinstance(last, str) and draw(st.booleans()):
        parent[draw(st.text(max_size=6))] = parent.pop(last)
    else:
        parent[last] = draw(values)
    return shape


def nearly_mocks() -> st.SearchStrategy[Any]:
    return nearly(SHAPES)
