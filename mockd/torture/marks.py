"""Marks: texts in the data of events that hold what parsers get wrong, such as blanks at the end.

A reader that gets such data wrong gets it wrong in the clean stream too, so no form of that stream shows it. What a
right one prints is known all the same: once a plain mark stands in the data, and once an odd one in its place, and the
outputs differ in just that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, structs

from mockd.jsontext import encode_json
from mockd.torture.command import Ended
from mockd.torture.source import Mock

PLAIN = "mockd-mark"
"""The plain mark: a word of which any parser makes the same."""
_FIRST, _SECOND = "mockd-", "mark"


class Mark(Struct, frozen=True):
    """A mark that may be odd: what stands before the plain one, inside it and behind it."""

    before: str = ""
    inside: str = ""
    behind: str = ""

    @property
    def text(self) -> str:
        """What stands in the place of the plain mark."""
        return f"{self.before}{_FIRST}{self.inside}{_SECOND}{self.behind}"

    def put_into(self, mock: Mock) -> Mock:
        """The mock with this mark in the place of each plain one in the data of its events."""
        return {**mock, "sse": {**mock["sse"], "events": [self._put_into(event) for event in events_of(mock)]}}

    def _put_into(self, event: dict[str, Any]) -> dict[str, Any]:
        text = _text_of(event)
        # As a text: in JSON values of a mock, mockd itself escapes what some readers take for line ends.
        return {**event, "data": text.replace(PLAIN, self.text)} if PLAIN in text else event

    def wanted(self, plain: Ended) -> Ended:
        """How a right command ends with this mark, if it ends so with the plain one."""
        return _changed(plain, plain.stdout.replace(PLAIN.encode(), self._shown))

    def read(self, ended: Ended) -> Ended:
        """The same end, with this mark in one form in the output, in whichever it is there."""
        parts = (*map(_forms, self.before), _FIRST, *map(_forms, self.inside), _SECOND, *map(_forms, self.behind))
        shown = self._shown
        return _changed(ended, re.sub("".join(parts).encode(), lambda _: shown, ended.stdout))

    @property
    def _shown(self) -> bytes:
        """The form in which it is compared, which may be part of JSON."""
        return json.dumps(self.text)[1:-1].encode()


MARKS = {
    "u2028": Mark(inside="\u2028"),
    "u0085": Mark(inside="\x85"),
    "controls": Mark(inside="\x0b\x0c\x1c\x1d\x1e"),
    "blanks-before": Mark(before="  "),
    "blanks-behind": Mark(behind="  "),
}
"""Marks that parsers get wrong: characters at which Python's `str.splitlines` ends lines, and the standard does not;
blanks that are part of the data."""
_IN_JSON = ("u2028", "u0085")
"""Those that may stand in a string of JSON. Elsewhere in JSON, blanks mean nothing, and controls are not allowed."""

_SHORT = {"\t": "t", "\x0b": "v", "\x0c": "f"}


def _forms(char: str) -> str:
    """Pattern of a character as it is, and as languages write it: `\\u2028`, `\\x85`, `\\u{2028}`, `\\f`. In a text
    that is written so again there are more backslashes."""
    if char == " ":
        return " "
    code = ord(char)
    escapes = [f"u{code:04x}", rf"u\{{0*{code:x}\}}"]
    escapes += [f"x{code:02x}"] if code < 0x100 else []
    escapes += [_SHORT[char]] if char in _SHORT else []
    return rf"(?:{re.escape(char)}|\\+(?:(?i:{'|'.join(escapes)})))"


def _changed(ended: Ended, stdout: bytes) -> Ended:
    return structs.replace(ended, stdout=stdout)


# -- places for a mark -------------------------------------------------------------------------------------------------


def events_of(mock: Mock) -> list[dict[str, Any]]:
    """The events that are written in a mock; none if its source is another."""
    events: list[dict[str, Any]] = mock.get("sse", {}).get("events", [])
    return events


def marks_for(mock: Mock) -> dict[str, Mark]:
    """The marks that may stand in the place of the plain ones in a mock's data: none if it has no plain one."""
    marked = [text for event in events_of(mock) if PLAIN in (text := _text_of(event))]
    if not marked:
        return {}
    is_text = any(_json_of(text) is None for text in marked)
    return {name: mark for name, mark in MARKS.items() if is_text or name in _IN_JSON}


def marked(mock: Mock, printed: bytes) -> Iterator[Mock]:
    """The mock with a plain mark in the place of a text in its data, for each such text: first whole data that was
    printed, then strings of JSON that were, then all others."""
    if marks_for(mock):
        yield mock
        return
    events = events_of(mock)
    places = [
        (not _is_in(printed, text), is_json, place, data)
        for place, event in enumerate(events)
        if "data" in event
        for text, data, is_json in _with_marks(_text_of(event))
    ]
    for _, _, place, data in sorted(places, key=lambda one: one[:3]):
        changed = [*events[:place], {**events[place], "data": data}, *events[place + 1 :]]
        yield {**mock, "sse": {**mock["sse"], "events": changed}}


def _text_of(event: dict[str, Any]) -> str:
    """The data of an event as it is sent."""
    data = event.get("data", "")
    return data if isinstance(data, str) else encode_json(data).decode()


def _json_of(text: str) -> Any:
    """The object, array or string that a text is in JSON; None if it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict | list | str) else None


def _with_marks(text: str) -> Iterator[tuple[str, str, bool]]:
    """For each text in some data: that text, the data with a mark in its place, and whether the data is JSON."""
    value = _json_of(text)
    if value is None:
        yield text, PLAIN, False
        return
    for inner, changed in _replaced(value):
        yield inner, json.dumps(changed, ensure_ascii=False, separators=(",", ":")), True


def _replaced(value: Any) -> Iterator[tuple[str, Any]]:
    """For each string in a JSON value: the string, and the value with a mark in its place."""
    if isinstance(value, str):
        yield value, PLAIN
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from ((inner, {**value, name: changed}) for inner, changed in _replaced(item))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            for inner, changed in _replaced(item):
                yield inner, [*value[:place], changed, *value[place + 1 :]]


def _is_in(printed: bytes, text: str) -> bool:
    """Whether a text was printed, as it is or escaped."""
    lines = [line for line in text.split("\n") if line.strip()]
    return bool(lines) and all(
        any(form.encode() in printed for form in (line, json.dumps(line)[1:-1])) for line in lines
    )
