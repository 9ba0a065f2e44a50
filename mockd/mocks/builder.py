"""Building mocks that can run from the configuration. All faults of a mock are found here at the latest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from mockd.clock import Clock
from mockd.config.load import MockSpec
from mockd.config.models import Mock
from mockd.config.parts import Part, parts_of
from mockd.errors import MAX_PROBLEMS, ConfigError, Path, Problem
from mockd.expressions import with_captures
from mockd.headers import OF_THE_BODY
from mockd.matching import Rule, capture_names
from mockd.matching.predicates import Predicate
from mockd.mocks.choice import Choice, ReadyPart
from mockd.mocks.counters import Counters, Remembering
from mockd.mocks.registered import Files, Registered, content_of, files_of
from mockd.mocks.scenarios import Scenarios
from mockd.program.compile import compile_chunked, compile_response, compile_sse
from mockd.program.plan import StreamPlan
from mockd.settings import Settings, spelling
from mockd.sources import build_source
from mockd.store import ScopedStore
from mockd.streaming.pipeline import constant

if TYPE_CHECKING:
    from mockd.config.faults import Fault
    from mockd.faults.chosen import Aimed
    from mockd.streaming.sessions.resume import Sessions

T = TypeVar("T")

logger = logging.getLogger("mockd")


class MockBuilder:
    """A builder of the mocks of one engine. It changes nothing that is in use, so it can work in any thread."""

    def __init__(
        self, settings: Settings, clock: Clock, state: ScopedStore, keys: Remembering, scenarios: Scenarios
    ) -> None:
        self._settings = settings
        if settings.profile is not None:
            _check_profile(settings.profile)
        self._clock = clock
        self._state = state
        self._keys = keys
        self._scenarios = scenarios

    def check(self, spec: MockSpec) -> None:
        """Raise `ConfigError` for faults that are found only when a mock is built: in its template, placeholders or
        patterns."""
        spec, _ = self._compile(spec)
        _faults(spec, self._settings)
        _rule(spec, None)

    def build_all(
        self, specs: Sequence[MockSpec], running: Mapping[str, Rule[Registered]], *, is_loading: bool, came_before: bool
    ) -> list[Rule[Registered]]:
        """Mocks ready to run, each as the target of its rule. If the content of a mock is the same as that of the
        `running` one, it takes over the running mock's parts; and its counters, if it answers the same requests too.

        If `is_loading` is true, data files are read again too. If `came_before` is true, an earlier process may have
        served these mocks. Raises `ConfigError` with the problems of all mocks.
        """
        rules: list[Rule[Registered]] = []
        problems: list[Problem] = []
        for spec in specs:
            if len(problems) >= MAX_PROBLEMS:
                break
            try:
                rules.append(self._build(spec, running.get(spec.id), is_loading, came_before))
            except ConfigError as error:
                problems += [spec.origin.report(problem) for problem in error.problems]
        if problems:
            free(rules)
            raise ConfigError(problems)
        return rules

    def _build(
        self, spec: MockSpec, rule: Rule[Registered] | None, is_loading: bool, came_before: bool
    ) -> Rule[Registered]:
        running = None if rule is None else rule.target
        if rule is not None and rule.target.spec is spec and not (is_loading and rule.target.has_new_files()):
            return rule
        content = content_of(spec)
        is_same = running is not None and running.content == content
        # Data files are read again only when configuration files are.
        files = running.files if running is not None and is_same and not is_loading else files_of(spec)
        if running is not None and is_same and running.files == files:
            parts = running.parts
        else:
            spec, parts = self._parts(spec, (content, files), came_before)
        if running is not None and parts is running.parts and _asks_the_same(spec.mock, running.spec.mock):
            counters = running.counters
        else:
            counters = Counters(spec.id, self._state, self._keys)
        mock = spec.mock
        if mock.responses is None and mock.scenario is None:
            return _rule(spec, Registered(spec, parts, counters, content, files, only=parts[0]))
        choice = Choice(mock, parts, counters, self._scenarios)
        return _rule(spec, Registered(spec, parts, counters, content, files, choice), choice.conditions)

    def _parts(
        self, spec: MockSpec, content: tuple[bytes, Files], came_before: bool
    ) -> tuple[MockSpec, tuple[ReadyPart, ...]]:
        """The answers of a mock, and the mock as `_compile` returns it."""
        spec, plans = self._compile(spec)
        kept: tuple[tuple[bytes, Files], Sequence[Sessions | None]] | None = self._state.get("sessions", spec.id)
        sessions: Sequence[Sessions | None]
        if kept is not None and kept[0] == content:  # of an engine before this one
            sessions = kept[1]
        else:
            sessions = [self._sessions(plan, came_before) for plan in plans]
        made = zip(parts_of(spec.mock), plans, sessions, _faults(spec, self._settings), strict=True)
        return spec, tuple(ReadyPart(part, plan, constant(plan), held, faults) for part, plan, held, faults in made)

    def _compile(self, spec: MockSpec) -> tuple[MockSpec, list[StreamPlan]]:
        """The plans of a mock's parts, and the mock with environment values read as numbers if its templates want
        numbers."""
        _check_scenario(spec)
        while True:
            try:
                return spec, self._plans(spec)
            except ConfigError as error:
                tries = (spec.with_number(problem.path) for problem in error.problems)
                better = next((found for found in tries if found is not None), None)
                if better is None:
                    raise
                spec = better

    def _plans(self, spec: MockSpec) -> list[StreamPlan]:
        plans: list[StreamPlan] = []
        problems: list[Problem] = []
        for part in parts_of(spec.mock):
            try:
                plans.append(self._plan(spec, part))
            except ConfigError as error:
                problems += error.under(part.place).problems
        if problems:
            raise ConfigError(problems)
        return plans

    def _plan(self, spec: MockSpec, part: Part) -> StreamPlan:
        """The plan of a part. The path in a `ConfigError` begins with its kind."""
        _find_plug_in(spec, part)
        try:
            with with_captures(capture_names(spec.mock.matcher)):
                source = build_source(part.config, spec.root)
                plan = _PLANS[part.kind](spec.id, part.config, source, self._settings.seed)
        except ConfigError:
            raise
        except Exception as error:
            if part.config.template is None:
                raise
            raise _template_failed(error, part.kind) from error
        if plan.header_rules.names & OF_THE_BODY:
            from mockd.program.body_headers import check_body_headers

            is_for_head = (spec.mock.matcher.method or "").upper() == "HEAD"
            check_body_headers(part, spec.root, is_for_head=is_for_head)
        return structs.replace(plan, filled=spec.origin.filled)

    def _sessions(self, plan: StreamPlan, came_before: bool) -> Sessions | None:
        """The sessions of a part that resumes."""
        if plan.resume is None:
            return None
        from mockd.streaming.sessions.resume import Sessions

        most = self._settings.max_sessions
        return Sessions(plan, max_sessions=most, clock=self._clock, came_before=came_before)


def _check_scenario(spec: MockSpec) -> None:
    """Names of scenarios and states are shown to everybody, unlike what the environment gives."""
    if spec.values.get("scenario") != spec.doc.get("scenario"):
        raise ConfigError(
            "names of scenarios and states are not filled in from the environment",
            path=("scenario",),
            hint="write them out, without `${`",
        )


def _asks_the_same(mock: Mock, running: Mock) -> bool:
    """Whether a mock answers the same requests as the running one, when it is enabled."""
    return all(getattr(mock, name) == getattr(running, name) for name in ("matcher", "priority", "scenario"))


def _check_profile(name: str) -> None:
    from mockd.config.profiles import profile_named

    try:
        profile_named(name, ())
    except ConfigError as error:
        raise ConfigError(f"{spelling('profile')}: {error.problems[0].message}", hint=error.problems[0].hint) from None


def _faults(spec: MockSpec, settings: Settings) -> list[tuple[Aimed, ...]]:
    """The faults of each part of a mock: its own, then those of the mock, then those of its profile or of the
    server's."""
    name, parts = spec.mock.profile or settings.profile, parts_of(spec.mock)
    if not spec.mock.faults and name is None and not any(part.faults for part in parts):
        return [()] * len(parts)
    from mockd.config.fault_lines import parse_faults  # loaded only with the first mock that has any
    from mockd.config.profiles import profile_named
    from mockd.faults.chosen import aimed

    shared = parse_faults(spec.mock.faults, ("faults",), settings.max_fault_bytes)
    if all(part.kind == "response" for part in parts):
        _refuse_end(shared, ("faults",))
    if name is not None:
        shared += parse_faults(list(profile_named(name, ("profile",)).faults))
    shared_aimed = aimed(shared)
    found = []
    for part in parts:
        own = parse_faults(part.faults, (*part.place, "faults"), settings.max_fault_bytes)
        if part.kind == "response":
            _refuse_end(own, (*part.place, "faults"))
        found.append((*aimed(own, part.within), *shared_aimed))
    return found


def _refuse_end(faults: Sequence[Fault], path: Path) -> None:
    for place, fault in enumerate(faults):
        if fault.action == "end":
            message = "`end` is not possible: a plain response says how long it is"
            raise ConfigError(message, path=(*path, place), hint="`close` breaks it off")


def _find_plug_in(spec: MockSpec, part: Part) -> None:
    """Let the template of a part be imported from the folder of the configuration file in which it is named. The admin
    API names only what is on the Python path."""
    name = part.config.template
    if name is not None and ":" in name and spec.root is not None and not spec.origin.literal:
        from mockd.sources.plug_ins import look_beside

        look_beside(name, spec.root, (part.kind, "template"))


def _template_failed(error: Exception, kind: str) -> ConfigError:
    from mockd.blame import told

    logger.debug("a template failed", exc_info=error)
    return ConfigError(f"the template failed: {told(error)}", path=(kind, "template"))


def free(rules: list[Rule[Registered]]) -> None:
    """Free mocks one by one. To free thousands at once would block all other threads."""
    while rules:
        rules.pop()


def _rule(spec: MockSpec, target: T, conditions: Sequence[Predicate] = ()) -> Rule[T]:
    mock, shown = spec.mock, spec.shown
    return Rule(mock.matcher, mock.priority, spec.id, shown.name, target, shown.matcher, conditions)


_PLANS: dict[str, Callable[..., StreamPlan]] = {
    "sse": compile_sse,
    "chunked": compile_chunked,
    "response": compile_response,
}
