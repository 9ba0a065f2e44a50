"""Resume: what a client gets that comes back with `Last-Event-ID`, and when."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mockd.config.load import parse_mock
from tests.stream.harness import PATH, Exchange, Lab, words

pytestmark = pytest.mark.anyio

ON = {"enabled": True}
SECONDLY = {"fixedDelay": 1000}


async def come_back(lab: Lab, last_id: str, **request: Any) -> Exchange:
    return await lab.open(headers={"Last-Event-ID": last_id}, **request)


def ids_of(exchange: Exchange) -> list[str]:
    return re.findall(r"^id: (.*)$", exchange.text, re.MULTILINE)


def data_of(exchange: Exchange) -> str:
    return " ".join(data for _, data in exchange.events)


async def cut_after(lab: Lab, seconds: float, **sse: Any) -> Exchange:
    """A stream with resume whose client leaves after so many seconds."""
    stream = await lab.stream(**{"timing": SECONDLY, "resume": ON, **sse})
    await lab.clock.advance(seconds)
    await stream.hang_up()
    return stream


# -- the schedule ------------------------------------------------------------------------------------------------------


async def test_what_fell_due_meanwhile_comes_at_once_and_the_rest_on_time(lab: Lab) -> None:
    await cut_after(lab, 1.2, events=words(6))
    await lab.clock.advance(2)
    again = await come_back(lab, "2")
    assert again.events == [(3200, "3"), (3200, "4")]
    await lab.clock.advance(60)
    assert again.events[2:] == [(4000, "5"), (5000, "6")]
    assert again.ended_at == 5000


async def test_nothing_is_sent_early_to_a_client_that_is_quickly_back(lab: Lab) -> None:
    await cut_after(lab, 1.2, events=words(3))
    again = await come_back(lab, "2")
    assert again.events == []
    await lab.clock.advance(60)
    assert again.events == [(2000, "3")]


async def test_there_is_no_second_initial_delay(lab: Lab) -> None:
    await cut_after(lab, 5.5, events=words(3), timing={"initialDelay": 5000, "fixedDelay": 1000})
    await lab.clock.advance(10)
    again = await come_back(lab, "1")
    assert again.events == [(15_500, "2"), (15_500, "3")]


@pytest.mark.parametrize(
    "timing",
    [
        {"burst": {"count": 3, "interval": 10, "pause": 1000}},
        {"perEventDelays": [0, 100, 2000, 50], "fixedDelay": 700},
        {"randomDelay": {"min": 100, "max": 900}},
        {"fixedDelay": 0},
    ],
    ids=lambda timing: next(iter(timing)),
)
@pytest.mark.parametrize("passes", [1, 3, 0])
async def test_the_schedule_is_the_one_of_an_unbroken_stream(timing: dict[str, Any], passes: int) -> None:
    sse = {"events": words(7), "repeat": passes, "timing": timing, "resume": ON, "seed": 3}
    sse["lifecycle"] = {"maxEvents": 40}
    whole = await Lab().run(**sse)
    for cut, away in ((0.0, 0.4), (0.9, 0.0), (1.1, 1.5), (2.6, 30.0)):
        lab = Lab()
        first = await lab.stream(**sse)
        await lab.clock.advance(cut)
        await first.hang_up()
        await lab.clock.advance(away)
        if first.events == whole.events:
            assert (await come_back(lab, ids_of(first)[-1])).status == 204
            continue
        rest = await come_back(lab, ids_of(first)[-1])
        await lab.clock.advance(3600)
        assert first.blocks + [(at, block) for at, block in whole.blocks[len(first.blocks) :]] == whole.blocks
        expected = [(max(at, lab_time(cut, away)), block) for at, block in whole.blocks[len(first.blocks) :]]
        assert rest.blocks == expected


def lab_time(cut: float, away: float) -> int:
    return round((cut + away) * 1000)


async def test_waiting_for_tokens_goes_on_where_it_was(lab: Lab) -> None:
    limit = {"eventsPerSecond": 1, "burstSize": 2}
    stream = await lab.stream(events=words(8), rateLimit=limit, resume=ON)
    await lab.clock.advance(1)
    await stream.hang_up()
    assert data_of(stream) == "1 2 3"
    await lab.clock.advance(2.5)
    again = await come_back(lab, "3")
    await lab.clock.advance(60)
    # Their tokens came at 2, 3, 4 and so on, whoever was there: coming back is no way around the limit.
    assert again.events == [(3500, "4"), (3500, "5"), (4000, "6"), (5000, "7"), (6000, "8")]


async def test_what_was_dropped_stays_dropped_and_what_was_not_is_not(lab: Lab) -> None:
    limit = {"eventsPerSecond": 5, "burstSize": 1, "strategy": "drop"}
    sse: dict[str, Any] = {"events": words(10), "timing": {"fixedDelay": 100}, "rateLimit": limit}
    first = await cut_after(lab, 0.25, **sse)
    assert ids_of(first) == ["1", "3"]
    await lab.clock.advance(10)
    one, other = await come_back(lab, "1"), await come_back(lab, "1")
    assert data_of(one) == data_of(other) == "3 5 7 9"
    assert (await come_back(lab, "9")).status == 204


async def test_a_stream_that_passed_its_limit_goes_on_when_there_are_tokens_again(lab: Lab) -> None:
    limit = {"eventsPerSecond": 1, "burstSize": 2, "strategy": "error"}
    stream = await lab.run(events=words(5), rateLimit=limit, resume=ON, seconds=1)
    assert ids_of(stream) == ["1", "2"]
    assert "event: error" in stream.text
    await lab.clock.advance(60)
    again = await come_back(lab, "2")
    assert ids_of(again) == ["3", "4"]
    assert "event: error" in again.text
    await lab.clock.advance(60)
    last = await come_back(lab, "4")
    assert ids_of(last) == ["5"]
    assert lab.ended["outcome"] == "completed"


# -- several clients ---------------------------------------------------------------------------------------------------


async def test_two_clients_with_one_id_each_get_the_whole_rest(lab: Lab) -> None:
    await cut_after(lab, 1, events=[{"data": "$uuid"}] * 6)
    first_id = lab.engine.streams.buffer("mock")[1]["id"]
    one = await come_back(lab, first_id)
    await lab.clock.advance(2)
    other = await come_back(lab, first_id)
    await lab.clock.advance(60)
    assert len(one.events) == 4
    assert one.text == other.text


async def test_coming_back_while_the_old_connection_is_open(lab: Lab) -> None:
    old = await lab.stream(events=[{"data": "$uuid"}] * 5, timing=SECONDLY, resume=ON)
    await lab.clock.advance(1)
    new = await come_back(lab, ids_of(old)[0])
    await lab.clock.advance(60)
    assert len(old.events) == 5
    assert new.text == "".join(f"{block}\n\n" for _, block in old.blocks[1:])
    assert new.times == [1000, 2000, 3000, 4000]


async def test_sessions_of_different_clients_are_apart(lab: Lab) -> None:
    lab.mock(events=[{"data": "$uuid"}] * 4, timing=SECONDLY, resume=ON)
    clients = []
    for _ in range(5):
        clients.append(await lab.open())
        await lab.clock.advance(0.1)
    await lab.clock.advance(1)
    for client in clients:
        await client.hang_up()
    rests = [await come_back(lab, ids_of(client)[0]) for client in clients]
    await lab.clock.advance(60)
    for client, rest in zip(clients, rests, strict=True):
        assert len(rest.events) == 3
        assert rest.events[0][1] == client.events[1][1]
    assert len({data for rest in rests for _, data in rest.events}) == 15


async def test_an_id_that_is_the_same_for_all_means_the_session_that_sent_it_last(lab: Lab) -> None:
    lab.mock(events=[{"id": name, "data": name} for name in "abcd"], timing=SECONDLY, resume=ON)
    await lab.open()
    await lab.clock.advance(0.5)
    await lab.open()
    await lab.clock.advance(1)
    again = await come_back(lab, "a")
    # The late session sent b last, and then the early one c: each id has a session of its own.
    await lab.clock.advance(0.5)
    other = await come_back(lab, "c")
    await lab.clock.advance(60)
    assert again.events[1:] == [(2500, "c"), (3500, "d")]
    assert other.events == [(3000, "d")]


# -- the end -----------------------------------------------------------------------------------------------------------


async def test_204_when_the_last_event_was_sent(lab: Lab) -> None:
    await lab.run(events=words(3), resume=ON)
    answer = await come_back(lab, "3")
    assert (answer.status, answer.body) == (204, b"")
    assert lab.live == []


async def test_what_was_lost_of_a_finished_stream_is_sent_before_the_204(lab: Lab) -> None:
    await lab.run(events=words(3), resume=ON)
    again = await come_back(lab, "1")
    assert (again.status, data_of(again)) == (200, "2 3")
    assert (await come_back(lab, "3")).status == 204


async def test_204_says_who_may_read_it(lab: Lab) -> None:
    await lab.run(events=words(1), resume=ON)
    answer = await lab.open(headers={"Last-Event-ID": "1", "Origin": "http://page"})
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "http://page"


async def test_pages_of_other_origins_may_read_the_rest(lab: Lab) -> None:
    await cut_after(lab, 1, events=words(3))
    again = await lab.open(headers={"Last-Event-ID": "2", "Origin": "http://page"})
    assert again.status == 200
    assert again.headers["access-control-allow-origin"] == "http://page"
    await again.hang_up()


@pytest.mark.parametrize(("others", "said"), [(0, "1"), (1, "2")], ids=["its own", "of another that is held"])
async def test_what_followed_the_first_request_stays_as_long_as_it_is_remembered(others: int, said: str) -> None:
    lab = Lab(max_sessions=1)
    life = {"termination": {"finalEvent": {"data": "{{ request.query.n }}"}}}
    lab.mock(events=words(3), timing=SECONDLY, resume=ON, headers={"X-N": "{{ request.query.n }}"}, lifecycle=life)
    for number in range(1 + others):
        stream = await lab.open(f"{PATH}?n={number + 1}")
        await lab.clock.advance(1)
        await stream.hang_up()
        assert stream.headers["x-n"] == str(number + 1)
    again = await lab.open(f"{PATH}?n=3", headers={"Last-Event-ID": "2"})
    await lab.clock.advance(9)
    assert (again.status, again.headers["x-n"], data_of(again)) == (200, said, f"3 {said}")


async def test_what_nobody_remembers_follows_the_request_that_comes_back(lab: Lab) -> None:
    sse = {"events": words(3), "resume": ON, "headers": {"X-N": "{{ request.query.n }}"}}
    lab.engine.load([parse_mock({"matcher": {"path": PATH}, "sse": sse}, root=None)])
    again = await lab.open(f"{PATH}?n=3", headers={"Last-Event-ID": "2"})
    assert (again.status, again.headers["x-n"], data_of(again)) == (200, "3", "3")


async def test_most_events_are_counted_over_the_session(lab: Lab) -> None:
    await cut_after(lab, 1, events=words(9), lifecycle={"maxEvents": 5})
    again = await come_back(lab, "2")
    await lab.clock.advance(60)
    assert data_of(again) == "3 4 5"
    assert lab.ended["outcome"] == "max_events"
    assert (await come_back(lab, "5")).status == 204
    assert data_of(await come_back(lab, "4")) == "5"


@pytest.mark.parametrize("how", ["held", "cleared"])
@pytest.mark.parametrize("last", [2, 5])
async def test_nor_are_they_counted_anew_where_there_is_no_204(lab: Lab, last: int, how: str) -> None:
    await cut_after(lab, last - 1, events=words(9), lifecycle={"maxEvents": 5, "keepOpen": True})
    if how == "cleared":
        lab.engine.streams.clear_buffer("mock")
    again = await come_back(lab, str(last))
    await lab.clock.advance(60)
    assert data_of(again) == " ".join(str(number) for number in range(last + 1, 6))
    assert lab.ended["outcome"] == "max_events"


async def test_nor_after_what_an_earlier_process_sent(lab: Lab) -> None:
    sse = {"events": words(9), "resume": ON, "lifecycle": {"maxEvents": 5}}
    lab.engine.load([parse_mock({"matcher": {"path": PATH}, "sse": sse}, root=None)])
    assert data_of(await come_back(lab, "2")) == "3 4 5"
    assert lab.ended["outcome"] == "max_events"
    assert (await come_back(lab, "5")).status == 204


async def test_no_204_where_the_stream_is_kept_open(lab: Lab) -> None:
    life = {"keepOpen": True, "keepaliveInterval": 5}
    stream = await lab.run(events=words(2), resume=ON, lifecycle=life, seconds=1)
    await stream.hang_up()
    again = await come_back(lab, "2")
    await lab.clock.advance(6)
    assert (again.status, again.text) == (200, ": keepalive\n")
    assert again.is_open
    await again.hang_up()


async def test_a_comment_at_the_end_is_not_sent_over_and_over(lab: Lab) -> None:
    await lab.run(events=[*words(2), {"comment": "that is all"}, {"retry": 100}], resume=ON)
    assert (await come_back(lab, "2")).status == 204


async def test_a_comment_that_was_not_sent_yet_is(lab: Lab) -> None:
    await cut_after(lab, 0.5, events=[*words(1), {"comment": "late"}])
    again = await come_back(lab, "1")
    await lab.clock.advance(5)
    assert again.blocks == [(1000, ": late")]
    assert (await come_back(lab, "1")).status == 204


@pytest.mark.parametrize("how", ["timeout", "connectionTimeout", "admin", "client", "shutdown", "simulateDisconnect"])
async def test_a_stream_that_was_cut_continues(lab: Lab, how: str) -> None:
    life: dict[str, Any] = {"termination": {"finalEvent": {"data": "bye"}}}
    if how == "timeout":
        life["timeout"] = 0.7
    elif how == "connectionTimeout":
        life["connectionTimeout"] = 1.5
    elif how == "simulateDisconnect":
        life["simulateDisconnect"] = 2
    events = [{"data": "1"}, {"data": "2", "delay": 500}, {"data": "3", "delay": 1500}]
    stream = await lab.stream(events=events, resume=ON, lifecycle=life)
    await lab.clock.advance(1.2)
    if how == "client":
        await stream.hang_up()
    elif how == "admin":
        lab.engine.streams.close_all("mock")
    elif how == "shutdown":
        lab.engine.begin_shutdown()
    await lab.clock.advance(0.4)
    assert not stream.is_open
    assert ids_of(stream) == ["1", "2"]
    again = await come_back(lab, "2")
    await lab.clock.advance(1)
    assert again.events[0] == (2000, "3")
    assert (await come_back(lab, "3")).status == 204


async def test_a_disconnect_is_simulated_on_each_connection(lab: Lab) -> None:
    got = []
    last = None
    lab.mock(events=words(5), resume=ON, lifecycle={"simulateDisconnect": 2})
    for _ in range(4):
        stream = await (lab.open() if last is None else come_back(lab, last))
        if stream.status == 204:
            break
        got.append(data_of(stream))
        last = ids_of(stream)[-1]
    assert got == ["1 2", "3 4", "5"]
    assert stream.status == 204


async def test_retry_is_in_the_first_event_of_each_connection(lab: Lab) -> None:
    await cut_after(lab, 0, events=words(3), retry=250)
    again = await come_back(lab, "1")
    await lab.clock.advance(5)
    assert again.text == "id: 2\ndata: 2\nretry: 250\n\nid: 3\ndata: 3\n\n"


async def test_the_connection_says_what_it_resumed_from(lab: Lab) -> None:
    await cut_after(lab, 0, events=words(3))
    await come_back(lab, "1")
    assert lab.live[0]["resumedFrom"] == "1"
    fresh = await come_back(lab, "never issued")
    assert "resumedFrom" not in lab.live[1]
    assert lab.live[1]["lastEventId"] == "1"
    await fresh.hang_up()


async def test_head_takes_no_part(lab: Lab) -> None:
    await cut_after(lab, 0, events=[{"data": "$uuid"}] * 3)
    before = lab.engine.streams.buffer("mock")
    head = await lab.open(method="HEAD", headers={"Last-Event-ID": before[0]["id"]})
    assert (head.status, head.body) == (200, b"")
    assert lab.engine.streams.buffer("mock") == before
    again = await come_back(lab, before[0]["id"])
    await lab.clock.advance(60)
    assert len(again.events) == 2


async def test_without_resume_the_header_means_nothing(lab: Lab) -> None:
    await lab.run(events=[{"id": "a", "data": "1"}, {"id": "b", "data": "2"}])
    assert data_of(await come_back(lab, "a")) == "1 2"
    assert lab.engine.streams.buffer("mock") == []
    assert lab.engine.streams.clear_buffer("mock") == 0


# -- final and error events --------------------------------------------------------------------------------------------


async def test_final_and_error_events_get_no_id(lab: Lab) -> None:
    ends = {"finalEvent": {"data": "bye"}}
    assert ids_of(await lab.run(events=words(2), resume=ON, lifecycle={"termination": ends})) == ["1", "2"]
    ends = {"type": "error", "errorEvent": {"data": "oh"}}
    assert ids_of(await lab.run(mock_id="b", events=words(2), resume=ON, lifecycle={"termination": ends})) == ["1", "2"]


async def test_a_client_with_the_id_of_the_final_event_has_everything(lab: Lab) -> None:
    ends = {"finalEvent": {"id": "over", "data": "bye"}}
    stream = await lab.run(events=words(2), resume=ON, lifecycle={"termination": ends})
    assert ids_of(stream) == ["1", "2", "over"]
    assert lab.ended["lastEventId"] == "over"
    assert (await come_back(lab, "over")).status == 204


@pytest.mark.parametrize("final_id", ["over", "over-$uuid"])
async def test_the_id_of_a_final_event_stands_for_the_place_where_the_stream_was_cut(lab: Lab, final_id: str) -> None:
    ends = {"finalEvent": {"id": final_id, "data": "bye"}}
    life = {"connectionTimeout": 1.5, "termination": ends}
    got = []
    last = ""
    lab.mock(events=[{"data": f"{n} $uuid"} for n in range(5)], timing=SECONDLY, resume=ON, lifecycle=life)
    for _ in range(3):
        stream = await come_back(lab, last)
        await lab.clock.advance(2)
        got += [data[0] for _, data in stream.events]
        last = ids_of(stream)[-1]
    assert got == ["0", "1", "b", "2", "3", "b", "4", "b"]
    assert (await come_back(lab, last)).status == 204


@pytest.mark.parametrize(("data", "rest"), [("fixed", 3), ("$uuid", 2)])
async def test_the_id_of_a_final_event_is_good_when_others_have_gone_on(lab: Lab, data: str, rest: int) -> None:
    life = {"connectionTimeout": 1.5, "termination": {"finalEvent": {"id": "over", "data": "bye"}}}
    small = {"enabled": True, "bufferSize": 1}
    stream = await lab.run(events=[{"data": data}] * 5, timing=SECONDLY, resume=small, lifecycle=life, seconds=1.6)
    other = stream
    for _ in range(2):
        other = await come_back(lab, [id_ for id_ in ids_of(other) if id_ != "over"][-1])
        await lab.clock.advance(0.9)
        await other.hang_up()
    assert [len(ids_of(stream)), len(ids_of(other))] == [3, 1]
    late = await come_back(lab, "over")
    await lab.clock.advance(10)
    # All of it where it can be made again, otherwise what is held and what was not sent yet.
    assert len(ids_of(late)[:-1]) == rest
