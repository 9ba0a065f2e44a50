"""Another answer for a request whose stream is held before its head."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from mockd.testing import RunningMockd
from tests.wire.holding import SERVERS, Admin, Reader, of, serving
from tests.wire.sockets import PATIENCE_S

EVENTS = [{"data": "1"}, {"data": "2"}]
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "resume": {"sse": {"events": EVENTS, "resume": {"enabled": True}}},
    "faulty": {"sse": {"events": EVENTS}, "faults": ["delay ms=2 after 1 event", "close after 2 events"]},
    "heartbeats": {"sse": {"events": EVENTS, "lifecycle": {"heartbeat": {"every": 5, "text": "h"}}}},
    "NDJSON": {"chunked": {"ndjsonItems": [1, 2]}},
    "whole": {"response": {"body": "whole", "headers": {"X-Own": "1", "Content-Type": "text/x"}}},
    "compressed": {"sse": {"events": EVENTS, "framing": {"encoding": "gzip", "coalesce": 2}}},
    "varying": {"response": {"body": "{{ request.query.n }}"}},
    "chat": {"sse": {"template": "openai-chat", "templateParams": {"text": "Hello"}}},
    "following": {"sse": {"events": EVENTS, "headers": {"X-Own": "{{ request.query.n }}"}}},
    "without": {"sse": {"events": EVENTS, "headers": {"Content-Type": {"omit": True}}}},
}
OWN = {"whole": ("1", "text/x"), "following": ("7", "application/json"), "without": (None, None)}
"""The headers that a mock decides, if they are not the usual ones."""


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    yield from serving(request.param, KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_answers_with_a_status(server: RunningMockd, kind: str) -> None:
    admin = Admin(server)
    admin.post(f"/mocks/{kind}/sse/hold", {"at": "head", "upcoming": 1})
    with httpx2.Client(verify=False, timeout=PATIENCE_S) as client, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(client.get, f"{server.url}/{kind}?n=7", headers={"Origin": "http://page"})
        connection = admin.wait(f"/mocks/{kind}/sse", "held=true")
        admin.post(of(connection) + "/cut", "status 429 retryAfter=2")
        answer = asking.result()
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
        assert answer.headers.get_list("access-control-allow-origin") == ["http://page"]
        assert answer.headers.get_list("content-length") == [str(answer.num_bytes_downloaded)]
        decided = (answer.headers.get("x-own"), answer.headers.get("content-type"))
        assert decided == OWN.get(kind, (None, "application/json"))
        assert answer.headers.get("content-encoding") == ("gzip" if kind == "compressed" else None)
        assert answer.json()["error"]["code"] == ("rate_limit_exceeded" if kind == "chat" else "status_429")
        assert client.get(f"{server.url}/list").status_code == 200
    ended = admin.wait(of(connection), "ended=true")
    assert (ended["outcome"], ended["endedBy"], ended["eventsSent"]) == ("completed", "mockd", 0)
    (fault,) = ended["faults"]
    assert (fault["action"], fault["events"], fault["bytes"], fault["fidelity"]) == ("status", 0, 0, "exact")


@pytest.mark.parametrize(
    ("line", "body", "length"),
    [
        ("status 503 body=no", b"no", [b"content-length: 2"]),
        ("status 204", b"", []),
        ("status 205", b"", [b"content-length: 0"]),
    ],
)
@pytest.mark.parametrize("kind", ["list", "varying"])
def test_a_status_has_its_body(server: RunningMockd, kind: str, line: str, body: bytes, length: list[bytes]) -> None:
    admin = Admin(server)
    admin.post(f"/mocks/{kind}/sse/hold", {"at": "head", "upcoming": 1})
    with Reader(server.url) as reader:
        reader.start(f"/{kind}")
        admin.wait(f"/mocks/{kind}/sse", "held=true")
        assert admin.post(f"/mocks/{kind}/sse/cut", line)["count"] == 1
        reader.rest()
        head, _, rest = reader.data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + line.split()[1].encode())
        assert rest == body
        assert [header for header in head.lower().split(b"\r\n") if header.startswith(b"content-length")] == length


def test_an_answer_in_place_of_another_is_in_the_same_hand(server: RunningMockd) -> None:
    admin = Admin(server)
    admin.post("/mocks/list/sse/hold", {"at": "head", "upcoming": 1})
    with Reader(server.url, receive_buffer=4096) as reader:
        reader.start("/list")
        connection = admin.wait("/mocks/list/sse", "held=true")
        admin.post(of(connection) + "/cut", {"action": "status", "status": 500, "body": "x" * 5_000_000})
        reader.read_body(1)
        assert admin.post(of(connection) + "/hold")["connection"]["heldAt"] == 0  # and not before its head
        admin.post(of(connection) + "/close")
    ended = admin.wait(of(connection), "ended=true")
    assert ended["faults"][0]["action"] == "status"


def test_a_session_that_never_began_is_not_held_for_clients_that_return(server: RunningMockd) -> None:
    admin = Admin(server)
    admin.post("/mocks/resume/sse/hold", {"at": "head", "upcoming": 1})
    before = admin.get("/mocks/resume/sse/buffer")["count"]
    with Reader(server.url) as reader:
        reader.start("/resume")
        connection = admin.wait("/mocks/resume/sse", "held=true")
        admin.post(of(connection) + "/cut", "status 503")
        reader.rest()
    assert admin.get("/mocks/resume/sse/buffer")["count"] == before
