"""`openai-conversations`: conversations and their items, to which responses are added that name them:
https://platform.openai.com/docs/api-reference/conversations.
"""

from __future__ import annotations

import re

from mockd.source import Answer
from mockd.sources.llm.endpoints.endpoint import EndpointParams
from mockd.sources.llm.endpoints.stored_source import StoredSource
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.openai_stored import CONVERSATIONS, Conversation, conversation, page_of, refuse
from mockd.sources.llm.wires.responses_ids import CONVERSATION, holder_id, new_digits
from mockd.sources.registry import SourceKind

_PLACE = re.compile(r"/conversations(?:/([^/]+)(?:/(items)(?:/([^/]+))?)?)?$")


class Conversations(StoredSource):
    """The answers of a mock that names this template."""

    def answer_to(self, ask: Ask) -> Answer:
        place = _PLACE.search(ask.request.path)
        id, items, item = place.groups() if place is not None else (None, None, None)
        if id is None:
            return self._made(ask)
        found = conversation(ask, id)
        if item is not None:
            return self._item(ask, found, item)
        if items is not None:
            return self._items(ask, found)
        if ask.request.method == "DELETE":
            assert ask.context.kept is not None
            ask.context.kept.drop(ask.request.key, CONVERSATIONS, id)
            return self.whole({"id": id, "object": "conversation.deleted", "deleted": True}, ask)
        if ask.request.method == "POST":
            found.metadata = ask.part("metadata")
            found.keep(ask)
        return self.whole(found.described(), ask)

    def _made(self, ask: Ask) -> Answer:
        id = holder_id(CONVERSATION, new_digits(ask))
        made = Conversation(id, int(ask.context.clock.wall()), ask.part("metadata"), [])
        made.add(ask.body.get("items"))
        made.keep(ask)
        return self.whole(made.described(), ask)

    def _items(self, ask: Ask, found: Conversation) -> Answer:
        if ask.request.method != "POST":
            return self.whole(page_of(found.items, ask), ask)
        new = found.add(ask.body.get("items"))
        found.keep(ask)
        ends = {"first_id": new[0]["id"], "last_id": new[-1]["id"]} if new else {"first_id": None, "last_id": None}
        return self.whole({"object": "list", "data": new, **ends, "has_more": False}, ask)

    def _item(self, ask: Ask, found: Conversation, id: str) -> Answer:
        item = next((item for item in found.items if item["id"] == id), None)
        if item is None:
            raise refuse(404, f"Item with id '{id}' not found in conversation '{found.id}'.")
        if ask.request.method != "DELETE":
            return self.whole(item, ask)
        found.items.remove(item)
        found.keep(ask)
        return self.whole(found.described(), ask)


KIND = SourceKind(
    "openai-conversations",
    EndpointParams,
    Conversations,
    "OpenAI's conversations and their items.",
    "response",
)
