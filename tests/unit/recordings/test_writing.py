"""Recording: everything is in the file as soon as it has happened, and whoever is recorded never notices."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import brotli
import pytest
import zstandard

from mockd.clock import SystemClock
from mockd.recordings import bodies, codings
from mockd.recordings.lines import Begun, Head, Info, Trailers
from mockd.recordings.reading import Exchange, exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story, write_new
from mockd.recordings.writing import Recorder, Recording
from tests.manual_clock import ManualClock

URL = "https://api.example.com/v1/chat?x=1"
SECRET = "hunter2-hunter2"


def recorder(folder: Path, **settings: Any) -> Recorder:
    return Recorder(folder, settings.pop("redaction", None) or Redaction([SECRET]), SystemClock(), **settings)


def begin(folder: Path, headers: list[tuple[bytes, bytes]] | None = None, **settings: Any) -> Recording:
    return recorder(folder, **settings).begin("POST", URL, headers or [])


def read(recording: Recording) -> Exchange:
    assert recording.path is not None
    [exchange] = exchanges(recording.path)
    return exchange


def output(exchange: Exchange) -> bytes:
    return b"".join(data for _, data in exchange.output())


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
    assert (exchange.input(), output(exchange)) == (b"12345", b"abcab")
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


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def compressed(text: bytes, coding: str) -> bytes:
    return CODINGS[coding](text)


def record_coded(folder: Path, coding: str, pieces: list[bytes]) -> Recording:
    recording = begin(folder)
    recording.head(200, "OK", [(b"content-encoding", coding.encode())])
    for piece in pieces:
        recording.output(piece)
    recording.end("complete")
    return recording


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_in_a_coding_is_written_as_it_came_if_no_secret_is_in_it(tmp_path: Path, coding: str) -> None:
    raw = compressed(b"data: nothing\n\n" * 100, coding)
    pieces = [raw[:20], raw[20:21], raw[21:]]
    exchange = read(record_coded(tmp_path, coding, pieces))
    assert [data for _, data in exchange.output()] == pieces
    assert exchange.end is not None
    assert exchange.end.decoded is None


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_in_a_coding_with_a_secret_is_written_decoded(tmp_path: Path, coding: str) -> None:
    raw = compressed(f"data: {SECRET}\n\n".encode(), coding)
    recording = record_coded(tmp_path, coding, [raw[:15], raw[15:]])
    exchange = read(recording)
    assert output(exchange) == b"data: REDACTEDREDACTE\n\n"
    assert exchange.end is not None
    assert (exchange.end.decoded, exchange.end.redacted) == (coding, ["output"])


def gzipped(text: bytes, name: str) -> bytes:
    """Text in gzip's coding, as a file of that name."""
    coded = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=coded, mtime=0) as file:
        file.write(text)
    return coded.getvalue()


@pytest.mark.parametrize(
    ("text", "name"), [(bytes(Random(1).choices(b"abcdef", k=5000)), ""), (bytes(5000), ""), (b"text", "x" * 5000)]
)
def test_a_long_body_in_a_coding_is_written_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, name: str
) -> None:
    """However much of it is of the coding, or how little."""
    monkeypatch.setattr(bodies, "MOST_HELD", 1000)
    raw = gzipped(text, name)
    exchange = read(record_coded(tmp_path, "gzip", [raw[place : place + 100] for place in range(0, len(raw), 100)]))
    assert output(exchange) == text
    assert exchange.end is not None
    assert exchange.end.decoded == "gzip"


@pytest.mark.parametrize(("coding", "body"), [("gzip", b"no gzip " + SECRET.encode()), ("later", SECRET.encode())])
def test_a_body_that_cannot_be_decoded_is_not_written(tmp_path: Path, coding: str, body: bytes) -> None:
    exchange = read(record_coded(tmp_path, coding, [body]))
    assert output(exchange) == b""
    assert exchange.end is not None
    assert f"could not be decoded from {coding!r}" in str(exchange.end.text)


@pytest.mark.parametrize(("coding", "package"), [("br", "brotli"), ("zstd", "zstandard")])
def test_a_coding_without_its_package_is_not_written_and_says_what_to_install(
    tmp_path: Path, coding: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    exchange = read(record_coded(tmp_path, coding, [compressed(b"text", coding)]))
    assert exchange.end is not None
    assert (output(exchange), exchange.end.decoded) == (b"", None)
    assert "install `mockd[encodings]`" in str(exchange.end.text)


def test_an_answer_without_a_body_needs_no_decoding(tmp_path: Path) -> None:
    exchange = read(record_coded(tmp_path, "later", []))
    assert exchange.end is not None
    assert (exchange.end.text, exchange.end.decoded) == (None, None)


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(
    "text", [SECRET, f"data: {SECRET}\n\n", f"d{SECRET}", f"\x0b\x02\x80{SECRET}", f"!!{SECRET}" * 50]
)
def test_a_body_that_is_not_in_its_coding_hides_no_secret(tmp_path: Path, coding: str, text: str, size: int) -> None:
    raw = text.encode("latin-1")
    exchange = read(record_coded(tmp_path, coding, [raw[place : place + size] for place in range(0, len(raw), size)]))
    assert exchange.end is not None
    assert SECRET.encode() not in output(exchange)
    # Some of it may be in that coding by chance, and is written decoded.
    assert exchange.end.decoded == coding or f"could not be decoded from {coding!r}" in str(exchange.end.text)


@pytest.mark.parametrize("text", [b"", b"text"])
@pytest.mark.parametrize("redaction", [Redaction([SECRET]), Redaction(patterns=["hunter2-[a-z0-9]+"])])
def test_what_is_of_the_coding_alone_hides_no_secret(tmp_path: Path, redaction: Redaction, text: bytes) -> None:
    recording = begin(tmp_path, redaction=redaction)
    recording.head(200, "OK", [(b"content-encoding", b"gzip")])
    recording.output(gzipped(text, SECRET))
    recording.end("complete")
    exchange = read(recording)
    assert output(exchange) == text
    assert exchange.end is not None
    assert exchange.end.redacted == ["output"]
    assert "could not be decoded from 'gzip' (there is a secret in it as it came)" in str(exchange.end.text)


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("GZip", gzip.compress),
        ("x-gzip", gzip.compress),
        (" identity , gzip", gzip.compress),
        ("deflate", partial(zlib.compress, wbits=-zlib.MAX_WBITS)),
    ],
)
def test_codings_are_spelled_in_many_ways(tmp_path: Path, coding: str, encode: Callable[[bytes], bytes]) -> None:
    raw = encode(SECRET.encode())
    exchange = read(record_coded(tmp_path, coding, [raw[:5], raw[5:]]))
    assert output(exchange) == b"REDACTEDREDACTE"
    assert exchange.end is not None
    assert exchange.end.decoded == coding.lower().removeprefix(" identity , ")


def test_a_body_that_is_not_in_its_coding_is_searched_for_patterns_to_its_end(tmp_path: Path) -> None:
    recording = begin(tmp_path, redaction=Redaction(patterns=["cust_[0-9]+"]))
    recording.head(200, "OK", [(b"content-encoding", b"gzip")])
    recording.output(gzip.compress(b"text")[:3])  # in which nothing is wrong yet
    recording.output(b"\x00" * 7 + b"\x01\xff\xff\x00\x00cust_1234567890")
    recording.end("closed")
    assert b"cust_1234567890" not in output(read(recording))


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_is_written_as_far_as_it_could_be_decoded(tmp_path: Path, coding: str) -> None:
    good = b"".join(Random(1).choices([b"one ", b"two "], k=1000))
    raw = compressed(good, coding)
    exchange = read(record_coded(tmp_path, coding, [raw[:50], raw[50:], b"\xff" * 100, raw]))
    assert output(exchange) == good
    assert exchange.end is not None
    assert exchange.end.decoded == coding
    assert "was not recorded from there" in str(exchange.end.text)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("text", [SECRET, "nothing"])
def test_a_request_in_a_coding_is_searched_too(tmp_path: Path, coding: str, text: str) -> None:
    raw = compressed(text.encode(), coding)
    recording = begin(tmp_path, [(b"Content-Encoding", coding.encode())])
    recording.input(raw)
    recording.input_end()
    recording.head(200, "OK", [])
    recording.end("complete")
    exchange = read(recording)
    assert exchange.end is not None
    assert exchange.end.decoded is None  # which is about the answer
    if text == SECRET:
        assert exchange.input() == b"REDACTEDREDACTE"
        assert exchange.end.text == f"the body of the request was decoded from {coding!r}"
    else:
        assert (exchange.input(), exchange.end.text) == (raw, None)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_was_cut_off_in_its_coding_is_written_as_it_came(tmp_path: Path, coding: str) -> None:
    raw = compressed(b"".join(Random(1).choices([b"one ", b"two "], k=1000)), coding)[:-20]
    exchange = read(record_coded(tmp_path, coding, [raw[:30], raw[30:]]))
    assert output(exchange) == raw
    assert exchange.end is not None
    assert (exchange.end.text, exchange.end.decoded) == (None, None)


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
    recording.end("complete")
    assert [data for _, data in read(recording).output()] == [bytes(3_000_000)]


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_decodes_to_too_much_is_not_written(
    tmp_path: Path, coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codings, "MOST_DECODED", 1000)
    for size, is_written in [(900, True), (1100, False)]:
        raw = compressed(bytes(size), coding)
        exchange = read(record_coded(tmp_path / str(size), coding, [raw[:15], raw[15:]]))
        assert (output(exchange) == raw) is is_written
        assert exchange.end is not None
        assert exchange.end.text is None if is_written else "decodes to more than 1,000 bytes" in str(exchange.end.text)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_is_decoded_bit_by_bit(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a few bytes decode to, no part of it is large, and nothing is behind the bound."""
    monkeypatch.setattr(codings, "MOST_DECODED", 50_000_000)
    bomb = compressed(bytes(100_000_000), coding)
    sizes: list[int] = []
    with pytest.raises(codings.UndecodableError):
        sizes.extend(map(len, codings.decoder_of(coding).feed(bomb)))
    assert 40_000_000 < sum(sizes) <= 50_000_000
    assert max(sizes) < 10_000_000


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_body_of_several_members_is_searched_to_its_end(tmp_path: Path, coding: str) -> None:
    raw = compressed(b"one ", coding) + compressed(SECRET.encode(), coding)
    for size in (7, len(raw)):
        pieces = [raw[place : place + size] for place in range(0, len(raw), size)]
        assert output(read(record_coded(tmp_path / str(size), coding, pieces))) == b"one REDACTEDREDACTE"


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [100, 1_000_000])
def test_what_was_decoded_is_whole(coding: str, size: int) -> None:
    text = bytes(3_000_000) + Random(1).randbytes(10_000) + b"end"
    decoder, raw = codings.decoder_of(coding), compressed(text, coding)
    decoded = [part for place in range(0, len(raw), size) for part in decoder.feed(raw[place : place + size])]
    assert b"".join(decoded) == text
