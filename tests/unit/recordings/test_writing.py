"""Recording: everything is in the file as soon as it has happened, and whoever is recorded never notices."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mockd.recordings import bodies
from mockd.recordings.lines import Begun, Head, Info, Trailers
from mockd.recordings.reading import exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story, write_new
from mockd.recordings.writing import Recorder
from tests.manual_clock import ManualClock
from tests.unit.recordings.recorders import SECRET, URL, begin, output, read, recorder


def test_all_that_happens_is_in_the_file_at_its_time(tmp_path: Path) -> None:
    clock = ManualClock()
    recording = Recorder(tmp_path, Redaction(), clock).begin("POST", URL, [(b"X-A", b"\xe9")], "1.0")
    start = clock.monotonic()
    recording.input(b"ab", at=start + 0.001)
    recording.input_end()
    recording.info(103, "Early Hints", [(b"link", b"</a>")], at=start + 0.002)
    recording.head(200, "Fine", [(b"X-B", b"c"), (b"x-b", b"d")], at=start + 0.5)
    recording.output(b"one", at=start + 0.75)
    recording.output(b"\xff", at=start + 1)
    recording.trailers([(b"x-sum", b"1")], at=start + 1.5)
    recording.end("reset", "why", at=start + 2)
    exchange = read(recording)
    assert (exchange.begun.method, exchange.begun.url, exchange.begun.http_version) == ("POST", URL, "1.0")
    assert exchange.begun.headers == [("X-A", "é")]
    assert exchange.input() == b"ab"
    found = {type(line): (at_us, line) for at_us, line in exchange.happened()}
    assert found[Info] == (2_000, Info(gap_us=1_000, status=103, reason="Early Hints", headers=[("link", "</a>")]))
    head = Head(gap_us=498_000, status=200, reason="Fine", headers=[("X-B", "c"), ("x-b", "d")])
    assert found[Head] == (500_000, head)
    assert list(exchange.output()) == [(750_000, b"one"), (1_000_000, b"\xff")]
    assert found[Trailers] == (1_500_000, Trailers(gap_us=500_000, headers=[("x-sum", "1")]))
    assert exchange.end is not None
    assert (exchange.how, exchange.end.text, exchange.duration_us) == ("reset", "why", 2_000_000)
    assert exchange.redacted == frozenset()


def test_each_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    recording = begin(tmp_path)
    assert recording.path is not None
    sizes = [recording.path.stat().st_size]
    recording.head(200, "OK", [])
    sizes.append(recording.path.stat().st_size)
    recording.output(b"one")
    sizes.append(recording.path.stat().st_size)
    assert sizes == sorted(set(sizes))
    assert read(recording).how == "closed"
    recording.end("complete")


def test_times_never_go_back(tmp_path: Path) -> None:
    clock = ManualClock()
    recording = Recorder(tmp_path, Redaction(), clock).begin("POST", URL, [])
    recording.head(200, "OK", [], at=clock.monotonic() + 1)
    recording.output(b"late", at=clock.monotonic() + 0.5)
    recording.end("complete", at=clock.monotonic() + 2)
    assert [at_us for at_us, _ in read(recording).happened()] == [1_000_000, 1_000_000, 2_000_000]


def test_only_the_owner_may_read_a_recording(tmp_path: Path) -> None:
    recording = begin(tmp_path / "deep" / "folder")
    recording.end("complete")
    assert recording.path is not None
    assert stat.S_IMODE(recording.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(recording.path.parent.stat().st_mode) == 0o700


def test_two_recorders_do_not_overwrite_one_another(tmp_path: Path) -> None:
    recorders = [recorder(tmp_path) for _ in range(2)]
    recordings = [found.begin("POST", URL, []) for _ in range(5) for found in recorders]
    for number, recording in enumerate(recordings):
        recording.input(str(number).encode())
    for recording in recordings:
        recording.end("complete")
    assert len({recording.path for recording in recordings}) == len(list(tmp_path.iterdir())) == 10
    assert [read(recording).input() for recording in recordings] == [str(number).encode() for number in range(10)]
    assert recorders[0].recorded == 5


def test_recorders_in_several_processes_give_each_number_once(tmp_path: Path) -> None:
    """Of requests to different paths too, whose names differ anyway."""
    code = """
    import pathlib, sys
    from mockd.clock import SystemClock
    from mockd.recordings.redaction import Redaction
    from mockd.recordings.writing import Recorder
    recorder = Recorder(pathlib.Path(sys.argv[1]), Redaction(), SystemClock())
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(100):
        recording = recorder.begin("GET", f"http://x/{sys.argv[2]}/{number % 7}", [])
        recording.head(200, "OK", [])
        recording.output(f"{sys.argv[2]} {number}".encode())
        recording.end("complete")
    """
    folder = tmp_path / "out"
    start = [sys.executable, "-c", textwrap.dedent(code), str(folder)]
    runs = [
        subprocess.Popen([*start, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "abc"
    ]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.communicate("go\n", timeout=60)
        assert run.returncode == 0
    files = sorted(folder.iterdir())
    assert [file.name[:4] for file in files] == [f"{number:03}-" for number in range(1, 301)]
    bodies = {output(exchange) for file in files for exchange in exchanges(file)}
    assert bodies == {f"{name} {number}".encode() for name in "abc" for number in range(100)}


def test_a_folder_that_is_deleted_while_something_is_recorded(tmp_path: Path) -> None:
    said: list[str] = []
    found = recorder(tmp_path / "out", say=said.append)
    recordings = [found.begin("POST", URL, []) for _ in range(2)]
    shutil.rmtree(tmp_path / "out")
    for recording in recordings:
        recording.head(200, "OK", [])
        recording.output(b"x")
        recording.end("complete")
    assert said == ["recordings are not whole from 001-post-v1-chat.stream.jsonl on: it was deleted"]
    assert found.lost == 2
    later = found.begin("POST", URL, [])
    later.end("complete")
    assert read(later).how == "complete"
    assert (len(said), found.lost) == (1, 2)


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "007-post-v1-chat.stream.jsonl").write_text("mine")
    recording = begin(tmp_path)
    recording.end("complete")
    assert recording.path == tmp_path / "008-post-v1-chat.stream.jsonl"
    (tmp_path / "009-post-v1-chat.stream.jsonl").symlink_to(tmp_path / "elsewhere")
    two = recorder(tmp_path)
    two.files._number = 9
    assert two.begin("POST", URL, []).path == tmp_path / "010-post-v1-chat.stream.jsonl"
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_beyond_the_bound_is_not_recorded_and_the_end_says_so(tmp_path: Path) -> None:
    recording = begin(tmp_path, most_bytes=10)
    recording.input(b"12345")
    recording.input_end()
    recording.head(200, "OK", [])
    for _ in range(3):
        recording.output(b"abc")
    recording.end("complete")
    exchange = read(recording)
    assert (exchange.input(), output(exchange), exchange.pieces) == (b"12345", b"abcab", 2)
    assert exchange.end is not None
    assert exchange.end.text == "4 bytes more were not recorded"


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    found = recorder(tmp_path / "file", say=said.append)
    for _ in range(3):
        recording = found.begin("POST", URL, [])
        recording.input(b"x")
        recording.head(200, "OK", [])
        recording.output(b"x")
        recording.end("complete")
        assert recording.path is None
    assert (len(said), found.recorded, found.lost) == (1, 0, 3)


def test_a_full_disk_is_said_once_and_in_the_file(tmp_path: Path) -> None:
    """A limit of the size of files does what a full disk does, in a process of its own."""
    code = """
    import pathlib, resource, sys
    from mockd.clock import SystemClock
    from mockd.recordings.redaction import Redaction
    from mockd.recordings.writing import Recorder
    recorder = Recorder(pathlib.Path(sys.argv[1]), Redaction(), SystemClock(), say=lambda text: print("said", text))
    recordings = [recorder.begin("POST", "https://x/a", []) for _ in range(2)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))
    for recording in recordings:
        recording.head(200, "OK", [])
        for _ in range(100):
            recording.output(b"x" * 700)
        recording.end("complete")
    print("went on", recorder.recorded, recorder.lost)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stderr == ""
    said, went_on = run.stdout.splitlines()
    assert re.fullmatch(r"said recordings are not whole from 001-post-a.stream.jsonl on: File too large", said)
    assert went_on == "went on 2 2"
    for file in tmp_path.iterdir():
        [exchange] = exchanges(file)
        assert exchange.pieces == 5
        assert exchange.end is not None
        assert (exchange.how, exchange.end.text) == ("error", "recorded no further: File too large")


def test_a_mistake_of_ours_does_not_reach_whoever_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    recording = begin(tmp_path, say=said.append)
    recording.head(200, "OK", [])
    monkeypatch.setattr(bodies.Body, "add", lambda *_: 1 / 0)
    recording.output(b"x")
    recording.output(b"x")
    recording.end("complete")
    assert len(said) == 1
    assert read(recording).how == "error"


def test_recording_needs_no_more_files_than_exchanges_that_go_on(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    found = recorder(tmp_path)
    for _ in range(20):
        recording = found.begin("POST", URL, [])
        recording.end("complete")
        recording.end("reset")
        recording.output(b"x")
    begun = Begun(method="GET", url="https://x/a")
    assert len(write_new([Story(begun, [])] * 3, tmp_path, Redaction())) == 3
    assert len(os.listdir("/proc/self/fd")) == before
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 20


def test_without_redaction_everything_is_written_as_it_came(tmp_path: Path) -> None:
    recording = begin(tmp_path, [(b"Authorization", b"Bearer abc")], redaction=Redaction(is_on=False))
    recording.head(200, "OK", [(b"content-encoding", b"later")])
    recording.output(SECRET.encode())
    recording.end("complete")
    exchange = read(recording)
    assert exchange.begun.headers == [("Authorization", "Bearer abc")]
    assert output(exchange) == SECRET.encode()


def test_what_the_end_of_a_stream_cuts_off_of_a_secret_is_not_written(tmp_path: Path) -> None:
    recording = begin(tmp_path)
    recording.head(200, "OK", [])
    recording.output(b"data: " + SECRET.encode()[:-3])
    recording.end("reset")
    assert output(read(recording)) == b"data: REDACTEDREDA"


def test_a_line_waits_only_while_a_secret_may_have_begun_in_it(tmp_path: Path) -> None:
    recording = begin(tmp_path)
    recording.head(200, "OK", [])
    for piece, pieces in [(b"!", 1), (b"! hun", 1), (b"ter2", 1), (b"!", 4), (b"!", 5)]:
        recording.output(piece)
        assert read(recording).pieces == pieces
    recording.end("complete")


def test_an_end_line_names_every_place(tmp_path: Path) -> None:
    recording = recorder(tmp_path).begin(
        "POST", f"https://me:{SECRET}@api.example.com/{SECRET}?key=abc", [(b"Cookie", b"a=b"), (b"X", SECRET.encode())]
    )
    recording.input(b'{"password": "abc"}')
    recording.input_end()
    recording.info(103, "", [(b"set-cookie", b"a=b")])
    recording.head(200, SECRET, [(b"Location", b"/?token=abc")])
    recording.output(b'{"access_token": "abc", "token": "not a secret, but the word of a model"}')
    recording.trailers([(b"x-api-key", b"abc")])
    recording.end("error", f"said {SECRET}")
    exchange = read(recording)
    assert recording.path is not None
    assert SECRET not in recording.path.read_text() + recording.path.name
    assert output(exchange) == b'{"access_token": "RED", "token": "not a secret, but the word of a model"}'
    assert json.loads(exchange.input()) == {"password": "RED"}
    assert exchange.redacted == {
        "header:cookie", "header:x", "query:key", "url", "input:password", "info:set-cookie", "reason",
        "head:location", "output:access_token", "trailers:x-api-key", "end",
    }  # fmt: skip


def test_a_piece_is_a_line_even_if_it_is_large(tmp_path: Path) -> None:
    recording = begin(tmp_path)
    recording.head(200, "OK", [])
    recording.output(bytes(3_000_000))
    recording.output(b"")  # which is none
    recording.end("complete")
    assert [data for _, data in read(recording).output()] == [bytes(3_000_000)]
