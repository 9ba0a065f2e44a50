"""The key of a request: where it is, what it may be, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.keys.reading import LONGEST_KEY, KeyRules, check_key
from mockd.request import RequestView
from mockd.settings import Settings
from tests.stream.harness import Lab

MOCK = {"matcher": {"path": "/m"}, "response": {"body": "{{ request.base }}"}}
BAD = ["", "a b", "ä", "a,b", "!", "a\n", "~", "a" * (LONGEST_KEY + 1), "a%"]


def read(path: str, *headers: tuple[str, str], root: str = "", **settings: Any) -> RequestView:
    scope = {
        "type": "http",
        "method": "GET",
        "path": root + path,
        "root_path": root,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    request = RequestView(scope)
    rules = KeyRules.of(Settings(**settings))
    if path.startswith(rules.beginnings) or rules.header in request.raw_headers:
        rules.read(request)
    return request


HEADER = ("x-mockd-key", "k")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (read("/m"), ("", "/m", "")),
        (read("/~k/m"), ("k", "/m", "/~k")),
        (read("/~k"), ("k", "/", "/~k")),
        (read("/~k/"), ("k", "/", "/~k")),
        (read("/~k/~l/m"), ("k", "/~l/m", "/~k")),
        (read("/~k//m"), ("k", "//m", "/~k")),
        (read("/m/~k"), ("", "/m/~k", "")),
        (read("/m", HEADER), ("k", "/m", "/~k")),
        (read("/~k/m", HEADER), ("k", "/m", "/~k")),
        (read("/~k/m", root="/api"), ("k", "/m", "/~k")),
        (read("/m", ("other", "k"), key_header="Other"), ("k", "/m", "/~k")),
        (read("/m", HEADER, key_header="Other"), ("", "/m", "")),
        (read("/m", HEADER, key_header=""), ("", "/m", "")),
        (read("/~k/m", key_header=""), ("k", "/m", "/~k")),
        (read("/~k/m", key_path=False), ("", "/~k/m", "")),
        (read("/~l/m", HEADER, key_path=False), ("k", "/~l/m", "")),
        (read("/~k/m", key_required=True), ("k", "/m", "/~k")),
        (read("/m", HEADER, key_required=True), ("k", "/m", "/~k")),
        (read("/m", key_header="", key_path=False), ("", "/m", "")),
    ],
)
def test_where_the_key_is(request_: RequestView, expected: tuple[str, str, str]) -> None:
    assert (request_.key, request_.path, request_.key_path) == expected
    assert request_.key_error is None


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        *[(read(f"/~{key}/m"), "1 to 100 of") for key in BAD],
        *[(read("/m", ("x-mockd-key", key)), "1 to 100 of") for key in BAD],
        (read("/~l/m", HEADER), "the header has the key 'k', and the path has 'l'"),
        (read("/m", HEADER, HEADER), "2 times"),
        (read("/~k/m", HEADER, HEADER), "2 times"),
        (read("/m", key_required=True), "the header X-Mockd-Key or the path, as in /~KEY/path; a key is 1 to"),
        (read("/m", key_required=True, key_path=False), "here: the header X-Mockd-Key; a key"),
        (read("/m", key_required=True, key_header=""), "here: the path, as in"),
    ],
)
def test_what_is_no_key(request_: RequestView, said: str) -> None:
    assert request_.key_error is not None
    assert said in request_.key_error.message
    assert len(request_.key_error.message) < 500
    assert (request_.key, request_.key_path) == ("", "")


@pytest.mark.parametrize("key", ["a", "A-z_0.9", "0" * LONGEST_KEY, ".", ".."])
def test_what_is_a_key(key: str) -> None:
    check_key(key)
    assert read(f"/~{key}/m").key == key


@pytest.mark.parametrize("name", ["a b", "ä", "a:", "\n"])
def test_a_header_has_the_name_of_one(name: str) -> None:
    with pytest.raises(ConfigError, match="--key-header"):
        Settings(key_header=name)


def test_a_key_that_cannot_be_given_is_not_required() -> None:
    with pytest.raises(ConfigError, match="--key-required"):
        Settings(key_header="", key_path=False, key_required=True)


@pytest.mark.anyio
@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_refusal_is_an_exchange_like_any_other(in_memory: bool, method: str) -> None:
    lab, seen = Lab(in_memory=in_memory, key_required=True), []
    lab.engine.connections.observers.append(seen.append)
    lab.engine.create(MOCK)
    body = b"x" if method == "POST" else b""
    for path, headers in (("/~!/m", {}), ("/m", {}), ("/~a/m", {"X-Mockd-Key": "b"})):
        answer = await lab.open(path, method=method, headers={"Origin": "https://a.test", **headers}, body=body)
        assert answer.status == 400
        assert answer.headers["access-control-allow-origin"] == "https://a.test"
        if method != "HEAD":
            assert json.loads(answer.text)["error"]["code"] == "invalid_key"
    assert [(one.http_status, one.key, one.path, one.outcome) for one in seen] == [
        (400, "", "/~!/m", "completed"),
        (400, "", "/m", "completed"),
        (400, "", "/~a/m", "completed"),
    ]
    assert (await lab.open("/~a/m", method=method)).status == 200
    assert not lab.engine.keys._busy


@pytest.mark.anyio
async def test_the_base_has_the_key_if_a_path_can() -> None:
    for settings, base in (({}, "http://h/~k"), ({"key_path": False}, "http://h")):
        lab = Lab(**settings)  # type: ignore[arg-type]
        lab.engine.create(MOCK)
        assert (await lab.open("/m", headers={"X-Mockd-Key": "k", "Host": "h"})).text == base
        assert (await lab.open("/m", headers={"Host": "h"})).text == "http://h"
