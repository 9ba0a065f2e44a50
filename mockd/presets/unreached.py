"""Entries of a script that answer no request, because an entry before them answers all that they are for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mockd.errors import Problem
from mockd.sources.llm.replies.params import ReplyFields, Scripted, When

_Covers = Callable[[Any, Any], bool]
"""Whether a request that meets the second value of a criterion meets the first one too."""


def _has_part(part: str, whole: str | None) -> bool:
    return whole is not None and part in whole


def _has_all(items: Any, others: Any) -> bool:
    return bool(items) and set(items) <= set(others or ())


def _has_items(items: dict[str, Any], others: dict[str, Any]) -> bool:
    return items.items() <= others.items()


_COVERS: dict[str, _Covers] = {
    "contains": _has_part,
    "system": _has_part,
    "tool_result_contains": _has_part,
    "tools": _has_all,
    "headers": _has_items,
    "body_json_path": _has_items,
}
"""The criteria that a request may meet with different values. All others must be the same."""


def unreached(script: Sequence[Scripted]) -> Iterator[Problem]:
    """A problem for each entry that answers nothing, with its place."""
    for number, entry in enumerate(script):
        for earlier, other in enumerate(script[:number]):
            if _covers(other.when, entry.when) and _always_replies_instead(other, entry):
                text = f"it answers no request: each that it is for is answered by $[{earlier}] before it"
                yield Problem(text, (number,), hint="put the entry that is for fewer requests first")
                break


def _covers(when: When, other: When) -> bool:
    """Whether all requests that `other` is for are among those of `when`. If in doubt, they are not."""
    for name in When.__struct_fields__:
        value, its = getattr(when, name), getattr(other, name)
        is_any = value is None or (value == {} and name in _COVERS)
        if value == its or (is_any and name != "side_call"):
            continue
        covers = _COVERS.get(name)
        if covers is None or its is None or not covers(value, its):
            return False
    return True


def _always_replies_instead(entry: Scripted, later: Scripted) -> bool:
    """Whether a request that allows a reply of the later entry allows each one of the other."""
    are_plain = all(_is_plain(reply) for _, reply in later.places)
    return all(_always_stands(reply) or (are_plain and _speaks(reply)) for _, reply in entry.places)


def _always_stands(reply: ReplyFields) -> bool:
    """Whether a reply is allowed whatever a request demands. Content is made for one that has none."""
    return not reply.has_content or reply.refusal is not None or reply.error is not None


def _is_plain(reply: ReplyFields) -> bool:
    """Whether a reply has words alone, which are neither a call nor JSON."""
    return _speaks(reply) and not reply.tool_calls and not _always_stands(reply) and not _may_be_json(reply)


def _speaks(reply: ReplyFields) -> bool:
    return reply.text is not None or reply.tokens is not None


def _may_be_json(reply: ReplyFields) -> bool:
    text = reply.text if reply.tokens is None else "".join(reply.tokens)
    if text is None or "{{" in text or "{%" in text:
        return True
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
