"""Replies that depend on the request through expressions (`{{ request… }}`) in `templateParams`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec
from msgspec.structs import replace

from mockd.expressions import Compiled, RequestContext
from mockd.jsontext import encode_json
from mockd.source import Answer, BaseSource, Script, SourceContext
from mockd.sources.llm.source import WireSource
from mockd.sources.llm.wire import Wire

MOST_SOURCES = 64
"""Most replies that are kept for each mock, so that a repeated reply need not be made again."""


class FollowingSource(BaseSource):
    """The source of parameters with expressions. Each request may have its own reply; the latest replies are kept."""

    def __init__(self, wire: type[Wire], source: WireSource, params: Compiled) -> None:
        self._wire = wire
        self._params = params
        self._params_type = type(source.params)
        self.headers = source.headers
        self.token_delay = source.token_delay
        self._sources: OrderedDict[bytes, WireSource] = OrderedDict()

    def open(self, context: SourceContext) -> Script | Answer:
        values = self._params.render(RequestContext(context.request, context.captures))
        key = encode_json(values)
        opened = self._source(key, values).open(context)
        return replace(opened, key=(key, opened.key)) if isinstance(opened, Script) else opened

    def _source(self, key: bytes, values: Any) -> WireSource:
        source = self._sources.get(key)
        if source is None:
            params = msgspec.convert(values, self._params_type)
            source = self._sources[key] = WireSource(self._wire(params), params)
            if len(self._sources) > MOST_SOURCES:
                self._sources.popitem(last=False)
        return source
