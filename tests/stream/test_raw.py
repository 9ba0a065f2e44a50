"""Raw events and files: what is there is sent, and all else works as with any other event."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.framing import FRAMINGS
from tests.stream.harness import Exchange, Lab, words
from tests.stream.test_resume import ON, come_back

pytestmark = pytest.mark.anyio

LITERAL = "$uuid $$ $pick:a {{ request.path }} {{ {% csrf %} {# c #}\n\n"
RECORDED = (
    b"\xef\xbb\xbf: hello\r\n\r\n"
    b"retry: 5\nfoo: bar\ndata:no blank\nid: 1\n\n"
    b"data: \xff\xfe\r\r"
    b"event: ping\n\n"
    b"id: 2\ndata: $$x$$ $uuid {% csrf %} {{ request.path }}\r\n\r\n"
    b"data: cut off"
)
BLOCKS = RECORDED.replace(b"\n\n", b"\n\n|").replace(b"\r\n\r\n", b"\r\n\r\n|").replace(b"\r\r", b"\r\r|").split(b"|")


@pytest.fixture
def recorded(lab: Lab, tmp_path: Path) -> Lab:
    """An engine whose folder of files has a recording."""
    (tmp_path / "recorded").write_bytes(RECORDED)
    (tmp_path / "lines").write_bytes(b'{"a":"$uuid"}\r\n{"b":"\xff"}\n[]')
    return Lab(in_memory=lab.in_memory, files_root=str(tmp_path))


FILE = {"eventsFile": "recorded", "raw": True}


def raw(text: str, **more: Any) -> dict[str, Any]:
    return {"raw": text, **more}


# -- the bytes ---------------------------------------------------------------------------------------------------------


async def test_nothing_is_filled_in(lab: Lab) -> None:
    stream = await lab.run(events=[raw(LITERAL), raw("data: x", id="$uuid")])
    assert stream.text == LITERAL + "data: x"
    assert lab.ended["lastEventId"] == "$uuid"


async def test_bytes_that_are_no_text(lab: Lab) -> None:
    every = bytes(range(256))
    stream = await lab.run(events=[{"rawBase64": b64encode(every).decode()}, {"data": "x"}])
    assert stream.body == every + b"data: x\n\n"


@pytest.mark.parametrize("flush", ["auto", "event"])
@pytest.mark.parametrize("kind", ["sse", "chunked"])
async def test_a_file_is_sent_as_it_stands(recorded: Lab, kind: str, flush: str) -> None:
    stream = await recorded.run(kind, **FILE, flush=flush)
    assert stream.body == RECORDED
    assert [part for _, part in stream.writes] == (BLOCKS if flush == "event" else [RECORDED])


@pytest.mark.parametrize(
    ("more", "content_type"),
    [({}, "application/octet-stream"), ({"format": "ndjson"}, "application/x-ndjson")],
)
async def test_a_file_of_lines(recorded: Lab, more: dict[str, Any], content_type: str) -> None:
    stream = await recorded.run("chunked", eventsFile="lines", raw=True, **more, chunkDelay=1000, repeat=2)
    lines = [b'{"a":"$uuid"}\r\n', b'{"b":"\xff"}\n', b"[]"]
    assert stream.writes == list(zip(range(0, 6000, 1000), lines * 2, strict=True))
    assert stream.headers["content-type"] == content_type
    assert recorded.ended["eventsSent"] == 6


@pytest.mark.parametrize(
    "lifecycle",
    [
        {"termination": {"finalEvent": raw(LITERAL)}},
        {"termination": {"type": "error", "errorEvent": raw(LITERAL)}},
    ],
    ids=["final", "error"],
)
@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("sse", {"events": []}),
        ("sse", {"template": "openai-chat", "templateParams": {"tokens": []}}),
        ("chunked", {"data": ""}),
        ("chunked", {"template": "ollama-chat", "templateParams": {"tokens": []}}),
    ],
    ids=["sse", "template", "chunked", "ndjson"],
)
async def test_a_last_event(kind: str, source: dict[str, Any], lifecycle: dict[str, Any]) -> None:
    lab = Lab()
    life = {**lifecycle, "connectionTimeout": 5, "keepOpen": True}
    stream = await lab.run(kind, **source, lifecycle=life)
    assert stream.text.endswith(LITERAL)


async def test_events_of_a_generator(lab: Lab) -> None:
    cycle = {"events": [raw("event: ping\n\n"), raw(": c\n\n", count=0), {"data": "1"}], "repeat": 2}
    stream = await lab.run(generator={"type": "template", "template": cycle})
    assert stream.text == "event: ping\n\n: c\n\ndata: 1\n\n" * 2
    assert lab.ended["eventsSent"] == 4


async def test_nothing_is_put_around_it_in_any_framing(lab: Lab) -> None:
    for name in FRAMINGS:
        params = {"framing": name, "events": [{"data": "1"}, {"raw": ",\r\nx\n", "id": "9"}, {"data": "2"}]}
        stream = await lab.run(mock_id=name, template="tests.stream.framings:FRAMED", templateParams=params)
        assert b",\r\nx\n" in stream.body
        assert stream.body.count(b"x") == 1 + name.count("x")
        lab.engine.delete(name)


# -- as with any other event -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timing", "times"),
    [
        ({"fixedDelay": 1000}, [0, 1000, 2000, 3000, 4000, 5000]),
        ({"initialDelay": 500, "perEventDelays": [0, 10, 20], "fixedDelay": 1}, [500, 510, 530, 531, 532, 533]),
        ({"burst": {"count": 3, "interval": 10, "pause": 1000}}, [0, 10, 20, 1020, 1030, 1040]),
    ],
    ids=lambda timing: next(iter(timing)),
)
@pytest.mark.parametrize("extra", [{}, {"resume": ON}, {"rateLimit": {"eventsPerSecond": 1e6}}], ids=str)
async def test_pacing(recorded: Lab, timing: dict[str, Any], times: list[int], extra: dict[str, Any]) -> None:
    stream = await recorded.run(**FILE, timing=timing, **extra)
    assert stream.writes == list(zip(times, BLOCKS, strict=True))


async def test_delays_of_their_own(lab: Lab) -> None:
    events = [raw("a", delay=10), raw("b", delay=500), {"data": "c"}]
    stream = await lab.run(events=events, timing={"fixedDelay": 1000})
    assert stream.writes == [(10, b"a"), (510, b"b"), (1510, b"data: c\n\n")]


COUNTED = [raw("a", count=2), raw("b", count=0), {"data": "c"}, raw("d")]
EXTRAS: list[dict[str, Any]] = [{}, {"resume": ON}, {"timing": {"fixedDelay": 1}}]


@pytest.mark.parametrize(
    ("life", "body", "count"),
    [
        ({}, "abcd" * 2, 8),
        ({"maxEvents": 1}, "a", 2),
        ({"maxEvents": 2}, "a", 2),
        ({"maxEvents": 3}, "abc", 3),
        ({"maxEvents": 4}, "abcd", 4),
        ({"maxEvents": 5}, "abcda", 6),
        ({"maxEvents": 7}, "abcdabc", 7),
        ({"simulateDisconnect": 0}, "", 0),
        ({"simulateDisconnect": 1}, "a", 2),
        ({"simulateDisconnect": 4}, "abcd", 4),
    ],
    ids=str,
)
@pytest.mark.parametrize("extra", EXTRAS, ids=str)
async def test_counts(lab: Lab, life: dict[str, Any], body: str, count: int, extra: dict[str, Any]) -> None:
    stream = await lab.run(events=COUNTED, repeat=2, lifecycle=life, **extra)
    said = [letter for letter in stream.text.replace("data", "").replace("id: ", "") if letter.isalpha()]
    assert "".join(said) == body
    assert lab.ended["eventsSent"] == count


@pytest.mark.parametrize("extra", EXTRAS, ids=str)
async def test_one_event_may_count_as_several(lab: Lab, extra: dict[str, Any]) -> None:
    await lab.run(events=[raw("a", count=3), {"data": "b"}], **extra)
    assert lab.ended["eventsSent"] == 4


@pytest.mark.parametrize("extra", EXTRAS, ids=str)
async def test_retry_is_added_to_the_next_event_that_takes_one(lab: Lab, extra: dict[str, Any]) -> None:
    stream = await lab.run(events=[raw("data: a\n\n"), {"data": "b", "id": "i"}, raw("c")], retry=7, **extra)
    assert stream.text == "data: a\n\nid: i\ndata: b\nretry: 7\n\nc"


async def test_keepalives_between_them(recorded: Lab) -> None:
    stream = await recorded.run(**FILE, timing={"fixedDelay": 6000}, lifecycle={"keepaliveInterval": 5})
    assert stream.body == b": keepalive\n".join(BLOCKS)


async def test_a_rate_limit_drops_them(lab: Lab) -> None:
    limit = {"eventsPerSecond": 1, "strategy": "drop"}
    stream = await lab.run(events=[raw("a"), raw("b"), raw("c", count=0)], rateLimit=limit)
    assert stream.text == "ac"


# -- resume ------------------------------------------------------------------------------------------------------------


async def cut(lab: Lab, seconds: float, **sse: Any) -> Exchange:
    stream = await lab.stream(**{"timing": {"fixedDelay": 1000}, "resume": ON, **sse})
    await lab.clock.advance(seconds)
    await stream.hang_up()
    return stream


@pytest.mark.parametrize("http_version", ["1.0", "1.1"])
async def test_ids_in_a_file_are_known(recorded: Lab, http_version: str) -> None:
    await cut(recorded, 2.5, **FILE)
    again = await come_back(recorded, "1", http_version=http_version)
    assert again.writes == [(2500, BLOCKS[2])]
    await recorded.clock.advance(60)
    assert again.body == b"".join(BLOCKS[2:])
    assert [at for at, _ in again.writes[1:]] == [3000, 4000, 5000]
    assert again.ended_at == 5000
    last = await come_back(recorded, "2")
    assert last.body == BLOCKS[5]


async def test_after_the_last_id_of_a_finished_stream_nothing_is_left(lab: Lab) -> None:
    await cut(lab, 5, events=[raw("id: 1\n\n", id="1"), raw("id: 2\n\n", id="2")])
    assert (await come_back(lab, "2")).status == 204


async def test_what_came_without_an_id_is_sent_again(lab: Lab) -> None:
    """Nobody can tell whether it arrived."""
    events = [raw("id: 1\n\n", id="1"), raw(": c\n\n", count=0), raw("a"), raw("b"), raw("id: 2\n\n", id="2")]
    await cut(lab, 2.5, events=events)
    again = await come_back(lab, "1")
    await lab.clock.advance(60)
    assert again.text == ": c\n\nabid: 2\n\n"


async def test_ids_are_never_assigned_to_bytes_that_cannot_have_them(lab: Lab) -> None:
    stream = await lab.run(events=[raw("a"), {"data": "b"}, raw("c")], resume=ON)
    assert stream.text == "aid: 2\ndata: b\n\nc"
    assert lab.ended["lastEventId"] == "2"
    assert (await come_back(lab, "1")).text == stream.text  # no such id was sent
    assert (await come_back(lab, "2")).text == "c"


@pytest.mark.parametrize("way", ["script", "known", "answer", "awaited"])
async def test_nor_to_those_of_a_plug_in(lab: Lab, way: str) -> None:
    params = {"way": way, "events": [{"raw": "a"}, {"data": "b"}, {"raw": "c"}]}
    stream = await lab.stream(template="tests.stream.framings:FRAMED", templateParams=params, resume=ON)
    assert stream.text.startswith("aid: ")
    assert stream.text.endswith("2\ndata: b\n\nc")
    assert [event.get("id", "")[-1:] for event in lab.engine.streams.buffer("mock")] == ["", "2", ""]


async def test_ids_are_assigned_by_what_is_counted(lab: Lab) -> None:
    stream = await lab.run(events=[raw("a", count=2), {"data": "b"}], repeat=2, resume=ON)
    assert stream.text == "aid: 3\ndata: b\n\naid: 6\ndata: b\n\n"
    assert (await come_back(lab, "3")).text == "aid: 6\ndata: b\n\n"


async def test_ids_in_bytes_stay_the_same_in_later_passes(lab: Lab) -> None:
    events = [raw("id: x\n\n", id="x"), {"data": "1", "id": "y"}]
    stream = await lab.stream(events=events, repeat=0, timing={"fixedDelay": 1000}, resume=ON)
    await lab.clock.advance(2.5)
    await stream.hang_up()
    assert stream.text == "id: x\n\nid: y\ndata: 1\n\nid: x\n\n"
    again = await come_back(lab, "x")
    await lab.clock.advance(2)
    assert again.text == "id: y#2\ndata: 1\n\nid: x\n\n"
    lab.mock(mock_id="other", events=[*events, {"data": "2", "id": "x#2"}], repeat=3, resume=ON)  # clashes with none


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_what_is_no_longer_held_is_made_again(lab: Lab, size: int) -> None:
    events = [raw("id: 1\n\n", id="1"), *[raw(letter) for letter in "abcdefgh"], raw("id: 2\n\n", id="2")]
    resume = {"enabled": True, "bufferSize": size}
    await cut(lab, 60, events=events, resume=resume)
    again = await come_back(lab, "1")
    await lab.clock.advance(60)
    assert again.text == "abcdefghid: 2\n\n"


async def test_equal_ids_are_refused_with_their_place(recorded: Lab, tmp_path: Path) -> None:
    (tmp_path / "twice").write_bytes(b"id: 1\ndata: a\n\nid: 1\ndata: b\n\n")
    assert (await recorded.run(eventsFile="twice", raw=True)).body == (tmp_path / "twice").read_bytes()
    with pytest.raises(ConfigError) as caught:
        recorded.mock(mock_id="other", eventsFile="twice", raw=True, resume=ON)
    assert caught.value.problems[0].path == ("sse", "eventsFile", 1, "id")


@pytest.mark.parametrize("text", ["{% csrf %} {{ request.path }}", "{{ request.path | nope }}", "$random:a:b"])
async def test_a_file_that_cannot_be_filled_in_may_be_sent_as_it_stands(
    recorded: Lab, tmp_path: Path, text: str
) -> None:
    (tmp_path / "tag").write_text(f"data: {text}\n\n")
    with pytest.raises(ConfigError, match="`raw: true` beside `eventsFile`") as caught:
        recorded.mock(eventsFile="tag")
    assert caught.value.problems[0].path == ("sse", "eventsFile", 0, "data")
    assert (await recorded.run(eventsFile="tag", raw=True)).text == f"data: {text}\n\n"


async def test_the_buffer_shows_what_was_sent(lab: Lab) -> None:
    await lab.stream(events=[raw("id: 1\n\n", id="1"), {"rawBase64": "/w=="}], resume=ON)
    shown = [(event.get("id"), event["event"]) for event in lab.engine.streams.buffer("mock")]
    assert shown == [("1", {"raw": "id: 1\n\n"}), (None, {"rawBase64": "/w=="})]


# -- what goes with it -------------------------------------------------------------------------------------------------


async def test_a_file_that_is_compressed_may_say_so(recorded: Lab, tmp_path: Path) -> None:
    import gzip

    (tmp_path / "packed").write_bytes(gzip.compress(RECORDED, mtime=0))
    for kind in ("sse", "chunked"):
        headers = {"Content-Encoding": "gzip"}
        stream = await recorded.run(kind, eventsFile="packed", raw=True, headers=headers)
        assert gzip.decompress(stream.body) == RECORDED
        recorded.engine.delete("mock")
        with pytest.raises(ConfigError):
            recorded.mock(kind, eventsFile="recorded", raw=True, headers=headers)


def test_the_configuration_comes_back_as_it_was(lab: Lab) -> None:
    events = [{"rawBase64": "/wA=", "id": "1", "count": 3}, {"raw": "\r\n"}]
    lab.mock(events=events)
    [spec] = lab.engine.mocks()
    assert spec.values["sse"]["events"] == events


async def test_words_are_still_filled_in_beside_it(lab: Lab) -> None:
    stream = await lab.run(events=[*words(1), {"data": "$$"}, raw("$$")])
    assert stream.text == "data: 1\n\ndata: $\n\n$$"
