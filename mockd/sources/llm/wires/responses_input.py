"""The items of a response's input: messages, calls of tools of all kinds, and their results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from mockd.sources.llm.budget import MOST_EARLIER
from mockd.sources.llm.requests.ask import ToolResult, ToolUse, Turn, text_in, text_of
from mockd.sources.llm.requests.options import objects
from mockd.sources.llm.requests.tokens import images_among

_CALL, _OUTPUT = "_call", "_call_output"
_NAMED_BY_CALL = ("function", "custom_tool")
"""Kinds of calls whose tool has a name of its own. All other kinds are the name of their tool."""
_APPROVED = {True: "approved", False: "denied"}


class Stretch(NamedTuple):
    """A stretch of a conversation: its last turns, at most `MOST_EARLIER` of them, and its number of images. `is_whole`
    is false if it had more turns."""

    turns: Sequence[Turn] = ()
    images: int = 0
    is_whole: bool = True


SILENCE = Stretch()
"""A stretch in which nothing is said."""


def stretch_of(items: Sequence[dict[str, Any]]) -> Stretch:
    """The stretch of a conversation in these items. Raises `Refused` if one is nested too deeply."""
    last = items[-MOST_EARLIER:]
    return Stretch(tuple(turns_in(last)), images_among(last), is_whole=len(items) <= MOST_EARLIER)


def turns_in(items: Iterable[dict[str, Any]]) -> Iterator[Turn]:
    """The turns of a conversation in these items."""
    for item in items:
        kind = item.get("type")
        if isinstance(kind, str) and kind.endswith(_OUTPUT):
            text = _output_of(item.get("output"))
            tool = kind.removesuffix(_OUTPUT)
            name = None if tool in _NAMED_BY_CALL else tool
            yield Turn("tool", text, (ToolResult(text, text_of(item, "call_id", "id"), name),))
        elif kind == "mcp_approval_response":
            text = " ".join(filter(None, (_APPROVED[item.get("approve") is True], text_of(item, "reason"))))
            yield Turn("tool", text, (ToolResult(text, text_of(item, "approval_request_id")),))
        elif kind == "mcp_approval_request":
            yield Turn("assistant", "", calls=tuple(_used(text_of(item, "name"), text_of(item, "id"))))
        elif isinstance(kind, str) and kind.endswith(_CALL):
            name = text_of(item, "name") or kind.removesuffix(_CALL)
            yield Turn("assistant", "", calls=tuple(_used(name, text_of(item, "call_id"))))
        elif kind == "item_reference":  # to what the model said earlier
            yield Turn("assistant", "")
        elif isinstance(item.get("role"), str):
            yield Turn(item["role"], text_in(item.get("content")))


def _used(name: str | None, id: str | None) -> Iterator[ToolUse]:
    if name is not None:
        yield ToolUse(name, id)


def _output_of(output: Any) -> str:
    """The text of a call's output; a shell's has it in parts of its own."""
    said = (text_of(part, name) for part in objects(output) for name in ("stdout", "stderr"))
    return " ".join(filter(None, (text_in(output), *said)))
