"""Resume over real sockets: many clients at once, each cut again and again."""

from __future__ import annotations

import http.client
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mockd.testing import RunningMockd, running_mockd

ON = {"enabled": True}
TIMING = {"randomDelay": {"min": 0, "max": 4}}
MOCKS: dict[str, dict[str, Any]] = {
    "numbers": {"generator": {"type": "sequence", "count": 40}},
    "random": {"events": [{"data": f"{n} $uuid"} for n in range(40)]},
    "passes": {"events": [{"id": name, "data": name} for name in "abcdefgh"], "repeat": 5},
    "limited": {
        "events": [{"data": str(n)} for n in range(40)],
        "rateLimit": {"eventsPerSecond": 500, "burstSize": 20},
    },
}


def read_some(mockd: RunningMockd, path: str, last_id: str | None, most: int) -> list[tuple[str, str]] | None:
    """Some events as id and data; none where the answer is 204. The client then leaves at once."""
    connection = http.client.HTTPConnection(mockd.url.removeprefix("http://"), timeout=20)
    try:
        connection.request("GET", path, headers={} if last_id is None else {"Last-Event-ID": last_id})
        answer = connection.getresponse()
        if answer.status == 204:
            return None
        events: list[tuple[str, str]] = []
        event: dict[str, str] = {}
        for line in iter(answer.readline, b""):
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif "data" in event:
                events.append((event["id"], event["data"]))
                event = {}
            if len(events) == most:
                break
        return events
    finally:
        connection.close()


def follow(mockd: RunningMockd, path: str, seed: int) -> list[tuple[str, str]]:
    """A client that leaves after a few events, comes back, and does so until there is nothing more."""
    rng = random.Random(seed)
    got: list[tuple[str, str]] = []
    while (events := read_some(mockd, path, got[-1][0] if got else None, rng.randint(1, 12))) is not None:
        got += events
    return got


@pytest.mark.parametrize("name", MOCKS)
def test_each_of_many_clients_gets_everything_once_and_in_order(name: str) -> None:
    mock = {"matcher": {"path": "/s"}, "sse": {**MOCKS[name], "timing": TIMING, "resume": ON}}
    with running_mockd(mock) as mockd, ThreadPoolExecutor(8) as clients:
        followed = list(clients.map(lambda seed: follow(mockd, "/s", seed), range(8)))
    for got in followed:
        assert len(got) == len({id_ for id_, _ in got}) == 40
    if name == "random":
        assert all([data.split(" ")[0] for _, data in got] == [str(n) for n in range(40)] for got in followed)
        assert len({data for got in followed for _, data in got}) == 8 * 40
    else:
        assert all(got == followed[0] for got in followed)
