"""The ways on which recordings are written anew, and exchanges to send on them."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockd.recordings.conversions import har
from mockd.recordings.lines import (
    Begun,
    End,
    Head,
    Input,
    Line,
    Output,
    Trailers,
    decode,
    with_gap,
)
from mockd.recordings.reading import exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story, redact_file, write_new
from mockd.recordings.searching import filling
from tests.recordings.stories import NO_REDACTION, lines_of, recorded

SECRET = "hunter2-hunter2"
FILLED = filling(len(SECRET)).decode()
REDACTION = Redaction([SECRET])

Happened = list[tuple[int, Line]]

HEAD = Head(status=200, reason="OK", headers=[("Content-Type", "text/event-stream")])
CHAT = '{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
LEADS_ON = b'{"a": "b", "pass'  # which may be the beginning of a credential's name


def told(*lines: Line) -> Happened:
    """Lines that come one after the other, no gap like another."""
    return [(1_000 * place * (place + 1), line) for place, line in enumerate(lines, 1)]


def asked(*parts: str | bytes) -> list[Line]:
    return [Input(data=part if isinstance(part, bytes) else part.encode()) for part in parts]


def said(*parts: str | bytes) -> list[Line]:
    return [Output(data=part if isinstance(part, bytes) else part.encode()) for part in parts]


def answered(*parts: str | bytes) -> list[Line]:
    return [HEAD, *said(*parts), End(how="complete")]


CODED = [("Content-Encoding", "gzip"), ("Content-Type", "text/event-stream")]


def in_gzip(text: str) -> list[bytes]:
    raw = gzip.compress(text.encode(), mtime=0)
    return [raw[:12], raw[12:]]


def coded(asked_for: str, answer: str) -> Story:
    lines = [*asked(*in_gzip(asked_for)), Head(status=200, headers=CODED), *said(*in_gzip(answer))]
    return story(told(*lines, Trailers(headers=[("X", "y")]), End(how="complete")), headers=CODED)


def story(happened: Happened, **begun: object) -> Story:
    first = Begun(method="POST", url="https://a.test/x", recorded_at="2026-11-28T10:00:00.000Z", **begun)  # type: ignore[arg-type]
    return Story(first, happened)


def redact(folder: Path, told: Story, redaction: Redaction) -> Path:
    [file] = write_new([told], folder, NO_REDACTION)
    redact_file(file, redaction)
    return file


def redact_elsewhere(folder: Path, told: Story, redaction: Redaction) -> Path:
    [file] = write_new([told], folder, NO_REDACTION)
    redact_file(file, redaction, folder / "copy")
    file.unlink()
    return folder / "copy"


def through_an_archive(folder: Path, told: Story, redaction: Redaction) -> Path:
    archive = har.write(recorded(folder / "before", told), lambda _: None)
    shutil.rmtree(folder / "before")
    [file] = write_new(har.read(archive.encode(), lambda _: None), folder, redaction)
    return file


def write(folder: Path, told: Story, redaction: Redaction) -> Path:
    """As whatever is imported is written."""
    [file] = write_new([told], folder, redaction)
    return file


WAYS = {way.__name__: way for way in (redact, redact_elsewhere, through_an_archive, write)}
Way = Callable[[Path, Story, Redaction], Path]

all_ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def happened_in(file: Path) -> Happened:
    """The lines of a file, without what the end says of redaction."""
    [exchange] = exchanges(file)
    return list(bare(lines_of(exchange)))


def bare(happened: Happened) -> Iterator[tuple[int, Line]]:
    before_us = 0
    for at_us, line in happened:
        line, before_us = with_gap(line, at_us - before_us), at_us
        if isinstance(line, End):
            line.redacted = []
        yield at_us, line


def kinds_of(file: Path) -> list[type[Line]]:
    [exchange] = exchanges(file)
    return [type(line) for _, line in exchange.happened()]


def last_of(file: Path) -> End:
    end = decode(file.read_bytes().splitlines()[-1])
    assert isinstance(end, End)
    return end
