"""A recording as a mock in the configuration's words: its events as raw text, to be edited."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mockd.recordings.events import SSE, Seen, events_of, fields_of, kind_of
from mockd.recordings.lines import Headers
from mockd.recordings.reading import Exchange
from mockd.recordings.searching import is_filling

LEFT_OUT = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of an answer that are about its connection or its moment, so that a mock has its own."""

_ADDED = ("Cache-Control", "X-Accel-Buffering")
"""Headers that a stream of mockd's has unless its mock says otherwise."""

_FAULTS = {"complete": None, "client": None, "reset": "reset", "timeout": "stall"}
"""What happens behind the last event, by how the recording ended; otherwise `close`."""


def mock_of(exchange: Exchange) -> dict[str, Any]:
    """The mock that sends what was recorded, at the same times, and ends as it ended."""
    url = urlsplit(exchange.begun.url)
    matcher: dict[str, Any] = {"method": exchange.begun.method, "path": unquote(url.path) or "/"}
    query = {
        name: value
        for name, value in parse_qsl(url.query, keep_blank_values=True)
        if f"query:{name.lower()}" not in exchange.redacted and not is_filling(value)
    }
    if query:
        matcher["queryParams"] = query
    events = list(_events(exchange))
    mock: dict[str, Any] = {"description": f"Recorded from {url.scheme}://{url.netloc}.", "matcher": matcher}
    if not events:
        return mock | _without_body(exchange)
    assert exchange.head is not None
    mock["sse"] = {"status": exchange.head.status, "headers": _headers(exchange), "events": events}
    if faults := _faults(exchange, sum(event.get("count", 1) for event in events)):
        mock["faults"] = faults
    return mock


def _without_body(exchange: Exchange) -> dict[str, Any]:
    if exchange.head is None:
        return {"response": {"status": 502}, "faults": ["reset before head"]}
    answer = {"response": {"status": exchange.head.status, "headers": _kept(exchange.head.headers), "body": ""}}
    return answer if exchange.how in ("complete", "client") else {**answer, "faults": ["reset before head"]}


def _events(exchange: Exchange) -> Any:
    """The raw events, each with the pause before it."""
    is_sse = kind_of(exchange) == SSE
    before_us = exchange.head_us or 0
    for event in events_of(exchange):
        if event.raw:
            yield _raw(event, max(0, event.at_us - before_us), is_sse)
            before_us = event.at_us


def _raw(event: Seen, pause_us: int, is_sse: bool) -> dict[str, Any]:
    try:
        written: dict[str, Any] = {"raw": event.raw.decode()}
    except UnicodeDecodeError:
        written = {"rawBase64": b64encode(event.raw).decode()}
    if is_sse:
        fields = fields_of(event.raw)
        if fields.id is not None:
            written["id"] = fields.id
        if fields.data is None:
            written["count"] = 0
    written["delay"] = pause_us / 1000
    return written


def _headers(exchange: Exchange) -> dict[str, Any]:
    assert exchange.head is not None
    headers = _kept(exchange.head.headers)
    if exchange.end is not None and exchange.end.decoded:
        headers = {name: value for name, value in headers.items() if name.lower() != "content-encoding"}
    names = {name.lower() for name in headers}
    if "content-type" not in names:
        headers["Content-Type"] = {"omit": True}
    return headers | {name: {"omit": True} for name in _ADDED if name.lower() not in names}


def _kept(headers: Headers) -> dict[str, Any]:
    """Headers of an answer as a mock has them. What would be an expression there cannot be said in a mock."""
    kept: dict[str, Any] = {}
    for name, value in headers:
        if name.lower() in LEFT_OUT or "{{" in value or "{%" in value:
            continue
        kept[name] = value if name not in kept else [*_listed(kept[name]), value]
    return kept


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _faults(exchange: Exchange, events: int) -> list[str]:
    action = _FAULTS.get(exchange.how, "close")
    return [] if action is None else [f"{action} after {events} events"]
