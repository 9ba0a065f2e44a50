"""Independent readers of event streams: they agree on what mockd sent."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import httpx_sse
import pytest

from mockd.engine import Engine
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.conftest import PATIENCE_S, Serve
from tests.programs import program
from tests.spec.quick_clock import QuickClock

pytestmark = pytest.mark.clients

Events = list[tuple[str, str, str]]
"""Type, data and last event id of each event."""

FETCH = """
const [url] = process.argv.slice(1);
const response = await fetch(url, { headers: { 'x-custom': '1' } });
const pieces = [];
let error = null;
try {
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) pieces.push(piece);
} catch (failure) {
  error = failure.name;
}
console.log(JSON.stringify({ status: response.status, type: response.headers.get('content-type'), pieces, error }));
"""

EVENT_SOURCE = """
const [url, ...types] = process.argv.slice(1);
const events = [];
setInterval(() => {}, 1000);  // Node does not wait for an EventSource that is about to come back
const source = new EventSource(url);
for (const type of ['message', ...types]) {
  source.addEventListener(type, (event) => events.push([event.type, event.data, event.lastEventId]));
}
source.onerror = () => {
  if (source.readyState === EventSource.CLOSED) {
    console.log(JSON.stringify(events));
    process.exit(0);
  }
};
"""


def node(script: str, *arguments: str) -> Any:
    """What a script prints, as JSON. The test is skipped if there is no Node that can run it."""
    result = subprocess.run(
        [program("node"), "--experimental-eventsource", "--input-type=module", "-e", script, "--", *arguments],
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE_S,
    )
    if result.returncode == 9:  # an option that it does not know
        pytest.skip("Node is too old: it has no EventSource")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def with_httpx_sse(url: str) -> Events:
    with httpx.Client(timeout=PATIENCE_S) as client, httpx_sse.connect_sse(client, "GET", url) as source:
        return [(event.event, event.data, event.id) for event in source.iter_sse()]


def with_httpx2(url: str) -> Events:
    with httpx2.stream("GET", url, timeout=PATIENCE_S) as answer:
        return [(event.event, event.data, event.id or "") for event in httpx2.EventSource(answer)]


def with_node(url: str) -> Events:
    return [tuple(event) for event in node(EVENT_SOURCE, url, "update", "ready")]


READERS = [with_httpx_sse, with_httpx2, with_node]

AWKWARD: list[dict[str, Any]] = [
    {"data": " a space before, and one after ", "id": "1"},
    {"type": "update", "data": {"b": [1, None, True], "a": "\u2028"}},
    {"comment": "between events"},
    {"data": "one\r\ntwo\rthree\nfour", "id": "2", "comment": "in one"},
    {"data": "\u2028\u2029\u0085\x0b\x0c\x1c \U0001f600"},
    {"data": "", "id": "3"},
    {"type": "ready", "data": ":not a comment", "retry": 20},
    {"data": "data: not a field"},
]
READ: Events = [
    ("message", " a space before, and one after ", "1"),
    ("update", '{"b":[1,null,true],"a":"\\u2028"}', "1"),
    ("message", "one\ntwo\nthree\nfour", "2"),
    ("message", "\u2028\u2029\u0085\x0b\x0c\x1c \U0001f600", "2"),
    ("message", "", "3"),
    ("ready", ":not a comment", "3"),
    ("message", "data: not a field", "3"),
]


@pytest.mark.parametrize("read", READERS)
def test_awkward_events_read_the_same_everywhere(serve: Serve, read: Callable[[str], Events]) -> None:
    # Whoever comes back is told to stay away.
    done = {
        "priority": 1,
        "matcher": {"path": "/events", "headers": {"Last-Event-ID": "3"}},
        "response": {"status": 204},
    }
    mockd = serve({"matcher": {"path": "/events"}, "sse": {"events": AWKWARD}}, done)
    assert read(mockd.url + "/events") == READ


@pytest.mark.parametrize("read", READERS)
def test_keepalives_after_an_id_make_no_ghost_events(read: Callable[[str], Events]) -> None:
    mock = {
        "matcher": {"path": "/events"},
        "sse": {
            "events": [{"id": "1", "data": "a"}, {"data": "b", "id": "2", "delay": 17_000}],
            "lifecycle": {"keepaliveInterval": 5},
            "resume": {"enabled": True},
            "retry": 20,
        },
    }
    with running_mockd(mock, engine=Engine(Settings(), clock=QuickClock(50.0))) as mockd:
        assert read(mockd.url + "/events") == [("message", "a", "1"), ("message", "b", "2")]


def test_node_comes_back_until_it_has_everything(serve: Serve) -> None:
    events = [{"data": str(number)} for number in range(7)]
    sse = {"events": events, "retry": 20, "resume": {"enabled": True}, "lifecycle": {"simulateDisconnect": 3}}
    mockd = serve({"matcher": {"path": "/events"}, "sse": sse})
    assert [data for _, data, _ in with_node(mockd.url + "/events")] == [str(number) for number in range(7)]


def test_node_fetch_reads_chunks_as_they_come(serve: Serve) -> None:
    mockd = serve({"matcher": {"path": "/log"}, "chunked": {"ndjsonItems": [1, {"a": "é"}, None], "chunkDelay": 250}})
    answer = node(FETCH, mockd.url + "/log")
    assert "".join(answer["pieces"]) == '1\n{"a":"é"}\nnull\n'
    assert len(answer["pieces"]) > 1  # a machine that is busy may read two at once
    assert (answer["status"], answer["type"], answer["error"]) == (200, "application/x-ndjson", None)


def test_node_fetch_sees_a_broken_connection(serve: Serve) -> None:
    lifecycle = {"keepOpen": True, "connectionTimeout": 0.2, "termination": {"type": "abrupt"}}
    mockd = serve({"matcher": {"path": "/events"}, "sse": {"events": [{"data": "a"}], "lifecycle": lifecycle}})
    answer = node(FETCH, mockd.url + "/events")
    assert (answer["pieces"], answer["error"]) == (["data: a\n\n"], "TypeError")
