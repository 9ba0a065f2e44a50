"""The filters that count what a text makes change nothing of what it comes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minijinja import TemplateError

from mockd.expressions import growth, words
from mockd.expressions.expression import _environment, _using
from mockd.expressions.growth import Refused, counted
from mockd.expressions.tags import split_tags
from mockd.expressions.values import RequestContext, start_counting
from mockd.request import RequestView

SCOPE = {"type": "http", "method": "POST", "path": "/a b", "query_string": b"q=1&r=x-y", "headers": []}
BODY = b'{"n": 3, "text": "ab cd", "list": ["b", "a", "c"], "map": {"k": "v"}}'
CONTEXT = RequestContext(RequestView(SCOPE, BODY), {"id": "7"})


def joined(*parts: object) -> st.SearchStrategy[str]:
    """The parts one after another, each of them text or drawn."""
    drawn = [part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts]
    return st.tuples(*drawn).map(lambda found: "".join(map(str, found)))


def one(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


_texts = st.deferred(lambda: _text)
_numbers = st.deferred(lambda: _number)
_truths = st.deferred(lambda: _truth)
_blank = one("", " ", "\n  ")
_text = st.one_of(
    one("'x'", '"}}"', "request.path", "request['method']", "request.body.text", "request.query . r", "item"),
    joined(_texts, one("~", " ~ "), _texts),
    joined("(", _texts, " + ", _texts, ")"),
    joined("(", _texts, ")", one("|upper", "| replace('a', 'b')", "|title | lower", "|default('z')", "[1:]", "[-2:]")),
    joined("(", _texts, " if ", _truths, " else ", _texts, ")"),
    joined("[", _texts, ", ", _texts, _blank, "]|join('-')"),
    joined("(", _texts, ")|split|first"),
    joined("{'a': ", _texts, "}['a']"),
    joined("loop.cycle(", _texts, ",", _texts, ")"),
)
_number = st.one_of(
    one("1", "2.5", "1_0", "0x1f", "request.body.n", "request.query.q|int", "loop.index"),
    joined(_numbers, _blank, one("+", "-", "*"), _blank, _numbers),
    joined("(", _numbers, one(" % 7", " // 3", " ** 2", "|abs"), ")"),
    joined("-", _numbers),
    joined("(", _texts, ")|length"),
    joined("[", _numbers, ",", _numbers, "]|", one("sum", "max", "sort|last")),
)
_truth = st.one_of(
    one("true", "request.body.no is defined", "not request.body.list", "'a' in request.body.list"),
    joined(_numbers, one(" < ", " == ", ">="), _numbers),
    joined(_numbers, one(" is odd", " is not divisibleby 2", " is number", " is divisibleby(3)")),
    joined(_texts, one(" in ", " not in ", " == "), _texts),
    joined("(", _truths, one(" and ", " or "), _truths, ")"),
)
_output = joined(one("{{", "{{- "), st.one_of(_text, _number), one("}}", " -}}"))
_piece = st.one_of(
    one(" text ", "{# {{ c #}", "{% raw %}{{ x ~ }}{% endraw %}", "\n"),
    _output,
    joined(one("{% if ", "{%- if "), _truth, one("%} ", " -%} "), _output, "{% else %}no{% endif %}"),
    joined("{% set item = ", _text, " %}"),
    joined("{% set item %}", _output, "{% endset %}"),
    joined("{% filter upper %}", _output, "{% endfilter %}"),
)


def outcome(text: str) -> str | None:
    """What a text comes to; None if it fails."""
    start_counting()
    try:
        with _using:
            return _environment().render_str(text, request=CONTEXT)
    except (TemplateError, ValueError):
        return None


@given(st.lists(_piece, max_size=4).map("".join))
def test_what_is_counted_comes_to_the_same(pieces: str) -> None:
    text = "{% for item in request.body.list -%} " + pieces + " {%- endfor %}"
    assert outcome(counted(split_tags(text))) == outcome(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% set a.b = request.path %}", "unexpected `.`"),
        ("{% set a, b[0] = request.path %}", "unexpected `[`"),
        ("{% macro f() %}", "statement macro is unknown"),
        ("{% for a in request.body recursive %}", "unexpected `recursive`"),
        ("{{ request.path ; }}", "unexpected `;`"),
        ("{{ request.path ~ }}", "unexpected end"),
        ("{{ [request.path }}", "unexpected end"),
        ("{{ {'a': {'b': request.path}} }}", "unexpected end"),
        ("{{ request.path request.path }}", "unexpected `request`"),
        ("{{ request.body | map('default', request.path) }}", "the arguments of `map`"),
        ("{{ request.body | map(attribute=request.path) }}", "the arguments of `map`"),
        ("{% raw %}{{ '{% endraw %}' }}", "stands in quotes"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        counted(split_tags(text))
    assert message in refused.value.args[0]


def test_filters_that_are_named_exist() -> None:
    named = {*growth.SMALL_FILTERS.split(), *growth.ITEM_FILTERS.split()}
    assert named <= set(words.FILTERS.split())
