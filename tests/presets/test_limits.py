"""`--rpm` and `--tpm`: what each client may use in a minute, on a manual clock."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from mockd import AdminClient
from mockd.presets import configured
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.presets.asking import ASKED, CHAT, PATHS, SAID, asked
from tests.stream.harness import Exchange, Lab

pytestmark = pytest.mark.anyio

OPENAI = "/openai/v1/chat/completions"
REPEATED = 2 * len(SAID.split())
"""Tokens of a request and of the reply that repeats it."""


class Limited(Lab):
    """The preset on a manual clock."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(preset="llm", **settings)
        self.engine.load(configured(self.engine.settings))

    async def post(self, path: str = OPENAI, body: Any = CHAT, *, method: str = "POST", **headers: str) -> Exchange:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        found = await self.open(path, method=method, body=json.dumps(body).encode(), headers=named)
        await self.clock.advance(0)
        return found


def left(answer: Exchange, kind: str = "requests") -> tuple[str, str, str]:
    return tuple(answer.headers[f"x-ratelimit-{what}-{kind}"] for what in ("limit", "remaining", "reset"))  # type: ignore[return-value]


# -- requests ----------------------------------------------------------------------------------------------------------


async def test_what_is_left_and_when_it_is_whole_again() -> None:
    lab = Limited(rpm=3)
    answers = [await lab.post() for _ in range(3)]
    assert [left(answer) for answer in answers] == [("3", "2", "20s"), ("3", "1", "40s"), ("3", "0", "1m0s")]
    refused = await lab.post()
    assert (refused.status, left(refused)) == (429, ("3", "0", "1m0s"))
    assert (refused.headers["retry-after"], refused.headers["retry-after-ms"]) == ("20", "20000")
    error = refused.json["error"]
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert error["message"].startswith(
        "Rate limit reached for m in organization org-mockd on requests per min (RPM): Limit 3, Used 3, Requested 1. "
        "Please try again in 20s."
    )


@pytest.mark.parametrize("rpm", [3, 7, 600, 10_000])
async def test_a_client_that_waits_as_long_as_it_is_told_is_answered(rpm: int) -> None:
    lab = Limited(rpm=rpm)
    for _ in range(rpm):
        answer = await lab.post()
        assert answer.status == 200
    refused = await lab.post()
    wait_ms = int(refused.headers["retry-after-ms"])
    await lab.clock.advance(wait_ms / 1000 - 0.002)
    early = await lab.post()
    assert (refused.status, early.status) == (429, 429)
    await lab.clock.advance(0.002)
    answers = [await lab.post() for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]


async def test_what_is_refused_uses_nothing() -> None:
    lab = Limited(rpm=1)
    answers = [await lab.post() for _ in range(5)]
    assert [answer.headers.get("retry-after") for answer in answers] == [None, "60", "60", "60", "60"]


async def test_a_minute_of_rest_brings_all_of_it_back_and_no_more() -> None:
    lab = Limited(rpm=2)
    await lab.post()
    await lab.clock.advance(3600)
    answers = [await lab.post() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]


async def test_each_client_and_each_provider_has_its_own() -> None:
    lab = Limited(rpm=1)
    for headers in ({}, {"authorization": "Bearer a"}, {"authorization": "Bearer b"}):
        answers = [await lab.post(**headers) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 429]
    other = await lab.post("/mistral/v1/chat/completions", authorization="Bearer a")
    assert other.status == 200
    responses = await lab.post("/v1/responses", ASKED["openai-responses"], authorization="Bearer a")
    assert responses.status == 429


async def test_parallel_tests_do_not_use_each_others() -> None:
    lab = Limited(rpm=1)
    answers = [await lab.post(x_mockd_key=key) for key in ("a", "b", "a")]
    assert [answer.status for answer in answers] == [200, 200, 429]


async def test_only_what_asks_a_model_for_something_counts() -> None:
    lab = Limited(rpm=1)
    for method, path in (("GET", "/v1/models"), ("GET", "/v1/models/m"), ("GET", "/health"), ("HEAD", "/v1/models")):
        answer = await lab.post(path, method=method)
        assert (answer.status, left(answer)) == (200, ("1", "1", "0ms"))
    await lab.post()
    models = await lab.post("/v1/models", method="GET")
    assert (models.status, left(models)) == (200, ("1", "0", "1m0s"))


async def test_a_name_in_a_path_is_still_that_of_the_model() -> None:
    lab = Limited(rpm=1)
    assert (await lab.post("/v1/models/mine", method="GET")).json["id"] == "mine"


async def test_a_bad_request_counts_too() -> None:
    lab = Limited(rpm=2)
    answer = await lab.post(body={"model": "m"})
    assert (answer.status, left(answer)[1]) == (400, "1")


# -- tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", [name for name in ASKED if name in PATHS])
@pytest.mark.parametrize("stream", [False, True])
async def test_tokens_of_request_and_reply_are_used(template: str, stream: bool) -> None:
    lab = Limited(tpm=REPEATED + 4)
    path = PATHS[template].format(model="m")
    answers = [await lab.post(path, asked(template, stream=stream)) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]  # the second one uses up more than there is
    refused = await lab.post(path, asked(template, stream=stream))
    assert refused.status == 429
    # What is missing are the words of the request and what the last reply took beyond the limit.
    assert refused.headers["retry-after"] == "40"


async def test_a_stream_uses_what_a_whole_answer_uses() -> None:
    for more in ({}, {"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}, {"n": 1}):
        lab = Limited(tpm=100)
        answer = await lab.post(body={**CHAT, **more})
        assert left(answer, "tokens") == ("100", str(100 - REPEATED), "4.8s")


async def test_a_request_that_no_waiting_helps_is_told_so() -> None:
    lab = Limited(tpm=3)
    refused = await lab.post()
    assert refused.status == 429
    assert not {"retry-after", "retry-after-ms"} & refused.headers.keys()
    error = refused.json["error"]
    assert (error["type"], error["code"]) == ("tokens", "rate_limit_exceeded")
    assert "Request too large for m" in error["message"]
    assert "Limit 3, Requested 4." in error["message"]


async def test_the_longer_of_two_waits_is_told() -> None:
    lab = Limited(rpm=2, tpm=8)
    await lab.post()
    refused = await lab.post()
    assert (refused.status, refused.headers["retry-after"]) == (429, "30")
    assert refused.json["error"]["type"] == "tokens"
    assert (left(refused), left(refused, "tokens")) == (("2", "1", "30s"), ("8", "0", "1m0s"))


async def test_embeddings_use_the_tokens_of_their_texts() -> None:
    lab = Limited(tpm=100)
    answer = await lab.post("/v1/embeddings", {"model": "m", "input": ["one two", "three"]})
    assert left(answer, "tokens")[1] == "97"
    answer = await lab.post("/gemini/v1beta/models/m:embedContent", {"content": {"parts": [{"text": "one two"}]}})
    assert answer.status == 200


# -- every provider ----------------------------------------------------------------------------------------------------


async def test_anthropic_says_when_in_its_own_headers() -> None:
    lab = Limited(rpm=1, tpm=60)
    body = {**CHAT, "max_tokens": 9}
    for _ in range(2):
        answer = await lab.post("/v1/messages", body, x_api_key="a")
        found = {
            name.removeprefix("anthropic-ratelimit-"): value
            for name, value in answer.headers.items()
            if name.startswith("anthropic-ratelimit-")
        }
        tokens = {"limit": "60", "remaining": "52", "reset": "2024-01-15T10:00:08Z"}
        assert found == {
            "requests-limit": "1",
            "requests-remaining": "0",
            "requests-reset": "2024-01-15T10:01:00Z",
            **{
                f"{kind}-{name}": value
                for kind in ("tokens", "input-tokens", "output-tokens")
                for name, value in tokens.items()
            },
        }
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert answer.json["error"]["type"] == "rate_limit_error"
    assert "rate limit of 1 requests per minute" in answer.json["error"]["message"]


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "azure-openai": ({"x-ratelimit-remaining-requests": "0", "retry-after-ms": "60000"}, "retry after 60 seconds"),
    "gemini": ({"retry-after": "60"}, "Please retry in 60s."),
    "mistral-chat": (
        {"x-ratelimit-limit-req-minute": "1", "x-ratelimit-remaining-req-minute": "0"},
        "Rate limit exceeded",
    ),
    "cohere-chat": ({"x-trial-endpoint-call-limit": "1", "x-trial-endpoint-call-remaining": "0"}, "wait 60 seconds"),
    "ollama-chat": ({"retry-after": "60"}, "rate limit exceeded"),
    "ag-ui": ({"retry-after": "60"}, "Rate limit exceeded"),
}


@pytest.mark.parametrize("template", REFUSED)
async def test_the_words_and_headers_of_other_providers(template: str) -> None:
    lab = Limited(rpm=1)
    path = PATHS[template].format(model="m")
    if template == "mistral-chat":
        path = "/mistral/v1/chat/completions"
    first = await lab.post(path, ASKED[template])
    refused = await lab.post(path, ASKED[template])
    headers, words = REFUSED[template]
    assert (first.status, refused.status) == (200, 429)
    assert headers.items() <= refused.headers.items()
    assert words in refused.text
    for name in headers:
        assert ("remaining" in name or "limit" in name) <= (name in first.headers)


async def test_geminis_details_say_when() -> None:
    lab = Limited(rpm=1)
    answers = [await lab.post(PATHS["gemini"].format(model="m"), ASKED["gemini"]) for _ in range(2)]
    [details] = answers[1].json["error"]["details"]
    assert details["retryDelay"] == "60s"


async def test_without_limits_headers_are_as_ever() -> None:
    lab = Limited(require_key=("a",))
    answers = [await lab.post(authorization="Bearer a") for _ in range(5)]
    assert {left(answer) for answer in answers} == {("10000", "9999", "6ms")}


async def test_of_one_limit_the_other_is_as_ever() -> None:
    lab = Limited(rpm=1)
    answers = [await lab.post() for _ in range(2)]
    assert {left(answer, "tokens") for answer in answers} == {("2000000", "1999900", "3ms")}


# -- forgotten ---------------------------------------------------------------------------------------------------------


async def test_a_reset_forgets_what_was_used() -> None:
    with running_mockd(settings=Settings(preset="llm", rpm=1)) as mockd, AdminClient(mockd.admin_url) as admin:
        said = [httpx2.post(mockd.url + OPENAI, json=CHAT).status_code for _ in range(2)]
        assert admin.reset()["stored"] == 1
        said += [httpx2.post(mockd.url + OPENAI, json=CHAT).status_code for _ in range(2)]
    assert said == [200, 429, 200, 429]


async def test_what_is_remembered_is_bounded_and_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.keys.registry.MOST_ACCOUNTS", 3)
    lab = Limited(rpm=2, max_stored=1)
    for client in ("a", "b", "c", "a", "d"):
        await lab.post("/v1/responses", ASKED["openai-responses"], authorization=f"Bearer {client}")
    answers = [await lab.post(authorization=f"Bearer {client}") for client in ("a", "b")]
    assert [answer.status for answer in answers] == [429, 200]
    assert len(lab.engine.keys.kept) == 4  # three clients and a stored response


@pytest.mark.parametrize("settings", [{"context_window": 9}, {"tpm": 9}])
async def test_what_is_nested_too_deeply_to_be_counted_is_refused(settings: dict[str, int]) -> None:
    nested: Any = "x"
    for _ in range(200):
        nested = [{"content": nested}]
    answer = await Limited(**settings).post(body={"model": "m", "messages": [{"role": "user", "content": nested}]})
    assert answer.status == 400
    assert answer.json["error"]["message"] == "The request is nested too deeply."
