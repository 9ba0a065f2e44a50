"""Keys: what counts or remembers does so for each, and none sees another's."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from mockd.config.load import parse_collection
from mockd.config.models import Config
from mockd.engine import KEYS_AT_ONCE
from mockd.events import Event
from mockd.source import BaseSource, Script, SourceContext
from mockd.sources.registry import SourceKind
from tests.stream.harness import PATH, Exchange, Lab, words
from tests.stream.test_resume import ON, SECONDLY, ids_of

pytestmark = pytest.mark.anyio

MOCK = {"id": "mock", "matcher": {"path": PATH}}
ORIGIN = {"Origin": "https://a.test"}


class Params(Config, frozen=True, kw_only=True):
    """None."""


class Counted(BaseSource):
    """Says how many requests there were, once it has been awaited."""

    async def open(self, context: SourceContext) -> Script:
        number = context.count("asked")
        return Script(lambda: [Event(str(number))], key=number)


class Ticking(BaseSource):
    """Ticks for ever, and notes the key of its request when it is let go."""

    async def open(self, context: SourceContext) -> AsyncIterator[Event]:
        return self._ticks(context.request.key)

    async def _ticks(self, key: str) -> AsyncIterator[Event]:
        try:
            while True:
                yield Event("tick", delay_s=1.0)
        finally:
            closed.append(key)


closed: list[str] = []
ticking = SourceKind("ticking", Params, lambda params: Ticking(), "For tests.")
counted = SourceKind("counted", Params, lambda params: Counted(), "For tests.")

BY_KEY: dict[str, dict[str, Any]] = {
    "error.times": {
        "sse": {"template": "openai-chat", "templateParams": {"text": "Hi", "error": {"status": 429, "times": 1}}}
    },
    "faults of certain requests": {"sse": {"events": words(1)}, "faults": ["status 500 for requests 1"]},
    "every so many": {"response": {"body": "x"}, "faults": ["status 503 every 2"]},
    "a source that is awaited": {"sse": {"template": f"{__name__}:counted"}},
}
"""Mocks whose answers depend on what was asked before."""


async def answers(lab: Lab, *paths: str, **request: Any) -> list[tuple[int, str]]:
    """What requests are answered, one after the other, without ids and times."""
    found = []
    for path in paths:
        answer = await lab.open(path, **request)
        await lab.clock.advance(1)
        found.append((answer.status, re.sub(r"chatcmpl-\w+|\"created\":\d+", "", answer.text)))
    return found


@pytest.mark.parametrize("kind", BY_KEY)
async def test_each_key_counts_by_itself(lab: Lab, kind: str) -> None:
    lab.engine.create({**MOCK, **BY_KEY[kind]})
    plain = await answers(lab, *[PATH] * 4)
    assert len(set(plain)) > 1
    mixed = await answers(lab, *[f"/~{key}{PATH}" for _ in range(4) for key in "ab"])
    assert mixed[0::2] == mixed[1::2] == plain


@pytest.mark.parametrize("kind", BY_KEY)
async def test_more_keys_than_there_may_be_are_refused(kind: str) -> None:
    lab = Lab(max_keys=2)
    lab.engine.create({**MOCK, **BY_KEY[kind]})
    await answers(lab, *[f"/~{key}{PATH}" for key in "ab"])
    refused = await lab.open(f"/~c{PATH}", headers=ORIGIN)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert refused.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert json.loads(refused.text)["error"]["code"] == "too_many_keys"
    assert (await lab.open("/~c/elsewhere")).status == 404
    assert (await answers(lab, f"/~b{PATH}", PATH))[0][0] in (200, 503, 500, 429)
    await lab.clock.advance(3600)
    assert (await answers(lab, f"/~c{PATH}"))[0] == (await answers(lab, f"/~d{PATH}"))[0]


@pytest.mark.parametrize(
    "mock",
    [
        {"sse": {"events": words(1), "resume": ON}},
        {"sse": {"events": [{"data": "$random.int(1,9)"}]}},
        {"chunked": {"data": "$uuid"}},
        {"response": {"body": "$uuid"}},
    ],
)
async def test_what_is_kept_or_numbered_needs_a_place(mock: dict[str, Any]) -> None:
    lab = Lab(max_keys=1, seed=1)
    lab.engine.create({**MOCK, **mock})
    statuses = [status for status, _ in await answers(lab, f"/~a{PATH}", f"/~b{PATH}", PATH, f"/~a{PATH}")]
    assert statuses == [200, 503, 200, 200]
    assert lab.engine.connections.stats()["connectionErrors"] == 1


async def test_what_keeps_nothing_needs_no_place() -> None:
    lab = Lab(max_keys=1)
    lab.mock(events=words(2))
    assert len(set(await answers(lab, *[f"/~{key}{PATH}" for key in "abc"]))) == 1
    assert lab.engine.keys.names() == []


@pytest.mark.parametrize("kind", [*BY_KEY, "resume", "a sequence that resumes"])
async def test_a_head_needs_no_place(kind: str) -> None:
    lab = Lab(max_keys=1, seed=1)
    resuming = {"sse": {"events": words(2), "resume": ON}}
    mocks = {**BY_KEY, "resume": resuming, "a sequence that resumes": {"responses": [resuming]}}
    lab.engine.create({**MOCK, **mocks[kind]})
    for key in "abc":
        for headers in ({}, {"Last-Event-ID": "1"}):
            await lab.open(f"/~{key}{PATH}", method="HEAD", headers=headers)
    await lab.clock.advance(1)
    assert lab.engine.keys.names() == []


async def test_a_seed_numbers_the_streams_of_each_key() -> None:
    lab = Lab(seed=5)
    lab.mock(events=[{"data": "$uuid"}], lifecycle={"termination": {"closeDelay": {"dist": "uniform", "max": 5}}})
    plain = await answers(lab, PATH, PATH)
    assert plain[0] != plain[1]
    assert await answers(lab, f"/~a{PATH}", f"/~b{PATH}", f"/~a{PATH}") == [plain[0], plain[0], plain[1]]


@pytest.mark.parametrize("kind", ["sse", "chunked", "response"])
@pytest.mark.parametrize("fault", ["delay ms=1", "delay ms=1 for requests 2", "close after 9 bytes for requests 99"])
async def test_faults_do_not_change_the_numbers_of_streams(kind: str, fault: str) -> None:
    said = {"sse": {"events": [{"data": "$uuid"}]}, "chunked": {"data": "$uuid"}, "response": {"body": "$uuid"}}[kind]
    found = []
    for faults in ([], [fault]):
        lab = Lab(seed=5)
        lab.engine.create({**MOCK, kind: said, "faults": faults})
        found.append(await answers(lab, PATH, PATH, f"/~a{PATH}", PATH))
    assert found[0] == found[1]
    assert len(set(found[0])) == 3


async def test_numbers_of_streams_begin_again_when_the_mock_changes() -> None:
    lab = Lab(seed=5)
    lab.mock("response", body="$uuid")
    plain = await answers(lab, PATH, PATH)
    lab.engine.patch("mock", {"response": {"status": 201}})
    assert [text for _, text in await answers(lab, PATH, PATH)] == [text for _, text in plain]


# -- sessions ----------------------------------------------------------------------------------------------------------

DRAWN = [{"id": name, "data": f"{name} $uuid"} for name in "abcd"]
ENDS = {"termination": {"finalEvent": {"id": "z", "data": 1}}}
SESSIONS: dict[str, dict[str, Any]] = {
    "given ids": {"events": DRAWN},
    "assigned ids": {"events": [{"data": "$uuid"}] * 4},
    "the same for all": {"events": words(4)},
    "the same in a seed": {"events": DRAWN, "seed": 1},
    "ids in the end": {"events": words(4), "lifecycle": ENDS},
}


async def cut(lab: Lab, path: str, seconds: float = 2.5) -> Exchange:
    """A stream whose client leaves after so many seconds."""
    stream = await lab.open(path)
    await lab.clock.advance(seconds)
    await stream.hang_up()
    return stream


async def rest_of(lab: Lab, path: str, last_id: str) -> Exchange:
    stream = await lab.open(path, headers={"Last-Event-ID": last_id})
    await lab.clock.advance(60)
    return stream


@pytest.mark.parametrize("kind", SESSIONS)
async def test_a_client_goes_on_in_its_key_whatever_others_were_sent(lab: Lab, kind: str) -> None:
    lab.mock(**{"timing": SECONDLY, "resume": ON, **SESSIONS[kind]})
    streams = {key: await cut(lab, key + PATH) for key in ("/~a", "/~b", "")}
    for key, stream in streams.items():
        again = await rest_of(lab, key + PATH, ids_of(stream)[-2])
        assert ids_of(again)[0] == ids_of(stream)[-1]
        assert stream.events[-1][1] == again.events[0][1]


@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("key", ["/~b", ""])
@pytest.mark.parametrize("kind", SESSIONS)
async def test_an_id_of_another_key_means_nothing(lab: Lab, kind: str, key: str, size: int, place: int) -> None:
    lab.mock(**{"timing": SECONDLY, "resume": {"enabled": True, "bufferSize": size}, **SESSIONS[kind]})
    first = await cut(lab, f"/~a{PATH}", 60 if kind == "ids in the end" else 2.5)
    again = await rest_of(lab, key + PATH, ids_of(first)[place])
    assert (again.status, len(again.events)) == (200, 5 if kind == "ids in the end" else 4)


async def test_a_client_goes_on_in_its_key_after_what_is_no_longer_held(lab: Lab) -> None:
    lab.mock(timing=SECONDLY, resume={"enabled": True, "bufferSize": 1}, events=DRAWN)
    streams = {key: await cut(lab, key + PATH) for key in ("/~a", "/~b", "")}
    for key, stream in streams.items():
        again = await rest_of(lab, key + PATH, "a")
        assert ids_of(again) == ["c", "d"]
        assert again.events[0][1] == stream.events[-1][1]


async def test_no_id_can_name_what_is_another_keys(lab: Lab) -> None:
    lab.mock(timing=SECONDLY, resume=ON, events=DRAWN)
    await cut(lab, f"/~a{PATH}")
    for life in range(3):
        again = await lab.open(f"{PATH}?lastEventId=a%0A{life}%0Ab")
        await lab.clock.advance(60)
        assert ids_of(again) == list("abcd")


@pytest.mark.parametrize("kind", ["given ids", "assigned ids"])
async def test_buffers_are_bounded_over_all_keys(kind: str) -> None:
    lab = Lab(max_sessions=3)
    lab.mock(**{"timing": SECONDLY, "resume": ON, **SESSIONS[kind]})
    for number in range(10):
        await cut(lab, f"/~k{number}{PATH}")
    (sessions,) = lab.engine.mock_set.served.find("mock").sessions
    assert len(sessions.held()) == 3 * 3
    assert [len(sessions.held(f"k{number}")) for number in (0, 6, 7, 9)] == [0, 0, 3, 3]


# -- forgetting --------------------------------------------------------------------------------------------------------

Forget = Callable[[Lab], Any]


async def reset(lab: Lab) -> None:
    await lab.engine.keyed.reset("a")


async def reset_all(lab: Lab) -> None:
    await lab.engine.keyed.reset()


async def grow_old(lab: Lab) -> None:
    await lab.clock.advance(3600)
    for _ in lab.engine.keys.ageing():
        pass


async def delete(lab: Lab) -> None:
    lab.engine.keyed.delete("a")


@pytest.mark.parametrize("forget", [reset, reset_all, grow_old, delete])
@pytest.mark.parametrize("kind", SESSIONS)
async def test_ids_of_a_key_that_was_forgotten_mean_nothing(lab: Lab, kind: str, forget: Forget) -> None:
    lab.mock(**{"timing": SECONDLY, "resume": {"enabled": True, "maxAge": 1e6}, **SESSIONS[kind]})
    first = await cut(lab, f"/~a{PATH}")
    await forget(lab)
    assert lab.engine.streams.buffer("mock") == []
    again = await rest_of(lab, f"/~a{PATH}", ids_of(first)[1])
    assert ids_of(again)[0] == ids_of(first)[0] or kind == "assigned ids"
    assert len(again.events) == (5 if kind == "ids in the end" else 4)


@pytest.mark.parametrize("forget", [reset, reset_all, grow_old, delete])
async def test_ids_of_a_key_that_was_forgotten_take_no_room(lab: Lab, forget: Forget) -> None:
    lab.mock(timing=SECONDLY, resume={"enabled": True, "maxAge": 1e6}, **SESSIONS["given ids"])
    await cut(lab, f"/~a{PATH}")
    (sessions,) = lab.engine.mock_set.served.find("mock").sessions
    await forget(lab)
    assert not sessions._remembered


def _loaded(lab: Lab) -> None:
    """A mock of a configuration file, whose clients may have been sent ids by an earlier process."""
    mock = {**MOCK, "sse": {"events": words(4), "timing": SECONDLY, "resume": ON}}
    lab.engine.load(parse_collection([mock], root=None))


async def test_ids_of_an_earlier_process_mean_nothing_with_a_key(lab: Lab) -> None:
    _loaded(lab)
    assert len((await rest_of(lab, f"/~a{PATH}", "2")).events) == 4
    assert len((await rest_of(lab, PATH, "2")).events) == 2


@pytest.mark.parametrize("forget", [reset, reset_all, grow_old, delete])
async def test_ids_of_a_file_s_mock_from_before_it_was_put_back_mean_nothing(lab: Lab, forget: Forget) -> None:
    _loaded(lab)
    await cut(lab, f"/~a{PATH}")
    await forget(lab)
    assert len((await rest_of(lab, f"/~a{PATH}", "2")).events) == 4


@pytest.mark.parametrize("key", [None, ""])
async def test_a_reset_puts_requests_without_a_key_back_to_the_start(lab: Lab, key: str | None) -> None:
    _loaded(lab)
    await cut(lab, PATH)
    await lab.engine.keyed.reset(key)
    assert len((await rest_of(lab, PATH, "2")).events) == 4


@pytest.mark.parametrize("forget", [reset, reset_all, grow_old, delete])
async def test_ids_that_have_clashed_do_so_no_more(lab: Lab, forget: Forget) -> None:
    lab.mock(timing=SECONDLY, resume={"enabled": True, "maxAge": 1e6}, events=DRAWN)
    await cut(lab, f"/~a{PATH}")
    await cut(lab, f"/~a{PATH}")
    assert ids_of(await rest_of(lab, f"/~a{PATH}", "b"))[0] == "a"  # two sessions have sent it
    await forget(lab)
    stream = await cut(lab, f"/~a{PATH}")
    assert (await rest_of(lab, f"/~a{PATH}", "b")).events[0][1] == stream.events[2][1]


@pytest.mark.parametrize("forget", [reset, reset_all, grow_old, delete])
@pytest.mark.parametrize("kind", BY_KEY)
async def test_a_key_that_was_forgotten_counts_from_the_start(lab: Lab, kind: str, forget: Forget) -> None:
    lab.engine.create({**MOCK, **BY_KEY[kind]})
    path = f"/~a{PATH}"
    before = await answers(lab, path, path, path)
    await forget(lab)
    assert await answers(lab, path, path, path) == before


async def test_resetting_one_key_leaves_the_others(lab: Lab) -> None:
    lab.engine.create({**MOCK, **BY_KEY["a source that is awaited"]})
    paths = [PATH, f"/~a{PATH}", f"/~b{PATH}"]
    await answers(lab, *paths)
    assert (await lab.engine.keyed.reset("a"))["counters"] == 1
    assert [text[6] for _, text in await answers(lab, *paths)] == ["2", "1", "2"]
    assert (await lab.engine.keyed.reset(""))["counters"] == 1
    assert [text[6] for _, text in await answers(lab, *paths)] == ["1", "2", "3"]


async def test_a_live_stream_goes_on_over_a_reset(lab: Lab) -> None:
    lab.mock(timing=SECONDLY, resume=ON, events=DRAWN)
    stream = await lab.open(f"/~a{PATH}")
    await lab.clock.advance(1.5)
    counts = await lab.engine.keyed.reset()
    assert counts == {
        "keys": 1,
        "counters": 0,
        "scenarios": 0,
        "events": 2,
        "mocks": 0,
        "streams": 0,
        "requests": 1,
        "holds": 0,
        "stored": 0,
    }
    await lab.clock.advance(60)
    assert len(stream.events) == 4
    assert lab.engine.streams.buffer("mock") == []
    assert lab.engine.keys.names() == []


async def test_a_reset_may_end_streams_too(lab: Lab) -> None:
    lab.mock(timing=SECONDLY, resume=ON, events=DRAWN)
    streams = [await lab.open(key + PATH) for key in ("/~a", "/~b", "")]
    assert (await lab.engine.keyed.reset("a", streams=True))["streams"] == 1
    await lab.clock.advance(1)
    assert [stream.ended_at is not None for stream in streams] == [True, False, False]
    assert lab.ended["outcome"] == "closed_by_admin"
    assert (await lab.engine.keyed.reset(streams=True))["streams"] == 2


async def test_deleting_a_key_ends_its_streams_and_leaves_nothing(lab: Lab) -> None:
    lab.mock(
        timing=SECONDLY, resume=ON, events=DRAWN, lifecycle={"termination": {"finalEvent": {"id": "z", "data": 1}}}
    )
    lab.engine.create({**MOCK, "id": "own", "response": {"body": "own"}}, "b")
    streams = [await lab.open(f"/~{key}{PATH}") for key in "aac"]
    await lab.clock.advance(0.5)
    assert lab.engine.keyed.delete("a") == 2
    await lab.clock.advance(0.5)
    assert [stream.text.endswith("data: 1\n\n") for stream in streams] == [True, True, False]
    assert lab.engine.keyed.delete("b") == 0
    assert lab.engine.keys.names() == ["c"]
    (sessions,) = lab.engine.mock_set.served.find("mock").sessions
    assert len(sessions.held()) == len(sessions.held("c"))
    assert (await lab.open(f"/~b{PATH}")).headers["content-type"] == "text/event-stream"


@pytest.mark.parametrize("owner", ["", "a"])
async def test_a_source_that_nobody_reads_is_let_go_with_its_key(lab: Lab, owner: str) -> None:
    mock = {**MOCK, "sse": {"template": f"{__name__}:ticking", "resume": ON}}
    lab.engine.create(mock)
    if owner:
        lab.engine.create(mock, owner)
    for key in "ab":
        await cut(lab, f"/~{key}{PATH}")
    closed.clear()
    lab.engine.keyed.delete("a")
    await lab.clock.advance(0)
    assert closed == ["a"]


async def test_use_keeps_a_key(lab: Lab) -> None:
    lab.engine.create({**MOCK, **BY_KEY["a source that is awaited"]})
    path = f"/~a{PATH}"
    for number in range(1, 4):
        assert (await answers(lab, path))[0][1] == f"data: {number}\n\n"
        await lab.clock.advance(3000)
        for _ in lab.engine.keys.ageing():
            pass
    await lab.clock.advance(3600)
    for _ in lab.engine.keys.ageing():
        pass
    assert lab.engine.keys.names() == []


async def test_a_key_is_used_until_its_stream_has_ended(lab: Lab) -> None:
    lab.mock(timing={"fixedDelay": 3000}, resume=ON, events=words(3000))
    stream = await lab.open(f"/~a{PATH}")
    await lab.clock.advance(5000)
    await stream.hang_up()
    await lab.clock.advance(3500)
    for _ in lab.engine.keys.ageing():
        pass
    assert lab.engine.keys.names() == ["a"]


async def test_own_mocks_keep_a_key(lab: Lab) -> None:
    lab.engine.create({**MOCK, "response": {}}, "a")
    await grow_old(lab)
    assert [status for status, _ in await answers(lab, f"/~a{PATH}", f"/~b{PATH}", PATH)] == [200, 404, 404]


async def test_to_look_for_old_keys_is_no_use_of_them(lab: Lab) -> None:
    lab.engine.create({**MOCK, "sse": {"events": words(1), "lifecycle": {"keepOpen": True}, "resume": ON}}, "a")
    await lab.open(f"/~a{PATH}")
    (before,) = lab.engine.keyed.known().listed()
    await grow_old(lab)
    assert lab.engine.keyed.known().listed() == [before]


async def test_the_key_used_longest_ago_is_forgotten_first(lab: Lab) -> None:
    lab.engine.create({**MOCK, **BY_KEY["a source that is awaited"]})
    await answers(lab, f"/~a{PATH}", f"/~b{PATH}")
    await lab.clock.advance(3000)
    await answers(lab, f"/~a{PATH}")
    assert [key.name for key in lab.engine.keyed.known().listed()] == ["b", "a"]
    await lab.clock.advance(600)
    for _ in lab.engine.keys.ageing():
        pass
    assert lab.engine.keys.names() == ["a"]


async def test_scenarios_that_no_mock_names_any_more_are_forgotten_in_turns(lab: Lab) -> None:
    lab.engine.create({**MOCK, "response": {}, "scenario": {"name": "s", "set": "in"}})
    keys = [f"k{number}" for number in range(3 * KEYS_AT_ONCE)]
    for key in keys:
        lab.engine.scenarios.set(key, "s", "in")
    lab.engine.delete("mock")
    states = [lab.engine.scenarios.state(key, "s") for key in keys]
    assert 0 < states.count("start") <= KEYS_AT_ONCE
    await lab.clock.advance(1)
    assert {lab.engine.scenarios.state(key, "s") for key in keys} == {"start"}
