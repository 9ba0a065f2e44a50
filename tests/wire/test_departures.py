"""What is known of a stream that has ended: who ended it and how, and what the client has acknowledged."""

from __future__ import annotations

import contextlib
import errno
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mockd.lines.delivery import Delivery, delivery_on, unacknowledged
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.conftest import TLS, mounted, speaking_tls
from tests.wire.sockets import Client, eventually

OWN: dict[str, dict[str, Any]] = {
    "uvloop": {},
    "asyncio": {"loop": "asyncio"},
    "uvloop, TLS": TLS,
    "asyncio, TLS": {"loop": "asyncio", **TLS},
}
"""Servers with mockd's own protocol."""
KNOWING: dict[str, dict[str, Any]] = OWN | {
    f"{http}, {name}": {"http": http, **options} for http in ("httptools", "h11") for name, options in OWN.items()
}
"""Servers under which it is known how a client has left; the others have a protocol of uvicorn's."""
COUNTING = {name: options for name, options in KNOWING.items() if options.get("http") != "h11"}
"""Servers under which mockd counts the bytes that go out; with h11, only the server does."""
ENDED_IN_ORDER = {"sse": {"events": [{"data": "1"}, {"data": "2"}]}}
MOCKS: dict[str, dict[str, Any]] = {
    "held": {"sse": {"events": [{"data": "1"}], "lifecycle": {"keepOpen": True}}},
    "endless": {"sse": {"events": [{"data": "1"}], "repeat": 0, "timing": {"fixedDelay": 5}}},
    "late": {"response": {"body": "x", "delay": 3_600_000}},
    "list": ENDED_IN_ORDER,
    "paced": {"sse": {**ENDED_IN_ORDER["sse"], "timing": {"fixedDelay": 10}}},
    "whole": {"response": {"body": "x"}},
    "abrupt": {
        "sse": {**ENDED_IN_ORDER["sse"], "lifecycle": {"termination": {"type": "abrupt", "closeDelay": 100}}},
    },
    "unread": {"response": {"body": "x" * 150_000}},
    "large": {"sse": {"events": [{"data": "x" * 1000}], "repeat": 0}},
}
READ = {
    "held": b"data: 1\n\n",
    "endless": b"data: 1\n\n",
    "late": b"",
    "list": b"data: 2\n\n\r\n0\r\n\r\n",
    "paced": b"data: 2\n\n\r\n0\r\n\r\n",
    "whole": b"\r\n\r\nx",
    "abrupt": b"data: 2\n\n",
}
"""What a client waits for."""
LEAVE: dict[str, Callable[[Client], None]] = {"client-fin": Client.close, "client-rst": Client.reset}


def serving(options: dict[str, Any], settings: Settings | None = None) -> Iterator[RunningMockd]:
    mocks = [{"id": name, "matcher": {"path": f"/{name}"}, **mock} for name, mock in MOCKS.items()]
    with running_mockd(*mocks, settings=settings, **options) as running:
        yield speaking_tls(running) if "ssl_certfile" in options else running


@pytest.fixture(scope="module", params=KNOWING.values(), ids=KNOWING)
def server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    yield from serving(request.param)


@pytest.fixture(scope="module", params=OWN.values(), ids=OWN)
def own_server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    yield from serving(request.param)


@pytest.fixture(scope="module", params=COUNTING.values(), ids=COUNTING)
def counting_server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    yield from serving(request.param)


@pytest.fixture(params=COUNTING.values(), ids=COUNTING)
def impatient_server(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    """One that cuts clients off if they do not read."""
    yield from serving(request.param, Settings(send_timeout=0.3))


def ended(server: RunningMockd, mock_id: str) -> dict[str, Any]:
    """The record of the stream of a mock that ended last, once none is live."""
    eventually(lambda: not server.engine.connections.live(mock_id))
    with Client(server.url) as client:
        client.ask(f"/__mockd/sse/connections?status=ended&mock={mock_id}&limit=1")
        _, headers = client.read_head()
        listed = json.loads(client.read_exactly(int(headers["content-length"])))["connections"]
    assert len(listed) == 1
    return dict(listed[0])


def opened(server: RunningMockd, name: str) -> Client:
    """A client that has come as far as it waits."""
    client = Client(server.url).ask(f"/{name}")
    if READ[name]:
        client.read_until(READ[name])
    else:
        eventually(lambda: server.engine.connections.live(name))
        client.socket.settimeout(0.2)
        with contextlib.suppress(TimeoutError):  # what TLS has to say: left unread, it would make a FIN a reset
            client.socket.recv(1)
    return client


@pytest.mark.parametrize("how", LEAVE)
@pytest.mark.parametrize("name", ["held", "endless", "late"])
def test_a_client_that_leaves(server: RunningMockd, name: str, how: str) -> None:
    LEAVE[how](opened(server, name))
    connection = ended(server, name)
    assert connection["outcome"] == "client_disconnected"
    # Whoever leaves while something is coming resets the connection after all.
    assert connection["endedBy"] in ({how, "client-rst"} if name == "endless" else {how})


@pytest.mark.parametrize("how", LEAVE)
@pytest.mark.parametrize("name", ["held", "endless", "late"])
@pytest.mark.parametrize("others", [1, 3])
def test_a_client_that_leaves_with_requests_waiting_behind_its_stream(
    own_server: RunningMockd, name: str, others: int, how: str
) -> None:
    client = opened(own_server, name)
    before = own_server.engine.connections.stats()["totalConnections"]
    for _ in range(others):
        client.ask("/whole")
        client.ask("/whole", method="POST", body=b"x" * 1000)
    opened(own_server, "whole").close()  # the server has seen them by then
    LEAVE[how](client)
    connection = ended(own_server, name)
    assert connection["outcome"] == "client_disconnected"
    assert connection["endedBy"] in ({how, "client-rst"} if name == "endless" else {how})
    assert own_server.engine.connections.stats()["totalConnections"] == before + 1


@pytest.mark.parametrize("name", ["list", "paced", "whole", "abrupt"])
def test_a_stream_that_mockd_ends_and_its_client_reads(server: RunningMockd, name: str) -> None:
    client = opened(server, name)
    if name == "abrupt":
        client.read_to_end()
    eventually(lambda: (last := ended(server, name)).get("bytesAcked") == last["bytesSent"])
    connection = ended(server, name)
    assert (connection["endedBy"], connection["bytesSent"] > 0) == ("mockd", True)
    if name != "abrupt":
        # Neither another request nor the end of the connection changes that.
        client.ask("/paced").read_until(READ["paced"])
        assert server.engine.connections.get(connection["id"]) == connection
    client.close()
    assert server.engine.connections.get(connection["id"]) == connection


@pytest.mark.parametrize("how", LEAVE)
def test_a_client_that_leaves_after_it_has_read_all(server: RunningMockd, how: str) -> None:
    client = opened(server, "held")
    eventually(lambda: server.engine.connections.live("held")[0]["bytesSent"] == len(READ["held"]))
    LEAVE[how](client)
    connection = ended(server, "held")
    assert connection["bytesSent"] == len(READ["held"])
    # After a reset asyncio does not know what was unsent, and below TLS the connection is closed before one is told.
    may_be_unknown = how == "client-rst" or server.url.startswith("https:")
    assert connection.get("bytesAcked") in ([len(READ["held"]), None] if may_be_unknown else [len(READ["held"])])


@pytest.mark.parametrize("how", LEAVE)
def test_a_client_that_leaves_without_reading(server: RunningMockd, how: str) -> None:
    client = unread(server)
    LEAVE[how](client)
    connection = ended(server, "large")
    assert connection["outcome"] == "client_disconnected"
    assert connection.get("bytesAcked", 0) < connection["bytesSent"]


def unread(server: RunningMockd) -> Client:
    """A client that reads nothing of a large answer, once no more of it can be sent."""
    client = Client(server.url, receive_buffer=4096).ask("/large")
    client.read_head()
    [connection] = server.engine.connections.exchanges("large")
    sent = -1
    while sent != connection.bytes_sent:
        sent = connection.bytes_sent
        opened(server, "whole").close()
    return client


def test_what_is_missing_of_one_answer_is_not_missing_of_the_one_before(counting_server: RunningMockd) -> None:
    with Client(counting_server.url, receive_buffer=4096).ask("/whole") as client:
        client.read_until(READ["whole"])
        client.ask("/unread").read_head()
        before, rest = ended(counting_server, "whole"), ended(counting_server, "unread")
        if counting_server.url.startswith("http:"):
            assert before["bytesAcked"] == before["bytesSent"]
            assert 0 < rest["bytesAcked"] < rest["bytesSent"]
        else:  # TLS does not say how much of what it was given is still with it
            assert "bytesAcked" not in rest


@pytest.fixture(scope="module")
def h11_server() -> Iterator[RunningMockd]:
    yield from serving({"http": "h11"})


def test_without_a_count_it_is_known_when_nothing_is_missing_any_more(h11_server: RunningMockd) -> None:
    with Client(h11_server.url, receive_buffer=4096).ask("/whole") as client:
        client.read_until(READ["whole"])
        eventually(lambda: ended(h11_server, "whole").get("bytesAcked") == 1)
        client.ask("/unread").read_head()
        assert "bytesAcked" not in ended(h11_server, "unread")
        assert ended(h11_server, "whole")["bytesAcked"] == 1
        client.read_exactly(150_000)
        eventually(lambda: ended(h11_server, "unread").get("bytesAcked") == 150_000)


def test_requests_that_wait_are_bounded(own_server: RunningMockd) -> None:
    with opened(own_server, "held") as client:
        [connection] = own_server.engine.connections.exchanges("held")
        client.send(b"GET /whole HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        eventually(lambda: connection.stream.line._cycle.flow.read_paused)  # type: ignore[union-attr]
        # Nor is it noticed then that the client leaves.
        own_server.engine.streams.close_all("held")
        eventually(lambda: not own_server.engine.connections.live("held"))


def test_a_client_that_is_cut_off(impatient_server: RunningMockd) -> None:
    with Client(impatient_server.url, receive_buffer=4096).ask("/large") as client:
        client.read_head()
        connection = ended(impatient_server, "large")
    assert (connection["outcome"], connection["endedBy"]) == ("slow_client", "mockd")
    assert connection.get("bytesAcked", 0) < connection["bytesSent"]
    assert ("bytesAcked" in connection) == impatient_server.url.startswith("http:")


def test_what_a_server_cannot_tell_is_left_out() -> None:
    with mounted() as server:
        for name in ("held", "paced"):
            server.engine.create({"id": name, "matcher": {"path": f"/{name}"}, **MOCKS[name]})
            opened(server, name).close()
            eventually(lambda: not server.engine.connections.live())
        gone, complete = (exchange.to_json() for exchange in server.engine.connections.listed("ended"))
    assert (gone["outcome"], complete["outcome"]) == ("client_disconnected", "completed")
    assert complete["endedBy"] == "mockd"
    assert not {"endedBy", "bytesAcked"} & gone.keys()
    assert "bytesAcked" not in complete


class Told:
    """A protocol that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def eof_received(self) -> bool:
        self.told.append("eof")
        return True

    def connection_lost(self, error: BaseException | None) -> None:
        self.told.append(error)


def test_a_protocol_is_told_what_its_delivery_is_told_and_then_is_as_it_was() -> None:
    class Carrying(Transport):
        def get_protocol(self) -> Told | None:
            return protocol

    protocol: Told | None = Told()
    given, error = protocol, ConnectionResetError()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = Carrying(listener)
        delivery = delivery_on(transport)
        assert delivery is not None
        assert delivery_on(transport) is delivery
        assert (given.eof_received(), delivery.departure) == (True, "client-fin")
        given.connection_lost(error)
        assert delivery.departure == "client-rst"
        assert vars(given) == {"told": ["eof", error]}
        protocol = None  # as a transport has it whose connection is lost
        assert delivery_on(transport) is None


@pytest.mark.parametrize(
    ("number", "departure"),
    [(errno.ETIMEDOUT, "client-timeout"), (errno.EHOSTUNREACH, "client-timeout"), (errno.EPIPE, "client-rst")],
)
def test_a_client_that_no_longer_answers(number: int, departure: str) -> None:
    delivery = Delivery(object())
    delivery.lost(OSError(number, "lost"))
    assert delivery.departure == departure


class Transport:
    """A transport over a real connection, whose other end reads nothing."""

    def __init__(self, opened: socket.socket) -> None:
        self._opened = opened
        self.unsent = 1000

    def get_extra_info(self, name: str) -> Any:
        return self._opened if name == "socket" else None

    def get_write_buffer_size(self) -> int:
        return self.unsent


class AsyncioTransport(Transport):
    __module__ = "asyncio.transports"


@contextlib.contextmanager
def full(kind: type[Transport] = Transport) -> Iterator[tuple[Delivery, int]]:
    """The delivery of a connection that takes no more, and how many bytes of it are missing."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        ours, _ = listener.accept()
        with ours:
            ours.setblocking(False)
            transport = kind(ours)
            delivery = Delivery(transport)
            with contextlib.suppress(BlockingIOError):
                while True:
                    delivery.written += ours.send(bytes(65536))
            delivery.written += 1000
            missing = unacknowledged(transport)
            assert missing is not None
            yield delivery, missing


def test_the_first_bytes_are_acknowledged_first() -> None:
    with full() as (delivery, missing):
        acknowledged = delivery.written - missing
        assert 1000 < missing < delivery.written
        assert [delivery.missing(acknowledged + more) for more in (-5, 0, 1, 500)] == [0, 0, 1, 500]
        delivery._transport.unsent += 5  # what waits in this process is missing too
        assert delivery.missing(delivery.written) == missing + 5


def test_what_is_acknowledged_may_be_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert unacknowledged(Transport(listener)) is None  # has no bytes to ask for
    assert unacknowledged(Transport(listener)) is None  # is closed
    assert unacknowledged(None) is None


def test_what_is_missing_in_the_end_depends_on_who_ended_it() -> None:
    with full() as (delivery, missing):  # the server: it may still arrive
        delivery.lost(None)
        assert delivery.missing(delivery.written) is None
    with full() as (delivery, missing):
        delivery.left()
        delivery.lost(None)
        assert delivery.missing(delivery.written) == missing
    with full() as (delivery, missing):  # more has arrived since then
        delivery.left()
        delivery._transport.unsent -= 500
        delivery.lost(None)
        assert delivery.missing(delivery.written) == missing - 500
    with full() as (delivery, missing):  # below TLS the connection is closed before one is told
        delivery.left()
        delivery._transport.get_extra_info("socket").close()
        delivery.lost(None)
        assert delivery.missing(delivery.written) == missing
    with full() as (delivery, missing):
        delivery.lost(ConnectionResetError())
        assert delivery.missing(delivery.written) == missing
    with full(AsyncioTransport) as (delivery, missing):  # which has forgotten what was unsent
        delivery.lost(ConnectionResetError())
        assert delivery.missing(delivery.written) is None
    with full() as (delivery, missing):
        delivery.broken_off()
        delivery.lost(None)
        assert delivery.missing(delivery.written) == missing
