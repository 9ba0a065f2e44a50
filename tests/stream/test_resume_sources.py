"""Resume for every kind of source: a stream that is cut again and again is the unbroken one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd import BaseSource, Event, Script, Slot, SourceContext, SourceKind
from mockd.config.models import Config
from mockd.errors import error_body
from tests.manual_clock import settle
from tests.stream.harness import Lab, words
from tests.stream.test_resume import ON, SECONDLY, come_back, cut_after, data_of, ids_of

pytestmark = pytest.mark.anyio


class Params(Config, frozen=True, kw_only=True):
    """What the sources of these tests may be told."""

    count: int = 5
    fail_after: int = -1
    given_ids: bool = False


class Plain(BaseSource):
    """Numbers and a random one, in an ordinary iterator."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def open(self, context: SourceContext) -> Iterator[Event]:
        for number in range(self.params.count):
            if number == self.params.fail_after:
                raise OSError(5, "broken", "/secret/path")
            id_ = f"n{number}\nid: x" if self.params.given_ids else None
            yield Event({"n": number, "r": context.rng.random()}, id=id_)


class Awaited(Plain):
    """The same, waited for; with a count of 3 its end never comes."""

    async def _events(self, context: SourceContext) -> AsyncIterator[Event]:
        state.opened += 1
        try:
            for event in super().open(context):
                await asyncio.sleep(0)
                yield event
            if self.params.count == 3:
                await asyncio.Event().wait()
        finally:
            state.closed += 1

    def open(self, context: SourceContext) -> AsyncIterator[Event]:  # type: ignore[override]
        return self._events(context)


class ByRequest(BaseSource):
    """A script whose events depend on the request, with a value that differs from stream to stream."""

    def __init__(self, params: Params) -> None:
        self.count = params.count

    def open(self, context: SourceContext) -> Script:
        who = context.request.query.get("who", ["nobody"])[0]
        return Script(
            lambda: [Event({"n": n, "who": who, "at": Slot("at")}) for n in range(self.count)],
            key=who,
            slots={"at": json.dumps(context.rng.random()).encode()},
        )


class AwaitedState:
    opened = 0
    closed = 0


state = AwaitedState()

PLAIN = SourceKind("plain", Params, Plain, "Numbers.")
AWAITED = SourceKind("awaited", Params, Awaited, "Numbers.")
BY_REQUEST = SourceKind("by-request", Params, ByRequest, "Numbers.")
HERE = "tests.stream.test_resume_sources:"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    state.opened = state.closed = 0


async def in_pieces(lab: Lab, size: int, **request: Any) -> list[str]:
    """The blocks of a stream that breaks off after each so many events, put together; then a 204."""
    blocks: list[str] = []
    last = None
    while True:
        headers = {} if last is None else {"Last-Event-ID": last}
        stream = await lab.open(headers=headers, **request)
        await lab.clock.advance(10)
        if stream.status == 204:
            return blocks
        assert len(stream.events) <= size
        assert stream.blocks
        blocks += [block for _, block in stream.blocks]
        last = [last or "", *ids_of(stream)][-1]


CHAT = {"template": "openai-chat", "templateParams": {"tokens": ["a", "b", "c", "d"]}}


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize(
    ("sse", "count"),
    [
        pytest.param({"events": words(5)}, 5, id="list"),
        pytest.param({"events": words(2), "repeat": 3}, 6, id="repeated list"),
        pytest.param({"events": [{"data": "$uuid"}] * 5}, 5, id="random data"),
        pytest.param({"events": [{"data": "1"}, {"comment": "c"}, {"data": "$uuid"}, {"retry": 9}] * 2}, 4, id="mixed"),
        pytest.param({"events": [{"id": f"e{n}", "data": "$uuid"} for n in range(4)]}, 4, id="given ids"),
        pytest.param({"generator": {"type": "sequence", "count": 7}}, 7, id="sequence"),
        pytest.param(
            {"generator": {"type": "random", "count": 5, "random": {"schema": "$random:1:9"}}}, 5, id="random"
        ),
        pytest.param(
            {"generator": {"type": "template", "count": 5, "template": {"events": words(2)}}}, 5, id="generated list"
        ),
        pytest.param({"template": "notification-stream"}, 4, id="notifications"),
        pytest.param(
            {"template": "notification-stream", "templateParams": {"includeId": True, "includeTimestamp": True}},
            4,
            id="notifications with ids",
        ),
        pytest.param(CHAT, 7, id="chat"),
        pytest.param({"template": HERE + "PLAIN"}, 5, id="plug-in"),
        pytest.param({"template": HERE + "AWAITED"}, 5, id="awaited plug-in"),
        pytest.param({"template": HERE + "BY_REQUEST"}, 5, id="plug-in with a script"),
        pytest.param({"events": words(5), "rateLimit": {"eventsPerSecond": 2}}, 5, id="limited"),
    ],
)
@pytest.mark.parametrize("timing", [{}, {"randomDelay": {"min": 0, "max": 300}}], ids=["at once", "random delays"])
async def test_a_stream_in_pieces(lab: Lab, sse: dict[str, Any], count: int, size: int, timing: dict[str, Any]) -> None:
    lab.mock(**sse, timing=timing, resume=ON, lifecycle={"simulateDisconnect": size})
    blocks = await in_pieces(lab, size)
    data = [block for block in blocks if "data: " in block]
    assert len(data) == len(set(data)) == count
    # The last client sees the same as those who came before it together.
    held = [entry["event"].get("data") for entry in lab.engine.streams.buffer("mock")]
    assert [block.rpartition("data: ")[2] for block in data] == held


async def test_a_chat_completion_keeps_its_id_and_goes_on(lab: Lab) -> None:
    request = {"method": "POST", "body": b'{"stream": true, "model": "m"}'}
    lab.mock(**CHAT, resume=ON, lifecycle={"simulateDisconnect": 3})
    blocks = await in_pieces(lab, 3, **request)
    chunks = [json.loads(block.rpartition("data: ")[2]) for block in blocks[:-1]]
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == "abcd"
    assert blocks[-1].endswith("data: [DONE]")


async def test_an_endless_list_goes_on_for_as_long_as_one_was_away(lab: Lab) -> None:
    await cut_after(lab, 2, events=words(2), repeat=0)
    await lab.clock.advance(1000)
    again = await come_back(lab, "3")
    assert ids_of(again) == [str(number) for number in range(4, 1004)]
    assert data_of(again).startswith("2 1 2 1")
    await again.hang_up()


async def test_events_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text('{"id": "a", "data": 1}\n{"data": 2}\n{"id": "c", "data": "$uuid"}\n')
    lab = Lab(files_root=str(tmp_path))
    first = await cut_after(lab, 1, eventsFile="events.ndjson")
    assert ids_of(first)[0] == "a"
    rest = await come_back(lab, "a")
    assert rest.blocks[0][1] == first.blocks[1][1]
    await lab.clock.advance(5)
    assert (await come_back(lab, "c")).status == 204


async def test_streams_of_one_source_by_different_requests_are_not_mixed_up(lab: Lab) -> None:
    lab.mock(template=HERE + "BY_REQUEST", timing=SECONDLY, resume=ON)
    ann, bob = [await lab.open(path="/stream") for _ in range(2)]
    await ann.hang_up()
    await bob.hang_up()
    again = await come_back(lab, ids_of(ann)[0])
    await lab.clock.advance(60)
    at = json.loads(ann.events[0][1])["at"]
    assert [json.loads(data)["at"] for _, data in again.events] == [at] * 4


async def test_ids_that_a_plug_in_gives_are_sent_and_come_back(lab: Lab) -> None:
    stream = await lab.run(
        template=HERE + "PLAIN", templateParams={"givenIds": True}, resume=ON, seconds=1, timing={"fixedDelay": 0}
    )
    # A line break in one cannot get out.
    assert ids_of(stream) == [f"n{number}id: x" for number in range(5)]
    again = await come_back(lab, "n2id: x")
    assert again.events == [(1000, data) for _, data in stream.events[3:]]


@pytest.mark.parametrize("kind", ["PLAIN", "AWAITED"])
async def test_a_source_that_failed_is_told_again_to_who_comes_back(lab: Lab, kind: str) -> None:
    params = {"failAfter": 2}
    stream = await lab.run(template=HERE + kind, templateParams=params, resume=ON, seconds=1)
    assert lab.ended["outcome"] == "failed"
    assert len(ids_of(stream)) == 2
    again = await come_back(lab, ids_of(stream)[0])
    assert [block.split("\n")[0] for _, block in again.blocks] == [f"id: {ids_of(stream)[1]}", "event: error"]
    assert "secret" not in stream.text


@pytest.mark.parametrize("kind", ["PLAIN", "AWAITED"])
async def test_a_source_that_cannot_be_opened_is_answered_and_logged(
    lab: Lab, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Any, context: SourceContext) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr({"PLAIN": Plain, "AWAITED": Awaited}[kind], "open", fail)
    answer = await lab.stream(template=HERE + kind, resume=ON)
    assert answer.status == 500
    assert answer.json == error_body("source_error", "RuntimeError: no")
    assert "RuntimeError" in caplog.text


# -- sources that are awaited are let go -------------------------------------------------------------------------------


async def test_without_resume_a_source_ends_with_its_connection(lab: Lab) -> None:
    stream = await lab.stream(template=HERE + "AWAITED", templateParams={"count": 3})
    assert (state.opened, state.closed) == (1, 0)
    await stream.hang_up()
    assert (state.opened, state.closed) == (1, 1)


@pytest.mark.parametrize("how", ["deleted", "too old", "another session"])
async def test_with_resume_a_source_waits_for_its_client_until_its_session_is_forgotten(how: str) -> None:
    lab = Lab(max_sessions=1)
    stream = await lab.stream(template=HERE + "AWAITED", templateParams={"count": 3}, resume=ON)
    await stream.hang_up()
    assert state.closed == 0
    again = await come_back(lab, ids_of(stream)[0])
    assert len(again.events) == 2
    assert state.opened == 1
    await again.hang_up()
    if how == "deleted":
        lab.engine.delete("mock")
    elif how == "too old":
        await lab.clock.advance(301)
        lab.engine.streams.buffer("mock")
    else:
        await (await lab.open()).hang_up()
        assert state.opened == 2
    await settle()
    assert state.closed == 1
    if how == "another session":
        lab.engine.delete("mock")
        await settle()
        assert state.closed == 2


async def test_a_source_outlives_its_connection_while_another_reads(lab: Lab) -> None:
    one = await lab.stream(template=HERE + "AWAITED", templateParams={"count": 3}, resume=ON)
    other = await come_back(lab, ids_of(one)[0])
    await one.hang_up()
    lab.engine.delete("mock")
    await settle()
    assert not other.is_open
    assert state.closed == 1


def test_a_source_whose_event_loop_is_gone_has_failed() -> None:
    lab = Lab()

    async def begin() -> list[str]:
        stream = await lab.stream(template=HERE + "AWAITED", templateParams={"count": 3}, resume=ON)
        await stream.hang_up()
        return ids_of(stream)

    async def go_on(last_id: str) -> str:
        return (await come_back(lab, last_id)).text

    ids = asyncio.run(begin())
    assert ids[2] in asyncio.run(go_on(ids[1]))
    assert "event: error" in asyncio.run(go_on(ids[2]))
    lab.engine.delete("mock")
