"""A model's reply in one piece takes `initialDelay`, `ttft` and `itl` for each token, and nothing else of `timing`."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from mockd.config.timing import Distribution, Timing, in_seconds
from mockd.events import drawn
from mockd.program.pacing import Pacing
from mockd.sources.llm import ENDPOINTS, WIRES, wire_of
from mockd.sources.llm.wires.wire import Wire
from tests.stream.harness import PATH, Lab

pytestmark = pytest.mark.anyio

TOKENS = ["a", "b", "c"]
REQUESTS: dict[str, str] = {"gemini": ":generateContent"}
"""What the path of a request ends with that wants no stream, where the body does not say it."""

TIMINGS: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({}, {}, 0),
    ({"initialDelay": 50}, {}, 50),
    ({"ttft": 300}, {}, 300),
    ({"itl": 20}, {}, 60),
    ({"tokensPerSecond": 40}, {}, 75),
    ({"initialDelay": 50, "ttft": 300, "itl": 20}, {}, 410),
    ({"ttft": 300, "tokensPerSecond": 40}, {}, 375),
    ({"itl": 20, "tokensPerSecond": 40}, {}, 60),
    ({}, {"delayPerToken": 7}, 21),
    ({"ttft": 300}, {"delayPerToken": 7}, 321),
    ({"itl": 20}, {"delayPerToken": 7}, 60),
    ({"tokensPerSecond": 40}, {"delayPerToken": 7}, 75),
    ({"fixedDelay": 1000}, {}, 0),
    ({"randomDelay": {"min": 1000, "max": 1000}, "perEventDelays": [1000, 1000]}, {}, 0),
    ({"burst": {"count": 1, "interval": 1000, "pause": 1000}, "ttft": 300}, {}, 300),
]
WIRE = pytest.mark.parametrize(
    "wire", [wire_of(name) for name in WIRES if name not in ("vercel-ui", "ag-ui")], ids=lambda wire: wire.name
)
"""All that answer in one piece too."""


def path_of(wire: type[Wire]) -> str:
    return f"{PATH}/m{REQUESTS[wire.name]}" if wire.name in REQUESTS else PATH


def mock(lab: Lab, wire: type[Wire], timing: dict[str, Any], params: dict[str, Any], **config: Any) -> None:
    part = {"template": wire.name, "templateParams": {"tokens": TOKENS, **params}, "timing": timing, **config}
    lab.engine.create({"id": "mock", "matcher": {"path": f"{PATH}*"}, wire.part: part})


async def took(lab: Lab, wire: type[Wire]) -> tuple[int, int]:
    """The status of an answer in one piece, and the milliseconds before its head."""
    begun = lab.clock.elapsed_ms
    answer = await lab.open(path_of(wire), body=json.dumps({"stream": False, "messages": []}).encode())
    await lab.clock.advance(3600)
    assert answer.ended_at == answer.messages[0][0]
    return answer.status, answer.messages[0][0] - begun


@pytest.mark.parametrize(("timing", "params", "takes"), TIMINGS, ids=str)
@WIRE
async def test_what_passes_before_the_head(
    wire: type[Wire], timing: dict[str, Any], params: dict[str, Any], takes: int
) -> None:
    lab = Lab()
    mock(lab, wire, timing, params)
    assert await took(lab, wire) == (200, takes)


DRAWN = {"dist": "uniform", "min": 100, "max": 200}


@pytest.mark.parametrize("timing", [{"initialDelay": DRAWN}, {"ttft": DRAWN}, {"itl": DRAWN}], ids=str)
@WIRE
async def test_what_is_drawn_is_drawn_anew(wire: type[Wire], timing: dict[str, Any]) -> None:
    lab = Lab(seed=1)
    mock(lab, wire, timing, {})
    draws = len(TOKENS) if "itl" in timing else 1
    times = [(await took(lab, wire))[1] for _ in range(8)]
    assert len(set(times)) > 4
    assert all(100 * draws <= time <= 200 * draws for time in times)


@WIRE
async def test_every_token_is_drawn_by_itself(wire: type[Wire]) -> None:
    """One draw for all of them would be as wide as the distribution."""
    lab = Lab(seed=1)
    mock(lab, wire, {"itl": DRAWN}, {"tokens": ["a"] * 400})
    assert abs((await took(lab, wire))[1] - 400 * 150) < 400 * 150 * 0.05


@WIRE
async def test_with_a_seed_it_takes_the_same_each_time(wire: type[Wire]) -> None:
    lab = Lab()
    mock(lab, wire, {"ttft": DRAWN, "itl": DRAWN}, {}, seed=3)
    assert len({await took(lab, wire) for _ in range(3)}) == 1


@WIRE
async def test_as_many_tokens_as_the_stream_has(lab: Lab, wire: type[Wire]) -> None:
    """Thoughts and fragments of calls count where they are events with content."""
    params: dict[str, Any] = {"argumentChunk": 3}
    if "reasoning" in wire.expresses:
        params["reasoning"] = "Well then now"
    if "toolCalls" in wire.expresses:
        params["toolCalls"] = [{"name": "f", "arguments": {"a": "b"}}, {"name": "g", "arguments": {"c": "d"}}]
    mock(lab, wire, {"itl": 10}, params)
    _, whole = await took(lab, wire)
    begun = lab.clock.elapsed_ms
    body = json.dumps({"stream": True, "messages": []}).encode()
    path = path_of(wire).replace(":generate", ":streamGenerate")
    stream = await lab.open(path, body=body)
    await lab.clock.advance(3600)
    assert whole == stream.messages[-1][0] - begun > 0


@pytest.mark.parametrize("error", [{"status": 429}, {"message": "No."}], ids=str)
@WIRE
async def test_errors_come_at_once(lab: Lab, wire: type[Wire], error: dict[str, Any]) -> None:
    mock(lab, wire, {"initialDelay": 50, "ttft": 300, "itl": 20}, {"error": error})
    status, time = await took(lab, wire)
    assert status >= 400
    assert time == 0


@WIRE
async def test_so_does_what_a_strict_service_refuses(lab: Lab, wire: type[Wire]) -> None:
    mock(lab, wire, {"initialDelay": 50, "ttft": 300, "itl": 20}, {"strict": True})
    answer = await lab.open(path_of(wire), body=b"[]")
    assert (answer.status, answer.messages[0][0]) == (400, 0)


@WIRE
async def test_replies_of_a_script_and_those_that_follow_the_request(lab: Lab, wire: type[Wire]) -> None:
    script = [{"reply": {"tokens": ["x", "{{ request.method }}"]}}]
    mock(lab, wire, {"itl": 10}, {"script": script})
    assert await took(lab, wire) == (200, 20)


async def test_an_answer_of_a_plug_in_is_no_model_s(lab: Lab) -> None:
    answer = await lab.stream(template="tests.stream.plug_ins:REPLY", timing={"initialDelay": 50, "ttft": 300})
    assert answer.messages[0][0] == 0


@pytest.mark.parametrize("template", ENDPOINTS)
async def test_endpoints_have_no_tokens(lab: Lab, template: str) -> None:
    answer = await lab.stream("response", template=template)
    assert (answer.status, answer.messages[0][0]) == (200, 0)


async def test_a_client_that_leaves_meanwhile(lab: Lab) -> None:
    mock(lab, wire_of("openai-chat"), {"ttft": 300}, {})
    answer = await lab.open(body=b"{}")
    await lab.clock.advance(0.1)
    await answer.hang_up()
    assert not answer.is_open
    assert answer.messages == []
    assert lab.ended["outcome"] == "client_disconnected"


# -- the rule, as numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tokens", "takes_s"), [(None, 0.0), (0, 0.003), (1, 0.013), (5, 0.053)])
def test_the_rule(tokens: int | None, takes_s: float) -> None:
    pacing = Pacing(Timing(initial_delay=1, ttft=2, itl=10, fixed_delay=7))
    assert pacing.whole_delay_s(tokens, random.Random(1)) == pytest.approx(takes_s)


def test_pauses_before_tokens_are_as_many_draws() -> None:
    pause = in_seconds(Distribution(dist="normal", mean=20, stddev=5))
    rng = random.Random(1)
    expected = sum(drawn(pause, rng) for _ in range(7))
    assert Pacing(Timing(), token_delay=pause).whole_delay_s(7, random.Random(1)) == pytest.approx(expected)
