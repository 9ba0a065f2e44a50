"""Refusals in each provider's words: its body, its request's ID, its limits, and when to come again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client

PATHS = {
    "openai-chat": "/v1/chat/completions",
    "azure-openai": "/openai/deployments/any/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
    "gemini": "/v1beta/models/any:streamGenerateContent",
    "mistral-chat": "/mistral/chat/completions",
    "cohere-chat": "/v2/chat",
    "ollama-chat": "/api/chat",
    "ollama-generate": "/api/generate",
    "vercel-ui": "/vercel",
    "ag-ui": "/ag-ui",
    "openai-embeddings": "/v1/embeddings",
    "openai-moderations": "/v1/moderations",
}
PARTS = {"ollama-chat": "chunked", "ollama-generate": "chunked"} | dict.fromkeys(
    ("openai-embeddings", "openai-moderations"), "response"
)
_OPENAI_TEMPLATES = ("openai-chat", "openai-responses", "openai-embeddings", "openai-moderations")
_OPENAI = {
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-requests": "1m30s",
    "x-ratelimit-reset-tokens": "1m30s",
    "retry-after-ms": "90000",
}
_LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")
TOO_MANY: dict[str, dict[str, str]] = {
    **dict.fromkeys(_OPENAI_TEMPLATES, _OPENAI),
    "azure-openai": {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-remaining-tokens": "0",
        "retry-after-ms": "90000",
    },
    "anthropic-messages": {f"anthropic-ratelimit-{name}-remaining": "0" for name in _LIMITS},
    "cohere-chat": {"x-trial-endpoint-call-remaining": "0"},
}
"""Headers of a 429 after which to come again in 90 seconds, beside `Retry-After`."""
REQUEST_IDS = {
    **dict.fromkeys((*_OPENAI_TEMPLATES, "azure-openai"), "x-request-id"),
    "anthropic-messages": "request-id",
    "mistral-chat": "mistral-correlation-id",
    "cohere-chat": "x-debug-trace-id",
}
WORDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_OPENAI_TEMPLATES, ("error", "code", "rate_limit_exceeded")),
    "azure-openai": ("error", "code", "429"),
    "anthropic-messages": ("error", "type", "rate_limit_error"),
    "gemini": ("error", "status", "RESOURCE_EXHAUSTED"),
    "mistral-chat": ("type", "rate_limited"),
    "cohere-chat": ("message", "Too Many Requests"),
    "ollama-chat": ("error", "Too Many Requests"),
    "ollama-generate": ("error", "Too Many Requests"),
    "vercel-ui": ("error", "Too Many Requests"),
    "ag-ui": ("code", "RATE_LIMITED"),
}
"""The way to the provider's word for a 429 in its body, and the word."""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    failing = {"error": {"status": 429, "retryAfter": 90}}
    mocks = [
        {
            "matcher": {"method": "POST", "path": prefix + path},
            PARTS.get(template, "sse"): {"template": template, "templateParams": params},
        }
        for prefix, params in {"": {}, "/params": failing}.items()
        for template, path in PATHS.items()
    ]
    with running_mockd(*mocks, settings=Settings(allow_fault_header=True)) as running:
        yield running


def answer(server: RunningMockd, path: str, fault: str | None = None) -> tuple[int, dict[str, str], bytes]:
    headers = {"X-Mockd-Fault": fault} if fault else {}
    body = b'{"stream":true,"input":"hi","model":"any"}'
    query = "?alt=sse" if ":stream" in path else ""
    with Client(server.url) as client:
        status, head = client.ask(path + query, method="POST", headers=headers, body=body).read_head()
        return status, head, client.read_exactly(int(head["content-length"]))


@pytest.mark.parametrize("template", PATHS)
def test_too_many_requests(server: RunningMockd, template: str) -> None:
    status, headers, body = answer(server, PATHS[template], "status 429 retryAfter=90")
    assert (status, headers["retry-after"]) == (429, "90")
    given = {name: headers.get(name) for name in TOO_MANY.get(template, {})}
    assert given == TOO_MANY.get(template, {})
    assert template not in REQUEST_IDS or headers[REQUEST_IDS[template]]
    *way, word = WORDS[template]
    found = json.loads(body)
    for key in way:
        found = found[key]
    assert found == word


@pytest.mark.parametrize("template", PATHS)
def test_parameters_and_faults_give_the_same_head(server: RunningMockd, template: str) -> None:
    changing = {"content-length", "date", REQUEST_IDS.get(template), "apim-request-id"}
    _, by_fault, _ = answer(server, PATHS[template], "status 429 retryAfter=90")
    _, by_parameter, _ = answer(server, "/params" + PATHS[template])

    def lasting(headers: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name not in changing and "reset" not in name}

    assert lasting(by_fault) == lasting(by_parameter)


def test_limits_are_left_unless_there_are_too_many_requests(server: RunningMockd) -> None:
    _, headers, _ = answer(server, PATHS["openai-chat"], "status 503 retryAfter=90")
    assert headers["x-ratelimit-remaining-requests"] != "0"
    assert headers["x-ratelimit-reset-requests"] == "6ms"


def test_anthropic_says_the_moment_of_the_reset(server: RunningMockd) -> None:
    _, headers, body = answer(server, PATHS["anthropic-messages"], "status 429 retryAfter=90")
    left = datetime.fromisoformat(headers["anthropic-ratelimit-tokens-reset"].upper()) - datetime.now(UTC)
    assert 60 < left.total_seconds() < 92
    assert json.loads(body)["request_id"] == headers["request-id"]


def test_google_says_it_in_the_body(server: RunningMockd) -> None:
    _, _, body = answer(server, PATHS["gemini"], 'status 429 retryAfter="1500ms"')
    assert json.loads(body)["error"]["details"][0]["retryDelay"] == "1.5s"


@pytest.mark.parametrize("template", PATHS)
def test_a_date_stands_alone(server: RunningMockd, template: str) -> None:
    """Clients would believe a number of milliseconds beside it."""
    _, headers, _ = answer(server, PATHS[template], 'status 503 retryAfter="date:90"')
    left = parsedate_to_datetime(headers["retry-after"]) - datetime.now(UTC)
    assert 60 < left.total_seconds() < 92
    assert "retry-after-ms" not in headers


@pytest.mark.parametrize("template", PATHS)
def test_an_answer_of_ones_own_has_its_own_type(server: RunningMockd, template: str) -> None:
    status, headers, body = answer(server, PATHS[template], 'status 200 body="<p>Sign in</p>"')
    assert (status, headers["content-type"], body) == (200, "text/plain; charset=utf-8", b"<p>Sign in</p>")
    page = 'header set={"content-type":"text/html"}; status 502 body="<p>Bad gateway</p>"'
    status, headers, body = answer(server, PATHS[template], page)
    assert (status, headers["content-type"], body) == (502, "text/html", b"<p>Bad gateway</p>")
    status, headers, body = answer(server, PATHS[template], 'status 200 body={"a":1}')
    assert (status, headers["content-type"], body) == (200, "application/json", b'{"a":1}')
