"""`mockd requests` and `mockd verify`: which requests came, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.cli.harness import Cli, Served
from tests.wire.sockets import eventually

USAGE, REFUSED = 2, 4


@pytest.fixture(autouse=True)
def some_requests(cli: Cli, shared_server: Served) -> Iterator[None]:
    cli("add", "--path", "/m", "--body", "x", "--id", "m")
    cli("reset")
    for path, key in (("/m", ""), ("/m", "a"), ("/n", "")):
        httpx2.get(shared_server.mocks + path, headers={"X-Team": "red", "X-Mockd-Key": key} if key else {})
    eventually(lambda: all(entry["outcome"] for entry in cli("requests", "--json").json["requests"]))
    yield
    cli("reset")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("/m",), 0),
        (("GET /m",), 0),
        (("POST /m",), 1),
        (("/m", "--times", "2"), 0),
        (("/m", "--times", "1"), 1),
        (("/m", "--times", "0"), 1),
        (("/m", "--at-least", "2"), 0),
        (("/m", "--at-least", "3"), 1),
        (("/m", "--at-most", "2"), 0),
        (("/m", "--at-most", "1"), 1),
        (("/m", "--at-least", "1", "--at-most", "2"), 0),
        (("/m", "--never"), 1),
        (("/x", "--never"), 0),
        (("/m", "--key", "a", "--times", "1"), 0),
        (("/m", "--key", "", "--times", "1"), 0),
        (("--mock", "m", "--times", "2"), 0),
        (("--header", "X-Team: red", "--times", "1"), 0),
        (("--header", "X-Team:r*", "--header", "X-None: a"), 1),
        (("/x", "--within", "0.05"), 1),
        (("/m", "--within", "300"), 0),
        ((), USAGE),
        (("m",), USAGE),
        (("GET m",), USAGE),
        (("/m", "--times", "-1"), USAGE),
        (("/m", "--times", "1", "--at-most", "1"), USAGE),
        (("/m", "--within", "601"), USAGE),
        (("/m", "--header", "x"), USAGE),
        (("/m", "--never", "--times", "0"), REFUSED),
    ],
)
def test_verify(cli: Cli, arguments: tuple[str, ...], code: int) -> None:
    result = cli("verify", *arguments)
    assert result.code == code, result
    as_json = cli("verify", *arguments, "--json")
    assert as_json.code == code
    if code <= 1:
        assert as_json.json["ok"] is (code == 0)
        assert result.out.startswith("expected ")
        assert result.out.strip() == as_json.json["message"]
        assert result.err == ""


def test_what_cannot_be_known_is_said(cli: Cli, shared_server: Served) -> None:
    result = cli("verify", "--header", "X-Team: red", "--header", "Authorization: *a*", "--never")
    assert (result.code, result.err) == (0, "")  # without the header there is nothing to search
    httpx2.get(shared_server.mocks + "/m", headers={"Authorization": "Bearer abc"})
    result = cli("verify", "--header", "Authorization: *a*")
    assert (result.code, result.err) == (1, "It cannot be known whether that is so.\n")
    assert "credentials" in result.out


def test_requests_are_a_table_for_people(cli: Cli) -> None:
    lines = cli("requests").out.splitlines()
    assert lines[0].split() == ["ID", "TIME", "METHOD", "PATH", "STATUS", "MOCK", "EVENTS", "BYTES", "MS", "OUTCOME"]
    assert [line.split()[3:5] for line in lines[1:]] == [["/m", "200"], ["/m", "200"], ["/n", "404"]]
    assert [line.split()[3] for line in cli("requests", "--unmatched").out.splitlines()[1:]] == ["/n"]
    assert len(cli("requests", "--limit", "1").out.splitlines()) == 2
    entry = cli("requests", "--json").json["requests"][0]
    assert cli("requests", "show", entry["id"]).json == entry
    assert cli("requests", "show", "x").code == REFUSED
    cli("reset")
    assert "no such requests" in cli("requests").err
