"""So many random faults, each exact to the byte, beside a thousand paced streams, while the server is stopped and
continued at random: `scripts/break COUNT`."""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import signal
import socket
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from random import Random, randrange
from typing import Any
from urllib.parse import urlsplit

from tests.stress.report import failure_of
from tests.stress.server import Server, server
from tests.wire.sockets import body_of

COUNT = 100_000
STREAMS = 1000
CLIENTS = 8
PAUSE_S = 0.05
"""Longest time for which the server is stopped."""
EVENTS = [{"id": str(number), "data": f"event {number} ·\nüber zwei Zeilen"} for number in range(12)]
KINDS: dict[str, dict[str, Any]] = {
    "list": {"sse": {"events": EVENTS}},
    "one by one": {"sse": {"events": EVENTS, "flush": "event"}},
    "paced": {"sse": {"events": EVENTS, "timing": {"fixedDelay": 2}}},
    "drawn delays": {"sse": {"events": EVENTS, "timing": {"randomDelay": {"max": 3}}, "seed": 7}},
    "drawn data": {"sse": {"events": [{"data": "$uuid $random:1:1000"}], "repeat": 9, "seed": 7}},
    "resume": {"sse": {"events": EVENTS, "resume": {"enabled": True}}},
    "generator": {"sse": {"generator": {"type": "sequence", "count": 30, "sequence": {"start": 1}}}},
    "NDJSON": {"chunked": {"ndjsonItems": [{"number": n, "text": "ü" * n} for n in range(12)]}},
    "chunked": {"chunked": {"data": "0123456789" * 20, "chunkSize": 7}},
    "whole": {"response": {"body": {"text": "ä" * 200}}},
    "model": {"sse": {"template": "openai-chat", "templateParams": {"tokens": ["a", "b", "ü"]}, "seed": 7}},
}
PACED = {"sse": {"events": [{"data": "tick"}], "repeat": 0, "timing": {"fixedDelay": 50}}}
ENDS = {"reset": "rst", "close": "fin", "end": "fin"}
CHANGING = re.compile(rb'date: [^\r]*|"created":\d+|x-request-id: [^\r]*')


def path_of(kind: str) -> str:
    return "/break/" + kind.replace(" ", "-").lower()


MOCKS = [
    {"id": f"break-{kind}", "matcher": {"path": path_of(kind)}, **mock}
    for kind, mock in {**KINDS, "ticks": PACED}.items()
]


def received(address: tuple[str, int], path: str, fault: str = "") -> tuple[bytes, str]:
    """All that comes of an answer, and how it ends."""
    with socket.create_connection(address, timeout=30) as client:
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"X-Mockd-Fault: {fault}"] if fault else []
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        data = b""
        try:
            while part := client.recv(65536):
                data += part
        except ConnectionResetError:
            return data, "rst"
        return data, "fin"


def same(data: bytes) -> bytes:
    return CHANGING.sub(b"~", data)


class Breaker:
    """Random faults, and what was promised of each."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._whole = {kind: received(address, path_of(kind))[0] for kind in KINDS}

    def strike(self, random: Random) -> str:
        """Let one fault strike. Returns its kind. Raises `AssertionError` if it is not exact."""
        kind = random.choice(list(KINDS))
        action = random.choice(["reset", "close"] if kind == "whole" else list(ENDS))
        unit = random.choice(["bytes", "wire bytes"] if action != "end" else ["bytes"])
        whole = self._whole[kind]
        body = body_of(whole)
        place = random.randrange(1, len(whole) if unit == "wire bytes" else len(body))
        data, end = received(self._address, path_of(kind), f"{action} after {place} {unit}")
        what = f"{kind}: {action} after {place} {unit}"
        assert end == ENDS[action], f"{what} ended with {end}"
        if unit == "bytes":
            assert same(body_of(data)) == same(body[:place]), f"{what}: {body_of(data)!r}"
        else:  # a server that was stopped puts more into a chunk than one that was not
            assert len(data) == place, f"{what}: {len(data)} bytes"
        return f"{action} after {unit}"


def read_ticks(address: tuple[str, int], stop: threading.Event, seen: Counter[str]) -> None:
    """A thousand paced streams, read as they come."""
    waiting = selectors.DefaultSelector()
    for _ in range(STREAMS):
        client = socket.create_connection(address)
        client.sendall(b"GET /break/ticks HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.setblocking(False)
        waiting.register(client, selectors.EVENT_READ)
    while not stop.is_set():
        for key, _ in waiting.select(0.1):
            part = key.fileobj.recv(65536)  # type: ignore[union-attr]
            assert part, "a paced stream has ended"
            seen["events"] += part.count(b"data: ")
    for key in list(waiting.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]


def stop_at_random(found: Server, stop: threading.Event, random: Random, seen: Counter[str]) -> None:
    """Stop the process for a moment, and let it continue."""
    process = found.served.process.pid
    while not stop.wait(random.random() / 2):
        os.kill(process, signal.SIGSTOP)
        time.sleep(random.random() * PAUSE_S)
        os.kill(process, signal.SIGCONT)
        seen["stops"] += 1


@dataclass
class Outcome:
    """How a run ended: the faults that were exact, by kind, and what was wrong with others; the events of the paced
    streams beside them, how often the process was stopped, and the seconds that all took."""

    exact: dict[str, int]
    failures: list[str]
    events: int
    stops: int
    seconds: float


def strike(count: int, seed: int) -> Outcome:
    """Let so many faults strike."""
    seen: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    failures: list[str] = []
    stop, began = threading.Event(), time.monotonic()
    with server(*MOCKS) as found, ThreadPoolExecutor(CLIENTS + 2) as threads:
        parts = urlsplit(found.mocks)
        address = (str(parts.hostname), int(parts.port or 80))
        breaker = Breaker(address)
        beside = [
            threads.submit(read_ticks, address, stop, seen),
            threads.submit(stop_at_random, found, stop, Random(seed), seen),
        ]

        def client(number: int) -> None:
            random = Random(seed * CLIENTS + number)
            for _ in range(count // CLIENTS + (number < count % CLIENTS)):
                try:
                    struck[breaker.strike(random)] += 1
                except Exception as error:
                    failures.append(failure_of(error))

        try:
            for work in [threads.submit(client, number) for number in range(CLIENTS)]:
                work.result()
        finally:
            stop.set()
        for work in beside:
            work.result()
    return Outcome(dict(struck), failures, seen["events"], seen["stops"], time.monotonic() - began)


def report(outcome: Outcome, count: int, seed: int) -> None:
    for name, number in sorted(outcome.exact.items()):
        print(f"{name:24}{number:>10,}")
    print(f"{sum(outcome.exact.values()):,} of {count:,} exact in {outcome.seconds:.0f} s, seed {seed}")
    print(f"beside {STREAMS:,} streams with {outcome.events:,} events; stopped and continued {outcome.stops:,} times")
    for failure in outcome.failures[:20]:
        print(failure)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/break", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=COUNT, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=randrange(10**6), metavar="N")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.add_argument("--recordings", action="store_true", help="break recorded streams instead, at every byte")
    given = parser.parse_args()
    if given.recordings:
        from tests.stress import sweep

        return sweep.run()
    outcome = strike(given.count, given.seed)
    if given.json:
        print(json.dumps(asdict(outcome)))
    else:
        report(outcome, given.count, given.seed)
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
