"""The bytes on the socket: heads, chunks and the three ways to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, curl, eventually

FINAL = {"finalEvent": {"type": "close", "data": "bye"}}
EVENTS = [{"data": "1"}, {"data": "2"}]
STREAMS: dict[str, tuple[dict[str, Any], list[bytes], bytes, bytes]] = {
    # kind: configuration, chunks, final event, error event
    "sse": (
        {"sse": {"events": EVENTS, "flush": "event"}},
        [b"data: 1\n\n", b"data: 2\n\n"],
        b"event: close\ndata: bye\n\n",
        b"event: error\n",
    ),
    "paced sse": (
        {"sse": {"events": EVENTS, "timing": {"fixedDelay": 20}, "flush": "event"}},
        [b"data: 1\n\n", b"data: 2\n\n"],
        b"event: close\ndata: bye\n\n",
        b"event: error\n",
    ),
    "sse with resume": (
        {"sse": {"events": EVENTS, "timing": {"fixedDelay": 20}, "flush": "event", "resume": {"enabled": True}}},
        [b"id: 1\ndata: 1\n\n", b"id: 2\ndata: 2\n\n"],
        b"event: close\ndata: bye\n\n",
        b"event: error\n",
    ),
    "chunked": ({"chunked": {"data": "abcde", "chunkSize": 3, "chunkDelay": 20}}, [b"abc", b"de"], b"bye", b'{"error"'),
    "ndjson": ({"chunked": {"ndjsonItems": [1, [2]], "flush": "event"}}, [b"1\n", b"[2]\n"], b"bye\n", b'{"error"'),
}


def add(server: RunningMockd, config: dict[str, Any], life: dict[str, Any] | None = None) -> None:
    kind, part = next(iter(config.items()))
    server.engine.create({"matcher": {"path": "/s"}, kind: {**part, **({"lifecycle": life} if life else {})}})


@pytest.mark.parametrize("kind", STREAMS)
def test_a_clean_end(everywhere: RunningMockd, kind: str) -> None:
    config, chunks, final, _ = STREAMS[kind]
    add(everywhere, config, {"termination": FINAL})
    with Client(everywhere.url) as client:
        status, headers = client.ask("/s").read_head()
        assert (status, headers["transfer-encoding"]) == (200, "chunked")
        assert client.read_chunks() == [*chunks, final]
        # The connection is whole, and takes the next request.
        assert client.ask("/s").read_head()[0] == 200
        assert client.read_chunks() == [*chunks, final]


@pytest.mark.parametrize("kind", STREAMS)
def test_an_error_end_is_clean_too(everywhere: RunningMockd, kind: str) -> None:
    config, chunks, _, error = STREAMS[kind]
    add(everywhere, config, {"termination": {"type": "error"}})
    with Client(everywhere.url) as client:
        client.ask("/s").read_head()
        found = client.read_chunks()
    assert found[:-1] == chunks
    assert found[-1].startswith(error)


@pytest.mark.parametrize("kind", STREAMS)
def test_an_abrupt_end_has_no_last_chunk(unwrapped: RunningMockd, kind: str) -> None:
    config, chunks, *_ = STREAMS[kind]
    add(unwrapped, config, {"termination": {"type": "abrupt", **FINAL}})
    with Client(unwrapped.url) as client:
        client.ask("/s").read_head()
        assert client.read_to_end() == b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


@pytest.mark.parametrize(
    ("life", "code"),
    [
        ({}, 0),
        ({"termination": FINAL}, 0),
        ({"termination": {"type": "error"}}, 0),
        ({"termination": {"type": "abrupt"}}, 18),
        ({"simulateDisconnect": 1}, 18),
        ({"simulateDisconnect": 0}, 18),
        ({"maxEvents": 1, "termination": {"type": "abrupt"}}, 18),
        ({"connectionTimeout": 0.05, "keepOpen": True, "termination": {"type": "abrupt"}}, 18),
    ],
    ids=str,
)
def test_what_curl_makes_of_it(unwrapped: RunningMockd, life: dict[str, Any], code: int) -> None:
    add(unwrapped, STREAMS["sse"][0], life)
    exit_code, text = curl(unwrapped.url + "/s")
    assert exit_code == code
    assert text.startswith("data: 1\n\n") or life.get("simulateDisconnect") == 0


def test_a_middleware_that_rebuilds_responses_ends_them_cleanly(behind_middleware: RunningMockd) -> None:
    """Starlette's BaseHTTPMiddleware ends every response itself, even of an app that failed."""
    add(behind_middleware, STREAMS["sse"][0], {"termination": {"type": "abrupt", **FINAL}})
    assert curl(behind_middleware.url + "/s") == (0, "data: 1\n\ndata: 2\n\n")


def test_one_chunk_for_every_event(everywhere: RunningMockd) -> None:
    events = [{"data": str(number)} for number in range(100)]
    add(everywhere, {"sse": {"events": events, "flush": "event"}})
    with Client(everywhere.url) as client:
        client.ask("/s").read_head()
        assert client.read_chunks() == [b"data: %d\n\n" % number for number in range(100)]


def test_one_chunk_for_every_event_of_a_burst(everywhere: RunningMockd) -> None:
    events = [{"data": str(number)} for number in range(30)]
    timing = {"burst": {"count": 10, "interval": 0, "pause": 20}}
    add(everywhere, {"sse": {"events": events, "flush": "event", "timing": timing}})
    with Client(everywhere.url) as client:
        client.ask("/s").read_head()
        assert client.read_chunks() == [b"data: %d\n\n" % number for number in range(30)]


def test_requests_sent_at_once_are_answered_one_after_the_other(everywhere: RunningMockd) -> None:
    add(everywhere, STREAMS["paced sse"][0])
    with Client(everywhere.url) as client:
        client.ask("/s").ask("/s").ask("/s")
        for _ in range(3):
            assert client.read_head()[0] == 200
            assert client.read_chunks() == STREAMS["paced sse"][1]


def test_one_chunk_for_so_many_bytes(everywhere: RunningMockd) -> None:
    add(everywhere, {"chunked": {"data": "x" * 300_000, "chunkSize": 100_000, "flush": "event"}})
    with Client(everywhere.url) as client:
        client.ask("/s").read_head()
        assert [len(chunk) for chunk in client.read_chunks()] == [100_000] * 3


@pytest.mark.parametrize("extra", [{}, {"timing": {"fixedDelay": 1}}])
def test_events_of_any_size(everywhere: RunningMockd, extra: dict[str, Any]) -> None:
    data = "".join(chr(97 + number % 26) for number in range(1_000_000))
    add(everywhere, {"sse": {"events": [{"data": data}, {"data": "é"}], **extra}})
    with Client(everywhere.url) as client:
        client.ask("/s").read_head()
        assert b"".join(client.read_chunks()) == f"data: {data}\n\ndata: é\n\n".encode()


def test_bytes_that_are_no_text(everywhere: RunningMockd) -> None:
    add(everywhere, {"chunked": {"data": "é", "chunkSize": 1, "chunkDelay": 1}})
    with Client(everywhere.url) as client:
        client.ask("/s").read_head()
        assert client.read_chunks() == [b"\xc3", b"\xa9"]


@pytest.mark.parametrize("more", [{"chunkSize": 7}, {"chunkSize": 100_000}, {"format": "ndjson"}], ids=str)
@pytest.mark.parametrize("delay", [0, 1])
def test_a_file_of_any_length(tmp_path: Path, more: dict[str, Any], delay: int) -> None:
    content = b"".join(b'{"line":%d}\n' % number for number in range(200 if delay else 20_000))
    (tmp_path / "data.ndjson").write_bytes(content)
    mock = {"matcher": {"path": "/s"}, "chunked": {"dataFile": "data.ndjson", "chunkDelay": delay, **more}}
    with running_mockd(mock, settings=Settings(files_root=str(tmp_path))) as server, Client(server.url) as client:
        client.ask("/s").read_head()
        assert b"".join(client.read_chunks()) == content


# -- heads -------------------------------------------------------------------------------------------------------------


def test_the_head_comes_before_any_delay(everywhere: RunningMockd) -> None:
    add(everywhere, {"sse": {"events": EVENTS, "timing": {"initialDelay": 3_600_000}}})
    with Client(everywhere.url) as client:
        status, headers = client.ask("/s").read_head()
        assert status == 200
        assert headers["content-type"] == "text/event-stream"
        assert headers["cache-control"] == "no-cache"
        assert headers["x-accel-buffering"] == "no"
        assert headers["connection"] == "keep-alive"


def test_a_client_that_wants_no_further_requests(server: RunningMockd) -> None:
    add(server, STREAMS["sse"][0])
    with Client(server.url) as client:
        _, headers = client.ask("/s", headers={"Connection": "close"}).read_head()
        assert headers["connection"] == "close"
        assert client.read_chunks() == STREAMS["sse"][1]
        assert client.read_to_end() == b""


@pytest.mark.parametrize("kind", STREAMS)
def test_head(everywhere: RunningMockd, kind: str) -> None:
    add(everywhere, STREAMS[kind][0])
    with Client(everywhere.url) as client:
        assert client.ask("/s", method="HEAD").read_head()[0] == 200
        assert client.ask("/missing").read_head()[0] == 404
    assert everywhere.engine.connections.live() == []


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("life", [{}, {"termination": FINAL}], ids=str)
def test_http_1_0_is_ended_by_closing(server: RunningMockd, kind: str, life: dict[str, Any]) -> None:
    config, chunks, final, _ = STREAMS[kind]
    add(server, config, life)
    with Client(server.url) as client:
        status, headers = client.ask("/s", version="1.0").read_head()
        assert status == 200
        assert "transfer-encoding" not in headers
        assert headers.get("connection") == "close"
        body = b"".join(chunks) + (final if life.get("termination") == FINAL else b"")
        assert client.read_to_end() == body


@pytest.mark.parametrize("kind", STREAMS)
def test_an_abrupt_end_over_http_1_0_is_a_reset(server: RunningMockd, kind: str) -> None:
    """Closed, the connection would look like the end of the body."""
    config, chunks, _, _ = STREAMS[kind]
    add(server, config, {"termination": {"type": "abrupt"}})
    with Client(server.url) as client:
        assert client.ask("/s", version="1.0").read_head()[0] == 200
        with pytest.raises(ConnectionResetError):
            client.read_to_end()
        assert client.received == b"".join(chunks)


@pytest.mark.parametrize("said", ["then", {"omit": True}], ids=str)
@pytest.mark.parametrize("name", ["Date", "Server"])
@pytest.mark.parametrize("part", [{"response": {"body": "abc"}}, STREAMS["sse"][0]], ids=["whole", "stream"])
def test_the_servers_own_headers_are_the_mocks_to_say(
    server: RunningMockd, part: dict[str, Any], name: str, said: Any
) -> None:
    [(kind, config)] = part.items()
    add(server, {kind: {**config, "headers": {name: said}}})
    with Client(server.url) as client:
        raw = client.ask("/s").read_until(b"\r\n\r\n").lower()
    values = [line.partition(b": ")[2] for line in raw.split(b"\r\n") if line.startswith(name.lower().encode() + b":")]
    assert values == ([b"then"] if said == "then" else [])


@pytest.mark.parametrize("name", ["Date", "Server"])
def test_the_servers_own_headers_are_the_sources_to_say(server: RunningMockd, name: str) -> None:
    params = {"what": "script", "headers": {name: "then"}}
    add(server, {"sse": {"template": "tests.stream.deciding:DECIDING", "templateParams": params}})
    with Client(server.url) as client:
        raw = client.ask("/s").read_until(b"\r\n\r\n").lower()
    assert [line for line in raw.split(b"\r\n") if line.startswith(name.lower().encode())] == [
        name.lower().encode() + b": then"
    ]


def test_http_1_0_and_a_plain_response(server: RunningMockd) -> None:
    add(server, {"response": {"body": "abc"}})
    with Client(server.url) as client:
        assert client.ask("/s", version="1.0").read_head()[1]["content-length"] == "3"
        assert client.read_to_end() == b"abc"


def test_http_1_0_leaves_no_trace_in_the_log(server: RunningMockd, caplog: pytest.LogCaptureFixture) -> None:
    add(server, STREAMS["sse"][0])
    with Client(server.url) as client:
        client.ask("/s", version="1.0").read_head()
        client.read_to_end()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_an_abrupt_end_leaves_no_trace_in_the_log(server: RunningMockd, caplog: pytest.LogCaptureFixture) -> None:
    add(server, STREAMS["sse"][0], {"termination": {"type": "abrupt"}})
    assert curl(server.url + "/s")[0] == 18
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("delay", [0, 1])
def test_clients_that_leave_at_once_leave_no_trace_in_the_log(
    everywhere: RunningMockd, caplog: pytest.LogCaptureFixture, delay: int, reads: bool
) -> None:
    add(everywhere, {"sse": {"events": [{"data": "x" * 50}] * 400, "repeat": 0, "timing": {"fixedDelay": delay}}})
    for _ in range(50):
        with Client(everywhere.url) as client:
            client.ask("/s")
            if reads:
                client.socket.recv(100)
    eventually(lambda: not len(everywhere.engine.connections))
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_last_event_id_is_utf_8(everywhere: RunningMockd) -> None:
    events = [{"data": "1", "id": "é1"}, {"data": "2", "id": "é2"}]
    add(everywhere, {"sse": {"events": events, "resume": {"enabled": True}}})
    assert curl(everywhere.url + "/s")[1] == "id: é1\ndata: 1\n\nid: é2\ndata: 2\n\n"
    assert curl(everywhere.url + "/s", "-H", "Last-Event-ID: é1")[1] == "id: é2\ndata: 2\n\n"
    assert curl(everywhere.url + "/s", "-H", "Last-Event-ID: é2", "-w", "%{http_code}")[1] == "204"
