"""Every file in `examples/sse` is served, and sends what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths
from mockd.engine import Engine
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.spec import page
from tests.spec.chat import chat_parts
from tests.spec.quick_clock import QuickClock
from tests.spec.reading import Answer, events_seen, read
from tests.spec.test_page import UUID

FOLDER = Path(__file__).parents[2] / "examples" / "sse"
SPECS = {Path(str(spec.origin.source)).name: spec for spec in load_paths([str(FOLDER)])}
SPEED = 20.0
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def check_hello_world(answer: Answer) -> None:
    assert answer.body == b"data: Hello\n\ndata: World\n\n"
    assert answer.seconds >= 1.0


def check_typed(answer: Answer) -> None:
    events = [(event["event"], event["id"]) for event in answer.events]
    assert events == [("message", "1"), ("alert", "2"), ("update", "3"), ("heartbeat", "4")]
    assert answer.events[0]["data"] == '{"from":"Alice","text":"Hello"}'
    assert answer.events[3]["data"] == '{"uptime":42}'


def check_chat(answer: Answer) -> None:
    said = ["Hello", "!", " How", " can", " I", " help", "?"]
    assert chat_parts(answer.events) == ["role", *said, ("finish", "stop"), "[DONE]"]


def check_yaml_chat(answer: Answer) -> None:
    role, *said, finish, done = chat_parts(answer.events)
    assert (role, finish, done) == ("role", ("finish", "length"), "[DONE]")
    assert "".join(said) == "Streams are lists that take their time."
    assert json.loads(answer.events[0]["data"])["model"] == "asked-for"


def check_ticker(answer: Answer) -> None:
    data = [json.loads(event["data"]) for event in answer.events]
    assert [event["event"] for event in answer.events] == ["price-update"] * 4
    assert [item["symbol"] for item in data] == ["AAPL", "GOOGL", "MSFT", "AAPL"]
    assert 150 <= data[0]["price"] <= 200
    assert -50 <= data[1]["change"] <= 50
    assert all(re.fullmatch(TIME, item["timestamp"]) and re.fullmatch(UUID, item["id"]) for item in data)
    assert len({item["id"] for item in data}) == 4
    assert not answer.complete


def check_download(answer: Answer) -> None:
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    *full, last = (len(chunk) for chunk in answer.chunks)
    assert set(full) == {50}
    assert last < 50
    assert answer.body.startswith(b"This file comes in chunks")
    assert answer.seconds >= len(full) * 0.1


def check_logs(answer: Answer) -> None:
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(chunk) for chunk in answer.chunks]
    assert [line["level"] for line in lines] == ["info", "info", "warn", "error", "info"]
    assert 80 <= lines[2]["percent"] <= 95
    assert re.fullmatch(UUID, lines[3]["request"])
    assert lines[4]["message"] in ("Recovered", "Restarted")
    assert all(re.fullmatch(TIME, line["time"]) for line in lines)


def check_disconnect(answer: Answer) -> None:
    assert answer.body == b'data: {"step":1}\n\ndata: {"step":2}\n\n'
    assert not answer.complete


def check_resume(answer: Answer) -> None:
    assert answer.body == b"id: a\ndata: one\nretry: 500\n\nid: b\ndata: two\n\nid: c\ndata: three\n\n"
    assert not answer.complete


def check_keepalive(answer: Answer) -> None:
    waiting, done = (b"event: status\ndata: %s\n\n" % word for word in (b"waiting", b"done"))
    assert re.fullmatch(waiting + rb"(: keepalive\n){1,2}" + done + rb"(: keepalive\n){1,2}", answer.body)
    assert answer.seconds >= 12 + 5
    assert not answer.complete


def check_burst(answer: Answer) -> None:
    numbers = [{"data": str(number)} for number in range(1, 21)]
    assert answer.events == [*numbers, {"event": "end", "data": "that was all"}]
    assert answer.seconds >= 3 * 1.0


def check_recorded(answer: Answer) -> None:
    assert answer.body == (FOLDER / "recorded.events").read_bytes()
    assert answer.seconds >= 0.3 + 0.9 + 0.1


def check_limited(answer: Answer) -> None:
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")
    assert json.loads(answer.body)["error"]["code"] == "rate_limit_exceeded"


def check_retry(answer: Answer) -> None:
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert json.loads(answer.body)["error"]["code"] == "rate_limit_exceeded"


def check_viewer(answer: Answer) -> None:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.body == (FOLDER / "viewer.html").read_bytes()


POST = {"method": "POST", "body": b'{"stream": true, "model": "asked-for"}'}
CHECKS: dict[str, tuple[dict[str, Any], Callable[[Answer], None]]] = {
    "basic-sse.json": ({}, check_hello_world),
    "basic-sse.yaml": ({}, check_hello_world),
    "burst.json": ({}, check_burst),
    "chunked-download.json": ({}, check_download),
    "disconnect.json": ({}, check_disconnect),
    "keepalive.json": ({"until": lambda body: body.count(b"keepalive") == 3}, check_keepalive),
    "ndjson-stream.json": ({}, check_logs),
    "openai-chat.json": (POST, check_chat),
    "openai-chat.yaml": (POST, check_yaml_chat),
    "rate-limited.json": (POST | {"headers": {"Authorization": "Bearer sk-limited"}}, check_limited),
    "recorded.yaml": ({}, check_recorded),
    "resume.json": ({}, check_resume),
    "retry.json": (POST, check_retry),
    "stock-ticker.json": ({"until": events_seen(4)}, check_ticker),
    "typed-events.json": ({}, check_typed),
    "viewer.json": ({}, check_viewer),
}
MAY_END_OTHERWISE = {"disconnect.json", "keepalive.json", "resume.json", "stock-ticker.json"}


@pytest.fixture(scope="module")
def clock() -> QuickClock:
    return QuickClock(SPEED)


@pytest.fixture(scope="module")
def mockd(clock: QuickClock) -> Iterator[RunningMockd]:
    """All examples, served together."""
    engine = Engine(Settings(), clock=clock)
    engine.load(load_paths([str(FOLDER)]))
    with running_mockd(engine=engine) as running:
        yield running


@pytest.mark.parametrize("file", SPECS)
def test_example_sends_what_it_says(file: str, mockd: RunningMockd, clock: QuickClock) -> None:
    request, check = CHECKS[file]
    path = SPECS[file].mock.matcher.path
    assert path
    answer = read(mockd.url + path, now=clock.monotonic, **request)
    assert answer.complete or file in MAY_END_OTHERWISE
    check(answer)


def test_a_chat_is_answered_at_the_third_attempt(mockd: RunningMockd, clock: QuickClock) -> None:
    def ask() -> Answer:
        return read(mockd.url + "/retry/v1/chat/completions", now=clock.monotonic, **POST)

    answers = {answer.status: answer for answer in (ask() for _ in range(3))}  # in a cycle, wherever that is by now
    assert set(answers) == {429, 500, 200}
    assert chat_parts(answers[200].events)[1:-2] == ["The", " third", " attempt", " works", "."]


def test_the_files_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"^- `([\w-]+\.json)`", page.TEXT, re.MULTILINE))
    assert len(named) == 6
    assert named <= SPECS.keys()


def test_the_page_has_its_first_example_word_for_word() -> None:
    [block] = [block for block in page.blocks("json") if block.heading == "Using Configuration File"]
    assert block.json.items() <= SPECS["basic-sse.json"].doc.items()


def test_no_two_examples_answer_the_same_request() -> None:
    by_request = [
        (spec.mock.matcher.method, spec.mock.matcher.path, tuple(spec.mock.matcher.headers)) for spec in SPECS.values()
    ]
    assert len(set(by_request)) == len(SPECS)


def test_the_index_lists_every_file() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w.-]+)\)", index))
    assert linked == {file.name for file in FOLDER.iterdir()} - {"README.md"}


def test_the_viewer_offers_every_stream_that_a_page_can_open() -> None:
    html = (FOLDER / "viewer.html").read_text(encoding="utf-8")
    offered = set(re.findall(r"<option>([^<]+)</option>", html))
    streams = {
        spec.mock.matcher.path
        for file, spec in SPECS.items()
        if spec.mock.sse and spec.mock.matcher.method == "GET" and file != "basic-sse.yaml"
    }
    assert offered == streams
