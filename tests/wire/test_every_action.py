"""Every action of a fault, said in every way, and seen by clients that are not ours: a reader of bytes, h11, curl,
httpx and Node's fetch."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import h11
import httpx
import msgspec
import pytest

from mockd.app import create_app
from mockd.cli.app import run
from mockd.config.fault_lines import parse_line
from mockd.config.faults import ACTIONS as KNOWN
from mockd.testing import running_mockd
from tests.cli.harness import Served, free_port
from tests.programs import program
from tests.stress.asking import ask as asked
from tests.wire.actions import ACTIONS, mock_of
from tests.wire.sockets import PATIENCE_S, Client, curl
from tests.wire.test_faults import read

WAYS = ("file", "cli", "admin", "python", "header")
"""The ways in which a fault is said."""
PATHS = {f"{way}-{action}": f"/{way}/{action}" for way in WAYS for action in ACTIONS}

Url = Callable[[str], str]


def test_every_action_is_here() -> None:
    assert list(ACTIONS) == [action.__struct_config__.tag for action in KNOWN]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A `mockd serve` with mocks of all actions, from a file, by the command line and by the admin API; and one without
    faults."""
    file = tmp_path_factory.mktemp("mocks") / "mocks.json"
    mocks = [mock_of(f"file-{name}", f"/file/{name}", [seen.line]) for name, seen in ACTIONS.items()]
    file.write_text(json.dumps([*mocks, mock_of("plain", "/plain", [])]), encoding="utf-8")
    served = Served("--config", str(file), "--allow-fault-header", "--admin-port", str(free_port()))
    try:
        for name, seen in ACTIONS.items():
            of_object = msgspec.to_builtins(parse_line(seen.line))
            mock = mock_of(f"admin-{name}", f"/admin/{name}", [of_object])
            status, answer = asked(f"{served.admin}/mocks", "POST", json.dumps(mock).encode())
            assert status == 201, answer
        yield served
    finally:
        served.stop()


@pytest.fixture(scope="module")
def by_command(served: Served) -> None:
    """Mocks of all actions, made by `mockd add`."""
    events = [word for number in range(1, 5) for word in ("--sse-event", f"message:{number}")]
    for name, seen in ACTIONS.items():
        words = ["add", "--admin-url", served.admin, "--path", f"/cli/{name}", "--sse", *events, "--sse-delay", "0"]
        assert run([*words, "--fault", seen.line]) == 0


@pytest.fixture(scope="module")
def in_python() -> Iterator[str]:
    app = create_app()
    for name, seen in ACTIONS.items():
        app.engine.create(mock_of(f"python-{name}", f"/python/{name}", [seen.line]))
    with running_mockd(engine=app.engine) as server:
        yield server.url


@pytest.fixture(params=WAYS)
def url_of(request: pytest.FixtureRequest, served: Served) -> tuple[str, Url]:
    """A way, and the URL of an action that is said in it."""
    way = request.param
    if way == "cli":
        request.getfixturevalue("by_command")
    base = request.getfixturevalue("in_python") if way == "python" else served.mocks
    return way, lambda name: base + ("/plain" if way == "header" else f"/{way}/{name}")


def said_in(text: str) -> str:
    """The first character of each event's data."""
    return "".join(re.findall(r"^data: ?(.)?", text, re.MULTILINE))


def judged(data: bytes) -> tuple[str, str, int | None]:
    """What h11 says of the bytes of an answer, its body and its status."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "any")]))
    reader.send(h11.EndOfMessage())
    if data:  # nothing would be the end of the connection
        reader.receive_data(data)
    body, status, verdict = b"", None, "incomplete"
    try:
        while (event := reader.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                verdict = "legal"
                break
    except h11.RemoteProtocolError:
        verdict = "illegal"
    return verdict, body.decode(errors="replace"), status


@pytest.mark.parametrize("name", ACTIONS)
def test_the_bytes(url_of: tuple[str, Url], name: str) -> None:
    way, url = url_of
    seen = ACTIONS[name]
    headers = {"Connection": "close"} | ({"X-Mockd-Fault": seen.line} if way == "header" else {})
    with Client(url(name)) as client:
        data, end = read(client.ask("", headers=headers))
    verdict, body, status = judged(data)
    assert (said_in(body), verdict) == (seen.said, seen.h11)
    if seen.h11 == "legal":
        assert status == seen.status
    if seen.end in ("whole", "more"):
        whole = data if seen.end == "whole" else data[:-16]
        assert whole.endswith((b"0\r\n\r\n", b"}")), data
        assert end == "fin"
    else:
        assert end == seen.end


@pytest.mark.parametrize("name", ACTIONS)
def test_what_curl_says(served: Served, name: str) -> None:
    code, out = curl(f"{served.mocks}/file/{name}")
    assert code == ACTIONS[name].curl
    assert said_in(out) == ACTIONS[name].said or code == 1


@pytest.mark.parametrize("name", ACTIONS)
def test_what_httpx_says(served: Served, name: str) -> None:
    seen, text, raised = ACTIONS[name], "", None
    with httpx.Client(timeout=PATIENCE_S) as client:
        try:
            with client.stream("GET", f"{served.mocks}/file/{name}") as response:
                assert response.status_code == seen.status
                assert ("cache-control" in response.headers) == (name not in ("header", "status"))
                for part in response.iter_text():
                    text += part
        except httpx.TransportError as error:
            raised = type(error).__name__
    assert (said_in(text), raised) == (seen.said, seen.httpx)


FETCH = """
const found = {};
for (const [name, url] of Object.entries(JSON.parse(process.argv[1]))) {
  let text = "", error = null, status = 0;
  try {
    const response = await fetch(url);
    status = response.status;
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) text += part;
  } catch (failure) { error = failure.cause?.code ?? failure.name; }
  found[name] = { text, error, status };
}
console.log(JSON.stringify(found));
"""


def test_what_nodes_fetch_says(served: Served) -> None:
    urls = {name: f"{served.mocks}/file/{name}" for name in ACTIONS}
    words = [program("node"), "--input-type=module", "--eval", FETCH, json.dumps(urls)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    for name, seen in ACTIONS.items():
        assert (found[name]["error"] is None) == (seen.httpx is None), (name, found[name])
        # It may drop what it has not handed on when the connection breaks.
        text = said_in(found[name]["text"])
        assert text == seen.said if seen.httpx is None else seen.said.startswith(text), name
        assert found[name]["status"] in (seen.status, 0)
