"""The engine: the only mutable state, and the one place where matching, sources and streaming are joined.

A change builds a whole new set of mocks, then swaps it in: requests see the old set or the new one, never a mixture,
and a change that is refused leaves no trace.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockd import cors
from mockd.clock import Clock, SystemClock
from mockd.config.load import MockSpec, dump_collection, parse_mock, patch_mock
from mockd.errors import BodyTooLargeError, ConfigError, ConflictError, NotFoundError, Problem
from mockd.headers import OF_THE_BODY, Headers
from mockd.journal.exchange import Exchange
from mockd.journal.registry import Registry
from mockd.jsontext import encode_json
from mockd.lines import Line, line_of
from mockd.matching import Match, MatchTable, Rule
from mockd.program.compile import compile_chunked, compile_response, compile_sse
from mockd.program.plan import StreamPlan
from mockd.program.terms import Seeding
from mockd.registered import Files, Registered, content_of, files_of, kind_of
from mockd.request import ClientGoneError, Receive, RequestView, Scope, Send, read_body
from mockd.settings import Settings
from mockd.sources import build_source
from mockd.state import CHANGES, NO_CHANGES, Changes, StateFile
from mockd.store import MemoryStore, ScopedStore, Store
from mockd.streaming.calendar import Calendars
from mockd.streaming.pipeline import Call, bodiless, respond, whole
from mockd.streaming.stream import Program, Services, Stream

if TYPE_CHECKING:
    from mockd.streaming.sessions.resume import Sessions

RETRY_AFTER_S = 1
"""What a client that is turned away because too many are connected is told to wait."""


class Engine:
    """A set of mocks and their live streams. Safe to construct anywhere: it starts nothing and opens no file but the
    state file of the settings. Raises `ConfigError` where that is broken.

    `store` keeps what may outlive this engine, under `scope`; by default it is memory, with the state file if there
    is one.
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
        self._services = Services(
            self.clock, Calendars(self.clock), self.connections, settings.send_buffer, settings.send_timeout
        )
        self._configured: list[MockSpec] = []
        self._is_loaded = False
        self._mocks: dict[str, Registered] = {}
        self._table: MatchTable[Registered] = MatchTable([])
        self._apply(self._changes, self._changes.over([]), is_loading=True)

    # -- answering requests ----------------------------------------------------------------------------------------

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request: the life of a request, in order."""
        await self.answer(line_of(scope, receive, send))

    async def answer(self, line: Line) -> None:
        """Answer the request of a line."""
        arrived = self.clock.monotonic()
        request = RequestView(line.scope)
        exchange = self.connections.exchange(request)
        try:
            if (body := line.received(self.settings.max_body)) is not None:
                request.body = body
            else:
                await read_body(request, line.receive, self.settings.max_body)
            program = self._program(request, exchange)
        except ClientGoneError:
            return
        except BodyTooLargeError as error:
            # The connection stays open, so that the server takes in what is left of the body: closed on a client that
            # still sends, it would break, and the answer be lost.
            program = refusal(request, 413, {"error": error.code, "message": error.message})
        await Stream(self._services, line, exchange, program, arrived).run()

    def _program(self, request: RequestView, exchange: Exchange) -> Program:
        """What this request is answered."""
        headers: Headers = []
        if self.settings.cors and b"origin" in request.raw_headers:  # a page sent it
            if (preflight := cors.preflight_headers(request)) is None:
                headers = cors.response_headers(request)
            elif not self._is_closed_to_pages(request):
                return bodiless(whole(204, b"", preflight))
        match = self._table.resolve(request)
        if not isinstance(match, Match):
            return refusal(request, 404, _no_match(request, match.near_misses), headers)
        if not match.target.spec.mock.cors:
            headers = []
        if self.settings.max_connections and len(self.connections) >= self.settings.max_connections:
            self.connections.refused()
            return refusal(request, 503, _FULL, [*headers, (b"retry-after", b"%d" % RETRY_AFTER_S)])
        mock = match.target
        return respond(mock.plan, mock.sessions, Call(request, match.captures, headers, exchange, self.clock))

    def _is_closed_to_pages(self, preflight: RequestView) -> bool:
        """Whether the mock that a preflight is about, as far as can be told, has no CORS."""
        rule = self._table.announced_by(preflight, cors.announced_method(preflight))
        return rule is not None and not rule.target.spec.mock.cors

    # -- the mocks -------------------------------------------------------------------------------------------------

    def mocks(self) -> list[MockSpec]:
        """The mocks, in order."""
        return [mock.spec for mock in self._mocks.values()]

    def get(self, mock_id: str) -> MockSpec:
        """One mock. Raises `NotFoundError`."""
        return self._find(mock_id).spec

    def load(self, specs: Sequence[MockSpec]) -> None:
        """Take these as the mocks of the configuration files: at the start, and again when a file was saved.

        Changes made since through the admin API stay, but for mocks whose files changed; with a state file they all
        stay. Raises `ConfigError` and changes nothing.
        """
        changes = self._changes
        if self.settings.state is None:
            before, now = ({spec.id: spec.doc for spec in some} for some in (self._configured, specs))
            changes = changes.without_changes_to({id_ for id_ in before if now.get(id_) != before[id_]})
        self._apply(changes, changes.over(specs), is_loading=True)
        self._configured, self._is_loaded = list(specs), True

    def check(self, spec: MockSpec) -> None:
        """Raise `ConfigError` for what only shows when a mock is made ready: its template, placeholders, patterns."""
        spec, _ = self._compile(spec)
        Rule(spec.mock.matcher, spec.mock.priority, spec.id, spec.mock.name, target=None)

    def create(self, doc: object) -> MockSpec:
        """Add a mock, after the others. Raises `ConfigError`, or `ConflictError` where its id is taken."""
        spec = parse_mock(doc, root=self._files_root)
        if spec.id in self._mocks:
            raise ConflictError(f"a mock with id {spec.id!r} is already there; PUT /mocks/{spec.id} replaces it")
        return self._put(spec)

    def replace(self, mock_id: str, doc: object) -> MockSpec:
        """Put another mock in the place of one. Raises `NotFoundError`, `ConfigError`."""
        self._find(mock_id)
        return self._put(parse_mock(doc, root=self._files_root, mock_id=mock_id))

    def patch(self, mock_id: str, patch: object) -> MockSpec:
        """Change a mock by a JSON Merge Patch (RFC 7396). Raises `NotFoundError`, `ConfigError`."""
        return self._put(patch_mock(self.get(mock_id), patch, root=self._files_root))

    def toggle(self, mock_id: str) -> MockSpec:
        """Enable a mock that is disabled, disable one that is enabled. Raises `NotFoundError`."""
        return self.patch(mock_id, {"enabled": not self.get(mock_id).mock.enabled})

    def delete(self, mock_id: str) -> None:
        """Remove a mock. Raises `NotFoundError`."""
        self._find(mock_id)
        order = [other for other in self._mocks if other != mock_id]
        self._apply(self._without(self._changes, mock_id, order), [self._mocks[other].spec for other in order])

    def import_specs(self, specs: Sequence[MockSpec], *, replace: bool, dry_run: bool) -> int:
        """Add mocks, those with a known id in its place; with `replace` they are all there is afterwards.

        `dry_run` only checks. Returns how many. Raises `ConfigError` and changes nothing.
        """
        by_id = {} if replace else {spec.id: spec for spec in self.mocks()}
        by_id |= {spec.id: spec for spec in specs}
        order = list(by_id)
        if dry_run:
            self._register_all(list(by_id.values()))
            return len(specs)
        changes = self._changes
        for gone in self._mocks.keys() - by_id.keys():
            changes = self._without(changes, gone, order)
        for spec in specs:
            changes = changes.with_mock(spec, order)
        self._apply(changes, list(by_id.values()))
        return len(specs)

    def export(self) -> dict[str, Any]:
        """All mocks as the value of a configuration file."""
        return dump_collection(self.mocks())

    # -- live streams ----------------------------------------------------------------------------------------------

    def close_all(self, mock_id: str) -> int:
        """End a mock's live streams through their termination; how many. Raises `NotFoundError`."""
        self._find(mock_id)
        return self.connections.stop(self.connections.connections(mock_id), "closed_by_admin")

    def buffer(self, mock_id: str) -> list[dict[str, Any]]:
        """The events a mock holds for resuming clients. Raises `NotFoundError`."""
        sessions = self._find(mock_id).sessions
        return sessions.buffer() if sessions else []

    def clear_buffer(self, mock_id: str) -> int:
        """Forget the events a mock holds; how many. Raises `NotFoundError`."""
        sessions = self._find(mock_id).sessions
        return sessions.clear() if sessions else 0

    def begin_shutdown(self) -> None:
        """Tell every stream to end through its termination."""
        self.connections.stop(self.connections.connections(), "shutdown")

    async def shutdown(self) -> None:
        """End every stream through its termination. Those that take longer than the settings allow are cut off."""
        self.begin_shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.shutdown_timeout):
                await self.connections.drained()
        self.cut()

    def cut(self) -> None:
        """Cut every stream off."""
        for connection in self.connections.connections():
            if connection.stream is not None:
                connection.stream.cut()

    # -- changing the set ------------------------------------------------------------------------------------------

    @property
    def _files_root(self) -> Path | None:
        return Path(self.settings.files_root) if self.settings.files_root else None

    def _find(self, mock_id: str) -> Registered:
        mock = self._mocks.get(mock_id)
        if mock is None:
            raise NotFoundError(f"Mock not found: {mock_id}")
        return mock

    @property
    def _changes(self) -> Changes:
        return self._state.get(*CHANGES) or NO_CHANGES

    def _put(self, spec: MockSpec) -> MockSpec:
        specs = {**{other.id: other for other in self.mocks()}, spec.id: spec}
        self._apply(self._changes.with_mock(spec, list(specs)), list(specs.values()))
        return self.get(spec.id)

    def _without(self, changes: Changes, mock_id: str, order: Sequence[str]) -> Changes:
        is_configured = any(spec.id == mock_id for spec in self._configured)
        return changes.without_mock(mock_id, order, is_configured=is_configured)

    def _apply(self, changes: Changes, specs: Sequence[MockSpec], *, is_loading: bool = False) -> None:
        """Check everything, put it on disk where that is asked for, and only then use it."""
        mocks = self._register_all(specs, is_loading=is_loading)
        table = MatchTable([mock.rule for mock in mocks if mock.spec.mock.enabled])
        if changes is not self._changes:
            self._state.put(*CHANGES, value=changes)
        self._swap(mocks, table)

    def _register_all(self, specs: Sequence[MockSpec], *, is_loading: bool = False) -> list[Registered]:
        mocks: list[Registered] = []
        problems: list[Problem] = []
        for spec in specs:
            try:
                mocks.append(self._register(spec, is_loading))
            except ConfigError as error:
                problems += [spec.origin.report(problem) for problem in error.problems]
        if problems:
            raise ConfigError(problems)
        return mocks

    def _register(self, spec: MockSpec, is_loading: bool) -> Registered:
        """A mock ready to run; streaming parts that stay the same are those of the mock that is there."""
        running = self._mocks.get(spec.id)
        if running is not None and running.spec is spec and not (is_loading and running.has_new_files()):
            return running
        content = content_of(spec)
        is_same = running is not None and running.content == content
        # Its files are read again only when configuration files are.
        files = running.files if running is not None and is_same and not is_loading else files_of(spec)
        if running is not None and is_same and running.files == files:
            plan, sessions = running.plan, running.sessions
        else:
            spec, plan = self._compile(spec)
            sessions = self._sessions(plan, (content, files), came_before=is_loading and not self._is_loaded)
        mock = spec.mock
        # The rule and its target refer to each other, so the rule is made first and its target set.
        rule: Rule[Any] = Rule(mock.matcher, mock.priority, spec.id, mock.name, target=None)
        registered = rule.target = Registered(spec, plan, sessions, rule, content, files)
        return registered

    def _compile(self, spec: MockSpec) -> tuple[MockSpec, StreamPlan]:
        """The plan of a mock, and the mock with environment values read as the numbers its template wants."""
        while True:
            try:
                return spec, self._plan(spec)
            except ConfigError as error:
                better = spec.with_number(error.problems[0].path)
                if better is None:
                    raise
                spec = better

    def _plan(self, spec: MockSpec) -> StreamPlan:
        kind = kind_of(spec)
        seeding = Seeding(self.settings.seed, lambda: self._state.add("streams", spec.id))
        plan = _PLANS[kind](spec.id, getattr(spec.mock, kind), build_source(spec.mock, spec.root), seeding)
        if plan.header_rules.names & OF_THE_BODY:
            from mockd.program.body_headers import check_body_headers

            check_body_headers(spec.mock, spec.root)
        return plan

    def _sessions(self, plan: StreamPlan, content: tuple[bytes, Files], *, came_before: bool) -> Sessions | None:
        """The sessions of a mock that resumes: those in the store, if they are of the same content."""
        if plan.resume is None:
            return None
        kept: tuple[tuple[bytes, Files], Sessions] | None = self._state.get("sessions", plan.mock_id)
        if kept is not None and kept[0] == content:
            return kept[1]
        from mockd.streaming.sessions.resume import Sessions

        most = self.settings.max_sessions
        return Sessions(plan, max_sessions=most, clock=self.clock, came_before=came_before)

    def _swap(self, mocks: Sequence[Registered], table: MatchTable[Registered]) -> None:
        """Use this set from now on, and end the streams of mocks that are gone, disabled or send something else."""
        before = self._mocks
        self._mocks, self._table = {mock.spec.id: mock for mock in mocks}, table
        for mock_id, old in before.items():
            new = self._mocks.get(mock_id)
            if new is None or new.plan is not old.plan or not new.spec.mock.enabled:
                self.connections.stop(self.connections.connections(mock_id), "closed_by_admin")
            if old.sessions is not None and (new is None or new.sessions is not old.sessions):
                old.sessions.close()
                self._state.drop("sessions", mock_id)
            if new is None:
                self._state.drop("streams", mock_id)
        for mock in mocks:
            if mock.sessions is not None and mock is not before.get(mock.spec.id):
                self._state.put("sessions", mock.spec.id, value=((mock.content, mock.files), mock.sessions))


_PLANS: dict[str, Callable[..., StreamPlan]] = {
    "sse": compile_sse,
    "chunked": compile_chunked,
    "response": compile_response,
}


# -- answers that are not a mock's -------------------------------------------------------------------------------------

_FULL = {"error": "too_many_connections", "message": "as many streams are open as --max-connections allows"}


def _no_match(request: RequestView, near_misses: list[dict[str, Any]]) -> dict[str, Any]:
    message = "No mock matched the request"
    if near_misses:
        message += f"; the nearest: {near_misses[0]['reason']}"
    return {
        "error": "no_match",
        "message": message,
        "method": request.method,
        "path": request.path,
        "nearMisses": near_misses,
    }


def refusal(request: RequestView, status: int, error: dict[str, Any], headers: Headers | None = None) -> Program:
    """The answer to a request that no mock answers."""
    body = encode_json(error)
    length = (b"content-length", b"%d" % len(body))
    program = whole(status, body, [*(headers or []), (b"content-type", b"application/json"), length], is_listed=False)
    return bodiless(program) if request.method == "HEAD" else program
