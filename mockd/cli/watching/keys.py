"""The keys of the live view, and what they do: each is a call of the admin API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from mockd.cli import values
from mockd.cli.watching.view import View
from mockd.client import AdminClient
from mockd.errors import MockdError
from mockd.tables import printable

ESCAPE, ENTER, BACKSPACE, ERASE_LINE = "\x1b", "\r\n", "\x7f\b", "\x15"
QUIT = "q"
MOST_TYPED = 10_000
"""Most characters that can be typed at a question."""
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.)")
"""What a terminal sends for a key without a character, such as an arrow."""


class Key(NamedTuple):
    """A key of one stream. `ask` is the question before what is typed, if anything is; an empty answer is `usual`."""

    word: str
    do: Callable[[AdminClient, str, str | None, str], Any]
    done: str
    ask: str = ""
    usual: str = ""


KEYS: dict[str, Key] = {
    "h": Key("hold", lambda admin, id, key, _: admin.hold_connection(id, key=key), "Held."),
    "s": Key("step", lambda admin, id, key, _: admin.step_connection(id, key=key), "One step."),
    "r": Key("release", lambda admin, id, key, _: admin.release_connection(id, key=key), "Released."),
    "p": Key(
        "push",
        lambda admin, id, key, text: admin.push_into_connection(id, values.event(text), key=key),
        "Pushed.",
        ask="TYPE:DATA to push: ",
    ),
    "x": Key(
        "cut",
        lambda admin, id, key, text: admin.cut_connection(id, text, key=key),
        "Cut.",
        ask="fault to cut with (reset): ",
        usual="reset",
    ),
    "c": Key("close", lambda admin, id, key, _: admin.end_connection(id, key=key), "Closing."),
}
ALIASES = {" ": "s", "n": "s"}
"""Other keys for the same."""


class Keyboard:
    """What is typed at a view, of a stream or of the next one of a mock. `has_quit` is whether that is enough,
    and `holds_next` whether the next stream is to be held by a key of this view."""

    def __init__(self, admin: AdminClient, view: View, mock_id: str | None, key: str | None) -> None:
        self.has_quit = False
        self.holds_next = False
        self._admin = admin
        self._view = view
        self.mock_id = mock_id
        self._key = key
        self._asked: Key | None = None
        self._typed = ""

    def typed(self, text: str) -> None:
        """Take note of what was typed, if anything was. What was said of the key before it stays until then."""
        if text:
            self._view.message = ""
        for char in _SEQUENCE.sub("", text):
            if self._asked is not None:
                self._answer(self._asked, char)
            elif char == QUIT:
                self.has_quit = True
            else:
                self._press(ALIASES.get(char, char))

    def _press(self, char: str) -> None:
        state = self._view.state
        if char not in KEYS:
            return
        if state is None:
            self._press_before(char)
        elif KEYS[char].ask:
            self._asked, self._typed = KEYS[char], ""
            self._ask()
        else:
            self._do(KEYS[char], "")

    def _press_before(self, char: str) -> None:
        """Take a key while the stream is yet to begin: `h` holds it behind its head, `r` takes that back."""
        mock_id, admin, key = self.mock_id, self._admin, self._key
        if mock_id is not None and char == "h":
            done = self._try(lambda: admin.hold_mock(mock_id, at=0, upcoming=1, key=key), "It will be held.")
            self.holds_next = self.holds_next or done
        elif mock_id is not None and char == "r":
            done = self._try(lambda: admin.release_mock(mock_id, key=key), "It will not be held.")
            self.holds_next = self.holds_next and not done
        else:
            self._view.message = "No stream has begun yet."

    def _ask(self) -> None:
        asked = self._asked
        self._view.prompt = None if asked is None else asked.ask + printable(self._typed)

    def _answer(self, asked: Key, char: str) -> None:
        if char in ENTER:
            self._asked = None
            if text := self._typed.strip() or asked.usual:
                self._do(asked, text)
        elif char == ESCAPE:
            self._asked = None
        elif char in BACKSPACE:
            self._typed = self._typed[:-1]
        elif char == ERASE_LINE:
            self._typed = ""
        elif char.isprintable() and len(self._typed) < MOST_TYPED:
            self._typed += char
        self._ask()

    def _do(self, key: Key, text: str) -> None:
        state = self._view.state
        assert state is not None
        self._try(lambda: key.do(self._admin, state["id"], self._key, text), key.done)

    def _try(self, work: Callable[[], Any], done: str) -> bool:
        """Do something, and say that it is done, or why it was refused. Returns whether it is done."""
        try:
            answer = work()
            self._view.message = done
        except MockdError as error:
            self._view.message = printable(str(error))
            return False
        if "connection" in answer:
            self._view.update(answer["connection"])
        return True
