"""mockd behind nginx: as it comes, which speaks HTTP/1.0 to what is behind it, and set up as the guide says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.testing import running_mockd
from tests.cli.harness import free_port
from tests.docs.blocks import ROOT
from tests.programs import program
from tests.wire.sockets import PATIENCE_S, Client, curl, eventually

EVENTS = [{"data": "1"}, {"data": "2"}]
SENT = "data: 1\n\ndata: 2\n\n"
MOCKS: dict[str, dict[str, Any]] = {
    "/whole": {"sse": {"events": EVENTS}},
    "/abrupt": {"sse": {"events": EVENTS, "lifecycle": {"termination": {"type": "abrupt", "closeDelay": 100}}}},
    "/flaky": {
        "sse": {
            "events": [*EVENTS, {"data": "3"}],
            "timing": {"fixedDelay": 10},
            "lifecycle": {"simulateDisconnect": 2, "termination": {"closeDelay": 100}},
        }
    },
    "/held": {"sse": {"events": EVENTS, "lifecycle": {"keepOpen": True}}},
}
CONFIG = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


UPSTREAM = "http://127.0.0.1:4280"
GUIDE = (ROOT / "docs" / "guides" / "proxies.md").read_text(encoding="utf-8")
LOCATIONS = {
    "HTTP 1.0": f"location / {{ proxy_pass {UPSTREAM}; }}",
    "the guide's": GUIDE.partition("```nginx\n")[2].partition("```")[0],
}


@pytest.fixture(params=LOCATIONS.values(), ids=LOCATIONS)
def nginx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an nginx in front of a mockd."""
    file = tmp_path / "nginx.conf"
    command = [program("nginx"), "-p", str(tmp_path), "-c", str(file)]
    port = free_port()
    with running_mockd(*({"matcher": {"path": path}, **mock} for path, mock in MOCKS.items())) as mockd:
        assert UPSTREAM in request.param
        location = request.param.replace(UPSTREAM, mockd.url)
        file.write_text(CONFIG.format(folder=tmp_path, port=port, location=location))
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            eventually(lambda: process.poll() is not None or curl(url + "/whole")[0] == 0)
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def test_a_clean_end_stays_one(nginx: str) -> None:
    assert curl(nginx + "/whole") == (0, SENT)


@pytest.mark.parametrize("path", ["/abrupt", "/flaky"])
def test_an_abrupt_end_does_not_look_whole(nginx: str, path: str) -> None:
    assert curl(nginx + path) == (18, SENT)


def test_events_are_not_held_back(nginx: str) -> None:
    with Client(nginx) as client:
        client.ask("/held").read_until(b"data: 2\n\n")
