"""From a request to its stream, stage by stage.

source (what) ▶ resume (where to go on) ▶ pacing and limits (when) ▶ framing (which bytes) ▶ wire (out)
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from mockd.errors import SourceError
from mockd.events import Event, Fill, drawn
from mockd.expressions import Expression, ExpressionError, RequestContext, render_all
from mockd.framing import FRAMINGS, FrameTemplate, expressions_of
from mockd.request import RequestView
from mockd.source import Answer, Script, SourceContext
from mockd.streaming.burst import BurstResponse
from mockd.streaming.compile import Ending, Lifetime, StreamPlan
from mockd.streaming.feeds import Feed, ReplyFeed, ScriptFeed
from mockd.streaming.headers import FixedHeaders, Headers, as_value, first_of_each
from mockd.streaming.lasting import WireServices
from mockd.streaming.script import Events
from mockd.streaming.transport import unsent
from mockd.streaming.wire import Head, StreamResponse

if TYPE_CHECKING:
    from mockd.streaming.resume import Place, Sessions

logger = logging.getLogger("mockd")

Response = StreamResponse | BurstResponse
OpenFeed = Callable[[StreamResponse, float], Feed]

_RAW = FRAMINGS["raw"]


class Call(Struct, frozen=True):
    """One request on its way to a stream: `arrived` is monotonic, `headers` go on every answer (CORS)."""

    request: RequestView
    captures: Mapping[str, str]
    arrived: float
    headers: Headers


def respond(services: WireServices, plan: StreamPlan, sessions: Sessions | None, call: Call) -> Response:
    """The response to a request that matched a mock: its stream, one whole answer, or 204 where the client has seen
    all there is."""
    fill = Fill(plan.random(), services.clock)
    try:
        return _respond(services, plan, sessions, call, fill)
    except Exception as error:
        if isinstance(error, ExpressionError):
            logger.error("%s: %s", plan.mock_id, error)
        else:
            logger.exception("%s: its source cannot be opened", plan.mock_id)
        failure = {"error": SourceError.code, "message": f"{type(error).__name__}: {error}"}
        return reply(services, plan, call, Answer(status=500, body=failure), fill)


def _respond(services: WireServices, plan: StreamPlan, sessions: Sessions | None, call: Call, fill: Fill) -> Response:
    if sessions is not None and (last_event_id := call.request.last_event_id) is not None:
        place = sessions.find(last_event_id)
        if place is not None:
            return _resumed(services, plan, sessions, call, place, fill)
    opened = plan.source.open(SourceContext(call.request, call.captures, services.clock, fill.rng, plan.counters.count))
    assert not isinstance(opened, Awaitable)
    if isinstance(opened, Script):
        return _scripted(services, plan, sessions, call, opened, fill)
    if isinstance(opened, Answer):
        return _answered(services, plan, sessions, call, opened, fill)
    if expressions := plan.expressions:
        fill.rendered = _rendered(expressions, call)
    own = _own_headers(services, plan, call.headers, fill)
    return _stream(services, plan, call, own, fill, _opening_session(plan, sessions, opened, fill))


def _scripted(
    services: WireServices, plan: StreamPlan, sessions: Sessions | None, call: Call, opened: Script, fill: Fill
) -> Response:
    """The stream of events that are known in advance: at one go, by its timetable, or as a session."""
    plan = plan.framed(opened.framing)
    script = plan.compiled(opened)
    if script.expressions:
        fill.rendered = _rendered(script.expressions, call)
    fill.slots = opened.slots
    plan = _with_headers(plan, [header for header in opened.headers if header[0] in plan.headers.names])
    own = _own_headers(services, plan, [*opened.headers, *call.headers], fill)
    if (burst := script.burst) is not None and _takes_burst(call.request):
        headers = _fixed_headers(plan, call)
        return BurstResponse(services.registry, plan, call.request, headers, own, burst, burst.payload(fill))
    if (table := script.timetable) is not None:
        retry = plan.retry
        return _stream(services, plan, call, own, fill, lambda _, now: ScriptFeed(script, table, fill, now, retry))
    return _stream(services, plan, call, own, fill, _opening_session(plan, sessions, script, fill))


def _answered(
    services: WireServices, plan: StreamPlan, sessions: Sessions | None, call: Call, answer: Answer, fill: Fill
) -> StreamResponse:
    """An answer whose head its source has decided."""
    if plan.answer_status is not None and answer.status < 400:  # an error keeps its own
        answer = structs.replace(answer, status=plan.answer_status)
    if answer.events is None:
        return reply(services, plan, call, answer, fill)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    # In the plan, so that a client that comes back to this stream gets the same head.
    plan = structs.replace(_with_headers(plan.framed(answer.framing), headers), status=answer.status)
    if expressions := plan.expressions:
        fill.rendered = _rendered(expressions, call)
    fill.slots = answer.slots
    own = _own_headers(services, plan, call.headers, fill)
    open_feed = _opening_session(plan, sessions, answer.events, fill)
    return _stream(services, plan, call, own, fill, open_feed, _head_delay_s(plan, answer, fill))


def _head_delay_s(plan: StreamPlan, answer: Answer, fill: Fill) -> float:
    said_s = plan.pacing.whole_delay_s(answer.tokens, fill.rng)
    return drawn(plan.head_delay_s, fill.rng) + drawn(answer.delay_s, fill.rng) + said_s


def reply(services: WireServices, plan: StreamPlan, call: Call, answer: Answer, fill: Fill) -> StreamResponse:
    """One whole answer, as a response like any other."""
    fill.slots = answer.slots
    frame = _RAW.encode(Event(data=answer.body))
    given = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    if expressions := [*expressions_of(frame), *[plan.following[name] for name, _ in given if name in plan.following]]:
        fill.rendered = _rendered(expressions, call)
        given = [(name, _header(plan, name, fill) if name in plan.following else value) for name, value in given]
    body = frame.render(fill) if isinstance(frame, FrameTemplate) else frame
    length = [] if answer.status in (204, 304) else [(b"content-length", b"%d" % len(body))]
    kind = b"text/plain; charset=utf-8" if isinstance(answer.body, str | tuple) else b"application/json"
    default = [] if isinstance(answer.body, bytes) else [(b"content-type", kind)]
    headers = first_of_each(given, length + default + call.headers)
    return StreamResponse(
        services,
        lambda response: services.registry.open(response, plan.mock_id, "response", call.request),
        lambda response, now: ReplyFeed(body),
        head=Head(answer.status, headers, _head_delay_s(plan, answer, fill)),
        framing=_RAW,
        lifetime=Lifetime(),
        ending=Ending(),
        fill=fill,
        arrived=call.arrived,
        is_whole=True,
    )


def nothing_more(services: WireServices, plan: StreamPlan, call: Call, fill: Fill) -> StreamResponse:
    """204, which tells an EventSource to stop coming back (WHATWG HTML, 9.2)."""
    return reply(services, plan, call, Answer(status=204), fill)


# -- the stages --------------------------------------------------------------------------------------------------------


def _rendered(expressions: Iterable[Expression], call: Call) -> dict[str, str]:
    """What expressions come to for this request."""
    return render_all(expressions, RequestContext(call.request, call.captures))


def _header(plan: StreamPlan, name: bytes, fill: Fill) -> bytes:
    return as_value(fill.rendered[plan.following[name].source])


def _opening_session(plan: StreamPlan, sessions: Sessions | None, events: Events, fill: Fill) -> OpenFeed:
    """Opens a new session at its start."""
    from mockd.streaming.session_feed import SessionFeed, first_place

    def open_feed(response: StreamResponse, now: float) -> Feed:
        place = first_place(plan, events, fill, now, is_held=sessions is not None)
        return SessionFeed(place, response.connection.id, now, response.wake, sessions)

    return open_feed


def _resumed(
    services: WireServices, plan: StreamPlan, sessions: Sessions, call: Call, place: Place, fill: Fill
) -> StreamResponse:
    if place.finished:
        return nothing_more(services, plan, call, fill)
    fill.rendered = place.session.fill.rendered
    if not fill.rendered and plan.expressions:  # what the session said is forgotten
        fill.rendered = _rendered(plan.expressions, call)

    from mockd.streaming.session_feed import SessionFeed

    def open_feed(response: StreamResponse, now: float) -> Feed:
        response.connection.resumed_from = call.request.last_event_id
        return SessionFeed(place, response.connection.id, now, response.wake, sessions)

    plan = place.session.plan
    return _stream(services, plan, call, _own_headers(services, plan, call.headers, fill), fill, open_feed)


def _stream(
    services: WireServices,
    plan: StreamPlan,
    call: Call,
    own: Headers,
    fill: Fill,
    open_feed: OpenFeed,
    delay_s: float | None = None,
) -> StreamResponse:
    headers = [*_fixed_headers(plan, call), *own]
    return StreamResponse(
        services,
        lambda response: services.registry.open(response, plan.mock_id, plan.kind, call.request),
        open_feed,
        head=Head(plan.status, headers, drawn(plan.head_delay_s, fill.rng) if delay_s is None else delay_s),
        framing=plan.framing,
        lifetime=plan.lifetime,
        ending=plan.ending_of(fill),
        fill=fill,
        arrived=call.arrived,
        flush_each=plan.flush_each,
    )


def _takes_burst(request: RequestView) -> bool:
    """Whether one send is all it takes: not for HEAD, for HTTP/1.0, nor where an answer before it is still unread."""
    scope = request.scope
    return scope["method"] != "HEAD" and scope.get("http_version") != "1.0" and not unsent(scope)


def _with_headers(plan: StreamPlan, own: Headers) -> StreamPlan:
    """The plan with headers that its source says in the place of the usual ones, but for those that the mock says."""
    own = [(name, value) for name, value in own if name not in plan.given]
    if not own:
        return plan
    headers, lasting_headers = plan.headers.replaced(own), plan.lasting_headers.replaced(own)
    return structs.replace(plan, headers=headers, lasting_headers=lasting_headers)


def _fixed_headers(plan: StreamPlan, call: Call) -> FixedHeaders:
    return plan.lasting_headers if _keeps_alive(call.request) else plan.headers


def _own_headers(services: WireServices, plan: StreamPlan, own: Headers, fill: Fill) -> Headers:
    """The headers of this one stream: `own`, and those that follow the time or the request; but for those that are the
    same for each."""
    if plan.rate_limit is not None and plan.rate_limit.headers:
        from mockd.streaming.ratelimit import headers as rate_limit_headers

        own = own + rate_limit_headers(plan.rate_limit, services.clock.wall())
    if plan.following:
        own = first_of_each([(name, _header(plan, name, fill)) for name in plan.following], own)
    return [(name, value) for name, value in own if name not in plan.headers.names] if own else own


def _keeps_alive(request: RequestView) -> bool:
    connection = request.raw_headers.get(b"connection")
    return request.scope.get("http_version") == "1.1" and (connection is None or b"close" not in connection.lower())
