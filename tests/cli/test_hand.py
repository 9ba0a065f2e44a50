"""The commands that hold a stream, push into it, cut it and wait for it, beside a client that reads it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.cli.harness import Cli, Served


def read_until(chunks: Iterator[str], end: str) -> str:
    """The text up to and with an end, of which one always comes whole."""
    text = ""
    while not text.endswith(end):
        text += next(chunks)
    return text


def test_a_stream_in_the_hand_of_a_terminal(cli: Cli, shared_server: Served) -> None:
    cli("add", "--id", "chat", "--path", "/chat", *[f"--sse-event=tick:{number}" for number in range(1, 6)])
    on_mock = ("--mock", "chat")
    upcoming = cli("sse", "hold", *on_mock, "--at", "2", "--upcoming", "1")
    assert (upcoming.code, upcoming.out, upcoming.err) == (0, "", "They are held when they begin.\n")
    with httpx2.stream("GET", shared_server.mocks + "/chat") as answer:
        chunks = answer.iter_text()
        read_until(chunks, "data: 2\n\n")
        found = cli("sse", "wait", *on_mock, "--held", "--json").json
        connection_id = found["connections"][0]["id"]
        table = cli("sse", "wait", connection_id, "--reached", "2").out.splitlines()
        assert table[0].split() == ["ID", "MOCK", "KEY", "EVENTS", "STATE", "OUTCOME"]
        assert table[1].split() == [connection_id, "chat", "2", "held"]
        late = cli("sse", "wait", connection_id, "--reached", "3", "--timeout-seconds", "0.01")
        assert (late.code, late.err) == (1, "The wait was in vain: it is not so yet, or never can be.\n")
        assert cli("sse", "step", connection_id).code == 0
        assert read_until(chunks, "data: 3\n\n") == "event: tick\ndata: 3\n\n"
        assert cli("sse", "push", connection_id, 'extra:{"n": 1}').code == 0
        assert next(chunks) == 'event: extra\ndata: {"n":1}\n\n'
        assert cli("sse", "push", *on_mock, "--raw", ": raw\\n\\n").code == 0
        assert next(chunks) == ": raw\n\n"
        assert "to be held at 9" in cli("sse", "hold", connection_id, "--at", "9").out
        assert cli("sse", "release", *on_mock).code == 0
        assert "".join(chunks).endswith("data: 5\n\n")
    ended = cli("sse", "step", connection_id, "--json")
    assert (ended.code, ended.json["error"]) == (4, "conflict")
    assert cli("sse", "wait", *on_mock, "--opened", "1", "--ended").code == 0


NONE = "There are no live streams."
DONE_TO_SOME: dict[str, tuple[list[str], tuple[int, str]]] = {
    "hold": ([], (1, f"{NONE} With --upcoming, those are held that begin next.")),
    "step": ([], (1, NONE)),
    "cut": (["reset"], (1, NONE)),
    "push": (["tick:1"], (4, "Error: the server refused (conflict)")),
    "release": ([], (0, NONE)),
}
"""Commands for the live streams of a mock, and what they say of one that has none."""


@pytest.mark.parametrize("command", DONE_TO_SOME)
def test_a_command_for_streams_fails_if_there_are_none(cli: Cli, shared_server: Served, command: str) -> None:
    cli("add", "--id", "idle", "--path", "/idle", "--sse-event=tick:1")
    more, expected = DONE_TO_SOME[command]
    ran = cli("sse", command, "--mock", "idle", *more)
    assert (ran.code, ran.err.splitlines()[0]) == expected
    ran = cli("sse", command, "--mock", "idle", *more, "--json")
    assert (ran.code, ran.json.get("count", 0)) == (expected[0], 0)
