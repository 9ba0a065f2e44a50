"""Which texts follow the request, what they come to, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mockd import expressions
from mockd.errors import ConfigError
from mockd.expressions import Expression, ExpressionError, RequestContext, compile_value, has_expression, split_tags
from mockd.request import RequestView

BODY = {
    "model": "m1",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": 'Say "hi" {{ 7 * 7 }} $uuid <b>'},
    ],
    "n": 2,
    "half": 0.5,
    "on": True,
    "nothing": None,
    "large": 1 << 70,
    "holes": [None, 1],
    "größe": "ä",
}


def context(body: bytes | None = None, **scope: Any) -> RequestContext:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/a b/ä",
        "query_string": b"page=2&page=3&q=%C3%A4+b&bad=%FF&empty",
        "headers": [(b"x-name", b"\xe9t\xe9"), (b"accept", b"a/b"), (b"accept", b"c/d")],
        **scope,
    }
    view = RequestView(scope, json.dumps(BODY).encode() if body is None else body)
    return RequestContext(view, {"id": "7", "rest": "x/y"})


def rendered(text: str, body: bytes | None = None) -> str:
    return Expression(text).render(context(body))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("{{ request.method }} {{ request.path }}", "POST /a b/ä"),
        ("{{request.body.model}}", "m1"),
        ("{{ request.body.messages[-1].content }}", 'Say "hi" {{ 7 * 7 }} $uuid <b>'),
        ("{{ request['body']['messages'][0]['role'] }}", "system"),
        ("{{ request.body.n + 1 }} {{ request.body.half }} {{ request.body.on }}", "3 0.5 true"),
        ("{{ request.body.large }}", str(1 << 70)),
        ("{{ request.body['größe'] }}", "ä"),
        ("{{ request.params.id }}-{{ request.params.rest }}", "7-x/y"),
        ("{{ request.query.page }} {{ request.query.q }} [{{ request.query.empty }}]", "2 ä b []"),
        ("{{ request.query.bad }}", "\ufffd"),
        ("{{ request.headers['X-Name'] }} {{ request.headers.ACCEPT }}", "été a/b"),
        # What is missing, and null, is empty, however far down; `items` and the like are no methods of Python's.
        ("[{{ request.body.a.b[3].c }}{{ request.body.nothing }}{{ request.nope }}]", "[]"),
        ("[{{ request.body.keys }}{{ request.body.items }}{{ request.body.messages.count }}]", "[]"),
        ("{{ request.body.missing | default('d') }}{{ request.body.nothing | default('e') }}", "de"),
        ("{% if request.body.missing is defined %}yes{% else %}no{% endif %}", "no"),
        ("[{{ request.body._value }}{{ request._request }}{{ request.__class__ }}]", "[]"),
        # Structures are JSON.
        ("{{ request.body.messages[0] }}", '{"role":"system","content":"Be brief."}'),
        ("{{ request.body.holes }}{{ request.params }}", '[null,1]{"id":"7","rest":"x/y"}'),
        ("{{ request.body.messages[:1] }}", '[{"role":"system","content":"Be brief."}]'),
        ("{{ request.body.model | tojson }}{{ request.nope | tojson }}", '"m1"null'),
        ("{{ request.path | tojson }}", '"/a b/ä"'),
        ("{{ [request.params, 1, none] | tojson }}", '[{"id":"7","rest":"x/y"},1,null]'),
        ("{{ request.query }}", '{"page":"2","q":"ä b","bad":"\ufffd","empty":""}'),
        # Loops, filters, tests.
        ("{% for m in request.body.messages %}{{ loop.index }}{{ m.role }} {% endfor %}", "1system 2user "),
        ("{{ request.body.messages | map(attribute='role') | join('+') }}", "system+user"),
        ("{{ request.body.messages | selectattr('role', 'equalto', 'user') | list | length }}", "1"),
        ("{% for name, value in request.params | items %}{{ name }}={{ value }};{% endfor %}", "id=7;rest=x/y;"),
        ("{{ 'model' in request.body }} {{ request.body | length }}", "true 9"),
        ("{{ request.body.model | upper }}", "M1"),
        # The text around stays as it is.
        ("{{ request.params.id }}\r\n\n", "7\r\n\n"),
        ("  {{ request.params.id }} {#x#}$uuid", "  7 $uuid"),
        ("{% raw %}{{ request.path }}{% endraw %}", "{{ request.path }}"),
        ("<{{ request.body.messages[1].content[-3:] }}>", "<<b>>"),
    ],
)
def test_rendered(text: str, outcome: str) -> None:
    assert has_expression(text)
    assert rendered(text) == outcome


@pytest.mark.parametrize(
    ("body", "outcome"),
    [(b"plain {{ 1 }}", "plain {{ 1 }}"), (b"", ""), (b"\xff", "\ufffd"), (b'"text"', "text"), (b"[1]", "[1]")],
)
def test_a_body_that_is_no_object(body: bytes, outcome: str) -> None:
    assert rendered("{{ request.body }}", body) == outcome
    assert rendered("{{ request.body.messages[-1].content }}", body) == ""


def test_the_whole_request_is_json() -> None:
    whole = json.loads(rendered("{{ request }}"))
    assert list(whole) == list(expressions.REQUEST)
    assert whole["body"] == BODY
    assert whole["headers"]["x-name"] == "été"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "request",
        "{{ name }}",
        "{{ name }} and your request",
        "{{ request_id }}",
        "{{ request-id }}",
        "{{ page-request }}",
        "{{ page.request }}",
        "{{ 'request' }}",
        '{{ "a }} request" }}',
        "{{ a }} request {{ b }}",
        "{# request #}",
        "{ request.path }",
        "${request}",
        "{% now %} request",
        "{{ it's a request }}",
    ],
)
def test_other_texts_are_no_expressions(text: str) -> None:
    assert not has_expression(text)
    assert compile_value({"a": [text]}) is None


@pytest.mark.parametrize(
    "tag", ["{{ request }}", "{%if request.a%}{%endif%}", "{{-request.a-}}", "{{ {'}}': request} }}"]
)
def test_wherever_a_tag_has_request(tag: str) -> None:
    assert has_expression(tag)
    assert has_expression(f"}}}} {{{{ x }}}} {tag} y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ request", "syntax error: unexpected end of input"),
        ("{{ request.body. }}", "syntax error"),
        ("{% if request.path %}", "syntax error"),
        ("{{ request.path }}{% endfor %}", "unknown statement endfor"),
        ("{{{request.path}}}", "syntax error"),
        ("{{ request.path | shout }}", "filter shout is unknown"),
        ("{{ request.path is shiny }}", "test shiny is unknown"),
        ("{{ request.path }} {{ name }}", "expressions know `request`, not `name`"),
        ("{{ name(request.path) }}", "expressions know `request`, not `name`"),
        ("{{ request.path.upper() }}", "values have no methods"),
        ("{{ request.body.items() }}", "values have no methods"),
        ("{{ request.headers.items() }}", "values have no methods"),
        ("{{ request.body() }}", "values have no methods"),
        ("{% include request.path %}", "template not found"),
        # They would take whatever memory they are told to take.
        ("{{ request.path | indent(1000000000000) }}", "filter indent is unknown"),
        ("{{ '%999999999999s' | format(request.path) }}", "filter format is unknown"),
        ("{{ [request.path] | batch(1000000000000, 0) }}", "filter batch is unknown"),
        ("{{ [request.path] | slice(1000000000000) }}", "filter slice is unknown"),
    ],
)
def test_refused_when_loaded(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("`", ".")) as refused:
        compile_value({"a": ["x", text]}, ("response", "body"))
    (problem,) = refused.value.problems
    assert problem.path == ("response", "body", "a", 1)
    assert problem.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ request.body.model + 1 }}", "unsupported types string and number"),
        ("{{ 1 // (request.body.n - 2) }}", "unable to calculate"),
        ("{{ 'x' * (request.body.n * 100000000000) }}", "too large"),
        ("{{ range(request.body.n * 100000000000) }}", "too many elements"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{% if request.body.n %}{{ f() }}{% endif %}", "recursion limit"),
        ("{% if request.body %}{% for i in range(99999) %}{{ i }}{% endfor %}{% endif %}", "more than 100000 steps"),
        (
            "{% if request.body %}{% for i in range(2000) %}{{ 'x' * 10000 }}{% endfor %}{% endif %}",
            "more than 16777216 characters",
        ),
    ],
)
def test_errors_of_a_request(text: str, message: str) -> None:
    expression = Expression(text, ("sse", "events", 0, "data"))
    with pytest.raises(ExpressionError) as failed:
        expression.render(context())
    assert str(failed.value).startswith("$.sse.events[0].data: ")
    assert message in str(failed.value)
    # It has left nothing behind.
    assert rendered("{{ request.body.model }}") == "m1"


def test_a_value_is_rendered_at_any_depth() -> None:
    value = {"a": ["{{ request.body.model }}", {"b": "x"}, 1, None], "{{ request.path }}": "$uuid {{ x }}"}
    compiled = compile_value(value)
    assert compiled is not None
    assert compiled.render(context()) == {
        "a": ["m1", {"b": "x"}, 1, None],
        "{{ request.path }}": "$uuid {{ x }}",
    }
    assert value["a"][0] == "{{ request.body.model }}"
    assert compiled.render(context(b'{"model": 5}'))["a"][0] == "5"


def test_rendering_changes_nothing_of_the_request() -> None:
    before = context()
    for text in ("{% set request = 1 %}{{ request }}", "{% set x = request.body %}{{ x }}"):
        Expression(text).render(before)
    assert before.body["messages"][0]["role"] == "system"
    assert json.loads(str(before.body)) == BODY


def test_tags_and_what_is_between() -> None:
    assert split_tags("a {{ \"}}\" }} b {% if '%}' %}c{# }} #}") == [
        "a ",
        '{{ "}}" }}',
        " b ",
        "{% if '%}' %}",
        "c",
        "{# }} #}",
        "",
    ]
    assert split_tags("{{ 'a") == ["{{ 'a"]


def test_long_texts_take_no_longer_than_they_should() -> None:
    """No pattern goes through a text again and again for each quote in it: that would take years."""
    assert not has_expression("{{ " + "'a' " * 10_000)
    assert not has_expression("{" * 1_000_000)
    assert not has_expression("{{ a " * 100_000)
    assert len(split_tags("{{ " + "\"a' " * 10_000)) == 1


def test_threads_may_render_at_the_same_time() -> None:
    expression = Expression("{% for m in request.body.messages %}{{ m }}{{ request.headers }}{% endfor %}")
    whole = expression.render(context())
    with ThreadPoolExecutor(4) as threads:
        outcomes = [threads.submit(expression.render, context()) for _ in range(400)]
        assert {outcome.result(timeout=60) for outcome in outcomes} == {whole}


def test_minijinja_is_loaded_for_the_first_expression() -> None:
    code = """
import sys
from mockd.engine import Engine
engine = Engine()
def add(text):
    events = [{"data": [text], "id": text}]
    engine.create({"matcher": {"path": "/a"}, "sse": {"headers": {"x-a": text}, "events": events}})
    engine.create({"matcher": {"path": "/a"}, "response": {"body": text}})
add("$uuid {{ name }}")
print("minijinja" in sys.modules)
add("{{ request.path }}")
print("minijinja" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == ["False", "True"]
