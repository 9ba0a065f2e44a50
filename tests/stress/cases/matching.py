"""Matchers, and requests of the same characters."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.stress.asking import ask
from tests.stress.cases.rounds import Round, examples, texts_of
from tests.stress.server import Server

_PATH = texts_of("/", "{a}", "{b}", "{c}", "*", "a", "-", "z", "%", ".", "é", most=10)
_PATTERN = texts_of(
    "(a+)+", "(a|aa)*", ".*", "b", "$", "^", "[^a]", r"\w+", "(?=a)", r"\1", "(a)", "{1,99}", "?", "|", "(?i)", r"\Z"
)
_JSON_PATH = texts_of(
    "$", "..", ".a", "*", "[0]", "[?@.a]", "[?match(@.a, '(a+)+$')]", "[1:9]", "['a']", "[?count($..*)>1]"
)
_MATCHERS = st.one_of(
    st.fixed_dictionaries({"path": _PATH.map("/{}".format)}),
    st.fixed_dictionaries({"pathPattern": _PATTERN}),
    st.fixed_dictionaries({"bodyPattern": _PATTERN}),
    st.fixed_dictionaries({"bodyJsonPath": st.dictionaries(_JSON_PATH.map("${}".format), st.just("a"), min_size=1)}),
    st.fixed_dictionaries({"headers": st.fixed_dictionaries({"x-a": _PATH})}),
    st.fixed_dictionaries({"queryParams": st.fixed_dictionaries({"q": st.builds(dict, pattern=_PATTERN)})}),
)
_ASKED = texts_of("a" * 5000, "-" * 5000, "a-" * 500, "b", "z", "!", "é")


def check(server: Server, example: tuple[dict[str, Any], str]) -> None:
    """A matcher is refused, or any request is answered as it says, or not at all."""
    matcher, asked = example
    mock = {"id": "hostile", "matcher": matcher, "response": {"body": "x"}}
    status, answer = ask(server.admin + "/mocks", "POST", mock)
    assert status in (201, 400), answer
    if status == 201:
        path = f"/{quote(asked, safe='')[:40_000]}"
        for body in (asked.encode(), {"a": [{"a": asked}] * 3}):
            status, answer = ask(
                f"{server.mocks}{path}?q={asked[:20_000].encode('ascii', 'ignore').decode()}", "POST", body
            )
            assert status < 500 or b"Traceback" not in answer, answer
        assert ask(server.admin + "/mocks/hostile", "DELETE")[0] == 204


MATCHING: dict[str, Round] = {"matchers": examples(st.tuples(_MATCHERS, _ASKED), check)}
