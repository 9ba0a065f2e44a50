"""Texts of event streams become recordings, and recordings such texts."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest

from mockd.errors import ConfigError
from mockd.recordings.conversions import sse
from mockd.recordings.conversions.formats import read_file
from mockd.testing import running_mockd
from tests.programs import program
from tests.recordings.stories import recorded, stream

TEXT = "event: tick\nid: 1\ndata: é\n\n: note\r\n\r\ndata: [DONE]\n\n"
MOCK = {"matcher": {"path": "/live"}, "sse": {"events": [{"raw": TEXT}]}}


def test_what_curl_prints_becomes_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    with running_mockd(MOCK) as mockd:
        subprocess.run([program("curl"), "-sN", "-o", str(file), f"{mockd.url}/live"], check=True, timeout=60)
    said: list[str] = []
    [exchange] = recorded(tmp_path / "r", *read_file(file, "auto", said.append))
    blocks = [data for _, data in exchange.output()]
    assert b"".join(blocks) == TEXT.encode()
    assert len(blocks) == 3
    assert len(said) == 1
    assert sse.write([exchange], said.append) == TEXT


def test_streams_follow_one_another_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    bodies = [
        (b"{}", "application/json"),
        (b"data: \xff\n\n", "text/event-stream"),
        (b"data: 2\n\n", "text/event-stream"),
    ]
    found = recorded(tmp_path, *[stream(Random(1), *each) for each in bodies])
    said: list[str] = []
    assert sse.write(found, said.append).encode("utf-8", "surrogateescape") == b"data: \xff\n\ndata: 2\n\n"
    assert said[0].endswith("is no event stream, and left out")


def test_what_nobody_knows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"\x00\x01")
    with pytest.raises(ConfigError) as raised:
        list(read_file(file, "auto", lambda _: None))
    assert raised.value.hint == "say it with --as: har, vcr, sse"
    with pytest.raises(ConfigError, match="No such file"):
        list(read_file(tmp_path / "none.har", "auto", lambda _: None))
