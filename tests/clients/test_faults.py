"""OpenAI's own client in bad weather: its retries, and what it makes of streams that break."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from mockd.testing import RunningMockd
from tests.clients.conftest import PATIENCE_S, TOKENS, Serve, chat

pytestmark = pytest.mark.clients

ASK: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "Say hello, please"}]


def mock(*faults: str) -> dict[str, Any]:
    return {"id": "chat", **chat(), "faults": list(faults)}


def read(mockd: RunningMockd, retries: int = 0) -> list[str]:
    """What comes of a streamed reply, up to its end or an error, whose name is the last."""
    seen: list[str] = []
    with openai.OpenAI(base_url=mockd.url + "/v1", api_key="sk-any", max_retries=retries, timeout=PATIENCE_S) as client:
        try:
            for chunk in client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True):
                seen += [choice.delta.content for choice in chunk.choices if choice.delta.content]
        except openai.APIError as error:
            seen.append(type(error).__name__)
    return seen


def test_it_comes_back_until_it_is_answered(serve: Serve) -> None:
    mockd = serve(mock('status 429 retryAfter="20ms" for requests 1', 'status 500 retryAfter="20ms" for requests 2'))
    assert read(mockd, retries=2) == list(TOKENS)
    statuses = [exchange.http_status for exchange in mockd.engine.connections.listed("ended")]
    assert statuses == [429, 500, 200]


def test_without_retries_it_says_which_error_it_was(serve: Serve) -> None:
    mockd = serve(mock("status 429 for requests 1", "status 400 for requests 2", "status 529 for requests 3"))
    assert [read(mockd) for _ in range(3)] == [["RateLimitError"], ["BadRequestError"], ["InternalServerError"]]


@pytest.mark.parametrize("action", ["reset", "close"])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_it_has_what_came_before_a_break(serve: Serve, action: str, place: int) -> None:
    # The first event says the role alone.
    *said, error = read(serve(mock(f"{action} after {place + 1} events")))
    assert said == list(TOKENS[:place])
    assert error == "APIConnectionError"


def test_an_answer_that_never_comes_is_asked_for_again(serve: Serve) -> None:
    mockd = serve(mock("empty for requests 1", "reset before head for requests 2", "garbage for requests 3"))
    assert read(mockd, retries=3) == list(TOKENS)


def test_an_error_in_the_stream(serve: Serve) -> None:
    assert read(serve(mock("error type=server_error message=Overloaded after 2 events"))) == [TOKENS[0], "APIError"]


def test_an_early_end_looks_whole(serve: Serve) -> None:
    """As it does to all clients that do not look for the finish reason."""
    assert read(serve(mock("end after 3 events"))) == list(TOKENS[:2])


def test_events_it_does_not_know_are_passed_over(serve: Serve) -> None:
    mockd = serve(mock('insert raw=": a comment\\n\\n" after 2 events', "duplicate after 3 events"))
    assert read(mockd) == [*TOKENS[:2], TOKENS[2], *TOKENS[2:]]
