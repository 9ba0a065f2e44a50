"""Real servers, asked directly and by way of a relay: the answers are the same, chunk by chunk."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from mockd.relay.heads import HOP_BY_HOP
from mockd.testing import running_mockd
from tests.cli.harness import free_port
from tests.clients import node_packages
from tests.environments import Say
from tests.in_thread import serving
from tests.nginx import running, running_nginx
from tests.programs import program
from tests.relay.conftest import Relay
from tests.servers.environments import python_with

DATA = Path(__file__).parents[1] / "cli" / "data"
NODE_PACKAGES = Path(__file__).with_name("node")
Answer = tuple[bytes, list[tuple[bytes, bytes]], list[bytes], str]


@pytest.fixture(scope="session")
def aimock(say: Say) -> Path:
    """The command of aimock, a mock server from npm."""
    return node_packages.install_or_skip(say, NODE_PACKAGES) / "@copilotkit/aimock/dist/cli.js"


def answer(url: str, method: str = "GET", body: bytes = b"") -> Answer:
    """The status line, the headers that are not about the connection, the chunks (or all of a body without chunks), and
    how the connection ended, to the byte."""
    parts = urlsplit(url)
    got, end = b"", "fin"
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as plain:
        client: socket.socket = plain
        if parts.scheme == "https":
            client = ssl.create_default_context(cafile=str(DATA / "cert.pem")).wrap_socket(
                plain, server_hostname="127.0.0.1"
            )
        lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        lines += [f"Content-Length: {len(body)}"] if body else []
        client.sendall("\r\n".join([*lines, "Accept-Encoding: identity", "", ""]).encode() + body)
        try:
            while data := client.recv(65536):
                got += data
        except ConnectionResetError:
            end = "rst"
        client.close()
    head, _, rest = got.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 1"):
        head, _, rest = rest.partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    headers = [(name, value.strip()) for name, _, value in (field.partition(b":") for field in fields)]
    is_chunked = any(name.lower() == b"transfer-encoding" for name, _ in headers)
    kept = [
        (name, b"" if name.lower() == b"date" else value) for name, value in headers if name.lower() not in HOP_BY_HOP
    ]
    return status, kept, list(chunks(rest)) if is_chunked else [rest], end


def chunks(rest: bytes) -> Iterator[bytes]:
    """The chunks of a body; the last one is empty, and may have trailers."""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        yield rest[:length] if length else rest
        rest = rest[length + 2 :] if length else b""


def same(relay: Relay, url: str, *paths: str, **settings: Any) -> None:
    relayed = relay(url, **settings).url
    for path in paths:
        directly = answer(url + path)
        assert answer(relayed + path) == directly
        assert directly[0].startswith(b"HTTP/1.1 ")


async def events(request: Request) -> Response:
    async def made() -> AsyncIterator[dict[str, Any]]:
        for number in range(5):
            yield {"event": "tick", "id": str(number), "data": f"line\nof {number} ü"}

    return EventSourceResponse(made(), headers={"X-Own": "1"})


async def pieces(request: Request) -> Response:
    async def made() -> AsyncIterator[bytes]:
        for size in (1, 70_000, 3, 500_000, 17):
            yield bytes(size)

    return StreamingResponse(made(), status_code=206, media_type="application/octet-stream")


async def breaks(request: Request) -> Response:
    async def made() -> AsyncIterator[bytes]:
        yield b"some"
        raise OSError("on purpose")

    return StreamingResponse(made())


async def echo(request: Request) -> Response:
    return JSONResponse({"got": len(await request.body())}, status_code=418)


APP = Starlette(
    routes=[
        Route("/events", events),
        Route("/pieces", pieces),
        Route("/breaks", breaks),
        Route("/echo", echo, methods=["POST"]),
    ]
)


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_sse_starlette_under_uvicorn(relay: Relay, http: str) -> None:
    with serving(APP, http=http, log_config=None) as url:
        same(relay, url, "/events", "/pieces", "/breaks", "/none")
        relayed = relay(url).url
        for size in (1, 5_000_000):
            assert answer(relayed + "/echo", "POST", bytes(size)) == answer(url + "/echo", "POST", bytes(size))


def test_hypercorn(relay: Relay, tmp_path: Path) -> None:
    python = python_with("hypercorn", print)
    (tmp_path / "served.py").write_text(
        "async def app(scope, receive, send):\n"
        "    headers = [(b'content-type', b'text/event-stream'), (b'x-one', b'1')]\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})\n"
        "    for number in range(5):\n"
        "        await send({'type': 'http.response.body', 'body': b'data: %d\\n\\n' % number, 'more_body': True})\n"
        "    await send({'type': 'http.response.body'})\n"
    )
    port = free_port()
    command = [str(python), "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "served:app"]
    with running(command, port, tmp_path):
        same(relay, f"http://127.0.0.1:{port}", "/a")


NODE = """
const http = require('http');
http.createServer((request, response) => {
  if (request.url === '/early') {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
  }
  response.setHeader('X-Mixed-CASE', ['1', '2']);
  if (request.url === '/cut') {
    response.write('data: 1\\n\\n');
    return setTimeout(() => response.socket.resetAndDestroy(), 200);
  }
  response.writeHead(200, 'So Be It', { 'Content-Type': 'text/event-stream', Trailer: 'X-Sum' });
  response.write('data: 1\\n\\n');
  setTimeout(() => {
    response.write('data: 2\\n\\n');
    response.addTrailers({ 'X-Sum': '2' });
    response.end();
  }, 50);
}).listen(Number(process.argv[2]), '127.0.0.1');
"""


def test_node(relay: Relay, tmp_path: Path) -> None:
    node, port = program("node"), free_port()
    (tmp_path / "served.js").write_text(NODE)
    with running([node, "served.js", str(port)], port, tmp_path):
        same(relay, f"http://127.0.0.1:{port}", "/plain", "/early")
        directly = answer(f"http://127.0.0.1:{port}/cut")
        assert directly[3] == "rst"
        assert answer(relay(f"http://127.0.0.1:{port}").url + "/cut") == directly


SERVER = f"""
ssl_certificate {DATA}/cert.pem;
ssl_certificate_key {DATA}/key.pem;
location /file {{{{ root {{folder}}; }}}}
location / {{{{ proxy_pass {{mockd}}; proxy_http_version 1.1; proxy_buffering off; }}}}
"""


def test_nginx_with_tls(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 2000)
    mock = {"matcher": {"path": "/a"}, "sse": {"events": [{"data": "1"}, {"data": "2"}], "timing": {"fixedDelay": 20}}}
    with (
        running_mockd(mock) as mockd,
        running_nginx(tmp_path, SERVER.format(folder=tmp_path, mockd=mockd.url), "ssl") as place,
    ):
        url = f"https://{place}"
        same(relay, url, "/a", "/file", "/none", ca=str(DATA / "cert.pem"))
        same(relay, url, "/a", insecure=True)
        refused = answer(relay(url).url + "/a")
        assert refused[0] == b"HTTP/1.1 502 Bad Gateway"
        assert b"its certificate is not trusted" in refused[2][0]


def test_aimock(relay: Relay, aimock: Path, tmp_path: Path) -> None:
    fixtures = [{"match": {"userMessage": "hello"}, "response": {"content": "Hello, nice to meet you! " * 5}}]
    (tmp_path / "fixtures.json").write_text(json.dumps({"fixtures": fixtures}))
    port = free_port()
    command = [program("node"), str(aimock), "--port", str(port), "--fixtures", str(tmp_path / "fixtures.json")]
    with running([*command, "--chunk-size", "5", "--latency", "10", "--log-level", "silent"], port, tmp_path):
        url = f"http://127.0.0.1:{port}"
        relayed = relay(url).url
        for stream, content in [(True, "hello"), (False, "hello"), (True, "what it does not know")]:
            for path in ("/v1/chat/completions", "/v1/messages"):
                asked = {"model": "any", "stream": stream, "max_tokens": 100}
                body = json.dumps({**asked, "messages": [{"role": "user", "content": content}]}).encode()
                directly = answer(url + path, "POST", body)
                assert without_ids(answer(relayed + path, "POST", body)) == without_ids(directly)
                assert (len(directly[2]) > 20) is (stream and content == "hello"), directly


def without_ids(answer: Answer) -> Answer:
    """An answer without what is another in each."""
    status, headers, body, end = answer
    fixed = [(name, b"" if name == b"X-Request-Id" else value) for name, value in headers]
    kept = [re.sub(rb'"(id|created)":\s*("[^"]*"|\d+)', rb'"\1":0', piece) for piece in body]
    return status, fixed, kept, end


MOCKS: list[dict[str, Any]] = [
    {"matcher": {"path": "/sse"}, "sse": {"events": [{"data": str(n), "id": str(n)} for n in range(20)]}},
    {"matcher": {"path": "/paced"}, "sse": {"events": [{"data": "x"}] * 5, "timing": {"fixedDelay": 15}}},
    {"matcher": {"path": "/ndjson"}, "chunked": {"ndjsonItems": [{"a": n} for n in range(9)], "chunkDelay": 3}},
    {"matcher": {"path": "/bytes"}, "chunked": {"data": "abc" * 9999, "chunkSize": 700, "chunkDelay": 1}},
    {"matcher": {"path": "/json"}, "response": {"status": 429, "body": {"a": 1}, "headers": {"Retry-After": "1"}}},
    {"matcher": {"path": "/none"}, "response": {"status": 204}},
    {
        "matcher": {"path": "/cut"},
        "sse": {"events": [{"data": "1"}, {"data": "2"}, {"data": "3"}], "timing": {"fixedDelay": 15}},
        "faults": ["reset after 2 events"],
    },
    {
        "matcher": {"path": "/closed"},
        "sse": {"events": [{"data": "1"}, {"data": "2"}, {"data": "3"}], "timing": {"fixedDelay": 15}},
        "faults": ["close after 20 bytes"],
    },
]


def test_mockd_itself(relay: Relay) -> None:
    with running_mockd(*MOCKS) as target:
        same(relay, target.url, *[mock["matcher"]["path"] for mock in MOCKS])


def test_a_relay_can_be_broken(relay: Relay) -> None:
    """A relay is a mock: its faults strike answers of real servers."""
    slow = {"events": [{"data": "x"}] * 5, "timing": {"fixedDelay": 300}}  # so slow that no two are in one chunk
    with running_mockd({"matcher": {"path": "/slow"}, "sse": slow}) as target:
        mock = {"matcher": {"path": "/slow"}, "proxy": {"target": target.url}, "faults": ["reset after 2 events"]}
        _, _, sent, end = answer(relay(target.url, mock).url + "/slow")
    assert (sent, end) == ([b"data: x\n\n"] * 2, "rst")
