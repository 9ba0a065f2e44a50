"""Which sources there are, what they open, and how files are read."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import parse_mock
from mockd.config.parts import parts_of
from mockd.errors import ConfigError
from mockd.request import RequestView
from mockd.source import Answer, Opened, Script, SourceContext
from mockd.sources import build_source, files, kinds
from mockd.sources.registry import find_kind
from tests.manual_clock import ManualClock


def opened(kind: str, config: dict[str, Any], root: Path | None = None) -> Opened | Awaitable[Opened]:
    mock = parse_mock({"matcher": {"path": "/"}, kind: config}, root=root).mock
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    context = SourceContext(RequestView(scope), {}, ManualClock(), random.Random(1))
    return build_source(parts_of(mock)[0].config, root).open(context)


@pytest.mark.parametrize(
    ("config", "passes", "limit", "length"),
    [
        ({"events": [{"data": 1}, {"data": 2}]}, 1, None, 2),
        ({"events": [{"data": 1}], "repeat": 5}, 5, None, 1),
        ({"events": [{"data": 1}], "repeat": 0}, None, None, 1),
        ({"generator": {"type": "sequence"}}, None, None, 1),
        ({"generator": {"type": "sequence", "count": 10**12}}, None, 10**12, 1),
        ({"generator": {"type": "random", "random": {"schema": 1}, "count": 5}}, None, 5, 1),
        ({"generator": {"type": "template", "template": {"events": [{"data": 1}], "repeat": 4}}}, 4, None, 1),
        ({"template": "notification-stream"}, 1, None, 4),
        ({"template": "notification-stream", "templateParams": {"loop": True}}, None, None, 4),
        ({"template": "openai-chat", "templateParams": {"tokens": ["a"]}}, 1, None, 4),
    ],
    ids=str,
)
def test_what_is_known_in_advance_is_a_script(
    config: dict[str, Any], passes: int | None, limit: int | None, length: int
) -> None:
    script = opened("sse", config)
    assert isinstance(script, Script)
    assert (script.passes, script.limit, len(script.build())) == (passes, limit, length)


def test_a_response_is_an_answer_of_which_the_mock_says_status_and_delay() -> None:
    answer = opened("response", {"body": {"a": 1}, "status": 201, "delay": 50, "headers": {"X": "y"}})
    assert answer == Answer(body={"a": 1})


@pytest.mark.anyio
async def test_files_are_read_while_the_stream_runs(tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"x")
    for kind, key in (("chunked", "dataFile"), ("response", "bodyFile")):
        opening = opened(kind, {key: "big.bin"}, tmp_path)
        assert isinstance(opening, Awaitable)
        assert isinstance(await opening, AsyncIterator)


FILES = pytest.mark.parametrize(
    ("kind", "key", "more"),
    [
        ("chunked", "dataFile", {}),
        ("chunked", "eventsFile", {"raw": True}),
        ("response", "bodyFile", {}),
        ("sse", "eventsFile", {}),
        ("sse", "eventsFile", {"raw": True}),
    ],
)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hostname", "link.txt", "missing.txt", "."])
@FILES
def test_files_outside_their_folder_are_refused(
    tmp_path: Path, kind: str, key: str, more: dict[str, Any], name: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("x")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(ConfigError) as caught:
        opened(kind, {key: name, **more}, folder)
    assert caught.value.problems[0].path == (kind, key)


@FILES
def test_without_a_folder_files_are_refused(kind: str, key: str, more: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        opened(kind, {key: "x.txt", **more})


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("length", [0, 1, 6, 7, 8, files.READ_BYTES, files.READ_BYTES + 1, 200_001])
@pytest.mark.parametrize("size", [1, 7, 1024, 65_536, 100_000])
async def test_pieces(tmp_path: Path, length: int, size: int) -> None:
    if length > 10_000 and size == 1:
        length = 10_000
    content = bytes(number % 253 for number in range(length))
    (tmp_path / "f").write_bytes(content)
    found = [piece async for piece in files.pieces(await files.open_data_file("f", tmp_path, ()), size)]
    assert found == [content[start : start + size] for start in range(0, length, size)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", []),
        (b"\n\r\n\n", []),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\n\r\nb\n", [b"a", b"b"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"x" * 200_000 + b"\ny", [b"x" * 200_000, b"y"]),
        (b"line\n" * 50_000, [b"line"] * 50_000),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_lines(tmp_path: Path, content: bytes, found: list[bytes]) -> None:
    (tmp_path / "f").write_bytes(content)
    assert [line async for line in files.lines(await files.open_data_file("f", tmp_path, ()))] == found


# -- names -------------------------------------------------------------------------------------------------------------


def test_built_in_kinds_are_known_like_any_other() -> None:
    assert {"openai-chat", "notification-stream"} <= set(kinds())
    assert all(kind.summary.endswith(".") for kind in kinds().values())


def test_a_kind_is_found_by_import_string() -> None:
    assert find_kind("mockd.sources.templates.notification_stream:KIND").name == "notification-stream"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("openai-chats", "did you mean `openai-chat`?"),
        ("nothing", "known: ag-ui, anthropic-count-tokens, anthropic-messages"),
        ("mockd.nowhere:KIND", "cannot import"),
        ("mockd.sources:MISSING", "cannot import"),
        ("mockd.sources:kinds", "is not a SourceKind"),
        (":", "cannot import"),
        ("a b:c", "cannot import"),
        ("..x:y", "cannot import"),
    ],
)
def test_a_name_that_stands_for_nothing(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_kind(name, ("sse", "template"))
    assert message in str(caught.value)
    assert caught.value.problems[0].path == ("sse", "template")
