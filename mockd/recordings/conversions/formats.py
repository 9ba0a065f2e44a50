"""The table of formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mockd.errors import ConfigError
from mockd.recordings.conversions import har, sse, vcr
from mockd.recordings.conversions.bodies import Say
from mockd.recordings.lines import VERSION_KEY
from mockd.recordings.reading import Exchange, unreadable
from mockd.recordings.rewriting import Story


class Format(NamedTuple):
    """How a format is read and written, and how its files are known."""

    read: Callable[[bytes, Say], Iterator[Story]]
    write: Callable[[Iterable[Exchange], Say], str]
    suffixes: tuple[str, ...]
    starts: tuple[bytes, ...]


FORMATS: dict[str, Format] = {
    "har": Format(har.read, har.write, (".har", ".json"), (b"{",)),
    "vcr": Format(vcr.read, vcr.write, (".yaml", ".yml"), (b"interactions:", b"version:")),
    "sse": Format(sse.read, sse.write, (".sse", ".txt"), (b"data:", b"event:", b"id:", b"retry:", b":")),
}


def read_file(path: Path, name: str, say: Say) -> Iterator[Story]:
    """The exchanges in a file of another format, which `auto` finds out. Raises `ConfigError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    try:
        yield from FORMATS[_known(path, content) if name == "auto" else name].read(content, say)
    except ConfigError as error:
        raise ConfigError([problem.at(str(path), None) for problem in error.problems]) from None


def _known(path: Path, content: bytes) -> str:
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:20]
    if VERSION_KEY.encode() in start:
        raise ConfigError("it is a recording already", hint="`mockd serve --config FILE` plays it as it is")
    for name, format in FORMATS.items():
        if start.startswith(format.starts) or path.suffix.lower() in format.suffixes:
            return name
    raise ConfigError("it is not known what it is", hint=f"say it with --as: {', '.join(FORMATS)}")
