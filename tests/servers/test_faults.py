"""Every action of a fault under every server: the record says no more than what a client has seen.

`exact` is what the action promises, `unsupported` an answer without a fault, and what is `emulated` says as what.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx2
import pytest
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from mockd.app import create_app
from mockd.engine import Engine
from tests.servers.conftest import Served
from tests.servers.servers import SERVERS, Server
from tests.wire.actions import ACTIONS, mock_of
from tests.wire.conftest import Stamp, mounted
from tests.wire.sockets import Client, eventually
from tests.wire.test_every_action import judged, said_in
from tests.wire.test_faults import read

pytestmark = pytest.mark.servers

MOCKS = [mock_of(name, f"/{name}", [seen.line]) for name, seen in ACTIONS.items()]
WHOLE = "1234"


class Observed(NamedTuple):
    """What a client has seen: the data, what h11 says of the bytes, how they end, and the status."""

    said: str
    verdict: str
    end: str
    status: int | None


def observe(url: str, path: str) -> Observed:
    with Client(url) as client:
        data, end = read(client.ask(path, headers={"Connection": "close"}))
    verdict, body, status = judged(data)
    if verdict == "legal" and end == "fin":
        end = "whole" if data.endswith((b"0\r\n\r\n", b"}")) else "more"
    return Observed(said_in(body), verdict, end, status)


def record_of(url: str, name: str) -> dict[str, Any]:
    """The record of the fault that struck last."""
    ended = f"{url}/__mockd/sse/connections?status=ended&mock={name}&limit=1"

    def found() -> list[Any]:
        connections: list[Any] = httpx2.get(ended).json()["connections"]
        return connections

    eventually(found)
    faults: list[dict[str, Any]] = found()[-1].get("faults", [])
    assert len(faults) == 1, faults
    return faults[0]


def assert_true(record: dict[str, Any], observed: Observed, name: str) -> None:
    """The record of a fault says no more than what was seen."""
    seen = ACTIONS[name]
    assert record["action"] == name
    assert ("as" in record) == (record["fidelity"] != "exact"), record
    if record["fidelity"] == "exact":
        status = seen.status if seen.said or seen.h11 == "legal" else None
        assert observed == (seen.said, seen.h11, seen.end, status), record
    elif record["fidelity"] == "unsupported":
        assert observed == (WHOLE, "legal", "whole", 200), record


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
def test_the_record_is_true(served: Served, server: Server, name: str) -> None:
    url = served(server).url
    observed = observe(url, f"/{name}")
    assert_true(record_of(url, name), observed, name)


def last_record(engine: Engine, name: str) -> dict[str, Any]:
    eventually(lambda: any(one.mock_id == name for one in engine.connections.listed("ended")))
    exchange = next(one for one in reversed(engine.connections.listed("ended")) if one.mock_id == name)
    assert exchange.faults is not None
    (record,) = exchange.faults
    return record


def test_the_record_is_true_behind_a_middleware() -> None:
    with mounted(Middleware(Stamp)) as server:
        for mock in MOCKS:
            server.engine.create(mock)
        for name in ACTIONS:
            observed = observe(server.url, f"/{name}")
            assert_true(last_record(server.engine, name), observed, name)


def test_the_record_is_true_under_a_test_client() -> None:
    """Which has no connection, and no bytes but those of the body."""
    engine = Engine()
    for mock in MOCKS:
        engine.create(mock)
    client = TestClient(create_app(engine=engine))
    for name, seen in ACTIONS.items():
        response = client.get(f"/{name}")
        record, said = last_record(engine, name), said_in(response.content.decode(errors="replace"))
        if record["fidelity"] == "exact":
            assert (said, response.status_code) == (seen.said, seen.status), name
            assert seen.end == "whole", name
            assert seen.h11 == "legal", name
        elif record["fidelity"] == "unsupported":
            assert (said, response.status_code) == (WHOLE, 200), name
