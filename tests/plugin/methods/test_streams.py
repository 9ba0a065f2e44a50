"""The handles on mocks and their streams, in a test like those of users."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import pytest

from mockd.errors import AdminError
from mockd.fixtures import Mockd, MockHandle
from tests.plugin.methods.asking import Ask, get, soon


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
