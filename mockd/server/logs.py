"""The output of `mockd serve` on stderr, as text or as JSON lines: log records and the start-up lines.

Logging is process-wide, so only `mockd serve` configures it. An embedded mockd leaves logging to its host.
"""

from __future__ import annotations

import asyncio
import json
import logging
import select
import sys
from collections.abc import Callable
from typing import Any, Literal

from mockd.clock import rfc3339

logger = logging.getLogger("mockd")

WINDOW_S = 1.0
"""Length, in seconds, of the window in which lines are counted."""
MOST_RECORDS = 20
"""Most log records in a window, besides the lines for requests, while the server runs; the others are only counted."""
MOST_ASKED_FOR = 1000
"""Most records in a window that their user has asked for, such as those of `--explain`: `is_asked_for` marks them."""
MOST_OF_A_MESSAGE = 4000
"""Most characters of a record's message, and of a line of a traceback, that are shown."""

_UNWANTED = frozenset(
    {
        # mockd leaves a response incomplete only on purpose, for an abrupt termination.
        "ASGI callable returned without completing response.",
        # mockd serves no WebSockets, with or without a library for them.
        "No supported WebSocket library detected. Please use \"pip install 'uvicorn[standard]'\", "
        "or install 'websockets' or 'wsproto' manually.",
    }
)


def configure(level: str, format: Literal["text", "json"]) -> None:
    """Send the records of mockd, uvicorn and the event loop to stderr."""
    handler = _Handler(format)
    handler.setFormatter(_JsonFormatter() if format == "json" else _TextFormatter("%(levelname)s: %(message)s"))
    logging.getLogger("mockd").setLevel(level.upper())
    # At `info` and `debug`, uvicorn would log its own starts and stops, once for each port.
    logging.getLogger("uvicorn").setLevel("WARNING" if level in ("info", "debug") else level.upper())
    for name in ("mockd", "uvicorn", "asyncio"):
        top = logging.getLogger(name)
        top.handlers = [handler]
        top.propagate = False
    error_log = logging.getLogger("uvicorn.error")
    error_log.filters = [_is_wanted]


def _is_wanted(record: logging.LogRecord) -> bool:
    # Requests that are still open after the shutdown timeout are cancelled, which needs no traceback.
    cancelled = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cancelled and record.msg not in _UNWANTED


def say(text: str, format: Literal["text", "json"], **fields: Any) -> None:
    """Write a line whatever the log level is: where the server listens, or the API key that it made."""
    if format == "json":
        record = logging.LogRecord("mockd", logging.INFO, "", 0, text, None, None)
        record.fields = fields
        text = _JsonFormatter().format(record)
    print(text, file=sys.stderr, flush=True)


def count_of(number: int, noun: str) -> str:
    """A number with its noun: `1 mock`, `2 mocks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """The text, with escapes for characters that a terminal would obey or that cannot be seen."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cut(text: str, most: int) -> str:
    """The text with escapes for what cannot be printed, and no longer than `most`."""
    shown = printable(text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def has_room() -> bool:
    """Whether a line can be written to stderr at once. It is assumed where the system cannot tell."""
    try:
        return bool(select.select((), (sys.stderr,), (), 0)[1])
    except (OSError, ValueError):
        return True


class Quota:
    """A bound on the lines of a window. How many there were beyond it is told to `say_more` at the end of the window,
    and again later if that returns False. May only be used in an event loop."""

    def __init__(self, most: int, say_more: Callable[[int], bool]) -> None:
        self._most = self._left = most
        self._more = 0
        self._say_more = say_more

    def take(self) -> bool:
        """Whether the window has a place for one more line, which is taken."""
        if not self._left:
            self._more += 1
            return False
        if self._left == self._most:
            asyncio.get_running_loop().call_later(WINDOW_S, self._begin_window)
        self._left -= 1
        return True

    def leave_out(self) -> None:
        """Count a line that had a place but was not written."""
        self._more += 1

    def _begin_window(self) -> None:
        self._left = self._most
        self.sum_up()

    def sum_up(self) -> None:
        """Say how many lines were left out since this was last said."""
        if self._more and self._say_more(self._more):
            self._more = 0


class _Handler(logging.StreamHandler[Any]):
    """A handler for stderr. What clients cause to be logged must neither fill the log nor hold up the streams, so in an
    event loop records have a quota, and those for which a pipe has no room are only counted. What is logged at the
    start, and by other threads, is written in any case."""

    def __init__(self, format: Literal["text", "json"]) -> None:
        super().__init__(sys.stderr)
        self._format = format
        self._quota = Quota(MOST_RECORDS, self._say_more)
        self._quota_asked_for = Quota(MOST_ASKED_FOR, self._say_more)

    def emit(self, record: logging.LogRecord) -> None:
        quota = self._quota_asked_for if getattr(record, "is_asked_for", False) else self._quota
        if not _is_in_loop():
            super().emit(record)
        elif quota.take():
            if has_room():
                super().emit(record)
            else:
                quota.leave_out()

    def close(self) -> None:
        self._quota.sum_up()
        self._quota_asked_for.sum_up()
        super().close()

    def _say_more(self, more: int) -> bool:
        if not has_room():
            return False
        say(f"+{more:,} more messages", self._format, more=more)
        return True


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _TextFormatter(logging.Formatter):
    """A formatter for people. What a client or a plug-in has said is not obeyed by their terminals, and does not look
    like a line of its own: only the lines of a traceback are lines, and they are indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = cut(record.message, MOST_OF_A_MESSAGE)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return "\n".join("  " + cut(line, MOST_OF_A_MESSAGE) for line in super().formatException(ei).split("\n"))


class _JsonFormatter(logging.Formatter):
    """A formatter that writes one JSON object on each line. Items of `extra={"fields": {…}}` become keys of it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:MOST_OF_A_MESSAGE],
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            lines = self.formatException(record.exc_info).split("\n")
            line["exception"] = "\n".join(text[:MOST_OF_A_MESSAGE] for text in lines)
        text = json.dumps(line, ensure_ascii=False)
        return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
