"""Bodies that other tools keep as they came, or decoded: which of the two is known, also if they are broken."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
import zstandard

from mockd.recordings.conversions.bodies import mended
from mockd.recordings.conversions.formats import read_file
from mockd.recordings.lines import Head
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import write_new

SECRET = "sk-proj-ABCDEFGHIJKLMNOPQRSTUVWX0123456789"
TEXT = json.dumps({"api_key": SECRET, "filler": [str(number * 7919) for number in range(3000)], "last": "€"})
PLAIN = TEXT.encode()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without a frame": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstandard.compress),
    "unknown": ("x-own", gzip.compress),
}


def broken(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(256) + data[middle:]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("change", [bytes, broken, lambda data: data[: len(data) // 2]], ids=["whole", "broken", "cut"])
def test_a_body_that_is_coded_stays_so(coding: str, change: Callable[[bytes], bytes]) -> None:
    name, encode = CODINGS[coding]
    head = Head(status=200, headers=[("Content-Encoding", name)])
    assert mended(head, change(encode(PLAIN))) == (head, None)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("body", [PLAIN, PLAIN[:-4]], ids=["whole", "cut inside a character"])
def test_the_coding_of_a_text_is_taken_off(coding: str, body: bytes) -> None:
    name, _ = CODINGS[coding]
    head = Head(status=200, headers=[("Content-Encoding", name), ("Content-Length", "9")])
    assert mended(head, body) == (Head(status=200, headers=[("Content-Length", str(len(body)))]), name)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "zstd"])
@pytest.mark.parametrize("body", [b"\x89PNG\xff", b"x", b"\x1f"])
def test_a_coding_is_taken_off_whose_bodies_all_begin_otherwise(coding: str, body: bytes) -> None:
    assert mended(Head(status=200, headers=[("Content-Encoding", coding)]), body)[1] == coding


@pytest.mark.parametrize("coding", CODINGS)
def test_no_secret_of_a_broken_body_is_recorded(coding: str, tmp_path: Path) -> None:
    name, encode = CODINGS[coding]
    body = b64encode(broken(encode(PLAIN))).decode()
    response = {
        "status": 200,
        "headers": [{"name": "Content-Encoding", "value": name}],
        "content": {"text": body, "encoding": "base64"},
    }
    request = {"method": "GET", "url": "http://a.test/"}
    entry = {"startedDateTime": "2026-01-01T00:00:00Z", "request": request, "response": response}
    archive = tmp_path / "a.har"
    archive.write_text(json.dumps({"log": {"entries": [entry]}}))
    write_new(read_file(archive, "auto", lambda _: None), tmp_path / "r", Redaction())
    [file] = (tmp_path / "r").iterdir()
    assert body[:100] not in file.read_text()
    assert SECRET not in file.read_text()
