"""The sources of fixed lists of events, from the configuration or from a file beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Literal

from msgspec import structs

from mockd.config.files import resolve_file
from mockd.config.models import EventConfig
from mockd.errors import ConfigError, Path, Problem
from mockd.placeholders import parse_event
from mockd.source import BaseSource, Opened, Script, SourceContext


class ScriptSource(BaseSource):
    """A source that has the same script for every request."""

    def __init__(self, script: Script) -> None:
        self.script: Script = script

    def open(self, context: SourceContext) -> Opened:
        return self.script


class ManualSource(BaseSource):
    """A source without events of its own: its streams send what is pushed into them."""

    def open(self, context: SourceContext) -> Opened:
        return iter(())


def list_source(configs: Sequence[EventConfig], repeat: int, path: Path = ("sse", "events")) -> ScriptSource:
    """The events of a list, sent `repeat` times; 0 is no limit."""
    events = [parse_event(config, (*path, index)) for index, config in enumerate(configs)]
    return ScriptSource(Script(lambda: events, passes=repeat or None))


def file_source(
    name: str, root: FilePath | None, repeat: int, *, raw: bool, kind: Literal["sse", "chunked"] = "sse"
) -> ScriptSource:
    """The events of a data file, sent `repeat` times; 0 is no limit. If `raw` is true, they are its bytes."""
    from mockd.config.events_file import read_events, read_raw

    path: Path = (kind, "eventsFile")
    file = resolve_file(name, root, path=path)
    if raw:
        return list_source(read_raw(file), repeat, path)
    try:
        return list_source(read_events(file), repeat, path)
    except ConfigError as error:
        raise ConfigError([_with_cure(problem) for problem in error.problems]) from None


def _with_cure(problem: Problem) -> Problem:
    """The problem of a text that cannot be filled in; those of the file itself name it and stay as they are."""
    if problem.source is not None:
        return problem
    cure = "`raw: true` beside `eventsFile` sends the file as it stands"
    return structs.replace(problem, hint=cure if problem.hint is None else f"{problem.hint}; or {cure}")
