"""Every wire paces what is said, thought and called, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.sources.llm import WIRES as NAMES
from mockd.sources.llm import wire_of
from mockd.sources.llm.wires.wire import Wire
from tests.stream.harness import Lab

pytestmark = pytest.mark.anyio

WIRES = [wire_of(name) for name in NAMES]
THOUGHT = "First I think"
ARGUMENTS = {"a": "b" * 20}


def said(wire: type[Wire]) -> dict[str, Any]:
    """Three tokens; thoughts in three and a call's arguments in two fragments, where the wire has them."""
    thought = {"reasoning": THOUGHT} if "reasoning" in wire.expresses else {}
    return {"tokens": ["a", "b", "c"], **thought}


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
async def test_what_is_said_and_thought(wire: type[Wire]) -> None:
    params = said(wire)
    stream = await Lab().run(wire.part, template=wire.name, templateParams=params, timing={"ttft": 300, "itl": 20})
    moments = sorted({at for at, _ in stream.writes} - {0})
    assert moments == [300 + 20 * number for number in range(6 if "reasoning" in params else 3)]
    assert stream.ended_at == moments[-1]


@pytest.mark.parametrize("wire", [wire for wire in WIRES if "toolCalls" in wire.expresses], ids=lambda wire: wire.name)
async def test_what_is_called(wire: type[Wire]) -> None:
    """At least one moment a call."""
    params = {"toolCalls": [{"name": "one", "arguments": ARGUMENTS}, {"name": "two", "arguments": ARGUMENTS}]}
    stream = await Lab().run(wire.part, template=wire.name, templateParams=params, timing={"ttft": 300, "itl": 20})
    moments = sorted({at for at, _ in stream.writes} - {0})
    assert moments == [300 + 20 * number for number in range(len(moments))]
    assert moments
    assert stream.ended_at == moments[-1]
