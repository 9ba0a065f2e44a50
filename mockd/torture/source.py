"""The stream that a command is tortured with: a mock of a file, a recording, or a running stream that is read once."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
from msgspec import Struct, to_builtins

from mockd.config.documents import decode, read_bytes
from mockd.config.events_file import read_events, read_raw, read_stream
from mockd.config.files import SUFFIXES
from mockd.config.load import load_paths
from mockd.config.models import EventConfig
from mockd.errors import ConfigError
from mockd.recordings.codings import UndecodableError, coding_of, decoder_of
from mockd.recordings.events import NDJSON as NDJSON_BODY
from mockd.recordings.events import SSE, header, kind_of_type
from mockd.recordings.reading import Exchange, exchanges

MOST_BYTES = 4 * 1024 * 1024
"""Most bytes that are read of a running stream."""
EVENT_STREAM, NDJSON = "text/event-stream", "application/x-ndjson"

KINDS = ("sse", "chunked")
"""The kinds of answers that are streams."""
_KEPT = ("matcher", *KINDS, "faults", "profile")
"""The parts of a mock that its stream is made of."""
_NDJSON_SUFFIXES = (".ndjson", ".jsonl")
_EXCHANGES = ".stream.jsonl"


Mock = dict[str, Any]
"""A mock as it is written in a mock file, in its flat form."""


class Source(Struct, frozen=True):
    """A mock with one stream. `root` is the folder of its data files."""

    mock: Mock
    root: Path

    @property
    def part(self) -> str:
        """The kind of its answer: `sse` or `chunked`."""
        return part_of(self.mock)

    @property
    def path(self) -> str:
        """A path that the mock answers, with the query that it wants, empty if that is not known."""
        matcher = self.mock["matcher"]
        path = re.sub(r"\{(\w+)\}", r"\1", matcher.get("path", "")).replace("*", "x")
        wanted = {name: value for name, value in matcher.get("queryParams", {}).items() if isinstance(value, str)}
        return str(httpx2.URL(path, params=wanted)) if wanted else path


def part_of(mock: Mock) -> str:
    """The kind of a mock's answer: `sse` or `chunked`."""
    return "sse" if "sse" in mock else "chunked"


def read_source(text: str, patience_s: float) -> Source:
    """The source that is named on the command line: a URL, `FILE#ID` of a mock, `FILE#NUMBER` of a recorded answer, or
    a file. A running stream is read for so long at most. Raises `ConfigError`."""
    if text.startswith(("http://", "https://")):
        return _of_url(text, patience_s)
    name, _, mock_id = (text, "", "") if Path(text).exists() else text.partition("#")
    if Path(name).suffix.lower() in SUFFIXES:
        return _of_mock_file(name, mock_id)
    return _of_exchange(Path(name), mock_id) if name.endswith(_EXCHANGES) else _of_recording(Path(name))


# -- a mock of a file --------------------------------------------------------------------------------------------------


def _of_mock_file(name: str, mock_id: str) -> Source:
    specs = load_paths((name,))
    found = [spec for spec in specs if mock_id in ("", spec.id)]
    if len(found) != 1:
        ids = ", ".join(spec.id for spec in specs)
        message = f"{name}: there is no mock {mock_id!r}" if mock_id else f"{name}: there are {len(specs)} mocks"
        raise ConfigError(message, hint=f"say which, as in `{name}#ID`; its mocks are {ids}")
    [spec] = found
    assert spec.root is not None  # it is from a file
    mock = {name: value for name, value in spec.values.items() if name in _KEPT}
    if mock.keys().isdisjoint(KINDS):
        hint = "it needs one `sse` or `chunked`; of a sequence, make a mock of the entry that is meant"
        raise ConfigError(f"{name}: the mock {spec.id!r} has no stream of its own", hint=hint)
    return Source(_with_events(mock, spec.root), spec.root)


def _with_events(mock: Mock, root: Path) -> Mock:
    """The same mock, with the events of a data file in it."""
    name = mock.get("sse", {}).get("eventsFile")
    if name is None:
        return mock
    sse = {field: value for field, value in mock["sse"].items() if field not in ("eventsFile", "raw")}
    events = (read_raw if mock["sse"].get("raw") else read_events)(root / name)
    return {**mock, "sse": {**sse, "events": [document(event) for event in events]}}


def document(event: EventConfig) -> dict[str, Any]:
    """An event as it is written in a mock file."""
    fields: dict[str, Any] = to_builtins(event)
    return {name: value for name, value in fields.items() if value is not None or name == "data"}


# -- a recording, and a running stream ---------------------------------------------------------------------------------


def _of_recording(file: Path) -> Source:
    content = read_bytes(file)
    is_ndjson = file.suffix.lower() in _NDJSON_SUFFIXES or content.lstrip()[:1] in (b"{", b"[")
    content_type = NDJSON if is_ndjson else EVENT_STREAM
    answer = answer_of(content, content_type, str(file))
    return Source({"matcher": {"path": "/stream"}, **answer}, file.parent)


def _of_exchange(file: Path, number: str) -> Source:
    """The stream of one exchange in a `.stream.jsonl` file, by its number from 1 if there are several."""
    found = [one for one in exchanges(file) if one.head is not None and one.output_bytes]
    chosen = found if not number else [one for place, one in enumerate(found, 1) if str(place) == number]
    if len(chosen) != 1:
        urls = ", ".join(f"{place}: {one.begun.method} {one.begun.url}" for place, one in enumerate(found, 1))
        message = f"{file}: there is no answer {number}" if number else f"{file}: there are {len(found)} answers"
        raise ConfigError(message, hint=f"say which, as in `{file}#1`; there are {urls}" if found else None)
    [exchange] = chosen
    assert exchange.head is not None
    media_type = header(exchange.head.headers, "content-type").partition(";")[0].strip().lower()
    kind = {SSE: EVENT_STREAM, NDJSON_BODY: NDJSON}.get(kind_of_type(media_type), media_type)
    matcher = {"method": exchange.begun.method, "path": unquote(urlsplit(exchange.begun.url).path) or "/"}
    return Source({"matcher": matcher, **answer_of(_body_of(exchange), kind, str(file))}, file.parent)


def _body_of(exchange: Exchange) -> bytes:
    """The body of a recorded answer, without its coding. Raises `ConfigError`."""
    body = b"".join(data for _, data in exchange.output())
    assert exchange.head is not None
    coding = coding_of(exchange.head.headers)
    if not coding or (exchange.end is not None and exchange.end.decoded is not None):
        return body
    try:
        return b"".join(decoder_of(coding).feed(body))
    except UndecodableError as error:
        raise ConfigError(f"{exchange.path}: the body cannot be decoded from {coding!r}: {error}") from None


def _of_url(url: str, patience_s: float) -> Source:
    content_type, body = fetch("GET", url, patience_s=patience_s)
    path = urlsplit(url).path or "/"
    return Source({"matcher": {"path": path}, **answer_of(body, content_type, url)}, Path())


def fetch(
    method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b"", patience_s: float
) -> tuple[str, bytes]:
    """The media type and the body of an answer, as far as it comes in so much time. Raises `ConfigError`."""
    content, end = b"", time.monotonic() + patience_s
    try:
        with (
            httpx2.Client(timeout=patience_s, trust_env=False) as client,
            client.stream(method, url, headers=headers, content=body or None) as answer,
        ):
            if answer.status_code != 200:
                raise ConfigError(f"{url} answers with status {answer.status_code}")
            content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            # Of a stream that stays open, what comes until then is the content.
            with contextlib.suppress(httpx2.ReadTimeout):
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > MOST_BYTES or time.monotonic() > end:
                        break
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ConfigError(f"{url} cannot be read: {error or type(error).__name__}") from None
    return content_type, content


def answer_of(body: bytes, content_type: str, source: str) -> dict[str, Any]:
    """The answer of a mock that sends a body: its events one by one, or its text. Raises `ConfigError`."""
    text = decode(body, source)
    if content_type == EVENT_STREAM:
        events = [_literal_event(document(event)) for event in read_stream(text, source)]
        if not events:
            raise ConfigError(f"{source}: there are no events in it")
        return {"sse": {"events": events}}
    if not text:
        raise ConfigError(f"{source}: there is nothing in it")
    form = {"format": "ndjson"} if content_type == NDJSON or content_type.endswith(("jsonl", "ndjson")) else {}
    head = {"headers": {"Content-Type": content_type}} if content_type and not form else {}
    return {"chunked": {"data": literal(text), **form, **head}}


def literal(text: str) -> str:
    """A text in which nothing is filled in, as it is written in a mock file."""
    return text.replace("$", "$$")


def _literal_event(event: dict[str, Any]) -> dict[str, Any]:
    return {name: literal(value) if isinstance(value, str) else value for name, value in event.items()}
