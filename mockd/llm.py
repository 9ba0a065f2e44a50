"""The parts of a provider's wire, for templates of your own: see `docs/guides/new-template.md`.

This module is public, as `mockd` itself is: names in `__all__` change only with a line in the changelog.
"""

from __future__ import annotations

from mockd.sources.llm.ask import Ask, Turn
from mockd.sources.llm.kind import kind_of
from mockd.sources.llm.reply import Call, Citation, Error, Reply, ReplyParams, Usage
from mockd.sources.llm.wire import Failure, IdForm, UuidForm, Wire, call_id, signature

__all__ = [
    "Ask",
    "Call",
    "Citation",
    "Error",
    "Failure",
    "IdForm",
    "Reply",
    "ReplyParams",
    "Turn",
    "Usage",
    "UuidForm",
    "Wire",
    "call_id",
    "kind_of",
    "signature",
]
