"""Headers about the body that would not be true are refused when the mock is loaded."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths, parse_mock
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem

EVENTS = [{"data": "x"}]
SAID = "{{ request.method }}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "text").write_text("plain")
    (tmp_path / "packed.gz").write_bytes(gzip.compress(b"text"))
    (tmp_path / "packed.zst").write_bytes(b"\x28\xb5\x2f\xfd rest")
    (tmp_path / "empty").write_bytes(b"")
    return tmp_path


def problem_of(folder: Path, kind: str, config: dict[str, Any], method: str | None = None) -> Problem | None:
    matcher = {"path": "/a"} | ({"method": method} if method else {})
    try:
        Engine().check(parse_mock({"matcher": matcher, kind: config}, root=folder))
    except ConfigError as error:
        return error.problems[0]
    return None


# -- Content-Length ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "config", "message"),
    [
        ("sse", {"events": EVENTS}, "a stream has no length"),
        ("sse", {"template": "openai-chat"}, "a stream has no length"),
        ("chunked", {"data": "12345"}, "a stream has no length"),
        ("chunked", {"dataFile": "text"}, "a stream has no length"),
        ("response", {"bodyFile": "text"}, "a file is sent in chunks"),
        ("response", {"template": "openai-embeddings"}, "the body of a template is made for each request"),
        ("response", {"body": SAID}, "the body differs from answer to answer"),
        ("response", {"body": {"a": ["$uuid"]}}, "the body differs from answer to answer"),
        ("response", {"body": "1234"}, "the body has 4 bytes, not 5"),
        ("response", {"body": "éé€"}, "the body has 7 bytes, not 5"),
        ("response", {"body": {"a": "é"}}, "the body has 10 bytes, not 5"),
        ("response", {"body": 0}, "the body has 1 bytes, not 5"),
        ("response", {"body": None}, "the body has 4 bytes, not 5"),
        ("response", {"body": ""}, "the body has 0 bytes, not 5"),
        ("response", {}, "the body has 0 bytes, not 5"),
        ("response", {"body": "12345", "status": 204}, "the body has 0 bytes, not 5"),
        ("response", {"body": "12345", "status": 205}, "the body has 0 bytes, not 5"),
        ("response", {"body": "12345", "statusCode": 304}, "the body has 0 bytes, not 5"),
    ],
    ids=str,
)
def test_a_length_that_is_not_that_of_the_body(folder: Path, kind: str, config: dict[str, Any], message: str) -> None:
    problem = problem_of(folder, kind, {**config, "headers": {"content-Length": "5"}})
    assert problem is not None
    assert problem.path == (kind, "headers", "content-Length")
    assert problem.message.startswith(message)
    assert problem.hint is not None
    assert problem.hint.startswith("leave Content-Length out")


@pytest.mark.parametrize(
    ("config", "length"),
    [
        ({"body": "12345"}, "5"),
        ({"body": "12345"}, ["5"]),
        ({"body": "$$123"}, " 4 "),
        ({"body": {"a": "é"}}, "10"),
        ({"body": None}, "4"),
        ({"body": False}, "5"),
        ({"body": []}, "2"),
        ({}, "0"),
        ({"status": 204}, "0"),
    ],
    ids=str,
)
def test_a_length_that_is(folder: Path, config: dict[str, Any], length: Any) -> None:
    assert problem_of(folder, "response", {**config, "headers": {"Content-Length": length}}) is None


@pytest.mark.parametrize(
    ("kind", "config"), [("sse", {"events": EVENTS}), ("chunked", {"data": "x"}), ("response", {})], ids=str
)
def test_a_mock_for_head_alone_may_say_the_length_of_a_body_it_does_not_have(
    folder: Path, kind: str, config: dict[str, Any]
) -> None:
    said = {**config, "headers": {"Content-Length": "12345", "Content-Encoding": "gzip"}}
    assert problem_of(folder, kind, said, "head") is None
    assert problem_of(folder, kind, said, "GET") is not None
    assert problem_of(folder, kind, said) is not None


@pytest.mark.parametrize("length", ["", "five", "-5", "+5", "5.0", "0x5", "5, 5", ["5", "5"], "٥", "9" * 30], ids=str)
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_what_is_no_length(folder: Path, method: str, length: Any) -> None:
    problem = problem_of(folder, "response", {"body": "12345", "headers": {"Content-Length": length}}, method)
    assert problem is not None
    assert problem.path[:3] == ("response", "headers", "Content-Length")


def test_a_length_from_the_environment_is_told_of_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENGTH", "5")
    mock = {"matcher": {"path": "/a"}, "response": {"body": "1234", "headers": {"Content-Length": "${LENGTH}"}}}
    (folder / "mock.json").write_text(json.dumps(mock))
    with pytest.raises(ConfigError, match="the body has 4 bytes, not 5"):
        Engine().load(load_paths([str(folder / "mock.json")]))


# -- Content-Encoding --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "identity, gzip", ["identity", "zstd"], "deflate,"], ids=str)
@pytest.mark.parametrize(
    ("kind", "config", "file"),
    [
        ("sse", {"events": EVENTS}, None),
        ("sse", {"template": "openai-chat"}, None),
        ("chunked", {"data": "x"}, "dataFile"),
        ("chunked", {"ndjsonItems": [1]}, "dataFile"),
        ("chunked", {"dataFile": "packed.gz", "format": "ndjson"}, "dataFile"),
        ("response", {"body": "x"}, "bodyFile"),
        ("response", {"body": 0}, "bodyFile"),
        ("response", {"template": "openai-embeddings"}, "bodyFile"),
    ],
    ids=str,
)
def test_what_mockd_does_not_compress(
    folder: Path, kind: str, config: dict[str, Any], file: str | None, coding: Any
) -> None:
    problem = problem_of(folder, kind, {**config, "headers": {"Content-Encoding": coding}})
    assert problem is not None
    assert problem.path == (kind, "headers", "Content-Encoding")
    assert "mockd sends what is written as it is" in problem.message
    assert problem.hint is not None
    assert problem.hint.startswith("leave Content-Encoding out")
    assert file is None or f"`{file}`" in problem.hint


@pytest.mark.parametrize("coding", ["identity", "Identity", "", {"omit": True}, SAID], ids=str)
@pytest.mark.parametrize("kind", ["sse", "chunked", "response"])
def test_what_is_no_compression_or_cannot_be_known(folder: Path, kind: str, coding: Any) -> None:
    config: dict[str, Any] = {"sse": {"events": EVENTS}, "chunked": {"data": "x"}, "response": {"body": "x"}}[kind]
    assert problem_of(folder, kind, {**config, "headers": {"Content-Encoding": coding}}) is None


@pytest.mark.parametrize(
    "config", [{}, {"body": ""}, {"body": "x", "status": 304}, {"bodyFile": "text", "status": 204}]
)
def test_no_body_is_compressed_as_well_as_any(folder: Path, config: dict[str, Any]) -> None:
    assert problem_of(folder, "response", {**config, "headers": {"Content-Encoding": "gzip"}}) is None


@pytest.mark.parametrize(
    ("file", "coding", "is_true"),
    [
        ("packed.gz", "gzip", True),
        ("packed.gz", "X-Gzip", True),
        ("packed.gz", "br, gzip", True),
        ("packed.gz", "zstd", False),
        ("packed.zst", "zstd", True),
        ("packed.zst", "gzip", False),
        ("text", "gzip", False),
        ("text", "br, gzip", False),
        ("text", "gzip, br", True),
        ("empty", "gzip", False),
        ("text", "br", True),
        ("text", "deflate", True),
    ],
)
@pytest.mark.parametrize(("kind", "field"), [("response", "bodyFile"), ("chunked", "dataFile")])
def test_a_file_is_looked_at_if_the_coding_has_a_mark(
    folder: Path, kind: str, field: str, file: str, coding: str, is_true: bool
) -> None:
    problem = problem_of(folder, kind, {field: file, "headers": {"Content-Encoding": coding}})
    assert (problem is None) is is_true
    if problem is not None:
        assert problem.path == (kind, "headers", "Content-Encoding")
        assert problem.message == f"'{file}' is not compressed with {coding.rpartition(' ')[2]}"
