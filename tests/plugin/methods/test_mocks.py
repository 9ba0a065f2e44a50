"""The methods of the fixture that make mocks, in a test like those of users."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockd.errors import AdminError, ConfigError
from mockd.fixtures import Mockd, MockdServer
from tests.plugin.methods.asking import Ask, get

CHAT = {"model": "gpt-4.1", "stream": True, "messages": [{"role": "user", "content": "Say hello"}]}


def test_events_and_their_fields(mockd: Mockd) -> None:
    mock = mockd.sse(
        "/events",
        ["a", 7, {"type": "b", "data": [1], "id": "x"}],
        faults=["status 503 for requests 1"],
        headers={"X-A": "b"},
        retry=50,
    )
    assert mock.url == mockd.url + "/events"
    assert get(mock.url)[0] == 503
    assert get(mock.url) == (200, "data: a\nretry: 50\n\ndata: 7\n\nid: x\nevent: b\ndata: [1]\n\n")


def test_a_path_without_its_slash_is_told(mockd: Mockd) -> None:
    for wrong in ("ticks", "POST ticks"):
        with pytest.raises(AdminError, match="'ticks' does not start with `/`"):
            mockd.sse(wrong, ["one"])


def test_a_stream_that_the_test_writes(mockd: Mockd, ask: Ask) -> None:
    news = mockd.sse("/news", manual=True)
    client = ask(news.url)
    stream = news.wait_for_stream()
    stream.push("one")
    news.push({"type": "two", "data": 2})
    stream.close()
    assert client.getresponse().read() == b"data: one\n\nevent: two\ndata: 2\n\n"
    with pytest.raises(AdminError, match="exactly one of `events`"):
        mockd.sse("/news")


def test_items_bodies_and_methods(mockd: Mockd) -> None:
    lines = mockd.ndjson("POST /lines", [{"a": 1}, "b"], status=201)
    assert get(lines.url)[0] == 404
    assert get(lines.url, {}) == (201, '{"a":1}\n"b"\n')
    assert get(mockd.response("/json", {"a": 1}, 418).url) == (418, '{"a":1}')
    assert get(mockd.response("/text", "hi", matcher={"method": "GET"}).url) == (200, "hi")
    assert get(mockd.response("/empty").url) == (200, "")
    assert get(mockd.response("GET /other", "", matcher={"method": "POST"}).url)[0] == 404


def test_ids_tell_which_mock_it_is(mockd: Mockd) -> None:
    assert mockd.sse("/v1/chat", ["a"]).id == "v1-chat"
    assert mockd.sse("/v1/chat", ["b"]).id == "v1-chat-2"
    assert mockd.sse("/v1/chat", ["c"], id="mine").id == "mine"
    assert mockd.sse("/", ["c"]).id == "mock"
    assert get(mockd.url + "/v1/chat") == (200, "data: c\n\n")


@pytest.mark.parametrize(
    ("preset", "path", "body"),
    [
        ("openai", "/v1/chat/completions", CHAT),
        ("openai-responses", "/v1/responses", {"model": "m", "input": "hi", "stream": True}),
        ("anthropic", "/v1/messages", CHAT | {"max_tokens": 9}),
        ("gemini", "/v1beta/models/g-2:streamGenerateContent", {"contents": [{"parts": [{"text": "a"}]}]}),
        ("gemini", "/v1/models/g-2:generateContent", {"contents": [{"parts": [{"text": "a"}]}]}),
        ("ollama", "/api/chat", CHAT),
        ("mistral", "/v1/chat/completions", CHAT),
        ("cohere", "/v2/chat", CHAT),
        ("azure", "/openai/deployments/d/chat/completions", CHAT),
        ("vercel", "/api/chat", {"messages": [{"role": "user", "parts": [{"type": "text", "text": "a"}]}]}),
        ("ag-ui", "/agent", {"threadId": "a", "runId": "b", "messages": []}),
    ],
)
def test_endpoints_of_models(mockd: Mockd, preset: str, path: str, body: Any) -> None:
    mockd.llm("Hello there", preset)
    status, text = get(mockd.url + path, body)
    assert status == 200
    assert "Hello" in text
    assert get(mockd.url + path)[0] == 404


def test_a_model_may_say_anything(mockd: Mockd) -> None:
    chat = mockd.llm(tokens=["a", "b"], faults=["reset after 9 events"], timing={"itl": 0}, model="m-9")
    assert '"m-9"' in get(chat.url, CHAT | {"stream": False})[1]
    assert "Say hello" in get(mockd.llm().url, CHAT | {"stream": False})[1]
    with pytest.raises(AdminError, match="txt"):
        mockd.llm(txt="a")


def test_an_unknown_model_is_told(mockd: Mockd) -> None:
    with pytest.raises(ConfigError, match=r"no endpoint 'opnai'.*known: .*openai-responses"):
        mockd.llm("a", "opnai")


FILE = """
- {id: one, matcher: {path: /one}, response: {body: "1 ${NAME}"}}
- {id: two, matcher: {path: /two}, sse: {events: [{data: "2"}]}}
"""


def test_a_file_with_mocks(mockd: Mockd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "and ${more}")
    file = tmp_path / "mocks.yaml"
    file.write_text(FILE)
    assert get(mockd.load(file).url) == (200, "1 and ${more}")
    assert get(mockd.mock("two").url) == (200, "data: 2\n\n")
    with pytest.raises(AdminError, match="three"):
        mockd.mock("three")


def test_data_files_beside_the_file(mockd: Mockd, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text('{"data": "recorded"}\n')
    (tmp_path / "a.txt").write_text("whole")
    mocks = {
        "mocks": [
            {"matcher": {"path": "/a"}, "sse": {"eventsFile": "a.ndjson"}},
            {"matcher": {"path": "/b"}, "responses": [{"response": {"bodyFile": "a.txt"}}]},
        ]
    }
    (tmp_path / "mocks.json").write_text(json.dumps(mocks))
    assert get(mockd.load(tmp_path / "mocks.json").url) == (200, "data: recorded\n\n")
    assert get(mockd.url + "/b") == (200, "whole")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]", "no mocks in it"),
        ("[{matcher: {path: /a}, response: {boddy: 1}}]", r"mocks\.yaml:1:.*boddy"),
        (FILE + "- {id: two, matcher: {path: /a}, sse: {template: none}}", "two"),
        (FILE + "- {matcher: {path: /a}, sse: {template: none}}", "unknown template"),
    ],
)
def test_a_file_with_a_mistake_adds_nothing(
    mockd: Mockd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, error: str
) -> None:
    monkeypatch.setenv("NAME", "a")
    file = tmp_path / "mocks.yaml"
    file.write_text(text)
    with pytest.raises((ConfigError, AdminError), match=error) as raised:
        mockd.load(str(file))
    assert "mocks.yaml" in "\n".join([str(raised.value), *getattr(raised.value, "__notes__", ())])
    assert mockd.admin.list_mocks(key=mockd.key)["mocks"] == []


def test_a_mock_that_is_there_for_all(mockd: Mockd, server: MockdServer, ask: Ask) -> None:
    server.admin.create_mock({"id": "all", "matcher": {"path": "/all"}, "sse": {"events": [{"data": "a"}]}})
    try:
        mock = mockd.mock("all")
        mock.hold_at(0)
        ask(server.url + "/all").getresponse().read()  # of no test
        client = ask(mock.url)
        stream = mock.wait_for_stream()
        stream.wait_held()
        stream.release()
        assert client.getresponse().read() == b"data: a\n\n"
    finally:
        server.admin.delete_mock("all")
