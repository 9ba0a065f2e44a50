"""Files of events: a JSON list, NDJSON, or a recorded `text/event-stream`; and the bytes of a file, event by event.

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
from mockd.errors import MAX_PROBLEMS, ConfigError, Problem

_RAW_KEYS = frozenset({"raw", "rawBase64"})
_EVENT_KEYS = frozenset(EventConfig.__struct_encode_fields__)
_FRAMED_KEYS = _EVENT_KEYS - _RAW_KEYS - {"count"}
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
        events = read_stream(text, str(file))
    if not events:
        raise ConfigError(Problem("there are no events in it", hint=_FORMATS, source=str(file)))
    return events


def _read_list(text: str, source: str) -> list[EventConfig]:
    document = Document(text, source, "json")
    problems: list[Problem] = []
    events = []
    for index, item in enumerate(document.value):
        if len(problems) >= MAX_PROBLEMS:
            break
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
        if len(problems) >= MAX_PROBLEMS:
            break
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
    if not isinstance(item, dict) or not item or not _has_event_keys(item):
        return EventConfig(data=item)
    try:
        return convert(item, EventConfig)
    except ConfigError as error:
        raise ConfigError([report(problem) for problem in error.problems]) from None


def _has_event_keys(item: dict[str, Any]) -> bool:
    known = _FRAMED_KEYS if item.keys().isdisjoint(_RAW_KEYS) else _EVENT_KEYS
    return "data" in item or item.keys() <= known


def read_raw(file: pathlib.Path) -> list[EventConfig]:
    """The bytes of a file in blocks, each up to and with its blank lines. In a file without blank lines, each line is
    one event. Raises `ConfigError`."""
    content = read_bytes(file)
    if not content:
        raise ConfigError(Problem("there is nothing in it", source=str(file)))
    lines = re.findall(_RAW_LINE, content)
    if not any(map(_is_blank, lines)):
        return [EventConfig(raw_base64=line) for line in lines]
    blocks = list(_raw_blocks(lines))
    texts = [block.decode(errors="replace") for block in blocks]
    texts[0] = texts[0].removeprefix("\ufeff")
    return list(map(raw_event, blocks, texts))


def _is_blank(line: bytes) -> bool:
    return not line.strip(b"\r\n")


def _raw_blocks(lines: list[bytes]) -> Iterator[bytes]:
    block: list[bytes] = []
    has_content = is_over = False
    for line in lines:
        is_blank = _is_blank(line)
        if is_over and not is_blank:
            yield b"".join(block)
            block = []
        has_content = has_content or not is_blank  # blank lines before the first block are its own
        is_over = has_content and is_blank
        block.append(line)
    yield b"".join(block)


def raw_event(block: bytes, text: str) -> EventConfig:
    """A block, with the id that clients read in it. It is counted unless it has only fields that are no content."""
    lines = [line for line in re.split(_LINE_END, text) if line]
    is_counted = any(line.partition(":")[0] not in _NO_CONTENT for line in lines)
    return EventConfig(raw_base64=block, id=_fields(lines).get("id"), count=None if is_counted else 0)


_NO_CONTENT = ("", "event", "id", "retry")
_RAW_LINE = rb"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+"
_LINE_END = r"\r\n|\n|\r"
_RETRY = r"[0-9]{1,15}"


def read_stream(text: str, source: str) -> list[EventConfig]:
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
