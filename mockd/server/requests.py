"""The request log of `mockd serve`: one line on stderr for every request, when it has ended."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Any, Literal

from mockd.clock import Clock
from mockd.journal.exchange import Exchange
from mockd.server import logs

MOST_LINES = 20
"""Most lines of requests in a second; the other requests are only counted."""
MOST_OF_A_NAME = 200
"""Most characters of a path or ID that are shown."""
MOST_OF_A_REASON = 400
"""Most characters that say how a request differs from the nearest mock."""

_DIM, _RED, _GREEN, _YELLOW, _CYAN = "2", "31", "32", "33", "36"
_STATUS_COLORS = {2: _GREEN, 3: _CYAN, 4: _YELLOW, 5: _RED}


class RequestLog:
    """An observer of exchanges that writes a line for each of the first in a second, and the number of the others.

    Under load, a request costs no more than a counter. A terminal or pipe that takes no more must not hold up the
    streams, so what it has no room for is only counted too.
    """

    def __init__(self, format: Literal["text", "json"], clock: Clock) -> None:
        self._format = format
        self._clock = clock
        self._paint = _painted if format == "text" and _has_colors() else _plain
        self._quota = logs.Quota(MOST_LINES, self._say_more)
        self.sum_up = self._quota.sum_up

    def __call__(self, exchange: Exchange) -> None:
        if not self._quota.take():
            return
        took_s = self._clock.monotonic() - exchange.arrived
        if self._format == "json":
            text, fields = f"{_request(exchange)} {_status(exchange)}", dict(_fields(exchange, took_s))
        else:
            parts = _parts(exchange, took_s, self._clock.wall())
            text, fields = "  ".join(self._paint(part, color) for part, color in parts), {}
        if not self._say(text, fields):
            self._quota.leave_out()

    def _say_more(self, more: int) -> bool:
        return self._say(self._paint(f"+{more:,} more", _DIM), {"more": more})

    def _say(self, text: str, fields: dict[str, Any]) -> bool:
        """Write a line, unless it would have to wait."""
        if not logs.has_room():
            return False
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            logs.say(text, self._format, **fields)
        return True


# -- what a line says --------------------------------------------------------------------------------------------------


def _parts(exchange: Exchange, took_s: float, now: float) -> Iterator[tuple[str, str]]:
    """The parts of a line of text, each with its color."""
    yield f"{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now % 1 * 1000):03}", _DIM
    yield _request(exchange), ""
    if exchange.key:
        yield f"key {exchange.key}", _CYAN
    yield _status(exchange), _STATUS_COLORS.get(exchange.http_status // 100, "")
    yield _mock(exchange), _CYAN
    if exchange.kind != "response":
        yield logs.count_of(exchange.events_sent, "event"), ""
    yield logs.count_of(exchange.bytes_sent, "byte"), ""
    yield _duration(took_s), ""
    yield str(exchange.outcome), "" if exchange.outcome == "completed" else _YELLOW
    if nearest := _nearest(exchange):
        yield f"nearest: {nearest['mockId']} ({nearest['matchPercentage']}%): {nearest['reason']}", _YELLOW


def _fields(exchange: Exchange, took_s: float) -> Iterator[tuple[str, Any]]:
    """What the JSON object of a line has besides its message, in the words of the admin API."""
    yield "method", _cut(exchange.method)
    yield "path", _cut(exchange.path)
    if exchange.key:
        yield "key", exchange.key
    yield "status", exchange.http_status or None
    yield "mockId", None if exchange.mock_id is None else _cut(exchange.mock_id)
    yield "connectionId", exchange.id
    yield "eventsSent", exchange.events_sent
    yield "bytesSent", exchange.bytes_sent
    yield "durationMs", round(took_s * 1000, 1)
    yield "outcome", exchange.outcome
    if nearest := _nearest(exchange):
        yield "nearest", nearest


def _request(exchange: Exchange) -> str:
    return f"{_cut(exchange.method)} {_cut(exchange.path)}"


def _status(exchange: Exchange) -> str:
    return str(exchange.http_status or "-")


def _mock(exchange: Exchange) -> str:
    if exchange.mock_id is not None:
        return f"mock {_cut(exchange.mock_id)}"
    return "-" if exchange.near_misses is None else "no mock"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds * 1000:.{1 if seconds < 0.01 else 0}f} ms"


def _nearest(exchange: Exchange) -> dict[str, Any] | None:
    """The mock that is nearest to a request that none matches, and how the request differs from it."""
    if not exchange.near_misses:
        return None
    near = exchange.near_misses[0]
    return {
        "mockId": _cut(near["mockId"]),
        "matchPercentage": near["matchPercentage"],
        "reason": _cut(near["reason"], MOST_OF_A_REASON),
    }


def _cut(text: str, most: int = MOST_OF_A_NAME) -> str:
    return logs.cut(text, most)


# -- where it is written -----------------------------------------------------------------------------------------------


def _plain(text: str, color: str) -> str:
    return text


def _painted(text: str, color: str) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if color else text


def _has_colors() -> bool:
    """Whether stderr is a terminal that shows colors, and its user wants them (https://no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
