"""What is HTTP's: HEAD, preflights, bodies and connections over the limit, misses."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.errors import ConfigError
from tests.stream.harness import PATH, Lab, words

pytestmark = pytest.mark.anyio

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("sse", {"events": words(3), "repeat": 0, "timing": {"fixedDelay": 10}}),
    ("sse", {"events": words(3), "resume": {"enabled": True}}),
    ("sse", {"template": "openai-chat"}),
    ("chunked", {"data": "abc", "headers": {"X-A": "1"}}),
    ("chunked", {"ndjsonItems": [1]}),
    ("response", {"body": "abc", "delay": 60_000}),
]


# -- HEAD --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "config"), KINDS, ids=str)
async def test_head_gets_the_head_and_opens_nothing(lab: Lab, kind: str, config: dict[str, Any]) -> None:
    lab.mock(kind, **config)
    head = await lab.open(method="HEAD")
    assert not head.is_open
    assert head.body == b""
    assert lab.engine.connections.stats()["totalConnections"] == 0
    get = await lab.open(method="GET")
    await lab.clock.advance(60)
    assert head.status == get.status
    assert _common(head.headers) == _common(get.headers)
    await get.hang_up()


def _common(headers: dict[str, str]) -> dict[str, str]:
    """Headers but for the one that differs from request to request."""
    return {name: value for name, value in headers.items() if name != "x-request-id"}


# -- preflights --------------------------------------------------------------------------------------------------------

PREFLIGHT = {
    "Origin": "https://page.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, last-event-id, x-stainless-os",
}


@pytest.mark.parametrize("path", [PATH, "/nothing"])
async def test_a_preflight_is_answered_whether_or_not_a_mock_matches(lab: Lab, path: str) -> None:
    lab.mock("sse", events=words(1))
    answer = await lab.open(path, method="OPTIONS", headers=PREFLIGHT)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-headers"] == "authorization, last-event-id, x-stainless-os"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["vary"] == "Origin"
    assert lab.engine.connections.stats()["totalConnections"] == 0


async def test_plain_options_matches_like_any_method(lab: Lab) -> None:
    lab.mock("sse", events=words(1))
    assert (await lab.open(method="OPTIONS")).text == "data: 1\n\n"
    assert (await lab.open(method="OPTIONS", headers={"Origin": "https://page.example"})).text == "data: 1\n\n"


@pytest.mark.parametrize(("kind", "config"), KINDS, ids=str)
async def test_answers_are_for_pages_of_any_origin(lab: Lab, kind: str, config: dict[str, Any]) -> None:
    lab.mock(kind, **config)
    answer = await lab.open(headers={"Origin": "null"})
    await lab.clock.advance(60)
    assert answer.headers["access-control-allow-origin"] == "null"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"
    exposed = answer.headers["access-control-expose-headers"]
    assert {"x-request-id", "retry-after", "x-ratelimit-limit", "mcp-session-id"} <= set(exposed.split(", "))
    await answer.hang_up()


async def test_no_cors_headers_for_who_is_no_page(lab: Lab) -> None:
    stream = await lab.run(events=words(1))
    assert not [name for name in stream.headers if name.startswith("access-control")]


async def test_cors_headers_of_the_mock_win(lab: Lab) -> None:
    lab.mock("sse", events=words(1), headers={"Access-Control-Allow-Origin": "https://other.example"})
    answer = await lab.open(headers={"Origin": "https://page.example"})
    assert answer.headers["access-control-allow-origin"] == "https://other.example"


@pytest.mark.parametrize("status", [400, 404, 413, 503])
async def test_a_page_can_read_every_refusal(status: int) -> None:
    lab = Lab(max_body=10, max_connections=1, allow_fault_header=True)
    lab.mock("sse", events=words(1), lifecycle={"keepOpen": True})
    page = {"Origin": "https://page.example"}
    if status == 503:
        await lab.open()
    headers = {**page, "X-Mockd-Fault": "nothing"} if status == 400 else page
    path = "/nowhere" if status == 404 else PATH
    answer = await lab.open(path, method="POST", headers=headers, body=b"x" * 11 if status == 413 else b"")
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == page["Origin"]


# -- limits ------------------------------------------------------------------------------------------------------------


async def test_a_body_over_the_limit() -> None:
    lab = Lab(max_body=10)
    lab.mock("response", body="ok")
    assert (await lab.open(method="POST", body=b"x" * 10)).text == "ok"
    answer = await lab.open(method="POST", body=b"x" * 11)
    assert answer.status == 413
    assert answer.json["error"]["code"] == "body_too_large"
    assert "10" in answer.json["error"]["message"]
    assert lab.live == []


async def test_a_chunked_body_over_the_limit() -> None:
    lab = Lab(max_body=10)
    lab.mock("response", body="ok")
    answer = await lab.open(method="POST", headers={"Transfer-Encoding": "chunked"}, body=b"x" * 11)
    assert answer.status == 413


async def test_connections_over_the_limit() -> None:
    lab = Lab(max_connections=2)
    lab.mock("sse", events=words(1), lifecycle={"keepOpen": True})
    first, second = await lab.open(), await lab.open()
    refused = await lab.open(headers={"Origin": "https://page.example"})
    assert refused.status == 503
    assert refused.json["error"]["code"] == "too_many_connections"
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["access-control-allow-origin"] == "https://page.example"
    stats = lab.engine.connections.stats()
    assert (stats["activeConnections"], stats["totalConnections"], stats["connectionErrors"]) == (2, 2, 1)
    await first.hang_up()
    assert (await lab.open()).status == 200
    await second.hang_up()


async def test_no_limit_of_connections_by_default(lab: Lab) -> None:
    lab.mock("sse", events=words(1), lifecycle={"keepOpen": True})
    streams = [await lab.open() for _ in range(300)]
    assert {stream.status for stream in streams} == {200}


# -- misses ------------------------------------------------------------------------------------------------------------


async def test_a_miss_explains_itself(lab: Lab) -> None:
    lab.engine.create({"id": "chat", "matcher": {"method": "POST", "path": "/chat"}, "sse": {"events": words(1)}})
    answer = await lab.open("/chat")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"error", "method", "path", "nearMisses"}
    assert (answer.json["method"], answer.json["path"]) == ("GET", "/chat")
    [near] = answer.json["nearMisses"]
    message = "No mock matched the request; the nearest: " + near["reason"]
    assert answer.json["error"] == {"message": message, "type": "no_match", "code": "no_match"}
    assert "POST" in message


async def test_a_miss_with_no_mocks_at_all(lab: Lab) -> None:
    answer = await lab.open("/x", headers={"Origin": "https://page.example"})
    assert (answer.status, answer.json["nearMisses"]) == (404, [])
    assert answer.headers["access-control-allow-origin"] == "https://page.example"


async def test_a_miss_of_head_has_no_body(lab: Lab) -> None:
    answer = await lab.open("/x", method="HEAD")
    assert (answer.status, answer.body) == (404, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_a_disabled_mock_is_a_miss(lab: Lab) -> None:
    lab.mock("response", body="x")
    lab.engine.toggle("mock")
    assert (await lab.open()).status == 404
    lab.engine.toggle("mock")
    assert (await lab.open()).status == 200


# -- headers of a mock -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nSet-Cookie: b"},
        {"X": "a\x00"},
        {"X": "a\x01"},
        {"X": "a\x7f"},
        {"X": "€"},
        {"X Y": "a"},
        {"": "a"},
        {"X:": "a"},
        {"Transfer-Encoding": "gzip"},
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    ("kind", "config"), [("sse", {"events": words(1)}), ("chunked", {"data": "x"}), ("response", {})], ids=str
)
async def test_headers_that_cannot_be_sent_are_refused(kind: str, config: dict[str, Any], headers: Any) -> None:
    with pytest.raises(ConfigError):
        Lab().mock(kind, **config, headers=headers)


@pytest.mark.parametrize("value", ["", "a\tb", "é", " a "])
async def test_headers_that_can(lab: Lab, value: str) -> None:
    stream = await lab.run(events=words(1), headers={"X-A": value})
    assert stream.headers["x-a"] == value


@pytest.mark.parametrize("asked", [None, "keep-alive", "close", "Close", "x, close"])
async def test_a_connection_is_said_to_last_if_its_client_has_not_asked_for_the_end(
    lab: Lab, asked: str | None
) -> None:
    lab.mock(events=words(1))
    stream = await lab.open(headers={} if asked is None else {"Connection": asked})
    assert stream.headers.get("connection") == ("keep-alive" if asked in (None, "keep-alive") else None)
    assert "connection" not in (await lab.open(http_version="1.0")).headers
