"""What a provider's wire has to say, and nothing else: words, keys and the order of events.

Everything a template does with a reply is in `source`; a new provider is one subclass of `Wire`, most of it data.
Events and whole answers are built once for each `shape` of request: what differs between streams of one shape (ids,
times, the model) stands in them as a `Slot`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar, Literal
from uuid import UUID

from msgspec import Struct

from mockd.events import Event, Slot
from mockd.jsontext import encode_json
from mockd.source import Headers
from mockd.sources.llm.ask import Ask, Turn, chat_turns, words_in
from mockd.sources.llm.reply import Call, Error, Reply, ReplyParams

STRUCTURE = 0.0
"""The delay of events that belong to the format; those with content leave theirs to the mock's timing."""


class IdForm:
    """How ids of one kind look: a prefix and so many random hexadecimal digits."""

    __slots__ = ("_bits", "_form")

    def __init__(self, prefix: str, digits: int) -> None:
        self._form = f'"{prefix}%0{digits}x"'.encode()
        self._bits = 4 * digits

    def make(self, ask: Ask) -> bytes:
        """A new one, as JSON."""
        return self._form % ask.context.rng.getrandbits(self._bits)

    def text(self, ask: Ask) -> str:
        """A new one, as text."""
        return self.make(ask)[1:-1].decode()


class UuidForm(IdForm):
    """Random UUIDs."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("", 32)

    def make(self, ask: Ask) -> bytes:
        return b'"%s"' % str(UUID(int=ask.context.rng.getrandbits(self._bits), version=4)).encode()


class Failure(Struct, frozen=True):
    """An error, as a wire is asked to say it. `param` is the field of the request that is wrong."""

    status: int
    message: str
    type: str | None = None
    param: str | None = None
    retry_after: float | None = None


class Wire:
    """A provider's streaming API. Subclasses set the class attributes and say events, whole answers and errors."""

    name: ClassVar[str]
    """Of its template."""
    summary: ClassVar[str]
    part: ClassVar[Literal["sse", "chunked"]] = "sse"
    params_type: ClassVar[type[ReplyParams]] = ReplyParams
    default_model: ClassVar[str]
    expresses: ClassVar[frozenset[str]] = frozenset()
    """Which of reasoning, toolCalls, refusal and citations it has something for."""
    lacks: ClassVar[frozenset[str]] = frozenset()
    """Which of usage, model and error.type it has nothing for."""
    finish: ClassVar[Mapping[str, str]]
    """The provider's words for the reasons to finish."""
    error_types: ClassVar[Mapping[int, str]]
    """The provider's words for errors by HTTP status; 400 and 500 must be among them, unless it lacks words."""
    required: tuple[str, ...] = ("model", "messages")
    """What the service refuses to do without, of the request's body."""
    missing: ClassVar[str] = "Missing required parameter: '{}'."
    """How it says so."""
    not_json: ClassVar[str] = "We could not parse the JSON body of your request."
    """What it says to a body that is no JSON object."""
    ids: ClassVar[Mapping[str, IdForm]] = {}
    """Ids that are new for each reply, by the name of their slot."""
    call_id: ClassVar[IdForm] = IdForm("call_", 24)
    argument_chunk: ClassVar[int | None] = 16
    """Characters of a tool's arguments in each fragment, where a mock does not say; None: all in one."""
    request_id: ClassVar[tuple[bytes, IdForm] | None] = None
    """The header with the request's id, and how that looks; the slot `request_id` has the same one."""
    opening_events: ClassVar[int] = 1
    """How many events a stream begins with, whatever is said."""
    headers: ClassVar[Headers] = ((b"content-type", b"text/event-stream; charset=utf-8"),)
    """Of streams."""
    common_headers: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Of every answer, streams and errors alike."""
    retry_in_ms: ClassVar[bool] = False
    """Whether errors say `retry-after-ms` too."""

    def __init__(self, params: ReplyParams) -> None:
        self.params = params

    # -- what a request asks ---------------------------------------------------------------------------------------

    def streams(self, ask: Ask) -> bool:
        """Whether it wants a stream. A body that is not JSON says nothing, and gets what the template is for."""
        return bool(ask.body.get("stream")) or not ask.is_object

    def model(self, ask: Ask) -> str | None:
        return ask.text("model")

    def turns(self, ask: Ask) -> Iterable[Turn]:
        """The conversation so far."""
        return chat_turns(ask.body.get("messages"))

    def shape(self, ask: Ask) -> Hashable:
        """What of the request decides which events there are, and which keys they have."""
        return None

    def json_schema(self, ask: Ask) -> Any:
        """The JSON schema that the reply's text must be valid against; None where the request has none."""
        return None

    def complaint(self, ask: Ask) -> Failure | None:
        """What the service would refuse the request for."""
        if not ask.is_object:
            return Failure(400, self.not_json)
        for name in self.required:
            if ask.body.get(name) in (None, "", []):
                return Failure(400, self.missing.format(name), param=name)
        return None

    # -- what differs from stream to stream ------------------------------------------------------------------------

    def new_ids(self, ask: Ask) -> dict[str, bytes]:
        """The slots that every answer has, errors too: its ids, and that of the request."""
        slots = {name: form.make(ask) for name, form in self.ids.items()}
        if self.request_id is not None:
            slots["request_id"] = self.request_id[1].make(ask)
        return slots

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        """The values of slots, as JSON: the ids, `created`, `model`, `call0` and so on, and where it `counts` the
        numbers of tokens `prompt` and `total`."""
        slots = self.new_ids(ask)
        slots["created"] = b"%d" % ask.context.clock.wall()
        slots["model"] = encode_json(reply.model or self.model(ask) or self.default_model)
        for number, call in enumerate(reply.calls):
            if call.id is None:
                slots[f"call{number}"] = self.call_id.make(ask)
        if self.counts(ask, shape):
            given = reply.usage.input_tokens
            prompt = words_in(self.turns(ask)) if given is None else given
            slots["prompt"] = b"%d" % prompt
            slots["total"] = b"%d" % (prompt + self.output_tokens(reply, shape))
        return slots

    def headers_of(self, ask: Ask, slots: Mapping[str, bytes], *, is_stream: bool) -> Headers:
        """What one answer has besides, or other than, the headers that all have: the request's id."""
        return () if self.request_id is None else ((self.request_id[0], slots["request_id"][1:-1]),)

    def counts(self, ask: Ask, shape: Hashable) -> bool:
        """Whether the answer says how many tokens there were."""
        return True

    def output_tokens(self, reply: Reply, shape: Hashable) -> int:
        """Tokens of the answer, as they are charged for."""
        return reply.output_tokens

    # -- what is sent ----------------------------------------------------------------------------------------------

    def framing(self, shape: Hashable) -> str | None:
        """The framing of a stream: a name in `mockd.framing.FRAMINGS`, or None for the usual one of its `part`."""
        return None

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        """The stream of a reply. Events with content have no delay of their own, all others `STRUCTURE`."""
        raise NotImplementedError

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        """The reply in one piece, as a JSON value."""
        raise NotImplementedError

    def error_body(self, failure: Failure) -> Any:
        """The answer to a request that failed, as a JSON value."""
        raise NotImplementedError

    def error_answer(self, failure: Failure, ask: Ask) -> Any:
        """The same as this request gets it."""
        return self.error_body(failure)

    def fails_at(self, content: Sequence[int], after: int) -> int:
        """Before which event a stream fails that has said `after` tokens; its events with content are in these
        places. It fails before it finishes."""
        if after < len(content):
            return content[after]
        return content[-1] + 1 if content else self.opening_events

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        """How the stream says that it failed, after the events that were sent."""
        raise NotImplementedError

    def error_type(self, type: str | None, status: int) -> str:
        """The provider's word for an error: the given one, or what goes with its status."""
        return type or self.error_types.get(status) or self.error_types[400 if status < 500 else 500]

    def error_status(self, type: str | None) -> int:
        """The HTTP status that goes with the provider's word for an error."""
        return next((status for status, word in self.error_types.items() if word == type), 500)


def signature(reasoning: str) -> str:
    """What stands for the proof that a model thought this: the same for the same thoughts."""
    return b64encode(sha256(reasoning.encode()).digest()).decode()


def call_id(number: int, call: Call) -> str | Slot:
    """The id of a reply's call: the given one, or a new one for each stream."""
    return call.id or Slot(f"call{number}")
