"""The sources of `chunked` mocks: text or a file in pieces, and NDJSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import count
from pathlib import Path as FilePath
from typing import Any

from msgspec import structs

from mockd.config.files import resolve_file
from mockd.config.models import ChunkedConfig
from mockd.errors import Path
from mockd.events import JSON_NULL, Event, Fill, Hole, Text
from mockd.expressions.expression import render_all
from mockd.expressions.values import RequestContext
from mockd.jsontext import encode_json
from mockd.placeholders import FromRequest, Pick, expressions_in, parse_text, parse_value
from mockd.source import BaseSource, Opened, Script, Source, SourceContext
from mockd.sources.files import DataFile, lines, open_data_file, pieces
from mockd.sources.registry import build_named
from mockd.sources.static import ScriptSource, file_source


def chunked_source(config: ChunkedConfig, root: FilePath | None) -> Source:
    """The source of a `chunked` mock."""
    if config.template is not None:
        return build_named(config.template, config.template_params or {}, ("chunked",))
    ndjson = config.format == "ndjson"
    passes = 1 if config.repeat is None else config.repeat or None
    if config.ndjson_items is not None:
        items = parse_value(config.ndjson_items, ("chunked", "ndjsonItems"))
        return _scripted([Event(_item(item)) for item in items], passes)
    if config.events_file is not None:
        repeat = 1 if config.repeat is None else config.repeat
        return file_source(config.events_file, root, repeat, raw=True, kind="chunked")
    if config.data_file is not None:
        size = None if ndjson else config.chunk_size
        return FileSource(config.data_file, root, ("chunked", "dataFile"), size, passes)
    assert config.data is not None
    path = ("chunked", "data")
    if ndjson:
        lines_ = config.data.replace("\r\n", "\n").split("\n")
        return _scripted([Event(parse_text(line, path)) for line in lines_ if line], passes)
    data = parse_text(config.data, path)
    if isinstance(data, Text):
        return FilledText(data, config.chunk_size, passes)
    encoded = data.encode()
    size = config.chunk_size
    return _scripted([Event(encoded[start : start + size]) for start in range(0, len(encoded), size)], passes)


def _scripted(events: list[Event], passes: int | None) -> ScriptSource:
    return ScriptSource(Script(lambda: events, passes=passes))


def _item(item: Any) -> Any:
    """An NDJSON item as the data of an event. Text as data is a line ready to send, so an item of text is quoted."""
    if item is None:
        return JSON_NULL
    if isinstance(item, str):
        return _quoted(item)
    if not isinstance(item, Text) or (len(item) == 1 and isinstance(item[0], Hole) and item[0].is_number):
        return item
    inner = [_quoted(part)[1:-1] if isinstance(part, str) else _escaped(part) for part in item]
    return Text(['"', *inner, '"'])


def _quoted(text: str) -> str:
    return encode_json(text).decode()


def _escaped(hole: Hole) -> Hole:
    if isinstance(hole, Pick):
        return Pick(tuple(_quoted(option)[1:-1] for option in hole.options))
    return structs.replace(hole, in_json=True) if isinstance(hole, FromRequest) else hole


class FilledText(BaseSource):
    """Text with placeholders, which are filled in for each connection and pass. It is then cut into chunks of `size`
    bytes. `passes` is None for no limit."""

    def __init__(self, text: Text, size: int, passes: int | None = 1) -> None:
        self._text = text
        self._size = size
        self._passes = passes
        self._expressions = expressions_in(text)

    def open(self, context: SourceContext) -> Opened:
        fill = Fill(context.rng, context.clock)
        if self._expressions:
            fill.rendered = render_all(self._expressions, RequestContext(context.request, context.captures))
        return self._chunks(fill)

    def _chunks(self, fill: Fill) -> Iterator[Event]:
        for _ in _numbers(self._passes):
            filled = "".join(part if isinstance(part, str) else part.text(fill) for part in self._text).encode()
            if not filled:  # which may be so in every pass
                return
            for start in range(0, len(filled), self._size):
                yield Event(filled[start : start + self._size])


class FileSource(BaseSource):
    """The data file that a mock names at `path`, in chunks of `size` bytes, or in lines if `size` is None. `passes` is
    None for no limit."""

    def __init__(self, name: str, root: FilePath | None, path: Path, size: int | None, passes: int | None = 1) -> None:
        resolve_file(name, root, path=path)
        self._name = name
        self._root = root
        self._path = path
        self._size = size
        self._passes = passes

    async def open(self, context: SourceContext) -> Opened:
        return self._read(await self._file())

    async def _file(self) -> DataFile:
        return await open_data_file(self._name, self._root, self._path)

    async def _read(self, file: DataFile) -> AsyncIterator[Event]:
        for number in _numbers(self._passes):
            if number:
                file = await self._file()
            is_empty = True
            async for part in lines(file) if self._size is None else pieces(file, self._size):
                is_empty = False
                yield Event(part)
            if is_empty:
                return


def _numbers(passes: int | None) -> Iterable[int]:
    return count() if passes is None else range(passes)
