"""The file of `--preset-script`: replies for certain requests, for every provider at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mockd.config.conversion import convert
from mockd.config.documents import Document, read_file
from mockd.errors import ConfigError, Problem
from mockd.expressions.expression import compile_value
from mockd.presets.unreached import unreached
from mockd.sources import llm
from mockd.sources.llm.choosing.criteria import checks_of
from mockd.sources.llm.choosing.side_calls import SIDE_CALLS
from mockd.sources.llm.replies.params import Scripted, inexpressible

_log = logging.getLogger("mockd")

_Place = tuple[str | int, ...]


class PresetScript:
    """Scripted replies as they were read, and a record of the parameters that a template's wire cannot express."""

    def __init__(self, document: Document, replies: list[Scripted]) -> None:
        self._document = document
        self._replies = replies
        self._left_out: dict[_Place, dict[str, None]] = {}
        """The templates that lack a parameter, by its place."""

    def for_template(self, name: str) -> list[Any]:
        """The replies as they are written, without the parameters that the wire of a template cannot express."""
        wire = llm.wire_of(name)
        value = self._document.value
        for number, scripted in enumerate(self._replies):
            for place, fields in scripted.places:
                for parameter in inexpressible(fields, wire.expresses, wire.finish, wire.lacks):
                    at = (number, *place, *parameter.split("."))
                    self._left_out.setdefault(at, {})[name] = None
                    value = _removed(value, at)
        found: list[Any] = value
        return found

    def tell_what_is_never_said(self) -> None:
        """Log a warning for each parameter that was left out, and for each entry that answers no request."""
        left_out = [
            Problem(f"left out by templates whose format has no words for it: {', '.join(templates)}", place)
            for place, templates in self._left_out.items()
        ]
        for problem in (*left_out, *unreached(self._replies)):
            _log.warning("%s", self._document.report(problem))


def _removed(value: Any, path: _Place) -> Any:
    """A JSON value without what is at a path."""
    step, *rest = path
    if not rest:
        return {name: item for name, item in value.items() if name != step}
    changed = _removed(value[step], tuple(rest))
    if isinstance(value, list):
        assert isinstance(step, int)
        return [*value[:step], changed, *value[step + 1 :]]
    return {**value, step: changed}


def read_script(name: str, providers: Sequence[str]) -> PresetScript:
    """Read a script: a list of `{when, reply}` in JSON or YAML, for these providers. Raises `ConfigError` with line and
    column."""
    document = read_file(Path(name))
    try:
        replies = convert(document.value, list[Scripted])
        if not replies:
            raise ConfigError("the list is empty", hint="give it an entry, such as `- reply: {text: Hello}`")
        problems = [problem for number, one in enumerate(replies) for problem in _problems_of(one, number, providers)]
        if problems:
            raise ConfigError(problems)
        compile_value(document.value)
    except ConfigError as error:
        raise ConfigError([document.report(problem) for problem in error.problems]) from None
    return PresetScript(document, replies)


def _problems_of(scripted: Scripted, number: int, providers: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with the criteria of an entry."""
    when, place = scripted.when, (number, "when")
    try:
        checks_of(when)
    except ConfigError as error:
        yield from error.under(place).problems
    names_of = {
        "provider": ("provider", when.provider, providers),
        "sideCall": ("side call", when.side_call, [call.name for call in SIDE_CALLS]),
    }
    for field, (what, given, names) in names_of.items():
        if isinstance(given, str) and given not in names:
            yield Problem(f"there is no {what} {given!r}", (*place, field), hint=f"known: {', '.join(names)}")
