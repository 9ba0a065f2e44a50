"""Every variant on every kind of stream: a reader that follows the standard reads the same from the neutral ones, and
the borders of chunks are where they were asked for."""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.framing.variants import Variant, variants
from mockd.testing import RunningMockd, running_mockd
from tests.programs import program
from tests.wire.conftest import DIRECT, TLS, speaking_tls
from tests.wire.framing.reading import READERS, decoded, event_stream, pieces
from tests.wire.framing.streams import KINDS, TEXT, Got, Kind, add_all, get, path_of
from tests.wire.sockets import PATIENCE_S

MADE = rb'chatcmpl-\w+|msg_\w+|(?<="created":)[0-9]+|(?<="created_at":")[^"]*|(?<=_duration":)[0-9]+'
"""What differs between two streams of a template."""


def body_of(got: Got, variant: Variant | None) -> bytes:
    """The decoded body of an answer, with the same text for whatever differs from stream to stream."""
    encoding = None if variant is None else variant.framing.get("encoding")
    assert got.headers.get("content-encoding") == encoding
    return re.sub(MADE, b"0", decoded(encoding, got.body))


@pytest.mark.parametrize("name", KINDS)
def test_neutral_variants_read_the_same(server: RunningMockd, tmp_path: Path, name: str) -> None:
    kind, possible = KINDS[name], add_all(server, tmp_path, name)
    read = READERS[kind.body]
    plain = read(body_of(get(server, path_of(name, "plain"), kind.asked), None))
    for variant in possible:
        got = get(server, path_of(name, variant.name), kind.asked)
        body = body_of(got, variant)
        if variant.is_neutral(kind.body, has_ids=kind.has_ids, accepted={"gzip", "deflate", "br", "zstd"}):
            assert read(body) == plain, variant.name
        check_chunks(kind, variant, got)


def check_chunks(kind: Kind, variant: Variant, got: Got) -> None:
    """Check the borders of chunks, if all is due at once."""
    split = variant.framing.get("split")
    if split is not None and kind.config.keys().isdisjoint(("timing", "template", "recording")):
        assert got.chunks == pieces(got.body, split), variant.name


def check_all(server: RunningMockd, folder: Path, name: str, version: str = "1.1") -> None:
    """Check every variant of one kind of stream."""
    kind, possible = KINDS[name], add_all(server, folder, name)
    plain = READERS[kind.body](body_of(get(server, path_of(name, "plain"), version=version), None))
    for variant in possible:
        got = get(server, path_of(name, variant.name), version=version)
        if variant.is_neutral(kind.body, has_ids=kind.has_ids, accepted={"gzip", "deflate", "br", "zstd"}):
            assert READERS[kind.body](body_of(got, variant)) == plain, variant.name
        if version == "1.1":
            check_chunks(kind, variant, got)


def test_they_do_under_every_server(everywhere: RunningMockd, tmp_path: Path) -> None:
    check_all(everywhere, tmp_path, "list without ids")


def test_they_do_over_http_1_0(server: RunningMockd, tmp_path: Path) -> None:
    check_all(server, tmp_path, "list without ids", version="1.0")


@pytest.mark.parametrize("way", DIRECT)
def test_they_do_under_tls(way: str, tmp_path: Path) -> None:
    loop, http = way.split(" and ")
    with running_mockd(loop=loop, http=http, **TLS) as running:
        check_all(speaking_tls(running), tmp_path, "list without ids")


def test_a_client_that_comes_back_reads_the_same(server: RunningMockd, tmp_path: Path) -> None:
    kind, possible = KINDS["resumable"], add_all(server, tmp_path, "resumable")
    plain = event_stream(get(server, path_of("resumable", "plain"), last_event_id="1").body)
    assert plain.messages
    for variant in possible:
        got = get(server, path_of("resumable", variant.name), last_event_id="1")
        if variant.is_neutral(kind.body, has_ids=True, accepted={"gzip", "deflate", "br", "zstd"}):
            assert event_stream(body_of(got, variant)) == plain, variant.name


FETCH = """
const found = await Promise.all(JSON.parse(process.argv[1]).map(async (url) => {
  const response = await fetch(url);
  return Buffer.from(await response.arrayBuffer()).toString("base64");
}));
console.log(JSON.stringify(found));
"""
NODE_READS = ("gzip", "deflate", "br")
"""The encodings that the `fetch` of every Node reads."""


@pytest.mark.parametrize("name", ["list", "ndjson"])
def test_undici_reads_the_same(server: RunningMockd, tmp_path: Path, name: str) -> None:
    kind, possible = KINDS[name], add_all(server, tmp_path, name)
    read = READERS[kind.body]
    neutral = [one for one in possible if one.is_neutral(kind.body, has_ids=kind.has_ids, accepted=NODE_READS)]
    urls = [server.url + path_of(name, one) for one in ("plain", *(variant.name for variant in neutral))]
    words = [program("node"), "--input-type=module", "--eval", FETCH, json.dumps(urls)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=True)
    plain, *others = [read(b64decode(body)) for body in json.loads(done.stdout)]
    for variant, found in zip(neutral, others, strict=True):
        assert found == plain, variant.name


GEMINI = {"template": "gemini", "templateParams": TEXT}
STREAM = "/v1beta/models/any:streamGenerateContent"


@pytest.mark.parametrize(("query", "read"), [("", json.loads), ("?alt=sse", event_stream)], ids=["JSON", "events"])
def test_a_template_that_chooses_its_framing(server: RunningMockd, query: str, read: Callable[[bytes], Any]) -> None:
    """What a body cannot have, it goes without; lines that end in CR LF do so unless the mock says otherwise."""
    asked = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
    possible = [one for one in variants("sse") if one.is_neutral("sse", has_ids=False, accepted=NODE_READS)]
    for one in (None, *possible):
        framing = {} if one is None else {"framing": dict(one.framing)}
        path = "/plain" if one is None else f"/{one.name}"
        server.engine.create({"matcher": {"path": f"{path}{STREAM}"}, "sse": {**GEMINI, **framing}})
    plain = get(server, f"/plain{STREAM}{query}", asked)
    for variant in possible:
        got = get(server, f"/{variant.name}{STREAM}{query}", asked)
        assert told(read(body_of(got, variant))) == told(read(plain.body)), variant.name
        if query and "lineEnding" not in variant.framing:
            assert b"\r\n\r\n" in decoded(variant.framing.get("encoding"), got.body)


def told(found: Any) -> Any:
    """What a reply says, without what differs between two of them."""
    return re.sub(r'"responseId": ?"[^"]*"', "", json.dumps(found).replace('\\"', '"'))
