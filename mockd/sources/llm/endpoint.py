"""Endpoints of providers that give whole answers and no streams: embeddings and moderations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta

from mockd.jsontext import encode_json
from mockd.source import Answer, BaseSource, SourceContext
from mockd.sources.llm.ask import Ask
from mockd.sources.llm.reply import Error, Params, ReplyParams
from mockd.sources.llm.source import failure_of, is_due, plain_headers, refusal
from mockd.sources.llm.wire import Wire
from mockd.sources.registry import SourceKind


class EndpointParams(Params, frozen=True, kw_only=True):
    """Parameters that every endpoint has."""

    model: Annotated[str | None, Meta(description="Model; by default the request's.")] = None
    error: Annotated[Error | None, Meta(description="An HTTP error instead of the answer.")] = None
    strict: Annotated[
        bool, Meta(description="Answer a request that the real service would refuse with its own 400.")
    ] = False


P = TypeVar("P", bound=EndpointParams)


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[P]):
    """One endpoint. Its errors, headers and IDs are those of its provider's wire. `required` are the fields without
    which the service refuses a request, and `answer` makes the answer to a request that names a model."""

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
        ask, wire, params = Ask(context), self._wire, self._params
        if params.strict and (complaint := wire.complaint(ask)) is not None:
            return refusal(wire, complaint, ask)
        if params.error is not None and is_due(params.error, "error", context):
            return refusal(wire, failure_of(wire, params.error), ask)
        model = params.model or wire.model(ask) or self._endpoint.default_model
        # As bytes, which are not searched for slots, as vectors are long.
        body = encode_json(self._endpoint.answer(ask, model, params))
        headers = {"content-type": "application/json"} | dict(plain_headers(wire, ask, wire.new_ids(ask)))
        return Answer(body=body, headers=tuple(headers.items()))


def kind_of(endpoint: Endpoint[P]) -> SourceKind[P]:
    """The template of an endpoint."""
    return SourceKind(
        endpoint.name,
        endpoint.params,
        lambda params: EndpointSource(endpoint, params),
        endpoint.summary,
        "response",
    )
