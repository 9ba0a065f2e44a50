"""From a request to its stream, stage by stage.

source (what) ▶ resume (where to go on) ▶ pacing and limits (when) ▶ framing (which bytes) ▶ wire (out)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from mockd.errors import SourceError
from mockd.events import Event, Fill, drawn
from mockd.expressions import Expression, ExpressionError, RequestContext, render_all
from mockd.request import RequestView
from mockd.source import Reply, Script, SourceContext
from mockd.streaming.burst import BurstResponse
from mockd.streaming.compile import Ending, Lifetime, StreamPlan
from mockd.streaming.feeds import Feed, ReplyFeed, ScriptFeed
from mockd.streaming.framing import FrameTemplate, RawFraming, expressions_of
from mockd.streaming.headers import NO_RULES, FixedHeaders, HeaderRules, Headers, first_of_each
from mockd.streaming.lasting import WireServices
from mockd.streaming.script import Events
from mockd.streaming.transport import unsent
from mockd.streaming.wire import Head, StreamResponse

if TYPE_CHECKING:
    from mockd.streaming.resume import Place, Sessions

logger = logging.getLogger("mockd")

Response = StreamResponse | BurstResponse
OpenFeed = Callable[[StreamResponse, float], Feed]

_RAW = RawFraming()


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
        return reply(services, plan, call, Reply(failure, 500), fill, NO_RULES)


def _respond(services: WireServices, plan: StreamPlan, sessions: Sessions | None, call: Call, fill: Fill) -> Response:
    if sessions is not None and (last_event_id := call.request.last_event_id) is not None:
        place = sessions.find(last_event_id)
        if place is not None:
            return _resumed(services, plan, sessions, call, place, fill)
    opened = plan.source.open(SourceContext(call.request, call.captures, services.clock, fill.rng))
    if isinstance(opened, Script):
        return _scripted(services, plan, sessions, call, opened, fill)
    if isinstance(opened, Reply):
        return reply(services, plan, call, opened, fill, plan.header_rules)
    if expressions := plan.expressions:
        fill.rendered = _rendered(expressions, call)
    own = _own_headers(services, plan, call.headers, fill)
    return _stream(services, plan, call, own, fill, _opening_session(plan, sessions, opened, fill))


def _scripted(
    services: WireServices, plan: StreamPlan, sessions: Sessions | None, call: Call, opened: Script, fill: Fill
) -> Response:
    """The stream of events that are known in advance: at one go, by its timetable, or as a session."""
    script = plan.compiled(opened)
    if script.expressions:
        fill.rendered = _rendered(script.expressions, call)
    fill.slots = opened.slots
    own = _own_headers(services, plan, [*opened.headers, *call.headers], fill)
    if (burst := script.burst) is not None and _takes_burst(call.request):
        headers = _fixed_headers(plan, call)
        return BurstResponse(services.registry, plan, call.request, headers, own, burst, burst.payload(fill))
    if (table := script.timetable) is not None:
        return _stream(services, plan, call, own, fill, lambda response, now: ScriptFeed(script, table, fill, now))
    return _stream(services, plan, call, own, fill, _opening_session(plan, sessions, script, fill))


def reply(
    services: WireServices, plan: StreamPlan, call: Call, answer: Reply, fill: Fill, rules: HeaderRules
) -> StreamResponse:
    """One whole answer, as a response like any other; `rules` decide about its headers."""
    fill.slots = answer.slots
    frame = _RAW.encode(Event(data=answer.body))
    given = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    if expressions := [*expressions_of(frame), *rules.expressions]:
        fill.rendered = _rendered(expressions, call)
    body = frame.render(fill) if isinstance(frame, FrameTemplate) else frame
    length = [] if answer.status in (204, 304) else [(b"content-length", b"%d" % len(body))]
    kind = b"text/plain; charset=utf-8" if isinstance(answer.body, str | tuple) else b"application/json"
    default = [] if isinstance(answer.body, bytes) else [(b"content-type", kind)]
    headers = rules.over(first_of_each(given, length + default + call.headers), fill.rendered)
    return StreamResponse(
        services,
        lambda response: services.registry.open(response, plan.mock_id, "response", call.request),
        lambda response, now: ReplyFeed(body),
        head=Head(answer.status, headers, drawn(answer.delay_s, fill.rng)),
        framing=_RAW,
        lifetime=Lifetime(),
        ending=Ending(),
        fill=fill,
        arrived=call.arrived,
        is_whole=True,
    )


def nothing_more(services: WireServices, plan: StreamPlan, call: Call, fill: Fill) -> StreamResponse:
    """204, which tells an EventSource to stop coming back (WHATWG HTML, 9.2)."""
    return reply(services, plan, call, Reply(status=204), fill, plan.header_rules)


# -- the stages --------------------------------------------------------------------------------------------------------


def _rendered(expressions: Iterable[Expression], call: Call) -> dict[str, str]:
    """What expressions come to for this request."""
    return render_all(expressions, RequestContext(call.request, call.captures))


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

    return _stream(services, plan, call, _own_headers(services, plan, call.headers, fill), fill, open_feed)


def _stream(
    services: WireServices, plan: StreamPlan, call: Call, own: Headers, fill: Fill, open_feed: OpenFeed
) -> StreamResponse:
    headers = [*_fixed_headers(plan, call), *own]
    return StreamResponse(
        services,
        lambda response: services.registry.open(response, plan.mock_id, plan.kind, call.request),
        open_feed,
        head=Head(plan.status, headers, drawn(plan.head_delay_s, fill.rng)),
        framing=plan.framing,
        lifetime=plan.lifetime,
        ending=plan.ending_of(fill),
        fill=fill,
        arrived=call.arrived,
        retry=plan.retry,
        flush_each=plan.flush_each,
    )


def _takes_burst(request: RequestView) -> bool:
    """Whether one send is all it takes: not for HEAD, for HTTP/1.0, nor where an answer before it is still unread."""
    scope = request.scope
    return scope["method"] != "HEAD" and scope.get("http_version") != "1.0" and not unsent(scope)


def _fixed_headers(plan: StreamPlan, call: Call) -> FixedHeaders:
    return plan.lasting_headers if _keeps_alive(call.request) else plan.headers


def _own_headers(services: WireServices, plan: StreamPlan, own: Headers, fill: Fill) -> Headers:
    """The headers of this one stream: `own` and those that follow the time, but for names that are settled for each;
    and those that follow the request."""
    if plan.rate_limit is not None and plan.rate_limit.headers:
        from mockd.streaming.ratelimit import headers as rate_limit_headers

        own = own + rate_limit_headers(plan.rate_limit, services.clock.wall())
    own = [header for header in own if header[0] not in plan.headers.settled]
    return own + plan.header_rules.followed(fill.rendered)


def _keeps_alive(request: RequestView) -> bool:
    connection = request.raw_headers.get(b"connection")
    return request.scope.get("http_version") == "1.1" and (connection is None or b"close" not in connection.lower())
