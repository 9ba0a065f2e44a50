"""What every server is asked for, and what it must answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from tests.servers.answers import End

MAX_BODY = 10_000
"""Bytes that a request may have."""
LARGE = "0123456789abcdef" * 40_000
"""More than a socket takes at once."""
NOW: dict[str, Any] = {"timing": {"fixedDelay": 0}}
LIST: dict[str, Any] = {"events": [{"data": "one"}, {"data": "two"}]}
MISS = re.compile(rb'(?s)\{"error":\{"message":"No mock.*"code":"no_match".*')
LISTED = b"data: one\n\ndata: two\n\n"
CHAT: dict[str, Any] = {"template": "openai-chat", "templateParams": {"tokens": ["a", "b"]}}
CHATTED = re.compile(rb'(data: \{"id":"chatcmpl-[^\n]+\n\n)+data: \[DONE\]\n\n')
FIRST_WORD = b'"a"'
CUT = re.compile(rb'(data: \{"id":"chatcmpl-[^\n]+\n\n)+(?<!DONE\]\n\n)')
CUT_ARRAY = re.compile(rb'(?s)\[\{"candidates":.+\}[\r\n]*')
"""An array that nothing closes."""
ABRUPT: dict[str, Any] = {"lifecycle": {"simulateDisconnect": 1}}
ERROR: dict[str, Any] = {"lifecycle": {"maxEvents": 1, "termination": {"type": "error", "errorEvent": {"data": "no"}}}}
FINAL = b"event: close\ndata: bye\n\n"
HELD: dict[str, Any] = {
    "events": [{"data": "Hello"}],
    "timing": {"fixedDelay": 0},
    "lifecycle": {"keepOpen": True, "termination": {"finalEvent": {"type": "close", "data": "bye"}}},
}
"""A stream that is live until it is told to end."""


def mock(path: str, matcher: dict[str, Any] | None = None, **answer: Any) -> dict[str, Any]:
    return {"id": path[1:], "matcher": {"path": path, **(matcher or {})}, **answer}


def chat_cut(template: str, how: str) -> dict[str, Any]:
    """A chat that says nothing more after its first word."""
    return {"template": template, "templateParams": {"tokens": ["a", "b"], "error": {"cut": how, "afterTokens": 1}}}


@dataclass(frozen=True)
class Kind:
    """A mock, what it is asked, and the answer."""

    mock: dict[str, Any] | None
    body: bytes | re.Pattern[bytes]
    status: int = 200
    end: End = "whole"
    path: str = ""
    method: str = "GET"
    version: str = "1.1"
    headers: dict[str, str] = field(default_factory=dict)
    sent: bytes = b""
    is_read: bool = True
    """Whether mockd reads all that is sent."""

    @property
    def target(self) -> str:
        return self.path or (self.mock or {})["matcher"]["path"]

    @property
    def mark(self) -> bytes:
        """The last of a body that nothing ends."""
        return self.body if isinstance(self.body, bytes) else FIRST_WORD

    def has(self, body: bytes) -> bool:
        """Whether this is the body."""
        return body == self.body if isinstance(self.body, bytes) else bool(self.body.fullmatch(body))

    def begins(self, body: bytes) -> bool:
        """Whether the body begins so: with whole pieces, or with nothing."""
        return not body or (self.body.startswith(body) if isinstance(self.body, bytes) else self.has(body))


HELLO = {"data": "Hello, world"}

KINDS: dict[str, Kind] = {
    "list": Kind(mock("/list", sse=LIST | NOW), LISTED),
    "paced list": Kind(mock("/paced", sse=LIST | {"timing": {"fixedDelay": 20}}), LISTED),
    "delayed head": Kind(mock("/delayed", sse=LIST | {"timing": {"initialDelay": 50, "fixedDelay": 0}}), LISTED),
    "chat": Kind(
        mock("/chat", {"method": "POST"}, sse=CHAT), CHATTED, method="POST", sent=b'{"stream":true,"messages":[]}'
    ),
    "paced chat": Kind(
        mock("/paced-chat", {"method": "POST"}, sse=CHAT | {"timing": {"fixedDelay": 5}}),
        CHATTED,
        method="POST",
        sent=b'{"stream":true,"messages":[]}',
    ),
    "chat that ends early": Kind(
        mock("/cut-chat", {"method": "POST"}, sse=chat_cut("openai-chat", "end")),
        CUT,
        method="POST",
        sent=b'{"stream":true,"messages":[]}',
    ),
    "chat that breaks off": Kind(
        mock("/broken-chat", {"method": "POST"}, sse=chat_cut("openai-chat", "close")),
        CUT,
        end="broken",
        method="POST",
        sent=b'{"stream":true,"messages":[]}',
    ),
    "array that breaks off": Kind(
        mock("/m:streamGenerateContent", {"method": "POST"}, sse=chat_cut("gemini", "close")),
        CUT_ARRAY,
        end="broken",
        method="POST",
        sent=b'{"contents":[]}',
    ),
    "ndjson": Kind(
        mock("/ndjson", chunked={"format": "ndjson", "ndjsonItems": [{"n": 1}, {"n": 2}], "chunkDelay": 5}),
        b'{"n":1}\n{"n":2}\n',
    ),
    "chunked": Kind(
        mock("/chunked", chunked={"data": "Hello, world", "chunkSize": 5, "chunkDelay": 5}), b"Hello, world"
    ),
    "large": Kind(mock("/large", chunked={"data": LARGE, "chunkSize": 50_000}), LARGE.encode()),
    "whole": Kind(mock("/whole", response={"status": 201, "body": "made"}), b"made", status=201),
    "whole, no body": Kind(mock("/none", response={"status": 204}), b"", status=204),
    "error": Kind(mock("/error", sse=LIST | NOW | ERROR), b"data: one\n\ndata: no\n\n"),
    "abrupt list": Kind(mock("/abrupt", sse=LIST | NOW | ABRUPT), b"data: one\n\n", end="broken"),
    "abrupt paced list": Kind(
        mock("/abrupt-paced", sse=LIST | {"timing": {"fixedDelay": 20}} | ABRUPT), b"data: one\n\n", end="broken"
    ),
    "body": Kind(
        mock("/body", {"method": "POST", "bodyJsonPath": {"$.a": 1}}, response={"body": "{{ request.body }}"}),
        b'{"a":1}',
        method="POST",
        sent=b'{"a": 1}',
    ),
    "body for a stream": Kind(
        mock("/body-stream", {"method": "POST", "bodyJsonPath": {"$.a": 1}}, sse=LIST | NOW),
        LISTED,
        method="POST",
        sent=b'{"a": 1}',
    ),
    "body too large": Kind(
        None,
        re.compile(rb'(?s)\{"error":\{"message":"the request body.*"code":"body_too_large".*'),
        status=413,
        path="/list",
        method="POST",
        sent=b"x" * 50 * MAX_BODY,
        is_read=False,
    ),
    "miss": Kind(None, MISS, status=404, path="/nothing"),
    "miss with a body": Kind(
        None,
        MISS,
        status=404,
        path="/nothing",
        method="POST",
        sent=b"x" * MAX_BODY,
    ),
    "HEAD of a stream": Kind(None, b"", path="/list", method="HEAD"),
    "HEAD of a whole answer": Kind(None, b"", status=201, path="/whole", method="HEAD"),
    "HEAD of a miss": Kind(None, b"", status=404, path="/nothing", method="HEAD"),
    "preflight": Kind(
        None,
        b"",
        status=204,
        path="/list",
        method="OPTIONS",
        headers={"Origin": "http://page", "Access-Control-Request-Method": "GET"},
    ),
    "resumed": Kind(
        mock(
            "/resumed",
            sse={"events": [{"id": "1", "data": "one"}, {"id": "2", "data": "two"}], "resume": {"enabled": True}},
        ),
        b"id: 2\ndata: two\n\n",
        headers={"Last-Event-ID": "1"},
    ),
    "resumed at the end": Kind(None, b"", status=204, path="/resumed", headers={"Last-Event-ID": "2"}),
    "admin": Kind(None, re.compile(rb'(?s)\{.*"list".*'), path="/__mockd/mocks"),
}

KINDS_1_0: dict[str, Kind] = {
    name: replace(KINDS[name], version="1.0")
    for name in (
        "list",
        "paced list",
        "chat",
        "chat that ends early",
        "ndjson",
        "large",
        "whole",
        "error",
        "body",
        "miss",
        "HEAD of a stream",
    )
}
"""What a client of HTTP/1.0 asks, which knows no chunks: a body ends with its length, or with the connection."""

MOCKS = [mock("/held", sse=HELD), *(kind.mock for kind in KINDS.values() if kind.mock is not None)]
