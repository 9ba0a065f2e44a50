"""Reading `.stream.jsonl` files: which exchanges are in a file, and then what happened in one, line by line.

A file is never in memory as a whole, so it may be as large as it likes. What cannot be read is said with its line, and
left out; the rest is there. A file that was cut off has what was written before that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct, field

from mockd.errors import MAX_PROBLEMS, ConfigError, Problem
from mockd.recordings.lines import (
    VERSION,
    Begun,
    BrokenLineError,
    End,
    Head,
    Info,
    Input,
    Line,
    Other,
    Output,
    Trailers,
    decode,
)

LONGEST_LINE = 256 * 1024 * 1024
"""Most bytes of a line. A longer one is broken."""

_TOO_LONG = f"longer than {LONGEST_LINE:,} bytes\n".encode()
_BEGINS = 'a recording begins with a line such as {"mockd-stream":1,"request":{"method":"GET","url":"https://a.test/"}}'
_HINTS: dict[type[OSError], str] = {
    FileNotFoundError: "`mockd record` makes recordings, and `mockd recordings list FOLDER` lists those of a folder",
    IsADirectoryError: "name a file in this folder",
}
_AS_CLOSED = "the end is missing: it is replayed as cut off"


class Remarks(Struct):
    """What is said of a file: problems, which are lines that cannot be read, and warnings; the first ones of each."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def problem(self, problem: Problem) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def warning(self, problem: Problem) -> None:
        if len(self.warnings) < MAX_PROBLEMS:
            self.warnings.append(problem)


class Exchange(Struct):
    """An exchange in a file, without its bodies.

    `offset` and `number` are the place of its first line in the file, `stop` the offset behind its last one. Times are
    in microseconds from the first line. `head_us` is None if there is no head: the server went away before it, or there
    was none. `pieces` is the number of pieces in the answer's body.
    """

    path: Path
    offset: int
    number: int
    begun: Begun
    stop: int = 0
    infos: int = 0
    head: Head | None = None
    head_us: int | None = None
    trailers: Trailers | None = None
    end: End | None = None
    duration_us: int = 0
    input_bytes: int = 0
    output_bytes: int = 0
    pieces: int = 0

    @property
    def how(self) -> str:
        """How it ended. One whose end is missing was cut off."""
        return self.end.how if self.end is not None else "closed"

    @property
    def redacted(self) -> frozenset[str]:
        """The places of what was redacted."""
        return frozenset(self.end.redacted if self.end is not None else ())

    def happened(self) -> Iterator[tuple[int, Line]]:
        """What happened, in order, each with its time; read from the file anew. Lines that cannot be read, which were
        said before, are left out."""
        at_us = 0
        with self.path.open("rb") as file:
            file.seek(self.offset)
            file.readline()
            for _, _, raw in _raw_lines(file, self.stop):
                try:
                    line = decode(raw)
                except BrokenLineError:
                    continue
                at_us += line.gap_us
                yield at_us, line

    def output(self) -> Iterator[tuple[int, bytes]]:
        """The pieces of the answer's body with their times."""
        return ((at_us, line.data) for at_us, line in self.happened() if isinstance(line, Output))

    def input(self) -> bytes:
        """The request's body."""
        return b"".join(line.data for _, line in self.happened() if isinstance(line, Input))

    def _note(self, line: Line) -> None:
        self.duration_us += line.gap_us
        match line:
            case Input():
                self.input_bytes += len(line.data)
            case Output():
                self.output_bytes += len(line.data)
                self.pieces += 1
            case Head() if self.head is None:
                self.head, self.head_us = line, self.duration_us
            case Info():
                self.infos += 1
            case Trailers():
                self.trailers = line
            case End():
                self.end = line


def exchanges(path: Path, remarks: Remarks | None = None) -> Iterator[Exchange]:
    """The exchanges of a file, in order. Raises `ConfigError` if it cannot be opened."""
    remarks = Remarks() if remarks is None else remarks
    try:
        file = path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from None
    with file:
        yield from _exchanges(file, path, remarks)


def unreadable(path: Path, error: OSError) -> ConfigError:
    """That a file cannot be opened, and what to do."""
    hint = _HINTS.get(type(error))
    return ConfigError(Problem(error.strerror or "it cannot be read", source=str(path), hint=hint))


def _exchanges(file: BinaryIO, path: Path, remarks: Remarks) -> Iterator[Exchange]:
    current: Exchange | None = None
    has_begun = is_lost = False
    for number, (offset, stop, raw) in enumerate(_raw_lines(file)):
        place = Problem("", source=str(path), line=number + 1, column=1)
        if not raw.strip():
            continue
        try:
            line = decode(raw)
        except BrokenLineError as error:
            if not is_lost:
                _say_broken(place, raw, error, remarks, has_begun)
            is_lost = not has_begun
            if current is not None and raw.lstrip().startswith(b"{"):
                yield _finished(current, remarks)
                current = None
            continue
        _warn_of_unknown(line, place, remarks)
        if isinstance(line, Begun):
            if current is not None:
                yield _finished(current, remarks)
            current, has_begun, is_lost = Exchange(path, offset, number + 1, line, stop), True, False
        elif current is None:
            if not (has_begun or is_lost):
                is_lost = True
                remarks.problem(_saying(place, "no exchange has begun before this line", _BEGINS))
        elif current.end is not None:
            remarks.warning(_saying(place, "it is behind the end, and is ignored"))
        else:
            current.stop = stop
            current._note(line)
    if current is not None:
        yield _finished(current, remarks)
    elif not (has_begun or is_lost):
        remarks.warning(Problem("there is no exchange in it", source=str(path)))


def _say_broken(place: Problem, raw: bytes, error: BrokenLineError, remarks: Remarks, has_begun: bool) -> None:
    if raw.endswith(b"\n"):
        remarks.problem(_saying(place, str(error), None if has_begun else _BEGINS))
    else:
        remarks.warning(_saying(place, "the file was cut off in this line"))


def _finished(exchange: Exchange, remarks: Remarks) -> Exchange:
    if exchange.end is None:
        remarks.warning(Problem(_AS_CLOSED, source=str(exchange.path), line=exchange.number, column=1))
    return exchange


def _warn_of_unknown(line: Line, place: Problem, remarks: Remarks) -> None:
    if isinstance(line, Begun) and line.version > VERSION:
        text = f"the file is of version {line.version}, and this mockd knows version {VERSION}: what is new is ignored"
        remarks.warning(_saying(place, text))
    elif isinstance(line, Other):
        remarks.warning(_saying(place, f"a line of an unknown kind {line.kind[:50]!r} is ignored"))
    elif line.has_unknown:
        names = sorted({*line.more, *(line.more_of_request if isinstance(line, Begun) else ())})
        what = ", ".join(repr(name[:50]) for name in names) or "items at its end"
        remarks.warning(_saying(place, f"it has what is not known, which is ignored: {what}"))


def _saying(place: Problem, message: str, hint: str | None = None) -> Problem:
    return Problem(message, hint=hint, source=place.source, line=place.line, column=place.column)


def _raw_lines(file: BinaryIO, until: int | None = None) -> Iterator[tuple[int, int, bytes]]:
    """The lines from where the file is, each with its offset and that behind it."""
    offset = file.tell()
    while (until is None or offset < until) and (raw := file.readline(LONGEST_LINE)):
        begin, offset = offset, offset + len(raw)
        is_too_long = False
        while not raw.endswith(b"\n") and (more := file.readline(LONGEST_LINE)):
            is_too_long = True
            raw, offset = more, offset + len(more)
        yield begin, offset, _TOO_LONG if is_too_long else raw
