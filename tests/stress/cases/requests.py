"""Requests to mocks: bytes that are nearly HTTP, bodies for models, and what an answer repeats."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.admin.nearly import nearly
from tests.presets.asking import ASKED, PATHS
from tests.stress.asking import ask, raw
from tests.stress.cases.rounds import Round, examples, spoilt, texts_of
from tests.stress.server import Server

_REQUESTS = (
    b"GET /exact/sse HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /exact/generator HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2,
    b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /body HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: b\r\n\r\n",
    b"GET /resume HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 38\r\nAccept-Encoding: gzip\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
    b"GET /exact/whole HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nExpect: x\r\n\r\n",
)
_INSERTED = (
    b"", b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\xff", b"\xf0\x9f", b"%", b"Content-Length: 3\r\n",
    b"Host: a\r\nHost: b\r\n", b"Transfer-Encoding: chunked\r\n", b"Last-Event-ID: \xe9\r\n", b"HTTP/2.0",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"-1", b"99999999999999999999", b"\x16\x03\x01",
    b"X: " + b"a" * 70_000 + b"\r\n",
)  # fmt: skip


def check_bytes(server: Server, sent: bytes) -> None:
    assert b"HTTP/1.1 5" not in raw(server.mocks, sent)


def asks_model(template: str) -> Callable[[Server, Any], None]:
    path = PATHS[template].replace("{model}", "m")

    def check(server: Server, body: Any) -> None:
        status, answer = ask(server.mocks + path, "POST", json.dumps(body).encode())
        assert status < 500, answer

    return check


_MORE: dict[str, Any] = {
    "stream": True,
    "n": 2,
    "logprobs": True,
    "top_logprobs": 2,
    "tools": [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}}
    ],
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {"type": "array", "minItems": 2}},
    },
    "format": {"type": "object", "required": ["a"], "properties": {"a": {"pattern": "^a+$", "type": "string"}}},
    "generationConfig": {
        "candidateCount": 2,
        "responseJsonSchema": {"type": "object", "properties": {"a": {"enum": [1]}}},
    },
    "stream_options": {"include_usage": True},
    "text": {
        "format": {"type": "json_schema", "name": "x", "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    },
}


def bodies(template: str) -> list[Any]:
    """What a client asks, alone and with one thing more."""
    return [ASKED[template], *({**ASKED[template], key: value} for key, value in _MORE.items())]


def check_repeated(server: Server, said: str) -> None:
    """What an answer takes from a request is what the request has."""
    text = f"no JSON: {said}".encode()
    assert ask(server.mocks + "/body", "POST", text) == (200, text)
    status, answer = ask(f"{server.mocks}/following/{quote(said, safe='')}?q={quote(said, safe='')}")
    assert status in (200, 404), answer


REQUESTS: dict[str, Round] = {
    "bytes": examples(spoilt(_REQUESTS, _INSERTED), check_bytes),
    "repeated texts": examples(
        texts_of("{{ 1 }}", "$uuid", "\n", "data: ", "\r", "\u2028", "é", "/", "%2F"), check_repeated
    ),
    **{f"bodies for {name}": examples(nearly(bodies(name)), asks_model(name)) for name in ASKED},
}
