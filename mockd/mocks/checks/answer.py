"""One answer of a mock, as checks see it. Paths in their problems begin where the kind of the answer is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from mockd.config.models import ChunkedConfig, ResponseConfig, SseConfig
from mockd.config.parts import AnswerConfig
from mockd.config.paths import at
from mockd.errors import Path
from mockd.mocks.choice import ReadyPart
from mockd.mocks.registered import Registered
from mockd.program.plan import StreamPlan
from mockd.program.script import CompiledScript


class CheckedAnswer(Struct, frozen=True):
    """One answer of a mock, and what was written in the mock or in the entry that has it."""

    ready: ReadyPart
    written: Any

    @property
    def kind(self) -> str:
        return self.ready.part.kind

    @property
    def config(self) -> AnswerConfig:
        return self.ready.part.config

    @property
    def stream(self) -> SseConfig | ChunkedConfig | None:
        """The configuration of a stream; None if it is none."""
        return self.config if isinstance(self.config, SseConfig | ChunkedConfig) else None

    @property
    def is_plain(self) -> bool:
        """Whether it is a plain response."""
        return isinstance(self.config, ResponseConfig)

    @property
    def plan(self) -> StreamPlan:
        return self.ready.plan

    @property
    def script(self) -> CompiledScript | None:
        """The script, if it is the same for every request."""
        script = self.plan.source.script
        return None if script is None else self.plan.framed(script.framing).compiled(script)

    def given(self, path: Path) -> Any:
        """What was written at a path; None if nothing was."""
        return at(self.written, path)


def answers_of(mock: Registered) -> Sequence[CheckedAnswer]:
    """The answers of a mock."""
    return [CheckedAnswer(ready, at(mock.spec.values, ready.part.place)) for ready in mock.parts]
