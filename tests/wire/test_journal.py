"""The journal: every request is in it, as it came, with what became of it, and without credentials."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockd.client import AdminClient
from mockd.errors import AdminError
from mockd.request import LARGE_BODY
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import mounted
from tests.wire.sockets import Client, eventually

CHAT = {"matcher": {"path": "/chat"}, "sse": {"template": "openai-chat", "templateParams": {"tokens": ["a", " b"]}}}
MOCKS: tuple[dict[str, Any], ...] = (
    {"id": "chat", **CHAT},
    {"id": "list", "matcher": {"path": "/list"}, "sse": {"events": [{"data": "x"}] * 3}},
    {
        "id": "paced",
        "matcher": {"path": "/paced"},
        "sse": {"events": [{"data": "x"}] * 3, "timing": {"fixedDelay": 5}},
    },
    {
        "id": "endless",
        "matcher": {"path": "/endless"},
        "sse": {"events": [{"data": "x"}], "repeat": 0, "timing": {"fixedDelay": 5}},
    },
    {"id": "ndjson", "matcher": {"path": "/nd"}, "chunked": {"ndjsonItems": [{"a": 1}, {"b": 2}]}},
    {"id": "whole", "matcher": {"path": "/whole"}, "response": {"status": 201, "body": {"a": 1}}},
    {
        "id": "broken",
        "matcher": {"path": "/broken"},
        "sse": {"events": [{"data": "x"}] * 3},
        "faults": ["close after 1 event"],
    },
    {"id": "large", "matcher": {"path": "/large", "bodyContains": "needle"}, "response": {"body": "found"}},
)


@pytest.fixture(params=["mockd's own", "h11", "mounted"])
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    if request.param == "mounted":
        with mounted() as mockd:
            for mock in MOCKS:
                mockd.engine.create(mock)
            yield mockd
    else:
        options = {} if request.param == "mockd's own" else {"http": request.param}
        with running_mockd(*MOCKS, **options) as mockd:
            yield mockd


def asked(server: RunningMockd, raw: bytes) -> None:
    """Send a request, and read all of its answer."""
    with Client(server.url) as client:
        client.send(raw)
        while client.socket.recv(65536):
            pass


def request(server: RunningMockd, path: str, method: str = "GET", body: bytes = b"", *headers: str) -> bytes:
    prefix = urlsplit(server.url).path
    lines = [f"{method} {prefix}{path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def ended(admin: AdminClient, count: int) -> list[dict[str, Any]]:
    """The requests of the journal, once that many have ended."""

    def are_there() -> bool:
        return sum(entry["outcome"] is not None for entry in admin.list_requests()["requests"]) >= count

    eventually(are_there)
    requests: list[dict[str, Any]] = admin.list_requests()["requests"]
    return requests


def only(server: RunningMockd, raw: bytes) -> dict[str, Any]:
    with admin_of(server) as admin:
        asked(server, raw)
        (entry,) = ended(admin, 1)
        return entry


def admin_of(server: RunningMockd) -> AdminClient:
    return server.admin()


@pytest.mark.parametrize(
    ("path", "method", "mock", "status", "events", "outcome"),
    [
        ("/chat", "POST", "chat", 200, None, "completed"),
        ("/list", "GET", "list", 200, 3, "completed"),
        ("/paced", "GET", "paced", 200, 3, "completed"),
        ("/nd", "GET", "ndjson", 200, 2, "completed"),
        ("/whole", "GET", "whole", 201, None, "completed"),
        ("/whole", "HEAD", "whole", 201, 0, "completed"),
        ("/nothing", "GET", None, 404, 0, "completed"),
        ("/broken", "GET", "broken", 200, 1, "aborted"),
    ],
)
def test_every_kind_of_answer_is_in_it(
    server: RunningMockd, path: str, method: str, mock: str | None, status: int, events: int | None, outcome: str
) -> None:
    body = b'{"messages": [{"role": "user", "content": "hi"}], "stream": true}' if method == "POST" else b""
    entry = only(server, request(server, path + "?a=1&a=&b", method, body))
    assert (entry["method"], entry["path"], entry.get("mockId")) == (method, path, mock)
    assert entry["query"] == [["a", "1"], ["a", ""], ["b", ""]]
    assert (entry["status"], entry["outcome"]) == (status, outcome)
    assert events is None or entry["eventsSent"] == events
    assert (entry["body"].encode(), entry["bodyBytes"], entry["bodyCut"]) == (body, len(body), False)
    assert 0 <= entry["firstByteMs"] <= entry["lastByteMs"]
    assert ("nearMisses" in entry) is (mock is None)
    assert ("connectionId" in entry) is (mock is not None and method != "HEAD")
    assert [fault["action"] for fault in entry["faults"]] == (["close"] if path == "/broken" else [])
    with admin_of(server) as admin:
        if "connectionId" in entry:
            assert admin.get_connection(entry["connectionId"])["mockId"] == mock
        assert admin.get_request(entry["id"]) == entry


def test_a_stream_is_in_it_from_its_beginning(server: RunningMockd) -> None:
    with admin_of(server) as admin:
        with Client(server.url) as client:
            client.ask("/endless")
            for _ in range(3):
                client.read_until(b"x\n\n")
            (entry,) = admin.list_requests()["requests"]
            assert (entry["outcome"], entry["endedBy"], entry["status"]) == (None, None, 200)
        (entry,) = ended(admin, 1)
        assert (entry["outcome"], entry["endedBy"]) == ("client_disconnected", entry["endedBy"])
        assert entry["lateness"]["maxMs"] >= entry["lateness"]["p99Ms"] >= entry["lateness"]["p50Ms"] >= 0


def test_a_preflight_is_not_in_it(server: RunningMockd) -> None:
    origin = ("Origin: http://a.test", "Access-Control-Request-Method: GET")
    asked(server, request(server, "/list", "OPTIONS", b"", *origin))
    entry = only(server, request(server, "/list", "GET", b"", *origin))
    assert entry["method"] == "GET"


def test_the_admin_api_and_probes_are_not_in_it(server: RunningMockd) -> None:
    asked(server, request(server, "/__mockd/health"))
    with admin_of(server) as admin:
        assert admin.list_requests() == {"requests": [], "total": 0, "dropped": 0}


# -- bytes as they came ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [1, 2, 60])
def test_header_names_are_as_they_came(pieces: int) -> None:
    raw = b"POST /whole HTTP/1.1\r\nHost: x\r\nX-CaSe:  a b\r\nCONNECTION: close\r\ncontent-length: 3\r\n\r\nabc"
    with running_mockd(*MOCKS) as server:
        with Client(server.url) as client:
            size = -(-len(raw) // pieces)
            for start in range(0, len(raw), size):
                client.send(raw[start : start + size])
                eventually(lambda: True)
            while client.socket.recv(65536):
                pass
        with admin_of(server) as admin:
            (entry,) = ended(admin, 1)
    assert entry["headers"] == [["Host", "x"], ["X-CaSe", "a b"], ["CONNECTION", "close"], ["content-length", "3"]]
    assert entry["body"] == "abc"


def test_pipelined_requests_are_told_apart() -> None:
    raw = b"".join(b"GET /whole?%d HTTP/1.1\r\nHost: x\r\nX-N: %d\r\n\r\n" % (n, n) for n in range(5))
    with running_mockd(*MOCKS) as server, admin_of(server) as admin:
        with Client(server.url) as client:
            client.send(raw)
            entries = ended(admin, 5)
        assert [entry["query"] for entry in entries] == [[[str(n), ""]] for n in range(5)]
        assert [entry["headers"][1] for entry in entries] == [["X-N" if n == 0 else "x-n", str(n)] for n in range(5)]


def test_a_large_body_is_cut(server: RunningMockd) -> None:
    body = "é".encode() * 50_000 + b"needle"
    entry = only(server, request(server, "/large", "POST", body))
    assert (entry["mockId"], entry["bodyBytes"], entry["bodyCut"]) == ("large", len(body), True)
    assert entry["body"] == "é" * (64 * 1024 // 2)


def test_a_body_that_is_no_text_is_in_base64(server: RunningMockd) -> None:
    entry = only(server, request(server, "/whole", "POST", b"\xff\x00abc"))
    assert base64.b64decode(entry["bodyBase64"]) == b"\xff\x00abc"
    assert "body" not in entry


def test_a_request_whose_body_never_came() -> None:
    with running_mockd(*MOCKS) as server, admin_of(server) as admin:
        with Client(server.url) as client:
            client.send(b"POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
            eventually(lambda: admin.list_requests()["total"] == 1)
            (entry,) = admin.list_requests()["requests"]
            assert (entry["bodyBytes"], entry["status"], entry["outcome"]) == (None, None, None)
        (entry,) = ended(admin, 1)
        assert (entry["bodyBytes"], entry["status"], entry["outcome"]) == (None, None, "client_disconnected")


def test_refused_requests_are_in_it() -> None:
    with running_mockd(*MOCKS, settings=Settings(max_body=10, max_connections=1)) as server, admin_of(server) as admin:
        asked(server, request(server, "/whole", "POST", b"x" * 11))
        with Client(server.url) as client:
            client.ask("/endless").read_until(b"x\n\n")
            asked(server, request(server, "/list"))
            entries = admin.list_requests()["requests"]
        assert [entry["status"] for entry in entries] == [413, 200, 503]
        assert [entry["bodyBytes"] for entry in entries] == [None, 0, 0]
        assert "connectionId" not in entries[2]


# -- credentials -------------------------------------------------------------------------------------------------------


def test_the_same_credential_has_the_same_hash_and_the_rest_stays() -> None:
    with running_mockd(*MOCKS) as server, admin_of(server) as admin:
        for value in ("one", "two", "one"):
            asked(server, request(server, "/whole", "POST", b'{"a":"b"}', f"Authorization: {value}"))
        hashes = [dict(entry["headers"])["Authorization"] for entry in ended(admin, 3)]
        assert hashes[0] == hashes[2] != hashes[1]
        assert admin.list_requests()["requests"][0]["body"] == '{"a":"b"}'


def test_credentials_can_be_kept() -> None:
    settings = Settings(journal_secrets=True)
    with running_mockd(*MOCKS, settings=settings) as server:
        body = b'{"api_key": "c"}'
        entry = only(server, request(server, "/whole?token=b", "POST", body, "Authorization: a"))
        assert dict(entry["headers"])["Authorization"] == "a"
        assert (entry["query"], entry["body"].encode()) == ([["token", "b"]], body)


# -- which, and how many -----------------------------------------------------------------------------------------------


def test_requests_are_chosen_by_filters() -> None:
    with running_mockd(*MOCKS) as server, admin_of(server) as admin:
        for path, method in (("/whole", "GET"), ("/list", "GET"), ("/nothing", "GET"), ("/whole", "POST")):
            asked(server, request(server, path, method))
        ids = [entry["id"] for entry in ended(admin, 4)]
        times = [entry["time"] for entry in admin.list_requests()["requests"]]

        def chosen(**filters: object) -> list[int]:
            return [ids.index(entry["id"]) for entry in admin.list_requests(**filters)["requests"]]  # type: ignore[arg-type]

        assert chosen(mock="whole") == [0, 3]
        assert chosen(method="post") == [3]
        assert chosen(path="/list") == [1]
        assert chosen(status=404) == [2]
        assert chosen(matched=False) == [2]
        assert chosen(matched=True, method="GET") == [0, 1]
        assert chosen(outcome="completed") == [0, 1, 2, 3]
        assert chosen(outcome="aborted") == []
        assert chosen(key="other") == []
        assert chosen(key="") == [0, 1, 2, 3]
        assert chosen(since=times[0]) == [0, 1, 2, 3]
        assert chosen(until=times[0]) == []
        assert chosen(limit=2) == [2, 3]
        assert chosen(after=ids[0], limit=2) == [1, 2]
        assert chosen(after=ids[3]) == []
        assert admin.list_requests(limit=1)["total"] == 4
        assert admin.forget_requests(path="/whole")["forgotten"] == 2
        assert chosen() == [1, 2]
        assert admin.forget_requests()["forgotten"] == 2


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"status": "abc"}, "'abc' is no HTTP status"),
        ({"matched": "maybe"}, "'maybe' is neither true nor false"),
        ({"outcome": "fine"}, "'fine' is none of completed"),
        ({"since": "yesterday"}, "'yesterday' is no time of RFC 3339"),
        ({"until": "2024-01-15T10:30:00"}, "has no time zone"),
        ({"after": "17"}, "Request not found: 17"),
        ({"after": "req-0123456789ab000001"}, "Request not found: req-0123456789ab000001"),
        ({"paht": "/x"}, "unknown query parameter 'paht'"),
        ({"limit": -1}, "is no whole number"),
    ],
)
def test_a_wrong_filter_is_refused(filters: dict[str, Any], said: str) -> None:
    with running_mockd() as server, admin_of(server) as admin, pytest.raises(AdminError, match=said):
        admin.list_requests(**filters)


def test_attempts_are_counted() -> None:
    with running_mockd(*MOCKS) as server, admin_of(server) as admin:
        for body in (b"a", b"b", b"a", b"a"):
            asked(server, request(server, "/whole", "POST", body))
        assert [entry["attempt"] for entry in ended(admin, 4)] == [1, 1, 2, 3]


def test_the_oldest_are_let_go_of() -> None:
    with running_mockd(*MOCKS, settings=Settings(journal=3)) as server, admin_of(server) as admin:
        for number in range(10):
            asked(server, request(server, f"/whole?{number}"))
        eventually(lambda: admin.list_requests()["requests"][-1]["outcome"] is not None)
        answer = admin.list_requests()
        assert [entry["query"][0][0] for entry in answer["requests"]] == ["7", "8", "9"]
        assert (answer["total"], answer["dropped"]) == (3, 7)


@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "body later"])
def test_its_bytes_are_bounded(is_late: bool) -> None:
    with running_mockd(*MOCKS, settings=Settings(journal_bytes=100_000)) as server, admin_of(server) as admin:
        for number in range(20):
            raw = request(server, f"/whole?{number}", "POST", b"x" * 20_000)
            with Client(server.url) as client:
                client.send(raw[:-10_000] if is_late else raw)
                if is_late:
                    eventually(
                        lambda number=number: admin.list_requests(limit=1)["requests"][0]["query"][0][0] == str(number)
                    )
                    client.send(raw[-10_000:])
                while client.socket.recv(65536):
                    pass
        entries = admin.list_requests()["requests"]
        assert [entry["query"][0][0] for entry in entries] == ["16", "17", "18", "19"]
        assert admin.forget_requests()["forgotten"] == 4
        journal = server.engine.journal
        assert journal is not None
        assert journal._bytes == 0


def newest(admin: AdminClient) -> dict[str, Any]:
    requests: list[dict[str, Any]] = admin.list_requests(limit=1)["requests"]
    return requests[0] if requests else {"query": None}


@pytest.mark.parametrize("way", ["at once", "body later", "apart"])
def test_bytes_of_near_misses_are_bounded_too(way: str) -> None:
    headers = {f"x-{number}": "nope" for number in range(30)}
    near = {"id": "near", "matcher": {"path": "/near", "headers": headers}, "response": {}}
    with running_mockd(near, settings=Settings(journal_bytes=200_000)) as server, admin_of(server) as admin:
        body = b"x" * (LARGE_BODY + 1 if way == "apart" else 100)
        for number in range(20):
            raw = request(server, f"/near?{number}", "POST", body)
            with Client(server.url) as client:
                client.send(raw[:-10] if way == "body later" else raw)
                if way == "body later":
                    eventually(
                        lambda number=number: admin.list_requests()["requests"][-1]["query"] == [[str(number), ""]]
                    )
                    client.send(raw[-10:])
                while client.socket.recv(65536):
                    pass
        entries = admin.list_requests()["requests"]
        assert entries[-1]["query"] == [["19", ""]]
        size = sum(len(json.dumps(entry)) for entry in entries)
        assert 20_000 < size < 200_000
        assert len(entries) < 10
        assert admin.forget_requests()["forgotten"] == len(entries)
        journal = server.engine.journal
        assert journal is not None
        assert journal._bytes == 0


def test_there_may_be_no_journal() -> None:
    with running_mockd(*MOCKS, settings=Settings(journal=0)) as server, admin_of(server) as admin:
        asked(server, request(server, "/whole"))
        with pytest.raises(AdminError, match="--journal 0"):
            admin.list_requests()


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("http://a.test/whole?a=1", "/whole", [["a", "1"]]),
        ("/whole?a=%20b&c", "/whole", [["a", " b"], ["c", ""]]),
        ("/whole?", "/whole", []),
        ("/~k/whole", "/~k/whole", []),
        ("/wh%6Fle", "/wh%6Fle", []),
        ("//whole", "//whole", []),
    ],
)
def test_targets_are_as_they_came(target: str, path: str, query: list[list[str]]) -> None:
    with running_mockd(*MOCKS) as server:
        entry = only(server, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert (entry["rawPath"], entry["query"]) == (path, query)
