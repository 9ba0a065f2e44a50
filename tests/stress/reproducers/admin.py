"""What comes to the admin API, of which a file of the user's may have the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.stress.asking import JSON, YAML, ask
from tests.stress.server import Server

_HALF = 4_500_000
"""Half the length of a body that is nearly as long as may be."""

EXPRESSIONS = (
    "{{ request.path" + " or 1" * 30_000 + " }}",
    "{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}",
    "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "{{ " + "not " * 20_000 + "1 }}",
    '{{ "' * 100_000,
    "{{ '' }}" * 50_000,
    "{% set ns = namespace(x='xxxxxxxx') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
    "{{ 'x' * 10000000000 }}",
    "{{ range(100000000) | list }}",
)
NESTED = (b"[" * 1_000_000, b'{"a":' * 500_000, b"[" * 50_000 + b"]" * 50_000)
FLOODS: dict[str, tuple[bytes, dict[str, str]]] = {
    "keys": (b'{"mocks": [' + b'{"x": 1},' * (_HALF // 5) + b'{"x": 1}]}', JSON),
    "one key": (b"{" + b'"a":1,' * (_HALF // 3) + b'"a":1}', JSON),
    "other keys": (json.dumps({f"key{n}": n for n in range(_HALF // 10)}).encode(), JSON),
    "events": (
        b'{"mocks": [{"matcher": {"path": "/a"}, "sse": {"events": [' + b'{"x":1},' * (_HALF // 5) + b'{"x":1}]}}]}',
        JSON,
    ),
    "a long text": (json.dumps({"mocks": "x" * 2 * _HALF}).encode(), JSON),
    "no JSON": (b'{"mocks": ["' + b"x" * 2 * _HALF, JSON),
    "keys of YAML": (b"a: 1\n" * (_HALF // 20), YAML),
    "items of YAML": (b"mocks:\n" + b"- x: 1\n" * (_HALF // 40), YAML),
}
ALIASES = (
    b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40)),
    b"a: &a\n  b: *a\n",
    b"mocks: [" + b"&a [" * 5_000 + b"]" * 5_000 + b"]",
    b"x: &x {a: b}\nmocks:\n" + b"- {<<: [" + b"*x, " * 5_000 + b"*x]}\n",
)


def some_mocks(count: int) -> list[dict[str, Any]]:
    events = [{"data": {"place": place, "text": "some text $uuid"}} for place in range(5)]
    return [{"id": f"m{n}", "matcher": {"path": f"/m/{n}"}, "sse": {"events": events}} for n in range(count)]


@contextmanager
def restored(server: Server) -> Iterator[None]:
    """The configuration is afterwards as it was before; streams of mocks that stay the same go on."""
    _, before = ask(server.admin + "/config")
    try:
        yield
    finally:
        assert ask(server.admin + "/config?replace=true", "POST", before)[0] == 200


def refused(server: Server, path: str, body: Any, headers: dict[str, str] = JSON) -> None:
    """Send what cannot be taken, and see that it is refused in few words."""
    status, answer = ask(server.admin + path, "POST", body, headers)
    assert 400 <= status < 500, (status, answer[:500])
    assert len(answer) < 1_000_000


def expressions(server: Server) -> None:
    for text in EXPRESSIONS:
        mock = {"id": "hostile", "matcher": {"path": "/hostile"}, "sse": {"events": [{"data": text}]}}
        for path, body in (("/mocks", mock), ("/config", {"mocks": [mock]})):
            status, answer = ask(server.admin + path, "POST", body)
            assert status < 500, answer[:500]
            if status < 300:
                assert ask(server.mocks + "/hostile")[0] in (200, 500)
                assert ask(server.admin + "/mocks/hostile", "DELETE")[0] == 204


def nested(server: Server) -> None:
    for body in NESTED:
        for path in ("/mocks", "/config", "/config?dryRun=true"):
            refused(server, path, body)
            refused(server, path, body, YAML)


def floods(server: Server) -> None:
    for body, headers in FLOODS.values():
        refused(server, "/config", body, headers)


def aliases(server: Server) -> None:
    for body in ALIASES:
        refused(server, "/config", body, YAML)


def many_mocks(server: Server) -> None:
    """An import of 2,000 mocks, and all that is told of them."""
    with restored(server):
        assert ask(server.admin + "/config", "POST", some_mocks(2000))[0] == 200
        for path in ("/mocks", "/config", "/config?format=yaml", "/status"):
            assert ask(server.admin + path)[0] == 200
        for number in range(100):
            assert ask(f"{server.mocks}/n/{number}")[0] == 404


ADMIN: dict[str, Callable[[Server], None]] = {
    "expressions": expressions,
    "nested documents": nested,
    "floods of problems": floods,
    "aliases of YAML": aliases,
    "2,000 mocks": many_mocks,
}
