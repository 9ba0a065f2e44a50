"""Mocks that answer every request with the same bytes have their program ready."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.config.load import parse_mock
from mockd.events import Event
from mockd.program.compile import compile_response
from mockd.source import Answer, BaseSource, SourceContext
from mockd.sources import build_source
from mockd.streaming.pipeline import constant
from mockd.streaming.program import Program


def program_of(**response: Any) -> Program | None:
    mock = parse_mock({"matcher": {"path": "/"}, "response": response}, root=None).mock
    assert mock.response is not None
    return constant(compile_response("m", mock.response, build_source(mock.response, None), None))


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


class Saying(BaseSource):
    """A plug-in's source that gives every request the same answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def open(self, context: SourceContext) -> Answer:
        return self.answer


def program_saying(answer: Answer, **response: Any) -> Program | None:
    mock = parse_mock({"matcher": {"path": "/"}, "response": response}, root=None).mock
    assert mock.response is not None
    return constant(compile_response("m", mock.response, Saying(answer), None))


def test_the_delay_of_the_mock_and_that_of_the_answer_add_up() -> None:
    program = program_saying(Answer(body=b"x", delay_s=0.5), delay=20)
    assert program is not None
    assert program.delay_s == 0.52


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"x", delay_s=lambda rng: rng.random()),
        Answer(body=b"x", tokens=3),
        Answer(events=iter([Event("x")])),
    ],
    ids=["drawn delay", "as long as a stream", "stream"],
)
def test_an_answer_that_is_not_ready_though_its_source_always_gives_it(answer: Answer) -> None:
    assert program_saying(answer) is None
