"""What is known of the stream that is being watched, and how it is said in words: the same on a whole screen and line
by line. Whatever came from a stream is escaped, as an event must not be able to write to a terminal."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from mockd.tables import printable

MOST_EVENTS = 1_000
"""Most events that a view keeps: the newest."""
_DECIMALS = 3


class View:
    """The stream as it is known now. `state` is None while it is yet to begin. `came` is the number of events that came
    so far, of which the newest are kept in `events`."""

    def __init__(self) -> None:
        self.state: dict[str, Any] | None = None
        self.events: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
        self.came = 0
        self.missed = 0
        self.is_over = False
        """Whether the server tells no more."""
        self.told: list[tuple[str, dict[str, Any]]] = []
        """All that came since it was last shown."""
        self.message = ""
        """What there is to say of the key that was pressed last."""
        self.prompt: str | None = None
        """What is being typed, with the question before it."""
        self._at = 0.0

    def take(self, type: str, data: dict[str, Any]) -> None:
        """Take note of what the server tells."""
        self.told.append((type, data))
        if type == "state":
            self.state, self._at = data, time.monotonic()
        elif type == "missed":
            self.missed += data["missed"]
            self._add(data)
        elif type == "sent":
            self._add(data)

    def update(self, connection: dict[str, Any]) -> None:
        """Take note of the stream as the answer to a key has it."""
        if self.state is not None:
            before = {name: value for name, value in self.state.items() if name != "heldAt"}
            self.state = {**before, **connection}

    def _add(self, data: dict[str, Any]) -> None:
        self.events.append(data)
        self.came += 1

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The newest events, oldest first."""
        return list(self.events)[max(0, len(self.events) - count) :] if count > 0 else []

    @property
    def outcome(self) -> str | None:
        """How the stream has ended."""
        return None if self.state is None else self.state.get("outcome")

    @property
    def id(self) -> str:
        """The ID of the connection; empty while it is yet to begin."""
        return "" if self.state is None else str(self.state["id"])

    @property
    def is_held(self) -> bool:
        return self.state is not None and self.state["held"]

    @property
    def seconds(self) -> float:
        """How long the stream has been going on, or went on."""
        if self.state is None:
            return 0.0
        since = 0.0 if self.outcome is not None else time.monotonic() - self._at
        return float(self.state["durationMs"]) / 1000 + since


def words_of(event: dict[str, Any]) -> tuple[str, str, str]:
    """An event in three parts: when it was sent, its number, and what it is."""
    if "missed" in event:
        return "", "", f"({event['missed']} more)"
    parts = [] if "type" not in event else [event["type"]]
    if "id" in event:
        parts.append(f"id={event['id']}")
    text = event.get("data", event.get("raw"))
    if text is not None:
        parts.append(text)
    if "cut" in event:
        parts.append(f"... ({event['bytes']} bytes)")
    return f"{event['atMs'] / 1000:.{_DECIMALS}f}", str(event.get("number", "-")), printable("  ".join(parts))


def line_of(event: dict[str, Any]) -> str:
    """An event in one line."""
    at, number, what = words_of(event)
    return f"{at:>9}  {number:>4}  {what}".rstrip()


def state_of(connection: dict[str, Any]) -> str:
    """The state of a stream in a few words."""
    if connection["held"]:
        return "held before its head" if connection["heldAt"] == "head" else "held"
    place = connection.get("heldAt")
    return connection["status"] if place is None else f"{connection['status']}, to be held at {place}"


def facts_of(view: View) -> list[str]:
    """What there is to say of the stream beside its state, the most important first."""
    state = view.state
    if state is None:
        return []
    facts = [_count(state["eventsSent"], "event"), _count(state["bytesSent"], "byte"), f"{view.seconds:.1f} s"]
    if state["lateness"] is not None:
        facts.append(f"at most {state['lateness']['maxMs']:.1f} ms late")
    if state.get("faults"):
        facts.append("faults: " + printable(", ".join(fault["action"] for fault in state["faults"])))
    if view.missed:
        facts.append(f"{view.missed} not shown")
    return facts


def end_of(view: View) -> str:
    """How the stream has ended, in one sentence."""
    assert view.state is not None
    by = {"mockd": "by mockd", None: ""}.get(view.state.get("endedBy"), f"by {view.state.get('endedBy')}")
    return ", ".join(part for part in (f"Ended: {view.outcome}", by, *facts_of(view)) if part) + "."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
