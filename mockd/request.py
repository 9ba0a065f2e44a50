"""Requests, as matching and sources see them."""

from __future__ import annotations

import codecs
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from functools import update_wrapper
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from mockd.errors import BodyTooLargeError, MockdError
from mockd.patterns import AT_ONCE, Effort
from mockd.patterns.effort import Allowance

Scope = MutableMapping[str, Any]
RawHeaders = list[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def in_origin_form(scope: Scope) -> Scope:
    """A request with the path of its target alone, if the server has left it as it came: a whole URL (RFC 9112, section
    3.2.2), in which there may be a password."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    if b"://" not in raw:
        return scope
    path = b"/" + raw.partition(b"#")[0].partition(b"://")[2].partition(b"/")[2]
    headers = named_by_target(list(scope["headers"]), raw)
    return {**scope, "raw_path": path, "path": unquote(path.decode("latin-1")), "headers": headers}


def named_by_target(headers: RawHeaders, target: bytes) -> RawHeaders:
    """The headers of a request with a target that does not begin with `/`. If it is a whole URL, that says the host,
    whatever `Host` says (RFC 9112, section 3.2.2)."""
    _, is_url, rest = target.partition(b"://")
    if not is_url:
        return headers
    authority = re.split(rb"[/?#]", rest, maxsplit=1)[0].rpartition(b"@")[2]
    named = [(name, authority if name == b"host" else value) for name, value in headers]
    return named if any(name == b"host" for name, _ in headers) else [(b"host", authority), *named]


class ClientGoneError(MockdError):
    """The client left before its request was complete."""

    code = "client_gone"


T = TypeVar("T")


class once(Generic[T]):  # used as a decorator
    """A property that is computed once. `functools.cached_property` takes a lock before Python 3.12."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        update_wrapper(self, work_out)  # type: ignore[arg-type]

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> T:
        value = instance.__dict__[self._name] = self._work_out(instance)
        return value


NOT_JSON = object()
"""The value of `RequestView.json` if the body is not JSON, or has too many values."""

LARGE_BODY = 32 * 1024
"""Size of a body, in bytes, above which it is not looked into in the event loop."""

MOST_VALUES = 250_000
"""Most values, in large bodies, that are read as JSON. To read them is one call, in which no other thread runs. They
are counted by commas and brackets."""


LAST_EVENT_ID = ("lastEventId", "last-event-id", "Last-Event-ID")
"""The query parameters in which clients that cannot set headers send the ID of the last event."""


IN_PATHS = "/:@!$&'()+*,;=~"
"""Characters that stay as they are in the path of a URL."""


def header_text(value: bytes) -> str:
    """The value of a header as text: UTF-8 if it is valid UTF-8, otherwise latin-1, in which every byte is a character.
    The standard allows any bytes (RFC 9110, section 5.5). `Last-Event-ID` is UTF-8 (WHATWG HTML, 9.2)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class UnreadBody:
    """The body of a request that is still on its way, read part by part as `receive` gives it, so that no more of it is
    held than the server has read ahead.

    `kept` are its first bytes, at most `most_kept`, and `size` is the number of all that came. `on_end` is called when
    no more comes.
    """

    def __init__(self, receive: Receive, most_kept: int, on_end: Callable[[UnreadBody], None]) -> None:
        self._receive = receive
        self._most_kept = most_kept
        self._on_end = on_end
        self.kept = bytearray()
        self.size = 0

    async def parts(self) -> AsyncIterator[bytes]:
        """Its parts, as they come. Raises `ClientGoneError`."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError("the client left before its request was complete")
            more = message.get("more_body", False)
            if part := message.get("body", b""):
                self.size += len(part)
                self.kept += part[: max(0, self._most_kept - len(self.kept))]
                yield part
        self._on_end(self)


class RequestView:
    """One HTTP request with its body. Headers, query and body are parsed when they are first needed.

    `path` is decoded, without the prefix under which the app is mounted, and without the segment that has the key.
    """

    key: str = ""
    """The key of the request, by which parallel users of one server are told apart; empty without one."""
    key_path: str = ""
    """The segment by which URLs carry the key, such as `/~t1`; empty without a key, or if no segment is one."""
    is_keyed: bool = False
    """Whether the request has a key, or should have one."""
    key_error: MockdError | None = None
    """The reason why the request has no key that can be used."""
    states: Mapping[str, str] | None = None
    """The states of scenarios, if they must stay the same while another thread looks for the mock."""
    passed_over: frozenset[object] = frozenset()
    """The choices of mocks that have no answer left for the request, although it seemed so."""
    unread: UnreadBody | None = None
    """The body, if the request is answered before all of it is there. `body` is empty then."""

    def __init__(self, scope: Scope, body: bytes = b"") -> None:
        self.scope = scope
        self.method: str = scope["method"]
        root: str = scope.get("root_path", "")
        path: str = scope["path"]
        self.path = path[len(root) :] or "/" if root and path.startswith(root) else path
        self.body = body
        self.raw_headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        """The first value of each header, by its name in lower case."""

    @once
    def effort(self) -> Effort:
        """The effort that looking into this request may take: little, unless `allow` was called."""
        return Effort(AT_ONCE)

    def allow(self, allowance: Allowance) -> None:
        """Set the effort that looking into this request may take from now on."""
        self.__dict__["effort"] = Effort(allowance)

    @once
    def headers(self) -> dict[str, list[str]]:
        """Header values by lower-case name, as text (see `header_text`), in the order in which they came."""
        headers: dict[str, list[str]] = {}
        for name, value in self.scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(header_text(value))
        return headers

    def header(self, name: str) -> str | None:
        """The first value of a header (its name in lower case), or None."""
        value = self.raw_headers.get(name.encode("latin-1"))
        return None if value is None else header_text(value)

    @once
    def query(self) -> dict[str, list[str]]:
        """The decoded query parameters. A name without a value has empty text."""
        query: dict[str, list[str]] = {}
        text = self.scope.get("query_string", b"").decode("latin-1")
        for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
            query.setdefault(name, []).append(value)
        return query

    @once
    def cookies(self) -> dict[str, str]:
        """The cookies (RFC 6265, section 4.2); of equal names the first counts, whose path is the longest."""
        cookies: dict[str, str] = {}
        for header in self.headers.get("cookie", ()):
            for pair in header.split(";"):
                name, mark, value = pair.partition("=")
                if mark:
                    cookies.setdefault(name.strip(), value.strip().strip('"'))
        return cookies

    @property
    def base(self) -> str:
        """The URL under which the mocks are for the request's key, without a slash at its end, as the client knows
        it."""
        return self._origin + quote(self.scope.get("root_path", ""), safe=IN_PATHS) + self.key_path

    @property
    def url(self) -> str:
        """The whole URL, as the client asked for it."""
        raw: bytes | None = self.scope.get("raw_path")
        path = quote(self.scope["path"], safe=IN_PATHS) if raw is None else raw.decode("latin-1")
        query: str = self.scope.get("query_string", b"").decode("latin-1")
        return self._origin + path + (f"?{query}" if query else "")

    @property
    def _origin(self) -> str:
        host, port = self.scope.get("server") or ("", None)
        host = f"[{host}]" if ":" in host else host
        server = "localhost" if port is None else f"{host}:{port}"  # without a port, it is a Unix socket
        return f"{self.scope.get('scheme', 'http')}://{self.header('host') or server}"

    @once
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        if len(self.body) <= _CHUNK:
            return self.body.decode("utf-8", "replace")
        # Other threads run between the chunks.
        chunks = (self.body[start : start + _CHUNK] for start in range(0, len(self.body), _CHUNK))
        return "".join(codecs.iterdecode(chunks, "utf-8", "replace"))

    @once
    def json(self) -> Any:
        """The body as JSON, or `NOT_JSON`."""
        if len(self.body) > LARGE_BODY and sum(map(self.body.count, _BEGINNINGS)) > MOST_VALUES:
            return NOT_JSON
        try:
            return msgspec.json.decode(self.body) if self.body else NOT_JSON
        except (msgspec.DecodeError, ValueError, RecursionError):
            return NOT_JSON

    @property
    def last_event_id(self) -> str | None:
        """The ID of the last event that the client has: of its header, or else of a query parameter; None without."""
        if header := self.raw_headers.get(b"last-event-id"):
            return header_text(header)
        for name in LAST_EVENT_ID:
            for value in self.query.get(name, ()):
                if value:
                    return header_text(value.encode("utf-8", "surrogateescape"))
        return None

    @property
    def client_ip(self) -> str | None:
        """The peer's address without its port, or None if the server does not know it."""
        client = self.scope.get("client")
        return client[0] if client else None


_MOST_DIGITS = 20
"""Digits of an announced length after which no more are read, as Python converts only so many. No limit is as long."""

_CHUNK = 1024 * 1024

_BEGINNINGS = (b",", b"[", b"{")
"""What stands before each value but those of members, and the first one."""

_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "DELETE")


async def read_request(scope: Scope, receive: Receive, most: int) -> RequestView:
    """Read a request with its whole body. Raises as `read_body` does."""
    request = RequestView(scope)
    await read_body(request, receive, most)
    return request


async def read_body(request: RequestView, receive: Receive, most: int) -> None:
    """Read the whole body of a request. Raises `BodyTooLargeError` as soon as it passes `most` bytes, and
    `ClientGoneError`."""
    announced = request.raw_headers.get(b"content-length")
    if announced is not None and announced.isdigit() and (size := int(announced[:_MOST_DIGITS])) > most:
        raise BodyTooLargeError(f"the request body has {size} bytes; the limit is {most}")
    has_body = announced is not None or b"transfer-encoding" in request.raw_headers
    # Since HTTP/2, a body needs no header that announces it. Not every server then says that there is no body, so mockd
    # does not wait for one with these methods, whose requests hardly ever have a body.
    is_told = request.scope.get("http_version", "1.1") in ("1.0", "1.1")
    if not has_body and (is_told or request.method in _WITHOUT_BODY):
        return
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError("the client left before its request was complete")
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise BodyTooLargeError(f"the request body has more than {most} bytes")
        parts.append(part)
        more = message.get("more_body", False)
    request.body = parts[0] if len(parts) == 1 else b"".join(parts)
