"""The program of a stream that plays a recording."""

from __future__ import annotations

from mockd.journal.exchange import Outcome
from mockd.program.recorded import Informed, RecordedAnswer
from mockd.streaming.cursors.recorded import AsRecorded
from mockd.streaming.ops import Stage
from mockd.streaming.program import Program


def replay(program: Program, answer: RecordedAnswer) -> None:
    """Give a stream's new program what a recording has besides rows: its chunks, unless the mock has others, and what
    was sent before the head."""
    if program.chunks is None:
        program.chunks = AsRecorded()
    if answer.informed:
        program.first = [*(Inform(one) for one in answer.informed), Wait(program.delay_s)]
        program.delay_s = 0.0


class Inform:
    """An informational answer at its time."""

    def __init__(self, informed: Informed) -> None:
        self._informed = informed

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        one = self._informed
        await stage.sleep_until(stage.exchange.arrived + one.at_s)
        if not stage.is_told_to_end:
            headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in one.headers]
            stage.line.inform(one.status, one.reason.encode("latin-1"), headers)


class Wait:
    """The time until the head, in seconds from the request."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        await stage.sleep_until(stage.exchange.arrived + self._pause_s)
