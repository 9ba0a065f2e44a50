"""The two ways to show a view: on the whole screen of a terminal, and line by line."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any, Protocol

from mockd.cli.output import note, write
from mockd.cli.watching.keys import KEYS, QUIT
from mockd.cli.watching.view import View, facts_of, line_of, state_of, words_of
from mockd.tables import printable

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

ROOMY = 8
"""Lines of a terminal from which on there is room for two lines above the events and two below."""
NARROW = 40
"""Columns of a terminal below which an event has no time."""
_HINTS = {QUIT: "quit", **{char: key.word for char, key in KEYS.items()}}


class Show(Protocol):
    """A way to show a view."""

    def begin(self) -> None:
        """Get ready, also after a stop."""

    def draw(self, view: View) -> None:
        """Show the view as it is now."""

    def end(self) -> None:
        """Put the terminal back as it was."""

    def leave_behind(self, view: View) -> None:
        """Print what shall stay to be read, at the very end."""


class Lines:
    """Each event as a line on stdout; all else on stderr, for people. As JSON, all that came is on stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._shown = 0
        self._said: list[str] = []
        self._message = ""
        self._prompt: str | None = None

    def begin(self) -> None:
        """Nothing is changed."""

    def end(self) -> None:
        """Nothing was changed."""

    def leave_behind(self, view: View) -> None:
        """All of it is there."""

    def draw(self, view: View) -> None:
        if self._as_json:
            write("".join(json.dumps({"event": type, **data}) + "\n" for type, data in view.told))
            return
        if view.prompt is not None or self._prompt is not None:
            self._ask(view)
            return
        events = view.newest(view.came - self._shown)
        if hidden := view.came - self._shown - len(events):
            events.insert(0, {"missed": hidden})
        write("".join(line_of(event) + "\n" for event in events))
        self._shown = view.came
        said = _said(view)
        for line in said:
            if line not in self._said:
                note(line)
        self._said = said
        if view.message and view.message != self._message:
            note(view.message)
        self._message = view.message

    def _ask(self, view: View) -> None:
        """Show what is being typed. Events wait meanwhile."""
        if view.prompt is None:
            sys.stderr.write("\n")
        elif view.prompt != self._prompt:
            sys.stderr.write(f"\r{view.prompt} \b")
        sys.stderr.flush()
        self._prompt = view.prompt


def _said(view: View) -> list[str]:
    """What is said of the state of a stream when it comes to be so."""
    state = view.state
    if state is None:
        return ["Waiting for a stream to begin."]
    name = f"{state['id']} of {state['mockId']}: {state['path']}"
    where = f" at {state['heldAt']}" if state["held"] and "heldAt" in state else ""
    faults = [f"{number}. fault: {fault['action']}" for number, fault in enumerate(state.get("faults", ()), start=1)]
    return [printable(line) for line in (name, state_of(state) + where, *faults)]


class Screen:
    """The newest events on a whole screen, below what is known of the stream and above the keys."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False, markup=False, emoji=False)
        self._live: Live | None = None

    def begin(self) -> None:
        from rich.live import Live

        if isinstance(sys.stdout, io.TextIOWrapper):  # which may know few characters
            sys.stdout.reconfigure(errors="backslashreplace")
        self._live = Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def draw(self, view: View) -> None:
        from rich.console import Group

        if self._live is not None:
            width, height = self._console.size
            self._live.update(Group(*frame(view, width, height)), refresh=True)

    def leave_behind(self, view: View) -> None:
        _, height = self._console.size
        for event in view.newest(max(1, height - 4)):
            self._console.print(_event(event, self._console.width), no_wrap=True, overflow="crop", crop=True)


def frame(view: View, width: int, height: int) -> list[Text]:
    """The lines of a screen, exactly as many as there is room for, none of them wider."""
    from rich.text import Text

    is_roomy = height >= ROOMY
    above = [_name(view), _state(view)] if is_roomy else [_state(view)]
    asked = view.prompt if view.prompt is None else view.prompt[-max(1, width - 1) :] + "_"
    said = Text(asked or view.message, style="bold" if asked else "yellow")
    hints = _hints()
    below = [said, hints] if is_roomy else [said if said.plain else hints]
    room = max(0, height - len(above) - len(below))
    events = [_event(event, width) for event in view.newest(room)] if room else []
    lines = [*above, *events, *[Text()] * (room - len(events)), *below][:height]
    for line in lines:
        line.no_wrap, line.overflow = True, "crop"
        line.truncate(width)
    return lines


def _name(view: View) -> Text:
    from rich.text import Text

    if view.state is None:
        return Text("mockd", style="bold")
    mock_id, path = printable(view.state["mockId"] or "-"), printable(view.state["path"])
    return Text.assemble((mock_id, "bold"), f"  {path}  ", (view.state["id"], "dim"))


def _state(view: View) -> Text:
    from rich.text import Text

    if view.state is None:
        return Text("waiting for a stream to begin", style="bold yellow")
    words = view.outcome or state_of(view.state)
    style = "bold yellow" if view.is_held else "bold green" if view.outcome is None else "bold"
    return Text.assemble((words, style), "  ", "  ".join(facts_of(view)))


def _event(event: dict[str, Any], width: int) -> Text:
    from rich.text import Text

    at, number, what = words_of(event)
    type = printable(event["type"]) if "type" in event else ""
    text = Text.assemble((f"{number:>4}  ", "cyan"), (type, "bold blue"), what[len(type) :])
    return text if width < NARROW else Text.assemble((f"{at:>9}  ", "dim"), text)


def _hints() -> Text:
    from rich.text import Text

    return Text("  ").join(Text.assemble((char, "bold reverse"), f" {word}") for char, word in _HINTS.items())
