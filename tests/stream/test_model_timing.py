"""Every template of a model's replies is paced alike: what is said, thought and called waits, the format does not."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.sources.llm import WIRES as NAMES
from mockd.sources.llm import wire_of
from mockd.sources.llm.wires.wire import Wire
from tests.stream.harness import Lab

pytestmark = pytest.mark.anyio

TIMING = {"ttft": 300, "itl": 10}
TOKENS = {"tokens": ["a", "b", "c"]}
WIRES = [pytest.param(wire_of(name), id=name) for name in NAMES]
WIRE = pytest.mark.parametrize("wire", WIRES)
THINKING = pytest.mark.parametrize("wire", [one for one in WIRES if "reasoning" in one.values[0].expresses])
CALLING = pytest.mark.parametrize("wire", [one for one in WIRES if "toolCalls" in one.values[0].expresses])


async def moments(lab: Lab, wire: type[Wire], **params: Any) -> list[int]:
    """When there was something to send after the head."""
    stream = await lab.run(wire.part, template=wire.name, templateParams=params, timing=TIMING)
    assert stream.ended_at == stream.writes[-1][0]
    return sorted({at for at, _ in stream.writes} - {0})


@WIRE
async def test_what_is_said(lab: Lab, wire: type[Wire]) -> None:
    assert await moments(lab, wire, **TOKENS) == [300, 310, 320]


@THINKING
async def test_what_is_thought(lab: Lab, wire: type[Wire]) -> None:
    assert await moments(lab, wire, reasoning="Well then", **TOKENS) == [300, 310, 320, 330, 340]


@CALLING
async def test_what_is_called(lab: Lab, wire: type[Wire]) -> None:
    calls = [{"name": "f", "arguments": {"a": "b"}}]
    whole, fragments = [300], [300, 310, 320]
    assert await moments(lab, wire, toolCalls=calls, argumentChunk=3) in (whole, fragments)


@WIRE
async def test_an_error_after_what_was_said(lab: Lab, wire: type[Wire]) -> None:
    first, second, *error = await moments(lab, wire, **TOKENS, error={"message": "It broke.", "afterTokens": 2})
    assert (first, second) == (300, 310)
    # It goes with the token before it; only Gemini's clients want it by itself.
    assert bool(error) == (wire.name == "gemini")
