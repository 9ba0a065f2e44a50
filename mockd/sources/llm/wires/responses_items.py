"""The items of a response's output: reasoning, the message, and tool calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from mockd.events import Slot
from mockd.sources.llm.replies.reply import Call, Reply, place_of
from mockd.sources.llm.wires.openai import PADDING, logprobs_of
from mockd.sources.llm.wires.wire import STRUCTURE, call_id, signature


class ResponsesShape(NamedTuple):
    """The part of a request that decides which events its stream has, and which keys they have."""

    obfuscation: bool = False
    encrypted: bool = False
    """Whether reasoning has its encrypted content."""
    logprobs: int | None = None
    """Number of alternatives for each token, or None without log probabilities."""
    background: bool = False
    """Whether the response is made in the background, and queued first."""
    summary: bool = True
    """Whether reasoning has its summary."""
    tier: str = "default"
    in_conversation: bool = False
    """Whether the request names the conversation to which it belongs."""


class ItemStep(NamedTuple):
    """An event that fills an item: its type, and its fields without those that name the item."""

    type: str
    fields: dict[str, Any]
    delay_s: float | None = STRUCTURE


class Item(NamedTuple):
    """An item of the output: its opening, the events that fill it, which are made one by one, and its whole form."""

    opening: dict[str, Any]
    steps: Iterable[ItemStep]
    whole: dict[str, Any]


def items_of(reply: Reply, shape: ResponsesShape) -> list[Item]:
    """The items of a reply. If the output was cut off, the last one is incomplete."""
    items = [_reasoning(reply, shape)] if reply.reasoning else []
    if reply.tokens or reply.refusal or not reply.calls:
        items.append(_message(reply, shape))
    items += [_call(number, call, shape) for number, call in enumerate(reply.calls)]
    if reply.finish in ("length", "content_filter"):
        last = items[-1]
        items[-1] = last._replace(whole=last.whole | {"status": "incomplete"})
    return items


def _reasoning(reply: Reply, shape: ResponsesShape) -> Item:
    text = "".join(reply.reasoning)
    place = {"summary_index": 0}
    part = {"type": "summary_text", "text": text}
    item: dict[str, Any] = {"id": Slot("reasoning_id"), "type": "reasoning"}
    if shape.encrypted:
        item["encrypted_content"] = signature(text)
    if not shape.summary:
        return Item({**item, "summary": []}, (), {**item, "summary": []})
    deltas = ({**place, "delta": token} for token in reply.reasoning)
    steps = chain(
        [ItemStep("reasoning_summary_part.added", {**place, "part": {**part, "text": ""}})],
        _deltas("reasoning_summary_text.delta", deltas, shape),
        [
            ItemStep("reasoning_summary_text.done", {**place, "text": text}),
            ItemStep("reasoning_summary_part.done", {**place, "part": part}),
        ],
    )
    return Item({**item, "summary": []}, steps, {**item, "summary": [part]})


def _message(reply: Reply, shape: ResponsesShape) -> Item:
    part, steps = _refusal(reply, shape) if reply.refusal else _text(reply, shape)
    place = {"content_index": 0}
    empty = {key: value if key == "type" else type(value)() for key, value in part.items()}
    item = {"id": Slot("message_id"), "type": "message", "role": "assistant"}
    steps = chain(
        [ItemStep("content_part.added", {**place, "part": empty})],
        steps,
        [ItemStep("content_part.done", {**place, "part": part})],
    )
    opening = {**item, "status": "in_progress", "content": []}
    return Item(opening, steps, {**item, "status": "completed", "content": [part]})


def _refusal(reply: Reply, shape: ResponsesShape) -> tuple[dict[str, Any], Iterable[ItemStep]]:
    place = {"content_index": 0}
    text = "".join(reply.refusal)
    deltas = _deltas("refusal.delta", ({**place, "delta": token} for token in reply.refusal), shape)
    return {"type": "refusal", "refusal": text}, chain(deltas, [ItemStep("refusal.done", {**place, "refusal": text})])


def _text(reply: Reply, shape: ResponsesShape) -> tuple[dict[str, Any], Iterable[ItemStep]]:
    place = {"content_index": 0}
    top = shape.logprobs
    logprobs = [] if top is None else logprobs_of(reply.tokens, top)
    deltas = (
        {**place, "delta": token, "logprobs": logprobs[number : number + 1]}
        for number, token in enumerate(reply.tokens)
    )
    annotations = _annotations(reply)
    part = {"type": "output_text", "annotations": annotations, "logprobs": logprobs, "text": reply.text}
    return part, chain(
        _deltas("output_text.delta", deltas, shape),
        (
            ItemStep("output_text.annotation.added", {**place, "annotation_index": number, "annotation": annotation})
            for number, annotation in enumerate(annotations)
        ),
        [ItemStep("output_text.done", {**place, "text": reply.text, "logprobs": logprobs})],
    )


_FUNCTION = ("function_call", "arguments", "function_call_arguments")
_CUSTOM = ("custom_tool_call", "input", "custom_tool_call_input")
"""The type of the item of a call, the key of what the tool gets, and the events that fill it."""


def _call(number: int, call: Call, shape: ResponsesShape) -> Item:
    kind, given, event = _CUSTOM if call.is_custom else _FUNCTION
    item = {"id": Slot(f"item{number}"), "type": kind, "call_id": call_id(number, call), "name": call.name}
    deltas = ({"delta": fragment} for fragment in call.fragments)
    done = ItemStep(f"{event}.done", {given: call.arguments})
    steps = chain(_deltas(f"{event}.delta", deltas, shape), [done])
    opening = {**item, "status": "in_progress", given: ""}
    return Item(opening, steps, {**item, "status": "completed", given: call.arguments})


def _annotations(reply: Reply) -> list[dict[str, Any]]:
    found = []
    for citation in reply.citations:
        start, end = place_of(citation, reply.text)
        place = {"start_index": start, "end_index": end}
        found.append({"type": "url_citation", "url": citation.url, "title": citation.title, **place})
    return found


def _deltas(type_: str, deltas: Iterator[dict[str, Any]], shape: ResponsesShape) -> Iterator[ItemStep]:
    padding = {"obfuscation": PADDING} if shape.obfuscation else {}
    for delta in deltas:
        yield ItemStep(type_, {**delta, **padding}, None)
