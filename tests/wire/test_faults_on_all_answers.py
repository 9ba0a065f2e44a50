"""Every action on every kind of answer: it has an effect on the wire, or its record says that it has none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.middleware import Middleware

from mockd.config.fault_lines import parse_line
from mockd.config.faults import ACTIONS
from mockd.engine import Engine
from mockd.journal.exchange import Exchange
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import Stamp, mounted
from tests.wire.sockets import Client, body_of, eventually

EVENTS = [{"data": {"number": number, "text": "zwölf Boxkämpfer"}} for number in range(4)]
TOKENS = {"tokens": ["a", "b", "c", "d"]}
STREAMS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "paced": {"sse": {"events": EVENTS, "timing": {"fixedDelay": 3}}},
    "resume": {"sse": {"events": EVENTS, "resume": {"enabled": True}}},
    "raw events": {"sse": {"events": [{"raw": f": {n}\n"} for n in range(4)]}},
    "no data": {"sse": {"events": [{"data": "", "id": str(number)} for number in range(4)]}},
    "NDJSON": {"chunked": {"ndjsonItems": [event["data"] for event in EVENTS]}},
    "chunked": {"chunked": {"data": "0123456789abcdef", "chunkSize": 4}},
    "model": {"sse": {"template": "openai-chat", "templateParams": TOKENS, "seed": 5}},
    "JSON array": {"sse": {"template": "gemini", "templateParams": TOKENS, "seed": 5}},
}
WHOLE: dict[str, dict[str, Any]] = {
    "whole": {"response": {"body": {"text": "zwölf Boxkämpfer"}}},
    "without a body": {"response": {"status": 204}},
    "whole model": {"sse": {"template": "openai-chat", "templateParams": TOKENS, "seed": 5}},
    "refusal of a model": {
        "sse": {"template": "openai-chat", "templateParams": {**TOKENS, "error": {"status": 503}}, "seed": 5}
    },
}
KINDS = STREAMS | WHOLE
PATHS = {"JSON array": "/v1beta/models/m:streamGenerateContent"}
BODIES = {"whole model": b'{"stream": false, "messages": []}'}
CHANGING = re.compile(rb'date: [^\r]*|"created":\s*\d+|x-request-id: [^\r]*|-ms: [^\r]*')
LINES: dict[str, tuple[str, ...]] = {
    "end": ("end after 1 event", "end", "end after 5 bytes"),
    "close": ("close after 1 event", "close", "close before head", "close tls=truncate", "close tls=notify"),
    "reset": ("reset after 1 event", "reset", "reset before head"),
    "stall": ("stall 40", "stall 40 before head"),
    "delay": ("delay 40", "delay 40 after 0 events"),
    "throttle": ("throttle 1000",),
    "empty": ("empty",),
    "garbage": ("garbage", "garbage after 0 events"),
    "status": ("status 418", "status 204"),
    "badChunk": ("badChunk",),
    "shortChunk": ("shortChunk",),
    "longChunk": ("longChunk",),
    "extraBytes": ("extraBytes",),
    "idle": ("idle 40",),
    "malformed": ("malformed", "malformed after 3 bytes"),
    "corrupt": ("corrupt bytes=2", "corrupt after 3 bytes"),
    "drop": ("drop",),
    "duplicate": ("duplicate",),
    "reorder": ("reorder",),
    "insert": ('insert raw="x"', 'insert event={"data":"x"}'),
    "unknownEvent": ("unknownEvent",),
    "hugeEvent": ("hugeEvent 200",),
    "error": ("error", "error message=no"),
    "header": (
        'header set={"x-a":"b"}',
        'header remove=["date","server"]',
        'header remove=["x-nothing"]',
        'header remove=["content-type"]',
    ),
}
"""Lines for each action. One that names no later place must leave a record on every answer."""
SLOW = ("stall", "delay", "throttle", "idle")
"""Actions that change when something comes, and not what."""


def path_of(kind: str) -> str:
    return PATHS.get(kind, "/" + kind.replace(" ", "-"))


MOCKS = [{"id": kind, "matcher": {"path": path_of(kind)}, **mock} for kind, mock in KINDS.items()]
SETTINGS = Settings(allow_fault_header=True, fault_timeout=1)


@pytest.fixture(scope="module", params=["httptools", "h11", "behind a middleware"])
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    engine = Engine(SETTINGS)
    if request.param == "behind a middleware":
        with mounted(Middleware(Stamp)) as running:
            running.engine.settings = SETTINGS
            for mock in MOCKS:
                running.engine.create(mock)
            yield running
    else:
        for mock in MOCKS:
            engine.create(mock)
        with running_mockd(engine=engine, http=request.param) as running:
            yield running


def asked(server: RunningMockd, kind: str, line: str | None, version: str = "1.1") -> tuple[bytes, str]:
    """What comes, and how it ends."""
    body = BODIES.get(kind, b"")
    headers = {"Connection": "close"} | ({"X-Mockd-Fault": line} if line else {})
    if body:
        headers["Content-Type"] = "application/json"
    with Client(server.url) as client:
        client.socket.settimeout(2)
        client.ask(path_of(kind), method="POST" if body else "GET", headers=headers, body=body, version=version)
        data = b""
        try:
            while part := client.socket.recv(65536):
                data += part
        except ConnectionResetError:
            return data, "rst"
        return data, "fin"


def same(data: bytes) -> bytes:
    """Data without what changes from answer to answer, and without chunk sizes, which depend on the load."""
    head, _, _ = data.partition(b"\r\n\r\n")
    is_whole = data.endswith(b"0\r\n\r\n") or b"chunked" not in head.lower()
    try:
        body = body_of(data)
    except ValueError:  # a size that is none
        body = data
    return CHANGING.sub(b"~", head + b"\r\n\r\n" + body + b"|%d" % is_whole)


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_action_does_nothing_without_a_word(server: RunningMockd, kind: str, version: str) -> None:
    silent = []
    seen: list[Exchange] = []
    server.engine.connections.observers[:] = [seen.append]
    plain = same(asked(server, kind, None, version)[0]), "fin"
    lines = [line for lines in LINES.values() for line in lines]
    for number, line in enumerate(lines, start=2):
        data, end = asked(server, kind, line, version)
        eventually(lambda number=number: len(seen) == number)  # type: ignore[misc]
        records = seen[-1].faults or []
        fidelity = records[0]["fidelity"] if records else None
        has_effect = (same(data), end) != plain or (line == "close" and kind == "without a body")
        if parse_line(line).action in SLOW:
            assert same(data) == plain[0], line
        elif fidelity == "exact" and not has_effect:
            silent.append(f"{line}: exact, and nothing has changed")
        elif fidelity == "unsupported" and has_effect:
            silent.append(f"{line}: unsupported, but {same(data)!r} instead of {plain!r}")
        if fidelity is None and not (kind in WHOLE and re.search(" after [1-9]", line)):
            silent.append(f"{line}: no record")
        if fidelity not in (None, "exact") and "as" not in records[0]:
            silent.append(f"{line}: {fidelity}, without the reason")
    assert not silent, "\n".join(silent)


def test_every_action_is_looked_at() -> None:
    assert list(LINES) == [action.__struct_config__.tag for action in ACTIONS]


@pytest.mark.parametrize("line", [None, "stall 1", "insert raw=x", "duplicate"])
@pytest.mark.parametrize("kind", KINDS)
def test_all_bytes_are_counted_whoever_closes_the_connection(server: RunningMockd, kind: str, line: str | None) -> None:
    seen: list[Exchange] = []
    server.engine.connections.observers[:] = [seen.append]
    data, _ = asked(server, kind, line)
    eventually(lambda: seen)
    assert seen[0].bytes_sent == len(body_of(data))
