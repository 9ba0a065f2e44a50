"""Building mocks that can run from the configuration. All faults of a mock are found here at the latest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from mockd.clock import Clock
from mockd.config.load import MockSpec
from mockd.config.models import ChunkedConfig, Mock, ProxyConfig, ResponseConfig, SseConfig
from mockd.config.parts import AnswerConfig, Part, parts_of
from mockd.errors import MAX_PROBLEMS, ConfigError, Path, Problem
from mockd.expressions.expression import with_captures
from mockd.headers import OF_THE_BODY
from mockd.matching import Rule, capture_names
from mockd.matching.predicates import Predicate
from mockd.mocks.choice import Choice, ReadyPart
from mockd.mocks.counters import Counters, Remembering
from mockd.mocks.registered import Files, Registered, content_of, files_of
from mockd.mocks.scenarios import Scenarios
from mockd.program.compile import compile_chunked, compile_proxy, compile_response, compile_sse
from mockd.program.plan import StreamPlan
from mockd.settings import Settings, spelling
from mockd.source import Source
from mockd.sources import build_source
from mockd.store import ScopedStore
from mockd.streaming.pipeline import constant, make_pieces

if TYPE_CHECKING:
    from mockd.config.fault import Fault
    from mockd.faults.chosen import Aimed
    from mockd.program.recorded import RecordedAnswer
    from mockd.recordings.writing import Recorder
    from mockd.relay.relays import Relays
    from mockd.streaming.sessions.resume import Sessions

T = TypeVar("T")

logger = logging.getLogger("mockd")


class SharedRelays:
    """The relays of an engine, which are made with the first mock that relays."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._relays: Relays | None = None

    def made(self) -> Relays:
        """The relays. Raises `ConfigError`."""
        if self._relays is None:
            from mockd.relay.relays import Relays

            self._relays = Relays(self._settings, self._clock)
        return self._relays

    @property
    def recorder(self) -> Recorder | None:
        """What records exchanges; None if nothing does."""
        return None if self._relays is None else self._relays.recorder

    async def settled(self) -> None:
        """Wait until all that was relayed so far is recorded."""
        if self._relays is not None:
            await self._relays.settled()


class MockBuilder:
    """A builder of the mocks of one engine. It changes nothing that is in use, so it can work in any thread."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        state: ScopedStore,
        keys: Remembering,
        scenarios: Scenarios,
        relays: SharedRelays,
    ) -> None:
        self._relays = relays
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
        """Mocks ready to run, each as the target of its rule. If a mock has the same content as the
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
                source = self._source(spec, part.config)
                config = _in_weather(part.config, spec.mock.profile or self._settings.profile, source)
                if spec.around is not None:
                    source = spec.around(source)
                plan = _PLANS[part.kind](spec.id, config, source, self._settings.seed)
                if not isinstance(config, ProxyConfig) and config.recording is not None:
                    plan = _as_recorded(plan, source, config)
                elif plan.variation is not None:
                    make_pieces(plan)
        except ConfigError:
            raise
        except Exception as error:
            if _template_of(part) is None:
                raise
            raise _template_failed(error, part.kind) from error
        if plan.header_rules.names & OF_THE_BODY:
            from mockd.program.body_headers import check_body_headers

            is_for_head = (spec.mock.matcher.method or "").upper() == "HEAD"
            check_body_headers(part, spec.root, is_for_head=is_for_head)
        return structs.replace(plan, filled=spec.origin.filled)

    def _source(self, spec: MockSpec, config: AnswerConfig) -> Source:
        if not isinstance(config, ProxyConfig):
            return build_source(config, spec.root)
        from mockd.sources.relay import RelaySource

        relays = self._relays.made()
        if spec.origin.source is None and not relays.allows(config.route.target):
            message = f"mocks from the admin API may not relay to {config.target}"
            raise ConfigError(
                message, path=("proxy", "target"), hint=f"start mockd with {spelling('proxy_allow')} for it"
            )
        if config.record and relays.recorder is None:
            message = "there is no folder for recordings"
            raise ConfigError(message, path=("proxy", "record"), hint=f"name one with {spelling('record')}")
        return RelaySource(config, relays)

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


def _in_weather(config: AnswerConfig, profile: str | None, source: Source) -> AnswerConfig:
    """An answer in the framing of its profile, if it is a stream without one of its own."""
    if profile is None or isinstance(config, ResponseConfig | ProxyConfig) or config.framing is not None:
        return config
    from mockd.config.profiles import profile_named
    from mockd.program.varying import fitted

    framing = profile_named(profile, ("profile",)).framing
    if not framing:
        return config
    is_coded = config.recording is not None and _recorded(source).is_coded
    return structs.replace(config, framing=fitted(framing, config, is_coded=is_coded))


def _faults(spec: MockSpec, settings: Settings) -> list[tuple[Aimed, ...]]:
    """The faults of each part of a mock: its own, then those of the mock, then those of its profile or of the
    server's, then the break that its lifecycle says."""
    name, parts = spec.mock.profile or settings.profile, parts_of(spec.mock)
    breaks = [_breaks_itself(part.config) for part in parts]
    if not spec.mock.faults and name is None and not any(breaks) and not any(part.faults for part in parts):
        return [()] * len(parts)
    from mockd.config.fault_lines import parse_faults  # loaded only with the first mock that has any
    from mockd.config.profiles import profile_named
    from mockd.faults.chosen import OwnClose, aimed

    shared = parse_faults(spec.mock.faults, ("faults",), settings.max_fault_bytes)
    if all(part.kind == "response" for part in parts):
        _refuse_end(shared, ("faults",))
    if name is not None:
        shared += parse_faults(list(profile_named(name, ("profile",)).faults))
    shared_aimed = aimed(shared)
    found = []
    for part, breaks_itself in zip(parts, breaks, strict=True):
        own = parse_faults(part.faults, (*part.place, "faults"), settings.max_fault_bytes)
        if part.kind == "response":
            _refuse_end(own, (*part.place, "faults"))
        last = aimed([OwnClose()], f"{part.within}lifecycle/") if breaks_itself else ()
        found.append((*aimed(own, part.within), *shared_aimed, *last))
    return found


def _breaks_itself(config: AnswerConfig) -> bool:
    """Whether the lifecycle of a stream says that its connection breaks."""
    if isinstance(config, ResponseConfig | ProxyConfig):
        return False
    life = config.lifecycle
    return life.simulate_disconnect is not None or life.termination.type == "abrupt"


def _refuse_end(faults: Sequence[Fault], path: Path) -> None:
    for place, fault in enumerate(faults):
        if fault.action == "end":
            message = "`end` is not possible: a plain response says how long it is"
            raise ConfigError(message, path=(*path, place), hint="`close` breaks it off")


def _as_recorded(plan: StreamPlan, source: Source, config: SseConfig | ChunkedConfig | ResponseConfig) -> StreamPlan:
    """The plan of a mock that plays a recording."""
    from mockd.program.replaying import recorded_plan

    return recorded_plan(plan, _recorded(source), config)


def _recorded(source: Source) -> RecordedAnswer:
    from mockd.sources.recording import RecordingSource

    assert isinstance(source, RecordingSource)
    return source.recorded


def _template_of(part: Part) -> str | None:
    return None if isinstance(part.config, ProxyConfig) else part.config.template


def _find_plug_in(spec: MockSpec, part: Part) -> None:
    """Let the template of a part be imported from the folder of the configuration file in which it is named. The admin
    API names only what is on the Python path."""
    name = _template_of(part)
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
    "proxy": compile_proxy,
}
