"""The choice of the answer of a mock whose answers follow the requests before: a sequence, a scenario, or both."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from mockd.config.models import Mock, Scenario
from mockd.config.parts import Part
from mockd.matching.predicates import Kind, Predicate, predicate_of
from mockd.mocks.counters import Counters
from mockd.mocks.scenarios import Scenarios
from mockd.program.plan import StreamPlan
from mockd.request import RequestView
from mockd.streaming.program import Program

if TYPE_CHECKING:
    from mockd.faults.chosen import Aimed
    from mockd.streaming.sessions.resume import Sessions

TURNS = "responses"
"""The name of the counter of the requests that took a turn in a sequence."""

SCENARIO_SCORE = 10


class ReadyPart(Struct, frozen=True):
    """One answer of a mock, ready to be given. `program` answers every request if one program fits all; otherwise it is
    None. `faults` are its own, then those of the mock, then those of the profile, then the break of its lifecycle."""

    part: Part
    plan: StreamPlan
    program: Program | None
    sessions: Sessions | None
    faults: tuple[Aimed, ...] = ()


class AnswerSequence:
    """Which entry of `responses` answers the n-th request."""

    def __init__(self, times: Sequence[int], then: str | None) -> None:
        self._ends = list(accumulate(times))
        self._then = then or "last"
        self.total = self._ends[-1]

    @property
    def can_be_used_up(self) -> bool:
        return self._then == "miss"

    def entry(self, turn: int) -> int | None:
        """The index of the entry that answers the request of a turn, from 1; None if all of them are used up."""
        if turn > self.total:
            if self._then == "last":
                return len(self._ends) - 1
            if self._then == "miss":
                return None
            turn = (turn - 1) % self.total + 1
        return bisect_left(self._ends, turn)


class Choice:
    """The choice between the parts of one mock. All of it belongs to the thread of the event loop, except what the
    `conditions` test."""

    def __init__(self, mock: Mock, parts: Sequence[ReadyPart], counters: Counters, scenarios: Scenarios):
        self._parts = parts
        self._sequence = (
            None if mock.responses is None else AnswerSequence([one.times for one in mock.responses], mock.then)
        )
        self._scenario = mock.scenario
        self._counters = counters
        self._scenarios = scenarios
        self._holds_sessions = any(part.sessions is not None for part in parts)
        self.conditions: tuple[Predicate, ...] = tuple(self._conditions())

    def fits(self, request: RequestView) -> bool:
        """Whether the mock still matches a request that has met its conditions. If it does not, it meets them no
        more."""
        if self._sequence is not None and self._is_used_up(request) and self._resumed(request) is None:
            request.passed_over |= {self}
            return False
        return all(condition.holds(request) for condition in self.conditions)

    def made_for(self, request: RequestView) -> ReadyPart:
        """The part that answers a request that fits. It takes its turn, and sets the state of the scenario. A HEAD asks
        only what a GET would get, and does neither."""
        is_head = request.method == "HEAD"
        if self._scenario is not None and self._scenario.set is not None and not is_head:
            self._scenarios.set(request.key, self._scenario.name, self._scenario.set)
        if self._sequence is None:
            return self._parts[0]
        entry = self._sequence.entry(self._counters.peek(request.key, TURNS))
        if (entry is None or self._parts[entry].part.kind != "response") and (resumed := self._resumed(request)):
            return resumed
        assert entry is not None, "asked for the answer to a request that does not fit"
        if not is_head:
            self._counters.count(request.key, TURNS)
        return self._parts[entry]

    def _is_used_up(self, request: RequestView) -> bool:
        assert self._sequence is not None
        return self._sequence.can_be_used_up and self._counters.peek(request.key, TURNS) > self._sequence.total

    def _resumed(self, request: RequestView) -> ReadyPart | None:
        """The part that holds the session of a client that comes back. If several know its id, it is the one whose turn
        was last."""
        if not self._holds_sessions or (last_event_id := request.last_event_id) is None:
            return None
        return next(
            (
                part
                for part in self._latest_first(request.key)
                if part.sessions is not None and part.sessions.knows(request.key, last_event_id)
            ),
            None,
        )

    def _latest_first(self, key: str) -> Iterator[ReadyPart]:
        assert self._sequence is not None
        latest = self._sequence.entry(self._counters.peek(key, TURNS) - 1) or 0
        return (self._parts[(latest - back) % len(self._parts)] for back in range(len(self._parts)))

    # -- what must be so for the mock to match ---------------------------------------------------------------------

    def _conditions(self) -> Iterator[Predicate]:
        if self._scenario is not None and self._scenario.when is not None:
            yield predicate_of(_state_kind(self._scenarios), self._scenario.name, _wanted(self._scenario))
        if self._sequence is not None and self._sequence.can_be_used_up:
            yield predicate_of(Kind("responses", "", 0, self._compile_left, self._left, "responses", _used_up), "", 1)

    def _compile_left(self, expected: Any, _: str) -> Any:
        return lambda request: not self._is_used_up(request) or self._may_resume(request)

    def _may_resume(self, request: RequestView) -> bool:
        """Whether a request is one that comes back, or may be one if another thread asks: to look for its session
        changes them, so that is left to `fits`."""
        if not self._holds_sessions or request.last_event_id is None or self in request.passed_over:
            return False
        return request.states is not None or self._resumed(request) is not None

    def _left(self, request: RequestView, _: str) -> int:
        assert self._sequence is not None
        return max(0, self._sequence.total + 1 - self._counters.peek(request.key, TURNS))


def _wanted(scenario: Scenario) -> str | list[str]:
    return scenario.states[0] if len(scenario.states) == 1 else list(scenario.states)


def _state_kind(scenarios: Scenarios) -> Kind:
    def compile_states(expected: str | list[str], name: str) -> Any:
        states = frozenset([expected] if isinstance(expected, str) else expected)
        return lambda request: scenarios.seen_by(request, name) in states

    def state(request: RequestView, name: str) -> str:
        return scenarios.seen_by(request, name)

    return Kind("scenario", "", SCENARIO_SCORE, compile_states, state, "scenario {key}", _in_another_state)


def _in_another_state(predicate: Predicate, request: RequestView) -> str:
    wanted = [predicate.expected] if isinstance(predicate.expected, str) else predicate.expected
    states = " or ".join(f"`{state}`" for state in wanted)
    return f"the scenario `{predicate.key}` is in state `{predicate.actual(request)}`, not {states}"


def _used_up(predicate: Predicate, request: RequestView) -> str:
    return "all of its responses are used up (`then: miss`)"
