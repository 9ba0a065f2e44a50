"""What may be wrong with a request, for the rules of any service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mockd.sources.llm.refusals.rule import Found
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.requests.options import choice_in, names_of

_SHOWN = 100
"""Characters of a value in a request that a message shows."""


def shown(value: Any) -> str:
    """The beginning of a value, for a message."""
    return str(value)[:_SHOWN]


def value_at(body: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path of names, or None if there is none."""
    value: Any = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def is_number(value: Any) -> bool:
    """Whether a value is a number, which `true` is not in JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def above(*path: str, most: float) -> Callable[[Ask], Found | None]:
    """A number above `most`."""

    def wrong(ask: Ask) -> Found | None:
        value = value_at(ask.body, path)
        return {"value": value, "limit": f"{most:g}"} if is_number(value) and value > most else None

    return wrong


def below(*path: str, least: float) -> Callable[[Ask], Found | None]:
    """A number below `least`."""

    def wrong(ask: Ask) -> Found | None:
        value = value_at(ask.body, path)
        return {"value": value, "limit": f"{least:g}"} if is_number(value) and value < least else None

    return wrong


def outside(*path: str, least: float, most: float) -> Callable[[Ask], Found | None]:
    """A number outside of a range."""
    over, under = above(*path, most=most), below(*path, least=least)
    return lambda ask: over(ask) or under(ask)


def text(*path: str) -> Callable[[Ask], Found | None]:
    """Text instead of a number."""

    def wrong(ask: Ask) -> Found | None:
        value = value_at(ask.body, path)
        return {"value": shown(value)} if isinstance(value, str) else None

    return wrong


def choice_without_tools(ask: Ask) -> Found | None:
    """A choice that demands a call, though no tool is declared."""
    demands = choice_in(ask.body["tool_choice"]).calling == "required"
    return {} if demands and not ask.body.get("tools") else None


def choice_of_unknown_tool(ask: Ask) -> Found | None:
    """A choice of one tool that is not declared."""
    given = ask.body["tool_choice"]
    if not isinstance(given, dict) or given.get("type") == "allowed_tools":
        return None
    declared = names_of(ask.body.get("tools"))
    unknown = (name for name in choice_in(given).only or () if name not in declared)
    return next(({"name": shown(name)} for name in unknown), None)


def more_than(field: str, most: int) -> Callable[[Ask], Found | None]:
    """A list with more than `most` items. A list of numbers is one item, a text as tokens."""

    def wrong(ask: Ask) -> Found | None:
        items = ask.body.get(field)
        if not isinstance(items, list) or len(items) <= most or all(isinstance(item, int) for item in items):
            return None
        return {"limit": most, "number": len(items)}

    return wrong


def objects_in(ask: Ask, field: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects in the list that a field of the body has, each with its place in the list."""
    listed = ask.body[field]
    for index, message in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(message, dict):
            yield index, message


def role_not_in(field: str, *roles: str, needed: bool = True) -> Callable[[Ask], Found | None]:
    """A message whose role is none of these. `needed` is false if it may have none."""
    known = roles if needed else (*roles, None)

    def wrong(ask: Ask) -> Found | None:
        for index, message in objects_in(ask, field):
            if (role := message.get("role")) not in known:
                return {"index": index, "role": shown(role)}
        return None

    return wrong


def no_content(field: str, content: str, *instead: str) -> Callable[[Ask], Found | None]:
    """A message that has neither content nor one of the fields `instead` of it."""

    def wrong(ask: Ask) -> Found | None:
        for index, message in objects_in(ask, field):
            if message.get(content) is None and not any(message.get(name) for name in instead):
                return {"index": index, "role": shown(message.get("role"))}
        return None

    return wrong


def result_without_call(ask: Ask) -> Found | None:
    """A message with the result of a tool of which no assistant message before it has a call."""
    has_call, before = False, ""
    for index, message in objects_in(ask, "messages"):
        role = message.get("role")
        if role != "tool":
            has_call = bool(message.get("tool_calls"))
        elif not has_call:
            return {"index": index, "before": before}
        before = shown(role)
    return None
