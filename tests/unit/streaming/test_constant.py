"""Mocks that answer every request with the same bytes have their program ready."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.config.load import parse_mock
from mockd.program.compile import compile_response
from mockd.program.terms import Seeding
from mockd.sources import build_source
from mockd.streaming.pipeline import constant
from mockd.streaming.program import Program


def program_of(**response: Any) -> Program | None:
    mock = parse_mock({"matcher": {"path": "/"}, "response": response}, root=None).mock
    assert mock.response is not None
    return constant(compile_response("m", mock.response, build_source(mock, None), Seeding()))


@pytest.mark.parametrize(
    "response",
    [
        {"body": "text"},
        {"body": {"a": [1, None]}, "status": 500, "headers": {"X-A": ["1", "2"]}},
        {"body": "late", "delay": 20},
        {},
    ],
    ids=str,
)
def test_what_is_the_same_for_every_request(response: dict[str, Any]) -> None:
    program = program_of(**response)
    assert program is not None
    assert program.status == response.get("status", 200)
    assert program.delay_s == response.get("delay", 0) / 1000
    first, second = (program.opened(None, 0.0) for _ in range(2))  # type: ignore[arg-type]
    assert first is not second
    assert first.take(0.0) == second.take(0.0)


@pytest.mark.parametrize(
    "response",
    [
        {"body": "$uuid"},
        {"body": {"a": "{{ request.path }}"}},
        {"body": "x", "headers": {"X-A": "{{ request.path }}"}},
        {"body": "x", "delay": {"dist": "uniform", "max": 5}},
        {"body": "", "status": 204},
        {"template": "openai-embeddings"},
    ],
    ids=str,
)
def test_what_is_not(response: dict[str, Any]) -> None:
    assert program_of(**response) is None
