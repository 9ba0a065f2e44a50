"""Reading recordings: whatever became of a file, what can be read is there, and the rest is said with its line."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from mockd.errors import ConfigError
from mockd.recordings.lines import Begun, End, Head, Input, Output, encode
from mockd.recordings.reading import Exchange, Remarks, exchanges

FIRST = encode(Begun(method="POST", url="https://x/a"))
LINES = [
    FIRST,
    encode(Input(gap_us=5, data=b"ab")),
    encode(Head(gap_us=10, status=200)),
    encode(Output(gap_us=20, data=b"one")),
    encode(Output(gap_us=30, data=b"\xff")),
    encode(End(gap_us=40, how="reset")),
]


def read(tmp_path: Path, content: bytes) -> tuple[list[Exchange], Remarks]:
    file = tmp_path / "a.stream.jsonl"
    file.write_bytes(content)
    remarks = Remarks()
    return list(exchanges(file, remarks)), remarks


def said(remarks: Remarks) -> list[str]:
    return [f"{problem.line}: {problem.message}" for problem in remarks.problems + remarks.warnings]


def test_an_exchange_says_what_is_in_it(tmp_path: Path) -> None:
    [found], remarks = read(tmp_path, b"".join(LINES))
    assert said(remarks) == []
    assert found.input() == b"ab"
    assert list(found.output()) == [(35, b"one"), (65, b"\xff")]
    assert (found.how, found.head_us, found.duration_us, found.pieces) == ("reset", 15, 105, 2)
    assert (found.input_bytes, found.output_bytes) == (2, 4)


def test_several_exchanges_follow_one_another(tmp_path: Path) -> None:
    other = FIRST.replace(b"/a", b"/b")
    found, remarks = read(tmp_path, b"".join([*LINES, b"\n", other, LINES[2], LINES[3]]))
    assert [exchange.begun.url for exchange in found] == ["https://x/a", "https://x/b"]
    assert [exchange.number for exchange in found] == [1, 8]
    assert list(found[1].output()) == [(30, b"one")]
    assert found[1].how == "closed"
    assert said(remarks) == ["8: the end is missing: it is replayed as cut off"]


def test_wherever_a_file_is_cut_what_was_written_is_read(tmp_path: Path) -> None:
    content = b"".join(LINES)
    for size in range(len(FIRST), len(content) - 1):
        [found], remarks = read(tmp_path, content[:size])
        whole = content[:size].count(b"\n")
        assert found.pieces == max(0, min(whole, 5) - 3) + (content[:size].endswith((b'"one"]', b'"/w=="]')))
        assert found.how == "closed"
        assert remarks.problems == []
        assert remarks.warnings


@pytest.mark.parametrize("place", range(1, len(LINES)))
def test_a_broken_line_is_said_and_the_rest_is_read(tmp_path: Path, place: int) -> None:
    [found], remarks = read(tmp_path, b"".join([*LINES[:place], b"[0,\n", *LINES[place:]]))
    assert said(remarks)[0].startswith(f"{place + 1}: not JSON")
    assert len(said(remarks)) == 1
    assert list(found.output()) == [(35, b"one"), (65, b"\xff")]


def test_lines_without_their_beginning_are_said(tmp_path: Path) -> None:
    found, remarks = read(tmp_path, b"".join([*LINES[2:], b"{}\n", *LINES[2:4]]))
    assert found == []
    assert said(remarks)[0] == "1: no exchange has begun before this line"
    assert len(said(remarks)) == 1


@pytest.mark.parametrize("content", [b"\x00\x01\n" * 50, b"matcher:\n  path: /a\n", b'{"a": 1}\n[0,"o","x"]\n[0'])
def test_of_a_file_that_is_no_recording_only_the_beginning_is_said(tmp_path: Path, content: bytes) -> None:
    _, remarks = read(tmp_path, content)
    [problem] = remarks.problems
    assert problem.line == 1
    assert problem.hint is not None
    assert problem.hint.startswith('a recording begins with a line such as {"mockd-stream":1')
    assert list(exchanges(tmp_path / "a.stream.jsonl", remarks)) == []
    assert len(remarks.problems) == 2
    assert remarks.warnings == []


def test_what_comes_behind_a_wrong_beginning_is_read(tmp_path: Path) -> None:
    [found], remarks = read(tmp_path, b"".join([b"x\n", b"y\n", *LINES[:4], b"[0,\n", *LINES[4:]]))
    assert found.pieces == 2
    assert [problem.line for problem in remarks.problems] == [1, 7]


def test_a_broken_beginning_ends_the_exchange_before_it(tmp_path: Path) -> None:
    [found], remarks = read(tmp_path, b"".join([*LINES[:4], b"{}\n", *LINES[4:]]))
    assert list(found.output()) == [(35, b"one")]
    assert len(remarks.problems) == 1


def test_the_first_of_two_heads_counts(tmp_path: Path) -> None:
    [found], _ = read(tmp_path, b"".join([*LINES[:3], encode(Head(gap_us=1, status=500)), *LINES[3:]]))
    assert found.head is not None
    assert (found.head.status, found.head_us) == (200, 15)


def test_what_stands_behind_the_end_is_ignored(tmp_path: Path) -> None:
    [found], remarks = read(tmp_path, b"".join([*LINES, LINES[3]]))
    assert found.pieces == 2
    assert len(list(found.output())) == 2
    assert said(remarks) == ["7: it is behind the end, and is ignored"]


def test_a_newer_version_and_what_is_unknown_are_said(tmp_path: Path) -> None:
    newer = FIRST.replace(b'"mockd-stream":1', b'"mockd-stream":2')
    [found], remarks = read(tmp_path, newer + b'[1,"mark",1]\n[0,"o","x",1]\n' + LINES[-1])
    assert found.duration_us == 41
    assert said(remarks) == [
        "1: the file is of version 2, and this mockd knows version 1: what is new is ignored",
        "2: a line of an unknown kind 'mark' is ignored",
        "3: it has what is not known, which is ignored: items at its end",
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_said(tmp_path: Path, content: bytes) -> None:
    found, remarks = read(tmp_path, content)
    assert found == []
    assert [problem.message for problem in remarks.warnings] == ["there is no exchange in it"]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file .*`mockd recordings list FOLDER`"):
        list(exchanges(tmp_path / "none"))
    with pytest.raises(ConfigError, match="name a file in this folder"):
        list(exchanges(tmp_path))


def test_each_empty_file_is_said(tmp_path: Path) -> None:
    remarks = Remarks()
    for name in ("a", "b"):
        (tmp_path / name).touch()
        assert list(exchanges(tmp_path / name, remarks)) == []
    assert [problem.source for problem in remarks.warnings] == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_a_line_that_is_too_long_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockd.recordings.reading.LONGEST_LINE", 200)
    long = encode(Output(data=b"x" * 500))
    [found], remarks = read(tmp_path, b"".join([*LINES[:3], long, *LINES[3:], long[:300]]))
    assert found.pieces == 2
    assert [problem.line for problem in remarks.problems + remarks.warnings] == [4, 8]


def test_many_chunks_are_read_with_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "big.stream.jsonl"
    piece = encode(Output(gap_us=1, data=b"x" * 1000))
    with file.open("wb") as big:
        big.writelines([*LINES[:3], *(piece for _ in range(50_000)), LINES[-1]])
    tracemalloc.start()
    try:
        [found] = exchanges(file)
        assert found.pieces == sum(1 for _ in found.output()) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
