"""Lines of faults that are nearly right, in the header of a request and in a mock."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from mockd.config.faults import ACTIONS
from tests.stress.asking import ask
from tests.stress.cases.rounds import Round, examples, spoilt
from tests.stress.mocks import EXACT
from tests.stress.server import Server
from tests.wire.sockets import Client

_LINES = [
    *(action.example for action in ACTIONS),
    *(f"{action} after {place}" for action in ("reset", "close", "stall 5") for place in ("1 event", "9 bytes")),
    "reset after 150 wire bytes; stall 5 after 1 event; drop count=3",
    "throttle bytesPerSecond=1000000 after 2 ms with probability 0.5",
]
_INSERTED = (
    "",
    " ",
    ";",
    "=",
    '"',
    "{",
    "0",
    "-1",
    "99999999",
    "after",
    "before head",
    "every 2",
    "\\",
    "ü",
    "\t",
    "1e9",
)


def check_header(server: Server, given: tuple[str, str]) -> None:
    """Whatever the header says, the answer is a prefix of what it would be, or something that the line asks for."""
    path, line = given
    with Client(server.mocks) as client:
        client.socket.settimeout(0.3)
        client.ask(path, headers={"X-Mockd-Fault": line.encode("latin-1", "replace").decode("latin-1").strip()})
        try:
            begun = client.socket.recv(12)
        except OSError:  # nothing comes, or a reset
            return
    assert b" 500" not in begun or "status 5" in line


def check_mock(server: Server, line: str) -> None:
    mock: dict[str, Any] = {"id": "faulty", "matcher": {"path": "/faulty"}, "sse": {"events": [{"data": "1"}]}}
    status, answer = ask(f"{server.admin}/mocks", "POST", json.dumps({**mock, "faults": [line]}).encode())
    assert status in (201, 400), answer
    if status == 201:
        assert ask(f"{server.admin}/mocks/faulty", "DELETE")[0] == 204


FAULTS: dict[str, Round] = {
    "faults of requests": examples(st.tuples(st.sampled_from(list(EXACT)), spoilt(_LINES, _INSERTED)), check_header),
    "faults of mocks": examples(spoilt(_LINES, _INSERTED), check_mock),
}
