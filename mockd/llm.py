"""The parts of a provider's wire, for templates of your own: see `docs/guides/new-template.md`.

This module is public, as `mockd` itself is: names in `__all__` change only with a line in the changelog.
"""

from __future__ import annotations

from mockd.sources.llm.kind import kind_of
from mockd.sources.llm.replies.params import Citation, Error, ReplyParams, Usage
from mockd.sources.llm.replies.reply import Call, Reply
from mockd.sources.llm.requests.ask import Ask, ToolResult, ToolUse, Turn
from mockd.sources.llm.requests.options import Options, Tool
from mockd.sources.llm.wires.wire import Failure, IdForm, UuidForm, Wire, call_id, signature

__all__ = [
    "Ask",
    "Call",
    "Citation",
    "Error",
    "Failure",
    "IdForm",
    "Options",
    "Reply",
    "ReplyParams",
    "Tool",
    "ToolResult",
    "ToolUse",
    "Turn",
    "Usage",
    "UuidForm",
    "Wire",
    "call_id",
    "kind_of",
    "signature",
]
