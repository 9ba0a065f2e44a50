"""What a mock's headers decide, and what becomes of the others."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.config.headers import OmittedHeader
from mockd.errors import ConfigError
from mockd.headers import FixedHeaders, HeaderRules, Headers

USUAL: Headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache"), (b"vary", b"Origin")]
SAID = "{{ request.body }}"
OMIT = OmittedHeader(omit=True)


def rules_of(**headers: Any) -> HeaderRules:
    return HeaderRules({name.replace("_", "-"): value for name, value in headers.items()}, ("sse", "headers"))


def test_without_rules_headers_stay_as_they_are() -> None:
    rules = rules_of()
    assert rules.over(USUAL, {}) is USUAL
    assert (rules.names, rules.omitted, rules.fixed, rules.following, rules.expressions) == (set(), set(), [], {}, [])


def test_they_win_over_all_others() -> None:
    rules = rules_of(Cache_Control="max-age=1", X_A="é", Vary=OMIT, Set_Cookie=["a", "b"], X_B=["c", SAID, "d"])
    assert rules.names == {b"cache-control", b"x-a", b"vary", b"set-cookie", b"x-b"}
    assert rules.omitted == {b"vary"}
    assert rules.fixed == [
        (b"cache-control", b"max-age=1"),
        (b"x-a", b"\xe9"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
    ]
    assert [expression.source for expression in rules.expressions] == [SAID]
    assert rules.over(USUAL, {SAID: " x\r\ny €\n"}) == [
        (b"content-type", b"text/event-stream"),
        *rules.fixed,
        (b"x-b", b"c"),
        (b"x-b", "x y €".encode()),
        (b"x-b", b"d"),
    ]


def test_what_never_changes_is_ready() -> None:
    fixed = FixedHeaders(USUAL, rules_of(Cache_Control=SAID, Vary=OMIT, X_A=["b", "c"]))
    assert fixed == [(b"content-type", b"text/event-stream"), (b"x-a", b"b"), (b"x-a", b"c")]
    assert fixed.raw == b"content-type: text/event-stream\r\nx-a: b\r\nx-a: c\r\n"
    assert fixed.settled == {b"content-type", b"cache-control", b"vary", b"x-a"}


@pytest.mark.parametrize("name", ["Connection", "content-length"])
def test_what_the_server_goes_by_cannot_follow_the_request(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot follow the request") as refused:
        HeaderRules({name: ["1", SAID]}, ("sse", "headers"))
    assert refused.value.problems[0].path == ("sse", "headers", name, 1)


def test_an_expression_that_can_never_be_rendered_has_its_place() -> None:
    with pytest.raises(ConfigError) as refused:
        rules_of(X_A=["b", "{{ request"])
    assert refused.value.problems[0].path == ("sse", "headers", "X-A", 1)
