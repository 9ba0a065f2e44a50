"""Faults on real connections: what arrives is the promised prefix, byte for byte, and the end is the promised one."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import TLS, speaking_tls
from tests.wire.sockets import PATIENCE_S, Client, body_of, curl, eventually

WAYS: dict[str, dict[str, Any]] = {"plain": {}, "TLS": TLS}
EVENTS = [{"data": "1"}, {"data": "zwei ü"}, {"type": "t", "data": {"n": 3}}]
TOKENS = {"tokens": ["a", "b", "c"]}
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "one by one": {"sse": {"events": EVENTS, "flush": "event"}},
    "paced": {"sse": {"events": EVENTS, "timing": {"fixedDelay": 4}}},
    "drawn delays": {"sse": {"events": EVENTS, "timing": {"randomDelay": {"max": 3}}, "seed": 5}},
    "drawn data": {"sse": {"events": [{"data": "$uuid"}, {"data": "$random:1:9"}], "seed": 5}},
    "repeated": {"sse": {"events": EVENTS, "repeat": 3}},
    "resume": {"sse": {"events": EVENTS, "resume": {"enabled": True}}},
    "heartbeats": {
        "sse": {
            "events": [{"data": "1"}, {"data": "2", "delay": 25}],
            "lifecycle": {"heartbeat": {"every": 9, "text": "h"}},
        }
    },
    "final event": {"sse": {"events": EVENTS, "lifecycle": {"termination": {"finalEvent": {"data": "bye"}}}}},
    "NDJSON": {"chunked": {"ndjsonItems": [{"a": 1}, {"b": "ü"}, 3]}},
    "chunked": {"chunked": {"data": "0123456789abcdef", "chunkSize": 5}},
    "file": {"chunked": {"dataFile": "lines.txt", "format": "ndjson"}},
    "whole": {"response": {"body": {"a": [1, 2, 3]}}},
    "whole file": {"response": {"bodyFile": "lines.txt"}},
    "model": {"sse": {"template": "openai-chat", "templateParams": TOKENS, "seed": 5}},
    "JSON array": {"sse": {"template": "gemini", "templateParams": TOKENS, "seed": 5}},
}
PATHS = {"JSON array": "/v1beta/models/m:streamGenerateContent"}
NO_BLOCKS = {"NDJSON", "chunked", "file", "whole", "whole file", "JSON array"}
"""Kinds whose events are no blocks that end with a blank line."""
CHANGING = re.compile(rb'date: [^\r]*|"created":\d+|x-request-id: [^\r]*')
"""What differs between two answers of the same length."""


@pytest.fixture(scope="module", params=WAYS.values(), ids=WAYS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMockd]:
    root = tmp_path_factory.mktemp("files")
    (root / "lines.txt").write_text("eins\nzwei ü\ndrei\n", encoding="utf-8")
    settings = Settings(allow_fault_header=True, fault_timeout=1, send_buffer=8 << 20, files_root=str(root))
    mocks = [{"id": kind, "matcher": {"path": path_of(kind)}, **mock} for kind, mock in KINDS.items()]
    with running_mockd(*mocks, settings=settings, **request.param) as running:
        yield speaking_tls(running) if request.param else running


def same_end(server: RunningMockd, end: str) -> set[str]:
    """The ends that look like this one: under TLS, Python takes a reset for an end. curl does not."""
    return {end, "fin"} if server.url.startswith("https") else {end}


def path_of(kind: str) -> str:
    return PATHS.get(kind, "/" + kind.replace(" ", "-"))


def read(client: Client, silence_s: float = 0.5) -> tuple[bytes, str]:
    """All that comes, and how it ends: `fin`, `rst`, or `silence` for so long. Until something comes, it may take
    longer."""
    client.socket.settimeout(PATIENCE_S)
    data = b""
    try:
        while part := client.socket.recv(65536):
            data += part
            client.socket.settimeout(silence_s)
    except ConnectionResetError:
        return data, "rst"
    except TimeoutError:
        return data, "silence"
    except ssl.SSLEOFError:  # the end of the connection without that of TLS
        return data, "fin"
    return data, "fin"


def ask(server: RunningMockd, kind: str, fault: str | None = None, **headers: str) -> tuple[bytes, str]:
    given = {"Connection": "close", **headers} | ({"X-Mockd-Fault": fault} if fault else {})
    with Client(server.url) as client:
        return read(client.ask(path_of(kind), headers=given), PATIENCE_S)


def same(data: bytes) -> bytes:
    """Data without what changes from answer to answer."""
    return CHANGING.sub(b"~", data)


def whole_of(server: RunningMockd, kind: str) -> bytes:
    with Client(server.url) as client:
        return read(client.ask(path_of(kind), headers={"Connection": "close"}), PATIENCE_S)[0]


def record(server: RunningMockd) -> dict[str, Any]:
    """The record of the exchange that ended last."""
    eventually(lambda: not server.engine.connections.live())
    exchange = server.engine.connections.listed("ended")[-1]
    assert exchange.faults is not None
    return exchange.faults[-1]


def strides(server: RunningMockd, action: str) -> int:
    """The share of places to look at: all of them only in the clear, by resets."""
    return (5 if server.url.startswith("https") else 1) * (1 if action == "reset" else 3)


ENDS = {"reset": "rst", "close": "fin"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ENDS)
def test_every_byte_of_a_body(server: RunningMockd, kind: str, action: str) -> None:
    body = body_of(whole_of(server, kind))
    step = (1 if len(body) < 60 else 7 if len(body) < 400 else 61) * strides(server, action)
    least = 16 if kind == "heartbeats" else len(body)  # the number of heartbeats depends on the load
    for place in range(0, least, step):
        data, end = ask(server, kind, f"{action} after {place} bytes")
        assert len(body_of(data)) == place
        assert end in same_end(server, ENDS[action])
        if kind != "heartbeats":
            assert same(body_of(data)) == same(body[:place])
    found = record(server)
    assert (found["action"], found["bytes"], found["bytesAcked"], found["fidelity"]) == (action, place, place, "exact")


@pytest.mark.parametrize("kind", ["list", "one by one", "whole", "NDJSON", "model"])
@pytest.mark.parametrize("action", ENDS)
def test_every_byte_of_a_response(server: RunningMockd, kind: str, action: str) -> None:
    """Also inside the head, a chunk-size line, the end of a line, a character."""
    response = ask(server, kind)[0]
    changing = {at for match in CHANGING.finditer(response) for at in range(*match.span())}
    fixed = [at for at in range(len(response)) if at not in changing]
    for place in range(1, len(response) + 1, (1 if len(response) < 300 else 17) * strides(server, action)):
        data, end = ask(server, kind, f"{action} after {place} wire bytes")
        assert len(data) == place
        assert end in same_end(server, ENDS[action])
        assert [data[at] for at in range(place) if at in fixed] == [response[at] for at in fixed if at < place]
    found = record(server)
    assert (found["wireBytes"], found["fidelity"]) == (place, "exact")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in NO_BLOCKS])
def test_every_event(server: RunningMockd, kind: str) -> None:
    body = body_of(whole_of(server, kind))
    blocks = [block + b"\n\n" for block in body.split(b"\n\n")[:-1]]
    for place in range(len(blocks)):
        data, end = ask(server, kind, f"reset after {place} events")
        got = body_of(data)
        # Heartbeats and the last event of a termination are not counted.
        assert same(got) == same(body[: len(got)])
        assert end in same_end(server, "rst")
        assert got.count(b"\n\n") == place or kind == "final event"
        assert record(server)["events"] == place or kind == "final event"


@pytest.mark.parametrize("unit", ["1 event", "5 bytes", "150 wire bytes", "3 ms"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("whole")])
def test_a_stall_loses_nothing(server: RunningMockd, kind: str, unit: str) -> None:
    data, _ = ask(server, kind, f"stall ms=40 after {unit}")
    if kind != "heartbeats":
        assert same(body_of(data)) == same(body_of(whole_of(server, kind)))
    else:
        assert b"data: 1\n\n" in body_of(data)
        assert body_of(data).endswith(b"data: 2\n\n")


@pytest.mark.parametrize("unit", ["1 event", "5 bytes", "200 wire bytes"])
def test_a_stall_for_ever_is_silence_until_the_server_stops(server: RunningMockd, unit: str) -> None:
    with Client(server.url) as client:
        data, end = read(client.ask("/list", headers={"X-Mockd-Fault": f"stall after {unit}"}))
        assert end == "silence"
        (live,) = server.engine.connections.exchanges()
        server.engine.connections.stop([live], "closed_by_admin")
        server.engine.streams.close_all("list")
        rest, end = read(client)
        assert rest.endswith(b"0\r\n\r\n") or (unit.endswith("wire bytes") and (rest, end) == (b"", "fin"))
    assert data.startswith(b"HTTP/1.1 200")


def test_it_strikes_the_requests_that_it_says(server: RunningMockd) -> None:
    faults = ["status 429 retryAfter=2 for requests 1-2", "status 500 for requests 4-", "reset before head every 3"]
    server.engine.create({"id": "some", "matcher": {"path": "/some"}, "response": {"body": "x"}, "faults": faults})
    try:
        seen = []
        for _ in range(6):
            with Client(server.url) as client:
                data, end = read(client.ask("/some", headers={"Connection": "close"}))
            seen.append(data[9:12].decode() or end)
        assert [end.replace("fin", "rst") for end in seen] == ["429", "429", "rst", "500", "500", "rst"]
    finally:
        server.engine.delete("some")


def statuses(profile: str | None, mock: dict[str, Any]) -> list[int]:
    """The statuses of three requests."""
    mock = {"matcher": {"path": "/p"}, "response": {"body": "x"}, **mock}
    found = []
    with running_mockd(mock, settings=Settings(profile=profile)) as server:
        for _ in range(3):
            with Client(server.url) as client:
                found.append(client.ask("/p").read_head()[0])
    return found


def test_profiles_of_a_mock_and_of_the_server() -> None:
    busy = "overloaded-provider"
    assert statuses(None, {}) == [200] * 3
    assert statuses(None, {"profile": busy})[:2] == [429, 503]
    assert statuses(busy, {})[:2] == [429, 503]
    assert statuses("slow-start", {"profile": busy})[:2] == [429, 503]
    assert statuses(None, {"profile": busy, "faults": ["status 500 for requests 1"]})[:2] == [500, 503]
    for settings in (Settings(profile="busy"), None):  # said once by the server, and by each mock that names one
        with pytest.raises(ConfigError, match="there is no profile 'busy'"):
            Engine(settings).create(
                {"matcher": {"path": "/p"}, "response": {}, "profile": "busy"}
                if not settings
                else {"matcher": {"path": "/p"}, "response": {}}
            )


def test_several_faults_strike_in_the_order_of_their_places(server: RunningMockd) -> None:
    data, end = ask(server, "list", "reset after 2 events; stall ms=5 after 1 event; drop after 0 events")
    assert body_of(data) == "data: zwei ü\n\n".encode() + b'event: t\ndata: {"n":3}\n\n'
    assert end in same_end(server, "rst")
    eventually(lambda: not server.engine.connections.live())
    faults = server.engine.connections.listed("ended")[-1].faults
    assert faults is not None
    assert [fault["action"] for fault in faults] == ["drop", "stall", "reset"]


@pytest.mark.parametrize("place", ["1 event", "9 bytes", "2 ms"])
def test_at_one_place_they_strike_in_the_order_given(server: RunningMockd, place: str) -> None:
    lines = [f"{line} after {place}" for line in ("stall 40", 'insert raw=": x\\n"', "delay 40", "close")]
    began = time.monotonic()
    data, end = ask(server, "paced", "; ".join(lines))
    assert time.monotonic() - began >= 0.08
    assert body_of(data).endswith(b"\n\n: x\n")
    assert end == "fin"
    eventually(lambda: not server.engine.connections.live())
    faults = server.engine.connections.listed("ended")[-1].faults
    assert faults is not None
    assert [fault["action"] for fault in faults] == ["stall", "insert", "delay", "close"]
    data, end = ask(server, "paced", "; ".join(reversed(lines)))
    assert b": x" not in data
    assert end == "fin"


SHAPED: dict[str, str] = {
    "drop after 1 event": "134",
    "drop count=2 after 1 event": "14",
    "duplicate after 1 event": "12234",
    "reorder after 1 event": "1324",
    "reorder count=2 after 0 events": "2143",
    "reorder after 3 events": "1234",
    "drop count=9 after 2 events": "12",
    'insert raw="data: x\\n\\n" after 2 events': "12x34",
    'insert event={"data":"x"} after 2 events': "12x34",
}


@pytest.mark.parametrize("line", SHAPED)
@pytest.mark.parametrize("timing", [{}, {"fixedDelay": 2}], ids=["at once", "paced"])
def test_shapes(server: RunningMockd, line: str, timing: dict[str, Any]) -> None:
    events = [{"data": str(number)} for number in range(1, 5)]
    server.engine.create({"id": "s", "matcher": {"path": "/s"}, "sse": {"events": events, "timing": timing}})
    try:
        data, _ = ask(server, "s", line)
        assert "".join(re.findall("data: (.)", body_of(data).decode())) == SHAPED[line]
        assert data.endswith(b"0\r\n\r\n")
        if "3 events" in line and "reorder" in line:
            assert record(server)["events"] == 3
        elif "insert" not in line:
            place = int(re.findall(r"after (\d)", line)[0])
            found = record(server)
            assert (found["events"], found["bytes"], found["fidelity"]) == (place, 9 * place, "exact")
    finally:
        server.engine.delete("s")


def test_data_that_is_cut_or_no_text(server: RunningMockd) -> None:
    event = b'event: t\ndata: {"n":3}\n\n'
    whole = body_of(whole_of(server, "list"))
    assert body_of(ask(server, "list", "malformed after 2 events")[0]) == whole.replace(
        event, b'event: t\ndata: {"n\n\n'
    )
    corrupt = body_of(ask(server, "list", "corrupt bytes=2 after 2 events")[0])
    assert corrupt == whole.replace(b'n":', b"\xff\xff:").replace(b'"\xff', b"\xff") or b'{"\xff\xff:3}' in corrupt
    assert body_of(ask(server, "NDJSON", "malformed at=0 after 1 event")[0]) == b'{"a":1}\n\n3\n'


def test_a_huge_event_has_the_size_that_was_asked_for(server: RunningMockd) -> None:
    for kind in ("list", "NDJSON", "model"):
        whole = len(body_of(whole_of(server, kind)))
        for size in (50, 100_000):
            assert len(body_of(ask(server, kind, f"hugeEvent {size} after 1 event")[0])) == whole + size


def test_no_answer_at_all(server: RunningMockd) -> None:
    assert ask(server, "list", "empty") == (b"", "fin")
    assert ask(server, "list", "close before head") == (b"", "fin")
    data, end = ask(server, "list", "reset before head")
    assert not data
    assert end in same_end(server, "rst")
    data, end = ask(server, "list", "garbage bytes=33")
    assert (len(data), end) == (33, "fin")
    assert not data.startswith(b"HTTP")


def test_another_answer(server: RunningMockd) -> None:
    with Client(server.url) as client:
        status, headers = client.ask("/model", headers={"X-Mockd-Fault": "status 429 retryAfter=2"}).read_head()
        assert (status, headers["retry-after"], headers["x-ratelimit-remaining-requests"]) == (429, "2", "0")
        assert b'"error"' in client.read_exactly(int(headers["content-length"]))
    with Client(server.url) as client:
        line = 'status 503 body={"a":1} retryAfter="1500ms"'
        status, headers = client.ask("/list", headers={"X-Mockd-Fault": line}).read_head()
        assert (status, headers["retry-after"], headers["retry-after-ms"]) == (503, "2", "1500")
        assert client.read_exactly(7) == b'{"a":1}'
    with Client(server.url) as client:
        line = 'header set={"content-type":"text/html","x-a":"b"} remove=["cache-control","date","server"]'
        _, headers = client.ask("/list", headers={"X-Mockd-Fault": line}).read_head()
        assert (headers["content-type"], headers["x-a"]) == ("text/html", "b")
        assert not {"cache-control", "date", "server"} & headers.keys()


@pytest.mark.parametrize("length", [5, 500])
def test_a_length_that_lies_ends_the_connection(server: RunningMockd, length: int) -> None:
    with Client(server.url) as client:
        client.ask("/list", headers={"X-Mockd-Fault": f'header set={{"content-length":"{length}"}}'})
        data, end = read(client)
    head, _, body = data.partition(b"\r\n\r\n")
    assert f"content-length: {length}".encode() in head
    assert body == body_of(whole_of(server, "list"))
    assert end == "fin"
    eventually(lambda: not server.engine.connections.live())


ILLEGAL = {
    "badChunk after 1 event": 56,
    "longChunk after 1 event": 56,
    "shortChunk after 1 event": 18,
    "close after 1 event": 18,
    "reset after 1 event": 56,
    "empty": 52,
    "end after 1 event": 0,
}


@pytest.mark.parametrize(
    "line", ["end after 2 bytes", "insert raw=x after 2 bytes", "hugeEvent 9", "garbage after 1 bytes"]
)
def test_a_promised_length_is_kept(server: RunningMockd, line: str) -> None:
    data, _ = ask(server, "whole", line)
    assert record(server)["fidelity"] == "unsupported"
    assert same(data) == same(whole_of(server, "whole"))


@pytest.mark.parametrize("line", ILLEGAL)
def test_what_curl_says(server: RunningMockd, line: str) -> None:
    code, out = curl(server.url + "/paced", "--insecure", "--header", f"X-Mockd-Fault: {line}")
    assert code == ILLEGAL[line]
    assert out.startswith("data: 1\n\n") or line == "empty"


def test_a_throttle_takes_its_time(server: RunningMockd) -> None:
    with Client(server.url) as client:
        client.ask("/list", headers={"X-Mockd-Fault": "throttle bytesPerSecond=200 after 1 event"}).read_head()
        chunks = client.read_chunks()
    assert b"".join(chunks) == body_of(whole_of(server, "list"))
    assert len(chunks) >= 4


def test_an_error_event_ends_the_stream(server: RunningMockd) -> None:
    data, _ = ask(server, "model", "error type=overloaded after 2 events")
    body = body_of(data)
    assert b'"type":"overloaded"' in body
    assert b"[DONE]" not in body
    assert data.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("line", "place"),
    [("reste after 3 events", "character 1"), ("reset after x", "character 13"), ("end before head", "character 5")],
)
def test_a_header_that_cannot_be_read(server: RunningMockd, line: str, place: str) -> None:
    with Client(server.url) as client:
        status, headers = client.ask("/list", headers={"X-Mockd-Fault": line}).read_head()
        assert status == 400
        assert place.encode() in client.read_exactly(int(headers["content-length"]))


def test_a_header_is_ignored_unless_it_is_allowed(caplog: pytest.LogCaptureFixture) -> None:
    mock = {"matcher": {"path": "/list"}, "sse": {"events": EVENTS}}
    with running_mockd(mock) as server:
        for _ in range(2):
            assert ask(server, "list", "reset before head")[0].endswith(b"0\r\n\r\n")
    assert caplog.text.count("--allow-fault-header") <= 1


def test_a_client_that_does_not_read_is_broken_off_all_the_same(server: RunningMockd) -> None:
    events = [{"data": "x" * 100_000}]
    server.engine.create({"id": "l", "matcher": {"path": "/l"}, "sse": {"events": events, "repeat": 200}})
    try:
        with Client(server.url) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.ask("/l", headers={"X-Mockd-Fault": "reset after 150000 bytes"})
            eventually(lambda: server.engine.connections.live("l"))
            eventually(lambda: not server.engine.connections.live("l"))
        assert record(server)["fidelity"] == "emulated"
    finally:
        server.engine.delete("l")
