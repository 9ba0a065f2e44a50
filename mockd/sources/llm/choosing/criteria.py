"""The criteria of `when`, as a table: how each is tested, and what is said of a request that does not meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mockd.errors import ConfigError
from mockd.jsontext import encode_json
from mockd.patterns import compiled, fits_pieces
from mockd.sources.llm.choosing.asked import Asked
from mockd.sources.llm.replies.params import When

if TYPE_CHECKING:
    from mockd.matching.predicates import Predicate

Holds = Callable[[Asked], bool]
"""A check of a request. Raises as `Effort.left` does."""

_MOST_SHOWN = 60
"""Most characters that are shown of a text in a request."""


class Criterion(NamedTuple):
    """A criterion. `attribute` is its field of `When`; `compile` makes the check from the expected value, and `found`
    says what a request has instead."""

    attribute: str
    compile: Callable[[Any], Holds]
    found: Callable[[Any, Asked], str]


class Check(NamedTuple):
    """A criterion of one `when`, compiled."""

    criterion: Criterion
    expected: Any
    holds: Holds

    def told(self, asked: Asked) -> str:
        """What the criterion demands, and what the request has instead."""
        field = FIELDS[self.criterion.attribute]
        shown = ", ".join(self.expected) if field in _BY_KEY else shortened(encode_json(self.expected).decode())
        return f"`{field}: {shown}`, but {self.criterion.found(self.expected, asked)}"


FIELDS = dict(zip(When.__struct_fields__, When.__struct_encode_fields__, strict=True))
"""The key of each criterion in a script."""
_BY_KEY = ("headers", "bodyJsonPath")
"""Those that have several values, each under a key of its own. Their values may be credentials."""


def checks_of(when: When, *, has_side_calls: bool = False) -> tuple[Check, ...]:
    """The checks of a `when`, cheapest first. Raises `ConfigError`. If side calls are answered apart, requests that are
    one do not fit, unless the `when` says so."""
    if has_side_calls and when.side_call is None:
        return (Check(_SIDE_CALL, False, _SIDE_CALL.compile(False)), *_given(when))
    return tuple(_given(when))


def _given(when: When) -> Iterator[Check]:
    for criterion in CRITERIA:
        expected = getattr(when, criterion.attribute)
        if expected is not None and expected != {}:
            yield Check(criterion, expected, _compiled(criterion, expected))


def _compiled(criterion: Criterion, expected: Any) -> Holds:
    try:
        return criterion.compile(expected)
    except ConfigError as error:
        raise error.under((FIELDS[criterion.attribute],)) from None


def shortened(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


# -- how they are tested -----------------------------------------------------------------------------------------------


def _same(read: Callable[[Asked], Any]) -> Callable[[Any], Holds]:
    return lambda expected: lambda asked: bool(read(asked) == expected)


def _regex(source: str) -> Holds:
    try:
        pattern = compiled(source)
    except ValueError as error:
        raise ConfigError(f"a pattern that mockd cannot run: {error}") from None
    return lambda asked: pattern.is_in(asked.said, asked.effort)


def _model(expected: str) -> Holds:
    pieces = expected.split("*")
    return lambda asked: fits_pieces(pieces, asked.model or "")


def _tools(expected: tuple[str, ...]) -> Holds:
    names = frozenset(expected)
    return lambda asked: names <= asked.declared if names else not asked.declared


def _schema(expected: bool | str) -> Holds:
    if isinstance(expected, bool):
        return lambda asked: (asked.schema is not None) is expected
    return lambda asked: asked.schema is not None and asked.schema_name == expected


def _side_call(expected: bool | str) -> Holds:
    if isinstance(expected, bool):
        return lambda asked: (asked.side_call is not None) is expected
    return lambda asked: asked.side_call is not None and asked.side_call.name == expected


def _as_in_matchers(field: str) -> Callable[[Mapping[str, Any]], Holds]:
    def compile_all(expected: Mapping[str, Any]) -> Holds:
        checks = [predicate.holds for predicate in _predicates(field, expected)]
        return lambda asked: all(holds(asked.ask.request) for holds in checks)

    return compile_all


def _predicates(field: str, expected: Mapping[str, Any]) -> Iterator[Predicate]:
    """The predicates of a matcher with these values for a criterion."""
    from mockd.matching.predicates import KINDS, predicate_of  # loaded only with the first of them

    kind = next(kind for kind in KINDS if kind.field == field)
    for key, value in expected.items():
        try:
            yield predicate_of(kind, key, value)
        except ConfigError as error:
            problem = error.problems[0]
            raise ConfigError(problem.message, path=(key,), hint=problem.hint) from None


# -- what a request has instead ----------------------------------------------------------------------------------------


def _text(what: str, read: Callable[[Asked], str]) -> Callable[[Any, Asked], str]:
    def found(_: Any, asked: Asked) -> str:
        from mockd.journal.redaction import body  # loaded only if somebody wants to know

        text = body(read(asked))
        return f"{what} is {encode_json(shortened(text)).decode()}" if text else f"there is no text in {what}"

    return found


def _result_found(expected: Any, asked: Asked) -> str:
    if not asked.results:
        return "the last message has no result"
    return _text("the result", lambda asked: " ".join(result.text for result in asked.results))(expected, asked)


def _value(sentence: str, read: Callable[[Asked], Any]) -> Callable[[Any, Asked], str]:
    return lambda _, asked: sentence.format(read(asked))


def _names(what: str, otherwise: str, read: Callable[[Asked], Any]) -> Callable[[Any, Asked], str]:
    def found(_: Any, asked: Asked) -> str:
        names = [str(name) for name in read(asked)]
        return f"{what}: {shortened(', '.join(names))}" if names else otherwise

    return found


def _is(sentence: str, otherwise: str, read: Callable[[Asked], Any]) -> Callable[[Any, Asked], str]:
    return lambda _, asked: sentence if read(asked) else otherwise


def _schema_found(_: Any, asked: Asked) -> str:
    if asked.schema is None:
        return "the request demands no JSON"
    name = asked.schema_name
    return "it demands JSON without a name" if name is None else f"it demands JSON of the name {shortened(name)}"


def _side_call_found(_: Any, asked: Asked) -> str:
    call = asked.side_call
    return "it is no side call that is known" if call is None else f"it is the side call {call.name}"


def _keys_found(field: str) -> Callable[[Mapping[str, Any], Asked], str]:
    def found(expected: Mapping[str, Any], asked: Asked) -> str:
        request = asked.ask.request
        others = [one.key for one in _predicates(field, expected) if not one.holds(request)]
        return f"what the request has is another value, or none: {', '.join(others)}"

    return found


_SIDE_CALL = Criterion("side_call", _side_call, _side_call_found)

CRITERIA = (
    Criterion("provider", _same(lambda asked: asked.provider), _value("it is {}", lambda asked: asked.provider)),
    Criterion(
        "stream",
        _same(lambda asked: asked.streams),
        _is("a stream is asked for", "no stream is asked for", lambda asked: asked.streams),
    ),
    Criterion("model", _model, _value("it is {}", lambda asked: shortened(asked.model or "not said"))),
    Criterion("headers", _as_in_matchers("headers"), _keys_found("headers")),
    Criterion(
        "tool_result",
        _same(lambda asked: asked.has_results),
        _is("the last message has one", "the last message has none", lambda asked: asked.has_results),
    ),
    Criterion("turn", _same(lambda asked: asked.turn), _value("it is turn {}", lambda asked: asked.turn)),
    Criterion("step", _same(lambda asked: asked.step), _value("it is step {}", lambda asked: asked.step)),
    Criterion(
        "tools", _tools, _names("the declared tools", "no tool is declared", lambda asked: sorted(asked.declared))
    ),
    Criterion(
        "tool_name",
        lambda expected: lambda asked: any(result.name == expected for result in asked.results),
        _names(
            "the tools with a result",
            "the last message has no result",
            lambda asked: [result.name or "(unknown)" for result in asked.results],
        ),
    ),
    Criterion(
        "contains", lambda part: lambda asked: part in asked.said, _text("the message", lambda asked: asked.said)
    ),
    Criterion(
        "tool_result_contains",
        lambda part: lambda asked: any(part in result.text for result in asked.results),
        _result_found,
    ),
    Criterion(
        "system",
        lambda part: lambda asked: part in asked.system,
        _text("the system prompt", lambda asked: asked.system),
    ),
    Criterion("regex", _regex, _text("the message", lambda asked: asked.said)),
    Criterion("schema", _schema, _schema_found),
    _SIDE_CALL,
    Criterion("body_json_path", _as_in_matchers("bodyJsonPath"), _keys_found("bodyJsonPath")),
)
"""All criteria, cheapest first, which is the order in which they are tested."""
