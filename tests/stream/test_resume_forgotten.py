"""Ids whose events are held no longer, and how much is held."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from mockd.config.load import parse_collection
from mockd.events import Fill
from mockd.streaming.cursors.session import SessionCursor
from mockd.streaming.sessions import resume
from mockd.streaming.sessions.buffer import Buffer
from mockd.streaming.sessions.resume import Sessions
from mockd.streaming.sessions.session import Entry, Session
from tests.stream.harness import Lab, words
from tests.stream.test_resume import ON, SECONDLY, come_back, cut_after, data_of, ids_of

pytestmark = pytest.mark.anyio

RANDOM = [{"data": "$uuid"}] * 6
SMALL = {"enabled": True, "bufferSize": 2}
SHORT = {"enabled": True, "maxAge": 10}


def sessions_of(lab: Lab) -> Sessions:
    sessions = lab.engine.mock_set.served.find("mock").parts[0].sessions
    assert sessions is not None
    return sessions


def alive(kind: type) -> int:
    gc.collect()
    return sum(isinstance(thing, kind) for thing in gc.get_objects())


# -- evicted by bufferSize, by maxAge, by clearing ---------------------------------------------------------------------


async def forget(lab: Lab, how: str) -> None:
    if how == "cleared":
        lab.engine.streams.clear_buffer("mock")
    elif how == "aged":
        await lab.clock.advance(400)


@pytest.mark.parametrize("how", ["evicted", "aged", "cleared"])
@pytest.mark.parametrize(
    "sse",
    [
        pytest.param({"events": words(6)}, id="numbers"),
        pytest.param({"events": [{"id": f"e{n}", "data": n} for n in range(6)]}, id="given ids"),
        pytest.param({"events": [{"id": "a", "data": "1"}, {"data": "2"}], "repeat": 3}, id="passes"),
        pytest.param({"events": [{"data": {"n": "$seq"}}], "repeat": 6}, id="counted"),
        pytest.param({"events": [{"id": "e$seq", "data": "$seq"}, {"data": "-"}], "repeat": 3}, id="counted ids"),
        pytest.param(
            {"generator": {"type": "random", "count": 6, "random": {"schema": "$seq", "id": "e$seq"}}},
            id="a generator's counted ids",
        ),
        pytest.param({"generator": {"type": "sequence", "count": 6, "sequence": {"start": 5}}}, id="sequence"),
        pytest.param({"events": RANDOM, "seed": 1}, id="seeded"),
        pytest.param(
            {
                "events": [{"id": f"e{n}", "data": "$random:1:1000"} for n in range(12)],
                "seed": 1,
                "timing": {"randomDelay": {"min": 100, "max": 900}},
                "rateLimit": {"eventsPerSecond": 1, "strategy": "drop"},
            },
            id="seeded, dropped and delayed",
        ),
        pytest.param(
            {
                "events": [*words(12), {"comment": "end"}],
                "timing": {"fixedDelay": 500},
                "rateLimit": {"eventsPerSecond": 1, "strategy": "drop"},
            },
            id="dropped",
        ),
        pytest.param({"events": words(6), "rateLimit": {"eventsPerSecond": 1, "burstSize": 1}}, id="limited"),
    ],
)
async def test_what_is_the_same_for_all_is_made_again(lab: Lab, sse: dict[str, Any], how: str) -> None:
    whole = (await Lab().run(**{"timing": SECONDLY, "resume": SMALL, **sse})).blocks
    resume = SMALL if how == "evicted" else ON
    first = await cut_after(lab, 4.6, **{"resume": resume, **sse})
    await forget(lab, how)
    again = await come_back(lab, ids_of(first)[0])
    await lab.clock.advance(60)
    assert [block for _, block in again.blocks] == [block for _, block in whole[1:]]
    assert (await come_back(lab, ids_of(again)[-1])).status == 204


async def test_what_is_not_goes_on_from_the_oldest_that_is_held(lab: Lab) -> None:
    first = await cut_after(lab, 4, events=RANDOM, resume=SMALL)
    again = await come_back(lab, ids_of(first)[0])
    await lab.clock.advance(60)
    assert [block for _, block in again.blocks[:2]] == [block for _, block in first.blocks[3:]]
    assert len(again.blocks) == 3


@pytest.mark.parametrize("id_", ["e%d", "$uuid"], ids=["given", "filled in"])
async def test_given_ids_of_what_is_held_no_longer_are_remembered(lab: Lab, id_: str) -> None:
    events = [{"id": id_.replace("%d", str(n)), "data": f"{n} $uuid"} for n in range(6)]
    first = await cut_after(lab, 4, events=events, resume=SMALL)
    again = await come_back(lab, ids_of(first)[0])
    await lab.clock.advance(60)
    assert [data[0] for _, data in again.events] == ["3", "4", "5"]
    assert again.blocks[0][1] == first.blocks[3][1]


@pytest.mark.parametrize("how", ["aged", "cleared"])
async def test_where_nothing_is_held_it_goes_on_behind_what_was_sent(lab: Lab, how: str) -> None:
    first = await cut_after(lab, 2, events=[{"data": f"{n} $uuid"} for n in range(6)])
    await forget(lab, how)
    again = await come_back(lab, ids_of(first)[0])
    await lab.clock.advance(60)
    assert [data[0] for _, data in again.events] == ["3", "4", "5"]


async def test_a_made_up_number_of_a_stream_is_no_id(lab: Lab) -> None:
    first = await cut_after(lab, 2, events=RANDOM)
    again = await come_back(lab, ids_of(first)[0].replace("-1", "-5"))
    await lab.clock.advance(60)
    assert len(again.events) == 6


async def test_an_event_that_is_too_old_is_forgotten_while_its_stream_goes_on(lab: Lab) -> None:
    stream = await lab.stream(events=[{"data": "$uuid"}] * 30, timing=SECONDLY, resume=SHORT)
    await lab.clock.advance(20)
    assert [entry["id"] for entry in lab.engine.streams.buffer("mock")] == ids_of(stream)[10:]
    again = await come_back(lab, ids_of(stream)[3])
    assert [block for _, block in again.blocks] == [block for _, block in stream.blocks[10:]]


async def test_nor_is_it_kept_in_memory(lab: Lab) -> None:
    await lab.stream(events=[{"data": "$uuid"}] * 60, timing=SECONDLY, resume=SHORT)
    await lab.clock.advance(50)
    [buffer] = sessions_of(lab)._buffers.values()
    assert len(buffer.held) == 11


async def test_an_event_is_too_old_though_nothing_came_after_it(lab: Lab) -> None:
    """Nor did anything else happen to its stream, which is silent."""
    stream = await lab.stream(events=[*RANDOM, {"data": "late", "delay": 100_000}], resume=SHORT)
    await lab.clock.advance(9)
    assert len(lab.engine.streams.buffer("mock")) == 6
    await lab.clock.advance(2)
    assert lab.engine.streams.buffer("mock") == []
    again = await come_back(lab, ids_of(stream)[1])
    assert again.text == ""
    await lab.clock.advance(100)
    assert data_of(again) == "late"


async def test_an_event_sent_again_is_young_again(lab: Lab) -> None:
    first = await cut_after(lab, 1, events=[{"data": "$uuid"}] * 3, resume=SHORT)
    await lab.clock.advance(8)
    again = await come_back(lab, ids_of(first)[0])
    await again.hang_up()
    await lab.clock.advance(8)
    other = await come_back(lab, ids_of(first)[1])
    assert other.text == "".join(f"{block}\n\n" for _, block in again.blocks[1:])


async def test_being_cut_again_while_catching_up(lab: Lab) -> None:
    lab.mock(events=words(20), resume=SMALL, lifecycle={"simulateDisconnect": 4})
    got, last = [], "1"
    whole = await lab.run(mock_id="whole", events=words(20), resume=SMALL)
    lab.engine.delete("whole")
    for _ in range(12):
        stream = await (come_back(lab, last) if got else lab.open())
        if stream.status == 204:
            break
        got += [block for _, block in stream.blocks]
        last = ids_of(stream)[-1]
    assert got == [block for _, block in whole.blocks]


# -- sessions that were forgotten --------------------------------------------------------------------------------------


async def test_a_forgotten_session_goes_on_where_every_client_gets_the_same() -> None:
    lab = Lab(max_sessions=1)
    await cut_after(lab, 2, events=words(6))
    await (await lab.open()).hang_up()
    again = await come_back(lab, "2")
    await lab.clock.advance(60)
    # Nothing is known of its schedule any more: the next event comes its delay after now.
    assert again.events == [(3000, "3"), (4000, "4"), (5000, "5"), (6000, "6")]
    assert (await come_back(lab, "6")).status == 204


async def test_sessions_that_hold_long_requests_are_forgotten_before_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "MOST_SAID", 1000)
    lab = Lab()
    events = [{"data": "{{ request.body }}"}, {"data": "{{ request.body }}!"}]
    lab.mock(events=events, resume={"enabled": True}, timing={"fixedDelay": 1000})
    length = 50
    for letter in "abcdefghijklmnop":
        stream = await lab.open(method="POST", body=letter.encode() * length)
        await lab.clock.advance(1)
        await stream.hang_up()
    sessions = lab.engine.mock_set.served.find("mock").parts[0].sessions
    assert sessions is not None
    assert len(sessions._buffers) == 9
    last = await lab.open(method="POST", headers={"Last-Event-ID": ids_of(stream)[0]})
    await lab.clock.advance(60)
    assert last.events[0][1] == "p" * length + "!"


async def test_a_forgotten_session_starts_over_where_it_cannot_be_made_again() -> None:
    lab = Lab(max_sessions=1)
    first = await cut_after(lab, 2, events=RANDOM)
    await (await lab.open()).hang_up()
    again = await come_back(lab, ids_of(first)[0])
    await lab.clock.advance(60)
    assert len(again.events) == 6


async def test_a_forgotten_session_that_was_seeded_goes_on_with_the_same_values() -> None:
    sse: dict[str, Any] = {"events": RANDOM, "seed": 7, "timing": {"randomDelay": {"min": 1000, "max": 2000}}}
    whole = await Lab().run(**sse, resume=ON)
    lab = Lab(max_sessions=1)
    first = await cut_after(lab, 3, **sse)
    await (await lab.open()).hang_up()
    again = await come_back(lab, ids_of(first)[-1])
    await lab.clock.advance(60)
    assert [*first.blocks, *again.blocks][-1][1] == whole.blocks[-1][1]
    assert len(first.blocks) + len(again.blocks) == 6
    # Its delay is the one it had, counted from now.
    moment, next_moment = whole.times[len(first.blocks) - 1 : len(first.blocks) + 1]
    assert again.times[0] - 3000 == next_moment - moment


@pytest.mark.parametrize("events", [words(4), [{"data": "$seq", "id": "$seq"}] * 4], ids=["assigned", "counted"])
async def test_ids_from_before_a_restart_go_on_where_every_client_gets_the_same(events: list[dict[str, Any]]) -> None:
    mock = {"id": "m", "matcher": {"path": "/stream"}, "sse": {"events": events, "resume": ON}}

    def started() -> Lab:
        lab = Lab()
        lab.engine.load(parse_collection([mock], root=None))
        return lab

    assert data_of(await come_back(started(), "2")) == "3 4"
    assert (await come_back(started(), "4")).status == 204
    assert data_of(await come_back(started(), "5")) == "1 2 3 4"
    assert data_of(await come_back(started(), "nope")) == "1 2 3 4"


async def test_ids_of_a_mock_that_was_replaced_start_over(lab: Lab) -> None:
    await lab.run(events=words(3), resume=ON)
    lab.engine.delete("mock")
    lab.mock(events=words(4), resume=ON)
    assert data_of(await come_back(lab, "2")) == "1 2 3 4"


# -- the buffer --------------------------------------------------------------------------------------------------------


async def test_the_buffer_lists_what_is_held(lab: Lab) -> None:
    events = [
        {"id": "a", "type": "t", "data": {"n": 1}},
        {"data": "two\nlines"},
        {"id": "x", "comment": "c\nevent: no"},
    ]
    lab.mock(events=events, timing=SECONDLY, resume=ON)
    stream = await lab.open()
    await lab.clock.advance(5)
    connection = lab.ended["id"]
    assert lab.engine.streams.buffer("mock") == [
        {"id": id_, "event": event, "timestamp": f"2024-01-15T10:00:0{second}Z", "connection": connection}
        for second, (id_, event) in enumerate(
            [("a", {"type": "t", "data": '{"n":1}'}), ("2", {"data": "two\nlines"}), ("x", {})]
        )
    ]
    assert len(ids_of(stream)) == 3


async def test_clearing_says_how_many_there_were(lab: Lab) -> None:
    lab.mock(events=words(3), resume=ON)
    await lab.open()
    await lab.open()
    assert lab.engine.streams.clear_buffer("mock") == 6
    assert lab.engine.streams.buffer("mock") == []
    assert lab.engine.streams.clear_buffer("mock") == 0


async def test_a_stream_that_goes_on_fills_a_cleared_buffer_again(lab: Lab) -> None:
    stream = await lab.stream(events=RANDOM, timing=SECONDLY, resume=ON)
    await lab.clock.advance(2)
    lab.engine.streams.clear_buffer("mock")
    await lab.clock.advance(60)
    assert [entry["id"] for entry in lab.engine.streams.buffer("mock")] == ids_of(stream)[3:]
    assert ids_of(await come_back(lab, ids_of(stream)[0])) == ids_of(stream)[3:]


async def test_buffers_die_with_their_mock(lab: Lab) -> None:
    first = await cut_after(lab, 2, events=RANDOM)
    for change in ({"sse": {"repeat": 2}}, {"sse": {"repeat": None}}):
        lab.engine.patch("mock", change)
        assert lab.engine.streams.buffer("mock") == []
    again = await come_back(lab, ids_of(first)[0])
    await lab.clock.advance(60)
    assert len(again.events) == 6


async def test_buffers_live_through_a_change_of_name_and_a_pause(lab: Lab) -> None:
    first = await cut_after(lab, 2, events=RANDOM)
    lab.engine.patch("mock", {"name": "another", "priority": 3})
    lab.engine.toggle("mock")
    lab.engine.toggle("mock")
    again = await come_back(lab, ids_of(first)[0])
    await lab.clock.advance(60)
    assert len(again.events) == 5


# -- what a process may hold -------------------------------------------------------------------------------------------


async def test_ten_thousand_clients_one_after_the_other() -> None:
    lab = Lab(max_sessions=50, max_ended=0)
    lab.mock(events=[{"data": "$uuid"}] * 3, resume=ON)
    for _ in range(10_000):
        await lab.engine.handle(*_request())
    sessions = sessions_of(lab)
    assert len(sessions._buffers) == 50
    assert len(sessions._index) == 150
    assert len(lab.engine.streams.buffer("mock")) == 150
    assert alive(Session) <= 60
    assert alive(Entry) <= 60 * 4


async def test_a_session_is_added_without_looking_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    plain = Sessions._forget_old

    def counting(self: Sessions, buffer: Buffer, now: float) -> None:
        nonlocal looked_at
        looked_at += 1
        plain(self, buffer, now)

    monkeypatch.setattr(Sessions, "_forget_old", counting)
    lab = Lab(max_sessions=1000)
    lab.mock(events=[{"data": "$uuid"}], resume=ON)
    for _ in range(2000):
        await lab.engine.handle(*_request())
    assert looked_at <= 2000  # one for each event that was sent


async def test_open_streams_count_too() -> None:
    lab = Lab(max_sessions=3)
    lab.mock(events=[{"data": "$uuid"}] * 5, timing=SECONDLY, resume=ON)
    streams = [await lab.open() for _ in range(5)]
    await lab.clock.advance(2)
    assert len(sessions_of(lab)._buffers) == 3
    assert len(lab.engine.streams.buffer("mock")) == 9
    # Those that were dropped read on to their end.
    await lab.clock.advance(60)
    assert [len(stream.events) for stream in streams] == [5] * 5
    assert len((await come_back(lab, ids_of(streams[0])[1])).events) == 1
    assert len((await come_back(lab, ids_of(streams[4])[1])).events) == 3


async def test_the_session_without_a_client_for_longest_goes_first() -> None:
    lab = Lab(max_sessions=3)
    lab.mock(events=[{"data": "$uuid"}] * 9, timing=SECONDLY, resume=ON)
    streams = [await lab.open() for _ in range(3)]
    await streams[1].hang_up()
    await streams[0].hang_up()
    await lab.open()
    held = {entry["id"] for entry in lab.engine.streams.buffer("mock")}
    assert ids_of(streams[1])[0] not in held
    assert {ids_of(streams[0])[0], ids_of(streams[2])[0]} < held


async def test_many_events_through_one_stream_hold_no_more_than_the_buffer() -> None:
    sessions, buffer, entry = _long_session({"generator": {"type": "sequence"}})
    session = buffer.session
    for _ in range(100_000):
        following = session.after(entry)
        assert following is not None
        entry = following
        sessions.sent(buffer, entry, "c")
    assert len(buffer.held) == len(sessions._index) == 100
    assert alive(Entry) <= 110


async def test_a_reader_that_lags_does_not_hold_on_to_everything_since(lab: Lab) -> None:
    stream = await lab.stream(events=[{"data": "$uuid"}], repeat=0, timing={"fixedDelay": 10}, resume=SMALL)
    await lab.clock.advance(0.05)
    slow = await come_back(lab, ids_of(stream)[-1])
    await slow.stop_reading()
    await lab.clock.advance(20)
    assert alive(Entry) <= 20
    await slow.read_on()
    await lab.clock.advance(0.05)
    # It has lost what is not held any more, and goes on with the rest in order.
    sent, got = [data for _, data in stream.events], [data for _, data in slow.events]
    assert got[-5:] == sent[-5:]
    assert got == [data for data in sent if data in set(got)]
    assert len(got) < 40


async def test_what_a_reader_that_lags_has_lost_counts(lab: Lab) -> None:
    life = {"maxEvents": 100}
    config = {"timing": {"fixedDelay": 10}, "resume": SMALL, "lifecycle": life}
    stream = await lab.stream(events=[{"data": "$uuid"}], repeat=0, **config)
    await lab.clock.advance(0.05)
    slow = await come_back(lab, ids_of(stream)[-1])
    await slow.stop_reading()
    await lab.clock.advance(20)
    await slow.read_on()
    await lab.clock.advance(20)
    assert len(stream.events) == 100
    assert (slow.blocks[-1][1], slow.is_open) == (stream.blocks[-1][1], False)


async def test_an_id_sent_in_the_midst_of_what_is_made_again_stands_for_no_place(lab: Lab) -> None:
    stream = await cut_after(lab, 4, events=words(6), resume=SMALL)
    sessions = sessions_of(lab)
    place = sessions.find(ids_of(stream)[0], "")
    assert place is not None
    cursor = SessionCursor(place, "c", lab.clock.monotonic(), lambda: None, sessions)
    assert cursor.take(lab.clock.monotonic(), 1) == [b"id: 2\ndata: 2\n\n"]
    cursor.note_last_id("over")
    assert (cursor.last_event_id, sessions.find("over", "")) == ("over", None)
    cursor.close()


async def test_a_reader_that_lags_loses_nothing_that_can_be_made_again(lab: Lab) -> None:
    stream = await lab.stream(events=words(3), repeat=0, timing={"fixedDelay": 10}, resume=SMALL)
    await lab.clock.advance(0.05)
    slow = await come_back(lab, ids_of(stream)[-1])
    await slow.stop_reading()
    await lab.clock.advance(2)
    await slow.read_on()
    await lab.clock.advance(0.05)
    assert [block for _, block in slow.blocks] == [block for _, block in stream.blocks[6:]]
    assert len(slow.blocks) > 200


async def test_remembered_ids_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.streaming.sessions.resume.MOST_REMEMBERED", 5)
    lab = Lab()
    await lab.run(events=[{"id": f"{n}-$uuid", "data": "1"} for n in range(50)], resume=SMALL, seconds=1)
    assert len(sessions_of(lab)._remembered) == 5


async def test_ids_of_final_events_are_bounded() -> None:
    lab = Lab(max_sessions=4)
    ends = {"termination": {"finalEvent": {"id": "$uuid", "data": "bye"}}}
    lab.mock(events=words(1), resume=ON, lifecycle=ends)
    for _ in range(20):
        await lab.open()
    assert len(sessions_of(lab)._last_ids) == 4


def _request() -> tuple[dict[str, Any], Any, Any]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        """Nobody looks at it."""

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/stream",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "client": None,
    }
    return scope, receive, send


def _long_session(sse: dict[str, Any]) -> tuple[Sessions, Buffer, Entry]:
    lab = Lab()
    lab.mock(**sse, resume=ON)
    sessions, plan = sessions_of(lab), lab.engine.mock_set.served.find("mock").parts[0].plan
    assert plan.source.script is not None
    session = Session.of_script(
        plan, plan.compiled(plan.source.script), Fill(plan.random(), lab.clock), lab.clock.monotonic()
    )
    buffer = Buffer(session, sessions.of_key(""))
    sessions.join(buffer)
    return sessions, buffer, session.tail
