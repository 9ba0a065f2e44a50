"""The mocks of recordings: one for each request that was recorded, with the answers to it in the order recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from mockd.config.load import MockSpec, Origin, parse_saved
from mockd.config.models import METHODS
from mockd.errors import ConfigError
from mockd.matching.recorded import Redacted, Steps, comparable, ignored_steps
from mockd.recordings.lines import SUFFIX
from mockd.recordings.reading import Exchange
from mockd.recordings.searching import pieces_of
from mockd.settings import Settings, spelling
from mockd.sources.recording import exchanges_in

MOST_ANSWERS = 1000
"""Most recorded answers to one request; those behind them are left out."""
_NOT_LITERAL = frozenset("{}*")
_LONGEST_ID = 150
_ANY = ["REDACTED"]
"""Values of a query parameter that was redacted."""


def replaying(files: Sequence[Path], settings: Settings) -> list[MockSpec]:
    """The mocks that play these recordings. Raises `ConfigError`."""
    matched = [part.strip() for part in settings.match.split(",")]
    ignored = [_steps(text) for text in settings.ignore_body]
    answers: dict[bytes, list[tuple[Path, dict[str, Any]]]] = {}
    for file in files:
        for number, exchange in enumerate(exchanges_in(file), start=1):
            matcher: dict[str, Any] = _matcher(exchange, matched, ignored)
            if "body" in matcher.get("recorded", {}) and ignored:
                matcher["recorded"]["ignore"] = list(settings.ignore_body)
            key = msgspec.json.encode([str(file.parent), matcher], order="deterministic")
            answers.setdefault(key, []).append((file, _answer(file, exchange, number)))
    ids: set[str] = set()
    return [_spec(msgspec.json.decode(key)[1], found[:MOST_ANSWERS], ids) for key, found in answers.items()]


def _steps(text: str) -> Steps:
    try:
        return ignored_steps(text)
    except ConfigError as error:
        raise ConfigError(
            f"{spelling('ignore_body')}: {error.problems[0].message}", hint=error.problems[0].hint
        ) from None


def _spec(matcher: dict[str, Any], answers: Sequence[tuple[Path, dict[str, Any]]], ids: set[str]) -> MockSpec:
    first = answers[0][0]
    doc: dict[str, Any] = {"id": _new_id(first, ids), "name": _name(matcher), "matcher": matcher}
    if len(answers) == 1:
        doc |= answers[0][1]
    else:
        doc["responses"] = [answer for _, answer in answers]
    return parse_saved(doc, root=first.parent, origin=Origin(source=str(first)), environ={})


def _new_id(file: Path, taken: set[str]) -> str:
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", file.name.removesuffix(SUFFIX))[:_LONGEST_ID] or "recording"
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    new = next(id_ for id_ in candidates if id_ not in taken)
    taken.add(new)
    return new


def _name(matcher: dict[str, Any]) -> str:
    return f"{matcher.get('method', 'any')} {matcher.get('path') or matcher.get('pathPattern', '*')}"


def _answer(file: Path, exchange: Exchange, number: int) -> dict[str, Any]:
    said = {} if exchange.head is None else {name.lower(): value for name, value in exchange.head.headers}
    is_sse = said.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream"
    config: dict[str, Any] = {"recording": file.name}
    if number > 1:
        config["replay"] = {"exchange": number}
    return {"sse" if is_sse else "chunked": config}


# -- what must be the same ---------------------------------------------------------------------------------------------


def _matcher(exchange: Exchange, matched: Sequence[str], ignored: Sequence[Steps]) -> dict[str, Any]:
    begun, url = exchange.begun, urlsplit(exchange.begun.url)
    path = unquote(begun.path or url.path or "/") if "path" in matched else None
    matcher: dict[str, Any] = {"path": "*"} if path is None else dict(_path(path))
    if "method" in matched and begun.method.upper() in METHODS:
        matcher["method"] = begun.method.upper()
    places = [place for place in sorted(exchange.redacted) if place.partition(":")[0] in ("query", "url", "input")]
    recorded: dict[str, Any] = {}
    if "query" in matched:
        redacted = Redacted(places, "query", "url")
        recorded["query"] = {
            name: _ANY if name in redacted else list(map(redacted.comparable, values))
            for name, values in _query(url.query)
        }
    if "body" in matched and (body := _json(exchange)) is not None:
        recorded["body"] = comparable(body[0], ignored, Redacted(places, "input"))
    if recorded:
        matcher["recorded"] = {**recorded, "redacted": places} if places else recorded
    return matcher


def _path(path: str) -> Iterator[tuple[str, Any]]:
    """The criterion of a path, in which redacted parts stand for any others."""
    pieces = pieces_of(path)
    if len(pieces) == 1 and not _NOT_LITERAL & set(path):
        yield "path", path
    else:
        yield "pathPattern", "^" + ".*".join(map(re.escape, pieces)) + "$"


def _query(text: str) -> Iterable[tuple[str, list[str]]]:
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return query.items()


def _json(exchange: Exchange) -> tuple[Any] | None:
    """The JSON body of a request; None if it has none."""
    if not exchange.input_bytes:
        return None
    try:
        return (msgspec.json.decode(exchange.input()),)
    except (msgspec.DecodeError, RecursionError):
        return None
