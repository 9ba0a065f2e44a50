"""The line that `mockd serve` writes for every request, as a terminal, a file or a pipe gets it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import socket
import sys
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from tests.cli.harness import PATIENCE_S, Serve, Served, mock
from tests.cli.text_log import Text, Write, text_log
from tests.docs.blocks import ROOT, blocks

NOW = {"timing": {"fixedDelay": 0}}
CHAT = {
    "id": "chat",
    "matcher": {"method": "POST", "path": "/chat", "headers": {"X-Team": "red"}},
    "response": {"body": "ok"},
}
MOCKS = [mock("events", "/events", events=[{"data": "a"}, {"data": "b"}], **NOW), CHAT]
COLORS = re.compile(r"\x1b\[\d+m")


@pytest.fixture
def config(write: Write) -> str:
    return str(write("mocks.json", MOCKS))


def sum_of(lines: list[str]) -> int:
    """How many requests had no line of their own."""
    return sum(int(line[1:].removesuffix(" more").replace(",", "")) for line in lines if line.startswith("+"))


def requests_of(server: Served) -> list[dict[str, Any]]:
    return [line for line in server.lines if "method" in line]


# -- what a line says --------------------------------------------------------------------------------------------------


def test_a_line_says_what_was_asked_and_what_became_of_it(config: str) -> None:
    with text_log("--config", config) as (url, lines):
        httpx2.get(url + "/events?token=secret")
        httpx2.post(url + "/chat", headers={"X-Team": "red"})
        httpx2.head(url + "/events")
        httpx2.get(url + "/~t1/events")
    shown = [re.sub(r"^\d\d:\d\d:\d\d\.\d{3}  |\d+(\.\d)? ms", "", line) for line in lines]
    assert shown == [
        "GET /events  200  mock events  2 events  18 bytes    completed",
        "POST /chat  200  mock chat  2 bytes    completed",
        "HEAD /events  200  mock events  0 events  0 bytes    completed",
        "GET /events  key t1  200  mock events  2 events  18 bytes    completed",
    ]


BROKEN: dict[str, Any] = {
    "id": "m",
    "matcher": {"path": "/m"},
    "responses": [{"response": {"body": "a"}}, {"response": {"body": "b"}, "faults": ["status 503", "extraBytes"]}],
}


def test_a_line_names_the_entry_and_the_faults(serve: Serve, write: Write) -> None:
    file = str(write("m.json", [BROKEN]))
    with text_log("--config", file) as (url, lines):
        httpx2.get(url + "/m")
        httpx2.get(url + "/m")
    assert "  mock m, entry 0  " in lines[0]
    assert lines[0].endswith("  completed")
    assert "  503  mock m, entry 1  " in lines[1]
    assert lines[1].endswith("  faults: status, extraBytes")
    server = serve("--config", file)
    httpx2.get(server.mocks + "/m")
    httpx2.get(server.mocks + "/m")
    line = server.wait_for(lambda line: line.get("entry") == 1)
    assert line["faults"] == ["status", "extraBytes"]


def test_a_miss_names_the_nearest_mock_and_what_was_different(config: str) -> None:
    with text_log("--config", config) as (url, lines):
        httpx2.get(url + "/chat", headers={"X-Team": "red"})
        httpx2.get(url + "/nothing/like/it")
    near, far = lines
    assert "GET /chat  404  no mock  " in near
    assert near.endswith('  nearest: chat (71%): path and header X-Team matched, but method expected "POST", got "GET"')
    assert "GET /nothing/like/it  404  no mock  " in far
    assert far.endswith("  completed")


def test_a_line_of_json_has_the_same_as_fields(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    httpx2.get(server.mocks + "/events")
    httpx2.get(server.mocks + "/chat")
    hit = server.wait_for(lambda line: line.get("mockId") == "events")
    miss = server.wait_for(lambda line: line.get("status") == 404)
    assert {name: hit[name] for name in ("level", "message", "method", "path", "status", "eventsSent")} == {
        "level": "info",
        "message": "GET /events 200",
        "method": "GET",
        "path": "/events",
        "status": 200,
        "eventsSent": 2,
    }
    assert (hit["bytesSent"], hit["outcome"]) == (18, "completed")
    assert hit["durationMs"] >= 0
    assert not {"nearest", "key"} & hit.keys()
    httpx2.get(server.mocks + "/events", headers={"X-Mockd-Key": "t1"})
    assert server.wait_for(lambda line: "key" in line)["key"] == "t1"
    known = httpx2.get(f"{server.admin}/sse/connections/{hit['connectionId']}").json()
    assert known["path"] == "/events"
    assert (miss["mockId"], miss["nearest"]["mockId"], miss["nearest"]["matchPercentage"]) == (None, "chat", 42)
    assert miss["nearest"]["reason"].startswith('path matched, but method expected "POST", got "GET"')


def test_the_line_comes_when_the_request_ends_however_it_ends(serve: Serve, write: Write) -> None:
    streams = [
        mock("open", "/open", lifecycle={"keepOpen": True}, **NOW),
        mock("abrupt", "/abrupt", lifecycle={"termination": {"type": "abrupt"}}, **NOW),
        mock("limited", "/limited", events=[{"data": "a"}, {"data": "b"}], lifecycle={"maxEvents": 1}, **NOW),
    ]
    server = serve("--config", str(write("mocks.json", streams)), "--max-body", "10")
    with httpx2.stream("GET", server.mocks + "/open") as answer:
        pieces = answer.iter_bytes()  # the connection is closed with it
        next(pieces)
        with pytest.raises(httpx2.TransportError):
            httpx2.get(server.mocks + "/abrupt")
        httpx2.get(server.mocks + "/limited")
        assert httpx2.post(server.mocks + "/open", content="x" * 11).status_code == 413
        server.wait_for(lambda line: line.get("status") == 413)
        assert [line for line in requests_of(server) if line["path"] == "/open" and line["mockId"]] == []
    left = server.wait_for(lambda line: line.get("mockId") == "open")
    assert left["outcome"] == "client_disconnected"
    assert {line["path"]: line["outcome"] for line in requests_of(server)} == {
        "/open": "client_disconnected",
        "/abrupt": "completed",
        "/limited": "max_events",
    }


def test_a_client_that_leaves_before_its_request_is_complete(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    host, _, port = server.mocks.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as client:
        client.sendall(b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        httpx2.get(server.mocks + "/events")  # by now the first one is being read
    line = server.wait_for(lambda line: line.get("path") == "/chat")
    assert (line["status"], line["mockId"], line["outcome"]) == (None, None, "client_disconnected")


def test_a_mock_that_is_full_is_named(serve: Serve, write: Write) -> None:
    stays = mock("open", "/open", lifecycle={"keepOpen": True}, **NOW)
    server = serve("--config", str(write("mocks.json", stays)), "--max-connections", "1")
    with httpx2.stream("GET", server.mocks + "/open") as answer:
        pieces = answer.iter_bytes()  # the connection is closed with it
        next(pieces)
        httpx2.get(server.mocks + "/open")
    refused = server.wait_for(lambda line: line.get("status") == 503)
    assert refused["mockId"] == "open"


def test_what_nobody_asked_for_has_no_line(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    httpx2.get(server.mocks + "/__mockd/health")
    httpx2.get(server.mocks + "/__mockd/nothing")
    httpx2.get(server.admin + "/mocks")
    preflight = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    assert httpx2.options(server.mocks + "/chat", headers=preflight).status_code == 204
    httpx2.options(server.mocks + "/chat")
    server.wait_for(lambda line: line.get("method") == "OPTIONS")
    assert [(line["method"], line["status"]) for line in requests_of(server)] == [("OPTIONS", 404)]


# -- what a client sends is not obeyed ---------------------------------------------------------------------------------

HOSTILE = ("%1b%5b31mred", "a%0aINFO:%20forged", "%c2%9b31m", "%e2%80%ae", "%ff", "%00", "%7f", "%e2%80%a8")


@pytest.mark.parametrize("format", ["text", "json"])
def test_control_characters_are_escaped(config: str, format: str) -> None:
    with text_log("--config", config, "--log-format", format) as (url, lines):
        for path in HOSTILE:
            httpx2.get(url + "/" + path)
            httpx2.get(url + "/chat", headers={"X-Team": b"\x9b31m\xe9"})
    if format == "text":
        assert len(lines) == 2 * len(HOSTILE)
        assert all(line.isprintable() for line in lines)
        assert r"GET /\x1b[31mred  404" in lines[0]
        assert r"GET /a\nINFO: forged  404" in lines[2]
        assert r'got "\x9b31mé"' in lines[1]
    else:
        said = [json.loads(line) for line in lines]
        assert all(line.isprintable() for line in lines)
        assert r"/\x1b[31mred" in [line.get("path") for line in said]


@pytest.mark.parametrize("format", ["text", "json"])
def test_lines_are_bounded(config: str, format: str) -> None:
    with text_log("--config", config, "--log-format", format) as (url, lines):
        httpx2.request("X" * 3000, url + "/chat" + "%1b" * 9000, headers={"X-Team": "y" * 9000})
        httpx2.get(url + "/chat", headers={"X-Team": "\x1b" * 9000})
        httpx2.get(url + "/chat", headers=[("X-Team", "z" * 300)] * 30)
    assert len(lines) >= 3
    assert all(len(line) < 1500 for line in lines)


# -- how much of it ----------------------------------------------------------------------------------------------------


def test_many_requests_are_summed_up(config: str) -> None:
    asked = 150
    with text_log("--config", config) as (url, lines), httpx2.Client() as client:
        for _ in range(asked):
            client.get(url + "/events")
    assert len([line for line in lines if "GET /" in line]) + sum_of(lines) == asked
    assert lines[20].startswith("+")


def test_a_sum_of_json_says_how_many(serve: Serve, config: str) -> None:
    server = serve("--config", config)
    with httpx2.Client() as client:
        for _ in range(100):
            client.get(server.mocks + "/events")
    assert server.wait_for(lambda line: "more" in line)["message"].endswith(" more")
    server.stop()
    assert len(requests_of(server)) + sum(line.get("more", 0) for line in server.lines) == 100


@pytest.mark.parametrize(
    "quiet", [("--quiet",), ("--log-level", "warning"), ("--log-level", "error"), ("--log-level", "critical")]
)
def test_no_lines_if_they_are_not_wanted(config: str, quiet: tuple[str, ...]) -> None:
    with text_log("--config", config, *quiet) as (url, lines):
        httpx2.get(url + "/events")
        httpx2.get(url + "/nothing")
    assert lines == []


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a pipe can be set on Linux only")
def test_a_log_that_nobody_reads_holds_up_nothing_and_is_summed_up_later(config: str) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)  # after the welcome, nothing waits for more
    with Text("--config", config, stderr=writer) as server:
        os.close(writer)
        with httpx2.Client(timeout=PATIENCE_S) as client:
            for _ in range(30):
                assert client.get(f"{server.url}/{'n' * 190}").status_code == 404
            assert b"GET /n" not in os.read(reader, 65536)
            assert client.get(server.url + "/events").status_code == 200
            server.stop()
            with open(reader, encoding="utf-8") as log:
                lines = log.read().splitlines()
    logged = [line for line in lines if "GET /" in line]
    assert len(logged) + sum_of(lines) == 31
    assert sum_of(lines) > 0


def test_a_log_whose_reader_has_left_fails_nothing(config: str) -> None:
    with Text("--config", config) as server:
        assert server.process.stderr
        server.process.stderr.close()
        for _ in range(3):
            assert httpx2.get(server.url + "/events").status_code == 200
        server.stop()


# -- terminals ---------------------------------------------------------------------------------------------------------


def on_a_terminal(config: str, **environ: str) -> str:
    """What the log of hits and misses, and their sum, looks like on a terminal."""
    controller, terminal = pty.openpty()
    with Text("--config", config, stderr=terminal, **{"TERM": "xterm", "NO_COLOR": "", **environ}) as server:
        os.close(terminal)
        with httpx2.Client() as client:
            for path in ("/events", "/chat") * 15:
                client.get(server.url + path)
        server.stop()
    text = b""
    with open(controller, "rb", buffering=0) as screen, suppress(OSError):  # the end of a terminal, on Linux
        while piece := screen.read(65536):
            text += piece
    return text.decode()


def test_colors_on_a_terminal(config: str) -> None:
    text = on_a_terminal(config)
    assert "\x1b[32m200\x1b[0m" in text
    assert "\x1b[33m404\x1b[0m" in text
    assert re.search(r"\x1b\[2m\+\d+ more\x1b\[0m", text)
    assert "GET /events  200  mock events  2 events" in COLORS.sub("", text)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_no_colors_if_they_are_not_wanted(config: str, environ: dict[str, str]) -> None:
    text = on_a_terminal(config, **environ)
    assert "\x1b" not in text
    assert "GET /events  200" in text


def test_no_colors_in_json(config: str) -> None:
    text = on_a_terminal(config, MOCKD_LOG_FORMAT="json")
    assert "\x1b" not in text
    assert re.search(r'"message": "\+\d+ more"', text)


def test_the_lines_in_the_guide_are_such_lines(write: Write) -> None:
    page = {
        block.label: block.text for block in reversed(blocks(ROOT / "docs" / "guides" / "seeing.md")) if block.label
    }
    with text_log("--config", str(write("mocks.json", page["mocks.json"]))) as (url, lines):
        httpx2.get(url + "/ticks")
        httpx2.get(url + "/orders", headers={"X-Team": "red"})
    varying = re.compile(r"\d\d:\d\d:\d\d\.\d{3}|[\d.]+ ms")
    assert [varying.sub("", line) for line in lines] == varying.sub("", page["not-run"]).splitlines()
