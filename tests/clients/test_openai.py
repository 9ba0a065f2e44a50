"""OpenAI's own Python client on the `openai-chat` template."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionUserMessageParam

from mockd.testing import RunningMockd
from tests.clients.conftest import PATIENCE_S, TOKENS, Serve, chat

pytestmark = pytest.mark.clients

ClientOf = Callable[[RunningMockd], openai.OpenAI]

SAID = "".join(TOKENS)
ASK: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "Say hello, please"}]


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_streams(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(serve(chat()))
    chunks = list(client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True))
    assert text_of(chunks) == SAID
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(TOKENS) + 1) + ["stop"]
    assert {chunk.model for chunk in chunks} == {"gpt-4.1"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


def test_does_not_stream_where_it_is_not_asked_to(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(serve(chat(model="gpt-mine")))
    completion = client.chat.completions.create(model="gpt-4.1", messages=ASK)
    assert completion.choices[0].message.content == SAID
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "gpt-mine"
    assert completion.usage
    assert completion.usage.completion_tokens == len(TOKENS)
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + len(TOKENS)


def test_usage_comes_last_where_it_is_asked_for(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(serve(chat()))
    options: Any = {"include_usage": True}
    chunks = list(client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True, stream_options=options))
    *others, last = chunks
    assert text_of(chunks) == SAID
    assert all(chunk.usage is None for chunk in others)
    assert last.choices == []
    assert last.usage
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (3, len(TOKENS))


def test_stream_helper_accumulates(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(serve(chat()))
    with client.chat.completions.stream(model="gpt-4.1", messages=ASK) as stream:
        events = list(stream)
        completion = stream.get_final_completion()
    assert [event.delta for event in events if event.type == "content.delta"] == ["", *TOKENS]
    assert [event.content for event in events if event.type == "content.done"] == [SAID]
    assert completion.choices[0].message.content == SAID
    assert completion.choices[0].finish_reason == "stop"


@pytest.mark.anyio
async def test_async_client(serve: Serve) -> None:
    mockd = serve(chat())
    async with openai.AsyncOpenAI(base_url=mockd.url + "/v1", api_key="sk-any", timeout=PATIENCE_S) as client:
        stream = await client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True)
        chunks = [chunk async for chunk in stream]
        whole = await client.chat.completions.create(model="gpt-4.1", messages=ASK)
    assert text_of(chunks) == SAID == whole.choices[0].message.content


def test_stream_without_done(serve: Serve, client_of: ClientOf) -> None:
    mockd = serve(chat(includeDone=False))
    chunks = list(client_of(mockd).chat.completions.create(model="gpt-4.1", messages=ASK, stream=True))
    assert text_of(chunks) == SAID
    assert chunks[-1].choices[0].finish_reason == "stop"
    raw = httpx2.post(mockd.url + "/v1/chat/completions", json={"stream": True}).text
    assert "[DONE]" not in raw


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_finish_reason(serve: Serve, client_of: ClientOf, reason: str, stream: bool) -> None:
    client = client_of(serve(chat(finishReason=reason)))
    if stream:
        *_, last = client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True)
        assert last.choices[0].finish_reason == reason
    else:
        whole = client.chat.completions.create(model="gpt-4.1", messages=ASK)
        assert whole.choices[0].finish_reason == reason


def test_stream_helper_says_that_the_answer_was_cut(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(serve(chat(finishReason="length")))
    with client.chat.completions.stream(model="gpt-4.1", messages=ASK) as stream:
        list(stream)
        with pytest.raises(openai.LengthFinishReasonError):
            stream.get_final_completion()


def test_tokens_come_one_by_one(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(serve(chat(delayPerToken=40)))
    start = time.monotonic()
    at = [
        time.monotonic() - start
        for chunk in client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True)
        if chunk.choices[0].delta.content
    ]
    assert len(at) == len(TOKENS)
    assert all(moment >= 0.04 * number for number, moment in enumerate(at, 1))


def test_timing_applies_where_no_delay_per_token_is_given(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(serve(chat(sse={"timing": {"fixedDelay": 30}})))
    start = time.monotonic()
    assert text_of(list(client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True))) == SAID
    assert time.monotonic() - start >= 0.03 * len(TOKENS)


ERRORS = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
}


@pytest.mark.parametrize(("status", "error"), ERRORS.items())
def test_http_errors(serve: Serve, client_of: ClientOf, status: int, error: type[openai.APIStatusError]) -> None:
    body = {"error": {"message": "Not now", "type": "requests", "param": None, "code": "some_code"}}
    mock = {
        "matcher": {"method": "POST", "path": "/v1/chat/completions"},
        "response": {"status": status, "headers": {"retry-after": "1", "x-request-id": "req_1"}, "body": body},
    }
    client = client_of(serve(mock))
    with pytest.raises(error) as raised:
        client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True)
    assert raised.value.status_code == status
    assert raised.value.request_id == "req_1"
    assert raised.value.code == "some_code"
    assert "Not now" in raised.value.message


def test_a_connection_that_breaks_is_an_error(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(serve(chat(sse={"lifecycle": {"simulateDisconnect": 3}, "timing": {"fixedDelay": 20}})))
    stream = client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True)
    with pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
        list(stream)


def test_unknown_path_is_not_found(serve: Serve, client_of: ClientOf) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        client_of(serve(chat("/v2/chat/completions"))).chat.completions.create(model="gpt-4.1", messages=ASK)
    assert raised.value.body is not None


REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "usage": {"stream_options": {"include_usage": True}},
    "obfuscation": {"stream_options": {"include_obfuscation": True}},
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_every_chunk_is_strictly_what_the_client_defines(serve: Serve, request_: dict[str, Any]) -> None:
    mockd = serve(chat())
    body = {"model": "gpt-4.1", "messages": ASK, "stream": True, **request_}
    lines = httpx2.post(mockd.url + "/v1/chat/completions", json=body).text.split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    for line in lines[:-2]:
        chunk = ChatCompletionChunk.model_validate(json.loads(line.removeprefix("data: ")), strict=True)
        assert set(chunk.model_extra or {}) <= {"obfuscation"}
        for choice in chunk.choices:
            assert not choice.model_extra
            assert not choice.delta.model_extra


def test_the_whole_answer_is_strictly_what_the_client_defines(serve: Serve) -> None:
    mockd = serve(chat())
    answer = httpx2.post(mockd.url + "/v1/chat/completions", json={"model": "gpt-4.1", "messages": ASK})
    assert answer.headers["content-type"] == "application/json"
    completion = ChatCompletion.model_validate(answer.json(), strict=True)
    assert not completion.model_extra
    assert not completion.choices[0].model_extra
    assert not completion.choices[0].message.model_extra
