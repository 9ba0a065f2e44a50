"""The command that shows a stream while it goes on, with keys to hold it, step it and cut it."""

from __future__ import annotations

import os
import queue
import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Annotated, Any

import typer

from mockd.cli.hand import one_of
from mockd.cli.help import examples
from mockd.cli.output import note
from mockd.cli.session import KeyOfStreams, Session, connected
from mockd.cli.watching.keys import Keyboard
from mockd.cli.watching.shows import Lines, Screen, Show
from mockd.cli.watching.terminal import Bell, Keys, SingleKeys, has_keys, signals, stop_here
from mockd.cli.watching.view import View, end_of

GONE = 1
"""Exit code if the server stops while its stream is being watched, or none can come."""
NO_STREAM = "No stream can come any more: its mock is gone, or the server has stopped."
REDRAWN_S = 0.05
"""Shortest time, in seconds, between two pictures."""
LOOK_S = 0.5
"""Time, in seconds, after which the time that is shown is brought up to date."""
MOST_UNREAD = 1_000
"""Most that is taken from the server before it is shown. Beyond it the server leaves events out."""
EXAMPLES = examples(
    "mockd sse watch sse-4f1c00000001       # a live stream",
    "mockd sse watch --mock chat            # the newest one of a mock, or the next",
    "mockd sse watch --mock chat > log.txt  # one line for each event",
)

DUMB = ("dumb", "unknown", "")
"""Kinds of terminals on which nothing can be drawn."""

Told = tuple[str, dict[str, Any]]


@connected
def watch(
    session: Session,
    connection_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="ID of the connection, unless --mock is given.")
    ] = None,
    mock_id: Annotated[
        str | None,
        typer.Option("--mock", metavar="ID", help="The newest live stream of this mock, or the next that begins."),
    ] = None,
    key: KeyOfStreams = None,
) -> None:
    """Watch a stream until it ends: each event as it is sent.

    Keys: h hold, s or Space step, r release, p push, x cut, c close, q or Ctrl-C quit. Quitting leaves the stream as it
    is: if it is held, it stays so. Without a terminal there are no keys, and each event is a line."""
    one_of(connection_id, mock_id)
    admin = session.admin
    told = (
        admin.watch_connection(str(connection_id), key=key) if mock_id is None else admin.watch_mock(mock_id, key=key)
    )
    first = next(told, None)  # a refusal is an error as with any command
    view = View()
    if first is not None:
        view.take(*first)
    keyboard = Keyboard(admin, view, mock_id, key)
    try:
        _show(view, keyboard, told, as_json=session.as_json)
    finally:
        if not view.is_over and not session.as_json:
            _say_what_stays(view, keyboard, "" if key is None else f" --key {shlex.quote(key)}")
    if view.outcome is not None and not session.as_json:
        note(end_of(view))
    if view.is_over and view.outcome in (None, "shutdown"):
        note("The server has stopped." if view.state is not None else NO_STREAM)
        raise typer.Exit(GONE)


def _say_what_stays(view: View, keyboard: Keyboard, key_option: str) -> None:
    """Say what is held when somebody quits, and how it is released."""
    if view.is_held:
        note(f"It stays held: `mockd sse release {view.id}` lets it go on.")
    elif view.state is None and keyboard.holds_next:
        command = f"mockd sse release --mock {keyboard.mock_id}{key_option}"
        note(f"The next stream will be held: `{command}` takes that back.")


def _show(view: View, keyboard: Keyboard, told: Iterator[Told], *, as_json: bool) -> None:
    """Show the stream until it has ended, or somebody quits."""
    is_keyed = has_keys() and not as_json
    is_whole = is_keyed and os.environ.get("TERM", "dumb") not in DUMB
    with ExitStack() as stack:
        bell = Bell()
        stack.callback(bell.close)
        show: Show = Screen() if is_whole else Lines(as_json=as_json)
        terminal = SingleKeys() if is_keyed else None
        if terminal is not None:
            stack.enter_context(signals(bell))
            stack.callback(terminal.end)
            terminal.begin()
        stack.callback(show.leave_behind, view)
        stack.callback(show.end)
        show.begin()
        keys, reader = Keys(bell, are_read=is_keyed), Reader(told, bell)
        while True:
            reader.bring(view)
            show.draw(view)
            view.told.clear()
            if view.is_over or keyboard.has_quit or keys.has_ended:
                return
            keyboard.typed(keys.wait(LOOK_S))
            if bell.is_stopped and terminal is not None:
                bell.is_stopped = False
                show.end()
                terminal.end()
                stop_here()
                terminal.begin()
                show.begin()
            time.sleep(REDRAWN_S)


class Reader:
    """Reads what the server tells in a thread, as keys must not wait for it."""

    def __init__(self, told: Iterator[Told], bell: Bell) -> None:
        self._told = told
        self._bell = bell
        self._queue: queue.Queue[Told | None] = queue.Queue(MOST_UNREAD)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(Exception):  # the server is gone; or the command has ended, and its client is closed
            for one in self._told:
                self._queue.put(one)
                self._bell.ring()
        self._queue.put(None)
        self._bell.ring()

    def bring(self, view: View) -> None:
        """Let the view have what has come."""
        with suppress(queue.Empty):
            while (one := self._queue.get_nowait()) is not None:
                view.take(*one)
            view.is_over = True
