"""Reading a JSON or YAML text: its value, and the line and column of everything in it."""

from __future__ import annotations

import pathlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from mockd.config.json_text import read_json
from mockd.config.opening import read_regular
from mockd.config.values import check_values
from mockd.errors import ConfigError, Problem

if TYPE_CHECKING:
    from mockd.config.places import Marks

Format = Literal["json", "yaml"]

_YAML_SUFFIXES = (".yaml", ".yml")


class UnknownKey(Problem, frozen=True):
    """A key that does not belong where it is. It is reported at the place of the key, not of its value."""


class Document:
    """A JSON or YAML text that was read. The places in a JSON text are found when they are first needed."""

    def __init__(self, text: str, source: str | None, format: Format) -> None:
        self.source = source
        self._text = text
        if format == "yaml":
            from mockd.config.yaml_text import read_yaml

            self.value, self.marks = read_yaml(text, source)
        else:
            self.value = read_json(text, source)
        if problems := check_values(self.value):
            raise ConfigError([self.report(problem) for problem in problems])

    @cached_property
    def marks(self) -> Marks:
        from mockd.config.json_places import scan

        return scan(self._text).marks

    value: Any

    def __del__(self) -> None:
        if "marks" in self.__dict__:
            self.marks.free()

    def report(self, problem: Problem) -> Problem:
        """The same problem with its file, line and column. Its path must start at the root of this text."""
        find = self.marks.key if isinstance(problem, UnknownKey) else self.marks.value
        return problem.at(self.source, find(problem.path))


def read_text(data: bytes, source: str | None, format: Format) -> Document:
    """Read a text. Raises `ConfigError` with line and column if it is malformed."""
    text = decode(data, source)
    if not text.strip():
        raise ConfigError(Problem("it is empty" if source else "the text is empty", source=source))
    return Document(text, source, format)


def read_file(file: pathlib.Path) -> Document:
    """Read a file: as YAML if its name ends in `.yaml` or `.yml`, as JSON otherwise."""
    return read_text(read_bytes(file), str(file), "yaml" if file.suffix.lower() in _YAML_SUFFIXES else "json")


def read_bytes(file: pathlib.Path) -> bytes:
    """The content of a file. Raises `ConfigError` with the reason if it cannot be read."""
    try:
        return read_regular(file)
    except OSError as error:
        raise ConfigError(Problem(f"it cannot be read: {error.strerror}", source=str(file))) from None


def decode(data: bytes, source: str | None) -> str:
    """Decode UTF-8 and remove a byte order mark. Raises `ConfigError` with the place of the first wrong byte."""
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        lines = data[: error.start].decode("utf-8").split("\n")
        place = (len(lines), len(lines[-1]) + 1)
        problem = Problem(f"byte 0x{data[error.start]:02x} is not UTF-8", hint="save it as UTF-8")
        raise ConfigError(problem.at(source, place)) from None
