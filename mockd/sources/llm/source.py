"""The source that all templates of model replies share: it makes a provider's reply to a request."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache, partial

from msgspec.structs import replace

from mockd.config.timing import in_seconds
from mockd.errors import ConfigError
from mockd.events import Event
from mockd.source import Answer, BaseSource, Script, SourceContext
from mockd.sources.llm.ask import Ask, Turn, fits, last_user_text
from mockd.sources.llm.reply import (
    DEFAULT_TOKENS,
    Error,
    Reply,
    ReplyFields,
    ReplyParams,
    refuse_inexpressible,
    resolve,
    tokens_of,
)
from mockd.sources.llm.schema_example import example_text
from mockd.sources.llm.wire import Failure, Wire

_MOST_COUNTED = 64
"""Most replies of a mock whose numbers of tokens are remembered."""


class WireSource(BaseSource):
    """The replies of a mock that names a template, on the wire of its provider. Raises `ConfigError` for a parameter
    that the wire cannot express."""

    def __init__(self, wire: Wire, params: ReplyParams) -> None:
        self.wire = wire
        self.params = params
        common = [(name.encode(), value.encode()) for name, value in wire.common_headers]
        self.headers = (*wire.headers, *common)
        if params.delay_per_token is not None:
            self.token_delay = in_seconds(params.delay_per_token)
        refuse_inexpressible(params, wire.name, wire.expresses, wire.finish, wire.lacks)
        for number, scripted in enumerate(params.script):
            try:
                refuse_inexpressible(scripted.reply, wire.name, wire.expresses, wire.finish, wire.lacks)
            except ConfigError as error:
                raise error.under(("script", number, "reply")) from None
        self._reply = self._resolved(params)
        self._follows = bool(params.script or params.echo)
        self._is_open = not params.has_content
        """Whether the parameters have no content, so that the request may decide the text."""
        self._tokens_of = lru_cache(_MOST_COUNTED)(self._tokens)

    def open(self, context: SourceContext) -> Script | Answer:
        ask = Ask(context)
        wire = self.wire
        if self.params.strict and (complaint := wire.complaint(ask)) is not None:
            return refusal(wire, complaint, ask)
        fields: ReplyFields = self.params
        reply, place = self._reply, ""
        if self._follows:
            fields, reply, place = self._chosen(ask)
        elif self._is_open and (schema := wire.json_schema(ask)) is not None:
            reply = self._resolved(fields, (example_text(schema),))
        streams = wire.streams(ask)
        if fields.error is not None and is_due(fields.error, f"{place}error", context):
            if fields.error.status is not None or not streams:
                return refusal(wire, failure_of(wire, fields.error), ask)
            reply = _failing(reply, fields)
        shape = wire.shape(ask)
        slots = wire.slots(ask, reply, shape)
        if not streams:
            headers = plain_headers(wire, ask, slots)
            tokens = self._tokens_of(reply, shape)
            return Answer(body=wire.whole(reply, shape), headers=headers, slots=slots, tokens=tokens)
        key = shape if reply is self._reply else (shape, reply)
        return Script(
            partial(self._events, reply, shape),
            key=key,
            slots=slots,
            headers=wire.headers_of(ask, slots, is_stream=True),
            framing=wire.framing(shape),
        )

    def _chosen(self, ask: Ask) -> tuple[ReplyFields, Reply, str]:
        """The reply to a request, with its fields and their place in the parameters: the first reply of the script that
        fits, otherwise the mock's own."""
        turns = list(self.wire.turns(ask))
        model = self.wire.model(ask)
        fields, place = self._fields_for(turns, model)
        if fields.has_content:
            return fields, self._reply if fields is self.params else self._resolved(fields), place
        if (schema := self.wire.json_schema(ask)) is not None:
            return fields, self._resolved(fields, (example_text(schema),)), place
        said = tokens_of(last_user_text(turns)) if self.params.echo else ()
        return fields, self._resolved(fields, said or DEFAULT_TOKENS), place

    def _fields_for(self, turns: list[Turn], model: str | None) -> tuple[ReplyFields, str]:
        for number, scripted in enumerate(self.params.script):
            if fits(scripted.when, turns, model):
                return scripted.reply, f"script/{number}/"
        return self.params, ""

    def _resolved(self, fields: ReplyFields, default: tuple[str, ...] = DEFAULT_TOKENS) -> Reply:
        return resolve(fields, default, self.wire.argument_chunk)

    def _events(self, reply: Reply, shape: Hashable) -> Sequence[Event]:
        events = list(self.wire.events(reply, shape))
        content = _content_in(events)
        if content:
            events[content[0]] = events[content[0]]._replace(opens=True)
        if reply.failure is not None:
            del events[self.wire.fails_at(content, reply.failure.after_tokens) :]
            events += self.wire.error_events(reply.failure, tuple(events), reply, shape)
        return events

    def _tokens(self, reply: Reply, shape: Hashable) -> int:
        return len(_content_in(self.wire.events(reply, shape)))


def _content_in(events: Iterable[Event]) -> list[int]:
    """The positions of the content events."""
    return [place for place, event in enumerate(events) if event.delay_s is None]


def is_due(error: Error, place: str, context: SourceContext) -> bool:
    """Whether a request gets the error at `place` in the parameters. It counts the request, as `error.times` may limit
    the error to the first requests."""
    return error.times is None or context.count(place) <= error.times


def refusal(wire: Wire, failure: Failure, ask: Ask) -> Answer:
    """The answer with a provider's HTTP error."""
    slots = wire.new_ids(ask)
    headers = list(plain_headers(wire, ask, slots))
    if failure.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(failure.retry_after))))
        if wire.retry_in_ms:
            headers.append(("retry-after-ms", str(round(failure.retry_after * 1000))))
    body = wire.error_answer(failure, ask)
    return Answer(status=failure.status, headers=tuple(headers), body=body, slots=slots)


def plain_headers(wire: Wire, ask: Ask, slots: Mapping[str, bytes]) -> tuple[tuple[str, str], ...]:
    """The headers of a provider's whole answers."""
    own = wire.headers_of(ask, slots, is_stream=False)
    return (*wire.common_headers, *((name.decode(), value.decode()) for name, value in own))


def failure_of(wire: Wire, error: Error) -> Failure:
    """A mock's error in the form that wires take."""
    status = error.status or wire.error_status(error.type)
    return Failure(status, error.message, error.type, retry_after=error.retry_after)


def _failing(reply: Reply, fields: ReplyFields) -> Reply:
    return replace(reply, failure=fields.error)
