"""The source that all templates of model replies share: it makes a provider's reply to a request.

A reply that a request makes long is neither compiled nor kept: its events are made while they are sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Literal, NamedTuple

from msgspec.structs import replace

from mockd.config.timing import in_seconds
from mockd.errors import ConfigError
from mockd.events import Event, Fill
from mockd.framing import FRAMINGS, FrameTemplate
from mockd.patterns import APART, NotAtOnceError
from mockd.source import Answer, BaseSource, CutOffError, Script, SourceContext
from mockd.sources.llm.budget import (
    LONGEST_TEXT,
    Refused,
    refuse_above,
    refuse_large_event,
    refuse_many_words,
)
from mockd.sources.llm.choosing import behaviour, explain
from mockd.sources.llm.choosing.asked import Asked
from mockd.sources.llm.choosing.chooser import Choice, Chooser, Passed
from mockd.sources.llm.refusals import telling
from mockd.sources.llm.refusals.refusal import failure_of, is_due, refusal, refusal_with, refused
from mockd.sources.llm.refusals.rule import broken
from mockd.sources.llm.refusals.rules import RULES
from mockd.sources.llm.replies.cutting import cut
from mockd.sources.llm.replies.params import Error, ReplyFields, ReplyParams, ToolCall, refuse_inexpressible
from mockd.sources.llm.replies.reply import DEFAULT_TOKENS, Reply, resolve, tokens_of
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.wire import Wire, headers_as_text, plain_headers

_CUTS: Mapping[str, Literal["closed", "reset"]] = {"end": "closed", "close": "closed", "reset": "reset"}

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
_ASIDE = ThreadPoolExecutor(1, thread_name_prefix="mockd-llm")
"""The thread in which long replies in one piece are made. It is started with the first of them."""


class _Chosen(NamedTuple):
    """A reply to a request, and the rules that were passed over."""

    choice: Choice
    reply: Reply
    asked: Asked
    passed: Sequence[Passed]


class WireSource(BaseSource):
    """The replies of a mock that names a template, on the wire of its provider. Raises `ConfigError` for a parameter
    that the wire cannot express. `name` tells its conversations from those of other mocks. `follows` is true if the
    parameters follow from a request; `Refused` is raised for a text that is too long then."""

    def __init__(self, wire: Wire, params: ReplyParams, name: str = "", *, follows: bool = False) -> None:
        self.wire = wire
        self.params = params
        self.name = name
        common = [(name.encode(), value.encode()) for name, value in wire.common_headers]
        self.headers = (*wire.headers, *common)
        if params.delay_per_token is not None:
            self.token_delay = in_seconds(params.delay_per_token)
        if follows:
            for text in filter(None, (params.text, params.reasoning, params.refusal)):
                refuse_many_words(text)
        refuse_inexpressible(params, wire.name, wire.expresses, wire.finish, wire.lacks)
        for number, scripted in enumerate(params.script):
            for place, fields in scripted.places:
                try:
                    refuse_inexpressible(fields, wire.name, wire.expresses, wire.finish, wire.lacks)
                except ConfigError as error:
                    raise error.under(("script", number, *place)) from None
        self._chooser = Chooser(params, wire.name, name)
        self._forbidden = RULES.get(wire.name, ())
        self._reply = self._resolved(params)
        self._is_fixed = not follows
        self._follows = bool(params.script or params.echo or params.obey)
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
            return self._too_much(error, ask)

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
            return self._too_much(error, ask)
        return await opened if isinstance(opened, Awaitable) else opened

    def _opened(
        self, ask: Ask, context: SourceContext, chosen: _Chosen | None = None
    ) -> Script | Answer | Awaitable[Answer]:
        """The answer to a request. `chosen` is the reply, if it was chosen. Raises `NotAtOnceError`."""
        wire = self.wire
        if self.params.strict:
            complaint = wire.complaint(ask) or broken(self._forbidden, ask)
            if complaint is not None:
                if self.params.explain:
                    telling.tell_complaint(ask.request, complaint)
                return refusal(wire, complaint, ask)
        fields: ReplyFields = self.params
        reply, place = self._reply, ""
        if self._follows:
            chosen = chosen or self._chosen(ask)
            fields, reply, place = chosen.choice.fields, chosen.reply, chosen.choice.place
        elif self._is_open and wire.json_schema(ask) is not None:
            reply = self._resolved(fields, (Asked(wire, ask).example,))
        streams = wire.streams(ask)
        error = None
        if fields.error is not None and is_due(fields.error, f"{place}error", context):
            error = fields.error
        if chosen is not None:
            self._take_note(chosen, is_error=error is not None)
        if error is not None:
            if error.cut is not None and not streams:
                raise CutOffError(_CUTS[error.cut])
            if error.status is not None or not streams:
                return refusal(wire, failure_of(wire, error), ask)
            reply = replace(reply, failure=error)
        shape = wire.shape(ask)
        is_own = reply is self._reply
        is_long = not (is_own and shape in self._short) and self._is_long(fields, reply, shape)
        slots = wire.slots(ask, reply, shape)
        if context.meter is not None:
            context.meter(wire.output_tokens(reply, shape))
        if not streams:
            headers = plain_headers(wire, ask, slots)
            if is_long:
                return self._made_aside(reply, shape, context, slots, headers)
            tokens = self._tokens_of(reply, shape)
            return Answer(body=wire.whole(reply, shape), headers=headers, slots=slots, tokens=tokens)
        own, framing = wire.headers_of(ask, slots, is_stream=True), wire.framing(shape)
        if is_long or (error is not None and error.cut in ("close", "reset")):
            return Answer(events=self._made(reply, shape), slots=slots, headers=headers_as_text(own), framing=framing)
        key = shape if is_own else (shape, reply)
        return Script(
            partial(self._events, reply, shape),
            key=key,
            slots=slots,
            headers=own,
            framing=framing,
        )

    def _too_much(self, error: Refused | RecursionError, ask: Ask) -> Answer:
        if self.params.explain:
            telling.tell_limit(ask.request, error)
        return refused(self.wire, error, ask)

    def _take_note(self, chosen: _Chosen, *, is_error: bool) -> None:
        self._chooser.note(chosen.choice, chosen.asked, is_error=is_error)
        if self.params.explain:
            explain.tell(chosen.asked.ask.request, chosen.choice, chosen.passed, is_error=is_error)

    def _chosen(self, ask: Ask) -> _Chosen:
        """The reply to a request. If the mock obeys, it is one that the request allows."""
        asked = Asked(self.wire, ask)
        passed: list[Passed] = []
        choice = self._chooser.choose(asked, passed)
        fields = choice.fields
        if fields.has_content:
            reply = self._reply if fields is self.params else self._resolved(fields)
        else:
            reply = self._made_for(fields, asked)
        return _Chosen(choice, self._obeying(reply, asked) if self.params.obey else reply, asked, passed)

    def _made_for(self, fields: ReplyFields, asked: Asked) -> Reply:
        """A reply without content of its own, with what the request asks for: calls, JSON, the message itself."""
        calls: tuple[ToolCall, ...] = ()
        if self.params.obey:
            calls = behaviour.forced_call(asked)
            if self.params.auto_tools and not calls:
                calls = behaviour.offered_calls(asked)
        if calls:
            return self._resolved(replace(fields, tool_calls=calls))
        if asked.schema is not None:
            return self._resolved(fields, (asked.example,))
        return self._resolved(fields, self._echo(asked) or DEFAULT_TOKENS)

    def _echo(self, asked: Asked) -> tuple[str, ...]:
        if not self.params.echo:
            return ()
        said = asked.said
        if len(said) > LONGEST_TEXT:
            raise Refused(f"The message has {len(said)} characters; mockd repeats at most {LONGEST_TEXT}.")
        refuse_many_words(said)
        return tokens_of(said)

    def _obeying(self, reply: Reply, asked: Asked) -> Reply:
        """A reply with reasoning if the request asks for it, and cut where the request says."""
        options = asked.options
        if options.thinks and not reply.reasoning and not reply.refusal and "reasoning" in self.wire.expresses:
            reply = replace(reply, reasoning=tokens_of(behaviour.THOUGHT))
        return cut(reply, options)

    def _resolved(self, fields: ReplyFields, default: tuple[str, ...] = DEFAULT_TOKENS) -> Reply:
        wire = self.wire
        return resolve(fields, default, wire.argument_chunk, has_custom_tools=wire.has_custom_tools)

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
        return Answer(body=made, headers=tuple(typed.items()), tokens=reply.pieces if self.wire.waits(shape) else None)

    def _made(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        """The events of a long reply, made one by one."""
        if reply.failure is not None:
            # All that would come after the failure is left out before anything is made.
            yield from self._events(replace(reply, tokens=reply.tokens[: reply.failure.after_tokens + 1]), shape)
            if reply.failure.cut in ("close", "reset"):
                raise CutOffError(_CUTS[reply.failure.cut])
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
            if reply.failure.cut is None:
                events += self.wire.error_events(reply.failure, tuple(events), reply, shape)
        return events

    def _tokens(self, reply: Reply, shape: Hashable) -> int | None:
        return len(_content_in(self.wire.events(reply, shape))) if self.wire.waits(shape) else None


def _content_in(events: Iterable[Event]) -> list[int]:
    """The positions of the content events."""
    return [place for place, event in enumerate(events) if event.delay_s is None]
