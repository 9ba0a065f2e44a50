"""Refusals: answers with the HTTP error of a provider, for a mock's own error and for what its service refuses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from http import HTTPStatus

from mockd.source import Answer, SourceContext
from mockd.sources.llm.budget import TOO_DEEP, Refused
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.wire import Failure, Wire, plain_headers

OVERLOADED = 529
"""A status of Anthropic's, which HTTP does not know."""


def is_due(error: Error, place: str, context: SourceContext) -> bool:
    """Whether a request gets the error at `place` in the parameters. It counts the request, as `error.times` may limit
    the error to the first requests."""
    return error.times is None or context.count(place) <= error.times


def failure_of(wire: Wire, error: Error) -> Failure:
    """A mock's error in the form that wires take."""
    status = error.status or wire.error_status(error.type)
    return Failure(status, error.message, error.type, retry_after=error.retry_after)


def refusal_with(wire: Wire, context: SourceContext, status: int, retry_after_s: float | None) -> Answer:
    """The answer with which a provider refuses a request, of which nothing but the status is known."""
    return refusal(wire, Failure(status, _phrase(status), retry_after=retry_after_s), Ask(context))


def refusal(wire: Wire, failure: Failure, ask: Ask, told: dict[str, str] | None = None) -> Answer:
    """The answer with a provider's HTTP error. Its headers are as usual, but for those that are `told`: without any, an
    error for a client that comes too often says that nothing is left."""
    slots = wire.new_ids(ask)
    headers = list(plain_headers(wire, ask, slots))
    if told is not None:
        headers = list((dict(headers) | told).items())
    elif failure.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers = _used_up(wire, headers, failure.retry_after, ask.context.clock.wall())
    if failure.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(failure.retry_after))))
        if wire.retry_in_ms:
            headers.append(("retry-after-ms", str(round(failure.retry_after * 1000))))
    body = wire.error_answer(failure, ask)
    return Answer(status=failure.status, headers=tuple(headers), body=body, slots=slots)


def _used_up(
    wire: Wire, headers: Sequence[tuple[str, str]], after_s: float | None, now: float
) -> list[tuple[str, str]]:
    """Headers whose limits have nothing left, until the client may come again."""
    reset = None if after_s is None else wire.limit_reset(after_s, now)
    found = []
    for name, value in headers:
        if "remaining" in name:
            value = "0"
        elif reset is not None and "reset" in name:
            value = reset
        found.append((name, value))
    return found


def refused(wire: Wire, error: Refused | RecursionError, ask: Ask) -> Answer:
    """The answer to a request that asks for too much."""
    return refusal(wire, Failure(400, words_for(error)), ask)


def words_for(error: Refused | RecursionError) -> str:
    """The words for what is too much."""
    return str(error) if isinstance(error, Refused) else TOO_DEEP


def _phrase(status: int) -> str:
    """The usual words for a status."""
    if status == OVERLOADED:
        return "Overloaded"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
