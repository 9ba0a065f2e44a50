"""The source of `proxy` mocks: what another server answers, as it arrives."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator
from typing import Any

from msgspec.structs import replace

from mockd.config.models import ProxyConfig
from mockd.errors import error_body
from mockd.events import Event
from mockd.lines.line import BODILESS
from mockd.relay.heads import Headers, answer_headers, climbs, decoded, path_of, reason_of, request_headers
from mockd.relay.recorded import Notes
from mockd.relay.relays import Relays
from mockd.relay.upstream import AnswerHead, NoHttpError, UnreachableError, Upstream
from mockd.request import ClientGoneError, RequestView
from mockd.source import Answer, BaseSource, Client, CutOffError, SourceContext
from mockd.sources.blocks import Blocks

_DO_NOT_RETRY = (("x-should-retry", "false"),)


class RelaySource(BaseSource):
    """The answers of a target to the requests of one mock."""

    def __init__(self, config: ProxyConfig, relays: Relays) -> None:
        self._route = config.route
        self._records = config.record
        self._relays = relays

    async def open(self, context: SourceContext) -> Answer:
        request, relays = context.request, self._relays
        if (refused := _refused(request, relays)) is not None:
            return refused
        path = path_of(request, self._route)
        if self._route.target.path and climbs(path):
            message = f"{path} would leave the path of the target, {self._route.target.path}"
            return Answer(status=400, body=error_body("cannot_relay", message))
        if self._records and relays.why_closed is not None:
            return _not_recorded(request, path, relays.why_closed)
        client = context.client
        headers = request_headers(
            request,
            None if client is None else client.request_head,
            self._route,
            key_header=relays.key_header,
            passes_encodings=relays.passes_encodings,
        )
        target = self._route.target
        url = f"{target.scheme}://{target.authority}{path}"
        notes = relays.notes(request, url, headers, are_wanted=self._records)
        try:
            upstream = await relays.connect(target)
        except UnreachableError as error:
            notes.end("error", str(error))
            return Answer(status=502, body=error_body("target_unreachable", f"the target cannot be reached: {error}"))
        except asyncio.CancelledError:
            notes.end("client")
            raise
        exchange = _Relayed(upstream, notes)
        try:
            return await exchange.answer(request, path, headers, client)
        except BaseException as error:
            exchange.end(*_end_by(error))
            if isinstance(error, NoHttpError):
                return Answer(
                    status=502, body=error_body("target_no_http", f"{target.authority} answered no HTTP: {error}")
                )
            if isinstance(error, ValueError):
                return Answer(status=400, body=error_body("cannot_relay", f"this request cannot be relayed: {error}"))
            raise


class _Relayed:
    """One exchange that is being relayed. Whatever way it ends, `end` lets go of all that it has."""

    def __init__(self, upstream: Upstream, notes: Notes) -> None:
        self._upstream = upstream
        self._notes = notes
        self._sending: asyncio.Task[None] | None = None
        self._has_ended = False

    async def answer(self, request: RequestView, path: str, headers: Headers, client: Client | None) -> Answer:
        """Send the request, and wait for the head of its answer."""
        self._upstream.send_head(request.method, path, headers)
        self._sending = asyncio.create_task(self._send_body(request))
        while (head := await self._upstream.head()).status < 200:
            self._notes.info(head.status, head.reason, head.headers)
            if client is not None:
                client.inform(
                    head.status, reason_of(head.status, head.reason, head.http_version), decoded(head.headers)
                )
        if head.status > 599:
            raise NoHttpError(f"a status of {head.status}")
        self._notes.head(head.status, head.reason, head.headers, head.http_version)
        answer = Answer(
            status=head.status,
            reason=reason_of(head.status, head.reason, head.http_version),
            headers=answer_headers(head.headers, head.status),
            framing=_framing_of(head.headers),
        )
        if request.method == "HEAD" or head.status in BODILESS:
            self.end("complete")
            return replace(answer, events=iter(()))
        events = self._events(head)
        # An iterator that is never begun does not come to its end.
        weakref.finalize(events, self.end, "client").atexit = False
        return replace(answer, events=events, trailers=lambda: decoded(self._upstream.trailers))

    async def _send_body(self, request: RequestView) -> None:
        """Send the body of the request, as it comes."""
        upstream, notes = self._upstream, self._notes
        with contextlib.suppress(OSError):  # of a target that has left: its answer says more
            if request.unread is None:
                if request.body:
                    notes.input(request.body)
                    notes.input_end()  # it is known to be all, however early the answer begins
                    await upstream.send(request.body)
            else:
                if b"100-continue" in request.raw_headers.get(b"expect", b"").lower():
                    await upstream.wait_to_continue()
                try:
                    async for part in request.unread.parts():
                        notes.input(part)
                        await upstream.send(part)
                        await notes.settled()
                except ClientGoneError:
                    self.end("client")
                    return
            notes.input_end()
            upstream.send_end()

    async def _events(self, head: AnswerHead) -> AsyncIterator[Event]:
        """The pieces of the answer's body, as they come."""
        blocks, notes = Blocks() if _is_event_stream(head.headers) else None, self._notes
        try:
            async for piece in self._upstream.pieces(is_chunked=_is_chunked(head.headers)):
                await notes.settled()  # of the piece before: behind the last one, nobody waits for a disk
                notes.output(piece)
                for event in (Event(raw=piece),) if blocks is None else blocks.rows(piece):
                    yield event
            if self._upstream.trailers:
                notes.trailers(self._upstream.trailers)
            self.end("complete")
        except BaseException as error:
            how, text = _end_by(error)
            self.end(how, text)
            if isinstance(error, NoHttpError):
                raise CutOffError("closed") from error
            raise

    def end(self, how: str, text: str | None = None) -> None:
        """Let go of the target, and note how the exchange ended. Later calls do nothing."""
        if self._has_ended:
            return
        self._has_ended = True
        self._notes.end(how, text)
        if self._sending is not None:
            self._sending.cancel()
        self._upstream.close(at_once=how != "complete")


def _end_by(error: BaseException) -> tuple[str, str | None]:
    """How an exchange ended that this error has ended, in the words of recordings, and why."""
    if isinstance(error, CutOffError):
        return error.how, None
    if isinstance(error, GeneratorExit | asyncio.CancelledError):
        return "client", None
    return "error", str(error)


# -- what a body is ----------------------------------------------------------------------------------------------------

_FRAMINGS = {b"text/event-stream": "sse", b"application/x-ndjson": "ndjson"}


def _framing_of(headers: Headers) -> str | None:
    """The framing of a body, by its type; None if it is none that mockd knows."""
    types = (value for name, value in headers if name.lower() == b"content-type")
    return _FRAMINGS.get(next(types, b"").partition(b";")[0].strip().lower())


def _is_event_stream(headers: Headers) -> bool:
    """Whether a body is an event stream in which events can be found."""
    codings = (value for name, value in headers if name.lower() == b"content-encoding")
    return _framing_of(headers) == "sse" and {b"identity"}.issuperset(codings)


def _is_chunked(headers: Headers) -> bool:
    return any(name.lower() == b"transfer-encoding" for name, _ in headers)


# -- refusals ----------------------------------------------------------------------------------------------------------


def _refused(request: RequestView, relays: Relays) -> Answer | None:
    """The refusal of a request that must not be relayed, or cannot be."""
    if (origin := relays.callers.foreign_origin(request)) is not None:
        message = f"pages of {origin} may not use this relay; --proxy-allow-origin lets them"
        return Answer(status=403, body=error_body("forbidden_origin", message))
    if (host := relays.callers.foreign_host(request)) is not None:
        message = f"the Host {host!r} is not one of this server's names; --proxy-allow-host adds it"
        return Answer(status=403, body=error_body("forbidden_host", message))
    if b"websocket" in request.raw_headers.get(b"upgrade", b"").lower():
        return Answer(
            status=501, body=error_body("websocket_not_relayed", "WebSocket connections are not relayed, only HTTP is")
        )
    return None


def _not_recorded(request: RequestView, path: str, reason: str) -> Answer:
    message = f"there is no recording of {request.method} {path}, and {reason}"
    body: dict[str, Any] = {**error_body("not_recorded", message), "method": request.method, "path": path}
    return Answer(status=404, body=body, headers=_DO_NOT_RETRY)
