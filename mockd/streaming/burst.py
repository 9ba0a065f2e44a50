"""Streams that are due as a whole at their head: one send, and none of the machinery for streams that last.

A chat model's answers are such streams where no pacing is asked for, and they come by the thousand. Without this,
`StreamResponse` would send the same bytes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from mockd.events import Fill
from mockd.framing import Framing
from mockd.request import Receive, RequestView, Scope, Send
from mockd.streaming.connections import Outcome, Registry
from mockd.streaming.headers import FixedHeaders, Headers, raw_headers
from mockd.streaming.timetable import Lead
from mockd.streaming.transport import send_at_once

if TYPE_CHECKING:
    from mockd.streaming.compile import StreamPlan
    from mockd.streaming.script import CompiledScript


class Burst(Struct, frozen=True):
    """All bytes of a script's stream: its pieces, with the lead, which differs from stream to stream, between them."""

    pieces: list[bytes]
    lead: Lead | None
    events_sent: int
    last_event_id: str | None
    outcome: Outcome
    framing: Framing

    def payload(self, fill: Fill) -> bytes:
        if self.lead is None:
            return self.pieces[0]
        return self.framing.opening(self.lead.render(fill).join(self.pieces))


def burst_of(plan: StreamPlan, script: CompiledScript) -> Burst | None:
    """A script's stream as a burst; None where anything about it takes time or needs a look at what is sent."""
    table = script.timetable
    stop, outcome = script.stop
    if table is None or table.first is not None or table.has_holes:
        return None
    if not 0 < stop <= min(table.most, len(table.frames)):
        return None
    if plan.retry is not None or plan.flush_each or plan.head_delay_s or plan.status in (204, 304):
        return None
    if not plan.ending.is_plain or outcome == "aborted" or (plan.lifetime.keep_open and outcome == "completed"):
        return None
    end = int(stop)
    pieces = [b""]
    for place, frame in enumerate(table.frames[:end]):
        assert isinstance(frame, bytes)
        if table.is_led and table.is_led[place]:
            pieces.append(frame)
        else:
            pieces[-1] += frame
    pieces[-1] += plan.framing.end
    if table.lead is None:
        pieces = [plan.framing.opening(pieces[0])]
    ids = [id_ for id_ in (table.ids or [])[:end] if isinstance(id_, str)]
    events_sent = end if table.counted is None else table.counted[end]
    return Burst(pieces, table.lead, events_sent, ids[-1] if ids else None, outcome, plan.framing)


class BurstResponse:
    """An ASGI response that sends a burst. It is listed and counted as any stream is."""

    __slots__ = ("_burst", "_headers", "_is_cut", "_own_headers", "_payload", "_plan", "_registry", "_request", "_task")

    def __init__(
        self,
        registry: Registry,
        plan: StreamPlan,
        request: RequestView,
        headers: FixedHeaders,
        own_headers: Headers,
        burst: Burst,
        payload: bytes,
    ) -> None:
        self._registry = registry
        self._plan = plan
        self._request = request
        self._headers = headers
        self._own_headers = own_headers
        self._burst = burst
        self._payload = payload
        self._task: asyncio.Task[None] | None = None
        self._is_cut = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plan, payload = self._plan, self._payload
        connection = self._registry.open(self, plan.mock_id, plan.kind, self._request)
        outcome: Outcome = "client_disconnected"
        try:
            head = self._headers.raw + raw_headers(self._own_headers)
            if not self._headers.is_plain or not send_at_once(scope, send, plan.status, head, payload):
                self._task = asyncio.current_task()
                headers = [*self._headers, *self._own_headers]
                await send({"type": "http.response.start", "status": plan.status, "headers": headers})
                await send({"type": "http.response.body", "body": payload, "more_body": False})
            connection.events_sent = self._burst.events_sent
            connection.bytes_sent = len(payload)
            connection.last_event_id = self._burst.last_event_id
            outcome = self._burst.outcome
        except OSError:
            pass  # what ASGI has `send` raise when the client has left
        except asyncio.CancelledError:
            outcome = "aborted"
            if not self._is_cut or self._task is None:
                raise
            self._task.uncancel()
        finally:
            self._registry.closed(connection, outcome)

    def request_stop(self, outcome: Outcome) -> None:
        """It is over in a moment anyway."""

    def cut(self) -> None:
        """Give it up, whatever the server waits for."""
        self._is_cut = True
        if self._task is not None:
            self._task.cancel()
