"""Requests that would take hours, or all memory, to match."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from tests.wire.sockets import Client

if TYPE_CHECKING:
    from tests.stress.server import Server

_EVIL = r"(?=a)(a|aa)+$"
"""A pattern that only a backtracking engine runs."""
_TEXT = "a" * 60 + "!"
"""A text in which it would be looked for for years."""
_MANY = 1000


class _Costly(NamedTuple):
    """A matcher, and a request that costs much to match. `copies` is the number of mocks that have it, each with its
    number for `{n}` in its texts."""

    matcher: dict[str, Any]
    path: str
    body: Any = b""
    headers: dict[str, str] | None = None
    copies: int = 1
    status: int = 404


_COSTLY = {
    "captures": _Costly({"path": "/{a}-{b}-{c}-{d}-{e}z"}, "/" + "a-" * 20_000),
    "stars": _Costly({"path": "/stars*a*a*a*b"}, "/stars" + "a" * 50_000),
    "captures and stars": _Costly({"path": "/both*{x}-{y}-{z}b"}, "/both" + "-" * 40_000),
    "a pattern for paths": _Costly({"pathPattern": r"^/pp(?P<x>(a|aa)+)-(?P<y>b)$"}, "/pp" + "a" * 60),
    "a wildcard": _Costly(
        {"path": "/wildcard", "headers": {"x": "*a*a*a*b"}}, "/wildcard", headers={"x": "a" * 50_000}
    ),
    "a header": _Costly({"path": "/h", "headers": {"x": {"pattern": _EVIL}}}, "/h", headers={"x": _TEXT}),
    "a parameter": _Costly({"path": "/q", "queryParams": {"x": {"pattern": _EVIL}}}, "/q?x=" + _TEXT),
    "a pattern": _Costly({"path": "/pattern", "bodyPattern": "(a+)+$"}, "/pattern", b"a" * 10_000_000 + b"!"),
    "three stars in a pattern": _Costly({"path": "/three", "bodyPattern": "a.*b.*c"}, "/three", b"ab" * 5_000_000),
    "a pattern that looks ahead": _Costly({"path": "/ahead", "bodyPattern": _EVIL}, "/ahead", _TEXT.encode()),
    "its contrary": _Costly({"path": "/not", "not": {"bodyPattern": _EVIL}}, "/not", _TEXT.encode()),
    "many patterns": _Costly({"path": "/many", "bodyPattern": _EVIL + "|{n}"}, "/many", _TEXT.encode(), copies=_MANY),
    "many texts": _Costly({"path": "/text", "bodyContains": "{n}bbbb"}, "/text", b"0b" * 5_000_000, copies=_MANY),
    "bytes that are no text": _Costly({"path": "/bytes", "bodyPattern": "x+y"}, "/bytes", b"\xff" * 10_000_000),
    "match": _Costly(
        {"path": "/m", "bodyJsonPath": {"$[?match(@.a, '(a+)+b')]": {"exists": True}}}, "/m", [{"a": _TEXT}]
    ),
    "a pattern of the request": _Costly(
        {"path": "/search", "bodyJsonPath": {"$[?search(@.a, $[0].p)]": {"exists": True}}},
        "/search",
        [{"p": _EVIL, "a": _TEXT}],
    ),
    "descendants": _Costly({"path": "/d", "bodyJsonPath": {"$..x": 1}}, "/d", [{"a": [1, 2]}] * 60_000),
    "empty arrays": _Costly({"path": "/e", "bodyJsonPath": {"$..x": 1}}, "/e", b"[" + b"[]," * 3_000_000 + b"1]"),
    "filters in filters": _Costly(
        {"path": "/f", "bodyJsonPath": {"$[?@[?@ == $[0][1]]]": {"exists": True}}}, "/f", [list(range(100))] * 2000
    ),
    "counts in filters": _Costly(
        {"path": "/c", "bodyJsonPath": {"$.*[?count($..*) == 5]": 1}}, "/c", {str(n): [1] * 10 for n in range(20_000)}
    ),
    "a script": _Costly(
        {"path": "/script"},
        "/script",
        {"model": "m", "stream": True, "messages": [{"role": "user", "content": _TEXT}]},
        status=200,
    ),
}
_SCRIPT = {
    "template": "openai-chat",
    "templateParams": {"script": [{"when": {"regex": _EVIL}, "reply": {"text": "no"}}]},
}


def _numbered(matcher: dict[str, Any], number: int) -> dict[str, Any]:
    numbered: dict[str, Any] = json.loads(json.dumps(matcher).replace("{n}", str(number)))
    return numbered


MOCKS = [
    {
        "id": f"costly-{name.replace(' ', '-')}-{number}",
        "matcher": _numbered(costly.matcher, number),
        **({"sse": _SCRIPT} if name == "a script" else {"response": {"body": "x"}}),
    }
    for name, costly in _COSTLY.items()
    for number in range(costly.copies)
]


def _reproducer(costly: _Costly) -> Callable[[Server], None]:
    def ask(server: Server) -> None:
        parts = urlsplit(server.mocks)
        body = costly.body if isinstance(costly.body, bytes) else json.dumps(costly.body).encode()
        with Client(f"{parts.scheme}://{parts.netloc}") as client:
            client.ask(costly.path, method="POST", headers=costly.headers, body=body)
            assert client.read_head()[0] == costly.status

    return ask


MATCHING: dict[str, Callable[[Server], None]] = {name: _reproducer(costly) for name, costly in _COSTLY.items()}
