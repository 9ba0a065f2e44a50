"""Merging two JSON schemas into one, for `allOf` and for keywords beside a reference."""

from __future__ import annotations

from typing import Any

from mockd.sources.llm.budget import Budget


def merged(one: Any, other: Any, budget: Budget) -> Any:
    """A schema against which a value is valid if it is valid against both. Raises `Refused` if that takes too long."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False if one is False or other is False else one if isinstance(one, dict) else other
    budget.spend(len(one) + len(other))
    both = {**one, **other}
    for key in one.keys() & other.keys():
        both[key] = _JOIN.get(key, _other_one)(one[key], other[key], budget)
    for key in _NOT_JOINED & one.keys() & other.keys():
        both[key] = one[key]
        both["allOf"] = [*_parts(both), {key: other[key]}]
    return both


_NOT_JOINED = frozenset({"anyOf", "oneOf"})
"""Keywords of which a value must meet both, each for itself."""


def _parts(schema: dict[str, Any]) -> list[Any]:
    parts = schema.get("allOf")
    return parts if isinstance(parts, list) else []


_COMPARED = 10
"""Number of values that are compared in one step."""


def _other_one(one: Any, other: Any, budget: Budget) -> Any:
    return other


def _each_merged(one: Any, other: Any, budget: Budget) -> Any:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return other
    budget.spend(len(one) + len(other))
    return {**one, **{name: merged(one[name], part, budget) if name in one else part for name, part in other.items()}}


def _both_lists(one: Any, other: Any, budget: Budget) -> Any:
    if not isinstance(one, list) or not isinstance(other, list):
        return other
    budget.spend(len(one) + len(other))
    return [*one, *other]


def _in_both(one: Any, other: Any, budget: Budget) -> Any:
    if not isinstance(one, list) or not isinstance(other, list):
        return other
    budget.spend(len(one) * len(other) // _COMPARED)
    return [value for value in one if value in other]


def _common_types(one: Any, other: Any, budget: Budget) -> Any:
    left, right = (names if isinstance(names, list) else [names] for names in (one, other))
    common = _in_both(left, right, budget)
    is_whole = all("integer" in names or "number" in names for names in (left, right))
    return common or (["integer"] if is_whole else [])


def _larger(one: Any, other: Any, budget: Budget) -> Any:
    return max(one, other) if _are_numbers(one, other) else other


def _smaller(one: Any, other: Any, budget: Budget) -> Any:
    return min(one, other) if _are_numbers(one, other) else other


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)


_JOIN = {
    "properties": _each_merged,
    "$defs": _each_merged,
    "definitions": _each_merged,
    "required": _both_lists,
    "allOf": _both_lists,
    "enum": _in_both,
    "type": _common_types,
    "items": merged,
    "additionalProperties": merged,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), _larger),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), _smaller),
}
"""The function that merges two values of a keyword. For all other keywords, the second value is taken."""
