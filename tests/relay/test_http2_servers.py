"""Servers in use that speak HTTP/2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.harness import free_port
from tests.nginx import running, running_nginx
from tests.relay.conftest import Relay
from tests.relay.http2_targets import CA, DATA, kinds, recorded, speaking
from tests.servers.environments import python_with
from tests.wire.sockets import curl

Lines = list[Any]


APP = """
import asyncio

async def app(scope, receive, send):
    assert scope["http_version"] == "2"
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = [(b"content-type", b"text/event-stream"), (b"x-got", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(5):
        await send({"type": "http.response.body", "body": b"data: %d\\n\\n" % number, "more_body": True})
        await asyncio.sleep(0.02)
    await send({"type": "http.response.body", "body": bytes(500_000)})
"""


def compared(relay: Relay, url: str, path: str, folder: Path, *options: str) -> list[str]:
    """The body that curl gets directly, which is the same by way of the relay."""
    ways = []
    for way, base in enumerate((url, speaking(relay, url, record=str(folder / "recorded")).url)):
        file = folder / f"answer-{way}"
        more = ["--http2", "--cacert", CA] if way == 0 else []
        said = curl(
            base + path,
            *more,
            *options,
            "--output",
            str(file),
            "--write-out",
            "%{http_code} %{http_version} %header{x-got}",
        )
        ways.append((said[0], said[1].split(" "), file.read_bytes()))
    (code, directly, body), (code_relayed, relayed, body_relayed) = ways
    assert (code, code_relayed, body) == (0, 0, body_relayed)
    assert (directly[1], relayed[1]) == ("2", "1.1")
    assert directly[0] == relayed[0]
    assert directly[2:] == relayed[2:]
    assert body
    assert kinds(recorded(folder / "recorded"))[-1] == ("end", "complete")
    head = next(value for kind, value in kinds(recorded(folder / "recorded")) if kind == "head")
    assert head["httpVersion"] == "2"
    return directly


def test_hypercorn(relay: Relay, tmp_path: Path) -> None:
    python, port = python_with("hypercorn", print), free_port()
    (tmp_path / "served.py").write_text(APP)
    (tmp_path / "upload").write_bytes(bytes(1_500_000))
    tls = ["--certfile", str(DATA / "cert.pem"), "--keyfile", str(DATA / "key.pem")]
    command = [str(python), "-m", "hypercorn", *tls, "--bind", f"127.0.0.1:{port}", "served:app"]
    with running(command, port, tmp_path):
        upload = ["--data-binary", f"@{tmp_path / 'upload'}"]
        assert compared(relay, f"https://127.0.0.1:{port}", "/a", tmp_path, *upload)[2:] == ["1500000"]


def test_nginx(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 20_000)
    server = f"""
        ssl_certificate {DATA}/cert.pem; ssl_certificate_key {DATA}/key.pem; keepalive_requests 1;
        location / {{ root {tmp_path}; }}
    """
    with running_nginx(tmp_path, server, "ssl http2") as place:
        compared(relay, f"https://{place}", "/file", tmp_path)
