"""The lines of a `.stream.jsonl` file.

The first line of an exchange is an object: what is known when the request arrives. Each of the others is a list, for
one thing that happened: the microseconds since the line before, the kind, and what there is to say. What later versions
may add, unknown members and items, is kept, so that a file that is read and written again loses nothing.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, structs

from mockd.config.files import RECORDING_SUFFIX

SUFFIX = RECORDING_SUFFIX
VERSION = 1
VERSION_KEY = "mockd-stream"

Headers = list[tuple[str, str]]
"""Headers in order, with the case of their names. A byte is a character, as in latin-1."""

ENDS = ("complete", "closed", "reset", "timeout", "client", "error")
"""How an exchange ends."""


class Line(Struct, kw_only=True):
    """A line. `gap_us` are the microseconds since the line before. `more` are the members that are not known, `beyond`
    the items."""

    gap_us: int = 0
    more: dict[str, Any] = {}
    beyond: list[Any] = []

    @property
    def has_unknown(self) -> bool:
        return bool(self.more or self.beyond)


class Begun(Line):
    """The first line of an exchange: its request, without the body. `path` is the path for which the client asked, if
    it is not the path of `url`. `more_of_request` are the unknown members of `request`."""

    method: str
    url: str
    path: str = ""
    headers: Headers = []
    http_version: str = "1.1"
    recorded_at: str = ""
    version: int = VERSION
    more_of_request: dict[str, Any] = {}

    @property
    def has_unknown(self) -> bool:
        return bool(self.more or self.more_of_request)


class Piece(Line):
    """Bytes of a body, decoded from the transfer coding: one chunk, or what one read gave."""

    data: bytes


class Input(Piece):
    """Bytes of the request's body."""


class Output(Piece):
    """Bytes of the answer's body."""


class Head(Line):
    """Status and headers of the answer."""

    status: int
    headers: Headers = []
    reason: str = ""
    http_version: str = "1.1"


class Info(Line):
    """An informational answer (1xx), which comes before the head."""

    status: int
    headers: Headers = []
    reason: str = ""


class Trailers(Line):
    """Headers behind the body."""

    headers: Headers


class End(Line):
    """How the exchange ended: one of `ENDS`. `redacted` has the places of what was redacted, `decoded` the content
    coding that was taken off the answer's body, `decoded_request` the one that was taken off the request's, `text` what
    there is to say for people."""

    how: str
    text: str | None = None
    redacted: list[str] = []
    decoded: str | None = None
    decoded_request: str | None = None


class Other(Line):
    """A line of a kind that is not known, with all that stands behind the kind in `beyond`."""

    kind: str

    @property
    def has_unknown(self) -> bool:
        return True


class BrokenLineError(ValueError):
    """A line cannot be read."""


def decode(line: bytes) -> Line:
    """Read a line. Raises `BrokenLineError`."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenLineError(f"not JSON: {error}") from None
    if isinstance(value, dict):
        return _begun(value)
    if not isinstance(value, list):
        raise BrokenLineError("a line is an object or a list")
    return _happened(value)


def encode(line: Line) -> bytes:
    """Write a line, with the line break behind it."""
    return msgspec.json.encode(_first(line) if isinstance(line, Begun) else _items(line)) + b"\n"


def _begun(value: dict[str, Any]) -> Begun:
    rest = dict(value)
    version, request = rest.pop(VERSION_KEY, None), rest.pop("request", None)
    if not _is_whole(version) or version < 1:
        raise BrokenLineError(f"the first line of an exchange has {VERSION_KEY!r} with a version, such as {VERSION}")
    if not isinstance(request, dict):
        raise BrokenLineError("the first line of an exchange has an object 'request'")
    more = dict(request)
    return Begun(
        version=version,
        recorded_at=_text(rest, "recordedAt", ""),
        method=_text(more, "method"),
        url=_text(more, "url"),
        path=_text(more, "path", ""),
        http_version=_text(more, "httpVersion", "1.1"),
        headers=_headers(more.pop("headers", [])),
        more=rest,
        more_of_request=more,
    )


def _happened(items: list[Any]) -> Line:
    if len(items) < 2:
        raise BrokenLineError("a line that happened has its time and its kind")
    gap_us, kind, *rest = items
    if not _is_whole(gap_us) or gap_us < 0:
        raise BrokenLineError("its time is a whole number of microseconds since the line before, from 0")
    if not isinstance(kind, str):
        raise BrokenLineError("its kind is a text")
    if kind not in _READERS:
        return Other(gap_us=gap_us, kind=kind, beyond=rest)
    if not rest and kind != "end":
        raise BrokenLineError(f"there is nothing behind {kind!r}")
    line = _READERS[kind](rest)
    line.gap_us = gap_us
    return line


def _piece(kind: type[Piece], is_base64: bool) -> Callable[[list[Any]], Piece]:
    def read(rest: list[Any]) -> Piece:
        text, *beyond = rest
        if not isinstance(text, str):
            raise BrokenLineError("the bytes of a body are a text")
        if not is_base64:
            return kind(data=text.encode(), beyond=beyond)
        try:
            return kind(data=b64decode(text, validate=True), beyond=beyond)
        except (binascii.Error, ValueError) as error:
            raise BrokenLineError(f"not base64: {error}") from None

    return read


def _head(rest: list[Any]) -> Head:
    members, beyond = _object(rest)
    return Head(
        status=_status(members, range(200, 1000)),
        reason=_text(members, "reason", ""),
        http_version=_text(members, "httpVersion", "1.1"),
        headers=_headers(members.pop("headers", [])),
        more=members,
        beyond=beyond,
    )


def _info(rest: list[Any]) -> Info:
    members, beyond = _object(rest)
    return Info(
        status=_status(members, range(100, 200)),
        reason=_text(members, "reason", ""),
        headers=_headers(members.pop("headers", [])),
        more=members,
        beyond=beyond,
    )


def _trailers(rest: list[Any]) -> Trailers:
    members, beyond = _object(rest)
    return Trailers(headers=_headers(members.pop("headers", [])), more=members, beyond=beyond)


def _end(rest: list[Any]) -> End:
    how = rest[0] if rest else None
    if how not in ENDS:
        raise BrokenLineError(f"an exchange ends as one of: {', '.join(ENDS)}")
    members, beyond = _object(rest[1:] or [{}])
    redacted = members.pop("redacted", [])
    if not isinstance(redacted, list) or not all(isinstance(place, str) for place in redacted):
        raise BrokenLineError("'redacted' is a list of texts")
    return End(
        how=how,
        text=_text(members, "text", "") or None,
        redacted=redacted,
        decoded=_text(members, "decoded", "") or None,
        decoded_request=_text(members, "decodedRequest", "") or None,
        more=members,
        beyond=beyond,
    )


_READERS: dict[str, Callable[[list[Any]], Line]] = {
    "i": _piece(Input, False),
    "ib": _piece(Input, True),
    "o": _piece(Output, False),
    "ob": _piece(Output, True),
    "head": _head,
    "info": _info,
    "trailers": _trailers,
    "end": _end,
}


def _object(rest: list[Any]) -> tuple[dict[str, Any], list[Any]]:
    members, *beyond = rest
    if not isinstance(members, dict):
        raise BrokenLineError("there is no object behind its kind")
    return dict(members), beyond


def _text(members: dict[str, Any], name: str, default: str | None = None) -> str:
    value = members.pop(name, default)
    if not isinstance(value, str):
        raise BrokenLineError(f"{name!r} is {'missing' if value is None else 'no text'}")
    return value


def _status(members: dict[str, Any], allowed: range) -> int:
    status = members.pop("status", None)
    if not _is_whole(status) or status not in allowed:
        raise BrokenLineError(f"'status' is a number from {allowed.start} to {allowed.stop - 1}")
    return int(status)


def _headers(value: Any) -> Headers:
    try:
        headers = msgspec.convert(value, Headers)
        for name, content in headers:
            (name + content).encode("latin-1")
    except msgspec.ValidationError:
        raise BrokenLineError("'headers' is a list of pairs of texts") from None
    except UnicodeEncodeError:
        raise BrokenLineError("a character of a header is a byte: U+0000 to U+00FF") from None
    return headers


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _first(line: Begun) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": line.method,
        "url": line.url,
        "httpVersion": line.http_version,
        "headers": line.headers,
    }
    if line.path:
        request["path"] = line.path
    return {
        VERSION_KEY: line.version,
        "recordedAt": line.recorded_at,
        "request": request | line.more_of_request,
        **line.more,
    }


def _items(line: Line) -> list[Any]:
    match line:
        case Piece():
            return [line.gap_us, *_body("i" if isinstance(line, Input) else "o", line.data), *line.beyond]
        case Head():
            answer = {"status": line.status, "reason": line.reason, "httpVersion": line.http_version}
            return [line.gap_us, "head", {**answer, "headers": line.headers, **line.more}, *line.beyond]
        case Info():
            answer = {"status": line.status, "reason": line.reason, "headers": line.headers}
            return [line.gap_us, "info", {**answer, **line.more}, *line.beyond]
        case Trailers():
            return [line.gap_us, "trailers", {"headers": line.headers, **line.more}, *line.beyond]
        case End():
            said = {
                "text": line.text,
                "redacted": line.redacted,
                "decoded": line.decoded,
                "decodedRequest": line.decoded_request,
            }
            said = {name: value for name, value in said.items() if value}
            return [line.gap_us, "end", line.how, {**said, **line.more}, *line.beyond]
        case Other():
            return [line.gap_us, line.kind, *line.beyond]
    raise TypeError(f"no line that happens: {line!r}")


def _body(kind: str, data: bytes) -> tuple[str, str]:
    """A piece as text if it is UTF-8 by itself, otherwise in base64."""
    try:
        return kind, data.decode()
    except UnicodeDecodeError:
        return kind + "b", b64encode(data).decode()


def with_gap(line: Line, gap_us: int) -> Line:
    """The same line at another time."""
    return structs.replace(line, gap_us=gap_us)
