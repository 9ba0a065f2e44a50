"""Generators: numbers, one event whose placeholders are filled in anew, or a list that is repeated.

Each generator is a short script that is repeated, so that memory does not grow with the number of events.
"""

from __future__ import annotations

import re

from mockd.config.models import Generator, RandomSchema, Sequence
from mockd.errors import Path
from mockd.events import JSON_NULL, Event, Text
from mockd.placeholders import EventNumber, parse_event, parse_text, parse_value
from mockd.source import Script
from mockd.sources.static import ScriptSource

_NUMBER = r"%(0?\d{0,2})d"


def generator_source(config: Generator) -> ScriptSource:
    """The source of a `generator`. Its `count` is the number of events in all; 0 is no limit."""
    path = ("sse", "generator", config.type)
    passes: int | None = None
    is_list = config.type == "template"
    if config.type == "sequence":
        events = [Event(_numbered(config.sequence or Sequence()))]
    elif config.random is not None:
        events = [_drawn(config.random, path)]
    else:
        assert config.template is not None
        listed = config.template.events
        events = [parse_event(event, (*path, "events", index)) for index, event in enumerate(listed)]
        passes = config.template.repeat or None
    return ScriptSource(Script(lambda: events, passes=passes, limit=config.count or None, is_list=is_list))


def _drawn(config: RandomSchema, path: Path) -> Event:
    value = parse_value(config.schema, (*path, "schema"))
    type_ = None if config.type is None else parse_text(config.type, (*path, "type"))
    id_ = None if config.id is None else parse_text(config.id, (*path, "id"))
    return Event(JSON_NULL if value is None else value, type=type_, id=id_)


def _numbered(sequence: Sequence) -> Text:
    """The format as text with holes for its numbers and placeholders."""
    path = ("sse", "generator", "sequence", "format")
    parts: list[object] = []
    position = 0
    for number in re.finditer(_NUMBER, sequence.format):
        parts.append(parse_text(sequence.format[position : number.start()], path))
        parts.append(EventNumber(sequence.start, sequence.increment, number[1]))
        position = number.end()
    parts.append(parse_text(sequence.format[position:], path))
    flat: list[object] = []
    for part in parts:
        flat.extend(part if isinstance(part, Text) else [part] if part != "" else [])
    return Text(flat)  # type: ignore[arg-type]
