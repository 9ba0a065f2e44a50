"""Targets that are reached with TLS, and by way of a proxy."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import struct
import threading
from base64 import b64encode
from pathlib import Path

import pytest

from mockd.errors import ConfigError
from mockd.relay.connections import Connection
from mockd.settings import Settings
from mockd.targets import Target
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.targets import END, Play, Visit, chunk, serving

DATA = Path(__file__).parents[1] / "cli" / "data"
CA = str(DATA / "cert.pem")
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "cert.pem", DATA / "key.pem")
    return context


def says(*parts: bytes) -> Play:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(*parts)

    return play


def test_chunks_and_a_body_larger_than_all_buffers(relay: Relay, tls: ssl.SSLContext) -> None:
    parts = [chunk(b"a"), chunk(bytes(300_000)), chunk(b"b" * 900_000)]
    with serving(says(SSE, *parts, END), tls) as target, Raw(relay(target.url, ca=CA).url) as client:
        client.get().until(lambda got: got.endswith(END))
        assert client.body == b"".join(parts) + END


def test_an_upload(relay: Relay, tls: ssl.SSLContext) -> None:
    async def play(visit: Visit) -> None:
        await visit.body(lambda body: len(body) == 3_000_000)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(play, tls) as target, Raw(relay(target.url, ca=CA).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n")
        client.send(bytes(3_000_000)).until(lambda got: got.endswith(b"ok"))


@pytest.mark.parametrize("is_reset", [False, True])
def test_an_answer_that_breaks_off(relay: Relay, tls: ssl.SSLContext, is_reset: bool) -> None:
    async def play(visit: Visit) -> None:
        await visit.body(lambda body: body == b"a")
        await visit.send(SSE, chunk(b"data: 1\n\n"))
        await visit.body(lambda body: body == b"ab")
        if is_reset:
            visit.reset()

    with serving(play, tls) as target, Raw(relay(target.url, ca=CA).url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
        client.until(lambda got: b"data: 1" in got)
        client.send(b"b").all()
        assert (client.body, client.end) == (chunk(b"data: 1\n\n"), "rst" if is_reset else "fin")


def test_a_client_that_leaves(relay: Relay, tls: ssl.SSLContext) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(SSE, chunk(b"data: 1\n\n"))
        await visit.gone()

    with serving(play, tls) as target:
        with Raw(relay(target.url, ca=CA).url) as client:
            client.get().until(lambda got: b"data: 1" in got)
        assert target.visits[0].left.wait(5)


def test_a_target_that_speaks_no_tls(relay: Relay) -> None:
    async def play(visit: Visit) -> None:
        await visit.send(b"220 mail.test ready\r\n")

    with serving(play) as target, Raw(relay(target.url.replace("http:", "https:")).url) as client:
        client.get("/", "Connection: close").all()
    assert client.got.startswith(b"HTTP/1.1 502 ")
    assert b"target_unreachable" in client.body


def test_a_target_that_does_not_get_on_with_tls(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.relay.connecting.CONNECT_S", 0.2)
    with serving(Visit.gone) as target, Raw(relay(target.url.replace("http:", "https:")).url) as client:
        client.get("/", "Connection: close").all()
        assert client.got.startswith(b"HTTP/1.1 502 ")
        assert f"{target.url.removeprefix('http://')}: no connection within 0.2 s".encode() in client.body
        assert target.visits[0].left.wait(5)


def test_a_body_that_ends_with_a_connection_whose_end_is_not_said_in_tls(relay: Relay, tls: ssl.SSLContext) -> None:
    """As many servers do: the end of the connection alone ends it."""

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        visit.writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
        await visit.gone()

    with serving(play, tls) as target, Raw(relay(target.url, ca=CA).url) as client:
        client.get().until(lambda got: got.endswith(END))
        assert client.body == chunk(b"hello") + END


def test_the_end_of_a_connection_is_said_in_tls(relay: Relay, tls: ssl.SSLContext) -> None:
    ends: list[bytes | ssl.SSLError] = []

    def serve(listener: socket.socket) -> None:
        with tls.wrap_socket(listener.accept()[0], server_side=True, suppress_ragged_eofs=False) as connection:
            connection.settimeout(20)
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            try:
                ends.append(connection.recv(1))
            except ssl.SSLError as error:
                ends.append(error)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with Raw(relay(f"https://127.0.0.1:{listener.getsockname()[1]}", ca=CA).url) as client:
            client.get("/", "Connection: close").all()
        thread.join(20)
    assert client.body == b"ok"
    assert ends == [b""]


def test_what_is_no_tls_any_more_breaks_an_answer_off(relay: Relay, tls: ssl.SSLContext) -> None:
    seen = threading.Event()

    def serve(listener: socket.socket) -> None:
        with tls.wrap_socket(listener.accept()[0], server_side=True) as connection:
            connection.recv(65536)
            connection.sendall(SSE + chunk(b"data: 1\n\n"))
            seen.wait(20)
            os.write(connection.fileno(), bytes(100))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with Raw(relay(f"https://127.0.0.1:{listener.getsockname()[1]}", ca=CA).url) as client:
            client.get().until(lambda got: b"data: 1" in got)
            seen.set()
            client.all()
            assert (client.body, client.end) == (chunk(b"data: 1\n\n"), "fin")
        thread.join(20)


def connections_to(port: int) -> int:
    """The number of connections of this machine to a port, so far as they are open at the side that made them."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


@pytest.mark.parametrize("is_secure", [False, True])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_target_that_takes_nothing_is_let_go_of(
    relay: Relay, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, is_secure: bool, is_whole: bool
) -> None:
    """It holds up what was written to it: behind a whole answer for a short time, and not at all if that breaks off."""
    monkeypatch.setattr("mockd.relay.connections.CLOSE_S", 0.2 if is_whole else 1e6)
    goes_on, is_over = threading.Event(), threading.Event()

    async def play(visit: Visit) -> None:
        await visit.request()
        visit.writer.transport.pause_reading()  # type: ignore[attr-defined]
        assert await asyncio.to_thread(goes_on.wait, 20)
        await visit.send(SSE, chunk(b"data: 1\n\n"), END if is_whole else b"")
        await asyncio.to_thread(is_over.wait, 20)

    with serving(play, tls if is_secure else None) as target:
        fault = {} if is_whole else {"faults": ["close after 1 event"]}
        server = relay(target.url, {"matcher": {"path": "/*"}, "proxy": {"target": target.url}, **fault}, ca=CA)
        with Raw(server.url) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
            client.socket.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while True:
                    client.socket.send(bytes(1_000_000))
            assert connections_to(target.port) == 1
            goes_on.set()
            assert eventually(lambda: connections_to(target.port) == 0)
        is_over.set()


# -- proxies -----------------------------------------------------------------------------------------------------------


async def passes_on(visit: Visit) -> None:
    """A proxy, of both kinds."""
    head = await visit.request()
    method, place, _ = head.partition(b"\r\n")[0].decode().split(" ")
    if "no.test" in place:
        await visit.send(b"HTTP/1.1 403 Not That One\r\nContent-Length: 0\r\n\r\n")
        return
    if method == "CONNECT":
        host, port = place.split(":")
    else:
        host, port = place.removeprefix("http://").split("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    if method == "CONNECT":
        await visit.send(b"HTTP/1.1 200 Connected\r\nVia: test\r\n\r\n")
    else:
        writer.write(visit.got.replace(f"http://{host}:{port}".encode(), b""))

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
        sink.close()

    await asyncio.gather(copy(visit._reader, writer), copy(reader, visit.writer))


@pytest.mark.parametrize("is_secure", [False, True])
def test_a_target_by_way_of_a_proxy(relay: Relay, tls: ssl.SSLContext, is_secure: bool) -> None:
    with serving(says(SSE, chunk(b"data: 1\n\n"), END), tls if is_secure else None) as target:
        with serving(passes_on) as proxy:
            with Raw(relay(target.url, ca=CA, upstream_proxy=proxy.url).url) as client:
                client.get("/a").until(lambda got: got.endswith(END))
            assert client.body == chunk(b"data: 1\n\n") + END
        seen = proxy.visits[0].got.partition(b"\r\n")[0]
        place = target.url.partition("://")[2].encode()
        assert seen == (b"CONNECT " + place if is_secure else b"GET http://" + place + b"/a") + b" HTTP/1.1"
        assert target.visits[0].got.startswith(b"GET /a HTTP/1.1\r\n")


@pytest.mark.parametrize("url", ["https://no.test", "https://[::1]:7"])
def test_a_proxy_that_refuses(relay: Relay, url: str) -> None:
    async def refuses(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 403 Not That One\r\nContent-Length: 0\r\n\r\n")

    with serving(refuses) as proxy, Raw(relay(url, upstream_proxy=proxy.url).url) as client:
        client.get("/", "Connection: close").all()
    assert client.got.startswith(b"HTTP/1.1 502 ")
    assert b"the proxy answers 'HTTP/1.1 403 Not That One'" in client.body
    place = b"no.test:443" if "no" in url else b"[::1]:7"
    assert proxy.visits[0].got.startswith(b"CONNECT " + place + b" HTTP/1.1\r\nHost: " + place + b"\r\n")


def test_a_proxy_that_closes_the_connection(relay: Relay) -> None:
    async def closes(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 Conn")

    with serving(closes) as proxy, Raw(relay("https://a.test", upstream_proxy=proxy.url).url) as client:
        client.get("/", "Connection: close").all()
        place = proxy.url.removeprefix("http://")
        assert f"the target cannot be reached: {place}: the proxy closes the connection".encode() in client.body


@pytest.mark.parametrize("is_secure", [False, True])
def test_a_proxy_that_wants_user_and_password(
    relay: Relay, tls: ssl.SSLContext, is_secure: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It alone gets them, and nobody else sees them."""
    told = b64encode("Ada:pass@word/ü".encode()).decode()

    async def wants(visit: Visit) -> None:
        head = await visit.request()
        if f"Proxy-Authorization: Basic {told}".encode() not in head.split(b"\r\n"):
            await visit.send(b"HTTP/1.1 407 Who Are You\r\nContent-Length: 0\r\n\r\n")
            return
        await passes_on(visit)

    caplog.set_level("DEBUG")
    with serving(says(SSE, chunk(b"data: 1\n\n"), END), tls if is_secure else None) as target, serving(wants) as proxy:
        url = proxy.url.replace("://", "://Ada:pass%40word%2F%C3%BC@")
        server = relay(target.url, ca=CA, upstream_proxy=url, record=str(tmp_path))
        with Raw(server.url) as client:
            client.get("/a", "Proxy-Authorization: Basic b3RoZXI=").until(lambda got: got.endswith(END))
        assert client.body == chunk(b"data: 1\n\n") + END
        wrong = relay(target.url, ca=CA, upstream_proxy=url.replace("pass", "fail"))
        with Raw(wrong.url) as client:
            client.get("/a", "Connection: close").all()
        assert client.got.startswith(b"HTTP/1.1 502 " if is_secure else b"HTTP/1.1 407 ")
        assert b"b3RoZXI=" not in target.visits[0].got + proxy.visits[0].got
        if is_secure:  # in plain, the proxy here passes on whatever it gets
            assert told.encode() not in target.visits[0].got
        with server.admin() as admin:
            shown = json.dumps([admin.get_status(), admin.list_requests(), admin.list_mocks()])
    assert eventually(lambda: [file for file in tmp_path.glob("*") if '"end"' in file.read_text()])
    (file,) = tmp_path.glob("*")
    for text in (file.read_text(), client.got.decode(), caplog.text, shown):
        for secret in ("pass@word", "pass%40word", "fail", told):
            assert secret not in text


@pytest.mark.parametrize(
    "url",
    [
        "https://Ada:s3cret@proxy.test",
        "http://Ada:s3cret@proxy.test/path",
        "http://Ada:s3cret@",
        "http://Ada:s3cret@a b",
        "http://Ada:s3cret@proxy.test:port",
        "Ada:s3cret@proxy.test",
        "ftp://Ada:s3cret@proxy.test?a",
        "http://Ada:s3cret/@proxy.test:1:2",
    ],
)
def test_a_proxy_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="--upstream-proxy") as caught:
        Settings(upstream_proxy=url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize("sent", [b"", b"x" * 50_000], ids=["nothing", "something"])
async def test_what_came_before_a_reset_is_read_before_that(sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = await Connection.opened(Target("http", "127.0.0.1", listener.getsockname()[1]))
        theirs, _ = listener.accept()
        theirs.sendall(sent)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        await asyncio.sleep(0.05)  # so that the loop notices the reset before anybody reads
        got = b""
        while len(got) < len(sent):
            got += await connection.read()
        assert got == sent
        with pytest.raises(ConnectionResetError):
            await connection.read()
        with pytest.raises(ConnectionResetError):
            await connection.drain()
        connection.abort()
