"""Requests to models, as every provider's wire reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from mockd.patterns import Effort, compiled, fits_pieces
from mockd.request import RequestView
from mockd.source import SourceContext
from mockd.sources.llm.budget import MOST_NESTED, TOO_DEEP, Refused
from mockd.sources.llm.reply import When


class Turn(NamedTuple):
    """One message of a conversation. `role` is `user`, `assistant`, `tool` or `system`."""

    role: str
    text: str
    has_tool_result: bool = False


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
    """The turns of `messages` in the form of most chat APIs: `[{role, content}]`, with text or parts as content."""
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict):
            role = message.get("role")
            yield Turn(role if isinstance(role, str) else "user", text_in(message.get("content")), role == "tool")


_COUNTED = 262_144
"""Characters in which words are counted, which takes some milliseconds."""


def words_in(turns: Iterable[Turn]) -> int:
    """The number of words of a conversation, which stands for its number of tokens."""
    return count_words(turn.text for turn in turns)


def count_words(texts: Iterable[str]) -> int:
    """The number of words of texts. If they are very long, it is estimated from how many their beginning has."""
    words = counted = characters = 0
    for text in texts:
        characters += len(text)
        if counted < _COUNTED:
            beginning = text[: _COUNTED - counted]
            words += len(beginning.split())
            counted += len(beginning)
    return words if characters <= counted else words * characters // counted


def last_user_text(turns: Iterable[Turn]) -> str:
    """The text of the last user message."""
    said = [turn.text for turn in turns if turn.role == "user" and turn.text]
    return said[-1] if said else ""


def fits(when: When, turns: list[Turn], model: str | None, effort: Effort) -> bool:
    """Whether a scripted reply is for a request with these turns and this model. Raises as `Effort.left` does."""
    said = last_user_text(turns)
    asked = sum(turn.role == "user" and not turn.has_tool_result for turn in turns)
    return (
        (when.contains is None or when.contains in said)
        and (when.regex is None or compiled(when.regex).is_in(said, effort))
        and (when.model is None or fits_pieces(when.model.split("*"), model or ""))
        and (when.tool_result is None or when.tool_result == bool(turns and turns[-1].has_tool_result))
        and (when.turn is None or when.turn == asked)
    )
