"""The page's command lines, as they stand, through a real shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mockd.engine import Engine
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.cli.harness import PATIENCE_S, clean_environ
from tests.programs import program
from tests.spec import page
from tests.spec.chat import chat_parts
from tests.spec.quick_clock import QuickClock
from tests.spec.reading import Answer, events_seen, parse_events, read

BIN = Path(sys.executable).parent
EXAMPLES = Path(__file__).parents[2] / "examples" / "sse"
DEFAULT_ANSWER = "Hello! How can I help you today?"

ADDS = [command for block in page.blocks("bash") for command in block.commands if command.startswith("mockd")]
CURLS = [command for block in page.blocks("bash") for command in block.commands if command.startswith("curl")]


def shell(command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("bash"), "-c", command],
        env={**clean_environ(), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environ},
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE_S,
    )


def shells(commands: list[str], **environ: str) -> dict[str, subprocess.CompletedProcess[str]]:
    """Results by command; they run side by side, as most of their time is waiting."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(commands, pool.map(lambda command: shell(command, **environ), commands), strict=True))


def place(command: str) -> str:
    """The path that a command is about."""
    found = re.search(r"--path (\S+)|localhost:\d+(\S+)", command)
    assert found
    return found[1] or found[2]


# -- mockd add ---------------------------------------------------------------------------------------------------------

SPEED = 50.0


@pytest.fixture(scope="module")
def clock() -> QuickClock:
    return QuickClock(SPEED)


@pytest.fixture(scope="module")
def mockd(clock: QuickClock) -> Iterator[RunningMockd]:
    with running_mockd(engine=Engine(Settings(), clock=clock)) as running:
        yield running


@pytest.fixture(scope="module")
def added(mockd: RunningMockd) -> dict[str, subprocess.CompletedProcess[str]]:
    """Every `mockd add` of the page, run against one server."""
    return shells(ADDS, MOCKD_ADMIN_URL=mockd.admin_url)


def check_events(answer: Answer) -> None:
    assert answer.events == [
        {"event": "connected", "data": '{"status":"ok"}'},
        {"event": "update", "data": '{"count":1}'},
        {"event": "update", "data": '{"count":2}'},
    ]
    assert answer.complete
    assert answer.seconds >= 2 * 0.5


def check_chat(answer: Answer) -> None:
    role, *said, finish, done = chat_parts(answer.events)
    assert (role, "".join(said), finish, done) == ("role", DEFAULT_ANSWER, ("finish", "stop"), "[DONE]")
    assert answer.seconds >= (len(said) - 1) * 0.1  # the flag's default
    assert answer.complete


def check_notifications(answer: Answer) -> None:
    assert [event.keys() for event in answer.events] == [{"event", "data"}] * 4
    for event in answer.events:
        assert json.loads(event["data"])["type"] == event["event"]
    assert answer.complete


def check_endless(answer: Answer) -> None:
    assert answer.events == [{"event": "ping", "data": "{}"}] * 4
    assert answer.seconds >= 3 * 1.0
    assert not answer.complete


def check_keepalive(answer: Answer) -> None:
    assert answer.body == b'event: data\ndata: {"value":1}\n\n' + b": keepalive\n" * 2
    assert answer.seconds >= 2 * 15
    assert not answer.complete


AFTER_ADD: dict[str, tuple[dict[str, Any], Callable[[Answer], None]]] = {
    "/events": ({}, check_events),
    "/v1/chat/completions": ({"method": "POST"}, check_chat),
    "/notifications": ({}, check_notifications),
    "/stream": ({"until": events_seen(4)}, check_endless),
    "/long-poll": ({"until": lambda body: body.count(b"keepalive") == 2}, check_keepalive),
}


@pytest.mark.parametrize("command", ADDS, ids=place)
def test_what_a_line_adds_streams(
    command: str,
    added: dict[str, subprocess.CompletedProcess[str]],
    mockd: RunningMockd,
    clock: QuickClock,
) -> None:
    result = added[command]
    assert result.returncode == 0, result.stderr
    assert "Created mock: http_" in result.stdout
    request, check = AFTER_ADD[place(command)]
    answer = read(mockd.url + place(command), now=clock.monotonic, **request)
    assert answer.status == 200
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    check(answer)


def test_the_defaults_of_the_flags_are_those_of_the_table(mockd: RunningMockd) -> None:
    shell("mockd add --id plain --path /plain --sse --sse-event hello", MOCKD_ADMIN_URL=mockd.admin_url)
    spelt_out = "--sse-delay 100 --sse-repeat 1 --sse-keepalive 0"
    shell(f"mockd add --id full --path /full --sse --sse-event hello {spelt_out}", MOCKD_ADMIN_URL=mockd.admin_url)
    plain, full = (mockd.engine.get(mock_id).mock.sse for mock_id in ("plain", "full"))
    assert plain
    assert full
    assert plain.timing == full.timing
    assert plain.lifecycle == full.lifecycle
    assert (plain.repeat or 1) == (full.repeat or 1) == 1


# -- curl --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def curled() -> dict[str, subprocess.CompletedProcess[str]]:
    """Every curl line of the page, run against the examples in real time."""
    program("curl")
    with running_mockd(settings=Settings(config=(str(EXAMPLES),))) as running:
        here = running.url.removeprefix("http://")
        lines = [command.replace("localhost:4280", here) + " --max-time 10 -sS" for command in CURLS]
        results = shells(lines)
    return dict(zip(CURLS, results.values(), strict=True))


def chat_text(output: str) -> None:
    said = chat_parts(parse_events(output.encode()))
    assert said == ["role", "Hello", "!", " How", " can", " I", " help", "?", ("finish", "stop"), "[DONE]"]


def file_text(output: str) -> None:
    data = json.loads((EXAMPLES / "chunked-download.json").read_text())["chunked"]["data"]
    assert output == data


def log_lines(output: str) -> None:
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["level"] for line in lines] == ["info", "info", "warn", "error", "info"]


def hello_world(output: str) -> None:
    assert output == "data: Hello\n\ndata: World\n\n"


OUTPUTS: dict[str, Callable[[str], None]] = {
    "/events": hello_world,
    "/v1/chat/completions": chat_text,
    "/download/file": file_text,
    "/api/logs/stream": log_lines,
}


@pytest.mark.parametrize("command", CURLS, ids=place)
def test_what_a_curl_line_prints(command: str, curled: dict[str, subprocess.CompletedProcess[str]]) -> None:
    result = curled[command]
    assert (result.returncode, result.stderr) == (0, "")
    OUTPUTS[place(command)](result.stdout)
