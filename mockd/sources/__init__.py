"""Sources of events, made from the configuration of mocks. Others can be added with `register`."""

from __future__ import annotations

from pathlib import Path as FilePath

from mockd.config.models import ChunkedConfig, ResponseConfig, SseConfig
from mockd.sources.registry import SourceKind, build_named, kinds, register
from mockd.sources.static import ManualSource, file_source, list_source
from mockd.sources.templates import register_built_in

__all__ = ["SourceKind", "build_source", "kinds", "register"]

from mockd.source import Source

register_built_in()


def build_source(config: SseConfig | ChunkedConfig | ResponseConfig, root: FilePath | None) -> Source:
    """The source of an answer. Data files are resolved in `root`. The path in a `ConfigError` begins with the kind."""
    if config.recording is not None:
        from mockd.sources.recording import recording_source

        framing = None if isinstance(config, ResponseConfig) else config.framing
        return recording_source(
            config.recording,
            root,
            config.replay,
            (_kind_of(config), "recording"),
            ends_at_once=framing is not None and not framing.final_blank_line,
        )
    if isinstance(config, ResponseConfig):
        from mockd.sources.response import response_source

        return response_source(config, root)
    if isinstance(config, ChunkedConfig):
        from mockd.sources.chunked import chunked_source

        return chunked_source(config, root)
    if config.template is not None:
        return build_named(config.template, config.template_params or {}, ("sse",))
    if config.generator is not None:
        from mockd.sources.generator import generator_source

        return generator_source(config.generator)
    if config.manual:
        return ManualSource()
    repeat = 1 if config.repeat is None else config.repeat
    if config.events_file is not None:
        return file_source(config.events_file, root, repeat, raw=config.raw)
    return list_source(config.events or [], repeat)


def _kind_of(config: SseConfig | ChunkedConfig | ResponseConfig) -> str:
    if isinstance(config, SseConfig):
        return "sse"
    return "chunked" if isinstance(config, ChunkedConfig) else "response"
