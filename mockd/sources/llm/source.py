"""The source that all templates of model replies share: it makes a provider's reply to a request.

A reply that a request makes long is neither compiled nor kept: its events are made while they are sent.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from http import HTTPStatus

from msgspec.structs import replace

from mockd.config.timing import in_seconds
from mockd.errors import ConfigError
from mockd.events import Event, Fill
from mockd.framing import FRAMINGS, FrameTemplate
from mockd.patterns import APART, Effort, NotAtOnceError, OutOfTimeError, compiled
from mockd.source import Answer, BaseSource, Headers, Script, SourceContext
from mockd.sources.llm.ask import Ask, Turn, fits, last_user_text
from mockd.sources.llm.budget import (
    LONGEST_TEXT,
    TOO_DEEP,
    Refused,
    refuse_above,
    refuse_large_event,
    refuse_many_words,
)
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

logger = logging.getLogger("mockd")

_Chosen = tuple[ReplyFields, Reply, str]
"""A reply, with its fields and their place in the parameters."""

_MOST_COUNTED = 64
"""Most replies of a mock whose numbers of tokens are remembered."""
_MOST_COMPILED = 512
"""Most content events of a stream that is compiled and kept, if the request decides how many there are."""
_LONGEST_COMPILED = 65_536
"""Most characters of such a stream."""
_OF_A_BYTE = 6
"""Most characters that one character of a token has in its log probability, whose bytes are a list of numbers."""
_MOST_LOGPROBS = 21
"""Most log probabilities that a token has in one event: its own and 20 others."""
OVERLOADED = 529
"""A status of Anthropic's, which HTTP does not know."""
_ASIDE = ThreadPoolExecutor(1, thread_name_prefix="mockd-llm")
"""The thread in which long replies in one piece are made. It is started with the first of them."""


class WireSource(BaseSource):
    """The replies of a mock that names a template, on the wire of its provider. Raises `ConfigError` for a parameter
    that the wire cannot express. `follows` is true if the parameters follow from a request; `Refused` is raised for a
    text that is too long then."""

    def __init__(self, wire: Wire, params: ReplyParams, *, follows: bool = False) -> None:
        self.wire = wire
        self.params = params
        common = [(name.encode(), value.encode()) for name, value in wire.common_headers]
        self.headers = (*wire.headers, *common)
        if params.delay_per_token is not None:
            self.token_delay = in_seconds(params.delay_per_token)
        if follows:
            for text in filter(None, (params.text, params.reasoning, params.refusal)):
                refuse_many_words(text)
        refuse_inexpressible(params, wire.name, wire.expresses, wire.finish, wire.lacks)
        for number, scripted in enumerate(params.script):
            _refuse_unknown(scripted.when.regex, number)
            try:
                refuse_inexpressible(scripted.reply, wire.name, wire.expresses, wire.finish, wire.lacks)
            except ConfigError as error:
                raise error.under(("script", number, "reply")) from None
        self._reply = self._resolved(params)
        self._is_fixed = not follows
        self._follows = bool(params.script or params.echo)
        self._is_open = not params.has_content
        """Whether the parameters have no content, so that the request may decide the text."""
        self._short: set[Hashable] = set()
        """Shapes in which the mock's own reply is known not to be long."""
        self._tokens_of = lru_cache(_MOST_COUNTED)(self._tokens)

    def open(self, context: SourceContext) -> Script | Answer | Awaitable[Script | Answer]:
        ask = Ask(context)
        try:
            return self._opened(ask, context)
        except NotAtOnceError:
            return self._opened_apart(ask, context)
        except (Refused, RecursionError) as error:
            return refused(self.wire, error, ask)

    def refusal(self, context: SourceContext, status: int, retry_after_s: float | None) -> Answer:
        return refusal_with(self.wire, context, status, retry_after_s)

    def error_events(self, context: SourceContext, type: str | None, message: str | None, sent: int) -> Sequence[Event]:
        error = Error(type=type) if message is None else Error(type=type, message=message)
        before = (Event(None),) * sent  # their number is all that matters
        return list(self.wire.error_events(error, before, self._reply, self.wire.shape(Ask(context))))

    async def _opened_apart(self, ask: Ask, context: SourceContext) -> Script | Answer:
        """The answer to a request whose reply takes long to choose."""

        def choose() -> _Chosen:
            ask.request.allow(APART)
            return self._chosen(ask)

        try:
            chosen = await asyncio.get_running_loop().run_in_executor(_ASIDE, choose)
            opened = self._opened(ask, context, chosen)
        except (Refused, RecursionError) as error:
            return refused(self.wire, error, ask)
        return await opened if isinstance(opened, Awaitable) else opened

    def _opened(
        self, ask: Ask, context: SourceContext, chosen: _Chosen | None = None
    ) -> Script | Answer | Awaitable[Answer]:
        """The answer to a request. `chosen` is the reply, if it was chosen. Raises `NotAtOnceError`."""
        wire = self.wire
        if self.params.strict and (complaint := wire.complaint(ask)) is not None:
            return refusal(wire, complaint, ask)
        fields: ReplyFields = self.params
        reply, place = self._reply, ""
        if self._follows:
            fields, reply, place = chosen or self._chosen(ask)
        elif self._is_open and (schema := wire.json_schema(ask)) is not None:
            reply = self._resolved(fields, (example_text(schema),))
        streams = wire.streams(ask)
        if fields.error is not None and is_due(fields.error, f"{place}error", context):
            if fields.error.status is not None or not streams:
                return refusal(wire, failure_of(wire, fields.error), ask)
            reply = _failing(reply, fields)
        shape = wire.shape(ask)
        is_own = reply is self._reply
        is_long = not (is_own and shape in self._short) and self._is_long(fields, reply, shape)
        slots = wire.slots(ask, reply, shape)
        if not streams:
            headers = plain_headers(wire, ask, slots)
            if is_long:
                return self._made_aside(reply, shape, context, slots, headers)
            tokens = self._tokens_of(reply, shape)
            return Answer(body=wire.whole(reply, shape), headers=headers, slots=slots, tokens=tokens)
        own, framing = wire.headers_of(ask, slots, is_stream=True), wire.framing(shape)
        if is_long:
            return Answer(events=self._made(reply, shape), slots=slots, headers=_in_text(own), framing=framing)
        key = shape if is_own else (shape, reply)
        return Script(
            partial(self._events, reply, shape),
            key=key,
            slots=slots,
            headers=own,
            framing=framing,
        )

    def _chosen(self, ask: Ask) -> _Chosen:
        """The reply to a request, with its fields and their place in the parameters: the first reply of the script that
        fits, otherwise the mock's own."""
        turns = list(self.wire.turns(ask))
        model = self.wire.model(ask)
        fields, place = self._fields_for(turns, model, ask.request.effort)
        if fields.has_content:
            return fields, self._reply if fields is self.params else self._resolved(fields), place
        if (schema := self.wire.json_schema(ask)) is not None:
            return fields, self._resolved(fields, (example_text(schema),)), place
        return fields, self._resolved(fields, self._echo(turns) or DEFAULT_TOKENS), place

    def _echo(self, turns: list[Turn]) -> tuple[str, ...]:
        if not self.params.echo:
            return ()
        said = last_user_text(turns)
        if len(said) > LONGEST_TEXT:
            raise Refused(f"The message has {len(said)} characters; mockd repeats at most {LONGEST_TEXT}.")
        refuse_many_words(said)
        return tokens_of(said)

    def _fields_for(self, turns: list[Turn], model: str | None, effort: Effort) -> tuple[ReplyFields, str]:
        for number, scripted in enumerate(self.params.script):
            try:
                if fits(scripted.when, turns, model, effort):
                    return scripted.reply, f"script/{number}/"
            except OutOfTimeError:
                text = "%s: reply %d of the script is not for a request, as its `regex` would take too long"
                logger.warning(text, self.wire.name, number)
        return self.params, ""

    def _resolved(self, fields: ReplyFields, default: tuple[str, ...] = DEFAULT_TOKENS) -> Reply:
        return resolve(fields, default, self.wire.argument_chunk)

    def _is_long(self, fields: ReplyFields, reply: Reply, shape: Hashable) -> bool:
        """Whether a request makes a reply so long that it is neither compiled nor kept. Raises `Refused` if it is above
        the budget. What a mock says by itself may be as long as its author likes."""
        choices, logprobs = self.wire.copies(shape)
        if self._is_fixed and fields.has_content and choices == 1 and not logprobs:
            if reply is self._reply and len(self._short) < _MOST_COUNTED:
                self._short.add(shape)
            return False
        events = choices * reply.pieces * (1 + logprobs)
        characters = choices * reply.characters * (1 + _OF_A_BYTE * logprobs)
        refuse_above(events, characters)
        if logprobs:
            refuse_large_event(reply.longest * (1 + _OF_A_BYTE * min(logprobs, _MOST_LOGPROBS)))
        return events > _MOST_COMPILED or characters > _LONGEST_COMPILED

    async def _made_aside(
        self,
        reply: Reply,
        shape: Hashable,
        context: SourceContext,
        slots: Mapping[str, bytes],
        headers: tuple[tuple[str, str], ...],
    ) -> Answer:
        """A long reply in one piece, made in another thread, so that no stream waits for it."""

        def body() -> bytes:
            frame = FRAMINGS["raw"].encode(Event(self.wire.whole(reply, shape)))
            return frame.render(Fill(context.rng, context.clock, slots)) if isinstance(frame, FrameTemplate) else frame

        made = await asyncio.get_running_loop().run_in_executor(_ASIDE, body)
        typed = {"content-type": "application/json"} | dict(headers)
        return Answer(body=made, headers=tuple(typed.items()), tokens=reply.pieces)

    def _made(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        """The events of a long reply, made one by one."""
        if reply.failure is not None:
            # All that would come after the failure is left out before anything is made.
            yield from self._events(replace(reply, tokens=reply.tokens[: reply.failure.after_tokens + 1]), shape)
            return
        has_content = False
        for event in self.wire.events(reply, shape):
            if event.delay_s is None and not has_content:
                has_content, event = True, event._replace(opens=True)
            yield event

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


def _phrase(status: int) -> str:
    """The usual words for a status."""
    if status == OVERLOADED:
        return "Overloaded"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _refuse_unknown(regex: str | None, number: int) -> None:
    try:
        _ = regex is None or compiled(regex)
    except ValueError as error:
        path = ("script", number, "when", "regex")
        raise ConfigError(f"a pattern that mockd cannot run: {error}", path=path) from None


def _content_in(events: Iterable[Event]) -> list[int]:
    """The positions of the content events."""
    return [place for place, event in enumerate(events) if event.delay_s is None]


def is_due(error: Error, place: str, context: SourceContext) -> bool:
    """Whether a request gets the error at `place` in the parameters. It counts the request, as `error.times` may limit
    the error to the first requests."""
    return error.times is None or context.count(place) <= error.times


def refusal_with(wire: Wire, context: SourceContext, status: int, retry_after_s: float | None) -> Answer:
    """The answer with which a provider refuses a request, of which nothing but the status is known."""
    return refusal(wire, Failure(status, _phrase(status), retry_after=retry_after_s), Ask(context))


def refusal(wire: Wire, failure: Failure, ask: Ask) -> Answer:
    """The answer with a provider's HTTP error."""
    slots = wire.new_ids(ask)
    headers = list(plain_headers(wire, ask, slots))
    if failure.status == HTTPStatus.TOO_MANY_REQUESTS:
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
    return refusal(wire, Failure(400, str(error) if isinstance(error, Refused) else TOO_DEEP), ask)


def plain_headers(wire: Wire, ask: Ask, slots: Mapping[str, bytes]) -> tuple[tuple[str, str], ...]:
    """The headers of a provider's whole answers."""
    own = wire.headers_of(ask, slots, is_stream=False)
    return (*wire.common_headers, *_in_text(own))


def _in_text(headers: Headers) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode(), value.decode()) for name, value in headers)


def failure_of(wire: Wire, error: Error) -> Failure:
    """A mock's error in the form that wires take."""
    status = error.status or wire.error_status(error.type)
    return Failure(status, error.message, error.type, retry_after=error.retry_after)


def _failing(reply: Reply, fields: ReplyFields) -> Reply:
    return replace(reply, failure=fields.error)
