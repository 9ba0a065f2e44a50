"""Cassettes made by vcrpy itself become recordings, and recordings cassettes that vcrpy replays."""

from __future__ import annotations

import gzip
import json
import subprocess
from base64 import b64decode
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.recordings.conversions import vcr
from mockd.recordings.conversions.formats import read_file
from mockd.recordings.events import header
from mockd.recordings.reading import Exchange
from mockd.recordings.redaction import Redaction
from tests.environments import Say
from tests.recordings.environments import python_with
from tests.recordings.stories import recorded, stream

CASSETTES = Path(__file__).with_name("cassettes.py")


@pytest.fixture(scope="module")
def python(say: Say) -> Path:
    return python_with("vcr", say)


@pytest.fixture(scope="module")
def made(python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A cassette, and what the clients received while it was made."""
    cassette = tmp_path_factory.mktemp("vcr") / "cassette.yaml"
    return cassette, run(python, cassette)


def run(python: Path, *arguments: str | Path) -> dict[str, str]:
    ran = subprocess.run([python, CASSETTES, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


def body(exchange: Exchange) -> bytes:
    return b"".join(data for _, data in exchange.output())


def test_a_cassette_becomes_recordings(made: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    cassette, received = made
    said: list[str] = []
    found = recorded(tmp_path, *read_file(cassette, "auto", said.append))
    assert len(found) == 11
    url = received["url"]
    for exchange, (name, content) in zip(found, list(received.items())[1:], strict=True):
        assert exchange.begun.url == url + name.split()[1]
        assert exchange.head is not None
        assert exchange.end is not None
        coding = header(exchange.head.headers, "content-encoding")
        assert (gzip.decompress(body(exchange)) if coding else body(exchange)) == b64decode(content)
        assert header(exchange.head.headers, "content-length") == str(exchange.output_bytes)
        assert exchange.end.decoded == ("gzip" if "gzip" in name and not coding else None)
    assert {exchange.end.decoded for exchange in found if exchange.end} == {None, "gzip"}
    assert json.loads(found[6].input()) == {"a": "é", "api_key": "abcdefghijk"}
    assert said == ["a cassette says nothing of pieces, times and ends: each answer comes at once, as one piece"]


def test_what_is_imported_is_redacted(made: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    recorded(tmp_path, *read_file(made[0], "vcr", lambda _: None), redaction=Redaction())
    for file in tmp_path.iterdir():
        assert not {word for word in ("secretsecret", "verysecretcookie", "abcdefghijk") if word in file.read_text()}


def test_recordings_become_a_cassette_that_vcrpy_replays(
    made: tuple[Path, dict[str, str]], python: Path, tmp_path: Path
) -> None:
    cassette, received = made
    found = recorded(tmp_path, *read_file(cassette, "vcr", lambda _: None))
    said: list[str] = []
    again = tmp_path / "again.yaml"
    again.write_text(vcr.write(found, said.append), encoding="utf-8")
    assert said == ["a cassette carries no pieces, no times, and not how it ended"]
    url = received.pop("url")
    assert run(python, again, url) == received


def test_a_stream_goes_through_a_cassette_with_its_bytes(tmp_path: Path) -> None:
    [before] = recorded(tmp_path / "a", stream(Random(1), b"data: \xff\xe2\x82\xac\n\n" * 20))
    text = vcr.write([before], lambda _: None)
    [after] = recorded(tmp_path / "b", *vcr.read(text.encode(), lambda _: None))
    assert body(after) == body(before)
    assert (after.input(), after.begun.url, after.head and after.head.status) == (before.input(), before.begun.url, 200)


PYDANTIC_AI = """\
interactions:
- request:
    headers:
      accept: [application/json]
      content-length: ['40']
    method: POST
    parsed_body:
      messages: [{content: hello, role: user}]
      stream: true
    uri: https://api.openai.com/v1/chat/completions
  response:
    body:
      string: |+
        data: {"choices":[{"delta":{"content":"hi"}}]}

        data: [DONE]

    headers:
      content-type: [text/event-stream; charset=utf-8]
    status:
      code: 200
      message: OK
- request:
    headers: {}
    method: POST
    parsed_body: null
    uri: https://api.openai.com/v1/models
  response:
    headers:
      content-type: [application/json]
    parsed_body: {created: 2026-01-02 03:04:05, ok: true}
    status: {code: 200, message: OK}
version: 1
"""


def test_a_cassette_of_pydantic_ai_has_its_bodies_parsed(tmp_path: Path) -> None:
    first, second = recorded(tmp_path, *vcr.read(PYDANTIC_AI.encode(), lambda _: None))
    assert json.loads(first.input()) == {"messages": [{"content": "hello", "role": "user"}], "stream": True}
    assert body(first) == b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n'
    assert json.loads(body(second)) == {"created": "2026-01-02 03:04:05", "ok": True}


@pytest.mark.parametrize("content", ["interactions: [5]", "a: b", "- 1", "{", "interactions: [{request: {}}]"])
def test_what_is_no_cassette_is_said(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"x\.yaml: (not a cassette|interaction 0 is not)"):
        list(read_file(file, "vcr", lambda _: None))
