"""The commands on recordings."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockd.recordings.lines import Begun, End, Head, Line, Output
from mockd.recordings.reading import exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story, write_new
from mockd.recordings.schema import json_schema
from tests.cli.harness import Cli
from tests.programs import program
from tests.recordings.stories import stream

BODY = b"event: tick\nid: 1\ndata: one\n\n: note\n\nevent: tock\ndata: " + b"x" * 100 + b"\n\n"


def story(*pieces: bytes, url: str = "https://api.example.com/v1/a?x=1", how: str = "reset") -> Story:
    outputs: list[tuple[int, Line]] = [(100_000 * (place + 2), Output(data=data)) for place, data in enumerate(pieces)]
    head = Head(status=200, reason="OK", headers=[("Content-Type", "text/event-stream"), ("Server", "x")])
    return Story(
        Begun(
            method="POST", url=url, headers=[("Authorization", "Bearer abcdefgh")], recorded_at="2026-11-28T10:00:00Z"
        ),
        [(50_000, head), *outputs, (1_000_000, End(how=how))],
    )


def record(folder: Path, *stories: Story) -> list[str]:
    return [str(path) for path in write_new(stories, folder, Redaction())]


def body(file: str | Path) -> bytes:
    [exchange] = exchanges(Path(file))
    return b"".join(data for _, data in exchange.output())


@pytest.fixture
def file(tmp_path: Path) -> str:
    [path] = record(tmp_path / "recordings", story(BODY[:10], BODY[10:]))
    return path


def test_list_is_a_table(local_cli: Cli, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(file).parents[1])
    expected = "2026-11-28T10:00:00Z POST https://api.example.com/v1/a?x=1 200 2 157 1000.0 reset header:authorization"
    for arguments in ((), ("recordings",), (file,)):
        head, row = local_cli("recordings", "list", *arguments).out.splitlines()
        assert head.split() == ["FILE", "TIME", "METHOD", "URL", "STATUS", "PIECES", "BYTES", "MS", "END", "REDACTED"]
        assert " ".join(row.split()) == f"{Path(file).name} {expected}"
    assert local_cli("recordings", "list", "--json").json["recordings"][0]["headMs"] == 50
    assert "There are no recordings in /" in local_cli("recordings", "list", str(Path(file).parents[1])).err


def test_show_has_each_event_with_its_time_and_size(local_cli: Cli, file: str) -> None:
    lines = [" ".join(line.split()) for line in local_cli("recordings", "show", file).out.splitlines()]
    assert lines[:4] == [
        "POST https://api.example.com/v1/a?x=1",
        "200 OK after 50.0 ms",
        "Content-Type: text/event-stream",
        "Server: x",
    ]
    assert lines[4:7] == [
        "# AT MS GAP MS PIECES BYTES TYPE ID DATA",
        "1 300.0 250.0 2 29 tick 1 one",
        "2 300.0 0.0 0 8 : note",
    ]
    assert lines[7].startswith("3 300.0 0.0 0 120 tock xxx")
    assert lines[7].endswith("xxx…")
    assert lines[8:] == ["reset after 1000.0 ms, 3 events, 157 bytes"]
    events = local_cli("recordings", "show", file, "--json").json["recordings"][0]["events"]
    assert events[0] == {
        "number": 1, "atMs": 300, "gapMs": 250, "pieces": 2, "bytes": 29, "type": "tick", "id": "1", "data": "one",
    }  # fmt: skip


def pieces_shown(cli: Cli, path: str) -> list[tuple[float, int, int, str]]:
    """Of each event its time, its pieces, its bytes and its data."""
    events = cli("recordings", "show", path, "--json").json["recordings"][0]["events"]
    return [(event["atMs"], event["pieces"], event["bytes"], event["data"]) for event in events]


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
def test_events_end_wherever_a_piece_does(local_cli: Cli, tmp_path: Path, end: str) -> None:
    text, size = f"data: 1{end}data: 2{end}data: 3", 7 + len(end)
    for place in range(7, 7 + len(end)):
        if text[place - 1 : place + 1] == "\r\n" and place > 9:
            continue  # a CR is an end already
        raw = text.encode()
        [path] = record(tmp_path / f"{place}", story(raw[:place], raw[place : place + 9], raw[place + 9 :]))
        assert pieces_shown(local_cli, path)[0] == (300, 2, size, "1")
        assert [data for *_, data in pieces_shown(local_cli, path)] == ["1", "2", "3"]


@pytest.mark.parametrize("ends", [True, False])
def test_pieces_of_a_compressed_answer_are_shown_as_they_came(local_cli: Cli, tmp_path: Path, ends: bool) -> None:
    one = story(b"a\n\nb\n\n", b"c")
    head = Head(status=200, headers=[("Content-Type", "text/event-stream"), ("Content-Encoding", "later")])
    happened = [(0, head), *list(one.happened)[1 : None if ends else -1]]
    [path] = map(str, write_new([Story(one.begun, happened)], tmp_path, Redaction(is_on=False)))
    assert [size for _, _, size, _ in pieces_shown(local_cli, path)] == [6, 1]


def test_plot_draws_bytes_and_events_over_time(local_cli: Cli, tmp_path: Path) -> None:
    [path] = record(tmp_path, story(*[b"data: x\n\n" * count for count in (8, 0, 4, 1)]))
    lines = local_cli("recordings", "show", path, "--plot").out.splitlines()[4:13]
    assert lines[0] == "bytes, at most 72 in 12.5 ms"
    assert [line.count("█") for line in lines[1:7]] == [1, 1, 1, 2, 2, 2]
    assert lines[6][16] == "█"
    assert lines[7] == "    H           :               :       ·"
    assert lines[8].split() == ["0", "1.00", "s"]


def test_plot_marks_how_many_events_came(local_cli: Cli, tmp_path: Path) -> None:
    [path] = record(tmp_path, story(*[b"data: x\n\n" * count for count in (1, 2, 9, 10)]))
    marks = local_cli("recordings", "show", path, "--plot").out.splitlines()[11]
    assert marks == "    H           ·       :       :       #"
    at_once = Story(Begun(method="GET", url="https://a.test"), [(0, Head(status=204)), (0, End(how="complete"))])
    [path] = record(tmp_path, at_once)
    assert "bytes, at most 0 in " in local_cli("recordings", "show", path, "--plot").out


def test_many_events_are_in_several_tables(local_cli: Cli, tmp_path: Path) -> None:
    [path] = record(tmp_path, story(*[b"data: x\n\n"] * 20_001, how="complete"))
    *shown, end = local_cli("recordings", "show", path).out.splitlines()
    first = next(place for place, line in enumerate(shown) if line.startswith("#"))
    numbers = [number for number, *_ in map(str.split, shown[first:])]
    assert numbers.count("#") == 3
    assert [number for number in numbers if number != "#"] == list(map(str, range(1, 20_002)))
    assert "20001 events, 180009 bytes" in end


def test_what_is_wrong_with_a_file_is_said(local_cli: Cli, file: str) -> None:
    with open(file, "a") as opened:
        opened.write('[0,"end"]\n')
    result = local_cli("recordings", "list", file)
    assert result.code == 2
    assert f"{file}:6:1: an exchange ends as one of" in result.err
    assert "reset" in result.out
    assert local_cli("recordings", "show", str(Path(file).parent / "none")).code == 2


BROKEN = {
    "none": None,
    "empty": b"",
    "binary": bytes(range(256)) * 9,
    "cut": b'{"mockd-stream":1,"requ',
    "yaml": b"matcher:\n  path: /a\n",
}
COMMANDS = {
    "list": (),
    "show": (),
    "diff": (),
    "redact": (),
    "to-mock": (),
    "import": (),
    "export": ("--as", "har", "--out", "out"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", BROKEN)
def test_every_command_says_which_file_is_none(
    local_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, kind: str, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = Path("x.stream.jsonl")
    if (content := BROKEN[kind]) is not None:
        given.write_bytes(content)
    result = local_cli("recordings", command, *([file] if command == "diff" else []), str(given), *COMMANDS[command])
    is_only_warned = command in ("list", "show") and kind in ("empty", "cut")
    assert (result.code, is_only_warned) in ((2, False), (0, True))
    assert str(given) in result.err
    assert is_only_warned or "(" in result.err or "it is left as it is" in result.err  # a hint what to do
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recordings"] + [str(given)] * (content is not None)


@pytest.mark.parametrize("command", ["show", "diff", "redact", "to-mock", "import"])
def test_a_folder_is_no_recording(local_cli: Cli, file: str, command: str) -> None:
    folder = str(Path(file).parent)
    result = local_cli("recordings", command, *([file] if command == "diff" else []), folder)
    assert (result.code, result.err) == (2, f"{folder}: Is a directory (name a file in this folder)\n")


def test_nothing_is_exported_from_a_folder_without_recordings(local_cli: Cli, tmp_path: Path) -> None:
    result = local_cli("recordings", "export", str(tmp_path), "--as", "sse")
    assert (result.code, result.out) == (2, "")
    assert f"there is no recording in {tmp_path} (names of recordings end in .stream.jsonl)" in result.err


@pytest.mark.parametrize("command", ["redact", "import"])
def test_a_file_is_no_folder(local_cli: Cli, tmp_path: Path, file: str, command: str) -> None:
    text = tmp_path / "a.sse"
    text.write_text("data: one\n\n")
    result = local_cli("recordings", command, file if command == "redact" else str(text), "--out", str(text))
    assert (result.code, result.err) == (2, f"{text}: there is a file where the folder should be\n")


def test_files_with_other_numbers_of_exchanges_are_not_compared(local_cli: Cli, tmp_path: Path, file: str) -> None:
    two = tmp_path / "two.stream.jsonl"
    two.write_text(Path(file).read_text() * 2 + "[0,\n")
    result = local_cli("recordings", "diff", file, str(two))
    assert (result.code, f"{two}:11:1: not JSON" in result.err) == (2, True)
    two.write_text(Path(file).read_text() * 2)
    result = local_cli("recordings", "diff", file, str(two))
    assert result.err == f"{file} has 1 exchange, and {two} has 2 exchanges (compare files with as many)\n"


def test_a_recording_is_not_imported_again(local_cli: Cli, tmp_path: Path, file: str) -> None:
    result = local_cli("recordings", "import", file, "--out", str(tmp_path / "out"))
    assert (result.code, result.err) == (
        2,
        f"{file}: it is a recording already (`mockd serve --config FILE` plays it as it is)\n",
    )


def test_validate_reads_recordings(local_cli: Cli, file: str) -> None:
    folder = Path(file).parent
    for given in (file, str(folder), str(folder / "*.stream.jsonl")):
        result = local_cli("validate", given)
        assert (result.code, result.out, result.err) == (0, f"OK: 1 recording in {given}\n", "")
    (folder / "mock.json").write_text('{"matcher": {"path": "/a"}, "response": {}}')
    assert local_cli("validate", str(folder)).out == f"OK: 1 mock and 1 recording in {folder}\n"
    content = Path(file).read_text()
    Path(file).write_text(content[:-20])
    result = local_cli("validate", file, "--json")
    assert (result.code, result.json["valid"], len(result.json["warnings"])) == (0, True, 2)
    Path(file).write_text(content.replace('"o"', '"o",5'))
    result = local_cli("validate", file, "--json")
    assert (result.code, [problem["line"] for problem in result.json["problems"]]) == (2, [3, 4])
    result = local_cli("validate", f"{file}.none.stream.jsonl")
    assert result.code == 2
    assert "No such file" in result.err


def test_the_schema_of_a_line_is_printed(local_cli: Cli, file: str) -> None:
    schema = local_cli("schema", "--recording").json
    assert schema == json_schema()
    for line in Path(file).read_text().splitlines():
        Draft202012Validator(schema).validate(json.loads(line))


def test_the_same_shape_is_no_difference(local_cli: Cli, tmp_path: Path) -> None:
    events = [b'data: {"n": %d, "text": "a"}\n\n' % number for number in range(9)]
    first, second = record(tmp_path, story(*events), story(*events[:5]))
    result = local_cli("recordings", "diff", first, second)
    assert (result.code, result.out) == (0, "They have the same shape.\n")
    assert local_cli("recordings", "diff", first, first, "--exact").out == "They are the same.\n"
    result = local_cli("recordings", "diff", first, second, "--exact", "--json")
    assert result.code == 1
    assert {one["about"] for one in result.json["differences"]} == {"bytes"}
    assert local_cli("recordings", "diff", first, "none").code == 2


def event(type: str, **data: Any) -> bytes:
    return f"event: {type}\ndata: {json.dumps(data)}\n\n".encode()


DRIFT = {
    "events": ([event("a"), event("b")], [event("a"), event("b"), event("c")], ["events: c is new"]),
    "gone": ([event("a"), event("b")], [event("a")], ["events: b is gone"]),
    "order": (
        [event("a"), event("b"), event("a")],
        [event("b"), event("a")],
        ["order: run 1 was of a and is of b"],
    ),
    "keys": (
        [event("a", x=1, y={"z": [{"w": 1}]})],
        [event("a", y={"z": [{"w": "1", "v": None}]}, n={"deep": {"er": 1}})],
        [
            "keys: a: n is new (object)",
            "keys: a: x is gone",
            "keys: a: y.z[].v is new (null)",
            "types: a: y.z[].w was number and is text",
        ],
    ),
    "framing": ([event("a")], [event("a").replace(b"\n", b"\r\n")], ["framing: lines ended in LF and end in CRLF"]),
    "field": ([event("a")], [b"id: 1\n" + event("a")], ["keys: a: field id is new (text)"]),
    "many keys": (
        [event("a")],
        [event("a", **{f"k{number:02}": 1 for number in range(23)})],
        [*(f"keys: a: k{number:02} is new (number)" for number in range(20)), "keys: a: 3 more"],
    ),
    "some lines": (
        [event("a"), event("a")],
        [event("a"), event("a").replace(b"\n", b"\r\n")],
        ["framing: lines ended in LF and end in CRLF and LF"],
    ),
    "between": ([event("a"), event("x"), event("a")], [event("a")], ["events: x is gone"]),
    "texts": ([b"data: " + b"a" * 41 + b"\n\n"], [b"data: " + b"b" * 41 + b"\n\n"], []),
    "text": ([b"data: hi there\n\n"], [b"data: [DONE]\n\n"], ["events: hi there is gone", "events: [DONE] is new"]),
    "pace": ([event("a")] * 3, [event("a"), b"", b"", b"", event("a"), b"", b"", b"", event("a")], [
        "timing: the pause between events was 100.0 ms and is 400.0 ms",
    ]),
    "most pauses": ([event("a")] * 2 + [b"", b"", event("a")] * 2, [event("a"), *[b"", b"", event("a")] * 3], []),
    "first": ([event("a")], [*[b""] * 5, event("a")], [
        "timing: the first event was 150.0 ms and is 650.0 ms",
    ]),
}  # fmt: skip


@pytest.mark.parametrize("what", DRIFT)
def test_drift_is_said_in_words(local_cli: Cli, tmp_path: Path, what: str) -> None:
    before, after, said = DRIFT[what]
    result = local_cli("recordings", "diff", *record(tmp_path, story(*before), story(*after)))
    assert result.out.splitlines() == (said or ["They have the same shape."])
    assert result.code == (1 if said else 0)


def test_status_headers_and_end_are_compared(local_cli: Cli, tmp_path: Path) -> None:
    one = story(b"{}")
    head = Head(status=429, headers=[("Content-Type", "application/json"), ("Retry-After", "5")])
    other = Story(one.begun, [(0, head), (0, Output(data=b"{}")), (0, End(how="complete"))])
    none = Story(one.begun, [(0, End(how="reset"))])
    paths = record(tmp_path, one, other, none)
    assert local_cli("recordings", "diff", *paths[:2]).out.splitlines() == [
        "status: 200 became 429",
        "headers: content-type: text/event-stream became application/json",
        "headers: retry-after is new",
        "headers: server is gone",
        "framing: an event stream became no events",
        "events: comment is gone",
        "events: object is new",
        "end: reset became complete",
    ]
    assert "status: there is no answer in the second" in local_cli("recordings", "diff", paths[0], paths[2]).out


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ([b"data", b": o", b"ne\n\n"], ["bytes: they came in 2 pieces, and in 3 or at other borders"]),
        ([b"data:", b" one\n\n"], ["bytes: they came in 2 pieces, and in 2 or at other borders"]),
        ([b"data: ", b"ond\n\n"], ["bytes: the first different byte is number 8"]),
        ([b"data: ", b"one\n\n\n"], ["bytes: 11 bytes became 12"]),
    ],
)
def test_bytes_pieces_and_headers_are_compared_exactly(
    local_cli: Cli, tmp_path: Path, other: list[bytes], said: list[str]
) -> None:
    first, second = story(b"data: ", b"one\n\n"), story(*other)
    head = Head(status=200, headers=[("Content-Type", "text/event-stream"), ("Server", "y")])
    second = Story(second.begun, [(50_000, head), *list(second.happened)[1:]])
    result = local_cli("recordings", "diff", *record(tmp_path, first, second), "--exact")
    found = result.out.splitlines()
    assert found[0] == "headers: server: x became y"
    assert [line for line in said if line not in found] == []
    assert result.code == 1


def test_redact_takes_out_what_is_given_in_place(
    local_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [path] = write_new([story(b"data: hunter2 ", b"and sk-abc\n\n")], tmp_path, Redaction(is_on=False))
    monkeypatch.setenv("MY_SECRET", "hunter2")
    before = list(map(len, path.read_text().splitlines()[:-1]))
    (tmp_path / "copies").mkdir()
    copy = local_cli(
        "recordings", "redact", str(path), "--out", str(tmp_path / "copies"), "--redact-pattern", "sk-[a-z]+"
    )
    assert (copy.code, copy.err) == (0, "")
    assert "hunter2 " in (tmp_path / "copies" / path.name).read_text()
    assert "sk-abc" not in (tmp_path / "copies" / path.name).read_text()
    assert "sk-abc" in path.read_text()
    assert local_cli("recordings", "redact", str(path), "--out", str(tmp_path / "copies")).code == 2
    result = local_cli("recordings", "redact", str(path), "--redact-env", "MY_SECRET", "--json")
    assert result.json["recordings"] == [{"file": str(path), "redacted": ["header:authorization", "output"]}]
    assert "hunter2" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(map(len, path.read_text().splitlines()[:-1])) == before
    assert [line[1] for line in map(json.loads, path.read_text().splitlines()[1:])] == ["head", "o", "o", "end"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, "copies"]


def test_redact_writes_all_that_was_there(local_cli: Cli, tmp_path: Path) -> None:
    """The last exchange was cut off where a secret may have begun."""
    stories = [story(b"data: hunter2\n\n"), story(b"data: x\n\n", url="https://a.test/hunter2"), story(b"data: hunt")]
    files = write_new(stories, tmp_path, Redaction(is_on=False))
    file = tmp_path / "all.stream.jsonl"
    file.write_text("".join(one.read_text() for one in files[:2]))
    with file.open("a") as opened:
        opened.writelines(files[2].read_text().splitlines(keepends=True)[:-1])
    result = local_cli("recordings", "redact", str(file), "--redact", "hunter2", "--json")
    assert result.json["recordings"][0]["redacted"] == ["header:authorization", "output", "url"]
    answers = [b"".join(data for _, data in exchange.output()) for exchange in exchanges(file)]
    assert answers == [b"data: REDACTE\n\n", b"data: x\n\n", b"data: REDA"]


def test_redact_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A limit of the size of files does what a full disk does."""
    [file] = record(tmp_path, story(b"data: hunter2\n\n" * 1000))
    content = Path(file).read_bytes()
    command = f"ulimit -f 4; exec {sys.executable} -B -m mockd recordings redact {file} --redact hunter2"
    run = subprocess.run([program("bash"), "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, f"{file}: File too large" in run.stderr) == (2, True), run.stderr
    assert Path(file).read_bytes() == content
    assert list(map(str, tmp_path.iterdir())) == [file]


def test_redact_leaves_a_broken_file_alone(local_cli: Cli, file: str) -> None:
    with open(file, "a") as opened:
        opened.write("[0,\n")
    content = Path(file).read_bytes()
    result = local_cli("recordings", "redact", file)
    assert (result.code, Path(file).read_bytes()) == (2, content)
    assert f"{file}: it is left as it is" in result.err


def test_what_is_unknown_is_kept_and_redacted(local_cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "a.stream.jsonl"
    file.write_text(
        '{"mockd-stream":1,"recordedAt":"","request":{"method":"GET","url":"/"},"later":"sesame"}\n'
        '[5,"later",{"text":"sesame"}]\n[0,"head",{"status":200,"later":"sesame!"}]\n'
        '[0,"end","complete"]\n'
    )
    assert local_cli("recordings", "redact", str(file), "--redact", "sesame").code == 0
    first, second, third, _ = map(json.loads, file.read_text().splitlines())
    assert first["later"] == "REDACT"
    assert second == [5, "later", {"text": "REDACT"}]
    assert third[2]["later"] == "REDACT!"


def test_import_and_export(local_cli: Cli, tmp_path: Path) -> None:
    [path] = record(tmp_path / "a", stream(Random(1), b"data: secretsecret\n\n" * 9))
    for format in ("har", "vcr", "sse"):
        result = local_cli("recordings", "export", path, "--as", format)
        assert result.code == 0
        out = tmp_path / f"out.{format}"
        assert local_cli("recordings", "export", path, "--as", format, "--out", str(out)).out == ""
        assert out.read_text() == result.out
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        folder = tmp_path / f"from-{format}"
        imported = local_cli("recordings", "import", str(out), "--out", str(folder), "--redact", "secretsecret")
        assert (imported.code, imported.out.count("\n")) == (0, 1)
        assert bool(imported.err) == (format != "har")
        assert b"secretsecret" not in body(next(folder.iterdir()))
        document = local_cli("recordings", "import", str(out), "--out", str(folder), "--no-redact", "--json").json
        assert b"secretsecret" in body(document["files"][0])
    assert local_cli("recordings", "import", str(out), "--as", "har").code == 2
    assert local_cli("recordings", "export", path, "--as", "har", "--out", str(tmp_path / "no" / "x")).code == 2
