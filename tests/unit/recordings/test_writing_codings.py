"""Recording bodies in a content coding: what is searched is decoded, and what is written says so."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import brotli
import pytest
import zstandard

from mockd.recordings import bodies, codings
from mockd.recordings.redaction import Redaction
from mockd.recordings.writing import Recording
from tests.unit.recordings.recorders import SECRET, begin, output, read

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
    assert (exchange.end.decoded, exchange.end.text) == (None, None)
    if text == SECRET:
        assert (exchange.input(), exchange.end.decoded_request) == (b"REDACTEDREDACTE", coding)
    else:
        assert (exchange.input(), exchange.end.decoded_request) == (raw, None)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_was_cut_off_in_its_coding_is_written_as_it_came(tmp_path: Path, coding: str) -> None:
    raw = compressed(b"".join(Random(1).choices([b"one ", b"two "], k=1000)), coding)[:-20]
    exchange = read(record_coded(tmp_path, coding, [raw[:30], raw[30:]]))
    assert output(exchange) == raw
    assert exchange.end is not None
    assert (exchange.end.text, exchange.end.decoded) == (None, None)


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
