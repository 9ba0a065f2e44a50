"""How a stream ends when mockd ends it: a program like any other, after its termination."""

from __future__ import annotations

import logging

from mockd.errors import SourceError
from mockd.events import Event, Fill
from mockd.framing import Row
from mockd.journal.exchange import Outcome
from mockd.streaming.cursors.cursor import Cursor
from mockd.streaming.cursors.end import EndCursor
from mockd.streaming.ops import ABORT, CLOSE, CUTS, FINISH, FinishWithTrailers, Op
from mockd.streaming.program import Program

logger = logging.getLogger("mockd")

REASONS: dict[Outcome, str] = {
    "completed": "the stream is complete",
    "max_events": "the stream has sent all events it may send",
    "timed_out": "the stream has reached its time limit",
    "closed_by_admin": "the stream was closed through the admin API, or its mock was changed",
    "shutdown": "the server is shutting down",
}
"""What the default error event says, by outcome."""


def end_of(program: Program, before: Cursor, outcome: Outcome, now: float, mock_id: str | None) -> EndCursor:
    """The cursor of the end, for a stream that leaves the rows of `before` for that reason."""
    ending = program.ending
    row, pause_s = ending.final, ending.close_delay_s
    op: Op = FINISH if ending.trailers is None else FinishWithTrailers(ending.trailers)
    if outcome == "slow_client":
        row, op, pause_s = None, ABORT, 0.0
    elif outcome == "completed" and ending.cut is not None:
        outcome, row, op = "aborted", None, CUTS[ending.cut]
    elif outcome == "aborted" or ending.type == "abrupt" or (ending.breaks_off and outcome != "completed"):
        row, op = None, program.breaking or CLOSE
    elif outcome == "failed" or ending.type == "error":
        row, pause_s = _error_row(program, before, outcome, mock_id), 0.0
        if isinstance(before.failure, SourceError) and before.failure.breaks_off:
            row, op = None, CLOSE
    payload = b"" if row is None or program.fill is None else _filled(program, before, row, program.fill)
    return EndCursor(before, outcome, payload, op, now, pause_s)


def _filled(program: Program, before: Cursor, row: Row, fill: Fill) -> bytes:
    """The bytes of the last row. Its id is noted, so that a client may come back with it."""
    fill.seq = fill.sent_before + before.events_sent + 1
    payload, id_ = row.filled(fill)
    if id_ is not None:
        before.note_last_id(id_)
    if row.takes_retry and before.retry is not None:
        payload = program.framing.with_retry(payload, before.retry)
    return payload


def _error_row(program: Program, before: Cursor, outcome: Outcome, mock_id: str | None) -> Row:
    failure = before.failure if outcome == "failed" else None
    if isinstance(failure, SourceError) and failure.__cause__ is not None:
        from mockd.blame import log_failure

        log_failure(logger, mock_id, failure.__cause__, failure.filled)
    elif failure is not None:
        logger.warning("%s: %s", mock_id, failure)
    if program.ending.error is not None:
        return program.ending.error
    code, message = (failure.code, failure.message) if failure else (outcome, REASONS.get(outcome, outcome))
    return program.framing.row(Event(type="error", data={"error": {"code": code, "message": message}}))
