"""The filters of expressions that are mockd's own: those that count, and those that could take all memory in one step
as MiniJinja has them.

They raise `ValueError`, whose message is for the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mockd.expressions.values import ITEM, MOST_ITEMS, json_of, spend, spend_on, text_of


def filters() -> dict[str, Callable[..., Any]]:
    """The filters by their names. No text can name those that begin with `_`: they are put into it."""
    own: dict[str, Callable[..., Any]] = {
        "_addend": _addend,
        "_factor": _factor,
        "_few": _few,
        "_item": _item,
        "_made": _made,
        "_repeated": _repeated,
        "_text": _text,
        "join": _join,
        "lines": _lines,
        "list": _list,
        "replace": _replace,
        "split": _split,
        "tojson": _tojson,
    }
    return {name: _with_message(name, function) for name, function in own.items()}


def _with_message(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with an error for the user if its arguments are not those that it takes."""

    def call(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except TypeError:
            raise ValueError(f"filter {name} does not take these arguments") from None

    return call


# -- filters that count ------------------------------------------------------------------------------------------------


def _made(value: Any) -> Any:
    """What a filter, a call or a slice has made."""
    spend_on(value)
    return value


def _item(value: Any) -> Any:
    """An item of a list that is written out."""
    spend_on(value, is_repeated=True)
    return value


def _text(value: Any) -> str:
    """An operand of `~`."""
    text = text_of(value)
    spend(len(text))
    return text


def _addend(value: Any) -> Any:
    """An operand of `+`."""
    if isinstance(value, str):
        spend(len(value))
    elif not isinstance(value, int | float):
        raise ValueError("`+` takes numbers, or texts")
    return value


def _factor(value: Any) -> Any:
    """An operand of `*`."""
    if not isinstance(value, int | float):
        raise ValueError("`*` takes numbers")
    return value


def _few(value: Any) -> Any:
    """A list for a filter that takes memory for each item."""
    if value is None:
        return {}
    size = len(value) if hasattr(value, "__len__") else 0
    if size > MOST_ITEMS:
        raise ValueError(f"a list has {size} items; filters take at most {MOST_ITEMS}")
    return value


def _repeated(characters: int) -> str:
    """The text that stands in a loop, at each turn."""
    spend(characters)
    return ""


# -- filters as MiniJinja has them, counted before they make anything --------------------------------------------------


def _join(value: Any, d: Any = "", attribute: Any = None) -> str:
    between, texts = text_of(d), []
    for item in _items(value):
        text = text_of(item if attribute is None else _member(item, attribute))
        spend(len(text) + len(between) + ITEM)
        texts.append(text)
    return between.join(texts)


def _member(value: Any, name: Any) -> Any:
    try:
        return value[name]
    except (KeyError, IndexError, TypeError):
        return None


def _lines(value: Any) -> list[str]:
    text = text_of(value)
    spend(ITEM * (text.count("\n") + 1))
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def _list(value: Any) -> list[Any]:
    items = []
    for item in _items(value):
        spend(ITEM)
        items.append(item)
    return items


def _items(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    if not isinstance(value, Iterable) and not hasattr(value, "__getitem__"):
        raise ValueError("a number has no items")
    return value  # type: ignore[no-any-return]


def _replace(value: Any, old: Any, new: Any) -> str:
    text, found, put = text_of(value), text_of(old), text_of(new)
    spend(len(text) + text.count(found) * len(put))
    return text.replace(found, put)


def _tojson(value: Any) -> str:
    return json_of(value)


def _split(value: Any, sep: Any = None, maxsplit: Any = None) -> list[str]:
    text, most = text_of(value), -1 if maxsplit is None else maxsplit
    is_between = sep is None or (isinstance(sep, str) and sep)
    if not is_between or not isinstance(most, int):
        raise ValueError("`split` takes a text that stands between the parts, and their number")
    spend(ITEM * (len(text) // 2 + 1 if sep is None else text.count(sep) + 1))
    return text.split(sep, most)
