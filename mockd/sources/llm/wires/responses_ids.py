"""IDs of OpenAI's responses and conversations, and of their items.

An item's has the digits of what it came with, and a number of its own behind them. So it leads to where the item is,
and nothing need be kept to find it.
"""

from __future__ import annotations

from mockd.sources.llm.requests.ask import Ask

RESPONSE, CONVERSATION = "resp", "conv"
"""Prefixes of what has items."""
INPUT = 0x800000
"""The number of the first item in a request's input. Those of its output, and of a conversation, count from 1."""

_SHARED, _OWN = 44, 6
"""Hexadecimal digits of what an item came with, and of its own number."""
_PREFIXES = {"message": "msg", "function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs"}


def new_digits(ask: Ask) -> str:
    """The digits of a new response or conversation."""
    return f"{ask.context.rng.getrandbits(4 * _SHARED):0{_SHARED}x}"


def holder_id(prefix: str, digits: str) -> str:
    """The ID of the response or conversation with these digits."""
    return f"{prefix}_{digits}{0:0{_OWN}}"


def item_id(kind: str, digits: str, number: int) -> str:
    """The ID of an item of this type."""
    return f"{_PREFIXES.get(kind, 'item')}_{digits}{number:0{_OWN}x}"


def digits_of(id: str) -> str | None:
    """The digits that an item's ID shares with the ID of what it came with, or None if it was not made here."""
    digits = id.rpartition("_")[2]
    return digits[:_SHARED] if len(digits) == _SHARED + _OWN else None
