"""What OpenAI stores for its clients: responses, and conversations with their items.

A stored response is what its answer was made of, and is made anew when somebody asks for it. So it costs an answer next
to nothing to be stored, as each is unless its request has `"store": false`. What was said in it is worked out when a
later request goes on from it, and remembered.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from mockd.events import Event, Fill
from mockd.framing import FRAMINGS, FrameTemplate
from mockd.sources.llm.budget import LONGEST_EARLIER, MOST_EARLIER
from mockd.sources.llm.replies.reply import Reply
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.responses_ids import CONVERSATION, INPUT, RESPONSE, digits_of, holder_id, item_id
from mockd.sources.llm.wires.responses_input import SILENCE, Stretch, stretch_of
from mockd.sources.llm.wires.responses_items import ResponsesShape
from mockd.sources.llm.wires.responses_items import items_of as output_of
from mockd.sources.llm.wires.wire import Failure, Wire

RESPONSES, CONVERSATIONS = "responses", "conversations"
"""Kinds of what is stored."""
_SIZE, _SIZE_OF_PIECE = 4000, 100
"""Bytes that a stored response takes beside its request, and for each piece of its reply."""
_TIMES = 3
"""How often a stored response has its request: its bytes, which other text may double, and what was said in it."""
_MOST_LISTED = 100
"""The limit of the real service."""
_LISTED = 20
_REFERENCE = "item_reference"
"""The type of an item of an input that only names one that is stored."""
_MOST_DIGITS = 18


class Missed(Exception):
    """A request for what is not there, or cannot be done to it. `failure` is the answer."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def refuse(status: int, message: str) -> Missed:
    """A refusal in OpenAI's words for requests that name something wrong."""
    return Missed(Failure(status, message, "invalid_request_error"))


class Heard(NamedTuple):
    """What a request said: its input, and the IDs of the response and of the conversation from which it goes on."""

    input: Stretch
    previous: str | None
    conversation: str | None


class StoredResponse(Struct):
    """A response as it was made: its wire, the reply, the shape of its request, and its slots, which have its ID.

    One that is made in the background is queued in the answer to its request, in progress when it is first asked for,
    and finished when it is asked for again; `asked` counts that. If it is streamed, it is in progress from the start.
    """

    wire: Wire
    reply: Reply
    shape: Hashable
    slots: Mapping[str, bytes]
    request: bytes
    is_background: bool
    asked: int
    is_cancelled: bool = False
    _heard: Heard | None = None
    _said: Stretch | None = None
    _output: list[dict[str, Any]] | None = None

    @property
    def id(self) -> str:
        return self.slots["id"][1:-1].decode()

    @property
    def is_finished(self) -> bool:
        return not self.is_background or self.asked > 1

    def input(self) -> list[dict[str, Any]]:
        """The items that the request had as input."""
        return items_of(self._body().get("input"), digits_of(self.id) or "", INPUT)

    def output(self, ask: Ask) -> list[dict[str, Any]]:
        """The items of its output, for a request that asks for them."""
        if self._output is None:
            assert isinstance(self.shape, ResponsesShape)
            whole = [item.whole for item in output_of(self.reply, self.shape)]
            self._output = rendered(ask, whole, self.slots)
        return self._output

    def all_items(self, ask: Ask) -> list[dict[str, Any]]:
        """The items of its input and, as far as it has that now, of its output."""
        return [*self.input(), *(self.output(ask) if self.has_said else ())]

    @property
    def has_said(self) -> bool:
        """Whether it has its output now."""
        return self.is_finished and not self.is_cancelled and self.reply.failure is None

    def heard(self, ask: Ask) -> Heard:
        """What its request said."""
        if self._heard is None:
            body = self._body()
            previous = body.get("previous_response_id")
            self._heard = Heard(
                stretch_of(list(resolved(ask, self.input()))),
                previous if isinstance(previous, str) and previous else None,
                conversation_in(body),
            )
        return self._heard

    def said(self, ask: Ask) -> Stretch:
        """What the model said in it, as far as it has its output now."""
        if not self.has_said:
            return SILENCE
        if self._said is None:
            self._said = stretch_of(self.output(ask))
        return self._said

    def _body(self) -> dict[str, Any]:
        """The body of its request, which may be anything if nothing is refused."""
        try:
            given = msgspec.json.decode(self.request)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return {}
        return given if isinstance(given, dict) else {}


def keep_response(ask: Ask, wire: Wire, reply: Reply, shape: Hashable, slots: Mapping[str, bytes]) -> None:
    """Store the response to a request, unless that does not want it. Raises `TooManyKeysError`."""
    is_background = ask.body.get("background") is True
    kept = ask.context.kept
    if kept is None or (ask.body.get("store") is False and not is_background):
        return
    request = ask.request.body
    asked = int(wire.streams(ask))
    stored = StoredResponse(wire, reply, shape, slots, request, is_background, asked)
    size = _SIZE + _TIMES * len(request) + _SIZE_OF_PIECE * reply.pieces
    kept.keep(ask.request.key, RESPONSES, slots["id"][1:-1].decode(), stored, size)


class Conversation(Struct):
    """A conversation, with its items in order."""

    id: str
    created: int
    metadata: dict[str, Any]
    items: list[dict[str, Any]]
    made: int = 0
    """The number of items that were made for it so far. Responses that were added to it have made theirs."""
    _said: Stretch | None = None

    def add(self, given: Any) -> list[dict[str, Any]]:
        """Add items from a request. Returns them as they are then."""
        new = items_of(given, digits_of(self.id) or "", self.made + 1)
        self.made += len(new)
        self.items += new
        return new

    def all_items(self, ask: Ask) -> list[dict[str, Any]]:
        """Its items now."""
        return self.items

    def said(self) -> Stretch:
        """What has been said in it."""
        if self._said is None:
            self._said = stretch_of(self.items)
        return self._said

    def described(self) -> dict[str, Any]:
        return {"id": self.id, "object": "conversation", "created_at": self.created, "metadata": self.metadata}

    def keep(self, ask: Ask) -> None:
        """Store the conversation as it is now. Raises `TooManyKeysError`."""
        self._said = None
        if ask.context.kept is not None:
            size = len(msgspec.json.encode([self.metadata, self.items]))
            ask.context.kept.keep(ask.request.key, CONVERSATIONS, self.id, self, _SIZE + _TIMES * size)


def conversation_in(body: Mapping[str, Any]) -> str | None:
    """The ID of the conversation to which a request for a response belongs, or None if it names none."""
    given = body.get("conversation")
    name = given.get("id") if isinstance(given, dict) else given
    return name if isinstance(name, str) and name else None


def conversation(ask: Ask, id: str) -> Conversation:
    """A stored conversation. Raises `Missed`."""
    kept = ask.context.kept
    found: Conversation | None = None if kept is None else kept.get(ask.request.key, CONVERSATIONS, id)
    if found is None:
        raise refuse(404, f"Conversation with id '{id}' not found.")
    return found


def continue_conversation(ask: Ask, output: Sequence[Any], slots: Mapping[str, bytes]) -> None:
    """Add the input of a request and its output to the conversation that the request names, if that is stored. Slots
    in the output have these values."""
    name = conversation_in(ask.body)
    if name is None:
        return
    try:
        found = conversation(ask, name)
    except Missed:
        return
    given = items_of(ask.body.get("input"), digits_of(slots["id"][1:-1].decode()) or "", INPUT)
    there = {item["id"] for item in found.items}
    said = (item for item in resolved(ask, given) if not (item["type"] == _REFERENCE or item["id"] in there))
    found.items += [*said, *rendered(ask, output, slots)]
    found.keep(ask)


def leave_conversation(ask: Ask, stored: StoredResponse) -> None:
    """Take the output of a response out of the conversation to which it was added."""
    name = stored.heard(ask).conversation
    if name is None:
        return
    try:
        found = conversation(ask, name)
    except Missed:
        return
    gone = {item["id"] for item in stored.output(ask)}
    found.items = [item for item in found.items if item["id"] not in gone]
    found.keep(ask)


def rendered(ask: Ask, output: Sequence[Any], slots: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Items of an output whose slots have these values."""
    frame = FRAMINGS["raw"].encode(Event(list(output)))
    fill = Fill(ask.context.rng, ask.context.clock, slots)
    items: list[dict[str, Any]] = msgspec.json.decode(frame.render(fill) if isinstance(frame, FrameTemplate) else frame)
    return items


# -- items -------------------------------------------------------------------------------------------------------------


def items_of(given: Any, digits: str, first: int) -> list[dict[str, Any]]:
    """Items as the service has them: with IDs, and content in parts. IDs that are not given have the digits, and are
    counted from `first` on."""
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    items = given if isinstance(given, list) else []
    return [_item(item, digits, number) for number, item in enumerate(items, first) if isinstance(item, dict)]


def _item(item: Mapping[str, Any], digits: str, number: int) -> dict[str, Any]:
    kind = item.get("type")
    kind = kind if isinstance(kind, str) else _REFERENCE if is_reference(item) else "message"
    id = item.get("id")
    if not (isinstance(id, str) and id):
        id = item_id(kind, digits, number)
    completed = {**item, "type": kind, "id": id, "status": "completed"}
    if kind == "message" and isinstance(content := item.get("content"), str):
        is_said = item.get("role") == "assistant"
        part = {"type": "output_text", "annotations": []} if is_said else {"type": "input_text"}
        completed["content"] = [{**part, "text": content}]
    return completed


def is_reference(item: Mapping[str, Any]) -> bool:
    """Whether an item of an input only names one that is stored."""
    kind = item.get("type")
    return isinstance(item.get("id"), str) and (kind == _REFERENCE or (kind is None and item.get("role") is None))


class Referred:
    """The stored items to which a request may refer: in the conversation that it names, and in every response and
    conversation, as long as that is stored."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._items: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}

    def get(self, id: str) -> dict[str, Any] | None:
        """The item with an ID, or None if there is none."""
        digits, named = digits_of(id), conversation_in(self._ask.body)
        places = [] if named is None else [(CONVERSATIONS, named)]
        if digits is not None:
            places += [(RESPONSES, holder_id(RESPONSE, digits)), (CONVERSATIONS, holder_id(CONVERSATION, digits))]
        return next((item for place in places if (item := self._in(place).get(id)) is not None), None)

    def _in(self, place: tuple[str, str]) -> dict[str, dict[str, Any]]:
        """The items in a response or conversation, by their IDs."""
        if place not in self._items:
            kept = self._ask.context.kept
            holder: StoredResponse | Conversation | None = (
                None if kept is None else kept.get(self._ask.request.key, *place)
            )
            items = () if holder is None else holder.all_items(self._ask)
            self._items[place] = {item["id"]: item for item in items if item["type"] != _REFERENCE}
        return self._items[place]


def resolved(ask: Ask, items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """These items, with the stored ones in place of references to them. A reference stays one if there is no such item,
    if another has named it, and above the limits."""
    referred, seen, characters = Referred(ask), set[str](), 0
    for item in items:
        found = None
        if is_reference(item) and item["id"] not in seen and len(seen) < MOST_EARLIER and characters < LONGEST_EARLIER:
            seen.add(item["id"])
            found = referred.get(item["id"])
            characters += 0 if found is None else len(msgspec.json.encode(found))
        yield item if found is None else found


def page_of(items: Sequence[dict[str, Any]], ask: Ask) -> dict[str, Any]:
    """A page of a list, as the query of a request asks for it: `order`, `after` and `limit`. Raises `Missed`."""
    query = ask.request.query
    listed = list(items) if "asc" in query.get("order", ()) else list(reversed(items))
    if after := query.get("after"):
        places = [place for place, item in enumerate(listed) if item["id"] == after[0]]
        if not places:
            raise refuse(400, f"Invalid 'after': there is no item with id '{after[0]}'.")
        listed = listed[places[0] + 1 :]
    limit = _number(query.get("limit", ()), "limit", _LISTED)
    if not 1 <= limit <= _MOST_LISTED:
        raise refuse(400, f"Invalid 'limit': expected a number from 1 to {_MOST_LISTED}, but got {limit}.")
    page = listed[:limit]
    ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
    return {"object": "list", "data": page, **ends, "has_more": len(listed) > limit}


def number_in(ask: Ask, name: str, default: int) -> int:
    """A whole number in the query of a request. Raises `Missed`."""
    return _number(ask.request.query.get(name, ()), name, default)


def _number(given: Sequence[str], name: str, default: int) -> int:
    if not given:
        return default
    text = given[0]
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise refuse(400, f"Invalid '{name}': expected an integer.")
    return int(text)
