"""Expressions: texts that depend on the request, such as `{{ request.body.messages[-1].content }}`.

The language is MiniJinja's, in its own sandbox, with a limit on steps; what it makes is counted by filters that stand
in every text (`growth.py`). A text has expressions if `request` stands in
one of its tags (`{{ … }}` or `{% … %}`). Any other text with braces stays as it is. The content of a request is data:
the rendered text is not searched for expressions or placeholders again.

An expression sees the public part of `RequestContext`. A missing or `null` value becomes empty text.

MiniJinja is loaded with the first text that has expressions, so mocks without expressions do not wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import force_setattr

from mockd.errors import ConfigError, Path, SourceError, format_path
from mockd.expressions.tags import STRING, mentions_request, split_tags
from mockd.expressions.values import MOST_TEXT, RequestContext, show, start_counting
from mockd.request import RequestView

if TYPE_CHECKING:
    from minijinja import Environment

MOST_STEPS = 100_000
"""Most steps of MiniJinja that one text may take."""
MOST_IN_TAGS = 4096
"""Most characters in the tags of one text. MiniJinja reads tags by recursion, so longer ones could end the process."""
MOST_OPERATORS = 500
"""Most operators, dots and opening brackets in the tags of one text. MiniJinja bounds nesting, but not chains."""
MOST_IN_ANSWER = 2 * MOST_TEXT
"""Most characters of all texts with expressions in one answer, each as often as it stands there."""

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
    counted: str = ""
    """The source with filters that count what it makes."""

    def __post_init__(self) -> None:
        _check_size(self)
        with _using:
            _check(self)

    def render(self, context: RequestContext) -> str:
        """The text rendered for a request. Raises `ExpressionError`."""
        with _using:
            return _render(self, context)


def render_all(expressions: Iterable[Expression], context: RequestContext) -> dict[str, str]:
    """The rendered texts of the expressions of an answer, by their source. Equal ones are rendered once, but count each
    time. Raises `ExpressionError`."""
    rendered: dict[str, str] = {}
    left = MOST_IN_ANSWER
    for expression in expressions:
        if expression.source not in rendered:
            rendered[expression.source] = expression.render(context)
        left -= len(rendered[expression.source])
        if left < 0:
            message = f"the texts with expressions of this answer have more than {MOST_IN_ANSWER} characters"
            raise ExpressionError(f"{format_path(expression.path)}: {message}")
    return rendered


class Compiled:
    """A JSON value in which some texts have expressions."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def render(self, context: RequestContext) -> Any:
        """A new value, rendered for a request. Raises `ExpressionError`."""
        return _filled_in(self._value, render_all(_within(self._value), context))


def compile_value(value: Any, path: Path = ()) -> Compiled | None:
    """Compile the expressions in the texts of a JSON value, at any depth. None if no text has one. Keys stay as they
    are. Raises `ConfigError` with the place of the text below `path`."""
    compiled = _compiled(value, path)
    return None if compiled is value else Compiled(compiled)


# -- MiniJinja ---------------------------------------------------------------------------------------------------------

_using = Lock()
"""The lock of the only environment. Threads that used it at the same time could deadlock."""
_TOO_GREEDY = ("batch", "chain", "format", "indent", "slice", "wordwrap")
"""Filters that are removed, as in one step they can take as much memory as their arguments say."""
_TOO_FREE = ("cycler", "debug", "dict", "joiner", "namespace")
"""Functions that are removed, as their values change or tell more than the request."""
_NEVER = ("SyntaxError", "TemplateNotFound", "UnknownFilter", "UnknownFunction", "UnknownMethod", "UnknownTest")
"""Kinds of errors that occur with every request."""
_CALLED = (AttributeError, TypeError)
"""Errors that Python raises if a value or one of its methods is called."""
_HINT = "to send braces as they are, put them between `{% raw %}` and `{% endraw %}`"


@cache
def _environment() -> Environment:
    from minijinja import Environment

    from mockd.expressions.filters import filters

    environment = Environment(  # it escapes nothing, as the texts have no name
        fuel=MOST_STEPS,
        undefined_behavior="chainable",
        finalizer=show,
        filters=filters(),
        keep_trailing_newline=True,
        debug=False,
        pycompat=False,
    )
    for name in _TOO_GREEDY:
        environment.remove_filter(name)
    for name in _TOO_FREE:
        environment.remove_global(name)
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
    from mockd.expressions.growth import Refused, counted
    from mockd.expressions.words import unknown_member, unknown_word

    environment = _environment()
    pieces = split_tags(expression.source)
    try:
        names = environment.undeclared_variables_in_str(expression.source)
        if unknown := sorted(names - environment.globals.keys() - {"request"}):
            raise ConfigError(f"expressions know `request`, not `{unknown[0]}`", path=expression.path, hint=_HINT)
        _refuse(unknown_word(pieces), expression.path)
        force_setattr(expression, "counted", counted(pieces))
        _run(expression, _NO_REQUEST)
    except ConfigError:
        raise
    except Refused as error:
        _refuse(error.args, expression.path)
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
        return _run(expression, context)
    except Exception as error:  # a TemplateError, or an error of the output or of a value
        raise ExpressionError(f"{format_path(expression.path)}: {_message(error)}") from None


def _run(expression: Expression, context: RequestContext) -> str:
    start_counting()
    return _environment().render_str(expression.counted, request=context)


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


def _within(value: Any) -> Iterator[Expression]:
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _within(item)


def _filled_in(value: Any, rendered: dict[str, str]) -> Any:
    if isinstance(value, Expression):
        return rendered[value.source]
    if isinstance(value, dict):
        return {key: _filled_in(item, rendered) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_in(item, rendered) for item in value]
    return value
