"""The journal as others see it: its entries as JSON objects without credentials, and the filters that choose some."""

from __future__ import annotations

import codecs
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, get_args
from urllib.parse import parse_qsl

from mockd.clock import rfc3339
from mockd.errors import ConfigError
from mockd.journal import redaction
from mockd.journal.exchange import Exchange, Outcome
from mockd.journal.journal import Asked, Parsed
from mockd.request import header_text

AGAIN_S = 60.0
"""Time, in seconds, within which the same request counts as another attempt."""


def entries(
    requests: Sequence[Asked], is_shown: Callable[[Asked], bool], *, keeps_secrets: bool
) -> Iterator[dict[str, Any]]:
    """The entries of the requests that are shown. `requests` are all that there are, by which attempts are counted."""
    seen: dict[tuple[object, ...], tuple[float, int]] = {}
    for asked in requests:
        exchange = asked.exchange
        same = (exchange.key, exchange.method, exchange.path, asked.body, asked.body_bytes)
        since, attempts = seen.get(same, (0.0, 0))
        attempt = attempts + 1 if exchange.arrived - since <= AGAIN_S else 1
        seen[same] = (exchange.arrived, attempt)
        if is_shown(asked):
            yield _entry(asked, attempt, keeps_secrets)


def parsed(asked: Asked) -> Parsed:
    """The raw path, the query and the headers of a request, their names as they came if that is known."""
    if asked.parsed is not None:
        return asked.parsed
    request_line, *lines = asked.head.lstrip(b"\r\n").partition(b"\r\n\r\n")[0].split(b"\r\n")
    _, target, _ = request_line.split(b" ", 2)
    if not target.startswith(b"/"):  # a whole URL (RFC 9112, section 3.2.2), or `*`
        target = target.partition(b"://")[2].partition(b"/")[2] if b"://" in target else target
        target = target if target == b"*" else b"/" + target
    path, _, query = target.partition(b"#")[0].partition(b"?")
    headers = [(name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)]
    return path, query, headers


def _entry(asked: Asked, attempt: int, keeps_secrets: bool) -> dict[str, Any]:
    exchange = asked.exchange
    exchange.look()
    path, raw_query, raw_headers = parsed(asked)
    headers = [(name.decode("latin-1"), header_text(value)) for name, value in raw_headers]
    query = parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True, errors="replace")
    if not keeps_secrets:
        headers = [(name, redaction.header(name, value)) for name, value in headers]
        query = [(name, redaction.parameter(name, value)) for name, value in query]
    optional = {
        "mockId": exchange.mock_id,
        "entry": exchange.entry,
        "nearMisses": exchange.near_misses,
        "connectionId": exchange.id if exchange.is_listed else None,
        "resumedFrom": exchange.resumed_from,
    }
    return {
        "id": exchange.request_id,
        "time": rfc3339(exchange.connected_at, "milliseconds"),
        "key": exchange.key,
        "method": exchange.method,
        "path": exchange.path,
        "rawPath": path.decode("latin-1"),
        "query": query,
        "headers": headers,
        **_body(asked, keeps_secrets),
        "bodyBytes": asked.body_bytes,
        "bodyCut": len(asked.body) != asked.body_bytes,
        "clientIp": exchange.client_ip,
        **{name: value for name, value in optional.items() if value is not None},
        "status": exchange.http_status or None,
        "eventsSent": exchange.events_sent,
        "bytesSent": exchange.bytes_sent,
        "firstByteMs": _since(exchange.arrived, exchange.first_byte),
        "lastByteMs": _since(exchange.arrived, exchange.last_byte),
        "lateness": None if exchange.lateness is None else exchange.lateness.to_json(),
        "faults": exchange.faults or [],
        "outcome": exchange.outcome,
        "endedBy": exchange.ended_by,
        "attempt": attempt,
    }


def _since(arrived: float, moment: float) -> float | None:
    return round((moment - arrived) * 1000, 3) if moment else None


def _body(asked: Asked, keeps_secrets: bool) -> dict[str, str]:
    body, is_cut = asked.body, len(asked.body) != asked.body_bytes
    try:
        # What was cut may end inside a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(body, final=not is_cut)
    except UnicodeDecodeError:
        if not keeps_secrets:
            body = redaction.body(body.decode("latin-1")).encode("latin-1", "backslashreplace")
        return {"bodyBase64": b64encode(body).decode()}
    return {"body": text if keeps_secrets else redaction.body(text)}


# -- filters -----------------------------------------------------------------------------------------------------------


class Filter(NamedTuple):
    """A way to choose requests: the type of its value, what it means, how the value is read from text, and whether a
    request fits it. `read` raises `ValueError` with what is wrong."""

    type: Any
    meaning: str
    read: Callable[[str], Any]
    holds: Callable[[Exchange, Any], bool]


def _moment(text: str) -> float:
    try:
        # A plus sign that nobody has encoded is a space in a query.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise ValueError(f"{text!r} is no time of RFC 3339, such as 2024-01-15T10:30:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; for UTC it ends in Z")
    return moment.timestamp()


def _status(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == 3):
        raise ValueError(f"{text!r} is no HTTP status")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _outcome(text: str) -> str:
    if text not in get_args(Outcome):
        raise ValueError(f"{text!r} is none of {', '.join(get_args(Outcome))}")
    return text


FILTERS: Mapping[str, Filter] = {
    "key": Filter(str, "Requests of this key.", str, lambda exchange, key: exchange.key == key),
    "mock": Filter(str, "Requests that this mock answered.", str, lambda exchange, id_: exchange.mock_id == id_),
    "method": Filter(str, "Requests with this method.", str.upper, lambda exchange, method: exchange.method == method),
    "path": Filter(str, "Requests for this path.", str, lambda exchange, path: exchange.path == path),
    "status": Filter(
        int,
        "Requests answered with this status.",
        _status,
        lambda exchange, status: exchange.http_status == status,
    ),
    "matched": Filter(
        bool, "Whether a mock answered.", _flag, lambda exchange, is_it: (exchange.mock_id is not None) is is_it
    ),
    "outcome": Filter(
        Outcome, "Requests that ended so.", _outcome, lambda exchange, outcome: exchange.outcome == outcome
    ),
    "since": Filter(
        str,
        "Requests that came at this time (RFC 3339) or later.",
        _moment,
        lambda exchange, since: exchange.connected_at >= since,
    ),
    "until": Filter(
        str,
        "Requests that came before this time (RFC 3339).",
        _moment,
        lambda exchange, until: exchange.connected_at < until,
    ),
}


def filter_of(given: Mapping[str, str]) -> Callable[[Exchange], bool]:
    """Whether a request fits all filters that are given by their names. Raises `ConfigError`."""
    tests: list[tuple[Callable[[Exchange, Any], bool], Any]] = []
    for name, text in given.items():
        try:
            tests.append((FILTERS[name].holds, FILTERS[name].read(text)))
        except ValueError as error:
            raise ConfigError(f"query parameter `{name}`: {error}") from None
    return lambda exchange: all(holds(exchange, value) for holds, value in tests)
