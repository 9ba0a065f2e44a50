"""A mock's plan: the terms of its streams, and the scripts that they send.

Scripts (events known in advance) are framed and timed once for each key (`CompiledScript`). After that, nothing runs
for each event but the calendar and one send.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field, structs

from mockd.cache import Cache
from mockd.framing import Framing, framing_named
from mockd.headers import FixedHeaders, Headers
from mockd.program.answer import CompiledAnswer
from mockd.program.script import CompiledScript
from mockd.program.terms import Ending, Heartbeat, Terms
from mockd.program.timetable import size_of
from mockd.source import Answer, Script

MOST_SCRIPTS = 64
"""Most compiled scripts that are kept for each mock, one for each key that its source makes from requests."""
MOST_SCRIPT_BYTES = 8 * 1024 * 1024
"""Most bytes of these scripts. The last one is kept whatever its size."""
_UNLIMITED = ""
_EVENT_BYTES = 1500
"""About the number of bytes that an event of a compiled script takes beside its frame."""


def no_scripts() -> Cache[object, CompiledScript]:
    """An empty cache of compiled scripts."""
    return Cache(MOST_SCRIPTS, MOST_SCRIPT_BYTES)


class Framed(Struct, frozen=True):
    """The parts of a plan that depend on its framing, which a mock may vary."""

    framing: Framing
    headers: FixedHeaders
    lasting_headers: FixedHeaders
    ending: Ending
    heartbeat: Heartbeat | None


class StreamPlan(Terms, frozen=True, kw_only=True):
    """The terms of all streams of a mock, and the scripts that they send."""

    in_framing: Callable[[Framing], Framed]
    scripts: Cache[object, CompiledScript] = field(default_factory=no_scripts)
    answers: list[CompiledAnswer] = field(default_factory=list)
    """The compiled answer, if the source gives the same one to every request; empty before its first use."""
    variants: dict[str, StreamPlan] = field(default_factory=dict)
    """This plan in other framings, by the name of the framing; and without its limits in events."""

    def compiled(self, script: Script) -> CompiledScript:
        """The compiled script, which is made on first use and then kept."""
        compiled = self.scripts.get(script.key)
        if compiled is None:
            compiled = CompiledScript(script, self)
            size = compiled.length * _EVENT_BYTES + sum(map(size_of, compiled.frames))
            self.scripts.keep(script.key, compiled, size)
        return compiled

    def ready(self, answer: Answer) -> CompiledAnswer:
        """The compiled form of a whole answer, made only once if the source always gives the same answer."""
        if answer is not self.source.answer:
            return CompiledAnswer(answer, self.header_rules, self.answer_status, self.variation)
        if not self.answers:
            self.answers.append(CompiledAnswer(answer, self.header_rules, self.answer_status, self.variation))
        return self.answers[0]

    def framed(self, name: str | None) -> StreamPlan:
        """This plan in the framing of that name, or in the usual one if it is None. Raises `ValueError`."""
        if name is None or name == self.framing.name:
            return self
        if name not in self.variants:
            framed = self.in_framing(framing_named(name))
            self.variants[name] = structs.replace(
                self,
                kind=framed.framing.kind,
                **structs.asdict(framed),
                scripts=no_scripts(),
                variants={},
            )
        return self.variants[name]

    def unlimited(self) -> StreamPlan:
        """This plan without its limits in events, to which its faults see."""
        life = self.lifetime
        if not life.max_events and life.disconnect_after is None:
            return self
        if _UNLIMITED not in self.variants:
            life = structs.replace(life, max_events=0, disconnect_after=None)
            self.variants[_UNLIMITED] = structs.replace(self, lifetime=life, scripts=no_scripts(), variants={})
        return self.variants[_UNLIMITED]

    def with_headers(self, own: Headers) -> StreamPlan:
        """This plan with its source's `own` headers instead of the usual ones, except those that the mock decides."""
        own = self.header_rules.undecided(own)
        if not own:
            return self
        if self.variation is not None:
            from mockd.program.varying import with_head

            own = with_head(own, self.variation.charset, self.variation.encoding)
        headers, lasting_headers = self.headers.replaced(own), self.lasting_headers.replaced(own)
        return structs.replace(self, headers=headers, lasting_headers=lasting_headers)
