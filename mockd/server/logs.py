"""The output of `mockd serve` on stderr, as text or as JSON lines: log records and the start-up lines.

Logging is process-wide, so only `mockd serve` configures it. An embedded mockd leaves logging to its host.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any, Literal

from mockd.clock import rfc3339

logger = logging.getLogger("mockd")

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
    """Send the records of mockd and uvicorn to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if format == "json" else _TextFormatter("%(levelname)s: %(message)s"))
    logging.getLogger("mockd").setLevel(level.upper())
    # At `info` and `debug`, uvicorn would log its own starts and stops, once for each port.
    logging.getLogger("uvicorn").setLevel("WARNING" if level in ("info", "debug") else level.upper())
    for name in ("mockd", "uvicorn"):
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


class _TextFormatter(logging.Formatter):
    """A formatter for people. What a client or a plug-in has said is not obeyed by their terminals."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).split("\n")))


class _JsonFormatter(logging.Formatter):
    """A formatter that writes one JSON object on each line. Items of `extra={"fields": {…}}` become keys of it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        text = json.dumps(line, ensure_ascii=False)
        return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
