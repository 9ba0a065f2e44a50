"""Writing recordings from what is there already: recordings that are redacted anew, what comes from other formats."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mockd.errors import MAX_PROBLEMS, ConfigError, Problem
from mockd.recordings.lines import Begun, End, Head, Info, Input, Line, Other, Output, Trailers
from mockd.recordings.outgoing import Lines, Whole
from mockd.recordings.reading import Exchange, Remarks, exchanges
from mockd.recordings.redaction import Redacted, Redaction
from mockd.recordings.writing import NewFiles, unusable, write_all

_UNTOUCHED = "it is left as it is, and nothing of it is written: mend it first, or take these lines out"


class Story(NamedTuple):
    """An exchange as a whole: how it began, and what happened, each with its time in microseconds from then, which is
    gone through twice."""

    begun: Begun
    happened: Iterable[tuple[int, Line]]


class _Happened:
    """What happened in an exchange of a file, read from there whenever it is gone through."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        return self._exchange.happened()


def tell(story: Story, put: Callable[[bytes], None], redacted: Redacted) -> list[str]:
    """Write an exchange whose first line is redacted already, every line in its order. The places of what was
    redacted."""
    inputs_left, end = _foreseen(story)
    lines = Lines(put, story.begun, redacted, whole=Whole() if end is None else Whole(end.decoded, end.decoded_request))
    at_us = 0
    for at_us, line in story.happened:
        match line:
            case Input():
                lines.input(at_us, line.data, line.beyond)
                inputs_left -= 1
                if not inputs_left:
                    lines.input_end()
            case Output():
                lines.output(at_us, line.data, line.beyond)
            case Head():
                lines.head(at_us, line)
            case Info():
                lines.info(at_us, line)
            case Trailers():
                lines.trailers(at_us, line)
            case End():
                lines.end(at_us, line)
            case Other():
                lines.other(at_us, line)
    if end is None:
        lines.end_missing(at_us)
    return redacted.places


def _foreseen(story: Story) -> tuple[int, End | None]:
    """How many pieces the request's body has, and the end, if there is one."""
    inputs, end = 0, None
    for _, line in story.happened:
        match line:
            case Input():
                inputs += 1
            case End():
                end = line
    return inputs, end


def write_new(stories: Iterable[Story], folder: Path, redaction: Redaction) -> list[Path]:
    """Write each exchange into a new file of a folder. Raises `ConfigError`."""
    files = NewFiles(folder)
    written = []
    for story in stories:
        redacted = redaction.exchange()
        begun = redacted.begun(story.begun)
        try:
            path, file = files.create(begun)
            try:
                tell(Story(begun, story.happened), lambda raw, file=file: write_all(file, raw), redacted)  # type: ignore[misc]
            finally:
                os.close(file)
        except OSError as error:
            raise ConfigError(unusable(folder, error)) from None
        written.append(path)
    return written


def redact_file(path: Path, redaction: Redaction, target: Path | None = None) -> tuple[list[str], Remarks]:
    """Write a recording anew without its secrets: in its place, or to `target`. The places of what was redacted, and
    what there is to say of the file. Until it is whole, the old one stays. Raises `ConfigError`."""
    remarks = Remarks()
    found = list(exchanges(path, remarks))
    if not found or remarks.problems:
        said = remarks.problems or remarks.warnings
        raise ConfigError([*said[: MAX_PROBLEMS - 1], Problem(_UNTOUCHED, source=str(path))])
    target = path if target is None else target
    places: list[str] = []
    try:
        file, name = tempfile.mkstemp(prefix=f".{target.name[:40]}-", dir=target.parent)  # for its owner alone
        try:
            for exchange in found:
                redacted = redaction.exchange()
                story = Story(redacted.begun(exchange.begun), _Happened(exchange))
                places += tell(story, lambda raw: write_all(file, raw), redacted)
            os.close(file)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink()
            raise
    except OSError as error:
        raise ConfigError(f"{target}: {error.strerror}") from None
    return list(dict.fromkeys(places)), remarks
