"""Servers that speak HTTP/2: the same answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.conftest import Served
from tests.servers.kinds import KINDS, Kind
from tests.servers.processes import Process
from tests.servers.servers import HTTP2, Server
from tests.wire.sockets import curl

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module", params=HTTP2.values(), ids=HTTP2)
def server(request: pytest.FixtureRequest) -> Server:
    server: Server = request.param
    return server


@pytest.fixture(scope="module")
def running(server: Server, served: Served) -> Process:
    if "HTTP2" not in curl("", "--version")[1]:
        pytest.skip("curl does not speak HTTP/2")
    return served(server)


def ask(running: Process, folder: Path, kind: Kind) -> tuple[int, str, str]:
    """curl's exit code, the body, and the status with the version of HTTP."""
    (folder / "sent").write_bytes(kind.sent)
    options = ["--http2-prior-knowledge", "--write-out", "\n%{http_code} %{http_version}"]
    options += ["--head"] if kind.method == "HEAD" else ["--request", kind.method]
    options += [word for name, value in kind.headers.items() for word in ("--header", f"{name}: {value}")]
    options += ["--data-binary", f"@{folder / 'sent'}"] if kind.sent else []
    code, out = curl(running.url + kind.target, *options)
    body, _, said = out.rpartition("\n")
    return code, "" if kind.method == "HEAD" else body, said


@pytest.mark.parametrize("name", KINDS)
def test_a_kind(running: Process, server: Server, tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    before = len(running.complaints)
    code, body, said = ask(running, tmp_path, kind)
    if kind.end == "broken":
        # What was sent may be lost with the stream: a reset stands for all of it.
        assert code != 0
        assert kind.begins(body.encode()), body
    elif code and not kind.is_read:
        # The server has given up the request: what is left of its body has nowhere to go.
        assert not server.takes_any_body
    else:
        assert (code, said) == (0, f"{kind.status} 2")
        assert kind.has(body.encode()), body
    if kind.is_read:  # hypercorn may complain of what comes behind a request that was given up
        assert running.complaints[before:] == [], running.log
