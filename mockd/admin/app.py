"""The admin API as an ASGI app: one table of operations, from which the routes and the OpenAPI document are made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from functools import partial
from inspect import iscoroutinefunction
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any, Literal, TypeVar, get_args

from msgspec import Meta
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mockd.admin import (
    connections,
    feed,
    hand,
    keys,
    metrics,
    mocks,
    openapi,
    process,
    requests,
    scenarios,
    shapes,
    torture,
    verify,
    watch,
)
from mockd.admin.calls import Call, answer, check_query, error_answer, key_of, refusal
from mockd.admin.guard import Guard
from mockd.admin.openapi import Operation, Query
from mockd.config.events import EventConfig
from mockd.config.hand import Hold, MockHold, Step
from mockd.config.models import Mock, MockFile
from mockd.config.values import free
from mockd.config.verification import Verification
from mockd.engine import Engine
from mockd.errors import ConfigError, MockdError
from mockd.journal.entries import FILTERS
from mockd.journal.feed import Type
from mockd.lines.upgrade import look_for_lost_body
from mockd.request import ClientGoneError, RequestView, read_request

logger = logging.getLogger("mockd.admin")

T = TypeVar("T")

Document = dict[str, Any]
_PATCH_TYPES = ("application/merge-patch+json", "application/json")
_FILE_TYPES = ("application/json", "application/yaml")
_EVENTS = ("text/event-stream",)
_FORMAT = Query("format", Literal["json", "yaml"], "Format of the file; by default JSON.")
_REPLACE = Query("replace", bool, "Remove the mocks that are not in the configuration.")
_STATUS = Query("status", Literal["active", "ended", "all"], "Streams to list; by default active ones.")
_MOCK = Query("mock", str, "Only streams of this mock.")
_OF_REQUESTS = (
    *(Query(name, filter.type, filter.meaning) for name, filter in FILTERS.items()),
    Query("limit", Annotated[int, Meta(ge=0, le=999_999_999)], "Most requests; 100 by default, the newest."),
    Query("after", str, "ID of a request: only those behind it, and then the oldest."),
)
_OF_EVENTS = (
    Query("key", str, "Only what is about requests of this key, or about the mocks."),
    Query("mock", str, "Only what is about requests of this mock, or about the mocks."),
    Query("type", str, f"Only these types, with commas between them: {', '.join(get_args(Type))}."),
)
_OF_FORGOTTEN = _OF_REQUESTS[: len(FILTERS)]
_OWN = Query("key", str, "The mocks that are this key's own, instead of those for all keys.")
_KEY = Query("key", str, "Only streams of this key; those without a key if it is empty.")
_RESET_KEY = Query("key", str, "Only this key; requests without a key if it is empty. By default, all.")
_MOCKS = Query("mocks", bool, "Take back the changes to mocks too, and remove the mocks that are keys' own.")
_STREAMS = Query("streams", bool, "End live streams too.")
_LIMIT = Query(
    "limit", Annotated[int, Meta(ge=0, le=999_999_999)], "Only the newest; 100 by default for ended streams."
)
_SCENARIO_KEY = Query("key", str, "Key whose scenarios are meant; by default the key of requests that carry none.")
_WAITS = (
    _KEY,
    Query("reached", Annotated[int, Meta(ge=0, le=999_999_999)], "It has sent so many events."),
    Query("held", Literal["true"], "It is held."),
    Query("ended", Literal["true"], "It has ended."),
    Query("timeoutSeconds", Annotated[float, Meta(ge=0, le=hand.LONGEST_WAIT_S)], "Longest wait; 30 by default."),
)
_OPENED = Query(
    "opened",
    Annotated[int, Meta(ge=0, le=999_999_999)],
    "So many streams of the mock are as the rest of the query says, those included that have ended since the last "
    "reset. Without it: one that is live, or begins later.",
)
_DRY_RUN = Query("dryRun", bool, "Check the configuration, and change nothing.")


def get_openapi(engine: Engine, call: Call) -> Any:
    """Get this document."""
    return openapi.document(OPERATIONS, call.prefix)


PROBES: tuple[Operation, ...] = (
    Operation("GET", "/health", process.get_health, shapes.Probe, open=True),
    Operation("GET", "/ready", process.get_ready, shapes.Probe, open=True),
)

METRICS = Operation("GET", "/metrics", metrics.get_metrics, str, answer_types=("text/plain",), errors=(404,))

_SSE_OF_MOCK = "/mocks/{id}/sse/connections"
_BUFFER = "/mocks/{id}/sse/buffer"
_ONE = "/sse/connections/{id}"
_ALL = "/mocks/{id}/sse"


def _hand(verb: str, one: Any, all: Any, body: tuple[Any, Any] | None, *errors: int) -> tuple[Operation, ...]:
    """What people do with one stream, and with the live ones of a mock."""
    rows = (
        (f"{_ONE}/{verb}", one, shapes.OneConnection, 0, 409),
        (f"{_ALL}/{verb}", all, shapes.MockConnections, 1, 0),
    )
    return tuple(
        Operation(
            "POST",
            path,
            handler,
            shape,
            body=() if body is None else (body[place],),
            query=(_KEY,),
            errors=tuple(sorted({*errors, conflict} - {0})),
            needs_body=verb in ("push", "cut"),
        )
        for path, handler, shape, place, conflict in rows
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/mocks", mocks.list_mocks, shapes.MockList, query=(_OWN,)),
    Operation(
        "POST",
        "/mocks",
        mocks.create_mock,
        shapes.MockChange,
        201,
        body=(Mock,),
        query=(_OWN,),
        errors=(409, 503),
        makes_key=True,
    ),
    Operation("GET", "/mocks/{id}", mocks.get_mock, Mock, query=(_OWN,)),
    Operation("PUT", "/mocks/{id}", mocks.replace_mock, shapes.MockChange, body=(Mock,), query=(_OWN,)),
    Operation(
        "PATCH",
        "/mocks/{id}",
        mocks.patch_mock,
        shapes.MockChange,
        body=(Document,),
        body_types=_PATCH_TYPES,
        query=(_OWN,),
    ),
    Operation("DELETE", "/mocks/{id}", mocks.delete_mock, None, 204, query=(_OWN,)),
    Operation("POST", "/mocks/{id}/toggle", mocks.toggle_mock, shapes.MockChange, query=(_OWN,)),
    Operation("GET", _SSE_OF_MOCK, connections.list_mock_connections, shapes.MockConnections, query=(_KEY,)),
    Operation("DELETE", _SSE_OF_MOCK, connections.close_mock_connections, shapes.ClosedConnections, query=(_KEY,)),
    Operation("GET", _BUFFER, connections.get_buffer, shapes.Buffer, query=(_KEY,)),
    Operation("DELETE", _BUFFER, connections.clear_buffer, shapes.ClearedBuffer, query=(_KEY,)),
    Operation(
        "GET",
        "/sse/connections",
        connections.list_connections,
        shapes.ConnectionList,
        query=(_STATUS, _MOCK, _KEY, _LIMIT),
    ),
    Operation("GET", "/sse/connections/{id}", connections.get_connection, shapes.Connection, query=(_KEY,)),
    Operation(
        "DELETE",
        "/sse/connections/{id}",
        connections.close_connection,
        shapes.ClosedConnection,
        query=(_KEY,),
        errors=(409,),
    ),
    *_hand("hold", hand.hold_connection, hand.hold_mock, (Hold, MockHold), 503),
    *_hand("release", hand.release_connection, hand.release_mock, None),
    *_hand("step", hand.step_connection, hand.step_mock, (Step, Step), 503),
    *_hand("push", hand.push_into_connection, hand.push_into_mock, (EventConfig, EventConfig), 409),
    *_hand("cut", hand.cut_connection, hand.cut_mock, (Document | str, Document | str), 409),
    *_hand("close", hand.end_connection, hand.end_mock_connections, None),
    Operation("GET", f"{_ONE}/wait", hand.wait_for_connection, shapes.Waited, query=_WAITS, errors=(503,), waits=True),
    Operation(
        "GET",
        f"{_ALL}/wait",
        hand.wait_for_mock,
        shapes.WaitedForMock,
        query=(*_WAITS, _OPENED),
        errors=(503,),
        waits=True,
    ),
    Operation(
        "GET", f"{_ONE}/watch", watch.watch_connection, str, query=(_KEY,), answer_types=_EVENTS, errors=(409, 503)
    ),
    Operation("GET", f"{_ALL}/watch", watch.watch_mock, str, query=(_KEY,), answer_types=_EVENTS, errors=(503,)),
    Operation("GET", "/sse/stats", connections.get_stats, shapes.Stats, query=(_KEY,)),
    Operation("GET", "/keys", keys.list_keys, shapes.KeyList),
    Operation("DELETE", "/keys/{key}", keys.delete_key, shapes.DeletedKey, errors=(400,)),
    Operation("POST", "/reset", keys.reset, shapes.Reset, query=(_RESET_KEY, _MOCKS, _STREAMS)),
    Operation("GET", "/events", feed.follow, str, query=_OF_EVENTS, answer_types=_EVENTS, errors=(503,)),
    METRICS,
    Operation("GET", "/requests", requests.list_requests, shapes.RequestList, query=_OF_REQUESTS, errors=(404,)),
    Operation(
        "DELETE", "/requests", requests.forget_requests, shapes.ForgottenRequests, query=_OF_FORGOTTEN, errors=(404,)
    ),
    Operation("GET", "/requests/{id}", requests.get_request, shapes.JournalEntry),
    Operation("GET", "/scenarios", scenarios.list_scenarios, shapes.ScenarioList, query=(_SCENARIO_KEY,)),
    Operation(
        "PUT",
        "/scenarios/{name}",
        scenarios.set_scenario,
        shapes.ScenarioShape,
        body=(shapes.ScenarioState,),
        query=(_SCENARIO_KEY,),
    ),
    Operation("GET", "/torture", torture.list_variants, list[shapes.StreamVariant], errors=(404,)),
    Operation("POST", "/verify", verify.verify, shapes.Verified, body=(Verification,), errors=(404, 503), waits=True),
    Operation("GET", "/config", mocks.export_config, MockFile, answer_types=_FILE_TYPES, query=(_FORMAT,)),
    Operation(
        "POST",
        "/config",
        mocks.import_config,
        shapes.Imported,
        body=(MockFile, list[Mock], Mock, shapes.Import),
        body_types=_FILE_TYPES,
        query=(_REPLACE, _DRY_RUN),
    ),
    Operation("GET", "/status", process.get_status, shapes.Status),
    *PROBES,
    Operation("GET", "/schema", process.get_schema, Document),
    Operation("GET", "/schema/recording", process.get_recording_schema, Document),
    Operation("GET", "/openapi.json", get_openapi, Document),
)


def create_admin(engine: Engine, *, api_key: str | None = None, bound_host: str | None = None) -> ASGIApp:
    """The admin API of `engine`.

    `api_key` is the key that every request needs; the default is the key in the engine's settings. Without a key, only
    requests from this machine are answered. `bound_host` is the address on which the API is served; requests may have
    it as their `Host`.
    """
    settings = engine.settings
    app = _create_app(engine, OPERATIONS, "GET /openapi.json lists its operations")
    app.router.routes.append(Route("/", partial(_overview, engine)))
    guard = Guard(
        app,
        api_key=api_key or settings.api_key or None,
        hosts=[*settings.admin_allow_host, bound_host or ""],
        origins=settings.admin_allow_origin,
        open_paths=[operation.path for operation in PROBES],
    )
    if not settings.admin_allow_origin:
        return guard
    from starlette.middleware.cors import CORSMiddleware

    # Around the guard, as a preflight cannot have the key.
    return CORSMiddleware(guard, settings.admin_allow_origin, allow_methods=("*",), allow_headers=("*",))


async def _overview(engine: Engine, request: Request) -> Response:
    """The page for people who look at the admin API in a browser."""
    view = RequestView(request.scope)
    root = str(request.scope.get("root_path", "")).removesuffix(engine.misses.admin_url or "")
    page = await engine.serving.apart(lambda: engine.misses.overview(view, root))
    from mockd.overview import HEADERS

    return Response(page, headers=HEADERS)


def create_probes(engine: Engine) -> ASGIApp:
    """`/health` and `/ready` alone, for the mock port of a server that also has an admin port."""
    return _create_app(engine, PROBES, "only /health and /ready are here; the rest is on the admin port")


def create_metrics(engine: Engine) -> ASGIApp:
    """`/metrics` alone, for the port of those who scrape it."""
    return _create_app(engine, (METRICS,), "only /metrics is here; the rest is on the admin port")


def _create_app(engine: Engine, operations: Sequence[Operation], hint: str) -> Starlette:
    async def unrouted(request: Request, error: Exception) -> Response:
        path = RequestView(request.scope).path
        return refusal(404, "not_found", f"the admin API has no {path!r}", hint=hint)

    by_path = groupby(sorted(operations, key=attrgetter("path")), key=attrgetter("path"))
    routes = [Route(path, _Endpoint(engine, list(group))) for path, group in by_path]
    app = Starlette(routes=routes, exception_handlers={HTTPException: unrouted})
    app.router.redirect_slashes = False
    return app


class _Endpoint:
    """One path of the admin API, with an operation for each of its methods."""

    def __init__(self, engine: Engine, operations: Sequence[Operation]) -> None:
        self._engine = engine
        self._operations = {operation.method: operation for operation in operations}
        if "GET" in self._operations:
            self._operations["HEAD"] = self._operations["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operations.get(scope["method"])
        if operation is None:
            response = self._not_allowed(scope["method"])
        else:
            try:
                response = await self._carry_out(operation, scope, receive)
            except ClientGoneError:
                return
        await response(scope, receive, send)

    def _not_allowed(self, method: str) -> Response:
        allowed = ", ".join(sorted(self._operations))
        message = f"{method} does nothing here; this path takes {allowed}"
        return refusal(405, "method_not_allowed", message, headers={"allow": allowed})

    async def _carry_out(self, operation: Operation, scope: Scope, receive: Receive) -> Response:
        try:
            view = RequestView(scope)
            if operation.body:
                view = await read_request(scope, receive, self._engine.settings.max_body)
                look_for_lost_body(view)
            if operation.query:
                check_query(view, tuple(query.name for query in operation.query))
            with self._engine.by_key.place_of(key_of(view) or "", is_new=operation.makes_key) as place:
                call = Call(view, scope["path_params"], place)
                if not iscoroutinefunction(operation.handler):
                    return await self._engine.serving.apart(partial(self._carry_out_apart, operation, call), place)
                answering = operation.handler(self._engine, call)
                return _answer(operation, await (_while_there(answering, receive) if operation.waits else answering))
        except ClientGoneError:
            raise
        except Exception as error:
            return _failure(operation, error)

    def _carry_out_apart(self, operation: Operation, call: Call) -> Response:
        # Errors are encoded here too, as an answer that lists thousands of problems also takes time.
        try:
            return _answer(operation, operation.handler(self._engine, call))
        except ConfigError as error:
            free(call.read)  # of which nothing is used
            return _failure(operation, error)
        except Exception as error:
            return _failure(operation, error)


async def _while_there(answering: Coroutine[Any, Any, Any], receive: Receive) -> Any:
    """The result of a handler that waits. Raises `ClientGoneError` once its client has left."""

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    handling, leaving = asyncio.create_task(answering), asyncio.create_task(left())
    try:
        await asyncio.wait((handling, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not handling.done():
            raise ClientGoneError
        return handling.result()
    finally:
        handling.cancel()
        leaving.cancel()


def _answer(operation: Operation, result: Any) -> Response:
    return result if isinstance(result, Response) else answer(result, operation.status)


def _failure(operation: Operation, error: Exception) -> Response:
    """The answer to an operation that raised `error`."""
    if isinstance(error, MockdError):
        return error_answer(error)
    logger.error("%s %s failed", operation.method, operation.path, exc_info=error)
    return refusal(500, "internal_error", "mockd failed at this request; its log says why")
