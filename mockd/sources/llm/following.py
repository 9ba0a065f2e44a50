"""Replies that depend on the request through expressions (`{{ request… }}`) in `templateParams`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec
from msgspec.structs import replace

from mockd.cache import Cache
from mockd.expressions.expression import Compiled
from mockd.expressions.values import RequestContext
from mockd.jsontext import encode_json
from mockd.source import Answer, BaseSource, Script, SourceContext
from mockd.sources.llm.budget import LONGEST_TEXT, Refused
from mockd.sources.llm.refusals.refusal import refused
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.source import WireSource
from mockd.sources.llm.wires.wire import Wire

MOST_SOURCES = 64
"""Most replies that are kept for each mock, so that a repeated reply need not be made again."""
MOST_BYTES = 256 * 1024
"""Most bytes of the parameters of these replies. In memory, a reply may take thirty times as much."""


class FollowingSource(BaseSource):
    """The source of parameters with expressions. Each request may have its own reply; the latest replies are kept."""

    def __init__(self, wire: type[Wire], source: WireSource, params: Compiled) -> None:
        self._wire = wire
        self._params = params
        self._params_type = type(source.params)
        self._fixed = source
        self._longest = len(encode_json(msgspec.to_builtins(source.params))) + LONGEST_TEXT
        self.headers = source.headers
        self.token_delay = source.token_delay
        self._sources: Cache[bytes, WireSource] = Cache(MOST_SOURCES, MOST_BYTES)

    def open(self, context: SourceContext) -> Script | Answer | Awaitable[Script | Answer]:
        values = self._params.render(RequestContext(context.request, context.captures))
        key = encode_json(values)
        if len(key) > self._longest:
            error = Refused(f"What the reply takes from the request has more than {LONGEST_TEXT} characters.")
            return refused(self._fixed.wire, error, Ask(context))
        try:
            opened = self._source(key, values).open(context)
        except Refused as error:
            return refused(self._fixed.wire, error, Ask(context))
        return replace(opened, key=(key, opened.key)) if isinstance(opened, Script) else opened

    def _source(self, key: bytes, values: Any) -> WireSource:
        source = self._sources.get(key)
        if source is None:
            params = msgspec.convert(values, self._params_type)
            source = WireSource(self._wire(params), params, self._fixed.name, follows=True)
            self._sources.keep(key, source, len(key))
        return source
