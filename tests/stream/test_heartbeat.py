"""Heartbeats: what one likes, after as little silence as one likes, in any stream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.framing import FRAMINGS
from tests.stream.harness import Exchange, Lab, words
from tests.stream.test_resume import ON, come_back

pytestmark = pytest.mark.anyio

SECONDLY = {"fixedDelay": 1000}


def every(ms: float, **what: Any) -> dict[str, Any]:
    return {"heartbeat": {"every": ms, **what}}


async def beating(lab: Lab, kind: str = "sse", *, ms: float = 400, what: dict[str, Any], **config: Any) -> Exchange:
    return await lab.run(kind, **{"timing": SECONDLY, "lifecycle": every(ms, **what), **config})


@pytest.mark.parametrize(
    ("what", "beat"),
    [
        ({"text": "here"}, ": here\n"),
        ({"text": ""}, ": \n"),
        ({"text": "a\nb"}, ": a\n: b\n"),
        ({"event": {"type": "ping", "data": {}}}, "event: ping\ndata: {}\n\n"),
        ({"event": {"comment": "c"}}, ": c\n"),
        ({"event": {"raw": "event: ping\n\n"}}, "event: ping\n\n"),
        ({"event": {"rawBase64": "OiAkJAoK"}}, ": $$\n\n"),
        ({"raw": ": $uuid {{ x }}\r\n\r\n"}, ": $uuid {{ x }}\r\n\r\n"),
    ],
    ids=str,
)
async def test_what_is_sent(lab: Lab, what: dict[str, Any], beat: str) -> None:
    stream = await beating(lab, events=words(2), what=what)
    assert stream.text == f"data: 1\n\n{beat}{beat}data: 2\n\n"
    assert [at for at, _ in stream.writes] == [0, 400, 800, 1000]
    assert lab.ended["eventsSent"] == 2
    assert lab.ended["bytesSent"] == len(stream.body)


@pytest.mark.parametrize(
    ("source", "what", "body"),
    [
        ({"ndjsonItems": [1, 2]}, {"text": ""}, "1\n\n\n2\n"),
        ({"ndjsonItems": [1, 2]}, {"text": "#"}, "1\n#\n#\n2\n"),
        ({"ndjsonItems": [1, 2]}, {"event": {"data": {"ping": True}}}, '1\n{"ping":true}\n{"ping":true}\n2\n'),
        ({"data": "ab", "chunkSize": 1}, {"text": "."}, "a..b"),
        ({"data": "ab", "chunkSize": 1}, {"raw": "$$"}, "a$$$$b"),
        ({"data": "ab", "chunkSize": 1}, {"event": {"data": "$$"}}, "a$$b"),
    ],
    ids=str,
)
async def test_chunked(lab: Lab, source: dict[str, Any], what: dict[str, Any], body: str) -> None:
    assert (await beating(lab, "chunked", what=what, **source)).text == body
    assert lab.ended["eventsSent"] == 2


@pytest.mark.parametrize(
    ("source", "what"),
    [({"ndjsonItems": [1]}, {"event": {"comment": "c"}}), ({"data": "a"}, {"text": ""})],
    ids=str,
)
async def test_what_comes_to_nothing_is_refused(source: dict[str, Any], what: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        await beating(Lab(), "chunked", **source, what=what)
    assert caught.value.problems[0].path == ("chunked", "lifecycle", "heartbeat")


@pytest.mark.parametrize("ms", [0.001, 1, 7, 999, 1000, 1050, 15_000])
async def test_no_interval_is_too_short(lab: Lab, ms: float) -> None:
    stream = await beating(lab, ms=ms, what={"text": "x"}, events=[{"data": "1", "delay": 60_000}], seconds=60)
    steps = 60_000 / max(1, ms)
    assert stream.text.count(": x\n") == pytest.approx(steps - 0.5, abs=0.5 + steps * 0.05)
    assert stream.times == [60_000]


@pytest.mark.parametrize("template", ["openai-chat", "anthropic-messages", "gemini"])
async def test_templates(lab: Lab, template: str) -> None:
    timing = {"itl": 1000}
    params = {"tokens": ["a", "b"]}
    lab.mock("sse", template=template, templateParams=params, timing=timing, lifecycle=every(600, raw="event: p\n\n"))
    stream = await lab.open("/stream?alt=sse")
    await lab.clock.advance(60)
    assert stream.text.count("event: p\n\n") == 2
    assert [at for at, part in stream.writes if part == b"event: p\n\n"] == [600, 1600]


async def test_a_template_of_lines(lab: Lab) -> None:
    source = {"template": "ollama-chat", "templateParams": {"tokens": ["a", "b"]}}
    stream = await beating(lab, "chunked", ms=600, what={"text": ""}, timing={"itl": 1000}, **source)
    assert [(at, part) for at, part in stream.writes if part == b"\n"] == [(600, b"\n"), (1600, b"\n")]


@pytest.mark.parametrize("name", FRAMINGS)
async def test_every_framing(lab: Lab, name: str) -> None:
    source = {"template": "tests.stream.framings:FRAMED", "templateParams": {"framing": name}}
    timing = {"initialDelay": 1000, "fixedDelay": 1000}
    stream = await beating(lab, what={"raw": "\n"}, timing=timing, ms=600, **source)
    without = await lab.run(mock_id="mock2", timing=timing, **source)
    assert stream.text.startswith("\n")  # before the body begins
    assert stream.text.replace("\n", "") == without.text.replace("\n", "")
    if name == "json-array":
        assert json.loads(stream.body) == [{"n": 1}, {"n": 2}, {"n": 3}]


async def test_an_event_is_an_item_of_an_array(lab: Lab) -> None:
    source = {"template": "tests.stream.framings:FRAMED", "templateParams": {"framing": "json-array"}}
    timing = {"initialDelay": 1000, "fixedDelay": 1000}
    stream = await beating(lab, what={"event": {"data": {"p": 1}}}, timing=timing, ms=600, **source)
    assert stream.json == [{"p": 1}, {"n": 1}, {"p": 1}, {"n": 2}, {"p": 1}, {"n": 3}]


async def test_it_is_filled_in_anew_each_time(lab: Lab) -> None:
    what = {"event": {"data": "$timestamp $random:1:1000000 {{ request.query.q }}"}}
    lab.mock(events=words(1), timing={"initialDelay": 10_000}, lifecycle=every(3000, **what))
    stream = await lab.open("/stream?q=x")
    await lab.clock.advance(10)
    data = [data.split(" ") for _, data in stream.events[:-1]]
    assert len({moment for moment, _, _ in data}) == len({number for _, number, _ in data}) == 3
    assert {asked for _, _, asked in data} == {"x"}


@pytest.mark.parametrize("extra", [{}, {"resume": ON}], ids=str)
async def test_what_it_draws_changes_no_event(lab: Lab, extra: dict[str, Any]) -> None:
    drawn = {"events": [{"data": "$uuid"}] * 3, "timing": SECONDLY, "seed": 1, **extra}
    stream = await lab.run(**drawn, lifecycle=every(300, event={"comment": "$uuid"}))
    without = await Lab().run(**drawn)
    assert stream.events == without.events
    assert stream.text.count("\n: ") == 6


async def test_text_that_comes_to_nothing_ends_no_body(lab: Lab) -> None:
    stream = await beating(lab, "chunked", what={"text": "{{ request.query.q }}"}, data="ab", chunkSize=1)
    assert stream.text == "ab"


async def test_beside_a_keepalive_the_shorter_one_counts(lab: Lab) -> None:
    for ms, beats in ((2000, [": x"] * 5), (7000, [": keepalive"] * 2)):
        life = {"keepaliveInterval": 5, **every(ms, text="x")}
        stream = await lab.run(events=words(1), timing={"initialDelay": 11_000}, lifecycle=life)
        assert [text for _, text in stream.blocks] == [*beats, "data: 1"]
        lab.engine.delete("mock")


async def test_a_keepalive_that_a_framing_does_not_have_keeps_no_heartbeat_off(lab: Lab) -> None:
    source = {"template": "tests.stream.framings:FRAMED", "templateParams": {"framing": "json-array"}}
    life = {"keepaliveInterval": 5, **every(7000, raw=" ")}
    stream = await lab.run(**source, timing={"initialDelay": 15_000}, lifecycle=life)
    assert [at for at, part in stream.writes if part == b" "] == [7000, 14_000]


async def test_it_puts_no_time_limit_off(lab: Lab) -> None:
    life = {"timeout": 3, **every(1000, event={"data": "x"})}
    stream = await lab.run(events=[{"data": "1", "delay": 60_000}], lifecycle=life)
    assert stream.ended_at == 3000
    assert lab.ended["outcome"] == "timed_out"


async def test_retry_is_for_events(lab: Lab) -> None:
    stream = await beating(lab, what={"event": {"data": "x"}}, timing={"initialDelay": 500}, events=words(1), retry=5)
    assert stream.text == "data: x\n\ndata: 1\nretry: 5\n\n"


@pytest.mark.parametrize("http_version", ["1.0", "1.1"])
async def test_its_id_continues_the_stream_there(lab: Lab, http_version: str) -> None:
    life = every(600, event={"type": "ping", "id": "p", "data": "x"})
    stream = await lab.stream(events=words(3), timing=SECONDLY, resume=ON, lifecycle=life)
    await lab.clock.advance(1.7)
    await stream.hang_up()
    assert lab.ended["lastEventId"] == "p"
    again = await come_back(lab, "p", http_version=http_version)
    await lab.clock.advance(0.5)
    assert again.events == [(2000, "3")]


async def test_there_is_none_in_an_end(lab: Lab) -> None:
    life = {**every(100, text="x"), "termination": {"finalEvent": {"data": "bye"}, "closeDelay": 1000}}
    stream = await lab.run(events=words(1), lifecycle=life)
    assert stream.text == "data: 1\n\ndata: bye\n\n"
    assert stream.ended_at == 1000
