"""The form of a stream's bytes in time: when pieces go out, what is counted when, and what faults, the hand, heartbeats
and ends make of it."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import pytest

from mockd.config.events import EventConfig
from mockd.config.hand import Hold
from mockd.hand.push import event_of
from tests.manual_clock import settle
from tests.stream.harness import PATH, Exchange, Lab, words
from tests.wire.framing.reading import pieces

pytestmark = pytest.mark.anyio

PACED: dict[str, Any] = {"timing": {"fixedDelay": 1000}}
GZIP = {"encoding": "gzip"}


def unzipped(exchange: Exchange) -> bytes:
    """What a client can read of a body so far."""
    return zlib.decompressobj(31).decompress(exchange.body)


def record(lab: Lab) -> dict[str, Any]:
    return lab.engine.connections.exchanges()[-1].to_json()


# -- pieces ------------------------------------------------------------------------------------------------------------


async def test_pieces_come_a_pause_apart(lab: Lab) -> None:
    exchange = await lab.run(events=words(2), framing={"split": "lines", "pause": 100}, **PACED)
    assert exchange.writes == [(0, b"data: 1\n"), (100, b"\n"), (1000, b"data: 2\n"), (1100, b"\n")]
    assert exchange.ended_at == 1100


async def test_what_is_due_meanwhile_waits_for_its_pause(lab: Lab) -> None:
    framing = {"split": "lines", "pause": "1s"}
    exchange = await lab.run(events=words(3), framing=framing, timing={"fixedDelay": 500})
    assert [at for at, _ in exchange.writes] == [0, 1000, 2000, 3000, 4000, 5000]


@pytest.mark.parametrize("more", [{}, {"resume": {"enabled": True}}], ids=["script", "session"])
async def test_an_event_counts_with_its_last_byte(lab: Lab, more: dict[str, Any]) -> None:
    framing, life = {"split": "lines", "pause": 1000}, {"keepOpen": True}
    await lab.stream(events=[{"data": "1", "id": "a"}], framing=framing, lifecycle=life, **more)
    await lab.clock.advance(1.5)
    assert (record(lab)["eventsSent"], record(lab).get("lastEventId")) == (0, None)
    await lab.clock.advance(0.5)
    assert (record(lab)["eventsSent"], record(lab).get("lastEventId")) == (1, "a")


async def test_borders_do_not_depend_on_how_late_a_stream_is(lab: Lab) -> None:
    exchange = await lab.stream(events=words(4), framing={"split": {"bytes": 12}}, **PACED)
    await exchange.stop_reading()
    await lab.clock.advance(10)
    await exchange.read_on()
    await lab.clock.advance(10)
    late = [part for _, part in exchange.writes]
    assert late == [
        part for _, part in (await Lab().run(events=words(4), framing={"split": {"bytes": 12}}, **PACED)).writes
    ]


async def test_what_an_encoder_keeps_back_ends_no_chunk(lab: Lab) -> None:
    framing = {"encoding": "gzip", "flush": "end", "split": {"bytes": 7}}
    exchange = await lab.run(events=words(9), framing=framing)
    assert unzipped(exchange).count(b"data") == 9
    assert [part for _, part in exchange.writes] == pieces(exchange.body, {"bytes": 7})


async def test_a_character_is_split_across_two_events_that_are_parts_of_it(lab: Lab) -> None:
    raw = "data: é\n\n".encode()
    events = [{"rawBase64": _base64(raw[:7])}, {"rawBase64": _base64(raw[7:]), "count": 0}]
    exchange = await lab.run(events=events, framing={"split": "characters"})
    assert "é".encode() in [part for _, part in exchange.writes]


def _base64(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode()


async def test_an_order_to_stop_lets_pieces_that_wait_out_at_once(lab: Lab) -> None:
    last = {"termination": {"finalEvent": {"data": "bye"}}}
    exchange = await lab.stream(events=words(3), framing={"split": "lines", "pause": 5000}, lifecycle=last, **PACED)
    await lab.clock.advance(0.5)
    lab.engine.begin_shutdown()
    await settle()
    await lab.clock.advance(0.1)
    assert exchange.body == b"data: 1\n\ndata: bye\n\n"
    assert exchange.ended_at == 500


async def test_the_end_of_its_own_keeps_its_pauses(lab: Lab) -> None:
    last = {"termination": {"finalEvent": {"data": "bye"}}}
    exchange = await lab.run(events=words(1), framing={"split": "lines", "pause": 100}, lifecycle=last)
    assert [at for at, _ in exchange.writes] == [0, 100, 200, 300]


async def test_an_endless_stream_without_borders_lets_others_have_their_turn(lab: Lab) -> None:
    lab.mock(events=words(2), repeat=0, framing={"split": [1]})
    exchange = await lab.open()
    await asyncio.wait_for(asyncio.sleep(0), 5)
    await exchange.hang_up()
    await lab.clock.advance(1)
    assert not exchange.is_open


# -- events together ---------------------------------------------------------------------------------------------------


async def test_events_go_out_together(lab: Lab) -> None:
    exchange = await lab.run(events=words(5), framing={"coalesce": 2}, **PACED)
    assert [(at, part.count(b"data")) for at, part in exchange.writes] == [(1000, 2), (3000, 2), (4000, 1)]


async def test_so_many_of_those_that_are_due_at_once(lab: Lab) -> None:
    exchange = await lab.run(events=words(5), framing={"coalesce": 2})
    assert [(at, part.count(b"data")) for at, part in exchange.writes] == [(0, 2), (0, 2), (0, 1)]


@pytest.mark.parametrize(
    ("together", "written"),
    [
        ({"bytes": 10}, [(1000, 2), (3000, 2), (4000, 1)]),
        ({"bytes": 9}, [(0, 1), (1000, 1), (2000, 1), (3000, 1), (4000, 1)]),
        ({"ms": 1000}, [(1000, 2), (3000, 2), (4000, 1)]),
        ({"ms": "1500ms"}, [(1500, 2), (3500, 2), (4000, 1)]),
        ({"ms": 999}, [(999, 1), (1999, 1), (2999, 1), (3999, 1), (4000, 1)]),
        ({"bytes": 27, "ms": 2500}, [(2000, 3), (4000, 2)]),
        ({"bytes": 28, "ms": 2500}, [(2500, 3), (4000, 2)]),
        ({"bytes": 1000}, [(4000, 5)]),
    ],
    ids=str,
)
async def test_events_go_out_together_by_size_and_time(
    lab: Lab, together: dict[str, Any], written: list[tuple[int, int]]
) -> None:
    exchange = await lab.run(events=words(5), framing={"coalesce": together}, **PACED)
    assert [(at, part.count(b"data")) for at, part in exchange.writes] == written


async def test_events_of_a_session_go_out_together(lab: Lab) -> None:
    exchange = await lab.run(events=words(5), framing={"coalesce": {"ms": 1000}}, **PACED, resume={"enabled": True})
    assert [(at, part.count(b"data")) for at, part in exchange.writes] == [(1000, 2), (3000, 2), (4000, 1)]


async def test_what_goes_out_together_does_not_depend_on_how_late_a_stream_is(lab: Lab) -> None:
    exchange = await lab.stream(events=words(5), framing={"coalesce": {"ms": 1000}}, **PACED)
    await exchange.stop_reading()
    await lab.clock.advance(3.7)
    await exchange.read_on()
    await lab.clock.advance(5)
    assert [part.count(b"data") for _, part in exchange.writes] == [2, 2, 1]


async def test_an_order_to_stop_does_not_wait_for_more(lab: Lab) -> None:
    exchange = await lab.stream(events=words(5), framing={"coalesce": {"ms": 9999}}, **PACED)
    await lab.clock.advance(1.5)
    lab.engine.begin_shutdown()
    await settle()
    await lab.clock.advance(0.1)
    assert (exchange.body, exchange.ended_at) == (b"data: 1\n\ndata: 2\n\n", 1500)


async def test_what_was_gathered_goes_out_before_a_stream_waits_for_good(lab: Lab) -> None:
    await lab.stream(events=words(3), framing={"coalesce": 2}, lifecycle={"keepOpen": True}, **PACED)
    await lab.clock.advance(5)
    assert record(lab)["eventsSent"] == 3


async def test_and_before_a_fault(lab: Lab) -> None:
    mock = {"id": "m", "matcher": {"path": PATH}, "sse": {"events": words(4), "framing": {"coalesce": 3}, **PACED}}
    lab.engine.create({**mock, "faults": ["stall ms=10000 after 2 events"]})
    exchange = await lab.open()
    await lab.clock.advance(60)
    assert [(at, part.count(b"data")) for at, part in exchange.writes] == [(1000, 2), (11_000, 2)]


async def test_a_stream_that_is_held_keeps_nothing_back(lab: Lab) -> None:
    hands = lab.engine.streams.take_in_hand()
    exchange = await lab.stream(events=words(6), framing={"coalesce": 4}, **PACED)
    await lab.clock.advance(1.5)
    assert exchange.writes == []
    stream = lab.engine.connections.exchanges()[-1]
    hands.hold(stream, Hold())
    await settle()
    await lab.clock.advance(0.1)
    assert [(at, part.count(b"data")) for at, part in exchange.writes] == [(1500, 2)]
    hands.step(stream, 1)
    await settle()
    await lab.clock.advance(0.1)
    assert exchange.writes[-1][1] == b"data: 3\n\n"


# -- the hand ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"resume": {"enabled": True}}], ids=["script", "session"])
@pytest.mark.parametrize("framing", [GZIP, {"encoding": "deflate"}, {"bom": True}, {"split": {"bytes": 3}}], ids=str)
async def test_an_event_is_pushed_in_the_form_of_the_stream(
    lab: Lab, more: dict[str, Any], framing: dict[str, Any]
) -> None:
    hands = lab.engine.streams.take_in_hand()
    exchange = await lab.stream(events=words(2), framing=framing, lifecycle={"keepOpen": True}, **PACED, **more)
    await lab.clock.advance(0.5)
    stream = lab.engine.connections.exchanges()[-1]
    hands.hold(stream, Hold())
    hands.push(stream, event_of(EventConfig(data="pushed")))
    await settle()
    hands.release(stream)
    await lab.clock.advance(5)
    body = exchange.body.removeprefix(b"\xef\xbb\xbf")
    if "encoding" in framing:
        body = zlib.decompressobj(31 if framing["encoding"] == "gzip" else 15).decompress(body)
    assert [line for line in body.split(b"\n") if line.startswith(b"data")] == [b"data: 1", b"data: pushed", b"data: 2"]


# -- the body ----------------------------------------------------------------------------------------------------------


async def test_each_event_can_be_read_at_its_time(lab: Lab) -> None:
    exchange = await lab.stream(events=words(3), framing=GZIP, **PACED)
    for number in range(1, 4):
        assert unzipped(exchange).endswith(b"data: %d\n\n" % number)
        await lab.clock.advance(1)
    assert zlib.decompress(exchange.body, 31) == b"data: 1\n\ndata: 2\n\ndata: 3\n\n"


async def test_or_all_at_the_end_though_they_count_when_they_are_due(lab: Lab) -> None:
    exchange = await lab.stream(events=words(3), framing={**GZIP, "flush": "end"}, **PACED)
    await lab.clock.advance(1.5)
    assert unzipped(exchange) == b""
    assert record(lab)["eventsSent"] == 2
    await lab.clock.advance(5)
    assert zlib.decompress(exchange.body, 31).count(b"data") == 3


@pytest.mark.parametrize("outcome", ["abrupt", "error", "graceful"])
async def test_only_a_clean_end_ends_the_encoding(lab: Lab, outcome: str) -> None:
    ends = {"termination": {"type": outcome}, "maxEvents": 1}
    exchange = await lab.run(events=words(2), framing=GZIP, lifecycle=ends)
    decoder = zlib.decompressobj(31)
    assert decoder.decompress(exchange.body).startswith(b"data: 1")
    assert decoder.eof is (outcome != "abrupt")


@pytest.mark.parametrize("beat", [{"text": "beat"}, {"event": {"data": "beat"}}, {"raw": ": beat\n"}], ids=str)
async def test_heartbeats_are_part_of_the_body(lab: Lab, beat: dict[str, Any]) -> None:
    life = {"heartbeat": {"every": 400, **beat}}
    exchange = await lab.run(events=words(2), framing={**GZIP, "bom": True}, lifecycle=life, **PACED, seconds=10)
    body = zlib.decompress(exchange.body, 31)
    assert body.startswith(b"\xef\xbb\xbfdata: 1")
    assert body.count(b"beat") == 2
    assert body.count(b"\xef\xbb\xbf") == 1


async def test_a_byte_order_mark_comes_before_whatever_is_first(lab: Lab) -> None:
    life = {"heartbeat": {"every": 400, "text": "beat"}}
    timing = {"initialDelay": 500}
    exchange = await lab.run(events=words(1), framing={"bom": True}, lifecycle=life, timing=timing, seconds=10)
    assert exchange.body == b"\xef\xbb\xbf: beat\ndata: 1\n\n"


async def test_each_connection_has_its_own(lab: Lab) -> None:
    lab.mock(
        events=words(3), framing={"bom": True, **GZIP}, resume={"enabled": True}, lifecycle={"simulateDisconnect": 1}
    )
    bodies = []
    for last in (None, "1"):
        exchange = await lab.open(headers={"Last-Event-ID": last} if last else {})
        await lab.clock.advance(5)
        bodies.append(unzipped(exchange))
    assert bodies == [b"\xef\xbb\xbfid: 1\ndata: 1\n\n", b"\xef\xbb\xbfid: 2\ndata: 2\n\n"]


async def test_no_comment_comes_between_the_parts_of_an_event(lab: Lab) -> None:
    events = [{"data": "1"}, {"raw": "data: "}, {"raw": "2\n"}, {"raw": "data: 3\n\n"}, {"data": "4"}]
    framing = {"comments": {"text": "c", "blankLine": True}, "padding": 4, "emptyLines": 1}
    exchange = await lab.run(events=events, framing=framing)
    assert exchange.body == b":  \ndata: 1\n\n\n: c\n\n:  \ndata: 2\ndata: 3\n\n\n: c\n\n:  \ndata: 4\n\n"


async def test_a_comment_alone_does_not_keep_others_away(lab: Lab) -> None:
    events = [{"data": "1"}, {"comment": "alone"}, {"data": "2"}]
    exchange = await lab.run(events=events, framing={"comments": {"text": "c", "blankLine": True}})
    assert exchange.body == b"data: 1\n\n: alone\n: c\n\ndata: 2\n\n"


@pytest.mark.parametrize(
    ("life", "last"),
    [
        ({}, b"data: 2\n"),
        ({"maxEvents": 1}, b"data: 1\n"),
        ({"termination": {"finalEvent": {"data": "bye"}}}, b"data: bye\n"),
        ({"termination": {"closeDelay": 100}}, b"data: 2\n"),
        ({"termination": {"type": "error", "errorEvent": {"data": "bad"}}}, b"data: bad\n"),
        ({"termination": {"type": "abrupt"}}, b"data: 2\n\n"),
        ({"simulateDisconnect": 2}, b"data: 2\n\n"),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "more", [{}, {"resume": {"enabled": True}}, PACED, {"rateLimit": {"eventsPerSecond": 9}}], ids=str
)
async def test_the_last_event_of_a_clean_end_has_no_blank_line(
    lab: Lab, life: dict[str, Any], more: dict[str, Any], last: bytes
) -> None:
    exchange = await lab.run(events=words(2), framing={"finalBlankLine": False}, lifecycle=life, **more)
    assert exchange.body.endswith(b"\n" + last) or exchange.body == last or exchange.body == b"id: 1\n" + last
    assert exchange.body.count(b"\n\n") == exchange.body.count(b"data") - (not last.endswith(b"\n\n"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
async def test_a_last_blank_line_that_is_sent_by_itself_is_left_out_too(lab: Lab, end: str) -> None:
    events = [{"raw": f"data: 1{end}"}, {"raw": end, "count": 0}]
    exchange = await lab.run(events=events, framing={"finalBlankLine": False})
    assert exchange.text == f"data: 1{end}"


async def test_heartbeats_of_less_than_a_second_keep_their_distance(lab: Lab) -> None:
    config: dict[str, Any] = {"events": words(2), "lifecycle": {"heartbeat": {"every": 30, "text": "beat"}}, **PACED}
    plain = await lab.run(**config)
    framed = await Lab().run(**config, framing={"padding": 20})
    assert [at for at, _ in framed.writes] == [at for at, _ in plain.writes] == [*range(0, 1000, 30), 1000]


# -- faults ------------------------------------------------------------------------------------------------------------


async def faulted(lab: Lab, framing: dict[str, Any], *faults: str, **config: Any) -> Exchange:
    part = {"events": words(4), "framing": framing, **PACED, **config}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": part, "faults": list(faults)})
    exchange = await lab.open()
    await lab.clock.advance(60)
    return exchange


FAULTS = {
    'insert raw=": in\\n" after 2 events': b": in\n",
    "unknownEvent after 2 events": b"event: mockd.unknown",
    "hugeEvent size=500 after 1 event": b"x" * 400,
    "malformed after 2 events": b"data: \n\n",
    "duplicate after 2 events": b"data: 3\n\ndata: 3\n\n",
    "stall ms=500 after 2 events": b"data: 4",
    "throttle bytesPerSecond=100 after 1 event": b"data: 4",
}


@pytest.mark.parametrize("line", FAULTS)
@pytest.mark.parametrize("split", [{}, {"split": {"bytes": 5}}, {"split": {"bytes": 5}, "pause": 3}], ids=str)
async def test_what_faults_send_is_in_the_encoding_too(lab: Lab, line: str, split: dict[str, Any]) -> None:
    exchange = await faulted(lab, {**GZIP, **split}, line)
    assert FAULTS[line] in zlib.decompress(exchange.body, 31)
    plain = await faulted(Lab(), {}, line)
    assert zlib.decompress(exchange.body, 31) == plain.body


@pytest.mark.parametrize("more", [{}, {"split": {"bytes": 4}}, {"split": {"bytes": 4}, "pause": 10}], ids=str)
@pytest.mark.parametrize("place", [1, 5, 17, 31])
async def test_bytes_are_counted_after_the_encoding(lab: Lab, place: int, more: dict[str, Any]) -> None:
    whole = await faulted(Lab(), GZIP)
    exchange = await faulted(lab, {**GZIP, **more}, f"end after {place} bytes")
    assert exchange.body == whole.body[:place]


@pytest.mark.parametrize(
    "framing", [{"split": {"bytes": 4}}, {"split": "lines", "pause": 10}, {"coalesce": 3}], ids=str
)
async def test_a_place_is_exact_whatever_the_chunks(lab: Lab, framing: dict[str, Any]) -> None:
    exchange = await faulted(lab, framing, "end after 2 events")
    assert exchange.body == b"data: 1\n\ndata: 2\n\n"
    assert lab.ended["faults"][0]["events"] == 2


async def test_a_stall_with_keepalives_keeps_the_encoding_whole(lab: Lab) -> None:
    life = {"heartbeat": {"every": 1500, "text": "beat"}}
    exchange = await faulted(lab, GZIP, "stall ms=5000 keepalives=true after 2 events", lifecycle=life)
    body = zlib.decompress(exchange.body, 31)
    assert body.count(b": beat") >= 2
    assert body.replace(b": beat\n", b"") == b"".join(b"data: %d\n\n" % number for number in range(1, 5))


# -- whole answers -----------------------------------------------------------------------------------------------------

CHAT = {"template": "openai-chat", "framing": {**GZIP, "charset": "utf-8", "split": {"bytes": 1}}}


async def asked(lab: Lab, **request: Any) -> Exchange:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], **request.pop("said", {})})
    exchange = await lab.open(method="POST", body=body.encode(), **request)
    await lab.clock.advance(60)
    return exchange


@pytest.mark.parametrize("said", [{}, {"messages": 5}], ids=["answer", "error"])
async def test_a_whole_answer_is_in_the_encoding_too(lab: Lab, said: dict[str, Any]) -> None:
    lab.mock(**CHAT)
    exchange = await asked(lab, said=said)
    assert exchange.headers["content-encoding"] == "gzip"
    assert exchange.headers["content-type"] == "application/json; charset=utf-8"
    assert int(exchange.headers["content-length"]) == len(exchange.body)
    assert json.loads(zlib.decompress(exchange.body, 31)).keys() & {"choices", "error"}


async def test_so_is_a_refusal_of_a_fault(lab: Lab) -> None:
    lab.engine.create({"id": "m", "matcher": {"path": PATH}, "sse": CHAT, "faults": ["status 429"]})
    exchange = await asked(lab)
    assert exchange.status == 429
    assert int(exchange.headers["content-length"]) == len(exchange.body)
    assert "error" in json.loads(zlib.decompress(exchange.body, 31))


async def test_json_is_cut_before_it_is_encoded(lab: Lab) -> None:
    lab.engine.create({"id": "m", "matcher": {"path": PATH}, "sse": CHAT, "faults": ["malformed"]})
    exchange = await asked(lab)
    assert int(exchange.headers["content-length"]) == len(exchange.body)
    with pytest.raises(json.JSONDecodeError):
        json.loads(zlib.decompress(exchange.body, 31))


async def test_a_head_alone_is_that_of_the_stream(lab: Lab) -> None:
    lab.mock(events=words(2), framing={**GZIP, "bom": True, "split": {"bytes": 1}})
    exchange = await lab.open(method="HEAD")
    assert exchange.headers["content-encoding"] == "gzip"
    assert exchange.body == b""


# -- clients that do not read, and what is let go of -------------------------------------------------------------------


@pytest.mark.parametrize(
    "framing", [{"split": {"bytes": 1}}, {"split": "lines", "pause": 10}, {"coalesce": 3}], ids=str
)
@pytest.mark.parametrize("in_memory", [False, True])
async def test_a_client_that_reads_nothing_is_given_up(framing: dict[str, Any], in_memory: bool) -> None:
    lab = Lab(send_timeout=60, in_memory=in_memory)
    exchange = await lab.stream(events=words(9), framing=framing, timing={"fixedDelay": 100})
    await exchange.stop_reading()
    await lab.clock.advance(200)
    assert not exchange.is_open
    assert lab.ended["outcome"] == "slow_client"


@pytest.mark.parametrize("faults", [[], ["reset after 5000 wire bytes"]], ids=["plain", "wire bytes"])
async def test_a_session_is_left_when_its_stream_ends(lab: Lab, faults: list[str]) -> None:
    part = {"events": words(9), "framing": {"split": "lines"}, "resume": {"enabled": True}, **PACED}
    lab.engine.create({"id": "mock", "matcher": {"path": PATH}, "sse": part, "faults": faults})
    await lab.open()
    await lab.clock.advance(1)
    (buffer,) = lab.engine.mock_set.served.find("mock").parts[0].sessions._buffers.values()
    assert buffer.readers == 1
    lab.engine.begin_shutdown()
    await settle()
    await lab.clock.advance(1)
    assert buffer.readers == 0
