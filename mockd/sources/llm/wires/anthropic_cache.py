"""Anthropic's prompt cache: which tokens of a request are written to it, and which are read from it.

It follows from the request alone: what stands before the last answer of the model was there in the request before, and
was cached then: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mockd.sources.llm.requests.ask import Ask, text_in
from mockd.sources.llm.requests.options import objects
from mockd.sources.llm.requests.tokens import count_words, tokens_beside

_MARK = "cache_control"


class Cached(NamedTuple):
    """Numbers of tokens of a request."""

    read: int = 0
    written: int = 0
    for_an_hour: bool = False
    """Whether what is written stays for an hour, not for five minutes."""


def is_marked(ask: Ask) -> bool:
    """Whether a request says of anything that it is to be cached."""
    return b'"cache_control"' in ask.request.body


def cached_in(ask: Ask) -> Cached:
    """What the marks of a request put into the cache: all that stands before the last of them."""
    body = ask.body
    messages = objects(body.get("messages"))
    marks = [(place, mark) for place, message in enumerate(messages) for mark in _marks(message.get("content"))]
    if isinstance(whole := body.get(_MARK), dict):
        marks.append((len(messages) - 1, whole))
    of_system, of_tools = _marks(body.get("system")), _marks(body.get("tools"))
    if not (marks or of_system or of_tools):
        return Cached()
    system = count_words([text_in(body.get("system"))]) if marks or of_system else 0
    sizes = [count_words([text_in(message.get("content"))]) for message in messages]
    last = max((place for place, _ in marks), default=-1)
    answers = [place for place, message in enumerate(messages) if message.get("role") == "assistant"]
    before = tokens_beside({"tools": body.get("tools")}) + system
    total = before + sum(sizes[: last + 1])
    read = min(before + sum(sizes[: answers[-1]]), total) if answers else 0
    all_marks = [*(mark for _, mark in marks), *of_system, *of_tools]
    return Cached(read, total - read, any(mark.get("ttl") == "1h" for mark in all_marks))


def _marks(blocks: Any) -> list[dict[str, Any]]:
    """The marks of blocks, of system prompts or of tools."""
    return [mark for block in objects(blocks) if isinstance(mark := block.get(_MARK), dict)]
