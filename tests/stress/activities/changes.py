"""Changes of the mocks while they are used: by the admin API, and by files that are watched."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import uuid4

from tests.stress.asking import ask
from tests.stress.server import Server
from tests.wire.sockets import Client, eventually


def _mock(name: str, text: str) -> dict[str, Any]:
    return {"id": name, "matcher": {"path": f"/changing/{name}"}, "sse": {"events": [{"data": text}] * 3}}


def _says(server: Server, name: str, text: str) -> bool:
    return ask(f"{server.mocks}/changing/{name}") == (200, f"data: {text}\n\n".encode() * 3)


def by_the_api(server: Server, random: Random) -> None:
    """A mock that is made, replaced, patched, switched off and on, and deleted, each with its effect at once."""
    name = str(uuid4())
    at = f"{server.admin}/mocks/{name}"
    assert ask(server.admin + "/mocks", "POST", _mock(name, "made"))[0] == 201
    assert _says(server, name, "made")
    assert ask(at, "PUT", _mock(name, "replaced"))[0] == 200
    assert _says(server, name, "replaced")
    assert ask(at, "PATCH", {"sse": {"events": [{"data": "patched"}] * 3}})[0] == 200
    assert _says(server, name, "patched")
    for status in (404, 200):
        assert ask(at + "/toggle", "POST")[0] == 200
        assert ask(f"{server.mocks}/changing/{name}")[0] == status
    assert ask(at, "DELETE")[0] == 204
    assert ask(f"{server.mocks}/changing/{name}")[0] == 404


def under_a_stream(server: Server, random: Random) -> None:
    """A mock that is deleted while a client reads from it: the stream ends, and the client sees an end."""
    name = str(uuid4())
    mock = _mock(name, "x") | {"sse": {"events": [{"data": "x"}], "repeat": 0, "timing": {"fixedDelay": 5}}}
    assert ask(server.admin + "/mocks", "POST", mock)[0] == 201
    with Client(server.mocks) as client:
        client.ask(f"/changing/{name}").read_head()
        client.read_chunk()
        assert ask(f"{server.admin}/mocks/{name}", "DELETE")[0] == 204
        client.read_chunks()


def there_and_back(server: Server, random: Random) -> None:
    """What is exported can be imported again, and stays the same."""
    names = [str(uuid4()) for _ in range(random.randint(1, 20))]
    mocks = {"mocks": [_mock(name, "imported") for name in names]}
    assert ask(server.admin + "/config", "POST", mocks)[0] == 200
    status, exported = ask(server.admin + "/config")
    assert status == 200
    own = [mock for mock in json.loads(exported)["mocks"] if mock["id"] in names]
    assert ask(server.admin + "/config", "POST", own)[0] == 200
    again = json.loads(ask(server.admin + "/config")[1])
    assert [mock for mock in again["mocks"] if mock["id"] in names] == own
    for name in names:
        assert ask(f"{server.admin}/mocks/{name}", "DELETE")[0] == 204


def by_files(server: Server, random: Random) -> None:
    """A file that is written, broken, mended and deleted while its folder is watched."""
    name = str(uuid4())
    file = server.watched / f"{name}.json"
    try:
        file.write_text(json.dumps(_mock(name, "written")), encoding="utf-8")
        eventually(lambda: _says(server, name, "written"))
        file.write_text("{ broken", encoding="utf-8")
        assert _says(server, name, "written")
        file.write_text(json.dumps(_mock(name, "mended")), encoding="utf-8")
        eventually(lambda: _says(server, name, "mended"))
    finally:
        file.unlink()
    eventually(lambda: ask(f"{server.mocks}/changing/{name}")[0] == 404)


def lists(server: Server, random: Random) -> None:
    for path in ("/mocks", "/sse/connections?status=all", "/sse/stats", "/status", "/health", "/config?format=yaml"):
        status, answer = ask(server.admin + path)
        assert status == 200, answer


CHANGES: dict[str, Callable[[Server, Random], None]] = {
    "changes by the admin API": by_the_api,
    "mocks deleted under a stream": under_a_stream,
    "exports and imports": there_and_back,
    "changes of files": by_files,
    "lists": lists,
}
