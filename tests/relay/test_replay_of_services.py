"""Every stream that a real service sent, served by mockd, recorded from it, played and recorded again: the same each
time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.relay.clients import Raw
from tests.relay.conftest import Relay
from tests.relay.test_replay import ended, told

FOLDER = os.environ.get("MOCKD_RECORDINGS", "")
FILES = sorted(Path(FOLDER).rglob("*.chunks.txt")) if FOLDER else []

pytestmark = pytest.mark.skipif(not FOLDER, reason="MOCKD_RECORDINGS names no folder of recorded streams")

WAYS: list[dict[str, Any]] = [
    {},
    {"framing": {"split": {"random": 7}}},
    {"framing": {"lineEnding": "crlf", "split": "utf8", "comments": {"every": 3, "text": "ping"}}},
    {"framing": {"coalesce": 5}, "flush": "auto"},
    {"timing": {"randomDelay": {"max": 2}}, "seed": 1},
]
"""Forms in which they are served at first, in turn."""
FAULTS: list[list[str]] = [[], ["reset after 7 events"], ["close after 900 bytes"], ["malformed after 3 events"]]


def test_each_is_the_same_again(relay: Relay, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    mocks = []
    for number, file in enumerate(FILES):
        events = [{"data": line.decode(), "id": str(at)} for at, line in enumerate(lines_of(file))]
        sse = {"events": events, **WAYS[number % len(WAYS)]}
        mocks.append({"matcher": {"path": f"/{number}"}, "sse": sse, "faults": FAULTS[number % len(FAULTS)]})
    with running_mockd(*mocks) as service:
        url = relay(service.url, record=str(first)).url
        for number in range(len(FILES)):
            ask(url, number)
        recorded = ended(first, len(FILES))
    with running_mockd(settings=Settings(config=(str(first),))) as replaying:
        url = relay(replaying.url, record=str(second)).url
        for number in range(len(FILES)):
            ask(url, number)
        replayed = ended(second, len(FILES))
    assert {one.how for one in recorded} == {"complete", "reset", "closed"}
    for one, other in zip(recorded, replayed, strict=True):
        assert told(one) == told(other), one.begun.url


def lines_of(file: Path) -> list[bytes]:
    return [line for line in file.read_bytes().splitlines() if line]


def ask(url: str, number: int) -> None:
    with Raw(url) as client:
        client.get(f"/{number}", "Connection: close").all()
