"""The base class of providers' wires: their words, their keys and the order of their events.

Everything else that a template does with a reply is in `source.py`. A new provider is one subclass of `Wire`, most
of it data. Events and whole answers are built once for each `shape` of request. Values that differ between streams of
one shape (IDs, times, the model) are `Slot`s in them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar, Literal
from uuid import UUID

from msgspec import Struct

from mockd.events import Event, Slot
from mockd.jsontext import encode_json
from mockd.source import Headers
from mockd.sources.llm.budget import LONGEST_MODEL, Refused
from mockd.sources.llm.replies.params import Error, ReplyParams
from mockd.sources.llm.replies.reply import Call, Reply
from mockd.sources.llm.requests.ask import Ask, Turn, chat_turns
from mockd.sources.llm.requests.options import Options, Tool, names_of
from mockd.sources.llm.requests.tokens import tokens_beside, words_in
from mockd.sources.llm.wires.access import Access

_encoded = lru_cache(64)(encode_json)
"""JSON of the names of models, which are few."""

_OPEN = Options(has_others=True)
"""The options of a wire whose requests do not say which tools there are."""

STRUCTURE = 0.0
"""Delay of events that belong to the format. Content events have None, so that the mock's timing decides."""


class IdForm:
    """The form of one kind of ID: a prefix and a number of random hexadecimal digits."""

    __slots__ = ("_bits", "_form")

    def __init__(self, prefix: str, digits: int) -> None:
        self._form = f'"{prefix}%0{digits}x"'.encode()
        self._bits = 4 * digits

    def make(self, ask: Ask) -> bytes:
        """A new ID, as JSON."""
        return self._form % ask.context.rng.getrandbits(self._bits)

    def text(self, ask: Ask) -> str:
        """A new ID, as text."""
        return self.make(ask)[1:-1].decode()


class UuidForm(IdForm):
    """The form of random UUIDs."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("", 32)

    def make(self, ask: Ask) -> bytes:
        return b'"%s"' % str(UUID(int=ask.context.rng.getrandbits(self._bits), version=4)).encode()


class Failure(Struct, frozen=True):
    """An error in the form that wires take. `param` is the field of the request that is wrong. `code` is the provider's
    code of the error, if it is not the type's."""

    status: int
    message: str
    type: str | None = None
    param: str | None = None
    retry_after: float | None = None
    code: str | None = None


class Wire:
    """A provider's streaming API. Subclasses set the class attributes and make events, whole answers and errors."""

    name: ClassVar[str]
    """Name of the template."""
    provider: ClassVar[str] = ""
    """Name of the provider, as in the paths of the preset."""
    summary: ClassVar[str]
    part: ClassVar[Literal["sse", "chunked"]] = "sse"
    params_type: ClassVar[type[ReplyParams]] = ReplyParams
    default_model: ClassVar[str]
    expresses: ClassVar[frozenset[str]] = frozenset()
    """The parameters among `reasoning`, `toolCalls`, `refusal` and `citations` that the wire can express."""
    has_custom_tools: ClassVar[bool] = False
    """Whether a tool may get a text in place of arguments."""
    lacks: ClassVar[frozenset[str]] = frozenset()
    """The parameters among `usage`, `model` and `error.type` that the wire cannot express."""
    finish: ClassVar[Mapping[str, str]]
    """The provider's word for each finish reason."""
    error_types: ClassVar[Mapping[int, str]]
    """The provider's error types by HTTP status. 400 and 500 must be among them, unless the provider has no types."""
    required: tuple[str, ...] = ("model", "messages")
    """Fields of the body without which the service refuses a request."""
    missing: ClassVar[str] = "Missing required parameter: '{}'."
    """The service's message if such a field is missing."""
    missing_words: ClassVar[Mapping[str, str]] = {}
    """The service's messages for fields that it has other words for."""
    not_json: ClassVar[str] = "We could not parse the JSON body of your request."
    """The service's message if the body is not a JSON object."""
    ids: ClassVar[Mapping[str, IdForm]] = {}
    """Forms of the IDs that are new for each reply, by the names of their slots."""
    call_id: ClassVar[IdForm] = IdForm("call_", 24)
    argument_chunk: ClassVar[int | None] = 16
    """Default number of characters of a call's arguments in each fragment; None: all in one."""
    request_id: ClassVar[tuple[bytes, IdForm] | None] = None
    """The header with the request's ID, and the form of the ID. The slot `request_id` has the same ID."""
    opening_events: ClassVar[int] = 1
    """Number of events with which every stream begins, whatever the reply is."""
    headers: ClassVar[Headers] = ((b"content-type", b"text/event-stream; charset=utf-8"),)
    """Headers of streams."""
    common_headers: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Headers of every answer, including streams and errors."""
    retry_in_ms: ClassVar[bool] = False
    """Whether errors also have `retry-after-ms`."""
    access: ClassVar[Access] = Access()
    """Where requests have their keys, and what is said of keys and rate limits."""

    def __init__(self, params: ReplyParams) -> None:
        self.params = params

    # -- what a request asks ---------------------------------------------------------------------------------------

    def streams(self, ask: Ask) -> bool:
        """Whether the request asks for a stream. A request whose body is not a JSON object gets one too."""
        return bool(ask.body.get("stream")) or not ask.is_object

    def model(self, ask: Ask) -> str | None:
        return ask.text("model")

    def turns(self, ask: Ask) -> Iterable[Turn]:
        """The conversation so far."""
        return chat_turns(ask.body.get("messages"))

    def options(self, ask: Ask) -> Options:
        """What the request asks of the reply: tools, limits, reasoning."""
        return _OPEN

    def tool_schema(self, tool: Tool) -> Any:
        """The JSON schema of a tool's arguments."""
        return tool.schema

    def declared(self, ask: Ask) -> list[str]:
        """The names of all tools that the request declares; of those that the provider runs, their types."""
        return [*names_of(ask.body.get("tools")), *names_of(ask.body.get("functions"))]

    def schema_name(self, ask: Ask, schema: Any) -> str | None:
        """The name of the schema that the request demands; by default its title."""
        title = schema.get("title") if isinstance(schema, dict) else None
        return title if isinstance(title, str) else None

    def shape(self, ask: Ask) -> Hashable:
        """The part of the request that decides which events the stream has, and which keys they have."""
        return None

    def copies(self, shape: Hashable) -> tuple[int, int]:
        """The number of choices of an answer, each with the whole text, and the number of log probabilities for each of
        their tokens. From them follows whether the answer is within its budget."""
        return 1, 0

    def json_schema(self, ask: Ask) -> Any:
        """The JSON schema against which the reply's text must be valid, or None if the request has none."""
        return None

    def writes_json(self, ask: Ask) -> bool:
        """Whether a text that must be valid against a schema is JSON; otherwise it is the bare text of a word."""
        return True

    def complaint(self, ask: Ask) -> Failure | None:
        """The error with which the service would refuse the request, or None."""
        if not ask.is_object:
            return Failure(400, self.not_json)
        for name in self.required:
            if ask.body.get(name) in (None, "", []):
                return Failure(400, self.missing_words.get(name, self.missing).format(name), param=name)
        return None

    # -- what differs from stream to stream ------------------------------------------------------------------------

    def new_ids(self, ask: Ask) -> dict[str, bytes]:
        """The slots of every answer, including errors: its own IDs and the request's ID."""
        slots = {}
        for name, form in self.ids.items():
            slots[name] = form.make(ask)
        if self.request_id is not None:
            slots["request_id"] = self.request_id[1].make(ask)
        return slots

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        """The values of slots, as JSON: the IDs, `created`, `model`, `call0` and so on, and the numbers of tokens
        `prompt` and `total` if the wire `counts` tokens."""
        slots = self.new_ids(ask)
        slots["created"] = b"%d" % ask.context.clock.wall()
        model = reply.model or self.model(ask) or self.default_model
        if len(model) > LONGEST_MODEL:
            raise Refused(f"The name of the model has more than {LONGEST_MODEL} characters.")
        slots["model"] = _encoded(model)
        if reply.calls:
            for number, call in enumerate(reply.calls):
                if call.id is None:
                    slots[f"call{number}"] = self.call_id.make(ask)
        if self.counts(ask, shape):
            given = reply.usage.input_tokens
            prompt = self.prompt_tokens(ask) if given is None else given
            slots["prompt"] = b"%d" % prompt
            slots["total"] = b"%d" % (prompt + self.output_tokens(reply, shape))
        return slots

    def headers_of(self, ask: Ask, slots: Mapping[str, bytes], *, is_stream: bool) -> Headers:
        """The headers of one answer, such as the request's ID. Each is added to the common headers, or replaces one."""
        return () if self.request_id is None else ((self.request_id[0], slots["request_id"][1:-1]),)

    def counts(self, ask: Ask, shape: Hashable) -> bool:
        """Whether the answer has the numbers of tokens."""
        return True

    def waits(self, shape: Hashable) -> bool:
        """Whether a reply in one piece comes when its last token would, and not at once."""
        return True

    def prompt_tokens(self, ask: Ask) -> int:
        """Number of tokens of the request."""
        return words_in(self.turns(ask)) + tokens_beside(ask.body)

    def output_tokens(self, reply: Reply, shape: Hashable) -> int:
        """Number of output tokens in the answer's usage."""
        return reply.output_tokens

    # -- what is sent ----------------------------------------------------------------------------------------------

    def framing(self, shape: Hashable) -> str | None:
        """The framing of a stream: a name in `mockd.framing.FRAMINGS`, or None for the usual framing of `part`."""
        return None

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        """The events of a reply's stream. Content events have no delay of their own, all others have `STRUCTURE`."""
        raise NotImplementedError

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        """The reply in one piece, as a JSON value."""
        raise NotImplementedError

    def error_body(self, failure: Failure) -> Any:
        """The answer to a request that failed, as a JSON value."""
        raise NotImplementedError

    def error_answer(self, failure: Failure, ask: Ask) -> Any:
        """The error body in the form that a certain request gets."""
        return self.error_body(failure)

    def fails_at(self, content: Sequence[int], after: int) -> int:
        """The position of the event before which a stream fails, after `after` content events. `content` are the
        positions of the content events. The stream always fails before its finishing events."""
        if after < len(content):
            return content[after]
        return content[-1] + 1 if content else self.opening_events

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        """The events that report a failure in the stream, after the events that were sent."""
        raise NotImplementedError

    def limit_reset(self, after_s: float, now: float) -> str | None:
        """The value of headers that say when a limit is reset, if that is after so long; None if they say nothing of
        it. `now` is Unix time."""
        return None

    def error_type(self, type: str | None, status: int) -> str:
        """The provider's error type: the given one, or the status's."""
        return type or self.error_types.get(status) or self.error_types[400 if status < 500 else 500]

    def error_status(self, type: str | None) -> int:
        """The HTTP status of the provider's error type."""
        return next((status for status, word in self.error_types.items() if word == type), 500)


def signature(reasoning: str) -> str:
    """A stand-in for a model's signature of its reasoning, the same for the same reasoning."""
    return b64encode(sha256(reasoning.encode()).digest()).decode()


def call_id(number: int, call: Call) -> str | Slot:
    """The ID of a reply's call: the given one, or a slot that has a new ID for each stream."""
    return call.id or Slot(f"call{number}")


def plain_headers(wire: Wire, ask: Ask, slots: Mapping[str, bytes]) -> tuple[tuple[str, str], ...]:
    """The headers of a provider's whole answers."""
    own = wire.headers_of(ask, slots, is_stream=False)
    return (*wire.common_headers, *headers_as_text(own))


def headers_as_text(headers: Headers) -> tuple[tuple[str, str], ...]:
    """The same headers, as answers have them."""
    return tuple((name.decode(), value.decode()) for name, value in headers)
