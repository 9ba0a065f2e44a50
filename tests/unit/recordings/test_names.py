"""Names of recordings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.recordings.names import LONGEST, name_of, next_number


@pytest.mark.parametrize(
    ("number", "method", "path", "name"),
    [
        (7, "POST", "/v1/chat/completions", "007-post-v1-chat-completions.stream.jsonl"),
        (1234, "GET", "/", "1234-get.stream.jsonl"),
        (1, "GET", "/../../etc/passwd%2f..%00", "001-get-etc-passwd.stream.jsonl"),
        (1, "GET", "/%C3%A9/a b", "001-get-a-b.stream.jsonl"),
    ],
)
def test_a_name_says_number_method_and_path(number: int, method: str, path: str, name: str) -> None:
    assert name_of(number, method, path) == name


@given(st.integers(1, 10**6), st.text(), st.text())
def test_every_name_is_safe_and_short(number: int, method: str, path: str) -> None:
    name = name_of(number, method, path)
    assert len(name.encode()) <= LONGEST
    assert not set(name) & set("/\\\0: ")
    assert next_number([name]) == number + 1


def test_numbers_go_on_behind_those_of_the_folder() -> None:
    assert next_number([]) == 1
    assert next_number(["007-get.stream.jsonl", "012-x.json", "1000-post-a.stream.jsonl", "README.md"]) == 1001
