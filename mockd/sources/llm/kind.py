"""Making templates from providers' wires."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any

import msgspec

from mockd.expressions.expression import compile_value
from mockd.source import Source
from mockd.sources.llm.replies.params import RARE, ReplyParams
from mockd.sources.llm.source import WireSource
from mockd.sources.llm.wires.wire import Wire
from mockd.sources.registry import SourceKind

_NUMBERS = count(1)


def source_of(wire: type[Wire], params: ReplyParams) -> Source:
    """The source for a template's parameters. Raises `ConfigError` for a parameter that its wire cannot express, and
    for a wrong expression."""
    fixed = WireSource(wire(params), params, f"{wire.name} {next(_NUMBERS)}")
    compiled = compile_value(msgspec.to_builtins(params))
    if compiled is None:
        return fixed
    from mockd.sources.llm.following import FollowingSource  # loaded only with the first expression

    return FollowingSource(wire, fixed, compiled)


def kind_of(wire: type[Wire]) -> SourceKind[Any]:
    """The template of a provider's wire."""
    return SourceKind(
        wire.name,
        wire.params_type,
        partial(source_of, wire),
        wire.summary,
        wire.part,
        RARE.keys() - wire.expresses | wire.lacks,
    )
