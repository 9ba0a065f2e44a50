"""Which texts follow the request, what they come to, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from minijinja import TemplateError

from mockd.errors import ConfigError
from mockd.expressions import values, words
from mockd.expressions.expression import Expression, ExpressionError, _environment, compile_value, with_captures
from mockd.expressions.tags import mentions_request
from mockd.expressions.values import RequestContext
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

COOKIE = (b"cookie", b'a=1; b-c="x=y"; a=2; nothing')


def context(body: bytes | None = None, **scope: Any) -> RequestContext:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/a b/ä",
        "query_string": b"page=2&page=3&q=%C3%A4+b&bad=%FF&empty",
        "headers": [(b"x-name", b"\xe9t\xe9"), (b"accept", b"a/b"), (b"accept", b"c/d"), COOKIE],
        "server": ("127.0.0.1", 4280),
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
        ("{{ request.cookies.a }} {{ request.cookies['b-c'] }} [{{ request.cookies.none }}]", "1 x=y []"),
        ("{{ request.url }}", "http://127.0.0.1:4280/a%20b/%C3%A4?page=2&page=3&q=%C3%A4+b&bad=%FF&empty"),
        ("{{ request.base }}/next", "http://127.0.0.1:4280/next"),
        # Names of the text's own may be those of members, and what hangs on them is theirs.
        ("{% for request in request.body.messages %}{{ request.role }}{% endfor %}", "systemuser"),
        (
            "{% set r = request.query %}{{ r.page }}{% raw %}{{ request.x | y is z }}{% endraw %}",
            "2{{ request.x | y is z }}",
        ),
        (
            "{{ \"request['bdy'] | shout is loud\" }}{# request.bdy | shout #}{{ request.method }}",
            "request['bdy'] | shout is loudPOST",
        ),
        ("{{ 'POST' in ['POST', request.method] and ['a'][0] }}", "a"),
        ("{{ request.method in['POST'] }}", "true"),
        # What is missing, and null, is empty, however far down; `items` and the like are no methods of Python's.
        ("[{{ request.body.a.b[3].c }}{{ request.body.nothing }}{{ request.query.nope }}]", "[]"),
        ("[{{ request.body.keys }}{{ request.body.items }}{{ request.body.messages.count }}]", "[]"),
        ("{{ request.body.missing | default('d') }}{{ request.body.nothing | default('e') }}", "de"),
        ("{% if request.body.missing is defined %}yes{% else %}no{% endif %}", "no"),
        ("[{{ request.body._value }}{{ request.body.__class__ }}]", "[]"),
        # Structures are JSON.
        ("{{ request.body.messages[0] }}", '{"role":"system","content":"Be brief."}'),
        ("{{ request.body.holes }}{{ request.params }}", '[null,1]{"id":"7","rest":"x/y"}'),
        ("{{ request.body.messages[:1] }}", '[{"role":"system","content":"Be brief."}]'),
        ("{{ request.body.model | tojson }}{{ request.body.nope | tojson }}", '"m1"null'),
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
        # What mockd counts comes to the same.
        ("{% set n = request.body.n + 1 %}{{ n * 2 - -1 }} {{ 2 ** n // 3 % 2 }} {{ not n * 0 }}", "7 0 true"),
        ("{{ 'Hi ' ~ request.body.model ~ request.body.nothing ~ [1, none] ~ 1 + 'x' }}", "Hi m1[1,null]1x"),
        ("{% set a, b = [request.body.n, {'k': 'v'}] %}{{ a }}{{ b.k }}{{ {'a': {'b': b} }.a.b }}", '2v{"k":"v"}'),
        (
            "{{ 'a-b' | split('-', 1) | join('+') }}{{ request.body.no }}{{ 'x\r\ny\n' | lines }}{{ 'ab' | list }}",
            'a+b["x","y"]["a","b"]',
        ),
        ("{{ request.method | replace('P', request.body.model) | lower | join('.') }}", "m.1.o.s.t"),
        (
            "{{ request.body.no | list | length }}{{ request.body.no | sort | join }}{{ request.body.no | items }}",
            "0[]",
        ),
        (
            "{% for g in request.body.messages | groupby('role') %}{{ g.grouper }}:{{ g.list | length }} {% endfor %}",
            "system:1 user:1 ",
        ),
        ("{% for k, v in request.params | dictsort %}\n {{- k ~ v }} , {%- endfor %}", "id7 ,restx/y ,"),
        ("{% for i in range(2) -%} <{% raw %}{{ x }}{% endraw %}> {% endfor %}{{ request.body.no }}", "<{{ x }}> " * 2),
        ("{% set said %}[{{ request.body.model }}]{% endset %}{{ said * 2 if request.body.no else said[1:-1] }}", "m1"),
        ("{% filter upper | replace('M', '-') %}{{ request.body.model }}{% endfilter %}", "-1"),
        ("{{ request.body.n is odd or request.body.n is divisibleby 2 and 'a' is not in ['b'] }}", "true"),
        ("{% for i in [1, 2] if i > 1 %}{{ loop.cycle('a', 'b') }}{{ request.body.no }}{% endfor %}", "a"),
        # The text around stays as it is.
        ("{{ request.params.id }}\r\n\n", "7\r\n\n"),
        ("  {{ request.params.id }} {#x#}$uuid", "  7 $uuid"),
        ("{% raw %}{{ request.path }}{% endraw %}", "{{ request.path }}"),
        ("<{{ request.body.messages[1].content[-3:] }}>", "<<b>>"),
    ],
)
def test_rendered(text: str, outcome: str) -> None:
    assert mentions_request(text)
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
    assert list(whole) == list(values.REQUEST)
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
    assert not mentions_request(text)
    assert compile_value({"a": [text]}) is None


@pytest.mark.parametrize(
    "tag", ["{{ request }}", "{%if request.a%}{%endif%}", "{{-request.a-}}", "{{ {'}}': request} }}"]
)
def test_wherever_a_tag_has_request(tag: str) -> None:
    assert mentions_request(tag)
    assert mentions_request(f"}}}} {{{{ x }}}} {tag} y")


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
        ("{% include request.path %}", "statement include is unknown"),
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
    ("text", "message", "hint"),
    [
        ("{{ request.bdy.x }}", "`request` has no `bdy`", "did you mean `body`?"),
        ("{{ request['bdy']['x'] }}", "`request` has no `bdy`", "did you mean `body`?"),
        ("{{ request . bdy }}", "`request` has no `bdy`", "did you mean `body`?"),
        ("{{ request.method }}{{ request.cookie.a }}", "`request` has no `cookie`", "did you mean `cookies`?"),
        ("{{ request.xyz }}", "`request` has no `xyz`", "known here: `method`, `path`, `url`, `base`,"),
        ("{{ request.URL }}", "`request` has no `URL`", "did you mean `url`?"),
        ("{{ request.__class__ }}", "`request` has no `__class__`", "known here"),
        ("{% if request.body.a %}{{ request.bdy }}{% endif %}", "`request` has no `bdy`", "did you mean `body`?"),
        ("{% for m in request.bdy.messages %}{{ m }}{% endfor %}", "`request` has no `bdy`", "did you mean `body`?"),
        ("{{ request.path.upper }}", "`request.path` is text and has no `upper`", "filters change text"),
        ("{{ request.url.host }}", "`request.url` is text and has no `host`", "filters change text"),
        (
            "{{ request.query.filter.name }}",
            "`request.query.filter` is text and has no `name`",
            'a name with a dot is written `request.query["filter.name"]`',
        ),
        ("{{ request.headers.x['y'] }}", "`request.headers.x` is text and has no `y`", '`request.headers["x.y"]`'),
        ("{{ request.path | uper }}", "filter uper is unknown", "did you mean `upper`?"),
        ("{{ request.path | trim | uper }}", "filter uper is unknown", "did you mean `upper`?"),
        ("{% if request.body.a %}{{ 'x'|uper }}{% endif %}", "filter uper is unknown", "did you mean `upper`?"),
        ("{% filter uper %}{{ request.path }}{% endfilter %}", "filter uper is unknown", "did you mean `upper`?"),
        (
            "{% if request.body.a is defned %}{{ request.path }}{% endif %}",
            "test defned is unknown",
            "did you mean `defined`?",
        ),
        (
            "{% if request.body.a %}{% if 1 is not evn %}x{% endif %}{% endif %}",
            "test evn is unknown",
            "did you mean `even`?",
        ),
        ("{% for m in request.body %}{{ loop.indx }}{% endfor %}", "`loop` has no `indx`", "did you mean `index`?"),
    ],
)
def test_words_that_do_not_exist_are_refused_with_the_nearest(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        compile_value({"a": ["x", text]}, ("response", "body"))
    (problem,) = refused.value.problems
    assert (problem.path, problem.message) == (("response", "body", "a", 1), message)
    assert hint in str(problem.hint)


def test_the_members_of_request_are_those_that_it_has() -> None:
    assert set(words.STEPS) == set(values.REQUEST)
    public = {name for name in dir(RequestContext) if not name.startswith("_")} | set(vars(context())) - {
        "_request",
        "_captures",
    }
    assert public == set(values.REQUEST)


@pytest.mark.parametrize("member", values.REQUEST)
def test_what_is_text_is_text(member: str) -> None:
    names = {"params": "id", "query": "page", "headers": "x-name", "cookies": "a"}
    if (most := words.STEPS[member]) is not None:
        below = f"['{names[member]}']" if most else ""
        assert rendered("{{ request." + member + below + " is string }}") == "true"


@pytest.mark.parametrize(
    ("named", "template", "kind"),
    [
        (words.FILTERS, "{{ 0 | %s }}", "UnknownFilter"),
        (words.TESTS, "{{ 0 is %s }}", "UnknownTest"),
    ],
)
def test_words_that_are_named_as_cures_exist(named: str, template: str, kind: str) -> None:
    def error_of(word: str) -> str | None:
        try:
            _environment().render_str(template % word)
        except TemplateError as error:
            return error.kind
        except ValueError:
            pass
        return None

    assert error_of("nonsense") == kind
    assert [word for word in named.split() if error_of(word) == kind] == []


@pytest.mark.parametrize("member", words.LOOP.split())
def test_members_of_loop_that_are_named_as_cures_exist(member: str) -> None:
    called = {"changed": "(1)", "cycle": "(1, 2)"}.get(member, "")
    text = "{% for m in [0, 1, 2] %}{{ loop.index == 2 and loop." + member + called + " is undefined }}{% endfor %}"
    assert rendered(text + "{{ request.body.no }}") == "false" * 3


def test_captures_that_the_path_does_not_have_are_refused() -> None:
    with with_captures(["user", "order"]):
        compile_value("{{ request.params.user }}{{ request.params }}")
        for text, hint in (
            ("{{ request.params.usr }}", "did you mean `user`?"),
            ("{{ request.params['id'] }}", "known here: `user`, `order`"),
        ):
            with pytest.raises(ConfigError, match="the mock's path has no") as refused:
                compile_value(text)
            assert refused.value.problems[0].hint == hint
    compile_value("{{ request.params.usr }}")


@pytest.mark.parametrize(
    ("scope", "url", "base"),
    [
        (
            {"headers": [(b"host", b"example.org")], "scheme": "https"},
            "https://example.org/a?b=%20",
            "https://example.org",
        ),
        ({"headers": [], "server": ("::1", 80)}, "http://[::1]:80/a?b=%20", "http://[::1]:80"),
        ({"headers": [], "server": ("/tmp/socket", None)}, "http://localhost/a?b=%20", "http://localhost"),
        (
            {"headers": [(b"host", b"h:1")], "path": "/api/a", "raw_path": b"/%61pi/a", "root_path": "/api"},
            "http://h:1/%61pi/a?b=%20",
            "http://h:1/api",
        ),
        ({"headers": [(b"host", b"h")], "query_string": b"", "path": "/100%/ä"}, "http://h/100%25/%C3%A4", "http://h"),
    ],
)
def test_url_and_base(scope: dict[str, Any], url: str, base: str) -> None:
    whole = {"type": "http", "method": "GET", "path": "/a", "query_string": b"b=%20", **scope}
    view = RequestView(whole)
    assert (view.url, view.base) == (url, base)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ request.body.model + 1 }}", "unsupported types string and number"),
        ("{{ 1 // (request.body.n - 2) }}", "unable to calculate"),
        ("{{ 'x' * (request.body.n * 100000000000) }}", "`*` takes numbers"),
        ("{{ range(request.body.n * 100000000000) }}", "too many elements"),
        ("{% if request.body %}{% for i in range(99999) %}{{ i }}{% endfor %}{% endif %}", "more than 100000 steps"),
        (
            "{% for i in range(request.body.n * 3000) %}{{ i }}" + "x" * 9000 + "{% endfor %}",
            "makes values of more than 25165824 characters",
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


@pytest.mark.parametrize(
    "texts", [["{{ request.body }}"] * 9, [f"{number}{{{{ request.body }}}}" for number in "abcdefghi"]]
)
def test_the_texts_of_an_answer_have_a_limit_together(texts: list[str]) -> None:
    given = context(b"x" * 4_000_000)
    for value in (texts, {"a": [{"b": text} for text in texts]}):
        compiled = compile_value(value)
        assert compiled is not None
        with pytest.raises(ExpressionError, match="of this answer have more than 33554432 characters"):
            compiled.render(given)
    compiled = compile_value(texts[:8])
    assert compiled is not None
    assert len(compiled.render(given)) == 8


@pytest.mark.parametrize(
    "text", ["{{ 7 in request.body }}", "{{ request.body | max }}", "{{ request.body == request.body }}"]
)
def test_a_step_that_reads_a_long_list_is_counted(text: str) -> None:
    assert rendered(text, b"[0" + b",0" * 100_000 + b"]") in ("false", "0", "true")
    # A body of more values than 250,000 is text.
    for text_, items in ((text + text, 240_000), ("{% for i in range(99) %}" + text + "{% endfor %}", 100_000)):
        with pytest.raises(ExpressionError, match="makes values of more than 25165824 characters"):
            rendered(text_, b"[0" + b",0" * items + b"]")


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ request.path" + " or 1" * 30_000 + " }}", "more than 4096 characters"),
        ("{{ request.path" + "~1" * 600 + " }}", "more than 500 operators"),
        ("{{ request.path" + "|upper" * 501 + " }}", "more than 500 operators"),
        ("{{ request" + ".a" * 501 + " }}", "more than 500 operators"),
        ("{{ " + "(" * 501 + "request.path" + ")" * 501 + " }}", "more than 500 operators"),
        ("{{ " + "not " * 501 + "request.path }}", "more than 500 operators"),
        ("{{ request.path }} " * 500, "more than 4096 characters"),
    ],
)
def test_tags_that_are_too_large_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Expression(text)


def test_long_texts_with_small_tags_are_none_of_those() -> None:
    text = "a | b . c ( " * 100_000
    assert Expression(text + "{{ request.path }}").render(context()) == text + "/a b/ä"
    Expression("{{ '" + "|" * 1000 + "' ~ request.path }}")


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
