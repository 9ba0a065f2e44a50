"""`{{ request.body.messages[-1].content }}`: texts that follow the request.

The language is MiniJinja's, in its own sandbox, with a limit of steps. A text has expressions where `request` stands in
one of its tags (`{{ … }}` or `{% … %}`); any other text with braces stays as it is. What a request says is data: the
outcome is never looked at for expressions or placeholders again.

What there is of a request is the public part of `RequestContext`. What is missing in it, and what is `null`, is empty
text.

MiniJinja is loaded with the first text that has expressions, so that nobody else pays for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from mockd.errors import ConfigError, MockdError, Path, format_path
from mockd.jsontext import encode_json
from mockd.request import NOT_JSON, RequestView, once

if TYPE_CHECKING:
    from minijinja import Environment

MOST_STEPS = 100_000
"""Steps of MiniJinja that one text may take."""
MOST_TEXT = 16 * 1024 * 1024
"""Characters that its expressions may come to."""

_STRINGS = r'"[^"\\]*(?:\\.[^"\\]*)*"' + "|" + r"'[^'\\]*(?:\\.[^'\\]*)*'"
_MENTION = re.compile(rf"\{{[{{%](?:{_STRINGS}|(?![%}}]\}})[^\"'])*?(?<![\w.$-])request(?![\w-])", re.DOTALL)


class ExpressionError(MockdError):
    """An expression failed for this request, or took too long. The message says where it is in the mock."""

    code = "expression_error"


def has_expression(text: str) -> bool:
    """Whether a text follows the request."""
    return "{" in text and _MENTION.search(text) is not None


@dataclass(frozen=True, slots=True)
class Expression:
    """A text with expressions; `path` is its place in the mock. Raises `ConfigError` where it can never be rendered:
    for its syntax, or a name or filter that there is not."""

    source: str
    path: Path = ()

    def __post_init__(self) -> None:
        with _using:
            _check(self)

    def render(self, context: RequestContext) -> str:
        """The text for a request. Raises `ExpressionError`."""
        with _using:
            return _render(self, context)


class Compiled:
    """A JSON value in which some texts follow the request."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def render(self, context: RequestContext) -> Any:
        """The value for a request, made anew. Raises `ExpressionError`."""
        return _filled_in(self._value, context)


def compile_value(value: Any, path: Path = ()) -> Compiled | None:
    """A JSON value with its texts checked at any depth; None where none of them has an expression. Keys stay as they
    are. Raises `ConfigError` with the place of a text below `path`."""
    compiled = _compiled(value, path)
    return None if compiled is value else Compiled(compiled)


class RequestContext:
    """What `request` is in expressions. Its public names are what can be said of it.

    `params` are from the mock's path; of `query` and `headers` the first value of each name counts, and headers are
    found in whatever case. `body` is the JSON value, or the text of a body that is not JSON.
    """

    def __init__(self, request: RequestView, captures: Mapping[str, str]) -> None:
        self._request = request
        self._captures = captures
        self.method = request.method
        self.path = _seen(request.path)

    @once
    def params(self) -> _Members:
        return _Members(self._captures)

    @once
    def query(self) -> _Members:
        return _Members({name: values[0] for name, values in self._request.query.items()})

    @once
    def headers(self) -> _Headers:
        return _Headers({name: values[0] for name, values in self._request.headers.items()})

    @once
    def body(self) -> Any:
        return _seen(self._request.text if self._request.json is NOT_JSON else self._request.json)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


# -- values, as MiniJinja may see them ---------------------------------------------------------------------------------

# It finds members of Python's objects by index and then by attribute, and lets methods be called. So it is given these,
# which have members and nothing else.


class _Members:
    """A JSON object. A member that is null is as good as missing."""

    __slots__ = ("_value",)
    items = None
    """By having this, an object is a mapping to MiniJinja."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value

    def __getitem__(self, name: object) -> Any:
        value = self._value[name]  # type: ignore[index]
        if value is None:
            raise KeyError(name)
        return _seen(value)

    def __iter__(self) -> Iterator[str]:
        return map(_text, self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __str__(self) -> str:
        return encode_json(self._value).decode()


class _Headers(_Members):
    """Headers, by their names in whatever case."""

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
        return encode_json(self._value).decode()


Sequence.register(_List)  # by which it is a list to MiniJinja

_INTEGERS = range(-(1 << 63), 1 << 63)
"""What MiniJinja takes as whole numbers; others would lose their last digits."""


def _seen(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return _Members(value)
    if isinstance(value, list | tuple):
        return _List(value)
    if isinstance(value, int) and value not in _INTEGERS:
        return str(value)
    return value


def _text(text: str) -> str:
    """Text as UTF-8 can say it: a query may have bytes that are not."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


# -- rendering ---------------------------------------------------------------------------------------------------------

_using = Lock()
"""There is one environment, and threads that use it at the same time could wait for each other for ever."""


def _compiled(value: Any, path: Path) -> Any:
    if isinstance(value, str):
        return Expression(value, path) if has_expression(value) else value
    if isinstance(value, dict):
        members = {key: _compiled(item, (*path, key)) for key, item in value.items()}
        return members if any(members[key] is not value[key] for key in members) else value
    if isinstance(value, list | tuple):
        items = [_compiled(item, (*path, index)) for index, item in enumerate(value)]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _filled_in(value: Any, context: RequestContext) -> Any:
    if isinstance(value, Expression):
        return value.render(context)
    if isinstance(value, dict):
        return {key: _filled_in(item, context) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_in(item, context) for item in value]
    return value


class _Output:
    """What every outcome of an expression goes through: nothing is empty text, and all together has a limit."""

    def __init__(self) -> None:
        self.left = MOST_TEXT

    def __call__(self, value: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, bool | int | float):
            return NotImplemented  # MiniJinja writes them
        text = str(value)
        self.left -= len(text)
        if self.left < 0:
            raise ValueError(f"it comes to more than {MOST_TEXT} characters")
        return text


_output = _Output()


@cache
def _environment() -> Environment:
    from minijinja import Environment

    return Environment(
        fuel=MOST_STEPS,
        undefined_behavior="chainable",
        auto_escape_callback=lambda name: False,
        finalizer=_output,
        keep_trailing_newline=True,
        debug=False,
    )


def _render(expression: Expression, context: RequestContext) -> str:
    _output.left = MOST_TEXT
    try:
        return _environment().render_str(expression.source, request=context)
    except Exception as error:  # TemplateError, and whatever a value's conversion raises
        raise ExpressionError(f"{format_path(expression.path)}: {error}") from None


def _check(expression: Expression) -> None:
    try:
        names = _environment().undeclared_variables_in_str(expression.source)
    except Exception as error:
        raise ConfigError(f"not an expression: {error}", path=expression.path, hint=_HINT) from None
    unknown = sorted(names - {"request"} - _environment().globals.keys())
    if unknown:
        raise ConfigError(f"expressions know `request`, not `{unknown[0]}`", path=expression.path, hint=_HINT)


_HINT = "to send the braces as they are, put the text between `{% raw %}` and `{% endraw %}`"
