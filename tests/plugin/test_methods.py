"""The methods of the fixture, in a test like those of users."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockd.errors import AdminError, ConfigError
from mockd.fixtures import Mockd, MockdServer, MockHandle
from mockd.fixtures.mockd import new_key
from mockd.fixtures.server import _mocks_at, started
from mockd.testing import running_mockd

PATIENCE_S = 30
CHAT = {"model": "gpt-4.1", "stream": True, "messages": [{"role": "user", "content": "Say hello"}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockdServer]:
    with started(files_root=str(tmp_path_factory.getbasetemp())) as server:
        yield server


@pytest.fixture
def mockd(server: MockdServer, request: pytest.FixtureRequest) -> Iterator[Mockd]:
    mockd = Mockd(server, new_key("main", request.node.nodeid))
    yield mockd
    mockd.delete()


Ask = Callable[..., http.client.HTTPConnection]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Asks for something, and reads nothing."""
    with ExitStack() as clients:

        def ask(url: str, body: Any = None, **headers: str) -> http.client.HTTPConnection:
            parts = urlsplit(url)
            client = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)
            clients.callback(client.close)
            content = None if body is None else json.dumps(body)
            client.request("GET" if body is None else "POST", parts.path, content, headers)
            return client

        yield ask


def get(url: str | urllib.request.Request, body: Any = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data) if isinstance(url, str) else url
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@contextmanager
def soon(work: Callable[[], object] | threading.Thread) -> Iterator[None]:
    """Work that another thread does meanwhile."""
    thread = work if isinstance(work, threading.Thread) else threading.Thread(target=work)
    thread.start()
    yield
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


# -- mocks -------------------------------------------------------------------------------------------------------------


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


# -- streams -----------------------------------------------------------------------------------------------------------


def test_a_stream_in_the_hand(mockd: Mockd, ask: Ask) -> None:
    chat = mockd.sse("/chat", list("abcd"))
    chat.hold_at(2)
    answer = ask(chat.url).getresponse()
    stream = chat.wait_for_stream()
    stream.wait_reached(2)
    stream.wait_held()
    assert answer.read(18) == b"data: a\n\ndata: b\n\n"
    stream.step()
    stream.wait_reached(3)
    stream.push("pushed")
    stream.push({"data": "typed", "type": "t"})
    assert answer.read(9) == b"data: c\n\n"
    state = stream.state()
    assert (state["eventsSent"], state["held"], state["key"]) == (5, True, mockd.key)
    stream.hold(6)
    stream.wait_held()
    stream.release()
    assert stream.wait_ended()["outcome"] == "completed"
    assert answer.read() == b"data: pushed\n\nevent: t\ndata: typed\n\ndata: d\n\n"
    assert repr(stream) == f"<stream {stream.id}>"


def test_before_the_head(mockd: Mockd, ask: Ask) -> None:
    mock = mockd.response("/slow", "at last")
    mock.hold_at("head")
    client = ask(mock.url)
    stream = mock.wait_for_stream()
    stream.wait_held()
    mock.release()
    assert client.getresponse().read() == b"at last"
    assert get(mock.url) == (200, "at last")


def test_items_are_pushed_as_they_are(mockd: Mockd, ask: Ask) -> None:
    mock = mockd.ndjson("/items", [{"data": 1}])
    mock.hold_at(1)
    client = ask(mock.url)
    stream = mock.wait_for_stream()
    stream.wait_held()
    stream.push({"data": 2})
    mock.push({"n": 3})
    stream.push("text")
    mock.push('of "text"')
    mock.push(None)
    stream.close()
    assert client.getresponse().read() == b'{"data":1}\n{"data":2}\n{"n":3}\n"text"\n"of \\"text\\""\nnull\n'


def test_a_push_into_all(mockd: Mockd, ask: Ask) -> None:
    mock = mockd.sse("/events", ["a"])
    mock.hold_at(1, upcoming="all")
    clients = [ask(mock.url), ask(mock.url)]
    streams = [mock.wait_for_stream(), mock.wait_for_stream()]
    for stream in streams:
        stream.wait_held()
    mock.push("b")
    mock.release()
    assert [client.getresponse().read() for client in clients] == [b"data: a\n\ndata: b\n\n"] * 2


def test_all_streams_of_a_mock_in_the_hand(mockd: Mockd, ask: Ask) -> None:
    mock = mockd.sse("/events", list("abcd"))
    mock.hold_at("head", upcoming="all")
    clients = [ask(mock.url), ask(mock.url)]
    streams = [mock.wait_for_stream(), mock.wait_for_stream()]
    for stream in streams:
        stream.wait_held()
    mock.hold(1)
    for stream in streams:
        stream.wait_reached(1)
        stream.wait_held()
    mock.step(2)
    mock.cut("insert", raw="data: cut\n\n")
    for stream in streams:
        stream.wait_reached(3)
    mock.close()
    expected = b"data: a\n\ndata: b\n\ndata: c\n\ndata: cut\n\n"
    assert [client.getresponse().read() for client in clients] == [expected] * 2
    assert [stream.wait_ended()["outcome"] for stream in streams] == ["closed_by_admin"] * 2


DONE_TO_SOME: dict[str, Callable[[MockHandle], None]] = {
    "hold": lambda mock: mock.hold(),
    "step": lambda mock: mock.step(),
    "cut": lambda mock: mock.cut("reset"),
}


@pytest.mark.parametrize("done", DONE_TO_SOME.values(), ids=DONE_TO_SOME)
def test_what_is_done_to_no_stream_fails(mockd: Mockd, done: Callable[[MockHandle], None]) -> None:
    mock = mockd.sse("/events", ["a"])
    get(mock.url)
    with pytest.raises(AssertionError, match=r"the mock 'events' to have a live stream, and it has none\n\n(.|\n)*GET"):
        done(mock)
    with pytest.raises(AdminError, match="nothing can be pushed"):
        mock.push("b")
    mock.release()
    mock.close()  # for these two, it is as they want it


@pytest.mark.parametrize(("action", "settings"), [("reset", {}), ("close", {"linger": 1}), ("close linger=1", {})])
def test_cuts(mockd: Mockd, ask: Ask, action: str, settings: dict[str, Any]) -> None:
    chat = mockd.sse("/chat", list("abcd"))
    chat.hold_at(1)
    client = ask(chat.url)
    stream = chat.wait_for_stream()
    stream.wait_held()
    stream.cut(action, **settings)
    assert stream.wait_ended()["outcome"] == "aborted"
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        client.getresponse().read()
    with pytest.raises(AdminError, match="already ended: aborted"):
        stream.step()


def test_a_cut_with_settings(mockd: Mockd, ask: Ask) -> None:
    chat = mockd.sse("/chat", ["a", "b"])
    chat.hold_at(1)
    client = ask(chat.url)
    stream = chat.wait_for_stream()
    stream.wait_held()
    stream.cut("insert", raw="data: inserted\n\n")
    stream.release()
    assert client.getresponse().read() == b"data: a\n\ndata: inserted\n\ndata: b\n\n"


def test_each_stream_is_given_once(mockd: Mockd, ask: Ask) -> None:
    chat = mockd.sse("/chat", ["a"])
    for _ in range(3):
        ask(chat.url).getresponse().read()
    seen = [chat.wait_for_stream().id for _ in range(3)]
    assert len(set(seen)) == 3
    assert seen == [one["connectionId"] for one in mockd.requests()]
    with soon(lambda: get(chat.url)):
        assert chat.wait_for_stream().id not in seen
    mockd.reset()
    with soon(lambda: get(chat.url)):
        assert chat.wait_for_stream().id not in seen


def test_a_wait_says_what_the_state_was(mockd: Mockd, ask: Ask) -> None:
    chat = mockd.sse("/chat", ["a", "b"])
    with pytest.raises(AssertionError, match=r"a stream of the mock 'chat' within 0 s, and none has begun\n\n.*none\."):
        chat.wait_for_stream(timeout=0)
    chat.hold_at(1)
    client = ask(chat.url)
    stream = chat.wait_for_stream()
    stream.wait_held()
    with pytest.raises(AssertionError, match=r"another stream of the mock 'chat' within 0 s"):
        chat.wait_for_stream(timeout=0)
    with pytest.raises(AssertionError, match=r"have sent 2 events within 0 s, but it has sent 1 event and is open"):
        stream.wait_reached(2, timeout=0)
    with pytest.raises(AssertionError, match=r"to end within 0\.01 s(.|\n)*GET /chat +200 +chat +1 +open, held"):
        stream.wait_ended(timeout=0.01)
    stream.release()
    client.getresponse().read()
    with pytest.raises(AssertionError, match=r"3 events within 600 s, but it has sent 2 events and is over: compl"):
        stream.wait_reached(3, timeout=600)
    with pytest.raises(AssertionError, match=r"to be held within 600 s"):
        stream.wait_held(timeout=600)


# -- requests ----------------------------------------------------------------------------------------------------------


def test_verify(mockd: Mockd) -> None:
    mockd.response("/a", "")
    for path, body in (("/a", None), ("/a", {"n": 1}), ("/b", None)):
        get(mockd.url + path, body)
    mockd.verify("/a")
    mockd.verify("/a", times=2)
    mockd.verify("POST /a", times=1)
    mockd.verify("GET /a", at_least=1, at_most=1)
    mockd.verify({"path": "/a", "bodyJsonPath": {"$.n": 1}})
    mockd.verify("/a", at_most=2)
    mockd.verify("/c", never=True)
    mockd.verify("/c", times=0)
    mockd.verify(order=["GET /a", {"path": "/b"}])
    for wrong in ({"times": 1}, {"never": True}, {"at_most": 1}, {"times": 1, "within": 0.01}):
        with pytest.raises(AssertionError, match=r"but it came 2 times(.|\n)*Requests of this test:(.|\n)*GET /b"):
            mockd.verify("/a", **wrong)
    for wrong in ({"times": 3}, {"at_least": 3}):
        with pytest.raises(AssertionError, match="but it came 2 times"):
            mockd.verify("/a", **wrong, within=0)
    with pytest.raises(AssertionError, match="in this order, but after"):
        mockd.verify(order=["/b", "/a"], within=0)
    secret = {"path": "/a", "headers": {"Authorization": {"pattern": "secret"}}}
    get(urllib.request.Request(mockd.url + "/a", headers={"Authorization": "any"}))
    with pytest.raises(AssertionError, match="may not be all"):
        mockd.verify(secret, within=0)
    get(mockd.url + "/aa")
    with pytest.raises(AssertionError, match=r"GET /aa +404 +none +0 +completed; nearest: a: path expected"):
        mockd.verify("/aaa", within=0)
    with pytest.raises(AdminError):
        mockd.verify()
    with pytest.raises(AdminError):
        mockd.verify({"pth": "/a"})


def test_verify_waits_for_what_is_missing(mockd: Mockd) -> None:
    mock = mockd.response("/a", "")
    for claim in ({"times": 2}, {"at_least": 4}, {"order": ["/a"] * 6}, {"at_least": 8, "at_most": 9}):
        later = threading.Timer(0.1, lambda: [get(mock.url) for _ in range(2)])
        with soon(later):
            mockd.verify(None if "order" in claim else "/a", **claim)


def test_others_have_their_own(mockd: Mockd, server: MockdServer) -> None:
    other = Mockd(server, "other")
    get(other.response("/a", "other").url)
    mockd.response("/a", "mine")
    mockd.verify("/a", never=True)
    assert mockd.requests() == []
    assert get(mockd.url + "/a") == (200, "mine")
    other.delete()
    assert len(mockd.requests(path="/a", matched=True)) == 1
    assert mockd.requests(matched=False) == []


def test_a_key_in_a_matcher_is_not_another_tests(mockd: Mockd) -> None:
    get(mockd.response("/a", "").url)
    mockd.verify({"path": "/a", "key": "other"}, times=1)


def test_reset(mockd: Mockd, ask: Ask) -> None:
    mock = mockd.response("/a", "fine", faults=["status 503 for requests 1"])
    assert [get(mock.url)[0] for _ in range(2)] == [503, 200]
    mock.hold_at("head")
    mockd.reset()
    assert mockd.requests() == []
    assert [get(mock.url)[0] for _ in range(2)] == [503, 200]
    ticks = mockd.sse("/ticks", ["a"], repeat=0, timing={"fixedDelay": 5})
    client = ask(ticks.url)
    stream = ticks.wait_for_stream()
    mockd.reset(streams=True, mocks=True)
    assert stream.wait_ended()["outcome"] == "closed_by_admin"
    client.getresponse().read()
    assert get(mock.url)[0] == 404
    assert mockd.response("/a", "").id == mock.id


def test_a_server_that_is_gone() -> None:
    with running_mockd() as running:
        admin = running.admin()
    with admin:
        gone = Mockd(MockdServer(running.url, admin), "gone")
        with pytest.raises(AssertionError, match=r"\n\nRequests of this test: not known, as no answer from"):
            gone._part.fail("it fails")


@pytest.mark.parametrize(
    ("admin", "told", "mocks"),
    [
        ("http://localhost:4290", "http://127.0.0.1:4280", "http://127.0.0.1:4280"),
        ("http://mocks:4290", "http://127.0.0.1:4280", "http://mocks:4280"),
        ("https://mocks.test:4290", "https://127.0.0.1:4280", "https://mocks.test:4280"),
        ("http://[fd00::1]:4290", "http://[::1]:4280", "http://[fd00::1]:4280"),
        ("http://mocks:4290", "http://10.0.0.7:4280", "http://10.0.0.7:4280"),
        ("http://mocks:4280/__mockd", "http://127.0.0.1:9", "http://mocks:4280"),
        ("http://mocks:80/under/__mockd", None, "http://mocks:80/under"),
    ],
)
def test_where_the_mocks_are(admin: str, told: str | None, mocks: str) -> None:
    assert _mocks_at(admin, told) == mocks


def test_a_server_that_does_not_tell() -> None:
    with pytest.raises(ConfigError, match="does not say where its mocks are"):
        _mocks_at("http://mocks:4290", None)
