"""Tags in texts: where they begin and end, and which of them mention the request."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from mockd.expressions.tags import mentions_request, split_tags


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
    """No text is read again and again for each tag or quote in it: that would take years."""
    for text in ("{{ 'a' ", "{", "{{ a ", '{{ "', '{{\\"', "{{ \"a' ", '{{ "a\\" ', "{%", "{#", "{{ %} '"):
        long = text * 200_000
        assert mentions_request(long + "'request") is mentions_request(text * 20 + "'request")
        assert "".join(split_tags(long)) == long


_STRINGS = r'"[^"\\]*(?:\\.[^"\\]*)*"' + "|" + r"'[^'\\]*(?:\\.[^'\\]*)*'"


def _tag(left: str, right: str) -> str:
    other = rf"[^\"'{right}]*"
    return rf"\{{[{left}]{other}(?:(?:{_STRINGS}|{right}(?!\}})){other})*{right}\}}"


_PIECES = st.sampled_from(["{", "}", "%", "#", '"', "'", "\\", "request", " ", "-", "a"])


@given(text=st.lists(_PIECES, max_size=40).map("".join))
@example(text='{{ \'p{{ "request" {{ request \' " ')
@example(text='{{ \'p{{ "q" }} \' " ')
def test_tags_are_found_as_by_patterns_that_try_everything(text: str) -> None:
    mention = rf"\{{[{{%](?:{_STRINGS}|(?!\{{[{{%]|[%}}]\}})[^\"'])*?(?<![\w.$])(?<!\w-)request(?!-?\w)"
    assert mentions_request(text) is (re.search(mention, text, re.DOTALL) is not None)
    tag = rf"({_tag('{', '}')}|{_tag('%', '%')}|\{{#.*?#\}})"
    assert split_tags(text) == re.split(tag, text, flags=re.DOTALL)
