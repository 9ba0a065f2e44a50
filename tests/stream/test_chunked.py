"""Text, files and NDJSON in chunks."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths
from mockd.errors import ConfigError
from tests.stream.harness import PATH, Exchange, Lab

pytestmark = pytest.mark.anyio

ODD = "\u2028\u2029\u0085"


def payloads(stream: Exchange) -> list[bytes]:
    return [part for _, part in stream.writes]


# -- text --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{"chunkDelay": 5}, {"flush": "event"}], ids=str)
@pytest.mark.parametrize(
    ("data", "size", "chunks"),
    [
        ("abcdefg", 3, [b"abc", b"def", b"g"]),
        ("abcdef", 3, [b"abc", b"def"]),
        ("abc", 100, [b"abc"]),
        ("", 3, []),
        ("éa", 1, [b"\xc3", b"\xa9", b"a"]),
        ("$pick(abcdefg)", 3, [b"abc", b"def", b"g"]),
        ("x" * 3000, None, [b"x" * 1024, b"x" * 1024, b"x" * 952]),
        ("x" * 250_000, 200_000, [b"x" * 200_000, b"x" * 50_000]),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_one_chunk_for_so_many_bytes(
    lab: Lab, data: str, size: int | None, chunks: list[bytes], more: dict[str, Any]
) -> None:
    config = {"data": data, **({"chunkSize": size} if size else {})}
    stream = await lab.run("chunked", **config, **more)
    assert payloads(stream) == chunks
    assert lab.ended["eventsSent"] == len(chunks)


async def test_delay_is_between_chunks(lab: Lab) -> None:
    stream = await lab.run("chunked", data="abcd", chunkSize=1, chunkDelay=100)
    assert stream.writes == [(0, b"a"), (100, b"b"), (200, b"c"), (300, b"d")]
    assert stream.ended_at == 300


async def test_delays_of_filled_in_text_are_the_same(lab: Lab) -> None:
    stream = await lab.run("chunked", data="$pick(abcd)", chunkSize=1, chunkDelay=100)
    assert stream.writes == [(0, b"a"), (100, b"b"), (200, b"c"), (300, b"d")]


async def test_without_a_delay_chunks_may_be_joined(lab: Lab) -> None:
    stream = await lab.run("chunked", data="x" * 10_000, chunkSize=10)
    assert stream.body == b"x" * 10_000
    assert len(stream.writes) < 1000
    assert lab.ended["eventsSent"] == 1000


async def test_head_of_a_chunked_response(lab: Lab) -> None:
    stream = await lab.run("chunked", data="x")
    assert stream.headers == {
        "content-type": "application/octet-stream",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
    }


async def test_head_of_the_mock_wins(lab: Lab) -> None:
    headers = {"Content-Type": "text/plain", "Content-Disposition": "attachment"}
    stream = await lab.run("chunked", data="x", status=206, headers=headers)
    assert stream.status == 206
    assert stream.headers["content-type"] == "text/plain"
    assert stream.headers["content-disposition"] == "attachment"


# -- NDJSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "body"),
    [
        (
            {"ndjsonItems": [{"b": 1, "a": [None]}, 2, "x", None, True, "", []]},
            '{"b":1,"a":[null]}\n2\n"x"\nnull\ntrue\n""\n[]\n',
        ),
        ({"ndjsonItems": [1], "format": "ndjson"}, "1\n"),
        ({"ndjsonItems": []}, ""),
        ({"ndjsonItems": ["a\nb", 'q"', "é"]}, '"a\\nb"\n"q\\""\n"é"\n'),
        ({"ndjsonItems": [{"a": ODD}, ODD]}, '{"a":"\\u2028\\u2029\\u0085"}\n"\\u2028\\u2029\\u0085"\n'),
        ({"ndjsonItems": [12345678901234567890, 0.1, -0]}, "12345678901234567890\n0.1\n0\n"),
        ({"ndjsonItems": ["$random:3:3", {"n": "$random:3:3"}, "n=$random:3:3"]}, '3\n{"n":3}\n"n=3"\n'),
        ({"ndjsonItems": ['$pick(a"b)', "$$5"]}, '"a\\"b"\n"$5"\n'),
        ({"data": '{"a":1}\n{"b":2}', "format": "ndjson"}, '{"a":1}\n{"b":2}\n'),
        ({"data": '{"a":1}\r\n\n\n{"b":2}\n', "format": "ndjson"}, '{"a":1}\n{"b":2}\n'),
        ({"data": '{"n":$random:3:3 }\nx', "format": "ndjson"}, '{"n":3 }\nx\n'),
        ({"data": f'{{"a":"{ODD}"}}', "format": "ndjson"}, '{"a":"\\u2028\\u2029\\u0085"}\n'),
    ],
    ids=str,
)
async def test_lines(lab: Lab, config: dict[str, Any], body: str) -> None:
    stream = await lab.run("chunked", **config)
    assert stream.text == body
    assert stream.headers["content-type"] == "application/x-ndjson"
    assert lab.ended["eventsSent"] == body.count("\n")
    assert lab.ended["kind"] == "ndjson"


@pytest.mark.parametrize(
    "config", [{"ndjsonItems": [1, 2, 3]}, {"data": "1\n2\n3", "format": "ndjson", "chunkSize": 1}]
)
async def test_one_chunk_for_each_line_with_a_delay(lab: Lab, config: dict[str, Any]) -> None:
    stream = await lab.run("chunked", **config, chunkDelay=100)
    assert stream.writes == [(0, b"1\n"), (100, b"2\n"), (200, b"3\n")]


async def test_one_chunk_for_each_line_with_flush_event(lab: Lab) -> None:
    stream = await lab.run("chunked", ndjsonItems=[1, "x" * 100_000, 3], flush="event")
    assert [len(part) for part in payloads(stream)] == [2, 100_003, 2]


async def test_items_are_filled_in_afresh_for_every_connection(lab: Lab) -> None:
    lab.mock("chunked", ndjsonItems=[{"id": "$uuid"}, {"id": "$uuid"}])
    bodies = [(await lab.open()).text for _ in range(3)]
    assert len({json.loads(line)["id"] for body in bodies for line in body.splitlines()}) == 6


async def test_text_is_filled_in_afresh_for_every_connection(lab: Lab) -> None:
    lab.mock("chunked", data="$uuid", chunkSize=7)
    assert len({(await lab.open()).text for _ in range(3)}) == 3


# -- passes ------------------------------------------------------------------------------------------------------------

SOURCES = {
    "text": ({"data": "abcde", "chunkSize": 2}, [b"ab", b"cd", b"e"]),
    "text with placeholders": ({"data": "$pick(abcde)", "chunkSize": 2}, [b"ab", b"cd", b"e"]),
    "text as lines": ({"data": "1\n2", "format": "ndjson"}, [b"1\n", b"2\n"]),
    "items": ({"ndjsonItems": [1, 2]}, [b"1\n", b"2\n"]),
    "file": ({"dataFile": "data.bin", "chunkSize": 2}, [b"ab", b"c"]),
    "file of lines": ({"dataFile": "data.bin", "format": "ndjson"}, [b"abc\n"]),
}
NOTHING = {
    "text": {"data": ""},
    "placeholder": {"data": "{{request.query.none}}"},
    "lines": {"data": "\n", "format": "ndjson"},
}


@pytest.mark.parametrize("passes", [1, 3, 0])
@pytest.mark.parametrize("source", SOURCES)
async def test_passes_over_any_source(from_file: Any, source: str, passes: int) -> None:
    config, pieces = SOURCES[source]
    until = {"lifecycle": {"maxEvents": 7}} if passes == 0 else {}
    stream = await from_file(b"abc", **config, repeat=passes, flush="event", **until)
    assert payloads(stream) == (pieces * 7)[:7] if passes == 0 else pieces * passes


@pytest.mark.parametrize("config", NOTHING.values(), ids=NOTHING)
async def test_endless_passes_over_nothing_end(lab: Lab, config: dict[str, Any]) -> None:
    assert (await lab.run("chunked", **config, repeat=0)).body == b""


async def test_endless_passes_over_an_empty_file_end(from_file: Any) -> None:
    assert (await from_file(b"", dataFile="data.bin", repeat=0)).body == b""


async def test_each_pass_is_filled_in_afresh(lab: Lab) -> None:
    stream = await lab.run("chunked", data="$uuid;", repeat=3)
    assert len(set(stream.text.split(";")[:3])) == 3


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def from_file(lab: Lab, tmp_path: Path) -> Any:
    """Serves a file of these bytes beside a configuration file, and gives the whole answer."""

    async def get(content: bytes, **config: Any) -> Exchange:
        (tmp_path / "data.bin").write_bytes(content)
        source = {} if {"data", "ndjsonItems"}.intersection(config) else {"dataFile": "data.bin"}
        mock = {"id": "mock", "matcher": {"path": PATH}, "chunked": {**source, **config}}
        (tmp_path / "mocks.json").write_text(json.dumps(mock))
        lab.engine.load(load_paths([str(tmp_path / "mocks.json")]))
        stream = await lab.open()
        # Files are read by threads, which a manual clock knows nothing of.
        await asyncio.wait_for(asyncio.shield(stream.task), 20)
        return stream

    return get


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 65_536, 300_000])
async def test_a_file_in_chunks(from_file: Any, lab: Lab, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    stream = await from_file(content, chunkSize=1000, flush="event")
    assert stream.body == content
    assert {len(part) for part in payloads(stream)[:-1]} <= {1000}
    assert lab.ended["eventsSent"] == -(-size // 1000)


async def test_a_chunk_larger_than_what_is_read_at_once(from_file: Any) -> None:
    stream = await from_file(b"x" * 500_000, chunkSize=200_000, flush="event")
    assert [len(part) for part in payloads(stream)] == [200_000, 200_000, 100_000]


async def test_a_file_of_lines(from_file: Any) -> None:
    content = b'{"a":1}\n\r\n{"b":"\xe2\x80\xa8"}\r\n"last"'
    stream = await from_file(content, format="ndjson", flush="event")
    assert payloads(stream) == [b'{"a":1}\n', b'{"b":"\\u2028"}\n', b'"last"\n']


async def test_placeholders_in_a_file_stay_as_they_are(from_file: Any) -> None:
    assert (await from_file(b"$uuid $$")).body == b"$uuid $$"


async def test_a_file_that_is_gone_is_an_error_of_the_server(from_file: Any, lab: Lab, tmp_path: Path) -> None:
    await from_file(b"x")
    (tmp_path / "data.bin").unlink()
    stream = await lab.open()
    await asyncio.wait_for(asyncio.shield(stream.task), 20)
    assert stream.json["error"]["code"] == "source_error"
    assert str(tmp_path) not in stream.text
    assert stream.status == 500


async def test_a_client_that_leaves_while_a_file_is_read(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"x" * 1_000_000)
    mock = {"id": "mock", "matcher": {"path": PATH}, "chunked": {"dataFile": "data.bin", "chunkSize": 1}}
    (tmp_path / "mocks.json").write_text(json.dumps(mock))
    lab.engine.load(load_paths([str(tmp_path / "mocks.json")]))
    stream = await lab.open()
    await stream.hang_up()
    assert not stream.is_open
    assert lab.ended["outcome"] == "client_disconnected"


@pytest.mark.parametrize(
    ("repeat", "lines"), [(None, ["1", "{}"]), (1, ["1", "{}"]), (3, ["1", "{}"] * 3), (0, ["1", "{}"] * 500)]
)
async def test_items_several_times(lab: Lab, repeat: int | None, lines: list[str]) -> None:
    passes = {} if repeat is None else {"repeat": repeat}
    life = {"maxEvents": 1000}
    stream = await lab.run("chunked", ndjsonItems=[1, {}], chunkDelay=10, **passes, lifecycle=life)
    assert stream.text.splitlines() == lines
    assert stream.ended_at == 10 * (len(lines) - 1)


async def test_items_of_later_passes_are_filled_in_anew(lab: Lab) -> None:
    stream = await lab.run("chunked", ndjsonItems=["$uuid"], repeat=3)
    assert len(set(stream.text.splitlines())) == 3


@pytest.mark.parametrize("repeat", [0, 1, 2])
async def test_a_template_is_sent_once(repeat: int) -> None:
    with pytest.raises(ConfigError) as refused:
        Lab().mock("chunked", template="ollama-chat", repeat=repeat)
    (problem,) = refused.value.problems
    assert problem.path == ("chunked", "repeat")
    assert "`template`" in problem.message


# -- what chunked streams do not take ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [
        {"lifecycle": {"keepaliveInterval": 5}},
        {"lifecycle": {"maxEvents": -1}},
        {"lifecycle": {"simulateDisconnect": -1}},
        {"repeat": -1},
        {"resume": {"enabled": True}},
        {"rateLimit": {"eventsPerSecond": 1}},
        {"data": None, "dataFile": "x"},
        {"ndjsonItems": []},
        {"format": "csv"},
        {"chunkSize": 0},
        {"chunkDelay": -1},
    ],
    ids=str,
)
async def test_refused(lab: Lab, config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        lab.mock("chunked", **{"data": "x", **config})


# -- whole answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "body", "headers"),
    [
        ({"body": "hi"}, "hi", {"content-type": "text/plain; charset=utf-8", "content-length": "2"}),
        ({"body": {"a": "é"}}, '{"a":"é"}', {"content-type": "application/json", "content-length": "10"}),
        ({"body": [ODD]}, '["\\u2028\\u2029\\u0085"]', {"content-type": "application/json", "content-length": "22"}),
        ({"body": None}, "null", {"content-type": "application/json", "content-length": "4"}),
        ({"body": ""}, "", {"content-type": "text/plain; charset=utf-8", "content-length": "0"}),
        ({}, "", {"content-length": "0"}),
        ({"body": "$random:3:3"}, "3", {"content-type": "text/plain; charset=utf-8", "content-length": "1"}),
        ({"body": {"n": "$random:3:3"}}, '{"n":3}', {"content-type": "application/json", "content-length": "7"}),
        (
            {"body": "<p>", "headers": {"Content-Type": "text/html"}},
            "<p>",
            {"content-type": "text/html", "content-length": "3"},
        ),
    ],
    ids=str,
)
async def test_plain_responses(lab: Lab, config: dict[str, Any], body: str, headers: dict[str, str]) -> None:
    answer = await lab.run("response", **config)
    assert (answer.status, answer.text, answer.headers) == (200, body, headers)
    assert lab.ended["kind"] == "response"


@pytest.mark.parametrize("field", ["status", "statusCode"])
async def test_status_of_a_plain_response(lab: Lab, field: str) -> None:
    answer = await lab.run("response", body={"error": "x"}, **{field: 503})
    assert answer.status == 503


async def test_delay_of_a_plain_response_is_before_its_head(lab: Lab) -> None:
    answer = await lab.run("response", body="x", delay=1500)
    assert [at for at, _ in answer.messages] == [1500, 1500]


async def test_delay_of_a_body_from_a_file_is_before_its_head_too(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "body.txt").write_text("from a file")
    mock = {"id": "mock", "matcher": {"path": PATH}, "response": {"bodyFile": "body.txt", "delay": 1500}}
    (tmp_path / "mocks.json").write_text(json.dumps(mock))
    lab.engine.load(load_paths([str(tmp_path / "mocks.json")]))
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    answer = await lab.open()
    await loop.run_in_executor(None, int)  # behind the opening of the file
    await lab.clock.advance(1.499)
    assert answer.messages == []
    await lab.clock.advance(1)
    await asyncio.wait_for(asyncio.shield(answer.task), 20)
    assert answer.messages[0][0] == 1500
    assert answer.text == "from a file"


async def test_a_plain_response_told_to_end_is_sent_at_once(lab: Lab) -> None:
    answer = await lab.stream("response", body="x", delay=60_000)
    assert lab.engine.streams.close_all("mock") == 1
    await lab.clock.advance(1)
    assert answer.text == "x"
    assert not answer.is_open


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_that_has_no_body(lab: Lab, status: int) -> None:
    answer = await lab.run("response", status=status, headers={"X": "y"})
    assert (answer.status, answer.body, answer.headers) == (status, b"", {"x": "y"})
