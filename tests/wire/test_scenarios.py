"""Scenarios on real connections: which mock answers in which state, and which requests set it."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.testing import RunningMockd
from tests.wire.sockets import Client, body_of
from tests.wire.test_faults import read
from tests.wire.test_sequences import PAGE, ask, at_once, events, last_id, said

LARGE = b"x" * 40_000
"""A body that is searched in a thread."""


def add(server: RunningMockd, body: str, scenario: dict[str, Any] | None = None, **mock: Any) -> None:
    given = {"scenario": {"name": "login", **scenario}} if scenario else {}
    server.engine.create({"id": body, "matcher": {"path": "/m"}, "response": {"body": body}, **given, **mock})


def state(server: RunningMockd, name: str = "login") -> str:
    return server.engine.scenarios.state("", name)


def test_a_mock_matches_in_its_states_only(everywhere: RunningMockd) -> None:
    add(everywhere, "out", {"when": "start", "set": "in"})
    add(everywhere, "in", {"when": "in", "set": "old"})
    add(everywhere, "old", {"when": ["old", "older"]})
    assert [ask(everywhere)[1] for _ in range(4)] == ["out", "in", "old", "old"]
    everywhere.engine.scenarios.set("", "login", "older")
    assert ask(everywhere)[1] == "old"
    everywhere.engine.scenarios.set("", "login", "start")
    assert ask(everywhere)[1] == "out"


def test_without_when_a_mock_matches_in_every_state(everywhere: RunningMockd) -> None:
    add(everywhere, "any", {"set": "in"})
    add(everywhere, "late", {"when": "in"})
    assert [ask(everywhere)[1] for _ in range(3)] == ["any", "late", "late"]


def test_a_state_is_worth_as_much_as_a_header(everywhere: RunningMockd) -> None:
    add(everywhere, "state", {"when": "start"})
    add(everywhere, "nothing")
    assert ask(everywhere)[1] == "state"
    add(everywhere, "header", matcher={"path": "/m", "headers": {"x": "1"}})
    assert ask(everywhere, x="1")[1] == "header", "of equals the last one wins"
    add(everywhere, "both", {"when": "start"}, matcher={"path": "/m", "queryParams": {"q": "1"}})
    assert ask(everywhere, path="/m?q=1", x="1")[1] == "both"


def test_a_miss_says_in_which_state_the_scenario_is(everywhere: RunningMockd) -> None:
    add(everywhere, "in", {"when": "in"})
    assert "path matched, but the scenario `login` is in state `start`, not `in`" in ask(everywhere)[1]
    add(everywhere, "old", {"when": ["old", "older"]})
    assert "the scenario `login` is in state `start`, not `old` or `older`" in ask(everywhere)[1]
    assert '"field":"scenario.login"' in ask(everywhere)[1]


def test_what_only_asks_sets_nothing(everywhere: RunningMockd) -> None:
    add(everywhere, "out", {"when": "start", "set": "in"})
    assert ask(everywhere, "HEAD")[0] == 200
    assert ask(everywhere, "OPTIONS", **PAGE, Access_Control_Request_Method="GET")[0] == 204
    assert ask(everywhere, path="/other")[0] == 404
    assert state(everywhere) == "start"
    ask(everywhere)
    assert state(everywhere) == "in"
    assert ask(everywhere, "HEAD")[0] == 404


@pytest.mark.parametrize("body", [b"", LARGE], ids=["in the loop", "in a thread"])
def test_of_requests_at_once_one_sees_the_old_state(server: RunningMockd, body: bytes) -> None:
    matcher = {"path": "/m", "bodyPattern": "x$"} if body else {"path": "/m"}
    add(server, "old", {"when": "start", "set": "taken"}, matcher=matcher)
    add(server, "new", {"when": "taken"}, matcher=matcher)
    for _ in range(3):
        server.engine.scenarios.reset()
        got = sorted(text for _, text in at_once(server, 100, body))
        assert got == ["new"] * 99 + ["old"]


def test_requests_in_a_thread_get_entries_of_their_own(server: RunningMockd) -> None:
    entries = [{"response": {"body": str(number)}} for number in range(10)]
    matcher = {"path": "/m", "bodyPattern": "x$"}
    server.engine.create({"id": "m", "matcher": matcher, "responses": entries, "then": "miss"})
    got = at_once(server, 30, LARGE)
    assert sorted(text for status, text in got if status == 200) == sorted(map(str, range(10)))
    assert [status for status, _ in got].count(404) == 20


def test_a_sequence_in_a_scenario(everywhere: RunningMockd) -> None:
    add(everywhere, "out", {"when": "start", "set": "in"})
    entries = [{"response": {"body": "1"}}, {"response": {"body": "2"}}]
    scenario = {"name": "login", "when": "in", "set": "start"}
    everywhere.engine.create({"matcher": {"path": "/m"}, "responses": entries, "scenario": scenario, "then": "miss"})
    assert [ask(everywhere)[1] for _ in range(4)] == ["out", "1", "out", "2"]
    ask(everywhere)
    assert ask(everywhere)[0] == 404


def test_who_comes_back_sets_the_state_too(everywhere: RunningMockd) -> None:
    entries = [said("1", "2", lifecycle={"simulateDisconnect": 1})]
    scenario = {"name": "login", "set": "asked"}
    everywhere.engine.create({"id": "m", "matcher": {"path": "/m"}, "responses": entries, "scenario": scenario})
    first = ask(everywhere)[1]
    everywhere.engine.scenarios.set("", "login", "start")
    assert events(ask(everywhere, Last_Event_ID=last_id(first))[1]) == ["2"]
    assert state(everywhere) == "asked"


def test_two_scenarios_know_nothing_of_each_other(everywhere: RunningMockd) -> None:
    add(everywhere, "a", {"name": "a", "when": "start", "set": "in"})
    add(everywhere, "b", {"name": "b", "when": "start"}, matcher={"path": "/b"})
    assert [ask(everywhere)[0] for _ in range(2)] == [200, 404]
    assert ask(everywhere, path="/b")[1] == "b"
    assert (state(everywhere, "a"), state(everywhere, "b")) == ("in", "start")


def test_a_change_keeps_the_state_as_long_as_a_mock_names_the_scenario(server: RunningMockd) -> None:
    add(server, "out", {"when": "start", "set": "in"})
    add(server, "in", {"when": "in"})
    ask(server)
    server.engine.patch("in", {"response": {"body": "changed"}})
    server.engine.delete("out")
    assert ask(server)[1] == "changed"
    server.engine.delete("in")
    assert state(server) == "start"


def test_a_stream_in_one_write_sets_the_state(server: RunningMockd) -> None:
    stream = {"sse": {"events": [{"data": "1"}]}}
    scenario = {"name": "login", "when": "start", "set": "in"}
    server.engine.create({"matcher": {"path": "/m"}, **stream, "scenario": scenario})
    with Client(server.url) as client:
        client.ask("/m").ask("/m", headers={"Connection": "close"})  # one behind the other
        data, _ = read(client)
    assert data.count(b"data: 1") == 1
    assert b"404" in body_of(data) + data
