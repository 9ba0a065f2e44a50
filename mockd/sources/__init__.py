"""Sources of events, made from the configuration of mocks. Others can be added with `register`."""

from __future__ import annotations

from pathlib import Path as FilePath

from mockd.config.models import Mock
from mockd.sources.registry import SourceKind, build_named, kinds, register
from mockd.sources.static import ManualSource, file_source, list_source
from mockd.sources.templates import register_built_in

__all__ = ["SourceKind", "build_source", "kinds", "register"]

from mockd.source import Source

register_built_in()


def build_source(mock: Mock, root: FilePath | None) -> Source:
    """The source of a mock. Data files are resolved in `root`. The path in a `ConfigError` starts at the mock."""
    if mock.response is not None:
        from mockd.sources.response import response_source

        return response_source(mock.response, root)
    if mock.chunked is not None:
        from mockd.sources.chunked import chunked_source

        return chunked_source(mock.chunked, root)
    sse = mock.sse
    assert sse is not None
    if sse.template is not None:
        return build_named(sse.template, sse.template_params or {}, ("sse",))
    if sse.generator is not None:
        from mockd.sources.generator import generator_source

        return generator_source(sse.generator)
    if sse.manual:
        return ManualSource()
    repeat = 1 if sse.repeat is None else sse.repeat
    if sse.events_file is not None:
        return file_source(sse.events_file, root, repeat, raw=sse.raw)
    return list_source(sse.events or [], repeat)
