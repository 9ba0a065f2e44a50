"""From a request that matched a mock to the program of its stream, stage by stage.

source (what) ▶ resume (where to go on) ▶ pacing and limits (when) ▶ framing (which bytes) ▶ cursor (what is due)
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from mockd.clock import Clock
from mockd.config.environment import hidden
from mockd.config.parts import own_counters
from mockd.errors import SourceError, TooManyKeysError, error_body
from mockd.events import Fill, drawn
from mockd.expressions.expression import Expression, ExpressionError, render_all
from mockd.expressions.values import RequestContext
from mockd.headers import NO_RULES, FixedHeaders, Headers, headers_as_sent
from mockd.journal.exchange import Exchange
from mockd.kept import Kept
from mockd.lines.line import BODILESS
from mockd.program.answer import CompiledAnswer
from mockd.program.plan import StreamPlan
from mockd.program.script import Events
from mockd.program.terms import UNSEEDED
from mockd.request import RequestView
from mockd.source import Answer, CutOffError, Opened, Script, SourceContext
from mockd.streaming.answers import awaited, bodiless, too_many, whole, with_no_body
from mockd.streaming.cursors.cursor import Cursor
from mockd.streaming.cursors.script import ScriptCursor
from mockd.streaming.cursors.whole import WholeCursor
from mockd.streaming.ops import CUTS
from mockd.streaming.program import OpenCursor, Opening, Program

if TYPE_CHECKING:
    from mockd.streaming.sessions.buffer import Place
    from mockd.streaming.sessions.resume import Sessions

logger = logging.getLogger("mockd")


class Counted(Protocol):
    """What counts the answers of a mock, apart for each key."""

    def count(self, key: str, name: str) -> int:
        """Add one to the counter of that key and name. Returns the new value."""

    def peek(self, key: str, name: str) -> int:
        """What `count` would return, without counting."""

    def need(self, key: str) -> None:
        """Remember a key, as something is kept for it. Raises `TooManyKeysError`."""

    @property
    def kept(self) -> Kept:
        """What answers keep for later requests."""


class Matched(Struct, frozen=True):
    """A request that a mock has matched, on its way to its program. `headers` go on every answer (CORS)."""

    request: RequestView
    captures: Mapping[str, str]
    headers: Headers
    exchange: Exchange
    clock: Clock
    counters: Counted

    def count(self, name: str) -> int:
        """Add one to a counter of the mock for the key of the request, and return its new value. A HEAD asks only what
        a GET would get, so it does not count."""
        counters, key = self.counters, self.exchange.key
        return counters.peek(key, name) if self.request.method == "HEAD" else counters.count(key, name)

    @property
    def request_head(self) -> bytes | None:
        """The head of the request as it came; None if the server does not tell."""
        return None if self.exchange.stream is None else self.exchange.stream.request_head

    def inform(self, status: int, reason: str, headers: Sequence[tuple[str, str]]) -> None:
        """Send an informational answer (1xx) now, if the server can."""
        if self.exchange.stream is not None:
            encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            self.exchange.stream.inform(status, reason.encode("latin-1"), encoded)

    def count_own(self, name: str) -> int:
        """The same for a counter that belongs to this answer of the mock alone."""
        return self.count(own_counters(self.exchange.entry) + name)


def constant(plan: StreamPlan) -> Program | None:
    """The program of a mock that answers every request with the same bytes, after the same delay; None if its answer
    depends on the request, or anything in it is drawn."""
    answer = plan.source.answer
    if answer is None or answer.events is not None or answer.tokens is not None:
        return None
    if callable(answer.delay_s) or callable(plan.head_delay_s):
        return None
    ready = plan.ready(answer)
    body = ready.constant
    if body is None or ready.status in BODILESS:
        return None
    program = whole(ready.status, body, ready.headers, [], plan.head_delay_s + answer.delay_s)
    program.rows = lambda _, now: WholeCursor(body)  # one for each request
    return program


def make_pieces(plan: StreamPlan) -> None:
    """Make the pieces of a stream with a `framing`, if they are the same for every client."""
    from mockd.streaming.varying import pieces_of

    if (script := plan.source.script) is not None:
        plan = plan.framed(script.framing)
        compiled = plan.compiled(script)
        compiled.pieces = pieces_of(plan, compiled)


def respond(plan: StreamPlan, sessions: Sessions | None, matched: Matched) -> Program:
    """The answer to a request that matched a mock: its stream, one whole answer, or 204 if the client has seen all
    there is. To HEAD it is the head of that, and nothing is opened. Raises `TooManyKeysError`."""
    if sessions is not None and matched.request.method != "HEAD":
        matched.counters.need(matched.exchange.key)
    fill = Fill(plan.random(matched.count), matched.clock)
    try:
        place = None if sessions is None else _place(sessions, matched)
        program = (
            _opening(plan, sessions, matched, fill) if place is None else _resumed(plan, sessions, matched, place, fill)
        )
    except TooManyKeysError:
        raise
    except CutOffError as cut:
        program = _cut_off(plan, cut)
    except Exception as error:
        program = _failed(plan, matched, fill, error)
    if matched.request.method == "HEAD":
        return replace(bodiless(program), delay_s=0.0)
    return program if program.status not in BODILESS else with_no_body(program)


def _place(sessions: Sessions, matched: Matched) -> Place | None:
    """Where a client that comes back goes on; None if it is new."""
    last_event_id = matched.request.last_event_id
    return None if last_event_id is None else sessions.find(last_event_id, matched.exchange.key)


def answered(plan: StreamPlan, matched: Matched, answer: Answer) -> Program:
    """One whole answer in place of the mock's."""
    fill = Fill(plan.random(matched.count), matched.clock, answer.slots)
    program = _whole(CompiledAnswer(answer, plan.header_rules, variation=plan.variation), matched, fill)
    return program if program.status not in BODILESS else with_no_body(program)


def _opening(plan: StreamPlan, sessions: Sessions | None, matched: Matched, fill: Fill) -> Program:
    context = SourceContext(
        matched.request, matched.captures, matched.clock, fill.rng, matched.count_own, matched, matched.counters.kept
    )
    opened = plan.source.open(context)
    if isinstance(opened, Script):
        return _scripted(plan, sessions, matched, opened, fill)
    if not isinstance(opened, Answer) and isinstance(opened, Awaitable):
        return awaited(_awaited(plan, sessions, matched, opened, fill))
    return _opened(plan, sessions, matched, opened, fill)


async def _awaited(
    plan: StreamPlan, sessions: Sessions | None, matched: Matched, opening: Awaitable[Opened], fill: Fill
) -> Program:
    """The program of a source that must wait before it knows what it answers."""
    try:
        program = _opened(plan, sessions, matched, await opening, fill)
        return program if program.status not in BODILESS else with_no_body(program)
    except TooManyKeysError as error:
        return too_many(matched.request, error_body(error.code, error.message), matched.headers)
    except CutOffError as cut:
        return _cut_off(plan, cut)
    except Exception as error:
        return _failed(plan, matched, fill, error)


def _opened(plan: StreamPlan, sessions: Sessions | None, matched: Matched, opened: Opened, fill: Fill) -> Program:
    if isinstance(opened, Script):
        return _scripted(plan, sessions, matched, opened, fill)
    if isinstance(opened, Answer):
        return _answered(plan, sessions, matched, opened, fill)
    if not isinstance(opened, Iterable | AsyncIterator):
        what = f"`open` of `{type(plan.source).__name__}` returned `{type(opened).__name__}`"
        raise SourceError(f"{what}, not an iterator of events, a `Script` or an `Answer`")
    if expressions := plan.expressions:
        fill.rendered = _rendered(expressions, matched)
    own = _own_headers(plan, matched, matched.headers, fill)
    return _stream(plan, matched, own, fill, _opening_session(plan, sessions, opened, fill))


def _cut_off(plan: StreamPlan, cut: CutOffError) -> Program:
    """The program of a connection that ends before there is a head."""
    program = whole(0, b"", FixedHeaders([]), [], drawn(plan.head_delay_s, UNSEEDED))
    if plan.recorded is not None:
        from mockd.streaming.replaying import replay

        replay(program, plan.recorded)
    return replace(program, first=(*program.first, CUTS[cut.how]))


def _failed(plan: StreamPlan, matched: Matched, fill: Fill, error: Exception) -> Program:
    if isinstance(error, ExpressionError):
        logger.error("%s: %s", plan.mock_id, hidden(str(error), plan.filled))
    else:
        from mockd.blame import log_failure

        log_failure(logger, plan.mock_id, error, plan.filled)
    failure = error_body(SourceError.code, hidden(f"{type(error).__name__}: {error}", plan.filled))
    return _whole(CompiledAnswer(Answer(status=500, body=failure), NO_RULES), matched, fill)


# -- programs ----------------------------------------------------------------------------------------------------------


def _scripted(plan: StreamPlan, sessions: Sessions | None, matched: Matched, opened: Script, fill: Fill) -> Program:
    """The stream of events that are known in advance: in one piece, by its timetable, or as a session."""
    plan = plan.framed(opened.framing)
    script = plan.compiled(opened)
    if script.expressions:
        fill.rendered = _rendered(script.expressions, matched)
    fill.slots = opened.slots
    for name, _ in opened.headers:
        if name in plan.headers.names:
            plan = plan.with_headers([header for header in opened.headers if header[0] in plan.headers.names])
            break
    own = _own_headers(plan, matched, [*opened.headers, *matched.headers], fill)
    if (table := script.timetable) is None:
        return _stream(plan, matched, own, fill, _opening_session(plan, sessions, script, fill))
    program = _stream(plan, matched, own, fill, lambda _, now: ScriptCursor(plan, script, table, fill, now))
    if program.around is None:
        program.prepared = script.prepared
    elif (pieces := script.pieces) is not None:
        program.pieces = pieces
        program.prepared = pieces.prepared() if program.chunks is None else None
    return program


def _answered(plan: StreamPlan, sessions: Sessions | None, matched: Matched, answer: Answer, fill: Fill) -> Program:
    """An answer whose head its source has decided."""
    said_s = plan.pacing.whole_delay_s(answer.tokens, fill.rng)
    delay_s = drawn(plan.head_delay_s, fill.rng) + drawn(answer.delay_s, fill.rng) + said_s
    fill.slots = answer.slots
    if answer.events is None:
        return _whole(plan.ready(answer), matched, fill, delay_s)
    # In the plan, so that a client that comes back to this stream gets the same head.
    plan = _headed(plan.framed(answer.framing), answer)
    if answer.trailers is not None:
        plan = replace(plan, ending=replace(plan.ending, trailers=answer.trailers))
    if expressions := plan.expressions:
        fill.rendered = _rendered(expressions, matched)
    own = _own_headers(plan, matched, matched.headers, fill)
    program = _stream(plan, matched, own, fill, _opening_session(plan, sessions, answer.events, fill))
    program.delay_s = delay_s
    if answer.reason is not None and answer.framing == "sse" and program.chunks is None:
        from mockd.streaming.cursors.recorded import AsRecorded

        program.chunks = AsRecorded()
    return program


def _headed(plan: StreamPlan, answer: Answer) -> StreamPlan:
    """The plan with the head that the source of an answer has decided."""
    if answer.reason is not None:
        sent = headers_as_sent(answer.headers, answer.reason)
        return replace(plan, headers=sent, lasting_headers=sent, status=answer.status)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    status = answer.status if plan.answer_status is None or answer.status >= 400 else plan.answer_status
    return replace(plan.with_headers(headers), status=status)


def _whole(answer: CompiledAnswer, matched: Matched, fill: Fill, delay_s: float = 0.0) -> Program:
    """One whole answer."""
    if answer.expressions:
        fill.rendered = _rendered(answer.expressions, matched)
    body = answer.body(fill)
    return whole(answer.status, body, answer.headers, answer.own(body, fill, matched.headers), delay_s, answer.encoding)


# -- the stages --------------------------------------------------------------------------------------------------------


def _rendered(expressions: Iterable[Expression], matched: Matched) -> dict[str, str]:
    """What expressions come to for this request."""
    return render_all(expressions, RequestContext(matched.request, matched.captures))


def _opening_session(plan: StreamPlan, sessions: Sessions | None, events: Events, fill: Fill) -> OpenCursor:
    """Opens a new session at its start."""
    from mockd.streaming.cursors.session import SessionCursor, first_place

    def open_cursor(stream: Opening, now: float) -> Cursor:
        of_key = None if sessions is None else sessions.of_key(stream.exchange.key)
        place = first_place(plan, events, fill, now, of_key)
        return SessionCursor(place, stream.exchange.id, now, stream.wake, sessions, plan.lifetime)

    return open_cursor


def _resumed(plan: StreamPlan, sessions: Sessions | None, matched: Matched, place: Place, fill: Fill) -> Program:
    if place.finished:
        # A 204 tells an EventSource to stop coming back (WHATWG HTML, 9.2).
        return _whole(CompiledAnswer(Answer(status=204), plan.header_rules), matched, fill)
    fill.rendered = place.session.fill.rendered
    fill.sent_before = place.count
    if not fill.rendered and plan.expressions:  # what the session said is forgotten
        fill.rendered = _rendered(plan.expressions, matched)

    from mockd.streaming.cursors.session import SessionCursor

    def open_cursor(stream: Opening, now: float) -> Cursor:
        stream.exchange.resumed_from = matched.request.last_event_id
        return SessionCursor(place, stream.exchange.id, now, stream.wake, sessions, plan.lifetime)

    # The limits are those of this request, and not of the one with which the session began.
    plan = replace(place.session.plan, lifetime=plan.lifetime)
    return _stream(plan, matched, _own_headers(plan, matched, matched.headers, fill), fill, open_cursor)


def _stream(plan: StreamPlan, matched: Matched, own: Headers, fill: Fill, rows: Cursor | OpenCursor) -> Program:
    matched.exchange.kind = plan.kind
    request = matched.request
    keeps_alive = request.scope.get("http_version") == "1.1"
    if keeps_alive and (connection := request.raw_headers.get(b"connection")) is not None:
        keeps_alive = b"close" not in connection.lower()
    program = Program(
        plan.status,
        plan.lasting_headers if keeps_alive else plan.headers,
        own,
        rows,
        plan.framing,
        plan.lifetime,
        plan.ending if plan.ending.close_draw is None else plan.ending_of(fill),
        fill,
        None if plan.heartbeat is None else plan.heartbeat_of(fill, matched.count),
        plan.head_delay_s and drawn(plan.head_delay_s, fill.rng),
        plan.flush_each,
    )
    if plan.variation is not None:
        from mockd.streaming.varying import vary

        vary(program, plan.variation)
    if plan.recorded is not None:
        from mockd.streaming.replaying import replay

        replay(program, plan.recorded)
    return program


def _own_headers(plan: StreamPlan, matched: Matched, own: Headers, fill: Fill) -> Headers:
    """The headers of this one stream: `own` and those that follow the time, but for names that are settled for each;
    and those that follow the request."""
    if plan.rate_limit is not None and plan.rate_limit.headers:
        from mockd.program.ratelimit import headers as rate_limit_headers

        own = own + rate_limit_headers(plan.rate_limit, matched.clock.wall())
    if own:
        settled = plan.headers.settled
        own = [header for header in own if header[0] not in settled]
    return own + plan.header_rules.followed(fill.rendered) if plan.header_rules.following else own
