"""Several hands on one stream at once: whatever they do, its events come once each, in order, and so does what is
pushed."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.client import AdminClient
from mockd.errors import AdminError
from mockd.testing import RunningMockd, running_mockd
from tests.wire.holding import Admin, Reader

COUNT = 200
EVENTS = [{"data": f"e{number}"} for number in range(COUNT)]
PACED = {"timing": {"fixedDelay": 1}}
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "paced": {"sse": {"events": EVENTS, **PACED}},
    "resume": {"sse": {"events": EVENTS, **PACED, "resume": {"enabled": True, "bufferSize": 1000}}},
    "heartbeats": {"sse": {"events": EVENTS, **PACED, "lifecycle": {"heartbeat": {"every": 3, "text": "h"}}}},
    "faulty": {"sse": {"events": EVENTS, **PACED}, "faults": ["stall ms=20 after 50 events"]},
    "NDJSON": {"chunked": {"ndjsonItems": [event["data"] for event in EVENTS], **PACED}},
}
HANDS = 8
ACTIONS = 25
"""What each of the hands does, one after the other."""
SEED = 7


@pytest.fixture
def server() -> Iterator[RunningMockd]:
    with running_mockd(*({"id": kind, "matcher": {"path": f"/{kind}"}, **mock} for kind, mock in KINDS.items())) as it:
        yield it


def act(admin: AdminClient, stream: str, chance: random.Random, words: Iterator[str]) -> str | None:
    """Do anything with a stream; the text that was pushed into it, if any was."""
    match chance.choice(("hold", "hold at", "release", "step", "push")):
        case "hold":
            admin.hold_connection(stream, keepalives=chance.random() < 0.5, freeze_timeouts=chance.random() < 0.5)
        case "hold at":
            admin.hold_connection(stream, at=chance.randrange(COUNT))
        case "release":
            admin.release_connection(stream)
        case "step":
            admin.step_connection(stream, chance.randrange(1, 5))
        case "push":
            word = next(words)
            admin.push_into_connection(stream, {"data": word})
            return word
    return None


def hand(server: RunningMockd, stream: str, number: int, pushed: list[str]) -> None:
    chance = random.Random(SEED + number)
    words = (f"p{number}.{count}" for count in range(ACTIONS))
    with server.admin() as admin:
        for _ in range(ACTIONS):
            try:
                word = act(admin, stream, chance, words)
            except AdminError as error:  # its last event was sent meanwhile
                assert error.status == 409  # noqa: PT017
                return
            if word is not None:
                pushed.append(word)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_doubled_or_out_of_order(server: RunningMockd, kind: str) -> None:
    ways = Admin(server)
    ways.post(f"/mocks/{kind}/sse/hold", {"at": 1, "upcoming": 1})
    with Reader(server.url) as reader, server.admin() as admin:
        reader.start(f"/{kind}")
        stream = ways.wait(f"/mocks/{kind}/sse", "held=true")["id"]
        pushed: list[list[str]] = [[] for _ in range(HANDS)]
        hands = [
            threading.Thread(target=hand, args=(server, stream, number, pushed[number])) for number in range(HANDS)
        ]
        for one in hands:
            one.start()
        for one in hands:
            one.join()
        admin.release_connection(stream)
        found = re.findall(r"\b(?:e\d+|p\d+\.\d+)\b", reader.rest().decode())
    assert [word for word in found if word.startswith("e")] == [f"e{number}" for number in range(COUNT)]
    for number, words in enumerate(pushed):
        assert [word for word in found if word.startswith(f"p{number}.")] == words
