"""The file of `--preset-script`: replies for certain requests, for every provider at once."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from mockd.config.conversion import convert
from mockd.config.documents import Document, read_file
from mockd.errors import ConfigError, Problem
from mockd.expressions import compile_value
from mockd.sources import llm
from mockd.sources.llm.reply import Scripted, inexpressible

_log = logging.getLogger("mockd")


class PresetScript:
    """Scripted replies as they were read, and a record of the parameters that a template's wire cannot express."""

    def __init__(self, document: Document, replies: list[Scripted]) -> None:
        self._document = document
        self._replies = replies
        self._left_out: dict[tuple[int, str], dict[str, None]] = {}
        """The templates that lack a parameter of a reply, by the reply's number and the parameter's name."""

    def for_template(self, name: str) -> list[Any]:
        """The replies as they are written, without the parameters that the wire of a template cannot express."""
        wire = llm.wire_of(name)
        return [
            self._without(number, inexpressible(scripted.reply, wire.expresses, wire.finish, wire.lacks), name)
            for number, scripted in enumerate(self._replies)
        ]

    def _without(self, number: int, names: list[str], template: str) -> Any:
        scripted = self._document.value[number]
        for name in names:
            self._left_out.setdefault((number, name), {})[template] = None
            scripted = _removed(scripted, ("reply", *name.split(".")))
        return scripted

    def tell_what_is_left_out(self) -> None:
        """Log a warning for each parameter that was left out."""
        for (number, name), templates in self._left_out.items():
            text = f"left out where the wire has nothing for it: {', '.join(templates)}"
            _log.warning("%s", self._document.report(Problem(text, (number, "reply", *name.split(".")))))


def _removed(value: Any, path: tuple[str, ...]) -> Any:
    """A JSON value without the key at a path."""
    key, *rest = path
    if rest:
        return {**value, key: _removed(value[key], tuple(rest))}
    return {name: item for name, item in value.items() if name != key}


def read_script(name: str) -> PresetScript:
    """Read a script: a list of `{when, reply}` in JSON or YAML. Raises `ConfigError` with line and column."""
    document = read_file(Path(name))
    try:
        script = PresetScript(document, convert(document.value, list[Scripted]))
        compile_value(document.value)
        return script
    except ConfigError as error:
        raise ConfigError([document.report(problem) for problem in error.problems]) from None
