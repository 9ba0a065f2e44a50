"""Values in expressions, as MiniJinja may see them, and how much it makes of them.

MiniJinja finds members of Python's objects by index and then by attribute, and can call methods. So it gets objects of
the following classes, which have members and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mockd.jsontext import encode_json
from mockd.request import NOT_JSON, RequestView, once

MOST_TEXT = 16 * 1024 * 1024
"""Most characters that all expressions of one text together may produce."""
MOST_MADE = 24 * 1024 * 1024
"""Most characters that all values may have that are made on the way there; an item of a list counts as `ITEM`."""
ITEM = 64
"""Characters as which an item of a list counts, beside its own: about the memory that it takes."""
MOST_ITEMS = 10_000
"""Most items of a list that filters such as `map` and `sort` take."""

REQUEST = ("method", "url", "base", "path", "params", "query", "headers", "cookies", "body")
"""The members of `request`."""


class RequestContext:
    """The value of `request` in expressions. Its public attributes are the members that expressions can use.

    `params` are the captures in the path. `query`, `headers` and `cookies` have the first value of each name, and
    headers are found in any case. `url` is the whole URL, and `base` its part before the path of the mock. `body` is
    the JSON value, or the text of a body that is not JSON.
    """

    def __init__(self, request: RequestView, captures: Mapping[str, str]) -> None:
        self._request = request
        self._captures = captures
        self.method = request.method
        self.path = request.path

    @once
    def url(self) -> str:
        return self._request.url

    @once
    def base(self) -> str:
        return self._request.base

    @once
    def params(self) -> _Members:
        return _Members(self._captures)

    @once
    def query(self) -> _Members:
        return _Members({_utf8(name): _utf8(values[0]) for name, values in self._request.query.items()})

    @once
    def headers(self) -> _Headers:
        return _Headers({name: values[0] for name, values in self._request.headers.items()})

    @once
    def cookies(self) -> _Members:
        return _Members(self._request.cookies)

    @property
    def body(self) -> Any:
        return _seen(self._request.text if self._request.json is NOT_JSON else self._request.json)

    def __str__(self) -> str:
        return _json(self)


class _Members:
    """A JSON object. A member that is null counts as missing."""

    __slots__ = ("_value",)
    items = None
    """MiniJinja takes an object with this attribute for a mapping."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value

    def __getitem__(self, name: object) -> Any:
        value = self._value[name]  # type: ignore[index]
        if value is None:
            raise KeyError(name)
        return _seen(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __str__(self) -> str:
        return _json(self)


class _Headers(_Members):
    """Headers, by their names in any case."""

    __slots__ = ()

    def __getitem__(self, name: object) -> Any:
        return super().__getitem__(name.lower() if isinstance(name, str) else name)


class _List:
    """A JSON array."""

    __slots__ = ("_value",)

    def __init__(self, value: Sequence[Any]) -> None:
        self._value = value

    def __getitem__(self, index: int) -> Any:
        return _seen(self._value[index])

    def __len__(self) -> int:
        return len(self._value)

    def __str__(self) -> str:
        return _json(self)


Sequence.register(_List)  # so that MiniJinja takes it for a list

_INTEGERS = range(-(1 << 63), 1 << 63)
"""Integers that MiniJinja can hold. Others would lose their last digits, so they become text."""


def _seen(value: Any) -> Any:
    if isinstance(value, dict):
        return _Members(value)
    if isinstance(value, list):
        return _List(value)
    if isinstance(value, int) and value not in _INTEGERS:
        value = str(value)
    # MiniJinja takes a copy of a text. Of a list it may read every item in one step, which takes time.
    _made.spend(ITEM + len(value) if isinstance(value, str) else ITEM)
    return value


def _utf8(text: str) -> str:
    """Text of a query string, with U+FFFD for bytes that are not UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class _Count:
    """What may still be made, in characters."""

    def __init__(self, message: str) -> None:
        self._message = message
        self.left = 0

    def spend(self, characters: int) -> None:
        """Take from what is left. Raises `ValueError` if that is not enough."""
        self.left -= characters
        if self.left < 0:
            raise ValueError(self._message)


_shown = _Count(f"the result has more than {MOST_TEXT} characters")
_made = _Count(f"it makes values of more than {MOST_MADE} characters")


def start_counting() -> None:
    """Begin to render a text."""
    _shown.left, _made.left = MOST_TEXT, MOST_MADE


def show(value: Any) -> str:
    """What becomes of a result in the text: None is empty, and what is not text becomes JSON."""
    text = text_of(value)
    _shown.spend(len(text))
    return text


def text_of(value: Any) -> str:
    """A value as text: JSON unless it is text or None, which is empty."""
    return value if isinstance(value, str) else "" if value is None else json_of(value)


def json_of(value: Any) -> str:
    """A value as JSON, whether it is MiniJinja's own or of a class above. Lists are counted item by item, as one may
    have the same large item many times."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(json_of, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_json(str(name))}:{json_of(item)}' for name, item in value.items())}}}"
    text = _json(value)
    _made.spend(len(text))
    return text


def _json(value: Any) -> str:
    return encode_json(_plain(value)).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, _Members | _List):
        return value._value
    if isinstance(value, RequestContext):
        return {name: _plain(getattr(value, name)) for name in REQUEST}
    return value


def spend(characters: int) -> None:
    """Count characters that are about to be made. Raises `ValueError` if they are too many."""
    _made.spend(characters)


def spend_on(value: Any, *, is_repeated: bool = False) -> None:
    """Count a value that was made. Parts of the request in it are not copied, so they count only if they may be
    repeated: each may become text then."""
    if isinstance(value, str):
        _made.spend(len(value))
    elif isinstance(value, dict):
        spend_on([*value, *value.values()], is_repeated=is_repeated)
    elif isinstance(value, list | tuple):
        _made.spend(ITEM * len(value))
        for item in value:
            spend_on(item, is_repeated=is_repeated)
    elif is_repeated and isinstance(value, _Members | _List | RequestContext):
        _made.spend(len(_json(value)))
