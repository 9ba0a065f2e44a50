"""HTTP Archives (HAR 1.2), as browsers and proxies write them.

An archive has no place for pieces, times and ends. Where other tools have such in members of their own, these are read
and written: `_eventSourceMessages` (Chrome's export), `_chunks` (chrome-har). A body in a content coding is there
without it, as browsers write it. The rest, which nobody else has, is in `_mockd`, so that a recording that goes through
an archive and back is the same.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

import mockd
from mockd.clock import rfc3339
from mockd.errors import ConfigError
from mockd.recordings.codings import coding_of
from mockd.recordings.conversions.bodies import Say, mended, mistake, plain, plain_pieces
from mockd.recordings.events import SSE, events_in, fields_of, header, kind_of, kind_of_type
from mockd.recordings.lines import (
    Begun,
    BrokenLineError,
    End,
    Head,
    Headers,
    Input,
    Line,
    Output,
    Piece,
    decode,
    encode,
)
from mockd.recordings.reading import Exchange
from mockd.recordings.rewriting import Story

_OWN = "_mockd"
_PATH = "_mockdPath"
"""The path that the client asked for, if it is not the URL's."""
_NO_HEAD = 0


def read(content: bytes, say: Say) -> Iterator[Story]:
    """The exchanges of an archive. Raises `ConfigError` if it is none."""
    try:
        log = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))["log"]
        entries, pages = log["entries"], log.get("pages") or []
        starts = {page["id"]: _seconds(page["startedDateTime"]) for page in pages}
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"not an HTTP Archive: {mistake(error)}") from None
    for number, entry in enumerate(entries):
        try:
            yield _story(entry, starts, say)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"entry {number} is not as it should be: {mistake(error)}") from None


def _story(entry: dict[str, Any], pages: dict[str, float], say: Say) -> Story:
    request, response = entry["request"], entry["response"]
    begun = Begun(
        method=request["method"],
        url=request["url"],
        http_version=_version(request.get("httpVersion")),
        headers=_headers(request),
        recorded_at=entry.get("startedDateTime", ""),
        path=request.get(_PATH) or "",
    )
    sent = _request_body(request.get("postData") or {})
    content = response.get("content") or {}
    body = _text(content)
    own = entry.get(_OWN)
    if own is not None and (happened := _own_lines(own, sent, body)) is not None:
        return Story(begun, happened)
    timings = entry.get("timings") or {}
    head_us = _us(sum(max(0, timings.get(name) or 0) for name in ("blocked", "dns", "connect", "send", "wait")))
    if not response.get("status"):
        return Story(begun, [*_input(sent), (head_us, End(how="error", text=response.get("_error") or None))])
    head = Head(
        status=response["status"],
        reason=response.get("statusText") or "",
        http_version=_version(response.get("httpVersion")),
        headers=_headers(response),
    )
    pieces = list(_pieces(entry, _unmistaken(head, body), head_us, pages, say))
    body = b"".join(data for _, data in pieces)
    if not body and (content.get("size") or 0) > 0:
        say("the archive was made without the bodies of answers")
    head, decoded = mended(head, body)
    end_us = max([head_us + _us(max(0, timings.get("receive") or 0)), *(at_us for at_us, _ in pieces)])
    how = "error" if response.get("_error") else "complete"
    end = End(how=how, decoded=decoded, text=response.get("_error") or None)
    outputs: list[tuple[int, Line]] = [(at_us, Output(data=data)) for at_us, data in pieces]
    return Story(begun, [*_input(sent), (head_us, head), *outputs, (end_us, end)])


def _input(sent: bytes) -> list[tuple[int, Line]]:
    return [(0, Input(data=sent))] if sent else []


def _pieces(
    entry: dict[str, Any], body: bytes, head_us: int, pages: dict[str, float], say: Say
) -> Iterator[tuple[int, bytes]]:
    """The pieces of the body with their times, as far as the archive has them."""
    chunks, messages = entry.get("_chunks"), entry.get("_eventSourceMessages")
    start = _seconds(entry["startedDateTime"]) if entry.get("startedDateTime") else 0.0
    if chunks and sum(chunk["bytes"] for chunk in chunks) == len(body):
        # The times are from the page's beginning, if there is a page.
        before_ms = (start - pages.get(entry.get("pageref", ""), start)) * 1000
        at = 0
        for chunk in chunks:
            yield max(head_us, _us(chunk["ts"] - before_ms)), body[at : at + chunk["bytes"]]
            at += chunk["bytes"]
    elif messages:
        blocks = [_block(message) for message in messages]
        if body:
            say("the times of the pieces are those of the messages, whose framing is not in the archive")
        for message, block in zip(messages, blocks, strict=True):
            yield max(head_us, _us((float(message["time"]) - start) * 1000)), block
    elif body:
        say("the archive says nothing of the pieces in which answers came, and of their times")
        yield head_us, body


def _block(message: dict[str, Any]) -> bytes:
    """A message of an event stream, framed in the usual way."""
    lines = [f"event: {message['eventName']}"] if message.get("eventName") not in ("", None, "message") else []
    lines += [f"id: {message['eventId']}"] if message.get("eventId") else []
    lines += [f"data: {line}" for line in str(message.get("data", "")).split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def _request_body(data: dict[str, Any]) -> bytes:
    if data.get("encoding") == "base64" or data.get("_encoding") == "base64":
        return b64decode(data["text"])
    return str(data.get("text") or "").encode("utf-8", "surrogatepass")


def _text(content: dict[str, Any]) -> bytes:
    text = content.get("text") or ""
    try:
        return b64decode(text) if content.get("encoding") == "base64" else text.encode("utf-8", "surrogatepass")
    except binascii.Error:
        raise ValueError("the content is not base64") from None


def _unmistaken(head: Head, body: bytes) -> bytes:
    """The bytes of an event stream that Chromium took for windows-1252, as it does if the head names no charset. Event
    streams are in UTF-8 always."""
    if body.isascii() or header(head.headers, "content-type").strip().lower() != "text/event-stream":
        return body
    try:
        meant = b"".join(char.encode("cp1252" if char > "\xff" else "latin-1") for char in body.decode())
        meant.decode()
    except UnicodeError:
        return body
    return meant


def _headers(message: dict[str, Any]) -> Headers:
    """The headers, without those that HTTP/2 has for the first line."""
    pairs = [(header["name"], header["value"]) for header in message.get("headers") or []]
    return [(name, _latin(value)) for name, value in pairs if not name.startswith(":")]


def _latin(value: str) -> str:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode().decode("latin-1")
    return value


def _version(text: str | None) -> str:
    text = (text or "").lower()
    return {"h2": "2", "h3": "3", "http/2.0": "2", "http/2": "2", "http/3": "3"}.get(
        text, text.removeprefix("http/")
    ) or "1.1"


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _us(ms: float) -> int:
    return round(ms * 1000)


def write(exchanges: Iterable[Exchange], say: Say) -> str:
    """An archive of exchanges."""
    entries = [_entry(exchange) for exchange in exchanges]
    creator = {"name": "mockd", "version": mockd.__version__}
    log = {"version": "1.2", "creator": creator, "pages": [], "entries": entries}
    return msgspec.json.format(msgspec.json.encode({"log": log}), indent=2).decode() + "\n"


def _entry(exchange: Exchange) -> dict[str, Any]:
    begun, head = exchange.begun, exchange.head
    output, coding = plain_pieces(exchange)
    body = b"".join(data for _, data in output)
    size = sum(len(data) for _, data in exchange.output())
    is_stored_plain = exchange.end is not None and exchange.end.decoded is not None
    head_us = exchange.head_us or 0
    started = begun.recorded_at or rfc3339(0, "milliseconds")
    url = urlsplit(begun.url)
    sent = exchange.input()
    headers = head.headers if head is not None else []
    entry: dict[str, Any] = {
        "startedDateTime": started,
        "time": exchange.duration_us / 1000,
        "request": {
            "method": begun.method,
            "url": begun.url,
            "httpVersion": f"HTTP/{begun.http_version}",
            "cookies": [],
            "headers": _named(begun.headers),
            "queryString": _named(parse_qsl(url.query, keep_blank_values=True)),
            "headersSize": -1,
            "bodySize": len(sent),
        },
        "response": {
            "status": head.status if head is not None else _NO_HEAD,
            "statusText": head.reason if head is not None else "",
            "httpVersion": f"HTTP/{head.http_version if head is not None else begun.http_version}",
            "cookies": [],
            "headers": _named(headers),
            "content": {
                "size": len(body),
                **({"compression": len(body) - size} if coding else {}),
                "mimeType": header(headers, "content-type"),
                **_encoded(body),
            },
            "redirectURL": header(headers, "location"),
            "headersSize": -1,
            "bodySize": -1 if is_stored_plain else size,
        },
        "cache": {},
        "timings": {"send": 0, "wait": head_us / 1000, "receive": (exchange.duration_us - head_us) / 1000},
        "_chunks": [{"ts": at_us / 1000, "bytes": len(data)} for at_us, data in output],
        _OWN: [_short(line, is_coded=coding is not None) for _, line in exchange.happened()],
    }
    if begun.path:
        entry["request"][_PATH] = begun.path
    if sent:
        entry["request"]["postData"] = {"mimeType": header(begun.headers, "content-type"), **_encoded(sent)}
    if (kind_of(exchange) if coding is None else kind_of_type(header(headers, "content-type"))) == SSE:
        entry["_eventSourceMessages"] = list(_messages(output, _seconds(started)))
    return entry


def _messages(output: Iterable[tuple[int, bytes]], start: float) -> Iterator[dict[str, Any]]:
    last_id = ""
    for event in events_in(output, SSE):
        fields = fields_of(event.raw)
        last_id = last_id if fields.id is None else fields.id
        if fields.data is not None:
            name = fields.type or "message"
            yield {"time": start + event.at_us / 1e6, "eventName": name, "eventId": last_id, "data": fields.data}


def _named(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _encoded(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"text": b64encode(data).decode(), "encoding": "base64"}


def _short(line: Line, *, is_coded: bool) -> Any:
    """A line without the bytes of its piece, of which only the number is there; but with those of an answer that is in
    the archive without its coding."""
    if isinstance(line, Piece) and not (is_coded and isinstance(line, Output)):
        return [line.gap_us, "i" if isinstance(line, Input) else "o", len(line.data), *line.beyond]
    return msgspec.json.decode(encode(line))


def _own_lines(own: list[Any], sent: bytes, body: bytes) -> list[tuple[int, Line]] | None:
    """The lines of a recording that went through an archive, or None if its bodies were changed there."""
    happened: list[tuple[int, Line]] = []
    at_us, left = 0, {"i": sent, "o": body}
    coding, coded = "", b""
    for items in own:
        gap_us, kind, *rest = items
        at_us += gap_us
        if kind in left and isinstance(rest[0], int):
            data, left[kind] = left[kind][: rest[0]], left[kind][rest[0] :]
            if len(data) != rest[0]:
                return None
            happened.append((at_us, (Input if kind == "i" else Output)(data=data, beyond=rest[1:])))
            continue
        try:
            line = decode(msgspec.json.encode(items))
        except BrokenLineError:
            return None
        happened.append((at_us, line))
        coding = coding_of(line.headers) if isinstance(line, Head) else coding
        coded += line.data if isinstance(line, Output) else b""
    if coded and plain(coded, coding) == body:
        left["o"] = b""
    return None if any(left.values()) else happened
