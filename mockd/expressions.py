"""Expressions: texts that depend on the request, such as `{{ request.body.messages[-1].content }}`.

The language is MiniJinja's, in its own sandbox, with a limit on steps. A text has expressions if `request` stands in
one of its tags (`{{ … }}` or `{% … %}`). Any other text with braces stays as it is. The content of a request is data:
the rendered text is not searched for expressions or placeholders again.

An expression sees the public part of `RequestContext`. A missing or `null` value becomes empty text.

MiniJinja is loaded with the first text that has expressions, so mocks without expressions do not wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from mockd.errors import ConfigError, Path, SourceError, format_path
from mockd.expression_tags import STRING, mentions_request, split_tags
from mockd.jsontext import encode_json
from mockd.request import NOT_JSON, RequestView, once

if TYPE_CHECKING:
    from minijinja import Environment

MOST_STEPS = 100_000
"""Most steps of MiniJinja that one text may take."""
MOST_IN_TAGS = 4096
"""Most characters in the tags of one text. MiniJinja reads tags by recursion, so longer ones could end the process."""
MOST_OPERATORS = 500
"""Most operators, dots and opening brackets in the tags of one text. MiniJinja bounds nesting, but not chains."""
MOST_TEXT = 16 * 1024 * 1024
"""Most characters that all expressions of one text together may produce."""

REQUEST = ("method", "url", "base", "path", "params", "query", "headers", "cookies", "body")
"""The members of `request`."""

_OPERATOR = r"[-+*/%~<>=!|.(\[{]|\b(?:and|or|not|in|is|if|else)\b"

_captures: ContextVar[Collection[str] | None] = ContextVar("captures", default=None)
"""The names of the captures that requests of the mock have which is being built; None if they are not known."""


class ExpressionError(SourceError):
    """An expression failed for this request, or took too many steps. The message has its place in the mock."""


@contextmanager
def with_captures(names: Collection[str]) -> Iterator[None]:
    """Refuse expressions that are made in this block if they ask for another capture of the path than these."""
    token = _captures.set(names)
    try:
        yield
    finally:
        _captures.reset(token)


class Expression(Struct, frozen=True):
    """A text with expressions. `path` is its place in the mock. Raises `ConfigError` if it can never be rendered: the
    syntax is wrong, or a name or filter does not exist."""

    source: str
    path: Path = ()

    def __post_init__(self) -> None:
        _check_size(self)
        with _using:
            _check(self)

    def render(self, context: RequestContext) -> str:
        """The text rendered for a request. Raises `ExpressionError`."""
        with _using:
            return _render(self, context)


def render_all(expressions: Iterable[Expression], context: RequestContext) -> dict[str, str]:
    """The rendered texts of expressions, by their source. Equal ones are rendered once. Raises `ExpressionError`."""
    rendered: dict[str, str] = {}
    for expression in expressions:
        if expression.source not in rendered:
            rendered[expression.source] = expression.render(context)
    return rendered


class Compiled:
    """A JSON value in which some texts have expressions."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def render(self, context: RequestContext) -> Any:
        """A new value, rendered for a request. Raises `ExpressionError`."""
        return _filled_in(self._value, context)


def compile_value(value: Any, path: Path = ()) -> Compiled | None:
    """Compile the expressions in the texts of a JSON value, at any depth. None if no text has one. Keys stay as they
    are. Raises `ConfigError` with the place of the text below `path`."""
    compiled = _compiled(value, path)
    return None if compiled is value else Compiled(compiled)


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

    @once
    def body(self) -> Any:
        return _seen(self._request.text if self._request.json is NOT_JSON else self._request.json)

    def __str__(self) -> str:
        return _json(self)


# -- values, as MiniJinja may see them ---------------------------------------------------------------------------------

# MiniJinja finds members of Python's objects by index and then by attribute, and can call methods. So it gets objects
# of the following classes, which have members and nothing else.


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
        return str(value)
    return value


def _utf8(text: str) -> str:
    """Text of a query string, with U+FFFD for bytes that are not UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _json(value: Any) -> str:
    """A value as JSON, whether it is MiniJinja's own or of a class above."""
    return encode_json(_plain(value)).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, _Members | _List):
        return value._value
    if isinstance(value, RequestContext):
        return {name: _plain(getattr(value, name)) for name in REQUEST}
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


# -- MiniJinja ---------------------------------------------------------------------------------------------------------

_using = Lock()
"""The lock of the only environment. Threads that used it at the same time could deadlock."""
_TOO_GREEDY = ("batch", "format", "indent", "slice")
"""Filters that are removed, as in one step they can take as much memory as their arguments say."""
_NEVER = ("SyntaxError", "TemplateNotFound", "UnknownFilter", "UnknownFunction", "UnknownMethod", "UnknownTest")
"""Kinds of errors that occur with every request."""
_CALLED = (AttributeError, TypeError)
"""Errors that Python raises if a value or one of its methods is called."""
_HINT = "to send braces as they are, put them between `{% raw %}` and `{% endraw %}`"


class _Output:
    """The conversion of every result to text: None becomes empty text, and other values that are not text become JSON.
    The results of one text together have a limit."""

    left = MOST_TEXT

    def __call__(self, value: Any) -> str:
        text = value if isinstance(value, str) else "" if value is None else _json(value)
        self.left -= len(text)
        if self.left < 0:
            raise ValueError(f"the result has more than {MOST_TEXT} characters")
        return text


_output = _Output()


@cache
def _environment() -> Environment:
    from minijinja import Environment

    environment = Environment(  # it escapes nothing, as the texts have no name
        fuel=MOST_STEPS,
        undefined_behavior="chainable",
        finalizer=_output,
        filters={"tojson": _json},
        keep_trailing_newline=True,
        debug=False,
        pycompat=False,
    )
    for name in _TOO_GREEDY:
        environment.remove_filter(name)
    return environment


def _check_size(expression: Expression) -> None:
    """Raise `ConfigError` if the tags are too large for MiniJinja."""
    tags = split_tags(expression.source)[1::2]
    if sum(map(len, tags)) > MOST_IN_TAGS:
        message = f"its tags have more than {MOST_IN_TAGS} characters"
        raise ConfigError(message, path=expression.path, hint="write what does not change outside the tags")
    if sum(len(re.findall(_OPERATOR, re.sub(STRING, "", tag[2:-2], flags=re.DOTALL))) for tag in tags) > MOST_OPERATORS:
        message = f"its tags have more than {MOST_OPERATORS} operators"
        raise ConfigError(message, path=expression.path, hint="use `{% for %}`, or several texts")


def _check(expression: Expression) -> None:
    from mockd.expression_words import unknown_member, unknown_word

    environment = _environment()
    try:
        names = environment.undeclared_variables_in_str(expression.source)
        if unknown := sorted(names - environment.globals.keys() - {"request"}):
            raise ConfigError(f"expressions know `request`, not `{unknown[0]}`", path=expression.path, hint=_HINT)
        _refuse(unknown_word(environment, split_tags(expression.source)), expression.path)
        _run(expression.source, _NO_REQUEST)
    except ConfigError:
        raise
    except Exception as error:
        if isinstance(error, _CALLED) or getattr(error, "kind", None) in _NEVER:
            raise ConfigError(_message(error), path=expression.path, hint=_HINT) from None
    names_in = partial(environment.undeclared_variables_in_str, nested=True)
    _refuse(unknown_member(names_in, expression.source, _captures.get()), expression.path)


def _refuse(unknown: tuple[str, str | None] | None, path: Path) -> None:
    if unknown is not None:
        message, hint = unknown
        raise ConfigError(message, path=path, hint=hint or _HINT)


def _render(expression: Expression, context: RequestContext) -> str:
    try:
        return _run(expression.source, context)
    except Exception as error:  # a TemplateError, or an error of the output or of a value
        raise ExpressionError(f"{format_path(expression.path)}: {_message(error)}") from None


def _run(source: str, context: RequestContext) -> str:
    _output.left = MOST_TEXT
    return _environment().render_str(source, request=context)


def _message(error: Exception) -> str:
    kind = getattr(error, "kind", None)
    if kind == "OutOfFuel":
        return f"it takes more than {MOST_STEPS} steps"
    if kind == "UnknownMethod" or isinstance(error, _CALLED):
        return "values have no methods; filters do what they do, as in `{{ request.path | upper }}`"
    return str(error.args[0]).replace(" (in <string>:", " (line ")


_NO_REQUEST = RequestContext(RequestView({"type": "http", "method": "GET", "path": "/", "headers": []}), {})


def _compiled(value: Any, path: Path) -> Any:
    if isinstance(value, str):
        return Expression(value, path) if mentions_request(value) else value
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
