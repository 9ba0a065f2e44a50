"""The lines of `--explain` in the log: which rule answers or refuses a request, and why."""

from __future__ import annotations

import logging

from mockd.request import RequestView
from mockd.sources.llm.budget import Refused
from mockd.sources.llm.refusals.refusal import words_for
from mockd.sources.llm.wires.wire import Failure

_log = logging.getLogger("mockd")


def tell(request: RequestView, rule: str, text: str, reason: str | None = None) -> None:
    """Log a line on a rule for a request."""
    fields = {"method": request.method, "path": request.path, "rule": rule, "reason": reason}
    extra = {"fields": fields, "is_asked_for": True}
    _log.info("%s %s: %s", request.method, request.path, text, extra=extra)


def tell_refused(request: RequestView, rule: str, reason: str) -> None:
    """Log a line for the rule that refuses a request."""
    tell(request, rule, f"{rule} refuses it: {reason}", reason)


def tell_complaint(request: RequestView, failure: Failure) -> None:
    """Log a line for what the real service would refuse too: the field of the request, and the words about it."""
    tell_refused(request, "strict" if failure.param is None else f"strict, {failure.param}", failure.message)


def tell_limit(request: RequestView, error: Refused | RecursionError) -> None:
    """Log a line for a request that asks for too much."""
    tell_refused(request, "limits", words_for(error))
