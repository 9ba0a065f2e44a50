"""Recordings to test with: real ones of vendors, and random ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

from mockd.recordings.lines import Begun, End, Head, Info, Input, Line, Output, Trailers
from mockd.recordings.reading import Exchange, exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story, write_new

FOLDER = os.environ.get("MOCKD_RECORDINGS", "")
"""A folder with a folder for each vendor, of files with one JSON payload a line."""

NO_REDACTION = Redaction(is_on=False)


def recorded(folder: Path, *stories: Story, redaction: Redaction = NO_REDACTION) -> list[Exchange]:
    """The stories, written and read."""
    return [exchange for path in write_new(stories, folder, redaction) for exchange in exchanges(path)]


def lines_of(exchange: Exchange) -> list[tuple[int, Line]]:
    return list(exchange.happened())


def vendors() -> Iterator[tuple[str, Story]]:
    """A stream of each recorded file, in pieces of random sizes at random times."""
    for file in sorted(Path(FOLDER).glob("*/*.chunks.txt")):
        rng = Random(file.name)
        body = b"".join(b"data: %b\n\n" % line for line in file.read_bytes().splitlines() if line.strip())
        yield file.name, stream(rng, body)


def stream(rng: Random, body: bytes, content_type: str = "text/event-stream") -> Story:
    """A stream of this body."""
    at_us = rng.randint(1_000, 900_000)
    happened: list[tuple[int, Line]] = [
        (0, Input(data=b'{"stream": true}')),
        (at_us, Head(status=200, reason="OK", headers=[("Content-Type", content_type), ("X-Id", "1")])),
    ]
    most = rng.choice([7, 50, 400, 5000])
    while body:
        size = rng.randint(1, most)
        at_us += rng.choice([0, 15, 20_000, 123_456])
        happened.append((at_us, Output(data=body[:size])))
        body = body[size:]
    happened.append((at_us + rng.randint(0, 5_000), End(how=rng.choice(["complete", "reset", "closed", "client"]))))
    return Story(Begun(method="POST", url="https://api.example.com/v1/chat?x=1&y=", recorded_at=_TIME), happened)


_TIME = "2026-11-28T10:00:00.000Z"


def anything(rng: Random) -> Story:
    """An exchange that has whatever an exchange can have, of random bytes."""
    at_us = 0
    happened: list[tuple[int, Line]] = []

    def add(line: Line) -> None:
        nonlocal at_us
        at_us += rng.choice([0, 1, 999, 1_000_001])
        happened.append((at_us, line))

    for _ in range(rng.randint(0, 3)):
        add(Input(data=rng.randbytes(rng.randint(0, 30))))
    if rng.random() < 0.9:
        if rng.random() < 0.3:
            add(Info(status=103, reason="Early Hints", headers=[("Link", "</a>")]))
        add(Head(status=rng.choice([200, 404, 599]), reason=rng.choice(["", "Fine"]), headers=[("A", "é"), ("a", "")]))
        for _ in range(rng.randint(0, 6)):
            add(Output(data=rng.choice([rng.randbytes(rng.randint(0, 9)), "é€".encode(), b""])))
        if rng.random() < 0.3:
            add(Trailers(headers=[("X-Sum", "1")]))
    if rng.random() < 0.9:
        add(End(how=rng.choice(["complete", "reset", "timeout", "error"]), text=rng.choice([None, "why"])))
    path = rng.choice(["", "/prefix/a%20b"])
    url = "https://x/a%20b?q=%C3%A9"
    return Story(Begun(method="PUT", url=url, path=path, recorded_at=_TIME, http_version="1.0"), happened)
