"""The registry of kinds of sources, which finds them by name.

Built-in kinds are registered in the same way as others. A kind can also be found through the entry-point group
`mockd.sources` (the entry's value is a `SourceKind`), or be named as `package.module:attribute`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Set
from typing import Any, Generic, Literal, TypeVar

import msgspec

from mockd.config.conversion import convert
from mockd.config.documents import UnknownKey
from mockd.errors import MAX_SHOWN, ConfigError, Path, Problem
from mockd.source import Source

logger = logging.getLogger("mockd")

GROUP = "mockd.sources"

P = TypeVar("P", bound=msgspec.Struct)


class SourceKind(msgspec.Struct, Generic[P], frozen=True):
    """A kind of source.

    `params` is the struct of its parameters, from which validation, docs and JSON Schema are made. `build` makes a
    source from them when a mock is registered. `summary` describes the kind in one line. `part` says where in a mock
    it is named: `sse.template`, `chunked.template` (it sends NDJSON) or `response.template` (it gives only whole
    answers). `lacks` are the parameters in `params` that this kind refuses, as `name` or `name.name`.
    """

    name: str
    params: type[P]
    build: Callable[[P], Source]
    summary: str
    part: Literal["sse", "chunked", "response"] = "sse"
    lacks: Set[str] = frozenset()


_PARTS = ("open", "default_delay_s", "token_delay", "headers", "script", "answer")
"""The parts of a `Source`."""

_kinds: dict[str, SourceKind[Any]] = {}
_unloaded: dict[str, Callable[[str], SourceKind[Any]]] = {}


def register(kind: SourceKind[Any]) -> None:
    """Register a kind of source under its name. It replaces an earlier one of the same name."""
    _kinds[kind.name] = kind
    _unloaded.pop(kind.name, None)


def register_later(name: str, load: Callable[[str], SourceKind[Any]]) -> None:
    """Register a kind of source that `load` makes from its name when it is first needed."""
    _unloaded[name] = load


def kinds() -> dict[str, SourceKind[Any]]:
    """Every kind by name: registered ones and those of installed plug-ins. Raises `ConfigError` if a plug-in cannot be
    imported."""
    for name, load in tuple(_unloaded.items()):
        register(load(name))
    return {name: _imported(place, ()) for name, place in _plug_ins().items()} | _kinds


def names() -> list[str]:
    """The names of every kind. Nothing is imported for it."""
    return sorted({*_plug_ins(), *_unloaded, *_kinds})


def _plug_ins() -> dict[str, str]:
    """The import string of every installed plug-in, by its name."""
    from importlib.metadata import entry_points  # slow to import, and needed only for names that are not built in

    return {entry.name: entry.value for entry in entry_points(group=GROUP)}


def find_kind(name: str, path: Path = ()) -> SourceKind[Any]:
    """The kind with a name or an import string. Raises `ConfigError` with the known names."""
    if name in _unloaded:
        register(_unloaded[name](name))
    if name in _kinds:
        return _kinds[name]
    if ":" in name:
        return _imported(name, path)
    plug_ins = _plug_ins()
    if name in plug_ins:
        return _imported(plug_ins[name], path)
    raise ConfigError(f"unknown template `{name}`", path=path, hint=_hint(name, names()))


def _imported(name: str, path: Path) -> SourceKind[Any]:
    from mockd.sources.plug_ins import imported  # not needed for the kinds that come with mockd

    kind = imported(name, path)
    if not isinstance(kind, SourceKind):
        raise ConfigError(
            f"`{name}` is not a SourceKind", path=path, hint="name the module's `KIND = SourceKind(…)`, not its source"
        )
    return kind


def build_named(name: str, params: dict[str, Any], path: Path = ()) -> Source:
    """The source of a named kind with these parameters. Raises `ConfigError` with the path of the fault."""
    kind = find_kind(name, (*path, "template"))
    if path and path[-1] != kind.part:
        raise ConfigError(
            f"template `{name}` is not one of `{path[-1]}`", path=(*path, "template"), hint=f"name it in `{kind.part}`"
        )
    where = (*path, "templateParams")
    try:
        source = kind.build(_converted(params, kind))
    except ConfigError as error:
        raise error.under(where) from None
    _check_source(source, name, (*path, "template"))
    return source


def _check_source(source: Source, name: str, path: Path) -> None:
    missing = [f"`{part}`" for part in _PARTS if not hasattr(source, part)]
    if missing or not callable(source.open):
        raise ConfigError(
            f"template `{name}`: `{type(source).__name__}` has no {', '.join(missing) or 'method `open`'}",
            path=path,
            hint="derive it from `mockd.BaseSource`, and write its `open(self, context)`",
        )


def _converted(params: dict[str, Any], kind: SourceKind[P]) -> P:
    """The parameters as a struct. Raises `ConfigError` with all problems, whose paths start at the parameters."""
    try:
        return convert(params, kind.params)
    except ConfigError as error:
        raise ConfigError([_about(problem, kind) for problem in error.problems]) from None


def _about(problem: Problem, kind: SourceKind[Any]) -> Problem:
    """The same problem; an unknown parameter is reported with the known ones."""
    if len(problem.path) != 1 or not isinstance(problem, UnknownKey):
        return problem
    name = str(problem.path[0])
    known = [field.encode_name for field in msgspec.structs.fields(kind.params)]
    message = f"unknown parameter `{name}` of template `{kind.name}`"
    return msgspec.structs.replace(problem, message=message, hint=_hint(name, known))


def _hint(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name[:MAX_SHOWN], known, 1)
    meant = f"did you mean `{near[0]}`? " if near else ""
    return f"{meant}known: {', '.join(known)}"
