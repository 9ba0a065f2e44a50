"""Requests to models, as every provider's wire reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mockd.request import RequestView
from mockd.source import SourceContext
from mockd.sources.llm.budget import MOST_NESTED, TOO_DEEP, Refused
from mockd.sources.llm.requests.options import child, objects


class ToolUse(NamedTuple):
    """A call of a tool in a conversation. `id` is None if the provider's calls have none."""

    name: str
    id: str | None = None


class ToolResult(NamedTuple):
    """The result of a tool in a conversation. `call_id` and `name` are None if the result does not say them."""

    text: str
    call_id: str | None = None
    name: str | None = None


class Turn(NamedTuple):
    """One message of a conversation. `role` is `user`, `assistant`, `tool` or `system`."""

    role: str
    text: str
    results: tuple[ToolResult, ...] = ()
    calls: tuple[ToolUse, ...] = ()


class Ask:
    """A request with its JSON body. If that is not an object, `body` is empty and `is_object` is false."""

    __slots__ = ("body", "context", "is_object")

    def __init__(self, context: SourceContext) -> None:
        self.context = context
        json = context.request.json
        self.is_object = isinstance(json, dict)
        self.body: dict[str, Any] = json if self.is_object else {}

    @property
    def request(self) -> RequestView:
        return self.context.request

    def text(self, name: str) -> str | None:
        """A text field of the body, or None if there is none."""
        value = self.body.get(name)
        return value if isinstance(value, str) else None

    def part(self, name: str) -> dict[str, Any]:
        """An object field of the body, or an empty object if there is none."""
        value = self.body.get(name)
        return value if isinstance(value, dict) else {}


def text_in(content: Any) -> str:
    """The text of a message's content, which is text or has parts with text. Raises `Refused` if parts are nested too
    deeply."""
    if isinstance(content, str):
        return content
    texts: list[str] = []
    levels: list[Iterator[Any]] = [iter((content,))]
    while levels:
        for part in levels[-1]:
            if isinstance(part, str) and part:
                texts.append(part)
            elif isinstance(part, dict | list):
                if len(levels) > MOST_NESTED:
                    raise Refused(TOO_DEEP)
                levels.append(iter(part if isinstance(part, list) else (_said_in(part),)))
                break
        else:
            levels.pop()
    return " ".join(texts)


def _said_in(part: dict[str, Any]) -> Any:
    return part.get("text") or part.get("content") or part.get("parts")


def chat_turns(messages: Any) -> Iterator[Turn]:
    """The turns of `messages` in the form of most chat APIs: `[{role, content}]`, with text or parts as content, calls
    of tools beside it, and their results in messages of their own."""
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, dict):
            continue
        role, text = message.get("role"), text_in(message.get("content"))
        if role == "assistant":
            yield Turn(role, text, calls=_calls_in(message))
        elif role in _ANSWERING:
            call_id = text_of(message, "tool_call_id", "toolCallId")
            yield Turn("tool", text, (ToolResult(text, call_id, text_of(message, "tool_name", "name")),))
        else:
            yield Turn(role if isinstance(role, str) else "user", text)


_ANSWERING = ("tool", "function")
"""Roles of messages with the result of a tool."""


def _calls_in(message: dict[str, Any]) -> tuple[ToolUse, ...]:
    calls = message.get("tool_calls") or message.get("toolCalls")
    if not calls:
        return ()
    found = []
    for call in objects(calls):
        if isinstance(name := (child(call, "function") or child(call, "custom")).get("name"), str):
            found.append(ToolUse(name, text_of(call, "id")))
    return tuple(found)


def text_of(value: dict[str, Any], *names: str) -> str | None:
    """The first text among these fields of an object, or None."""
    return next((found for name in names if isinstance(found := value.get(name), str)), None)
