"""No expression takes the machine's memory, whatever it says and whatever its request has.

Each is loaded and rendered in a process of its own, for two requests, as one that takes too much ends the process.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MOST_MIB = 192
"""Most mebibytes of memory that an expression may take, beside what the process has at its start."""

_PROGRAM = """
import json, resource, sys
from mockd.errors import ConfigError
from mockd.expressions.expression import Expression, ExpressionError
from mockd.expressions.values import RequestContext
from mockd.request import RequestView

Expression("{{ request.path }}")
text, bodies, most = json.load(sys.stdin)
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + most * 2**20,) * 2)
for body in bodies:
    view = RequestView({"type": "http", "method": "POST", "path": "/" + "p" * 1000, "headers": []}, body.encode())
    try:
        print(len(Expression(text).render(RequestContext(view, {}))))
    except (ConfigError, ExpressionError) as error:
        print(type(error).__name__, error)
"""

PAIRS = [("a", "b"), ("b", "a")]
DOUBLED = "".join(f"{{% set {new} = {old} ~ {old} %}}" for old, new in PAIRS * 50)
LISTS = "".join(f"{{% set {new} = [{old}, {old}] %}}" for old, new in PAIRS * 30)


def kept(value: str) -> str:
    """A hundred names for a value that is made for each."""
    return "".join(f"{{% set a{number} = {value} %}}" for number in range(100))


GREEDY = {
    "a namespace": "{% set ns = namespace(x=request.path) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}"
    "{% endfor %}",
    "an item that is set": "{% set a['x'] = request.path %}",
    "names that double": "{% set a = request.path %}" + DOUBLED,
    "sums that double": "{% set a = request.path %}" + DOUBLED.replace("~", "+"),
    "blocks that double": "{% set a %}{{ request.path }}{% endset %}"
    + "".join(f"{{% set {new} %}}{{{{ {old} }}}}{{{{ {old} }}}}{{% endset %}}" for old, new in PAIRS * 30),
    "filters on blocks": "{% filter replace('p', request.body.long) %}{{ request.body.long }}{% endfilter %}",
    "loops that double": "{% for a in [request.path] %}"
    + "{% for a in [a ~ a] %}" * 60
    + "{{ a }}"
    + "{% endfor %}" * 61,
    "lists that double": "{% set a = [request.path] %}" + LISTS + "{{ a }}",
    "lists that double, as text": "{% set a = [request.path] %}" + LISTS + "{{ a | string }}",
    "lists that double, compared": "{% set a = [request.path] %}" + LISTS + "{{ a == a }}",
    "zips that double": "{% set a = [request.path] %}"
    + "".join(f"{{% set {new} = {old} | zip({old}) | list %}}" for old, new in PAIRS * 30)
    + "{{ a }}",
    "maps that double": "{% set a = {'x': request.path} %}"
    + "".join(f"{{% set {new} = {{'x': {old}, 'y': {old}}} %}}" for old, new in PAIRS * 30)
    + "{{ a }}",
    "sums of lists": "{% set a = [request.path] %}" + DOUBLED.replace("~", "+") + "{{ a }}",
    "one long sum": "{% set a = request.body.long %}{{ " + "~".join("a" * 400) + " }}",
    "one long sum of the body": "{{ " + "~".join(["request.body.long"] * 200) + " }}",
    "one long list": "{{ [" + ",".join(["request.body"] * 200) + "] }}",
    "one long list, each item as text": "{{ [" + ",".join(["request.body"] * 200) + "] | map('string') | list }}",
    "a list in a list": "{% set l = [request.body] %}{{ [" + ",".join("l" * 1000) + "] | tojson }}",
    "a text times a number": "{% set a = request.path * 90000 %}{% set b = request.path * 90000 %}{{ a ~ b }}",
    "a number times a text": "{% set a = 90000 * request.path %}{% set b = 90000 * request.path %}{{ a ~ b }}",
    "a text in parentheses": "{{ 1 + 2 * (request.path) * 1000 * 1000 }}",
    "a list times a number": "{{ [request.path] * 1000000 }}",
    "a power": "{{ 10 ** 10 ** 9 ~ request.path }}",
    "a product of powers": "{{ 10 ** 30 * 10 ** 30 ~ request.path }}",
    "a range": "{% for i in range(100) %}{{ range(99999) | list | length }}{% endfor %}{{ request.path }}",
    "many ranges": kept("range(99999) | list") + "{{ request.path }}",
    "many copies": kept("request.body.long | upper"),
    "many readings": kept("request.body.long"),
    "many slices": "{% set a = request.body.long %}" + kept("a[1:]"),
    "many lists of characters": "{% set a = request.body.long %}" + kept("a | list"),
    "replace": "{{ request.body.long | replace('x', request.body.long) }}",
    "replace nothing": "{{ request.body.long | replace('', request.body.long) }}",
    "join": "{{ request.body.list | join(request.body.long) }}",
    "split": "{{ request.body.long | split('x') | length }}",
    "lines": "{{ request.body.lines | lines | length }}",
    "items as characters": "{{ request.body.list | map('list') | list | length }}",
    "sort": "{{ request.body.list | sort | length }}",
    "unique": "{{ request.body.list | unique | list | length }}",
    "a default for every item": "{{ request.body.list | map(attribute='x', default=request.path) | list }}",
    "a filter for every item": "{{ request.body.list | map('replace', '', request.body.long) | list | length }}",
    "format": "{{ '%999999999s' | format(request.path) }}",
    "a format by its name": "{{ ['%999999999s'] | map('format', 1) | list }}{{ request.path }}",
    "indent": "{{ request.path | indent(1000000000) }}",
    "wordwrap": "{{ request.body.long | wordwrap(1, wrapstring=request.body.long) }}",
    "batch": "{{ request.body.list | batch(1000000000, 0) }}",
    "escapes": "{{ request.body.quotes" + " | tojson" * 60 + " }}",
    "escapes of another kind": "{{ request.body.quotes" + " | pprint" * 60 + " }}",
    "escapes for pages": "{{ request.body.quotes" + " | e" * 400 + " }}",
    "escapes for URLs": "{{ request.body.quotes" + " | urlencode" * 400 + " }}",
    "a macro": "{% macro f(a) %}{{ f(a ~ a) }}{% endmacro %}{{ f(request.path) }}",
    "a caller": "{% macro f() %}{{ caller() ~ caller() }}{% endmacro %}{% call f() %}{{ request.path }}{% endcall %}",
    "a loop that calls itself": "{% for a in [request.body.list] recursive %}{{ loop(a) }}{% endfor %}",
    "a block": "{% block a %}{{ request.path }}{{ self.a() }}{% endblock %}",
    "a text in a loop": "{% for i in range(30000) %}" + "x" * 200_000 + "{% endfor %}{{ request.path }}",
    "a raw text in a loop": "{% for i in range(30000) %}{% raw %}" + "x" * 200_000 + "{% endraw %}{% endfor %}"
    "{{ request.path }}",
    "a text in loops": "{% for i in range(99) %}{% for j in range(99) %}" + "x" * 200_000 + "{% endfor %}{% endfor %}"
    "{{ request.path }}",
    "tags that end in quotes": "{% raw %}{{ ' {% endraw %}{% set a = request.body.long %}{{ "
    + "~".join("a" * 400)
    + " }}{{ ' }}",
    "braces in braces": "{{ {'a': {'b': request.body.long}}.a.b" + "~ request.body.long" * 200 + " }}",
    "results in a loop": "{% for i in range(9999) %}{{ request.body.long }}{% endfor %}",
    "cycles": "{% for i in range(99) %}{{ loop.cycle(request.body.long ~ request.body.long) }}{% endfor %}",
}
BODIES = [
    json.dumps({"long": "xy" * 500_000, "list": [0] * 9_000, "lines": "\n" * 500_000, "quotes": '"&%' * 99}),
    json.dumps(
        {"long": "x" * 1_000_000, "list": [0] * 4_000_000, "lines": "\n" * 1_000_000, "quotes": "'\"\\" * 100_000}
    ),
]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
@pytest.mark.parametrize("text", GREEDY.values(), ids=GREEDY)
def test_memory_is_bounded(text: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=json.dumps([text, BODIES, MOST_MIB]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "MemoryError" not in run.stdout
    assert "panic" not in run.stdout
