"""What the commands on recordings do and print. It is loaded only for them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from mockd.cli.output import json_text, note, print_json, print_table, write
from mockd.errors import ConfigError, Problem
from mockd.recordings.comparing import differences
from mockd.recordings.conversions.formats import FORMATS, read_file
from mockd.recordings.events import PIECES, SSE, events_of, fields_of, kind_of
from mockd.recordings.lines import SUFFIX
from mockd.recordings.mocks import mock_of
from mockd.recordings.reading import Exchange, Remarks, exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import redact_file, write_new
from mockd.recordings.timeline import timeline
from mockd.recordings.writing import unusable
from mockd.tables import Column, terminal_width

_WIDTH = 80
"""Width of a timeline if stdout is no terminal."""
_MOST_OF_DATA = 60
_MOST_ROWS = 10_000
"""Most events in one table. Those of a longer answer are in several, as a table is in memory as a whole."""

_LISTED = (
    "FILE",
    "TIME",
    "METHOD",
    "URL",
    "STATUS",
    "PIECES",
    "BYTES",
    "MS",
    "END",
    Column("REDACTED", is_words=True),
)
_EVENTS = ("#", "AT MS", "GAP MS", "PIECES", "BYTES", "TYPE", "ID", "DATA")


def list_all(paths: Sequence[Path], as_json: bool) -> None:
    remarks = Remarks()
    found = [exchange for file in _files(paths) for exchange in exchanges(file, remarks)]
    if as_json:
        print_json({"recordings": [_summary(exchange) for exchange in found], "count": len(found)})
    elif found:
        print_table(_LISTED, map(_row, found))
    else:
        note(f"There are no recordings in {_named(paths)}.")
    _say(remarks)


def show(file: Path, plot: bool, as_json: bool) -> None:
    remarks = Remarks()
    found = list(exchanges(file, remarks))
    if as_json:
        shown = [_summary(exchange) | {"events": list(_events(exchange))} for exchange in found]
        print_json({"recordings": shown, "count": len(found)})
    else:
        for exchange in found:
            _show(exchange, plot)
    _say(remarks)


def compare(first: Path, second: Path, exact: bool, as_json: bool) -> bool:
    """Say what is different. Returns whether nothing is."""
    remarks = Remarks()
    pairs = [list(exchanges(file, remarks)) for file in (first, second)]
    if len(pairs[0]) != len(pairs[1]):
        _say(remarks)
        counts = f"{first} has {_exchanges(pairs[0])}, and {second} has {_exchanges(pairs[1])}"
        raise ConfigError(counts, hint="compare files with as many")
    found = [difference for one, two in zip(*pairs, strict=True) for difference in differences(one, two, exact=exact)]
    if as_json:
        print_json({"same": not found, "differences": [difference._asdict() for difference in found]})
    else:
        for difference in found:
            print(f"{difference.about}: {difference.text}")
        if not found:
            print("They are the same." if exact else "They have the same shape.")
    _say(remarks)
    return not found


def redact(files: Sequence[Path], out: Path | None, redaction: Redaction, as_json: bool) -> None:
    if out is not None:
        _make_folder(out)
    done = []
    for file in files:
        target = file if out is None else out / file.name
        if target != file and target.exists():
            raise ConfigError(f"{target} is there already; nothing is written over it")
        places, remarks = redact_file(file, redaction, target)
        done.append({"file": str(target), "redacted": places})
        if not as_json:
            print(f"{target}: {', '.join(places) or 'nothing'}")
        _say(remarks)
    if as_json:
        print_json({"recordings": done, "count": len(done)})


def to_mock(file: Path, output: Path | None) -> None:
    remarks = Remarks()
    mocks = [mock_of(exchange) for exchange in _some([file], [file], remarks)]
    _write_or_print(json_text({"version": "1.0", "mocks": mocks}), output)
    _say(remarks)


def import_file(file: Path, format: str, out: Path, redaction: Redaction, as_json: bool) -> None:
    said: list[str] = []
    written = write_new(read_file(file, format, said.append), out, redaction)
    if as_json:
        print_json({"files": list(map(str, written)), "count": len(written), "notCarried": list(dict.fromkeys(said))})
    else:
        print("\n".join(map(str, written)) or "There is nothing in it.")
    _say_once(file, said)


def export(files: Sequence[Path], format: str, out: Path | None) -> None:
    remarks = Remarks()
    said: list[str] = []
    found = _some(files, _files(files), remarks)
    _write_or_print(FORMATS[format].write(found, said.append), out)
    _say(remarks)
    _say_once(out or files[0], said)


def _some(paths: Sequence[Path], files: Iterable[Path], remarks: Remarks) -> list[Exchange]:
    """The exchanges in files, which were given by these paths. Raises `ConfigError` if there are none."""
    found = [exchange for file in files for exchange in exchanges(file, remarks)]
    if not found:
        _say(remarks)
        raise ConfigError(f"there is no recording in {_named(paths)}", hint=f"names of recordings end in {SUFFIX}")
    return found


def _named(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))


def _exchanges(found: Sequence[Exchange]) -> str:
    return f"{len(found)} exchange{'s' * (len(found) != 1)}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(unusable(folder, error)) from None


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]


def _write_or_print(text: str, output: Path | None) -> None:
    if output is None:
        write(text)
        return
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(file, "w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
            opened.write(text)
    except OSError as error:
        raise ConfigError(f"{output}: {error.strerror}") from None


def _say(remarks: Remarks) -> None:
    """Say what there is to say of the files. Exit code 2 if there are lines that cannot be read."""
    for warning in remarks.warnings:
        note(f"warning: {warning}")
    for problem in remarks.problems:
        note(str(problem))
    if remarks.problems:
        raise typer.Exit(2)


def _say_once(file: Path, said: list[str]) -> None:
    for text in dict.fromkeys(said):
        note(f"warning: {Problem(text, source=str(file))}")


def _row(exchange: Exchange) -> tuple[object, ...]:
    begun = exchange.begun
    return (
        exchange.path.name,
        begun.recorded_at,
        begun.method,
        begun.url,
        exchange.head.status if exchange.head is not None else "",
        exchange.pieces,
        exchange.output_bytes,
        round(exchange.duration_us / 1000, 1),
        exchange.how,
        ", ".join(exchange.end.redacted if exchange.end is not None else ()),
    )


def _summary(exchange: Exchange) -> dict[str, Any]:
    end = exchange.end
    return {
        "file": str(exchange.path),
        "line": exchange.number,
        "recordedAt": exchange.begun.recorded_at,
        "method": exchange.begun.method,
        "url": exchange.begun.url,
        "status": exchange.head.status if exchange.head is not None else None,
        "headMs": exchange.head_us / 1000 if exchange.head_us is not None else None,
        "durationMs": exchange.duration_us / 1000,
        "requestBytes": exchange.input_bytes,
        "pieces": exchange.pieces,
        "bytes": exchange.output_bytes,
        "end": exchange.how,
        "text": end.text if end is not None else None,
        "redacted": end.redacted if end is not None else [],
        "decoded": end.decoded if end is not None else None,
        "decodedRequest": end.decoded_request if end is not None else None,
    }


def _events(exchange: Exchange) -> Iterator[dict[str, Any]]:
    """The events of an answer, each with its time and size."""
    kind = kind_of(exchange)
    before_us = exchange.head_us or 0
    for number, event in enumerate(events_of(exchange), start=1):
        shown: dict[str, Any] = {
            "number": number,
            "atMs": event.at_us / 1000,
            "gapMs": (event.at_us - before_us) / 1000,
            "pieces": event.pieces,
            "bytes": len(event.raw),
        }
        if kind == SSE:
            fields = fields_of(event.raw)._asdict()
            shown |= {name: value for name, value in fields.items() if value is not None}
        else:
            shown["data"] = event.raw.decode("utf-8", "backslashreplace")
        yield shown
        before_us = event.at_us


def _show(exchange: Exchange, plot: bool) -> None:
    begun, head = exchange.begun, exchange.head
    print(f"{begun.method} {begun.url}")
    if head is None:
        print(f"no answer: {exchange.how} after {exchange.duration_us / 1000:.1f} ms")
    else:
        print(f"{head.status} {head.reason} after {(exchange.head_us or 0) / 1000:.1f} ms")
        print("".join(f"  {name}: {value}\n" for name, value in head.headers), end="")
    if plot:
        width = terminal_width() or _WIDTH
        for line in timeline(events_of(exchange), exchange.head_us or 0, exchange.duration_us, width):
            print(line)
    rows, count = map(_event_row, _events(exchange)), 0
    while part := list(islice(rows, _MOST_ROWS)):
        print_table(_EVENTS, part)
        count += len(part)
    what = "pieces" if kind_of(exchange) == PIECES else "events"
    took = f"{exchange.how} after {exchange.duration_us / 1000:.1f} ms"
    text = exchange.end.text if exchange.end is not None else None
    print(f"{took}, {count} {what}, {exchange.output_bytes} bytes" + (f": {text}" if text else ""))


def _event_row(event: dict[str, Any]) -> tuple[object, ...]:
    data = event.get("data", f": {event['comment']}" if "comment" in event else "")
    data = data if len(data) <= _MOST_OF_DATA else data[: _MOST_OF_DATA - 1] + "…"
    times = (f"{event['atMs']:.1f}", f"{event['gapMs']:.1f}")
    return (event["number"], *times, event["pieces"], event["bytes"], event.get("type", ""), event.get("id", ""), data)
