"""The sources of plain responses: a body from the configuration, or a file."""

from __future__ import annotations

from pathlib import Path as FilePath

from msgspec import UNSET

from mockd.config.models import ResponseConfig
from mockd.events import JSON_NULL
from mockd.placeholders import parse_value
from mockd.source import Answer, BaseSource, Source, SourceContext
from mockd.sources.registry import build_named


class FixedSource(BaseSource):
    """The same answer to every request, with its placeholders filled in anew."""

    def __init__(self, answer: Answer) -> None:
        self.answer: Answer = answer

    def open(self, context: SourceContext) -> Answer:
        return self.answer


def response_source(config: ResponseConfig, root: FilePath | None) -> Source:
    """The source of a `response` mock. The status and delay of the mock apply, whatever the source is."""
    if config.template is not None:
        return build_named(config.template, config.template_params or {}, ("response",))
    if config.body_file is not None:
        from mockd.sources.chunked import FileSource
        from mockd.sources.files import READ_BYTES

        return FileSource(config.body_file, root, ("response", "bodyFile"), READ_BYTES)
    body = parse_value(config.body, ("response", "body"))
    given = b"" if body is UNSET else JSON_NULL if body is None else body
    return FixedSource(Answer(body=given))
