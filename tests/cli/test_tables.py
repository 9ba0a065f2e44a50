"""Tables: nothing that may be copied is wrapped or cut, however narrow the terminal is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.tables import Column, table
from tests.cli.harness import PATIENCE_S, Cli, Served, clean_environ, mock

Write = Callable[[str, object], Path]

LONG_ID = "http_0123456789abcdef0123456789abcdef"
LONG_PATH = "/openai/deployments/{deployment}/chat/completions"


def on_a_terminal(server: Served, columns: int, *arguments: str) -> str:
    """What a command prints on a terminal of that width."""
    ours, theirs = pty.openpty()
    environ = {**clean_environ(), "COLUMNS": str(columns), "MOCKD_ADMIN_URL": server.admin}
    command = [sys.executable, "-m", "mockd", *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environ) as process:
        os.close(theirs)
        printed = b"".join(_read(ours))
    os.close(ours)
    assert process.returncode == 0
    return printed.decode().replace("\r\n", "\n")


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            return
        if not piece:
            return
        yield piece


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


LISTS = {
    "list": ("mocks", ("id", "matcher")),
    "sse connections": ("connections", ("id", "mockId", "path", "connectedAt")),
    "sse connections list --status all": ("connections", ("id", "mockId", "path", "connectedAt")),
    "templates": ("templates", ("name",)),
    "templates openai-chat": ("parameters", ("name", "default")),
    "presets": ("presets", ("baseUrls", "routes")),
}
"""Every command that prints a table: where its JSON has the rows, and what in them may be copied."""


@pytest.mark.parametrize("columns", [80, 60, 40])
@pytest.mark.parametrize("command", LISTS)
def test_what_may_be_copied_is_whole(cli: Cli, write: Write, shared_server: Served, command: str, columns: int) -> None:
    mocks = [mock(LONG_ID, LONG_PATH, lifecycle={"keepOpen": True}), mock("b", "/b")]
    assert cli("import", str(write("long.json", mocks))).code == 0
    url = shared_server.mocks + LONG_PATH.replace("{deployment}", "d" * 40)
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as stream:
        stream.readline()
        document = cli(*command.split(), "--json").json
        printed = on_a_terminal(shared_server, columns, *command.split()).split()
    rows, keys = LISTS[command]
    wanted = {text for row in document[rows] for key in keys for text in texts(row.get(key))}
    assert wanted
    assert wanted <= set(printed)


@pytest.mark.parametrize(("columns", "most"), [(80, 2), (60, 3)])
def test_a_template_takes_a_line_or_two(shared_server: Served, columns: int, most: int) -> None:
    lines = on_a_terminal(shared_server, columns, "templates").splitlines()[1:]
    assert all(len(line) <= columns for line in lines)
    starts = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert max(after - before for before, after in zip(starts, [*starts[1:], len(lines)], strict=True)) <= most


COLUMNS = (
    Column("ID"),
    Column("PATH"),
    Column("ANSWER", is_words=True),
    Column("PRIORITY", usual="0"),
    Column("NAME", is_words=True),
)
WORD = st.text("abcü漢-/.", min_size=1, max_size=30)
WORDS = st.lists(WORD, max_size=8).map(" ".join)
ROW = st.tuples(WORD, WORD, WORDS, st.sampled_from(["0", "7"]), WORDS)


@given(st.lists(ROW, min_size=1, max_size=4), st.integers(1, 150) | st.none())
def test_every_word_of_every_cell_is_there(rows: list[tuple[str, ...]], width: int | None) -> None:
    text = table(COLUMNS, rows, width)
    printed = text.split()
    for row in rows:
        for column, cell in zip(COLUMNS, row, strict=True):
            for word in cell.split():
                if word == column.usual:
                    continue
                assert word in printed
                printed.remove(word)
    if width is None:
        assert len(text.splitlines()) == len(rows) + 1


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            None,
            [
                "ID    PATH   ANSWER                      PRIORITY  NAME",
                "long  /path  SSE: 3 events, every 50 ms  0         the first one",
            ],
        ),
        (
            60,
            [
                "ID    PATH   ANSWER                      NAME",
                "long  /path  SSE: 3 events, every 50 ms  the first one",
            ],
        ),
        (
            45,
            [
                "ID    PATH   ANSWER             NAME",
                "long  /path  SSE: 3 events,     the first one",
                "             every 50 ms",
            ],
        ),
        (30, ["long  PATH /path", "  ANSWER SSE: 3 events, every", "  50 ms  NAME the first one"]),
        (
            10,
            [
                "long",
                "  PATH /path",
                "  ANSWER",
                "  SSE: 3",
                "  events,",
                "  every 50",
                "  ms",
                "  NAME the",
                "  first",
                "  one",
            ],
        ),
    ],
)
def test_layouts(width: int | None, lines: list[str]) -> None:
    rows = [("long", "/path", "SSE: 3 events, every 50 ms", 0, "the first one")]
    assert table(COLUMNS, rows, width).splitlines() == lines


def test_what_cannot_be_printed_breaks_no_table() -> None:
    assert table([Column("NAME")], [["a\nb\x1b[31m\ud800"]], 80) == "NAME\na\\nb\\x1b[31m\\ud800\n"
