"""The program of a stream in the form that the `framing` of its mock says."""

from __future__ import annotations

import random

from mockd.clock import SystemClock
from mockd.config.framing import FramingConfig
from mockd.events import Fill
from mockd.program.plan import StreamPlan
from mockd.program.prepared import Pieces
from mockd.program.script import CompiledScript
from mockd.streaming.cursors.body import Bare, Body, is_punctuated
from mockd.streaming.cursors.chunks import Chunks, chunks_of
from mockd.streaming.cursors.cursor import Cursor
from mockd.streaming.cursors.pieces import all_pieces
from mockd.streaming.cursors.script import ScriptCursor
from mockd.streaming.program import Program

MOST_PIECES = 4096
"""Most pieces of a stream that are made in advance."""
MOST_PIECE_BYTES = 256 * 1024
"""Most bytes of these pieces."""
_UNUSED = Fill(random.Random(0), SystemClock())


def vary(program: Program, config: FramingConfig) -> None:
    """Give a stream's new program that form, as far as its lines do not have it already."""
    chunks = chunks_of(config)
    if chunks is None and not changes_body(config):
        return
    body = Body(program.framing, program.heartbeat, program.ending, config)
    program.around, program.chunks = body, chunks
    program.framing, program.heartbeat = Bare(body), None
    program.flush_each = program.flush_each or chunks is not None


def changes_body(config: FramingConfig) -> bool:
    """Whether the body is more than its lines."""
    return config.encoding is not None or is_punctuated(config)


def pieces_of(plan: StreamPlan, script: CompiledScript) -> Pieces | None:
    """The pieces of a script's streams, if they are the same for every client, and not too many. With a `pause` they
    are not, as it counts from when the piece before went out."""
    config, table = plan.variation, script.timetable
    assert config is not None
    is_same = table is not None and not table.has_holes and table.lead is None and plan.retry is None
    if table is None or not is_same or not script.ends_plainly or plan.heartbeat is not None or config.pause:
        return None
    chunks = chunks_of(config)
    if not script.stop[0] or (chunks is None and not changes_body(config)):
        return None
    cursor: Cursor = ScriptCursor(plan, script, table, _UNUSED, 0.0)
    cursor = Body(plan.framing, None, plan.ending, config)(cursor, None, 0.0)
    if isinstance(chunks, Chunks):
        chunks.inner = cursor
        cursor = chunks
    return all_pieces(cursor, MOST_PIECES, MOST_PIECE_BYTES)
