"""Sequences on real connections: which answer each request gets, and which requests count."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from mockd.request import LARGE_BODY
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, body_of, eventually
from tests.wire.test_faults import read

PAGE = {"Origin": "https://example.org"}
TWO = [{"response": {"body": "a"}}, {"response": {"body": "b"}}]


def add(server: RunningMockd, *responses: dict[str, Any], **mock: Any) -> None:
    server.engine.create({"id": "m", "matcher": {"path": "/m"}, "responses": list(responses), **mock})


def said(*texts: str, **sse: Any) -> dict[str, Any]:
    """An entry that is a stream which can be resumed."""
    return {"sse": {"events": [{"data": text} for text in texts], "resume": {"enabled": True}, **sse}}


def ask(server: RunningMockd, method: str = "GET", path: str = "/m", **headers: str) -> tuple[int, str]:
    """Status and body of an answer."""
    with Client(server.url) as client:
        given = {"Connection": "close", **{name.replace("_", "-"): value for name, value in headers.items()}}
        data, _ = read(client.ask(path, method=method, headers=given))
        return int(data.split(b" ", 2)[1]), body_of(data).decode()


def bodies(server: RunningMockd, count: int) -> list[str]:
    return [ask(server)[1] for _ in range(count)]


def events(body: str) -> list[str]:
    return re.findall("^data: (.*)$", body, re.MULTILINE)


def last_id(body: str) -> str:
    return re.findall("^id: (.*)$", body, re.MULTILINE)[-1]


def entries(server: RunningMockd) -> list[int | None]:
    """The entry of each stream that was answered, the oldest first."""
    return [exchange.entry for exchange in server.engine.connections.listed("ended")]


# -- whose turn it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "got"),
    [({}, "abbbbb"), ({"then": "last"}, "abbbbb"), ({"then": "cycle"}, "ababab")],
    ids=str,
)
def test_request_n_gets_entry_n(everywhere: RunningMockd, then: dict[str, str], got: str) -> None:
    add(everywhere, *TWO, **then)
    assert "".join(bodies(everywhere, 6)) == got


def test_times_says_how_often_an_entry_is_given(everywhere: RunningMockd) -> None:
    add(everywhere, {"response": {"body": "a"}, "times": 2}, {"response": {"body": "b"}, "times": 3}, then="cycle")
    assert "".join(bodies(everywhere, 11)) == "aabbbaabbba"


def test_after_the_last_the_mock_matches_no_more(everywhere: RunningMockd) -> None:
    everywhere.engine.create({"id": "next", "matcher": {"path": "/*"}, "response": {"body": "next"}})
    add(everywhere, *TWO, then="miss")
    assert bodies(everywhere, 4) == ["a", "b", "next", "next"]
    everywhere.engine.delete("next")
    status, body = ask(everywhere)
    assert status == 404
    assert "path matched, but all of its responses are used up (`then: miss`)" in body


@pytest.mark.parametrize("then", ["last", "cycle", "miss"])
def test_entries_are_of_any_kind(everywhere: RunningMockd, then: str) -> None:
    add(
        everywhere,
        {"response": {"status": 429, "headers": {"Retry-After": "1"}, "body": {"no": 1}}},
        {"sse": {"events": [{"data": "{{ request.path }}"}, {"data": "$seq"}]}},
        {"chunked": {"ndjsonItems": [1, {"b": 2}]}},
        {"chunked": {"data": "abcdef", "chunkSize": 4}},
        then=then,
    )
    got = [ask(everywhere) for _ in range(4)]
    assert got == [(429, '{"no":1}'), (200, "data: /m\n\ndata: 2\n\n"), (200, '1\n{"b":2}\n'), (200, "abcdef")]


def test_one_connection_gets_one_after_another(server: RunningMockd) -> None:
    add(server, {"response": {"body": "1"}}, {"response": {"body": "2"}}, {"response": {"body": "3"}})
    with Client(server.url) as client:
        for number in b"123":
            client.ask("/m").read_head()
            assert client.read_exactly(1) == bytes([number])


def test_over_http_1_0(everywhere: RunningMockd) -> None:
    add(everywhere, {"response": {"status": 503}}, said("1", "2"))
    for status, got in ((503, []), (200, ["1", "2"])):
        with Client(everywhere.url) as client:
            data, _ = read(client.ask("/m", version="1.0"))
            assert int(data.split(b" ", 2)[1]) == status
            assert events(body_of(data).decode()) == got


def test_what_only_asks_does_not_count(everywhere: RunningMockd) -> None:
    add(everywhere, {"response": {"status": 503}}, {"response": {"body": "b"}}, then="miss")
    preflight = {**PAGE, "Access_Control_Request_Method": "GET"}
    for _ in range(3):
        assert ask(everywhere, "HEAD")[0] == 503
        assert ask(everywhere, "OPTIONS", **preflight)[0] == 204
    assert ask(everywhere)[0] == 503
    assert ask(everywhere, "HEAD") == (200, "")
    assert ask(everywhere)[0] == 200
    assert ask(everywhere, "HEAD")[0] == 404


def test_pages_of_other_origins_may_read_every_entry(everywhere: RunningMockd) -> None:
    add(everywhere, {"response": {"status": 500}}, said("a"))
    for _ in range(2):
        with Client(everywhere.url) as client:
            _, headers = client.ask("/m", headers={**PAGE, "Connection": "close"}).read_head()
            assert headers["access-control-allow-origin"]


def test_a_refused_request_does_not_count() -> None:
    live = {"matcher": {"path": "/live"}, "sse": {"events": [{"data": "1"}], "lifecycle": {"keepOpen": True}}}
    scenario = {"name": "s", "set": "asked"}
    mock = {"id": "m", "matcher": {"path": "/m"}, "responses": TWO, "scenario": scenario}
    with running_mockd(live, mock, settings=Settings(max_connections=1)) as server:
        with Client(server.url) as client:
            client.ask("/live").read_until(b"data: 1")
            assert ask(server)[0] == 503
            assert server.engine.scenarios.state("", "s") == "start"
        eventually(lambda: not len(server.engine.connections))
        assert bodies(server, 2) == ["a", "b"]
        assert server.engine.scenarios.state("", "s") == "asked"


def test_a_request_whose_fault_cannot_be_read_does_not_count() -> None:
    scenario = {"name": "s", "set": "asked"}
    mock = {"id": "m", "matcher": {"path": "/m"}, "responses": TWO, "scenario": scenario}
    with running_mockd(mock, settings=Settings(allow_fault_header=True)) as server:
        for method in ("GET", "HEAD"):
            assert ask(server, method, X_Mockd_Fault="nonsense")[0] == 400
        assert server.engine.scenarios.state("", "s") == "start"
        assert bodies(server, 2) == ["a", "b"]


def test_each_of_many_requests_at_once_gets_an_entry_of_its_own(server: RunningMockd) -> None:
    add(server, *({"response": {"body": str(number)}, "times": 10} for number in range(10)), then="miss")
    got = at_once(server, 100)
    assert sorted(body for _, body in got) == sorted(str(number) for number in range(10) for _ in range(10))
    assert ask(server)[0] == 404


def at_once(server: RunningMockd, count: int, body: bytes = b"") -> list[tuple[int, str]]:
    """The answers to so many requests that are sent at the same moment."""
    barrier = threading.Barrier(count)
    got: list[tuple[int, str]] = []

    def run() -> None:
        with Client(server.url) as client:
            barrier.wait()
            method = "POST" if body else "GET"
            data = client.ask("/m", method=method, headers={"Connection": "close"}, body=body).read_to_end()
            got.append((int(data.split(b" ", 2)[1]), body_of(data).decode()))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


# -- changes -----------------------------------------------------------------------------------------------------------


def test_a_change_begins_again_and_no_change_does_not(server: RunningMockd) -> None:
    add(server, *TWO, name="one")
    assert bodies(server, 1) == ["a"]
    server.engine.patch("m", {"name": "two"})
    assert bodies(server, 2) == ["b", "b"]
    server.engine.patch("m", {"priority": 3, "scenario": {"name": "s", "set": "x"}})
    assert bodies(server, 2) == ["a", "b"]
    server.engine.patch("m", {"then": "cycle"})
    assert bodies(server, 3) == ["a", "b", "a"]
    same = {"priority": 3, "scenario": {"name": "s", "set": "x"}, "then": "cycle", "sse": None}
    server.engine.replace("m", {"matcher": {"path": "/m"}, "responses": TWO, **same})
    assert bodies(server, 2) == ["b", "a"]
    server.engine.patch("m", {"responses": [*TWO, {"response": {"body": "c"}}]})
    assert bodies(server, 3) == ["a", "b", "c"]


def test_data_files_of_entries(tmp_path: Any) -> None:
    (tmp_path / "e.json").write_text('[{"data": "e"}]')
    (tmp_path / "b.txt").write_text("b")
    settings = Settings(files_root=str(tmp_path))
    entries = [
        {"sse": {"eventsFile": "e.json"}},
        {"response": {"bodyFile": "b.txt"}},
        {"chunked": {"dataFile": "b.txt"}},
    ]
    with running_mockd(settings=settings) as server:
        add(server, *entries)
        assert bodies(server, 3) == ["data: e\n\n", "b", "b"]


# -- clients that come back --------------------------------------------------------------------------------------------


def test_cut_refused_resumed(everywhere: RunningMockd) -> None:
    cut = {"simulateDisconnect": 2}
    add(everywhere, said("1", "2", "3", "4", lifecycle=cut), {"response": {"status": 503}}, said("new"))
    first = ask(everywhere)[1]
    assert events(first) == ["1", "2"]
    again = {"Last_Event_ID": last_id(first)}
    assert ask(everywhere, **again) == (503, "")
    assert events(ask(everywhere, **again)[1]) == ["3", "4"]
    assert events(ask(everywhere)[1]) == ["new"], "to come back did not count"


def test_coming_back_does_not_count(everywhere: RunningMockd) -> None:
    add(everywhere, said("1", "2", "3"), said("a", "b"), {"response": {"body": "c"}})
    first = ask(everywhere)[1]
    for _ in range(3):
        assert events(ask(everywhere, Last_Event_ID=re.findall("^id: (.*)$", first, re.MULTILINE)[0])[1]) == ["2", "3"]
        assert ask(everywhere, "HEAD", Last_Event_ID=re.findall("^id: (.*)$", first, re.MULTILINE)[0])[0] == 200
    assert ask(everywhere, Last_Event_ID=last_id(first)) == (204, "")
    second = ask(everywhere)[1]
    assert events(second) == ["a", "b"]
    # A whole answer whose turn it is answers, and counts.
    assert ask(everywhere, "HEAD", Last_Event_ID=last_id(second))[0] == 200
    assert ask(everywhere, Last_Event_ID=last_id(second))[1] == "c"


def test_an_id_that_nobody_sent_is_a_new_client(everywhere: RunningMockd) -> None:
    add(everywhere, said("1"), said("2"))
    assert [events(ask(everywhere, Last_Event_ID="who-7")[1]) for _ in range(2)] == [["1"], ["2"]]


def test_of_entries_that_know_an_id_the_one_given_last_goes_on(everywhere: RunningMockd) -> None:
    def counted(*texts: str) -> dict[str, Any]:
        listed = [{"data": text, "id": str(number)} for number, text in enumerate(texts)]
        return {"sse": {"events": listed, "resume": {"enabled": True}}}

    add(everywhere, counted("a", "b"), counted("x", "y"), {"response": {}}, then="cycle")
    ask(everywhere)
    assert events(ask(everywhere, Last_Event_ID="0")[1]) == ["b"]
    ask(everywhere)
    ask(everywhere)
    assert events(ask(everywhere, Last_Event_ID="0")[1]) == ["y"]
    ask(everywhere)
    assert events(ask(everywhere, Last_Event_ID="0")[1]) == ["b"]


def test_a_used_up_mock_still_goes_on_with_its_streams(everywhere: RunningMockd) -> None:
    add(everywhere, said("1", "2", lifecycle={"simulateDisconnect": 1}), then="miss")
    first = ask(everywhere)[1]
    assert ask(everywhere)[0] == 404
    assert ask(everywhere, Last_Event_ID="other-1")[0] == 404
    assert events(ask(everywhere, Last_Event_ID=last_id(first))[1]) == ["2"]
    everywhere.engine.create({"id": "next", "matcher": {"path": "/*"}, "response": {"body": "next"}})
    assert ask(everywhere, Last_Event_ID="other-1") == (200, "next")


@pytest.mark.parametrize("size", [1, LARGE_BODY + 1], ids=["at once", "looked at apart"])
def test_only_who_comes_back_gets_a_used_up_mock(everywhere: RunningMockd, size: int) -> None:
    add(everywhere, said("a", "b"), then="miss", faults=["close after 1 event for requests 1"])
    everywhere.engine.create({"id": "low", "matcher": {"path": "/m"}, "priority": -1, "response": {"body": "low"}})
    sent = last_id(ask(everywhere)[1])
    got = []
    for last_event_id in ("x-1", sent):
        with Client(everywhere.url) as client:
            headers = {"Connection": "close", "Last-Event-ID": last_event_id}
            data, _ = read(client.ask("/m", method="POST", headers=headers, body=b"x" * size))
            got.append(body_of(data).decode())
    assert got[0] == "low"
    assert events(got[1]) == ["b"]


def test_many_mocks_that_are_used_up_do_not_go_on_with_a_stream_that_nobody_sent() -> None:
    entry = said("a")
    mocks = [
        {"id": f"m{number}", "matcher": {"path": "/m"}, "responses": [entry], "then": "miss"} for number in range(1000)
    ]
    with running_mockd(*mocks) as server:
        for mock in server.engine.mock_set.served.mocks():
            mock.counters.count("", "responses")
        assert ask(server, Last_Event_ID="x-1")[0] == 404


def test_a_get_that_is_refused_unless_it_comes_back(everywhere: RunningMockd) -> None:
    """As that of an MCP server that opens no stream by itself."""
    came_back = {"headers": {"Last-Event-ID": {"exists": True}}}
    everywhere.engine.create({"matcher": {"path": "/m", "not": came_back}, "response": {"status": 405}})
    everywhere.engine.create({"matcher": {"path": "/m", "method": "POST"}, **said("1", "2")})
    everywhere.engine.create({"matcher": {"path": "/m", "method": "GET", **came_back}, "response": {"body": "rest"}})
    assert ask(everywhere)[0] == 405
    assert ask(everywhere, "POST")[0] == 200
    assert ask(everywhere, Last_Event_ID="x-1") == (200, "rest")


def test_buffers_of_all_entries_are_one(server: RunningMockd) -> None:
    add(server, said("1", "2"), said("a"))
    assert [events(ask(server)[1]) for _ in range(2)] == [["1", "2"], ["a"]]
    assert [held["event"]["data"] for held in server.engine.streams.buffer("m")] == ["1", "2", "a"]
    assert server.engine.streams.clear_buffer("m") == 3
    assert server.engine.streams.buffer("m") == []


# -- faults ------------------------------------------------------------------------------------------------------------


def test_an_entry_has_faults_of_its_own(server: RunningMockd) -> None:
    add(server, {**said("1", "2", "3", "4"), "faults": ["reset after 3 events"]}, said("1", "2", "3", "4"))
    with Client(server.url) as client:
        data, end = read(client.ask("/m"))
    assert (events(body_of(data).decode()), end) == (["1", "2", "3"], "rst")
    assert events(ask(server)[1]) == ["1", "2", "3", "4"]


def test_faults_of_an_entry_count_its_own_requests(server: RunningMockd) -> None:
    fine, faulted = {"response": {"body": "fine"}}, {"response": {"body": "ok"}, "faults": ["status 500 every 2"]}
    add(server, fine, faulted, then="cycle")
    assert [ask(server)[0] for _ in range(8)] == [200, 200, 200, 500, 200, 200, 200, 500]


def test_faults_of_the_mock_count_all_its_requests(server: RunningMockd) -> None:
    add(server, *TWO, then="cycle", faults=["status 500 every 3"])
    assert [ask(server)[0] for _ in range(6)] == [200, 200, 500, 200, 200, 500]


def test_faults_at_one_place_strike_in_order() -> None:
    with running_mockd(settings=Settings(allow_fault_header=True, profile="truncating-proxy")) as server:
        add(server, {"sse": {"events": [{"data": "1"}]}, "faults": ['insert raw="e" after 1 event']})
        server.engine.patch("m", {"faults": ['insert raw="m" after 1 event']})
        assert ask(server, X_Mockd_Fault='insert raw="h" after 1 event')[1].endswith("\n\nhem")


def test_what_templates_count_they_count_for_each_entry(server: RunningMockd) -> None:
    error = {"status": 429, "times": 1}
    chat = {"sse": {"template": "openai-chat", "templateParams": {"error": error, "tokens": ["a"]}}}
    add(server, chat, chat, then="cycle")
    assert [ask(server, "POST")[0] for _ in range(4)] == [429, 429, 200, 200]


# -- what is seen of it ------------------------------------------------------------------------------------------------


def test_a_connection_says_which_entry_it_got(server: RunningMockd) -> None:
    add(server, {"response": {"status": 503}}, said("1", "2", lifecycle={"simulateDisconnect": 1}), said("a"))
    ask(server)
    second = ask(server)[1]
    ask(server, Last_Event_ID=last_id(second))
    ask(server)
    server.engine.create({"matcher": {"path": "/plain"}, "sse": {"events": [{"data": "1"}]}})
    ask(server, path="/plain")
    eventually(lambda: len(entries(server)) >= 5)
    assert entries(server)[-5:] == [0, 1, 1, 2, None]
    *_, with_entry, without = server.engine.connections.listed("ended")
    assert with_entry.to_json()["entry"] == 2
    assert "entry" not in without.to_json()
