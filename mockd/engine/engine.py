"""The engine, which joins the set of mocks, matching and streaming."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockd import cors
from mockd.clock import Clock, SystemClock
from mockd.config.load import MockSpec, dump_collection
from mockd.config.warn import Warn, log_warning
from mockd.engine.keyed import Keyed
from mockd.engine.misses import Misses
from mockd.engine.serving import Serving
from mockd.engine.streams import Streams
from mockd.errors import BodyTooLargeError, ConfigError, TooManyKeysError, error_body
from mockd.headers import FixedHeaders, Headers
from mockd.journal.exchange import Exchange
from mockd.journal.journal import Asked, Journal
from mockd.journal.registry import Registry
from mockd.keys.mocks import MocksByKey
from mockd.keys.reading import KeyRules
from mockd.keys.registry import Keys
from mockd.lines import Line, line_of
from mockd.lines.upgrade import look_for_lost_body
from mockd.matching import Match, Miss, Table
from mockd.mocks.choice import ReadyPart
from mockd.mocks.mock_set import MockSet
from mockd.mocks.registered import Registered
from mockd.mocks.scenarios import Scenarios
from mockd.mocks.state_file import StateFile
from mockd.patterns import APART, AT_ONCE, NotAtOnceError
from mockd.request import LARGE_BODY, ClientGoneError, Receive, RequestView, Scope, Send, UnreadBody, read_body
from mockd.settings import Settings
from mockd.store import MemoryStore, ScopedStore, Store
from mockd.streaming.answers import bodiless, identified, refusal, too_many, whole
from mockd.streaming.calendar import Calendars
from mockd.streaming.pipeline import Matched, respond
from mockd.streaming.program import Program, Services
from mockd.streaming.stream import Stream

if TYPE_CHECKING:
    from mockd.faults.chosen import Aimed
    from mockd.hand import Hands

_FULL = error_body("too_many_connections", "as many streams are open as --max-connections allows")


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
        self.keys = Keys(
            self.clock,
            most=settings.max_keys,
            max_age_s=settings.key_max_age,
            forget=lambda key: self.keyed.forget(key),  # noqa: PLW0108  # which is made below
            most_kept=settings.max_stored,
            most_kept_bytes=settings.stored_bytes,
        )
        self.connections.left = self.keys.ended
        self.scenarios = Scenarios(self._state, self.keys)
        self.mock_set = MockSet(settings, self.clock, self._state, self.keys, self.scenarios)
        self.by_key = MocksByKey(settings, self.clock, self.mock_set, self.keys, self.scenarios)
        self.streams = Streams(self.by_key, self.connections, self._hands, are_watched=settings.identify)
        self.serving = Serving(self.by_key, self.connections, self.streams)
        self.keyed = Keyed(
            self.clock,
            self.keys,
            self.by_key,
            self.mock_set,
            self.connections,
            self.streams,
            self.serving,
            self.journal,
        )
        self.misses = Misses(self.by_key, self.serving)
        self.variants: list[dict[str, Any]] | None = None
        """The variants of a stream that are served, each under a key of its own, for the admin API."""

    def _hands(self) -> Hands:
        from mockd.hand import Hands  # loaded only when somebody holds a stream, or waits for one

        return Hands(self.settings, self.clock, self.connections, self.keys.need)

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
        if self.streams.are_watched:
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
        if (match := self._match_of_head(line, request)) is not None:
            await self._answer_unread(line, request, exchange, asked, match)
            return
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
            is_for_page = b"origin" in request.raw_headers and self.settings.cors
            headers = cors.response_headers(request) if is_for_page else []
            program = refusal(request, 413, error_body(error.code, error.message), headers)
        await Stream(self._services, line, exchange, self._opening(exchange, program)).run()

    def _match_of_head(self, line: Line, request: RequestView) -> Match[Registered] | None:
        """The mock that answers a request whose body is on its way, if it is one that begins before that is there."""
        table = self._table_of(request)
        try:
            match = table.resolve(request) if table.is_settled_by_head(request) else None
        except NotAtOnceError:
            return None
        if not isinstance(match, Match) or match.target.only is None or not match.target.only.plan.opens_unread:
            return None
        return match if line.open_early() else None

    async def _answer_unread(
        self, line: Line, request: RequestView, exchange: Exchange, asked: Asked | None, match: Match[Registered]
    ) -> None:
        """Answer a request while its body comes."""

        def note(body: UnreadBody) -> None:
            if asked is not None and self.journal is not None:
                self.journal.add_body(asked, bytes(body.kept), body.size)

        most_kept = 0 if asked is None else self.settings.body_limit
        request.unread = UnreadBody(line.receive, most_kept, note)
        exchange.owner = self.by_key.owner_of(request, match)
        program = self._opening(exchange, self._program(request, exchange, match))
        await Stream(self._services, line, exchange, program).run()

    def _opening(self, exchange: Exchange, program: Program) -> Program:
        """The program of a stream that begins now, if anybody wants to know of it."""
        if self.streams.hands is not None:
            program = self.streams.hands.opening(exchange, program)
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
                    self.journal.wake(exchange)
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
            if match.near_misses and self.journal is not None:
                self.journal.missed(exchange)
            return self.misses.answer(request, match.near_misses, headers)
        mock = match.target
        part = mock.only
        exchange.mock_id = mock.spec.id
        if headers and not mock.spec.mock.lets_pages_read:
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

    def _is_closed_to_pages(self, preflight: RequestView) -> bool:
        """Whether the mock that a preflight is about has CORS turned off, as far as a preflight can tell."""
        rule = self._table_of(preflight).announced_by(preflight, cors.announced_method(preflight))
        return rule is not None and not rule.target.spec.mock.lets_pages_read

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

    def load(self, specs: Sequence[MockSpec], warn: Warn = log_warning, *, key: str = "") -> None:
        """Take these as the mocks of the configuration files, or as those that a key has from the start. `warn` gets
        the warnings about them. Raises `ConfigError`, `TooManyKeysError`."""
        with self.by_key.place_of(key, is_new=True) as place:
            assert place.mocks is not None
            place.mocks.load(specs, warn)
            self.serving.swap(place)
            place.mocks.let_go()

    def create(self, doc: object, key: str = "") -> MockSpec:
        """Add a mock after the others, for all keys or for one. Raises `ConfigError`, `ConflictError`,
        `TooManyKeysError`."""
        with self.by_key.place_of(key, is_new=True) as place:
            assert place.mocks is not None
            spec = place.mocks.create(doc)
            self.serving.swap(place)
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
        self.serving.swap(self.by_key.for_all)
        self.mock_set.let_go()

    # -- the end ---------------------------------------------------------------------------------------------------
    def begin_shutdown(self) -> None:
        """Start to end every stream through its termination."""
        self.connections.feed.close()
        if self.journal is not None:
            self.journal.close()
        if self.streams.hands is not None:
            self.streams.hands.stop()
        self.connections.stop(self.connections.exchanges(), "shutdown")

    async def shutdown(self) -> None:
        """End every stream through its termination. Streams that take longer than `shutdown_timeout` are cut off."""
        self.begin_shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.shutdown_timeout):
                await self.connections.drained()
        self.cut()
        await self.mock_set.relays.settled()

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
