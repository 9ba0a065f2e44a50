"""Files of events: a JSON list, NDJSON, or a recorded `text/event-stream`.

An item of a list, or a line of NDJSON, is an event if it is an object that has `data`, or that has only the keys of an
event. Any other item is the data of an event.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import structs

from mockd.config.conversion import convert
from mockd.config.documents import Document, decode, read_bytes
from mockd.config.models import EventConfig
from mockd.errors import ConfigError, Problem

_EVENT_KEYS = frozenset(EventConfig.__struct_encode_fields__)
_NDJSON_SUFFIXES = (".ndjson", ".jsonl")
_NDJSON_START = frozenset('{"-0123456789')
_FORMATS = "a file of events is a JSON list, NDJSON, or a `text/event-stream`"


def read_events(file: pathlib.Path) -> list[EventConfig]:
    """The events of a file. Raises `ConfigError` with file and line; for a list or NDJSON, with all wrong events."""
    text = decode(read_bytes(file), str(file))
    start = text.lstrip()[:1]
    if file.suffix.lower() in _NDJSON_SUFFIXES or start in _NDJSON_START:
        events = _read_lines(text, str(file))
    elif start == "[":
        events = _read_list(text, str(file))
    else:
        events = _read_stream(text, str(file))
    if not events:
        raise ConfigError(Problem("there are no events in it", hint=_FORMATS, source=str(file)))
    return events


def _read_list(text: str, source: str) -> list[EventConfig]:
    document = Document(text, source, "json")
    problems: list[Problem] = []
    events = []
    for index, item in enumerate(document.value):
        try:
            events.append(_event(item))
        except ConfigError as error:
            problems += [document.report(problem.under((index,))) for problem in error.problems]
    if problems:
        raise ConfigError(problems)
    return events


def _read_lines(text: str, source: str) -> list[EventConfig]:
    problems: list[Problem] = []
    events = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            document = Document(line, source, "json")
            events.append(_event(document.value, document.report))
        except ConfigError as error:
            problems += [structs.replace(problem, line=number) for problem in error.problems]
    if problems:
        raise ConfigError(problems)
    return events


def _event(item: Any, report: Callable[[Problem], Problem] = lambda problem: problem) -> EventConfig:
    if not isinstance(item, dict) or not item or ("data" not in item and not item.keys() <= _EVENT_KEYS):
        return EventConfig(data=item)
    try:
        return convert(item, EventConfig)
    except ConfigError as error:
        raise ConfigError([report(problem) for problem in error.problems]) from None


_LINE_END = r"\r\n|\n|\r"
_RETRY = r"[0-9]{1,15}"


def _read_stream(text: str, source: str) -> list[EventConfig]:
    """Parse as a client does (WHATWG HTML, section 9.2.6), with these exceptions: comments are kept, `id` and `retry`
    stay with the event that they were written in, and a last event needs no blank line after it."""
    events = []
    for number, block in _blocks(text):
        fields = _fields(block)
        if fields.keys() <= {"type"}:
            continue
        try:
            events.append(convert(fields, EventConfig))
        except ConfigError as error:
            raise ConfigError([problem.at(source, (number, 1)) for problem in error.problems]) from None
    return events


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """The blocks of lines between blank lines, each with the number of its first line."""
    block: list[str] = []
    for number, line in enumerate((*re.split(_LINE_END, text), ""), start=1):
        if line:
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _fields(block: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for line in block:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "" | "data":
                key = name or "comment"
                fields[key] = f"{fields[key]}\n{value}" if key in fields else value
            case "event":
                fields["type"] = value or None
            case "id" if "\0" not in value:
                fields["id"] = value
            case "retry" if re.fullmatch(_RETRY, value):
                fields["retry"] = int(value)
    return fields
