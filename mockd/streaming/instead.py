"""Another answer in place of one whose head is not sent yet."""

from __future__ import annotations

from mockd.clock import Clock
from mockd.events import Fill
from mockd.headers import NO_RULES, FixedHeaders
from mockd.lines.line import BODILESS
from mockd.program.answer import CompiledAnswer
from mockd.program.plan import StreamPlan
from mockd.program.terms import UNSEEDED
from mockd.source import Answer
from mockd.streaming.answers import whole, with_no_body
from mockd.streaming.program import Program

_OF_BODY = frozenset({b"content-length", b"content-type", b"content-encoding"})
"""Names of headers that tell of the body of an answer."""


def instead_of(program: Program, plan: StreamPlan | None, answer: Answer, clock: Clock) -> Program:
    """The program of one whole answer in place of another program. The headers of the mock, which has that plan if it
    is still there, and those of the request (CORS) stay as they are."""
    names = frozenset[bytes]() if plan is None else plan.header_rules.names
    compiled = CompiledAnswer(answer, NO_RULES, variation=None if plan is None else plan.variation)
    fill = Fill(UNSEEDED, clock, answer.slots)
    body = compiled.body(fill)
    of_mock = [header for header in (*program.headers, *program.own) if header[0] in names]
    of_request = [header for header in program.own if header[0] not in names | _OF_BODY]
    headers = FixedHeaders([header for header in compiled.headers if header[0] not in names])
    own = [*compiled.own(body, fill, of_request), *of_mock]
    made = whole(compiled.status, body, headers, own, encoding=compiled.encoding)
    return made if made.status not in BODILESS else with_no_body(made)
