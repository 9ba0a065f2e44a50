"""Programs that no source makes: whole answers, refusals, and what becomes of any program for a certain request."""

from __future__ import annotations

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any

from msgspec.structs import replace

from mockd.framing import FRAMINGS
from mockd.headers import FixedHeaders, Headers
from mockd.journal.exchange import Exchange
from mockd.jsontext import encode_json
from mockd.program.prepared import Prepared
from mockd.program.terms import Ending, Lifetime
from mockd.request import RequestView
from mockd.streaming.cursors.whole import WholeCursor
from mockd.streaming.program import Program

RETRY_AFTER_S = 1
"""Value, in seconds, of `Retry-After` on a refusal because there is no room."""

_CONNECTION = b"x-mockd-connection"
_RAW = FRAMINGS["raw"]
_ANY_LIFETIME = Lifetime()
_PLAIN = Ending()
_NO_HEADERS = FixedHeaders([])


def whole(
    status: int,
    body: bytes,
    headers: FixedHeaders,
    own: Headers,
    delay_s: float = 0.0,
    encoding: str | None = None,
) -> Program:
    """The program of one answer in one piece. `encoding` is the one that mockd put the body into."""
    return Program(
        status,
        headers,
        own,
        WholeCursor(body, encoding),
        _RAW,
        _ANY_LIFETIME,
        _PLAIN,
        None,
        delay_s=delay_s,
        is_whole=True,
        prepared=Prepared([body]),
    )


def refusal(request: RequestView, status: int, error: dict[str, Any], headers: Headers | None = None) -> Program:
    """The answer to a request that no mock answers."""
    body = encode_json(error)
    length = (b"content-length", b"%d" % len(body))
    headers = [*(headers or []), (b"content-type", b"application/json"), length]
    program = whole(status, b"" if request.method == "HEAD" else body, FixedHeaders(headers), [])
    program.is_listed = False
    return program


def too_many(request: RequestView, error: dict[str, Any], headers: Headers) -> Program:
    """The answer to a request for which there is no room now."""
    return refusal(request, 503, error, [*headers, (b"retry-after", b"%d" % RETRY_AFTER_S)])


def identified(program: Program, exchange: Exchange) -> Program:
    """The program, which tells the client the ID of its connection."""
    if _CONNECTION in program.headers.settled:
        return program
    own = [*program.own, (_CONNECTION, exchange.id.encode())]
    coming = None if program.coming is None else _identified(program.coming, exchange)
    return replace(program, own=own, coming=coming)


async def _identified(coming: Awaitable[Program], exchange: Exchange) -> Program:
    return identified(await coming, exchange)


def awaited(coming: Awaitable[Program]) -> Program:
    """A program that stands for one that is not known yet."""
    program = whole(0, b"", _NO_HEADERS, [])
    program.coming = coming
    return program


def bodiless(program: Program) -> Program:
    """The head of an answer alone. It is neither listed nor counted."""
    return replace(
        program,
        rows=WholeCursor(b""),
        ending=_PLAIN,
        is_whole=True,
        is_listed=False,
        prepared=None,
        around=None,
        chunks=None,
        pieces=None,
        coming=None if program.coming is None else _bodiless(program.coming),
    )


async def _bodiless(coming: Awaitable[Program]) -> Program:
    return bodiless(await coming)


def with_no_body(program: Program) -> Program:
    """The program, without what its status has no place for. It is a mock's answer like any."""
    program = replace(bodiless(program), is_listed=True)
    if program.status == HTTPStatus.RESET_CONTENT and b"content-length" not in program.headers.settled:
        # To its client, any other body without a length ends where the connection does (RFC 9112, section 6.3).
        program.own = [*program.own, (b"content-length", b"0")]
    return program
