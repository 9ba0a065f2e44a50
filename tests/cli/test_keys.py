"""Keys on the command line: mocks of one key, its streams, and the way back to the start."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.cli.harness import Cli, Served
from tests.wire.sockets import Client, eventually

REFUSED = 4
TICKING = ("--sse-event", "tick", "--sse-repeat", "0", "--sse-delay", "5")


@pytest.fixture(autouse=True)
def without_keys(cli: Cli) -> Iterator[None]:
    yield
    assert cli("reset", "--mocks").code == 0


def added(cli: Cli, *arguments: str) -> str:
    result = cli("add", "--path", "/m", "--json", *arguments)
    assert result.code == 0, result.err
    return str(result.json["id"])


def get(server: Served, path: str) -> str:
    return httpx2.get(server.mocks + path).text


def test_a_mock_of_one_key(cli: Cli, shared_server: Served) -> None:
    added(cli, "--body", "all", "--id", "m")
    assert added(cli, "--body", "mine", "--id", "m", "--key", "a") == "m"
    assert [get(shared_server, path) for path in ("/m", "/~a/m", "/~b/m")] == ["all", "mine", "all"]
    assert added(cli, "--body", "new", "--key", "a") == "m"  # it replaces by matcher, within the key
    assert [get(shared_server, path) for path in ("/m", "/~a/m")] == ["all", "new"]
    assert cli("list", "--key", "a", "--json").json["total"] == 1
    assert cli("get", "m", "--key", "a").json["response"]["body"] == "new"
    assert cli("update", "m", "--disabled", "--key", "a").code == 0
    assert get(shared_server, "/~a/m") == "all"
    assert cli("delete", "--path", "/m", "--key", "b").code == REFUSED
    assert cli("delete", "--path", "/m", "--key", "a").code == 0
    assert cli("list", "--key", "a").out == ""
    assert cli("list", "--json").json["total"] == 1


def test_keys_and_their_streams(cli: Cli, shared_server: Served) -> None:
    assert "no keys" in cli("keys").err
    added(cli, *TICKING, "--id", "m", "--key", "a")
    with Client(shared_server.mocks) as client:
        client.ask("/~a/m").read_until(b"tick")
        assert cli("keys").out.splitlines()[1].split()[:3] == ["a", "1", "1"]
        assert cli("keys", "list", "--json").json["total"] == 1
        [stream] = cli("sse", "connections", "list", "--key", "a", "--json").json["connections"]
        assert cli("sse", "connections", "list", "--mock", "m", "--key", "a", "--json").json["count"] == 1
        assert cli("sse", "connections", "list").out.splitlines()[0].split()[2] == "KEY"
        assert cli("sse", "connections", "list", "--key", "").out == ""
        assert cli("sse", "connections", "get", stream["id"], "--key", "b").code == REFUSED
        assert cli("sse", "connections", "get", stream["id"], "--key", "a").json["key"] == "a"
        assert cli("sse", "stats", "--key", "a", "--json").json["activeConnections"] == 1
        assert cli("sse", "connections", "close", stream["id"], "--key", "a").code == 0
    assert cli("keys", "delete", "a").out == "Deleted key: a\n"
    assert cli("keys", "delete", "a").code == REFUSED
    assert cli("keys", "delete", "a b").code == REFUSED


def test_reset(cli: Cli, shared_server: Served) -> None:
    added(cli, "--body", "all", "--fault", "status 500 for requests 1", "--id", "m")
    added(cli, *TICKING, "--path", "/s", "--id", "s", "--key", "a")
    for _ in range(2):
        assert [get(shared_server, "/m") == "all" for _ in range(2)] == [False, True]
        assert cli("reset", "--key", "", "--json").json["counters"] == 1
    with Client(shared_server.mocks) as client:
        client.ask("/~a/s").read_until(b"tick")
        assert cli("reset", "--streams", "--key", "a", "--json").json["streams"] == 1
        eventually(lambda: cli("sse", "connections", "list", "--json").json["connections"] == [])
    assert "mocks" in cli("reset", "--mocks").out
    assert cli("list").out == cli("list", "--key", "a").out == ""
    assert "no mocks of its own" in cli("list", "--key", "a").err
    assert "Nothing was kept for the key b" in cli("reset", "--key", "b").err


@pytest.mark.parametrize("words", [("list",), ("get", "m"), ("reset",), ("add", "--path", "/m", "--body", "x")])
def test_what_is_no_key_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    result = cli(*words, "--key", "a b")
    assert result.code == REFUSED
    assert "1 to 100" in result.err
