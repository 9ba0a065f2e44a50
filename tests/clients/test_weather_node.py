"""Vendors' clients for Node on a provider that fails: each throws the error that the real service's answer would, and
tries again when it would."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.testing import running_mockd
from tests.clients.node_sdk import Outcomes, make_calls
from tests.clients.node_ways import WAYS, Way
from tests.clients.replies import BROKEN, TOKENS
from tests.clients.weather import ERROR_FORMS, PLACES, STATUSES, failing, mocks_of

pytestmark = pytest.mark.clients(group="node")

STREAMING = [way for way in WAYS if "breaks" in way.given]
IN_STREAM = ("first", "middle", "last")
NO_STREAM = ("json", "html")
RETRIED = {"429", "500", "503", "529"}
OK = "no error"


def _each(places: tuple[str, ...], outcome: str) -> dict[str, str]:
    return dict.fromkeys(places, outcome)


_BY_STATUS = {
    **{"400": "BadRequestError", "401": "AuthenticationError", "429": "RateLimitError"},
    **_each(("500", "503", "529"), "InternalServerError"),
}
_OPENAI = {**_BY_STATUS, **_each((*IN_STREAM, "chunk", "event"), "APIError"), **_each(NO_STREAM, OK)}
_OPENAI_HELPER = {**_OPENAI, **_each(NO_STREAM, "OpenAIError")}
_ANTHROPIC = {
    **_OPENAI,
    **{"503": "ServiceUnavailableError", "529": "OverloadedError"},
}
_AI = {
    **_each(("400", "401"), "APICallError"),
    **_each(tuple(RETRIED), "RetryError"),
    **_each(NO_STREAM, OK),
}
"""Of `ai`, whose providers make the first event of a stream part of the call, some of them so that it is made again."""
_AI_OPENAI = {
    **_AI,
    "first": "RetryError",
    **_each(("middle", "last", "event", "flat", "failed"), "Object"),
    "chunk": OK,
}
_OLLAMA = {**_each(tuple(map(str, STATUSES)), "ResponseError"), **_each((*IN_STREAM, *NO_STREAM), "Error")}

THROWN: dict[str, dict[str, str]] = {
    "openai-chatStream": _OPENAI,
    "openai-chatHelper": _OPENAI_HELPER,
    "openai-azureStream": _OPENAI,
    "openai-azureHelper": _OPENAI_HELPER,
    # The function of ours throws an `Error` for the events, of which the client itself says nothing.
    "openai-responsesStream": {**_OPENAI, "flat": "Error", "failed": "Error"},
    # The helper has a response without usage at its end.
    "openai-responsesHelper": {**_OPENAI_HELPER, "flat": "Object", "failed": "TypeError"},
    "anthropic-stream": _ANTHROPIC,
    "anthropic-helper": {**_ANTHROPIC, **_each(NO_STREAM, "AnthropicError")},
    "ai-openaiChatStream": _AI_OPENAI,
    # It does not accept a stream without a reason to finish.
    "ai-openaiCompatibleStream": {
        **_AI_OPENAI,
        **_each(("first", "chunk"), "Object"),
        **_each(NO_STREAM, "InvalidResponseDataError"),
    },
    "ai-openaiResponsesStream": _AI_OPENAI,
    "ai-anthropicStream": {
        **_AI,
        **{"first": "APICallError", "middle": "Object", "last": "Object"},
        **_each(NO_STREAM, "NoOutputGeneratedError"),
    },
    "ai-googleStream": {**_AI, **_each(IN_STREAM, OK)},
    "ai-mistralStream": {**_AI, **_each(IN_STREAM, "_TypeValidationError")},
    "ai-cohereStream": {**_AI, **_each(IN_STREAM, OK)},
    "vercel_ui-chat": {**_each(PLACES, "Error"), **_each(NO_STREAM, "TypeError")},
    "ag_ui-run": {**_each(PLACES, "Error"), **_each(NO_STREAM, OK)},
    "google-stream": {**_each(PLACES, "ApiError"), **_each(NO_STREAM, "Error")},
    "ollama-chatStream": {**_OLLAMA, "json": "TypeError"},
    "ollama-generateStream": _OLLAMA,
}
"""What each way throws, by where the provider fails."""


def calls_of(url: str, way: Way, mocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": mock["id"], "name": way.call, "url": f"{url}/{mock['id']}", "attempts": 1} for mock in mocks]


@pytest.fixture(scope="module")
def outcomes(node_clients: None) -> dict[str, Outcomes]:
    """How the calls of each SDK ended, one for each way and place."""
    found = {}
    for sdk in {way.sdk for way in STREAMING}:
        mocks = [(way, list(mocks_of(way.template, way.call))) for way in STREAMING if way.sdk == sdk]
        with running_mockd(*(mock for _, made in mocks for mock in made)) as mockd:
            calls = [call for way, made in mocks for call in calls_of(mockd.url, way, made)]
            found[sdk] = make_calls(sdk, calls)
    return found


@pytest.mark.parametrize("way", STREAMING, ids=str)
def test_it_throws_what_the_real_service_makes_it_throw(way: Way, outcomes: dict[str, Outcomes]) -> None:
    found = outcomes[way.sdk]
    for place in (*PLACES, *ERROR_FORMS.get(way.template, ())):
        thrown = THROWN[str(way)][place]
        name = f"{way.call}.{place}"
        if thrown == OK:
            found.reply(name)
            continue
        error = found.error(name)
        is_in_stream = place not in (*NO_STREAM, *map(str, STATUSES))
        # A client that is slow to read may see something else in an error behind an event.
        if is_in_stream and BROKEN not in error["stack"] and thrown != "TypeError":
            assert any(words in error["stack"] for words in way.raised), place
        else:
            assert error["name"] == thrown, place


@pytest.mark.parametrize("way", STREAMING, ids=str)
def test_it_tries_again_when_it_would(way: Way, outcomes: dict[str, Outcomes]) -> None:
    for place in PLACES:
        is_retried = way.retries and (place in RETRIED or THROWN[str(way)][place] == "RetryError")
        assert len(outcomes[way.sdk].statuses[f"{way.call}.{place}"]) == 1 + is_retried, place


def test_an_overload_is_tried_again_only_as_the_first_event(node_clients: None) -> None:
    """As AI SDK does it for Anthropic, whose errors in a stream come behind a status of 200."""
    way = next(way for way in WAYS if str(way) == "ai-anthropicStream")
    said = 'error type=overloaded_error message="Overloaded" after {} events for requests 1'
    mocks = [failing(way.template, f"after{events}", [said.format(events)]) for events in (0, 1)]
    with running_mockd(*mocks) as mockd:
        found = make_calls(way.sdk, calls_of(mockd.url, way, mocks))
    assert found.reply("after0")["text"] == "".join(TOKENS)
    assert found.statuses["after0"] == [200, 200]
    assert "overloaded_error" in found.error("after1")["stack"]
    assert found.statuses["after1"] == [200]
