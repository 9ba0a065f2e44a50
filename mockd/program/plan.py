"""A mock's plan: what its streams go by, and the scripts that they send.

Scripts (events known in advance) are framed and timed once for each key (`CompiledScript`); after that nothing runs
for each event but the calendar and one send.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from msgspec import field, structs

from mockd.framing import Framing, framing_named
from mockd.headers import FixedHeaders, Headers
from mockd.program.answer import CompiledAnswer
from mockd.program.script import CompiledScript
from mockd.program.terms import Ending, Terms
from mockd.source import Answer, Script

MOST_SCRIPTS = 64
"""Compiled scripts kept for each mock: one for each key that its source makes out of requests."""

Framed = tuple[FixedHeaders, FixedHeaders, Ending]
"""What of a plan follows from its framing: the headers, those of a connection that lasts, and the end."""


class StreamPlan(Terms, frozen=True, kw_only=True):
    """What all streams of a mock go by, and the scripts that they send."""

    in_framing: Callable[[Framing], Framed]
    scripts: OrderedDict[object, CompiledScript] = field(default_factory=OrderedDict)
    answers: list[CompiledAnswer] = field(default_factory=list)
    """The whole answer that its source gives to every request, once it was asked for."""
    variants: dict[str, StreamPlan] = field(default_factory=dict)
    """The same plan in other framings, by their names."""

    def compiled(self, script: Script) -> CompiledScript:
        """The script's frames and times: framed on first use, then kept."""
        compiled = self.scripts.get(script.key)
        if compiled is None:
            compiled = self.scripts[script.key] = CompiledScript(script, self)
            if len(self.scripts) > MOST_SCRIPTS:
                self.scripts.popitem(last=False)
        return compiled

    def ready(self, answer: Answer) -> CompiledAnswer:
        """A whole answer, made ready: once, if the source always gives the same one."""
        if answer is not self.source.answer:
            return CompiledAnswer(answer, self.header_rules, self.answer_status)
        if not self.answers:
            self.answers.append(CompiledAnswer(answer, self.header_rules, self.answer_status))
        return self.answers[0]

    def framed(self, name: str | None) -> StreamPlan:
        """This plan for a stream in the framing of that name; None is the usual one. Raises `ValueError`."""
        if name is None or name == self.framing.name:
            return self
        if name not in self.variants:
            framing = framing_named(name)
            headers, lasting_headers, ending = self.in_framing(framing)
            self.variants[name] = structs.replace(
                self,
                kind=framing.kind,
                headers=headers,
                lasting_headers=lasting_headers,
                framing=framing,
                ending=ending,
                scripts=OrderedDict(),
                variants={},
            )
        return self.variants[name]

    def with_headers(self, own: Headers) -> StreamPlan:
        """The plan with headers that its source says in the place of the usual ones, but for those that the mock
        says."""
        own = self.header_rules.undecided(own)
        if not own:
            return self
        headers, lasting_headers = self.headers.replaced(own), self.lasting_headers.replaced(own)
        return structs.replace(self, headers=headers, lasting_headers=lasting_headers)
