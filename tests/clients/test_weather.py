"""Vendors' clients for Python on a provider that fails: each raises the error that the real service's answer would."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.replies import BROKEN, TOKENS
from tests.clients.sdk import Saw
from tests.clients.weather import ERROR_FORMS, PLACES, SAID_BEFORE, STREAMS, mocks_of

pytestmark = pytest.mark.clients(group="providers")

CLIENTS = {template.replace("-", "_"): template for template in STREAMS if template not in {"vercel-ui", "ag-ui"}}
MADE = {name: list(mocks_of(template, name)) for name, template in CLIENTS.items()}
PLACES_OF = {name: [mock["id"] for mock in mocks] for name, mocks in MADE.items()}
MOCKS: list[dict[str, Any]] = [
    {"matcher": {"path": "/places"}, "response": {"body": PLACES_OF}},
    *(mock for mocks in MADE.values() for mock in mocks),
]

SAID = {"first": 0, "middle": SAID_BEFORE, "last": len(TOKENS), "chunk": 2, "event": 2, "flat": 2, "failed": 2}
"""Number of tokens that come before an error in the stream. Before all others nothing comes."""

_OPENAI = {
    **dict.fromkeys(("first", "middle", "last", "chunk", "event"), "APIError"),
    **dict.fromkeys(("flat", "failed"), "ResponseFailed"),
    # It takes an answer that is no stream for one without events.
    **dict.fromkeys(("json", "html"), None),
    **{"400": "BadRequestError", "401": "AuthenticationError", "429": "RateLimitError"},
    **dict.fromkeys(("500", "503", "529"), "InternalServerError"),
}
_OLLAMA = {**dict.fromkeys(PLACES, "ResponseError"), "html": "JSONDecodeError"}
ERRORS: dict[str, dict[str, str | None]] = {
    "openai_chat": _OPENAI,
    "azure_openai": _OPENAI,
    "openai_responses": _OPENAI,
    "anthropic_messages": {
        **_OPENAI,
        **dict.fromkeys(("first", "middle", "last"), "APIStatusError"),
        **{"503": "ServiceUnavailableError", "529": "OverloadedError"},
    },
    "gemini": {
        **dict.fromkeys(("400", "401", "429"), "ClientError"),
        **dict.fromkeys(("first", "middle", "last", "500", "503", "529"), "ServerError"),
        **{"json": None, "html": "UnknownApiResponseError"},
    },
    "cohere_chat": {
        **dict.fromkeys(("first", "middle", "last"), "FinishedInError"),
        **dict.fromkeys(("json", "html"), "SSEError"),
        **{"400": "BadRequestError", "401": "UnauthorizedError", "429": "TooManyRequestsError"},
        **{"500": "InternalServerError", "503": "ServiceUnavailableError", "529": "ApiError"},
    },
    "mistral_chat": {
        **dict.fromkeys(PLACES, "SDKError"),
        **dict.fromkeys(("first", "middle", "last"), "ResponseValidationError"),
    },
    "ollama_chat": {**_OLLAMA, "json": "ValidationError"},
    "ollama_generate": {**_OLLAMA, "json": None},
}
"""What each client raises, by where the provider fails. `ResponseFailed` and `FinishedInError` stand for an event that
says it, for which the client raises nothing."""


@pytest.mark.parametrize("client", CLIENTS)
def test_it_raises_what_the_real_service_makes_it_raise(client: str, saw: Saw) -> None:
    places = [*PLACES, *ERROR_FORMS.get(CLIENTS[client], ())]
    found = saw[client]
    assert {place: found[place]["error"] for place in places} == {place: ERRORS[client][place] for place in places}
    assert {place: found[place]["said"] for place in places} == {place: SAID.get(place, 0) for place in places}


@pytest.mark.parametrize("client", CLIENTS)
def test_it_has_the_words_of_the_error_in_the_stream(client: str, saw: Saw) -> None:
    for place in ("first", "middle", "last", *ERROR_FORMS.get(CLIENTS[client], ())):
        assert BROKEN in saw[client][place]["words"], place
