"""What OpenAI stores for its clients: responses, and conversations with their items.

A stored response is what its answer was made of, and is made anew when somebody asks for it. So it costs an answer next
to nothing to be stored, as each is unless its request has `"store": false`. What was said in it is worked out when a
later request goes on from it, and remembered.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from mockd.events import Event, Fill
from mockd.framing import FRAMINGS, FrameTemplate
from mockd.sources.llm.replies.reply import Reply
from mockd.sources.llm.requests.ask import Ask
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
_MOST_DIGITS = 18
_IDS = {"message": "msg", "function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs"}


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

    @property
    def id(self) -> str:
        return self.slots["id"][1:-1].decode()

    @property
    def is_finished(self) -> bool:
        return not self.is_background or self.asked > 1

    def input(self) -> list[dict[str, Any]]:
        """The items that the request had as input."""
        return items_of(self._body().get("input"), self.id)

    def output(self, ask: Ask) -> list[dict[str, Any]]:
        """The items of its output, for a request that asks for them."""
        assert isinstance(self.shape, ResponsesShape)
        return rendered(ask, [item.whole for item in output_of(self.reply, self.shape)], self.slots)

    def heard(self) -> Heard:
        """What its request said."""
        if self._heard is None:
            body = self._body()
            previous = body.get("previous_response_id")
            self._heard = Heard(
                stretch_of(self.input()),
                previous if isinstance(previous, str) and previous else None,
                conversation_in(body),
            )
        return self._heard

    def said(self, ask: Ask) -> Stretch:
        """What the model said in it, as far as it has its output now."""
        if not self.is_finished or self.is_cancelled or self.reply.failure is not None:
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
    _said: Stretch | None = None

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
    found.items += [*items_of(ask.body.get("input"), slots["id"][1:-1].decode()), *rendered(ask, output, slots)]
    found.keep(ask)


def leave_conversation(ask: Ask, stored: StoredResponse) -> None:
    """Take the output of a response out of the conversation to which it was added."""
    name = stored.heard().conversation
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


def items_of(given: Any, seed: str) -> list[dict[str, Any]]:
    """Items as the service has them: with IDs, and content in parts. IDs that are not given follow from the seed."""
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    items = given if isinstance(given, list) else []
    return [_item(item, f"{seed} {number}") for number, item in enumerate(items) if isinstance(item, dict)]


def _item(item: Mapping[str, Any], seed: str) -> dict[str, Any]:
    kind = item.get("type")
    kind = kind if isinstance(kind, str) else "message"
    id = item.get("id")
    if not (isinstance(id, str) and id):
        id = f"{_IDS.get(kind, 'item')}_{sha256(seed.encode()).hexdigest()[:50]}"
    completed = {**item, "type": kind, "id": id, "status": "completed"}
    if kind == "message" and isinstance(content := item.get("content"), str):
        is_said = item.get("role") == "assistant"
        part = {"type": "output_text", "annotations": []} if is_said else {"type": "input_text"}
        completed["content"] = [{**part, "text": content}]
    return completed


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
