"""Commands that hold live streams, push events into them, cut them, and wait for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from mockd.cli import values
from mockd.cli.help import examples
from mockd.cli.output import note, print_table
from mockd.cli.session import KeyOfStreams, Session, connected
from mockd.cli.watching.view import state_of

NOT_SO = 1
"""Exit code of a wait in vain, and of what is done to the live streams of a mock that has none."""
NOBODY = "There are no live streams."

_Id = Annotated[str | None, typer.Argument(metavar="ID", help="ID of the connection, unless --mock is given.")]
_Mock = Annotated[
    str | None, typer.Option("--mock", metavar="ID", help="The live streams of this mock, instead of one connection.")
]


def one_of(connection_id: str | None, mock_id: str | None) -> None:
    """Raise a usage error unless there is either the ID of a connection or the ID of a mock."""
    if (connection_id is None) is (mock_id is None):
        raise typer.BadParameter("give the ID of a connection, or the ID of a mock with --mock")


def _with_word(
    connection_id: str | None, word: str | None, mock_id: str | None, metavar: str
) -> tuple[str | None, str]:
    """The ID of a connection, unless there is a mock, and the word behind it."""
    words = [given for given in (connection_id, word) if given is not None]
    wanted = [metavar] if mock_id is not None else ["ID", metavar]
    if len(words) != len(wanted):
        given = "with --mock" if mock_id is not None else "without --mock"
        raise typer.BadParameter(f"expected {' '.join(wanted)} {given}")
    return (None if mock_id is not None else words[0]), words[-1]


def _answer(
    of_one: Callable[..., Any],
    of_all: Callable[..., Any],
    connection_id: str | None,
    mock_id: str | None,
    *given: Any,
    key: str | None,
) -> dict[str, Any]:
    """The answer of a method for one connection or, if there is a mock instead, of the method for its live streams."""
    answer: dict[str, Any]
    answer = of_all(mock_id, *given, key=key) if connection_id is None else of_one(connection_id, *given, key=key)
    return answer


def _say(session: Session, answer: dict[str, Any], nothing: str) -> None:
    """Print the streams of an answer, as they are now, or say that there are none."""
    found = answer["connections"] if "connections" in answer else [answer["connection"]]
    rows = [
        (one["id"], one["mockId"], one.get("key", ""), one["eventsSent"], state_of(one), one.get("outcome", ""))
        for one in found
    ]
    headings = ["ID", "MOCK", "KEY", "EVENTS", "STATE", "OUTCOME"]
    session.answer(answer, lambda: print_table(headings, rows) if rows else note(nothing))


def _say_done(session: Session, answer: dict[str, Any], hint: str = "") -> None:
    """Print the streams to which something was done. Exits with 1 if there are none."""
    _say(session, answer, NOBODY + hint)
    if answer.get("connections") == []:
        raise typer.Exit(NOT_SO)


def _number(text: str | None) -> int | str | None:
    """A number, or the word that is there instead."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


@connected
def hold(
    session: Session,
    connection_id: _Id = None,
    mock_id: _Mock = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="N", help="After so many events, or `head`: before the head. By default, now."),
    ] = None,
    upcoming: Annotated[
        str | None,
        typer.Option("--upcoming", metavar="N", help="So many of the streams that begin next, or `all`; with --mock."),
    ] = None,
    no_keepalives: Annotated[bool, typer.Option("--no-keepalives", help="Send no keepalives meanwhile.")] = False,
    freeze_timeouts: Annotated[
        bool, typer.Option("--freeze-timeouts", help="Let the stream's own time limits stand still meanwhile.")
    ] = False,
    key: KeyOfStreams = None,
) -> None:
    """Hold a stream. Nothing is sent until it is released; then it goes on where it was. Exits with 1 if the mock has
    no live stream."""
    one_of(connection_id, mock_id)
    more: dict[str, Any] = {"at": _number(at), "keepalives": not no_keepalives, "freeze_timeouts": freeze_timeouts}
    if connection_id is not None:
        if upcoming is not None:
            raise typer.BadParameter("--upcoming goes with --mock")
        _say(session, session.admin.hold_connection(connection_id, key=key, **more), "")
        return
    assert mock_id is not None
    answer = session.admin.hold_mock(mock_id, upcoming=_number(upcoming), key=key, **more)
    if upcoming is None:
        _say_done(session, answer, " With --upcoming, those are held that begin next.")
    else:
        _say(session, answer, "They are held when they begin.")


@connected
def release(session: Session, connection_id: _Id = None, mock_id: _Mock = None, key: KeyOfStreams = None) -> None:
    """Let a held stream go on. With --mock, hold none that begin later."""
    one_of(connection_id, mock_id)
    admin = session.admin
    answer = _answer(admin.release_connection, admin.release_mock, connection_id, mock_id, key=key)
    _say(session, answer, NOBODY)


@connected
def step(
    session: Session,
    connection_id: _Id = None,
    mock_id: _Mock = None,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="Number of events.")] = 1,
    key: KeyOfStreams = None,
) -> None:
    """Let the next events out, and hold the stream behind them. Exits with 1 if the mock has no live stream."""
    one_of(connection_id, mock_id)
    admin = session.admin
    answer = _answer(admin.step_connection, admin.step_mock, connection_id, mock_id, count, key=key)
    _say_done(session, answer)


@connected
def push(
    session: Session,
    connection_id: _Id = None,
    word: Annotated[str | None, typer.Argument(metavar="TYPE:DATA", help="The event, or its data alone.")] = None,
    mock_id: _Mock = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Send the text as it stands, in place of an event; `\\n` is a line break.")
    ] = False,
    key: KeyOfStreams = None,
) -> None:
    """Push an event into a stream, held or not."""
    connection_id, word = _with_word(connection_id, word, mock_id, "TYPE:DATA")
    event = {"raw": word.replace("\\n", "\n")} if raw else values.event(word)
    admin = session.admin
    answer = _answer(admin.push_into_connection, admin.push_into_mock, connection_id, mock_id, event, key=key)
    _say(session, answer, "It waits for clients that come back.")


@connected
def cut(
    session: Session,
    connection_id: _Id = None,
    word: Annotated[str | None, typer.Argument(metavar="ACTION", help="The fault, such as `stall ms=50`.")] = None,
    mock_id: _Mock = None,
    key: KeyOfStreams = None,
) -> None:
    """Let a fault strike a stream now. `mockd faults` lists them. Exits with 1 if the mock has no live stream."""
    connection_id, line = _with_word(connection_id, word, mock_id, "ACTION")
    admin = session.admin
    answer = _answer(admin.cut_connection, admin.cut_mock, connection_id, mock_id, line, key=key)
    _say_done(session, answer)


@connected
def wait(
    session: Session,
    connection_id: _Id = None,
    mock_id: _Mock = None,
    opened: Annotated[
        int | None,
        typer.Option("--opened", metavar="N", min=1, help="So many streams, ended ones included; with --mock."),
    ] = None,
    reached: Annotated[
        int | None, typer.Option("--reached", metavar="N", min=0, help="It has sent so many events.")
    ] = None,
    held: Annotated[bool, typer.Option("--held", help="It is held.")] = False,
    ended: Annotated[bool, typer.Option("--ended", help="It has ended.")] = False,
    timeout_seconds: Annotated[
        float, typer.Option("--timeout-seconds", metavar="SECONDS", min=0, max=600, help="Longest wait, in seconds.")
    ] = 30.0,
    key: KeyOfStreams = None,
) -> None:
    """Wait until a stream is as far as said. Exits with 1 if it never is."""
    one_of(connection_id, mock_id)
    more: dict[str, Any] = {"reached": reached, "held": held, "ended": ended, "timeout_seconds": timeout_seconds}
    if connection_id is not None:
        if opened is not None:
            raise typer.BadParameter("--opened goes with --mock")
        answer = session.admin.wait_for_connection(connection_id, key=key, **more)
    else:
        answer = session.admin.wait_for_mock(str(mock_id), opened=opened, key=key, **more)
    _say(session, answer, "There are no such streams.")
    if not answer["ok"]:
        note("The wait was in vain: it is not so yet, or never can be.")
        raise typer.Exit(NOT_SO)


COMMANDS: dict[str, tuple[Callable[..., None], str | None]] = {
    "hold": (
        hold,
        examples(
            "mockd sse hold --mock chat --at 2 --upcoming 1    # the next stream, behind its second event",
            "mockd sse hold sse-4f1c00000001                   # a live one, where it is",
        ),
    ),
    "release": (release, None),
    "step": (step, None),
    "push": (push, examples("mockd sse push --mock ticks tick:3", "mockd sse push sse-4f1c00000001 tick:3")),
    "cut": (cut, examples("mockd sse cut sse-4f1c00000001 reset", "mockd sse cut --mock chat 'stall ms=2000'")),
    "wait": (wait, examples("mockd sse wait --mock chat --opened 1", "mockd sse wait sse-4f1c00000001 --reached 5")),
}
"""The commands, each with its examples."""
