"""`openai-stored-responses`: responses that are asked for again, as they are or as a stream that goes on, cancelled or
deleted: https://platform.openai.com/docs/api-reference/responses/get.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mockd.events import Event
from mockd.source import Answer
from mockd.sources.llm.endpoints.endpoint import EndpointParams
from mockd.sources.llm.endpoints.stored_source import StoredSource
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.openai_responses import OpenAIResponses
from mockd.sources.llm.wires.openai_stored import (
    RESPONSES,
    StoredResponse,
    leave_conversation,
    number_in,
    page_of,
    refuse,
)
from mockd.sources.llm.wires.responses_items import ResponsesShape
from mockd.sources.llm.wires.responses_object import response
from mockd.sources.llm.wires.wire import STRUCTURE, plain_headers
from mockd.sources.registry import SourceKind

_PLACE = re.compile(r"/responses/([^/]+)(?:/(cancel|input_items))?$")


class StoredResponses(StoredSource):
    """The answers of a mock that names this template."""

    def answer_to(self, ask: Ask) -> Answer:
        place = _PLACE.search(ask.request.path)
        id, action = place.groups() if place is not None else (ask.request.path.rpartition("/")[2], None)
        stored = self._stored(ask, id)
        if ask.request.method == "DELETE":
            assert ask.context.kept is not None
            ask.context.kept.drop(ask.request.key, RESPONSES, id)
            return self.whole({"id": id, "object": "response", "deleted": True}, ask)
        if action == "input_items":
            return self.whole(page_of(stored.input(), ask), ask)
        if action == "cancel":
            if not stored.is_background:
                raise refuse(400, "Cannot cancel a synchronous response.")
            if not stored.is_cancelled and not stored.is_finished:
                stored.is_cancelled = True
                leave_conversation(ask, stored)
            return self._as_it_is(stored, ask)
        if "true" in ask.request.query.get("stream", ()):
            return self._streamed(stored, ask)
        stored.asked += 1
        return self._as_it_is(stored, ask)

    def _stored(self, ask: Ask, id: str) -> StoredResponse:
        kept = ask.context.kept
        found: StoredResponse | None = None if kept is None else kept.get(ask.request.key, RESPONSES, id)
        if found is None:
            raise refuse(404, f"Response with id '{id}' not found.")
        return found

    def _as_it_is(self, stored: StoredResponse, ask: Ask) -> Answer:
        slots = {**stored.slots, **_request_id(self.wire, ask)}
        return Answer(body=_body(stored), headers=plain_headers(self.wire, ask, slots), slots=slots)

    def _streamed(self, stored: StoredResponse, ask: Ask) -> Answer:
        """The events of a response behind that with a number, or from the first. They end it."""
        after = number_in(ask, "starting_after", -1)
        if not stored.is_cancelled:
            stored.asked = max(stored.asked, 2)
        slots = {**stored.slots, **_request_id(self.wire, ask)}
        own = self.wire.headers_of(ask, slots, is_stream=True)
        headers = tuple((name.decode(), value.decode()) for name, value in own)
        return Answer(events=_events(stored, after), headers=headers, slots=slots)


def _request_id(wire: OpenAIResponses, ask: Ask) -> Mapping[str, bytes]:
    """The slot for the ID of the request that asks again."""
    return {"request_id": wire.new_ids(ask)["request_id"]}


def _body(stored: StoredResponse) -> dict[str, Any]:
    assert isinstance(stored.wire, OpenAIResponses)
    assert isinstance(stored.shape, ResponsesShape)
    if stored.is_cancelled or not stored.is_finished:
        status = "cancelled" if stored.is_cancelled else "in_progress" if stored.asked else "queued"
        return response(status, in_conversation=stored.shape.in_conversation)
    return stored.wire.finished(stored.reply, stored.shape)


def _events(stored: StoredResponse, after: int) -> Iterator[Event]:
    """The events of a response with numbers above one. Of a stream that goes on, the first comes at once."""
    assert isinstance(stored.wire, OpenAIResponses)
    goes_on = has_content = after >= 0
    for event in stored.wire.all_events(stored.reply, stored.shape):
        if stored.is_cancelled and event.type not in OpenAIResponses.opening_types:
            return
        if event.data["sequence_number"] > after:
            if event.delay_s is None and not has_content:
                has_content, event = True, event._replace(opens=True)
            if goes_on:
                goes_on, event = False, event._replace(delay_s=STRUCTURE)
            yield event


KIND = SourceKind(
    "openai-stored-responses",
    EndpointParams,
    StoredResponses,
    "OpenAI's stored responses, and what is done with them.",
)
