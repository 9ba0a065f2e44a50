"""The heads of relayed requests and answers: what a relay must take off or change, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from urllib.parse import quote, unquote

from mockd.request import IN_PATHS, RequestView
from mockd.targets import Route

Headers = Sequence[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Names of headers that are about one connection (RFC 9110, sections 7.6.1 and 11.7), besides those that `Connection`
itself names."""
_OWN = b"x-mockd-"
"""What the names of mockd's own headers begin with."""
IDENTITY = b"identity"


def path_of(request: RequestView, route: Route) -> str:
    """The path and query to ask for: those of the request as they came, without the prefix under which the app is
    mounted, without the segment that has the key, and without the route's prefix."""
    scope = request.scope
    raw: bytes | None = scope.get("raw_path")
    path = quote(scope["path"], safe=IN_PATHS) if raw is None else raw.decode("latin-1")
    root: str = quote(scope.get("root_path", ""), safe=IN_PATHS)
    path = path.removeprefix(root)
    if request.key and scope["path"].removeprefix(scope.get("root_path", "")) != request.path:
        _, slash, rest = path.removeprefix("/").partition("/")
        path = slash + rest
    path = path.removeprefix(route.prefix)
    query: str = scope.get("query_string", b"").decode("latin-1")
    return (route.target.path + path or "/") + (f"?{query}" if query else "")


def climbs(path: str) -> bool:
    """Whether a path has a segment `..`, in whatever spelling, by which servers leave the path before it."""
    return ".." in re.split(r"[/\\]", unquote(path.partition("?")[0]))


def request_headers(
    request: RequestView, head: bytes | None, route: Route, *, key_header: bytes, passes_encodings: bool
) -> list[tuple[bytes, bytes]]:
    """The headers of a request as the target gets them, in the order and spelling in which they came, so far as `head`,
    the head as it came, tells. The target is asked for no content coding, unless `passes_encodings` is true."""
    # Some servers leave the space behind a value, which is no part of it (RFC 9112, section 5.1).
    headers = [(name, value.strip(b" \t")) for name, value in request.scope["headers"]]
    gone = {*HOP_BY_HOP, *_named_in(value for name, value in headers if name == b"connection"), key_header}
    gone.discard(b"content-length")  # which is about the body, whatever `Connection` says
    authority = route.target.authority.encode()
    sent: list[tuple[bytes, bytes]] = []
    names = {name for name, _ in headers}
    if b"host" not in names:
        sent.append((b"Host", authority))
    for spelled, value in _as_sent(headers, head):
        name = spelled.lower()
        if name == b"host":
            if all(known.lower() != b"host" for known, _ in sent):
                sent.append((spelled, authority))
        elif name == b"accept-encoding" and not passes_encodings:
            if all(known.lower() != name for known, _ in sent):
                sent.append((spelled, IDENTITY))
        elif name not in gone and not name.startswith(_OWN):
            sent.append((spelled, value))
    if b"accept-encoding" not in names and not passes_encodings:
        sent.append((b"Accept-Encoding", IDENTITY))
    if b"transfer-encoding" in names:
        sent = [header for header in sent if header[0].lower() != b"content-length"]
        sent.append((b"Transfer-Encoding", b"chunked"))
    takes_trailers = any(b"trailers" in value.lower() for name, value in headers if name == b"te")
    if takes_trailers:
        sent.append((b"TE", b"trailers"))
    sent.append((b"Connection", b"close, TE" if takes_trailers else b"close"))
    return sent


def answer_headers(headers: Headers, status: int = 200) -> tuple[tuple[str, str], ...]:
    """The headers of an answer, or of its trailers, as the client gets them."""
    gone = {*HOP_BY_HOP, *_named_in(value for name, value in headers if name.lower() == b"connection")}
    if any(name.lower() == b"transfer-encoding" for name, _ in headers):
        gone.add(b"content-length")  # of the two, this one does not count (RFC 9112, section 6.3)
    kept = [header for header in headers if header[0].lower() not in gone]
    if status == HTTPStatus.RESET_CONTENT:  # whose body is left out, for which clients would wait
        kept = [(name, b"0" if name.lower() == b"content-length" else value) for name, value in kept]
    return decoded(kept)


def reason_of(status: int, reason: str, http_version: str) -> str:
    """The reason phrase that the client gets: the target's, or the standard's if that has spoken HTTP/2, in which there
    are none."""
    if reason or http_version != "2":
        return reason
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def decoded(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Headers as text, in which each character is a byte."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _named_in(values: Iterable[bytes]) -> set[bytes]:
    return {name.strip().lower() for value in values for name in value.split(b",")}


def _as_sent(headers: Sequence[tuple[bytes, bytes]], head: bytes | None) -> Headers:
    """Headers in the order and the spelling in which the client has sent them, if they are those of `head`. A server
    may spell all names in lower case, and put `Host` first."""
    if head is None:
        return headers
    lines = (line.partition(b":") for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:])
    sent = [(name, value.strip(b" \t")) for name, _, value in lines]
    return sent if sorted((name.lower(), value) for name, value in sent) == sorted(headers) else headers
