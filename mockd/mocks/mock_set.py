"""The set of mocks. A change builds a whole new version, which is then swapped in. Requests see the old version or the
new one, never a mixture, and a change that is refused has no effect.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from mockd.clock import Clock
from mockd.config.load import MockSpec, parse_mock, patch_mock
from mockd.config.warn import Warn, log_warning
from mockd.errors import ConflictError, NotFoundError
from mockd.matching import MatchTable, Rule
from mockd.mocks.builder import MockBuilder, SharedRelays, free
from mockd.mocks.changes import CHANGES, NO_CHANGES, Changes
from mockd.mocks.counters import Remembering
from mockd.mocks.registered import Registered
from mockd.mocks.scenarios import Scenarios, known_states
from mockd.settings import Settings
from mockd.store import ScopedStore

if TYPE_CHECKING:
    from mockd.streaming.sessions.resume import Sessions


class Version(Struct, frozen=True):
    """One version of the set of mocks: the mocks in order, and the table that finds them. `configured` are the mocks of
    the configuration files when they were last loaded, or None before that. `sessions` are those of the mocks that have
    any, and `scenarios` those that the mocks name, each with its states."""

    rules: Mapping[str, Rule[Registered]] = field(default_factory=dict)
    table: MatchTable[Registered] = field(default_factory=lambda: MatchTable([]))
    configured: Sequence[MockSpec] | None = None
    sessions: tuple[Sessions, ...] = ()
    scenarios: Mapping[str, Sequence[str]] = {}

    def get(self, mock_id: str) -> Registered | None:
        """One mock, or None if there is none with that ID."""
        rule = self.rules.get(mock_id)
        return None if rule is None else rule.target

    def find(self, mock_id: str) -> Registered:
        """One mock. Raises `NotFoundError`."""
        if mock_id not in self.rules:
            raise NotFoundError(f"Mock not found: {mock_id}")
        return self.rules[mock_id].target

    def mocks(self) -> list[Registered]:
        """The mocks, in order."""
        return [rule.target for rule in self.rules.values()]

    def specs(self) -> list[MockSpec]:
        """The configuration of the mocks, in order."""
        return [rule.target.spec for rule in self.rules.values()]


class Swap(Struct):
    """The work that is left after a swap. Streams of the mocks in `ended` (deleted, disabled, or with other content)
    must end, and the sessions in `closed` must be forgotten. No mock of this set names the `scenarios` any more."""

    ended: set[str] = field(default_factory=set)
    closed: list[Sessions] = field(default_factory=list)
    scenarios: Set[str] = field(default_factory=set)


class MockSet:
    """The mocks of an engine. They change in two steps. First a change is *accepted*, which may take long and may be
    done in any thread. Then `swap` *serves* it, which takes no time and belongs to the thread of the event loop.

    Changes are worked out one at a time, on the version that was accepted last. `warn` gets the warnings about mocks
    that a change brings, each when the change is accepted. `relays` are those that sets of one engine share.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        state: ScopedStore,
        keys: Remembering,
        scenarios: Scenarios,
        relays: SharedRelays | None = None,
    ) -> None:
        self._settings = settings
        self._state = state
        self.relays = relays or SharedRelays(settings, clock)
        self._builder = MockBuilder(settings, clock, state, keys, scenarios, self.relays)
        self._changing = threading.Lock()
        self._swapping = threading.Lock()
        self._accepted = self.served = Version()
        self._retired: list[Version] = []
        self._accept(self._changes, self._changes.over([]), is_loading=True)
        self.swap()

    @property
    def is_empty(self) -> bool:
        """Whether there are no mocks, not even some that are yet to be served."""
        return not self._accepted.rules

    def check(self, spec: MockSpec) -> None:
        """Raise `ConfigError` for faults that are found only when a mock is built: in its template, placeholders or
        patterns."""
        self._builder.check(spec)

    # -- accepting changes -----------------------------------------------------------------------------------------

    def load(self, specs: Sequence[MockSpec], warn: Warn = log_warning) -> None:
        """Take these as the mocks of the configuration files: at the start, and again when a file was saved.

        Changes made through the admin API stay, except those to mocks that have changed in the files. With a state
        file, all of them stay. Raises `ConfigError` and then changes nothing.
        """
        with self._changing:
            changes = self._changes
            if self._settings.state is None:
                known = self._accepted.configured or ()
                before, now = ({spec.id: spec.doc for spec in some} for some in (known, specs))
                changes = changes.without_changes_to({id_ for id_ in before if now.get(id_) != before[id_]})
            self._accept(changes, changes.over(specs), configured=list(specs), is_loading=True)
            self._warn_of(self._accepted.mocks(), warn)
            _warn_of_all(self._accepted.mocks(), warn)

    def create(self, doc: object, warn: Warn = log_warning) -> MockSpec:
        """Add a mock after the others. Raises `ConfigError`, or `ConflictError` if its ID is taken."""
        spec = parse_mock(doc, root=self._files_root, warn=warn)
        with self._changing:
            if spec.id in self._accepted.rules:
                cure = f"PUT /mocks/{spec.id} replaces it, with the same `key` in the query"
                raise ConflictError(f"a mock with id {spec.id!r} is already there; {cure}")
            return self._put(spec, warn)

    def replace(self, mock_id: str, doc: object, warn: Warn = log_warning) -> MockSpec:
        """Replace a mock; the new one takes its place in the order. Raises `NotFoundError`, `ConfigError`."""
        with self._changing:
            self._accepted.find(mock_id)
            return self._put(parse_mock(doc, root=self._files_root, mock_id=mock_id, warn=warn), warn)

    def patch(self, mock_id: str, patch: object, warn: Warn = log_warning) -> MockSpec:
        """Change a mock by a JSON Merge Patch (RFC 7396). Raises `NotFoundError`, `ConfigError`."""
        with self._changing:
            return self._patch(self._accepted.find(mock_id).spec, patch, warn)

    def toggle(self, mock_id: str, warn: Warn = log_warning) -> MockSpec:
        """Enable a disabled mock, or disable an enabled one. Raises `NotFoundError`."""
        with self._changing:
            spec = self._accepted.find(mock_id).spec
            return self._patch(spec, {"enabled": not spec.mock.enabled}, warn)

    def delete(self, mock_id: str) -> None:
        """Remove a mock. Raises `NotFoundError`."""
        with self._changing:
            self._accepted.find(mock_id)
            specs = [spec for spec in self._accepted.specs() if spec.id != mock_id]
            self._accept(self._without({mock_id}, [spec.id for spec in specs]), specs)

    def import_specs(self, specs: Sequence[MockSpec], *, replace: bool, dry_run: bool, warn: Warn = log_warning) -> int:
        """Add mocks; one with a known ID replaces the old mock in its place. With `replace`, all others are removed.

        `dry_run` only checks. Returns the number of mocks given. Raises `ConfigError` and then changes nothing.
        """
        with self._changing:
            by_id = {} if replace else {spec.id: spec for spec in self._accepted.specs()}
            given = {spec.id: spec for spec in specs}
            by_id |= given
            if dry_run:
                rules = self._build(list(by_id.values()))
                self._warn_of([rule.target for rule in rules if rule.id in given], warn)
                free(rules)
            else:
                order = list(by_id)
                changes = self._without(self._accepted.rules.keys() - by_id.keys(), order)
                self._accept(changes.with_mocks(specs, order), list(by_id.values()))
                self._warn_of([self._accepted.find(mock_id) for mock_id in given], warn)
            return len(specs)

    def restore(self) -> int:
        """Forget all changes, so that the mocks are those of the configuration files. Returns the number of mocks that
        this changes, adds or removes."""
        with self._changing:
            before = {spec.id: spec.doc for spec in self._accepted.specs()}
            specs = self._accepted.configured or []
            now = {spec.id: spec.doc for spec in specs}
            self._accept(NO_CHANGES, specs)
            return sum(before.get(mock_id) != now.get(mock_id) for mock_id in before | now)

    # -- what is kept for requests ---------------------------------------------------------------------------------

    def forget(self, key: str | None) -> tuple[int, Iterator[None]]:
        """Forget what is counted and held for a key, or for all keys: it starts again. Returns the number of counters,
        and an iterator that frees one event that was held in each step."""
        counters = self._state.drop("counters", *([] if key is None else [key]))
        return counters, chain.from_iterable([sessions.forgetting(key) for sessions in self.served.sessions])

    # -- serving them ----------------------------------------------------------------------------------------------

    def swap(self) -> Swap:
        """Serve the version that was accepted last, and drop the stored state of mocks that were replaced."""
        with self._swapping:
            before, now = self.served, self._accepted
            if now is before:
                return Swap()
            self.served = now
            self._retired.append(before)
            swap = Swap()
            for old in before.mocks():
                new = now.get(old.spec.id)
                if new is not old:
                    self._retire(old, new, swap)
            for mock in now.mocks():
                if mock is not before.get(mock.spec.id) and any(mock.sessions):
                    held = tuple(part.sessions for part in mock.parts)
                    self._state.put("sessions", mock.spec.id, value=((mock.content, mock.files), held))
            swap.scenarios = before.scenarios.keys() - now.scenarios.keys()
            return swap

    def let_go(self) -> None:
        """Free the versions that are no longer served. This may take long, and may be done in any thread."""
        while self._retired:
            free(list(self._retired.pop().rules.values()))

    def _retire(self, old: Registered, new: Registered | None, swap: Swap) -> None:
        mock_id = old.spec.id
        goes_on = new is not None and new.parts is old.parts
        if new is None or not goes_on or not new.spec.mock.enabled:
            swap.ended.add(mock_id)
        if new is None or new.counters is not old.counters:
            old.counters.reset()
        kept = [] if new is None else list(new.sessions)
        if gone := [sessions for sessions in old.sessions if sessions not in kept]:
            swap.closed += gone
            self._state.drop("sessions", mock_id)

    # -- working changes out ---------------------------------------------------------------------------------------

    @property
    def _files_root(self) -> Path | None:
        return Path(self._settings.files_root) if self._settings.files_root else None

    @property
    def _changes(self) -> Changes:
        return self._state.get(*CHANGES) or NO_CHANGES

    def _patch(self, spec: MockSpec, patch: object, warn: Warn) -> MockSpec:
        return self._put(patch_mock(spec, patch, root=self._files_root, warn=warn), warn)

    def _put(self, spec: MockSpec, warn: Warn) -> MockSpec:
        specs = {**{other.id: other for other in self._accepted.specs()}, spec.id: spec}
        self._accept(self._changes.with_mocks([spec], list(specs)), list(specs.values()))
        mock = self._accepted.find(spec.id)
        self._warn_of([mock], warn)
        return mock.spec

    def _without(self, mock_ids: Collection[str], order: Sequence[str]) -> Changes:
        configured = {spec.id for spec in self._accepted.configured or ()}
        return self._changes.without_mocks(mock_ids, order, configured=configured)

    def _accept(
        self,
        changes: Changes,
        specs: Sequence[MockSpec],
        *,
        configured: Sequence[MockSpec] | None = None,
        is_loading: bool = False,
    ) -> None:
        """Check all mocks, store the changes (on disk if there is a state file), and only then accept the version."""
        rules = self._build(specs, is_loading=is_loading)
        enabled = [rule for rule in rules if rule.target.spec.mock.enabled]
        table = MatchTable(enabled, [rule for rule in rules if not rule.target.spec.mock.enabled])
        if changes is not self._changes:
            self._state.put(*CHANGES, value=changes)
        configured = self._accepted.configured if configured is None else configured
        sessions = tuple(held for rule in rules for held in rule.target.sessions)
        scenarios = known_states(spec.mock for spec in specs)
        self._accepted = Version({rule.id: rule for rule in rules}, table, configured, sessions, scenarios)

    def _build(self, specs: Sequence[MockSpec], *, is_loading: bool = False) -> list[Rule[Registered]]:
        came_before = is_loading and self._accepted.configured is None
        return self._builder.build_all(specs, self._accepted.rules, is_loading=is_loading, came_before=came_before)

    def _warn_of(self, mocks: Sequence[Registered], warn: Warn) -> None:
        if mocks:
            from mockd.mocks.warnings import warnings_of  # not needed by a server without mocks

            without = () if self._settings.key_path else ("path-of-a-key",)
            for mock in mocks:
                for problem in warnings_of(mock, without):
                    warn(problem)


def _warn_of_all(mocks: Sequence[Registered], warn: Warn) -> None:
    """The warnings about mocks that can only be seen with all others beside them."""
    if mocks:
        from mockd.mocks.checks.sequences import unset_states
        from mockd.mocks.warnings import shadowed

        for problem in (*shadowed(mocks), *unset_states(mocks)):
            warn(problem)
