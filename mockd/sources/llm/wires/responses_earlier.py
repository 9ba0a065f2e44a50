"""What a request for a response goes on from: the responses before it, each with its own input, or the items of a
conversation. The instructions of earlier requests are not among them:
https://platform.openai.com/docs/api-reference/responses/create.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from mockd.sources.llm.budget import LONGEST_EARLIER, MOST_EARLIER
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.openai_stored import RESPONSES, Missed, StoredResponse, conversation, conversation_in
from mockd.sources.llm.wires.responses_input import SILENCE, Stretch

_UNKNOWN = Stretch(is_whole=False)


def goes_on(body: Mapping[str, Any]) -> bool:
    """Whether a request goes on from something earlier."""
    return bool(body.get("previous_response_id") or body.get("conversation"))


def earlier(ask: Ask) -> Stretch:
    """What was said before a request. It is not whole if something of it is forgotten or above the limits: what was
    said last is kept. Raises `Refused` if an item is nested too deeply."""
    if not goes_on(ask.body):
        return SILENCE
    if previous := ask.text("previous_response_id"):
        return _in_responses(ask, previous)
    name = conversation_in(ask.body)
    try:
        return _UNKNOWN if name is None else conversation(ask, name).said()
    except Missed:
        return _UNKNOWN


def _in_responses(ask: Ask, last: str) -> Stretch:
    """What was said in a stored response, and in those before it."""
    found: list[Stretch] = []
    turns = characters = 0
    name: str | None = last
    is_whole = True
    while is_whole and name is not None:
        stored = _stored(ask, name)
        if stored is None:
            is_whole = False
            break
        heard, said = stored.heard(ask), stored.said(ask)
        here = Stretch(
            (*heard.input.turns, *said.turns),
            heard.input.images + said.images,
            is_whole=heard.input.is_whole and said.is_whole and heard.conversation is None,
        )
        # One without turns counts too, so that no chain is endless.
        turns += max(1, len(here.turns))
        characters += sum(len(turn.text) for turn in here.turns)
        if found and (turns > MOST_EARLIER or characters > LONGEST_EARLIER):
            is_whole = False
            break
        found.append(here)
        is_whole, name = here.is_whole, heard.previous
    return Stretch(
        tuple(chain.from_iterable(one.turns for one in reversed(found))), sum(one.images for one in found), is_whole
    )


def _stored(ask: Ask, name: str) -> StoredResponse | None:
    kept = ask.context.kept
    found: StoredResponse | None = None if kept is None else kept.get(ask.request.key, RESPONSES, name)
    return found
