"""Kinds of streams, on each of which every variant is tried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import h11

from mockd.config.load import parse_collection
from mockd.framing.variants import Body, Variant, variants
from mockd.testing import RunningMockd
from tests.wire.sockets import Client

Json = dict[str, Any]

EVENTS: list[Json] = [
    {"data": "één 😀", "type": "greeting", "id": "1"},
    {"data": {"text": "zwei\nDrei", "n": [1, 2]}},
    {"comment": "alone"},
    {"data": " three\n\n lines ", "retry": 500},
    {"data": ""},
    {"id": "5"},
    {"data": "last: ünd"},
]
RECORDED = "event: a\ndata: één\ndata: zwei\n\n: comment\n\nid: 7\ndata:  3 😀\n\nretry: 9\n\ndata: 4\n\n"
LINES = '{"a": "één"}\n{"b": [1, "😀"]}\n"ende"\n'
ASKED = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
TEXT = {"text": "Hällo thére, 😀 friend"}
LAST = {"data": "bye ✓", "type": "end"}


class Kind(NamedTuple):
    """A kind of stream: its part of a mock, and whether its events have IDs. `asked` is what is sent for it."""

    part: str
    config: Json
    body: Body
    has_ids: bool = False
    asked: Json | None = None


KINDS: dict[str, Kind] = {
    "list": Kind("sse", {"events": EVENTS}, "sse", True),
    "list without ids": Kind("sse", {"events": [{"data": "één"}, {"data": {"a": 1}}, {"data": "3"}]}, "sse"),
    "paced list": Kind("sse", {"events": EVENTS[:4], "timing": {"fixedDelay": 2}}, "sse", True),
    "generator": Kind("sse", {"generator": {"type": "sequence", "count": 4, "sequence": {"format": "é%d"}}}, "sse"),
    "placeholders": Kind("sse", {"events": [{"data": {"id": "$uuid"}}, {"data": "$random:1:9"}], "seed": 4}, "sse"),
    "file": Kind("sse", {"eventsFile": "events.json"}, "sse", True),
    "recording": Kind("sse", {"eventsFile": "recorded.txt", "raw": True}, "sse", True),
    "resumable": Kind("sse", {"events": EVENTS[:4], "resume": {"enabled": True}}, "sse", True),
    "repeated": Kind("sse", {"events": EVENTS[1:4], "repeat": 2}, "sse"),
    "final event": Kind("sse", {"events": EVENTS[1:], "lifecycle": {"termination": {"finalEvent": LAST}}}, "sse", True),
    "error": Kind(
        "sse",
        {"events": EVENTS[1:], "lifecycle": {"maxEvents": 2, "termination": {"type": "error", "errorEvent": LAST}}},
        "sse",
    ),
    "openai-chat": Kind("sse", {"template": "openai-chat", "templateParams": TEXT}, "sse", asked=ASKED),
    "anthropic-messages": Kind(
        "sse", {"template": "anthropic-messages", "templateParams": TEXT}, "sse", asked={**ASKED, "max_tokens": 9}
    ),
    "replay": Kind("sse", {"recording": "events.stream.jsonl"}, "sse", True),
    "replay of bytes": Kind("chunked", {"recording": "lines.stream.jsonl"}, "raw"),
    "ndjson": Kind("chunked", {"ndjsonItems": ["één", {"a": "😀"}, 3]}, "ndjson"),
    "ollama-chat": Kind("chunked", {"template": "ollama-chat", "templateParams": TEXT}, "ndjson", asked=ASKED),
    "text": Kind("chunked", {"data": "één zwei\r\ndrei\n😀 ende", "chunkSize": 5}, "raw"),
}
"""Every kind of stream by its name."""


def mock_of(path: str, kind: Kind, framing: Json | None) -> Json:
    """A mock of that kind in a framing."""
    config = kind.config if framing is None else {**kind.config, "framing": framing}
    return {"matcher": {"path": path}, kind.part: config}


def together(chosen: list[Variant]) -> dict[str, Any]:
    """The framings of several variants in one, without what does not go together."""
    framing: dict[str, Any] = {}
    for one in chosen:
        framing |= one.framing
    if "encoding" in framing and isinstance(framing.get("split"), str):
        framing["split"] = {"bytes": 5}
    if "split" in framing:
        framing.pop("coalesce", None)
    return framing


def path_of(name: str, variant: str) -> str:
    """The path of a kind of stream in a variant."""
    return f"/{name}/{variant}".replace(" ", "-")


def write_files(folder: Path) -> None:
    """Write the data files of the streams."""
    (folder / "events.json").write_text(json.dumps(EVENTS))
    (folder / "recorded.txt").write_text(RECORDED)
    for name, media_type, body in (("events", "text/event-stream", RECORDED), ("lines", "application/x-ndjson", LINES)):
        middle = len(body) // 2  # of an event
        exchange = (
            {"mockd-stream": 1, "request": {"method": "GET", "url": "http://a.test/", "headers": []}},
            [1000, "head", {"status": 200, "reason": "OK", "headers": [["Content-Type", media_type]]}],
            [1000, "o", body[:middle]],
            [1000, "o", body[middle:]],
            [1000, "end", "complete"],
        )
        text = "".join(json.dumps(line) + "\n" for line in exchange)
        (folder / f"{name}.stream.jsonl").write_text(text)


def add(server: RunningMockd, folder: Path, mocks: list[Json]) -> None:
    """Add mocks, with their data files."""
    write_files(folder)
    server.engine.import_specs(parse_collection(mocks, root=folder), replace=True, dry_run=False)


def add_all(server: RunningMockd, folder: Path, name: str) -> list[Variant]:
    """Add one kind of stream as it is, and in each of its variants."""
    kind = KINDS[name]
    possible = list(variants(kind.body))
    mocks = [mock_of(path_of(name, one.name), kind, dict(one.framing)) for one in possible]
    add(server, folder, [mock_of(path_of(name, "plain"), kind, None), *mocks])
    return possible


class Got(NamedTuple):
    """An answer: its head and its chunks."""

    status: int
    headers: dict[str, str]
    chunks: list[bytes]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


def get(
    server: RunningMockd,
    path: str,
    asked: Json | None = None,
    *,
    version: str = "1.1",
    last_event_id: str | None = None,
) -> Got:
    """The answer to a request, as h11 reads it."""
    method, body = ("GET", b"") if asked is None else ("POST", json.dumps(asked).encode())
    headers = {"Connection": "close"} | ({} if last_event_id is None else {"Last-Event-ID": last_event_id})
    with Client(server.url) as client:
        client.ask(path, method=method, body=body, version=version, headers=headers)
        return read(client.read_to_end(), method)


def read(raw: bytes, method: str = "GET") -> Got:
    """A whole response in its chunks."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method=method, target="/", headers=[("host", "x")], http_version="1.1"))
    reader.receive_data(raw)
    reader.receive_data(b"")
    head = reader.next_event()
    assert isinstance(head, h11.Response)
    chunks, part = [], b""
    while isinstance(event := reader.next_event(), h11.Data):
        part += event.data
        if event.chunk_end:
            chunks, part = [*chunks, part], b""
    assert isinstance(event, h11.EndOfMessage)
    headers = {name.decode(): value.decode() for name, value in head.headers}
    return Got(head.status_code, headers, [*chunks, *([part] if part else [])])
