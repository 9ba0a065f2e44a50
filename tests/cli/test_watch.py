"""`mockd sse watch`: a live view of a stream, in terminals of their own beside a client that reads it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.cli.watching.keys import Keyboard
from mockd.cli.watching.shows import Lines, frame
from mockd.cli.watching.view import MOST_EVENTS, View, state_of
from mockd.client import AdminClient
from tests.cli.harness import PATIENCE_S, Cli, Serve, Served, clean_environ
from tests.cli.pseudo_terminal import Terminal
from tests.programs import program
from tests.wire.sockets import Client

HOSTILE = "\x1b[2J\x1b]0;pwned\x07\x9b31m\u202e\x08"


class Reader(Client):
    """A client that reads the body of a stream event by event."""

    def open(self, path: str) -> Reader:
        self.ask(path, headers={"Connection": "close"})
        assert self.read_head()[0] == 200
        return self

    def next(self) -> str:
        return self.read_until(b"\n\n").decode().partition("\r\n")[2]


@pytest.fixture
def chat(cli: Cli, shared_server: Served) -> Iterator[Reader]:
    """A client of a stream that is held behind its second event."""
    events = [f"--sse-event=tick:{number}" for number in range(1, 6)]
    assert cli("add", "--id", "chat", "--path", "/chat", *events).code == 0
    assert cli("sse", "hold", "--mock", "chat", "--at", "2", "--upcoming", "1").code == 0
    with Reader(shared_server.mocks) as client:
        yield client.open("/chat")


def watching(server: Served, *arguments: str, **options: Any) -> Terminal:
    return Terminal("sse", "watch", "--admin-url", server.admin, *(arguments or ("--mock", "chat")), **options)


def add(server: Served, mock: dict[str, Any]) -> None:
    with AdminClient(server.admin) as admin:
        admin.create_mock(mock)


def id_of(cli: Cli) -> str:
    [connection] = cli("sse", "connections", "--json").json["connections"]
    return str(connection["id"])


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_keys_move_the_stream(cli: Cli, shared_server: Served, chat: Reader, kind: str) -> None:
    with watching(shared_server, kind=kind) as terminal:
        terminal.see("chat", "held")
        chat.read_until(b"data: 2\n\n")
        terminal.press("s")
        terminal.see("3  tick  3")
        chat.read_until(b"data: 3\n\n")
        terminal.press("pnew\x7fws:late \x1b[A$1\r")
        terminal.see("4  news  late $1")
        chat.read_until(b"event: news\ndata: late $1\n\n")
        terminal.press("p\x15nothing\x1b")  # Escape
        terminal.press("xresett\r")
        assert "?) (did you mean" not in terminal.see("(did you mean `reset`?)")
        terminal.press("r")
        terminal.see("6  tick  5", "Ended: completed, by mockd, 6 events")
        assert chat.read_to_end().count(b"data: ") == 2
        assert terminal.wait() == 0
        assert terminal.is_restored()
    if kind == "dumb":
        assert "\x1b" not in terminal.written


def test_keys_hold_cut_and_close(cli: Cli, shared_server: Served, chat: Reader) -> None:
    with watching(shared_server, id_of(cli)) as terminal:
        terminal.see("held", "2 events")
        terminal.press("r")
        terminal.see("Ended: completed")
    cli("add", "--id", "slow", "--path", "/slow", "--sse-event=tick:1", "--sse-delay", "20", "--sse-repeat", "0")
    with watching(shared_server, "--mock", "slow") as terminal, Reader(shared_server.mocks) as client:
        terminal.see("waiting for a stream to begin")
        terminal.press("s")
        terminal.see("No stream has begun yet.")
        terminal.press("h")
        terminal.see("It will be held.")
        terminal.press("r")
        terminal.see("It will not be held.")
        terminal.press("h")
        terminal.see("It will be held.")
        client.open("/slow")
        terminal.see("held", "0 events")
        terminal.press("rh")
        terminal.see("Held.")
        terminal.press("x\r")
        terminal.see("Ended: aborted, by mockd", "faults: reset")
        with pytest.raises(ConnectionResetError):
            client.read_to_end()
    with Reader(shared_server.mocks) as client:
        client.open("/slow").next()
        with watching(shared_server, "--mock", "slow") as terminal:
            terminal.see("active")
            terminal.press("c")
            terminal.see("Ended: closed_by_admin, by mockd")
            assert client.read_to_end()


@pytest.mark.parametrize(
    ("leave", "code"),
    [("q", 0), ("\x03", 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["q", "Ctrl-C", "SIGTERM", "SIGHUP"],
)
@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_whoever_leaves_leaves_the_stream_as_it_is(
    cli: Cli, shared_server: Served, chat: Reader, leave: str | signal.Signals, code: int, kind: str
) -> None:
    with watching(shared_server, kind=kind) as terminal:
        terminal.see("held")
        if isinstance(leave, str):
            terminal.press(leave)
        else:
            terminal.process.send_signal(leave)
        terminal.see(f"It stays held: `mockd sse release {id_of(cli)}`")
        assert terminal.wait() == code
        assert terminal.is_restored()
    assert cli("sse", "wait", id_of(cli), "--held").code == 0


def test_whoever_leaves_is_told_that_the_next_stream_will_be_held(cli: Cli, shared_server: Served) -> None:
    cli("add", "--id", "chat", "--path", "/chat", "--sse-event", "x")
    for keys, is_told in (("h", True), ("hr", False)):
        with watching(shared_server, "--mock", "chat", "--key", "") as terminal:
            terminal.see("waiting")
            terminal.press(keys)
            terminal.see("It will be held." if is_told else "It will not be held.")
            terminal.press("q")
            if is_told:
                terminal.see("`mockd sse release --mock chat --key ''` takes that back.")
            assert terminal.wait() == 0
            assert ("takes that back" in terminal.written) is is_told


SHELL = """
set -m
"$@"
echo "stopped $?"
read -r
fg
echo "ended $?"
"""


def test_ctrl_z_gives_the_terminal_back_for_as_long(shared_server: Served, chat: Reader) -> None:
    with watching(shared_server, shell=[program("bash"), "-c", SHELL, "bash"]) as terminal:
        terminal.see("held", "2 events")
        assert not terminal.is_restored()
        terminal.press("\x1a")
        terminal.see(f"stopped {128 + signal.SIGTSTP}")
        assert terminal.is_restored()
        terminal.press("\n")
        terminal.see("held", "2 events", "quit")
        assert not terminal.is_restored()
        terminal.press("s")
        terminal.see("3  tick  3")
        terminal.press("q")
        terminal.see("ended 0")
        assert terminal.is_restored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_stops(serve: Serve, number: signal.Signals) -> None:
    server = serve()
    add(server, {"id": "idle", "matcher": {"path": "/idle"}, "sse": {"manual": True}})
    with Reader(server.mocks) as client, watching(server, "--mock", "idle") as terminal:
        terminal.see("waiting")
        client.open("/idle")
        terminal.see("active")
        server.process.send_signal(number)
        terminal.see("The server has stopped.")
        assert terminal.wait() == 1
        assert terminal.is_restored()


def test_a_mock_that_is_deleted_has_no_next_stream(cli: Cli, shared_server: Served) -> None:
    cli("add", "--id", "chat", "--path", "/chat", "--sse-event", "x")
    with watching(shared_server) as terminal:
        terminal.see("waiting")
        cli("delete", "chat")
        terminal.see("No stream can come any more: its mock is gone")
        assert terminal.wait() == 1
        assert terminal.is_restored()


def piped(server: Served, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mockd", "sse", "watch", "--admin-url", server.admin, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environ(),
        text=True,
    )


def test_without_a_terminal_each_event_is_a_line(cli: Cli, shared_server: Served, chat: Reader) -> None:
    with piped(shared_server, "--mock", "chat") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == f"{id_of(cli)} of chat: /chat\n"
        assert process.stderr.readline() == "held at 2\n"
        cli("sse", "step", "--mock", "chat")
        assert process.stdout.readline().split()[1:] == ["3", "tick", "3"]
        cli("sse", "push", "--mock", "chat", "two\nlines")
        assert process.stdout.readline().split()[1:] == ["4", "two\\nlines"]
        cli("sse", "release", "--mock", "chat")
        out, err = process.communicate(timeout=PATIENCE_S)
    assert [line.split()[1:] for line in out.splitlines()] == [["5", "tick", "4"], ["6", "tick", "5"]]
    assert err.splitlines()[-1].startswith("Ended: completed, by mockd, 6 events, ")
    assert process.returncode == 0


def test_json_is_one_document_for_each_thing_that_happens(cli: Cli, shared_server: Served, chat: Reader) -> None:
    with piped(shared_server, "--mock", "chat", "--json") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        cli("sse", "release", "--mock", "chat")
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (first["event"], first["held"], first["heldAt"]) == ("state", True, 2)
    told = [json.loads(line) for line in out.splitlines()]
    assert [(one["number"], one["type"], one["data"]) for one in told if one["event"] == "sent"] == [
        (3, "tick", "3"),
        (4, "tick", "4"),
        (5, "tick", "5"),
    ]
    assert told[-1]["outcome"] == "completed"
    assert err == ""


def test_an_ended_stream_is_refused(cli: Cli, shared_server: Served, chat: Reader) -> None:
    connection_id = id_of(cli)
    cli("sse", "release", connection_id)
    chat.read_to_end()
    result = cli("sse", "watch", connection_id)
    assert (result.code, result.out) == (4, "")
    assert "already ended: completed" in result.err


@pytest.mark.parametrize(("kind", "columns"), [("xterm", 100), ("xterm", 30), ("dumb", 100)])
def test_an_event_cannot_write_to_the_terminal(cli: Cli, shared_server: Served, kind: str, columns: int) -> None:
    events = [
        {"type": f"a{HOSTILE}", "id": f"b{HOSTILE}", "data": f"c{HOSTILE}"},
        {"raw": f": d{HOSTILE}\n\n"},
        {"rawBase64": "/w=="},
    ]
    add(shared_server, {"id": "chat", "matcher": {"path": "/chat"}, "sse": {"events": events}})
    with watching(shared_server, kind=kind, columns=columns) as terminal, Reader(shared_server.mocks) as client:
        terminal.see("aiting")
        client.open("/chat").read_to_end()
        terminal.see("Ended: completed")
    for part in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e", "\x08"):
        assert part not in terminal.written
    assert "a\\x1b[2J" in terminal.written


SIZES = [(20, 5), (5, 1), (1, 1), (40, 7), (80, 24), (300, 100)]


@pytest.mark.parametrize(("columns", "rows"), SIZES)
@pytest.mark.parametrize("prompt", [None, "TYPE:DATA to push: " + "x" * 50])
def test_a_picture_has_the_size_of_its_terminal(columns: int, rows: int, prompt: str | None) -> None:
    view = View()
    assert len(frame(view, columns, rows)) == rows
    state = {"id": "sse-1", "mockId": "m", "path": "/\n", "held": True, "heldAt": 2, "status": "active"}
    view.take("state", {**state, "eventsSent": 3, "bytesSent": 5, "durationMs": 1, "lateness": None})
    view.take("missed", {"missed": 3})
    for number in range(200):
        view.take(
            "sent", {"atMs": number, "number": number, "bytes": 9, "type": "t", "data": "漢字 " * 99, "cut": True}
        )
    view.prompt = prompt
    lines = frame(view, columns, rows)
    assert len(lines) == rows
    assert all(line.cell_len <= columns and line.plain.isprintable() for line in lines)
    if (columns, rows) == (20, 5):
        assert [line.plain[:6] for line in lines[:4]] == ["held  ", " 197  ", " 198  ", " 199  "]


def test_events_that_wait_for_a_line_to_be_typed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    view, lines = View(), Lines(as_json=False)
    view.prompt = "TYPE:DATA to push: "
    for number in range(MOST_EVENTS + 5):
        view.take("sent", {"atMs": number, "number": number, "bytes": 9})
        lines.draw(view)
    assert capsysbinary.readouterr().out == b""
    view.prompt = None
    lines.draw(view)
    lines.draw(view)
    printed = capsysbinary.readouterr().out.splitlines()
    assert (printed[0].strip(), len(printed)) == (b"(5 more)", MOST_EVENTS + 1)


def test_a_server_that_is_killed_holds_nothing(serve: Serve) -> None:
    server = serve()
    add(server, {"id": "idle", "matcher": {"path": "/idle"}, "sse": {"manual": True}})
    with Reader(server.mocks) as client, watching(server, "--mock", "idle") as terminal:
        terminal.see("waiting")
        client.open("/idle")
        terminal.press("h")
        terminal.see("held")
        server.process.kill()
        assert "stays held" not in terminal.see("The server has stopped.")
        assert terminal.wait() == 1


def test_a_terminal_of_few_characters(cli: Cli, shared_server: Served) -> None:
    add(shared_server, {"id": "chat", "matcher": {"path": "/chat"}, "sse": {"events": [{"data": "\u6f22\u5b57"}]}})
    few = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
    with watching(shared_server, environ=few) as terminal, Reader(shared_server.mocks) as client:
        terminal.see("waiting")
        client.open("/chat").read_to_end()
        terminal.see("\\u6f22\\u5b57", "Ended: completed")
        assert terminal.wait() == 0


def test_a_small_terminal_that_grows(shared_server: Served, chat: Reader) -> None:
    with watching(shared_server, columns=20, rows=5) as terminal:
        terminal.see("held  2 events", "q quit")
        terminal.press("s")
        terminal.see("3  tick  3")
        terminal.resize(90, 12)
        terminal.process.send_signal(signal.SIGWINCH)
        shown = terminal.see("chat  /chat", "3  tick  3", "c close")
        assert max(map(len, shown.split("\r\n"))) <= 180  # two pictures may stand side by side
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.is_restored()


def test_what_is_said_of_a_key_stays_until_the_next_one(shared_server: Served) -> None:
    view = View()
    view.take("state", {"id": "sse-1", "held": True, "heldAt": 2, "status": "active"})
    with AdminClient(shared_server.admin) as admin:
        keyboard = Keyboard(admin, view, None, None)
        keyboard.typed("s")
        said = view.message
        assert said == "Connection not found: sse-1"
        keyboard.typed("")
        assert view.message == said
        keyboard.typed("x")
        assert view.message == ""


def test_a_key_is_answered_before_the_server_tells() -> None:
    view = View()
    view.take("state", {"held": True, "heldAt": 2, "status": "active"})
    view.update({"held": False, "status": "active"})
    assert view.state is not None
    assert state_of(view.state) == "active"
