"""Endpoints of providers that give whole answers and no streams: embeddings and moderations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta

from mockd.events import Event
from mockd.jsontext import encode_json
from mockd.source import Answer, BaseSource, SourceContext
from mockd.sources.llm.budget import Refused
from mockd.sources.llm.refusals import telling
from mockd.sources.llm.refusals.refusal import failure_of, is_due, refusal, refusal_with, refused
from mockd.sources.llm.refusals.rule import broken
from mockd.sources.llm.refusals.rules import RULES
from mockd.sources.llm.replies.params import Error, Params, ReplyParams
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.wire import Wire, plain_headers
from mockd.sources.registry import SourceKind

_LONGEST_WHOLE = 262_144
"""Bytes of an answer after which it is made while it is sent, so that it takes little memory and no stream waits."""


class EndpointParams(Params, frozen=True, kw_only=True):
    """Parameters that every endpoint has."""

    model: Annotated[str | None, Meta(description="Model; by default the request's.")] = None
    error: Annotated[Error | None, Meta(description="An HTTP error instead of the answer.")] = None
    strict: Annotated[
        bool, Meta(description="Answer a request that the real service would refuse with its own 400.")
    ] = False
    explain: Annotated[bool, Meta(description="Log for each request that is refused which rule does it, and why.")] = (
        False
    )


P = TypeVar("P", bound=EndpointParams)


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[P]):
    """One endpoint. Its errors, headers and IDs are those of its provider's wire. `required` are the fields without
    which the service refuses a request, and `answer` makes the answer to a request that names a model. An iterator in
    it stands for a list whose items are made one by one."""

    name: str
    summary: str
    wire: type[Wire]
    required: tuple[str, ...]
    default_model: str
    params: type[P]
    answer: Callable[[Ask, str, P], Any]


class EndpointSource(BaseSource, Generic[P]):
    """The answers of a mock that names an endpoint's template."""

    def __init__(self, endpoint: Endpoint[P], params: P) -> None:
        self._endpoint = endpoint
        self._params = params
        self._wire = endpoint.wire(ReplyParams())
        self._wire.required = endpoint.required

    def open(self, context: SourceContext) -> Answer:
        ask = Ask(context)
        try:
            return self._opened(ask, context)
        except (Refused, RecursionError) as error:
            if self._params.explain:
                telling.tell_limit(ask.request, error)
            return refused(self._wire, error, ask)

    def refusal(self, context: SourceContext, status: int, retry_after_s: float | None) -> Answer:
        return refusal_with(self._wire, context, status, retry_after_s)

    def _opened(self, ask: Ask, context: SourceContext) -> Answer:
        wire, params = self._wire, self._params
        if params.strict:
            complaint = wire.complaint(ask) or broken(RULES.get(self._endpoint.name, ()), ask)
            if complaint is not None:
                if params.explain:
                    telling.tell_complaint(ask.request, complaint)
                return refusal(wire, complaint, ask)
        if params.error is not None and is_due(params.error, "error", context):
            return refusal(wire, failure_of(wire, params.error), ask)
        model = params.model or wire.model(ask) or self._endpoint.default_model
        headers = {"content-type": "application/json"} | dict(plain_headers(wire, ask, wire.new_ids(ask)))
        return _answer(_pieces(self._endpoint.answer(ask, model, params)), tuple(headers.items()))


def _answer(pieces: Iterator[bytes], headers: tuple[tuple[str, str], ...]) -> Answer:
    """The answer with a body in pieces: whole, as bytes that are not searched for slots, or piece by piece if it is
    long."""
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        begun.append(piece)
        size += len(piece)
        if size > _LONGEST_WHOLE:
            return Answer(events=map(Event, chain([b"".join(begun)], pieces)), headers=headers, framing="raw")
    return Answer(body=b"".join(begun), headers=headers)


def _pieces(value: Any) -> Iterator[bytes]:
    """JSON text in pieces, one for each item of an iterator in the value."""
    if isinstance(value, dict):
        mark = b"{"
        for key, item in value.items():
            yield mark + encode_json(key) + b":"
            yield from _pieces(item)
            mark = b","
        yield b"}" if value else b"{}"
    elif isinstance(value, Iterator):
        yield b"["
        for number, item in enumerate(value):
            yield b"," * (number > 0) + encode_json(item)
        yield b"]"
    else:
        yield encode_json(value)


def kind_of(endpoint: Endpoint[P]) -> SourceKind[P]:
    """The template of an endpoint."""
    return SourceKind(
        endpoint.name,
        endpoint.params,
        lambda params: EndpointSource(endpoint, params),
        endpoint.summary,
        "response",
    )
