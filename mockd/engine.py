"""The engine, which joins the set of mocks, matching and streaming."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mockd import cors
from mockd.clock import Clock, SystemClock
from mockd.config.load import MockSpec, dump_collection
from mockd.config.warn import Warn, log_warning
from mockd.errors import BodyTooLargeError, ConfigError, NotFoundError, TooManyKeysError, error_body
from mockd.headers import FixedHeaders, Headers
from mockd.journal.exchange import Exchange
from mockd.journal.journal import Asked, Journal
from mockd.journal.registry import Registry
from mockd.keys.mocks import MocksByKey
from mockd.keys.reading import KeyRules
from mockd.keys.registry import Key, Keys, KnownKey
from mockd.lines import Line, line_of
from mockd.lines.upgrade import look_for_lost_body
from mockd.matching import Match, Miss, Table
from mockd.mocks.choice import ReadyPart
from mockd.mocks.mock_set import MockSet
from mockd.mocks.registered import Registered
from mockd.mocks.scenarios import Scenarios
from mockd.mocks.state_file import StateFile
from mockd.patterns import APART, AT_ONCE, NotAtOnceError
from mockd.request import LARGE_BODY, ClientGoneError, Receive, RequestView, Scope, Send, read_body
from mockd.settings import Settings
from mockd.source import Source
from mockd.store import MemoryStore, ScopedStore, Store
from mockd.streaming.calendar import Calendars
from mockd.streaming.pipeline import Matched, awaited, bodiless, identified, refusal, respond, too_many, whole
from mockd.streaming.program import Program, Services
from mockd.streaming.stream import Stream
from mockd.turns import go_through, gone_through

if TYPE_CHECKING:
    from mockd.faults.chosen import Aimed
    from mockd.hand import Hands
    from mockd.streaming.sessions.resume import Sessions

T = TypeVar("T")

EVENTS_AT_ONCE = 1000
"""Number of buffered events that are forgotten in one turn of the event loop."""
KEYS_AT_ONCE = 50
"""Number of keys that are forgotten, or lose scenarios, in one turn of the event loop."""


class Engine:
    """A set of mocks and their live streams. An engine can be made anywhere: it starts nothing, and the only file that
    it opens is the state file of the settings. Raises `ConfigError` if that file cannot be used.

    `store` keeps the state that may outlive this engine, under `scope`. The default is a store in memory, with a state
    file if the settings name one.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        store: Store | None = None,
        scope: str = "default",
    ) -> None:
        self.settings = settings = settings or Settings()
        self.clock: Clock = clock or SystemClock()
        self.started_at = self.clock.wall()
        if store is None:
            store = StateFile(Path(settings.state)) if settings.state else MemoryStore()
        self._state = ScopedStore(store, scope)
        self.connections = Registry(self.clock, self._state, max_ended=settings.max_ended)
        self.journal = (
            Journal(settings.journal, settings.journal_bytes, settings.body_limit) if settings.journal else None
        )
        if settings.metrics_port:
            self.connections.tallied()
        self._services = Services(
            self.clock, Calendars(self.clock), self.connections, settings.send_buffer, settings.send_timeout
        )
        self._key_rules = rules = KeyRules.of(settings)
        self._key_header, self._key_beginnings = rules.header, rules.beginnings
        self.keys = Keys(self.clock, most=settings.max_keys, max_age_s=settings.key_max_age, forget=self._forget_all_of)
        self.connections.left = self.keys.ended
        self.scenarios = Scenarios(self._state, self.keys)
        self.mock_set = MockSet(settings, self.clock, self._state, self.keys, self.scenarios)
        self.by_key = MocksByKey(settings, self.clock, self.mock_set, self.keys, self.scenarios)
        self._hands: Hands | None = None
        self._is_opening_watched = settings.identify
        # Where they are, for people: as URLs, or for the admin API as a path beside the mocks. None is not known.
        self.mocks_url: str | None = None
        self.admin_url: str | None = None

    # -- answering requests ----------------------------------------------------------------------------------------

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        await self.answer(line_of(scope, receive, send))

    async def answer(self, line: Line) -> None:
        """Answer the request on a line."""
        rest = self.start(line)
        if rest is not None:
            await rest

    def start(self, line: Line) -> Awaitable[None] | None:
        """Answer the request on a line as far as that goes at once. Returns what is left to be awaited, or None if that
        was all. This is the whole life of a request, in order."""
        request = RequestView(line.scope)
        if request.path.startswith(self._key_beginnings) or self._key_header in request.raw_headers:
            self._read_key(request)
        exchange = self.connections.exchange(request)
        body = line.received(self.settings.max_body)
        asked = None
        if self.journal is not None:
            asked = self.journal.enter(exchange, line.request_head, line.scope, body)
        if body is None:
            return self._answer_once_read(line, request, exchange, asked)
        request.body = body
        if len(body) > LARGE_BODY:
            return self._answer_apart(line, request, exchange)
        try:
            program = self._program(request, exchange)
        except NotAtOnceError:
            return self._answer_apart(line, request, exchange)
        if self._is_opening_watched:
            program = self._opening(exchange, program)
        return Stream(self._services, line, exchange, program).start()

    def _read_key(self, request: RequestView) -> None:
        self._key_rules.read(request)
        if request.key:
            self.keys.began(request.key)

    async def _answer_apart(self, line: Line, request: RequestView, exchange: Exchange) -> None:
        program = self._opening(exchange, await self._program_apart(request, exchange))
        await Stream(self._services, line, exchange, program).run()

    async def _answer_once_read(
        self, line: Line, request: RequestView, exchange: Exchange, asked: Asked | None
    ) -> None:
        try:
            await read_body(request, line.receive, self.settings.max_body)
            if asked is not None and self.journal is not None:
                self.journal.add_body(asked, request.body)
            program = await self._program_once_read(request, exchange)
        except ClientGoneError:
            self.connections.ended(exchange, "client_disconnected")
            return
        except BodyTooLargeError as error:
            # The connection stays open, so that the server reads the rest of the body. If it were closed while the
            # client is still sending, it would be reset and the answer lost.
            program = refusal(request, 413, error_body(error.code, error.message))
        await Stream(self._services, line, exchange, self._opening(exchange, program)).run()

    def _opening(self, exchange: Exchange, program: Program) -> Program:
        """The program of a stream that begins now, if anybody wants to know of it."""
        if self._hands is not None:
            program = self._hands.opening(exchange, program)
        return identified(program, exchange) if self.settings.identify else program

    async def _program_once_read(self, request: RequestView, exchange: Exchange) -> Program:
        if len(request.body) <= LARGE_BODY:
            with contextlib.suppress(NotAtOnceError):
                return self._program(request, exchange)
        return await self._program_apart(request, exchange)

    async def _program_apart(self, request: RequestView, exchange: Exchange) -> Program:
        """The program that answers a request whose mock takes long to find."""
        while True:
            table, key = self._table_of(request), request.key
            # Between two of a thread's looks at a state, another request could change it.
            request.states = {name: self.scenarios.state(key, name) for name in self.by_key.scenarios_of(key)}
            match = await asyncio.get_running_loop().run_in_executor(self._finder, _find, table, request)
            request.states = None
            if table != self._table_of(request):  # no change would end the stream of an old mock
                continue
            if isinstance(match, Miss) or match.target.fits(request):  # still, after what other requests did since
                exchange.owner = self.by_key.owner_of(request, match)
                if self.journal is not None:
                    self.journal.wake()
                return self._program(request, exchange, match)

    @cached_property
    def _finder(self) -> ThreadPoolExecutor:
        # One thread, as each busy thread makes the event loop wait longer for its turn.
        return ThreadPoolExecutor(1, thread_name_prefix="mockd-find")

    def _program(
        self, request: RequestView, exchange: Exchange, match: Match[Registered] | Miss | None = None
    ) -> Program:
        """The program that answers a request. `match` is its mock, if it was looked for. Raises `NotAtOnceError` if
        that takes too long here."""
        look_for_lost_body(request)
        settings = self.settings
        headers: Headers = []
        if b"origin" in request.raw_headers and settings.cors:  # only requests from a page have it
            if (preflight := cors.preflight_headers(request)) is None:
                headers = cors.response_headers(request)
            elif not self._is_closed_to_pages(request):
                exchange.is_preflight = True
                return bodiless(whole(204, b"", FixedHeaders(preflight), []))
        if match is None:
            if request.is_keyed:
                match = self.by_key.table_of(request).resolve(request)
                exchange.owner = self.by_key.owner_of(request, match)
            else:
                match = self.mock_set.served.table.resolve(request)
        if not isinstance(match, Match):
            if request.key_error is not None:
                return refusal(request, 400, error_body(request.key_error.code, request.key_error.message), headers)
            exchange.near_misses = match.near_misses
            return self._missed(request, match.near_misses, headers)
        mock = match.target
        part = mock.only
        exchange.mock_id = mock.spec.id
        if headers and not mock.spec.mock.cors:
            headers = []
        if settings.max_connections and len(self.connections) >= settings.max_connections:
            self.connections.refused()
            return too_many(request, _FULL, headers)
        said: Sequence[Aimed] = ()
        try:
            if b"x-mockd-fault" in request.raw_headers:
                said = self._faults_said(request)
            if part is None:
                part = mock.chosen(request)
                exchange.entry = part.part.entry
            has_faults = bool(part.faults or said)
            if part.program is not None and not headers and request.method != "HEAD" and not has_faults:
                return part.program
            matched = Matched(request, match.captures, headers, exchange, self.clock, mock.counters)
            if has_faults and request.method != "HEAD":
                return self._broken(part, said, matched)
            return respond(part.plan, part.sessions, matched)
        except ConfigError as error:
            problem = error.problems[0]
            message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
            return refusal(request, 400, error_body("invalid_fault", message), headers)
        except TooManyKeysError as error:
            self.connections.refused()
            return too_many(request, error_body(error.code, error.message), headers)

    def _table_of(self, request: RequestView) -> Table[Registered]:
        """The mocks for a request."""
        return self.by_key.table_of(request) if request.is_keyed else self.mock_set.served.table

    def _faults_said(self, request: RequestView) -> Sequence[Aimed]:
        """The faults in the header of a request. Raises `ConfigError`, before the request has had any effect."""
        from mockd.faults import of_header  # loaded only with the first fault

        settings = self.settings
        return of_header(request, is_allowed=settings.allow_fault_header, most_bytes=settings.max_fault_bytes)

    def _broken(self, part: ReadyPart, said: Sequence[Aimed], matched: Matched) -> Program:
        """An answer with the faults that strike the request: those that it says itself, then its own."""
        from mockd.faults import broken

        return broken(part.plan, part.sessions, (*said, *part.faults), matched, self.settings.fault_timeout)

    def _missed(self, request: RequestView, near_misses: list[dict[str, Any]], headers: Headers) -> Program:
        """The answer to a request that no mock matches: for a person who looks at it in a browser, a page."""
        error = _no_match(request, near_misses)
        if request.raw_headers.get(b"sec-fetch-dest") == b"document":
            from mockd import overview

            if overview.is_for(request):
                program = awaited(self._page(request, error["error"]["message"]))
                program.is_listed = False
                return program
        return refusal(request, 404, error, headers)

    async def _page(self, request: RequestView, miss: str) -> Program:
        from mockd.overview import HEADERS

        body = await self.apart(lambda: self.overview(request, request.scope.get("root_path", ""), miss))
        fixed = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        return whole(404, body, FixedHeaders([*fixed, (b"content-length", b"%d" % len(body))]), [])

    def overview(self, request: RequestView, root: str, miss: str | None = None) -> bytes:
        """The page for people that lists what is here. `root` is the path under which the app is mounted."""
        from mockd.overview import Overview, origin_of
        from mockd.sources.registry import names

        origin = origin_of(request)
        admin = self.admin_url
        if admin is not None and admin.startswith("/"):
            admin = origin + root + admin
        mocks = self.mocks_url if miss is None else None
        own = self.mocks(request.key) if request.key else []
        return Overview([*own, *self.mocks()], names(), mocks or origin + root + request.key_path, admin, miss).html()

    def _is_closed_to_pages(self, preflight: RequestView) -> bool:
        """Whether the mock that a preflight is about has CORS turned off, as far as a preflight can tell."""
        rule = self._table_of(preflight).announced_by(preflight, cors.announced_method(preflight))
        return rule is not None and not rule.target.spec.mock.cors

    # -- the mocks -------------------------------------------------------------------------------------------------

    def mocks(self, key: str = "") -> list[MockSpec]:
        """The mocks for all keys, in order, or those that are a key's own."""
        mocks = self.by_key.of(key)
        return [] if mocks is None else mocks.served.specs()

    def get(self, mock_id: str) -> MockSpec:
        """One of the mocks for all keys. Raises `NotFoundError`."""
        return self.mock_set.served.find(mock_id).spec

    def export(self) -> dict[str, Any]:
        """All mocks as the value of a configuration file."""
        return dump_collection(self.mocks())

    def check(self, spec: MockSpec) -> None:
        """Raise `ConfigError` for faults that are found only when a mock is built: in its template, placeholders or
        patterns."""
        self.mock_set.check(spec)

    # Each change is made as `MockSet` says, and is served at once.

    def load(self, specs: Sequence[MockSpec], warn: Warn = log_warning) -> None:
        """Take these as the mocks of the configuration files. `warn` gets the warnings about them. Raises
        `ConfigError`."""
        self.mock_set.load(specs, warn)
        self._serve()

    def create(self, doc: object, key: str = "") -> MockSpec:
        """Add a mock after the others, for all keys or for one. Raises `ConfigError`, `ConflictError`,
        `TooManyKeysError`."""
        with self.by_key.place_of(key, is_new=True) as place:
            assert place.mocks is not None
            spec = place.mocks.create(doc)
            self._swap(place)
            place.mocks.let_go()
            return spec

    def replace(self, mock_id: str, doc: object) -> MockSpec:
        """Replace a mock; the new one takes its place in the order. Raises `NotFoundError`, `ConfigError`."""
        spec = self.mock_set.replace(mock_id, doc)
        self._serve()
        return spec

    def patch(self, mock_id: str, patch: object) -> MockSpec:
        """Change a mock by a JSON Merge Patch. Raises `NotFoundError`, `ConfigError`."""
        spec = self.mock_set.patch(mock_id, patch)
        self._serve()
        return spec

    def toggle(self, mock_id: str) -> MockSpec:
        """Enable a disabled mock, or disable an enabled one. Raises `NotFoundError`."""
        spec = self.mock_set.toggle(mock_id)
        self._serve()
        return spec

    def delete(self, mock_id: str) -> None:
        """Remove a mock. Raises `NotFoundError`."""
        self.mock_set.delete(mock_id)
        self._serve()

    def import_specs(self, specs: Sequence[MockSpec], *, replace: bool, dry_run: bool) -> int:
        """Add mocks, replace all mocks, or only check whether that is possible. Returns the number of mocks given.
        Raises `ConfigError`."""
        count = self.mock_set.import_specs(specs, replace=replace, dry_run=dry_run)
        self._serve()
        return count

    def _serve(self) -> None:
        """Serve the changes that were accepted, and free the old mocks."""
        self._swap(self.by_key.for_all)
        self.mock_set.let_go()

    def _swap(self, place: Key) -> None:
        """Serve the changes to a key's mocks that were accepted, and end the streams of those whose content has
        changed."""
        assert place.mocks is not None
        before = place.mocks.served
        swap = place.mocks.swap()
        if place.mocks.served is not before and self.connections.feed.is_on:
            self.connections.feed.changed(place.name, len(place.mocks.served.rules))
        if swap.ended:
            live = self.connections.exchanges(key=place.name or None)
            streams = [stream for stream in live if stream.mock_id in swap.ended and stream.owner == place.name]
            self.connections.stop(streams, "closed_by_admin")
            if self._hands is not None:
                for mock_id in swap.ended - place.mocks.served.rules.keys():
                    self._hands.forget_mock((place.name, mock_id))
        if swap.scenarios:
            go_through(self.by_key.forgetting_scenarios(place.name, swap.scenarios), KEYS_AT_ONCE)
        go_through(chain.from_iterable([sessions.forgetting() for sessions in swap.closed]), EVENTS_AT_ONCE)

    # -- work outside the event loop -------------------------------------------------------------------------------

    async def apart(self, work: Callable[[], T], place: Key | None = None) -> T:
        """Do long work in another thread, so that streams go on. Pieces of work are done one at a time, in the order in
        which they came. Changes that the work makes to the mocks of a place are served before this method returns; the
        default is that of the mocks for all keys."""
        changed = place or self.by_key.for_all
        loop = asyncio.get_running_loop()
        served = loop.create_future()

        def swapped() -> None:
            assert changed.mocks is not None
            self._swap(changed)
            self._worker.submit(changed.mocks.let_go)
            if not served.done():  # nobody waits any more if it was cancelled
                served.set_result(None)

        def serve(done: Future[T]) -> None:
            # The loop is closed if the server was stopped in the meantime.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(swapped)

        future = self._worker.submit(work)
        # Not after the `await`, as the waiting task may be cancelled although the change is made.
        future.add_done_callback(serve)
        try:
            await served
        except asyncio.CancelledError:
            future.cancel()  # unless it has begun
            raise
        return future.result()

    @cached_property
    def _worker(self) -> ThreadPoolExecutor:
        # One thread, as each busy thread makes the event loop wait longer for its turn.
        return ThreadPoolExecutor(1, thread_name_prefix="mockd-admin")

    # -- live streams ----------------------------------------------------------------------------------------------

    def streams_of(self, mock_id: str, key: str | None = None) -> list[Exchange]:
        """The live streams of a mock, for all keys or for one, oldest first. Raises `NotFoundError`."""
        _, owner = self.by_key.mock_for(key, mock_id)
        return [stream for stream in self.connections.exchanges(mock_id, key) if stream.owner == owner]

    def place_of(self, mock_id: str, key: str | None = None) -> tuple[str, str]:
        """The mock of that ID for a key, as the key whose own it is, otherwise empty, and its ID. Raises
        `NotFoundError`."""
        return self.by_key.mock_for(key, mock_id)[1], mock_id

    def source_of(self, exchange: Exchange) -> Source | None:
        """The source of the mock that answers a request, if the mock is still there."""
        mocks = self.by_key.of(exchange.owner)
        mock = None if mocks is None else mocks.served.get(exchange.mock_id or "")
        return None if mock is None else mock.parts[exchange.entry or 0].plan.source

    def sessions_of(self, mock_id: str, key: str | None = None) -> list[Sessions]:
        """The sessions of the mock of that ID for a key, if it has any. Raises `NotFoundError`."""
        return list(self.by_key.mock_for(key, mock_id)[0].sessions)

    def close_all(self, mock_id: str, key: str | None = None) -> int:
        """End a mock's live streams, for all keys or for one, through their termination. Returns their number. Raises
        `NotFoundError`."""
        return self.connections.stop(self.streams_of(mock_id, key), "closed_by_admin")

    def buffer(self, mock_id: str, key: str | None = None) -> list[dict[str, Any]]:
        """The events that a mock keeps for clients that reconnect, those of all keys or of one. Raises
        `NotFoundError`."""
        from mockd.streaming.sessions.resume import described  # loaded only with the first mock that resumes

        mock, _ = self.by_key.mock_for(key, mock_id)
        return described([held for sessions in mock.sessions for held in sessions.held(key)])

    def clear_buffer(self, mock_id: str, key: str | None = None) -> int:
        """Forget the events that a mock keeps, those of all keys or of one. Returns their number. Raises
        `NotFoundError`."""
        mock, _ = self.by_key.mock_for(key, mock_id)
        return sum(1 for sessions in mock.sessions for _ in sessions.clearing(key))

    def take_in_hand(self) -> Hands:
        """The hands on its streams. From the first call on, each stream that begins is looked at."""
        if self._hands is None:
            from mockd.hand import Hands  # loaded only when somebody holds a stream, or waits for one

            self._hands = Hands(self.settings, self.clock, self.connections, self.keys.need)
            self._is_opening_watched = True
        return self._hands

    # -- keys, and back to the start -------------------------------------------------------------------------------

    def known_keys(self) -> list[KnownKey]:
        """The keys for which anything is kept or open, the one that was used longest ago first."""
        live: dict[str, list[Exchange]] = {}
        for stream in self.connections.exchanges():
            if stream.key:
                live.setdefault(stream.key, []).append(stream)
        since = self.clock.wall() - self.clock.monotonic()
        used = {name: max(stream.connected_at for stream in streams) for name, streams in live.items()}
        used |= {key.name: since + key.used for key in self.keys.all()}
        found = [KnownKey(name, at, len(self.mocks(name)), len(live.get(name, ()))) for name, at in used.items()]
        return sorted(found, key=lambda key: key.used)

    def delete_key(self, name: str) -> int:
        """End the streams of a key through their termination, and forget all that is known of it. Returns the number of
        streams. Raises `NotFoundError`."""
        forgotten = self.journal.forget_key(name) if self.journal is not None else 0
        if not (forgotten or self.keys.is_known(name)):
            raise NotFoundError(f"Key not found: {name}")
        ended = self.connections.stop(self.connections.exchanges(key=name), "closed_by_admin")
        if self.journal is not None:
            self.journal.end_waits(name)
        self._forget_all_of(self.keys.pop(name) or Key(name, 0.0))
        return ended

    def _forget_all_of(self, key: Key) -> None:
        """Forget all that is kept for a key which has lost its place."""
        self.connections.restart(key.name)
        if self._hands is not None:
            self._hands.forget(key.name)
        go_through(self.by_key.forget(key), EVENTS_AT_ONCE)

    async def reset(self, key: str | None = None, *, mocks: bool = False, streams: bool = False) -> dict[str, int]:
        """Put back to the start what is counted, held and in the journal, for one key or for all of them. With `mocks`,
        the mocks are those of the configuration files again, and no key has its own. With `streams`, live streams end
        through their termination; otherwise they go on. Returns how much of each there was."""
        done: Counter[str] = Counter(keys=0, counters=0, scenarios=0, events=0, mocks=0, streams=0, requests=0, holds=0)
        if self.journal is not None:
            done["requests"] += self.journal.forget_key(key)
        self.connections.restart(key)
        if self._hands is not None:
            done["holds"] += self._hands.release_key(key)
        if mocks and not key:
            done["mocks"] += await self.apart(self.mock_set.restore)
        if streams:
            done["streams"] += self.connections.stop(self.connections.exchanges(key=key), "closed_by_admin")
        await gone_through(self.by_key.resetting(key, done, self._swap if mocks else None), EVENTS_AT_ONCE)
        return dict(done)

    # -- the end ---------------------------------------------------------------------------------------------------
    def begin_shutdown(self) -> None:
        """Start to end every stream through its termination."""
        self.connections.feed.close()
        if self.journal is not None:
            self.journal.close()
        if self._hands is not None:
            self._hands.stop()
        self.connections.stop(self.connections.exchanges(), "shutdown")

    async def shutdown(self) -> None:
        """End every stream through its termination. Streams that take longer than `shutdown_timeout` are cut off."""
        self.begin_shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.shutdown_timeout):
                await self.connections.drained()
        self.cut()

    def cut(self) -> None:
        """Cut off every stream."""
        for connection in self.connections.exchanges():
            if connection.stream is not None:
                connection.stream.cut()


def _find(table: Table[Registered], request: RequestView) -> Match[Registered] | Miss:
    """What a request matches, and all that takes long to know of it."""
    request.allow(APART)
    match = table.resolve(request)
    if isinstance(match, Miss):
        _ = match.near_misses
    elif any(part.program is None for part in match.target.parts):
        _ = request.json  # which the source may want, in the event loop
    request.allow(AT_ONCE)
    return match


# -- answers that are not a mock's -------------------------------------------------------------------------------------

_FULL = error_body("too_many_connections", "as many streams are open as --max-connections allows")


def _no_match(request: RequestView, near_misses: list[dict[str, Any]]) -> dict[str, Any]:
    message = "No mock matched the request"
    if near_misses:
        message += f"; the nearest: {near_misses[0]['reason']}"
    request_line = {"method": request.method, "path": request.path}
    return {**error_body("no_match", message), **request_line, "nearMisses": near_misses}
