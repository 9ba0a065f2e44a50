"""The chunks of `openai-chat` beside those that the real service sent.

`MOCKD_RECORDINGS` names a folder of recorded streams, `openai-chat/openai-text*` among them: one JSON payload a line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.clients.conftest import Serve, chat

pytestmark = pytest.mark.clients

FOLDER = os.environ.get("MOCKD_RECORDINGS")


def shape(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Each place of a JSON value with its type; all items of a list are one place."""
    yield path, type(value).__name__
    if isinstance(value, dict):
        for key, item in value.items():
            yield from shape(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from shape(item, f"{path}[]")


def role_of(chunk: dict[str, Any]) -> str:
    """Which part of a stream a chunk is."""
    if not chunk["choices"]:
        return "usage"
    [choice] = chunk["choices"]
    if choice["finish_reason"] is not None:
        return "finish"
    return "role" if "role" in choice["delta"] else "content"


def by_role(chunks: list[dict[str, Any]]) -> dict[str, list[set[tuple[str, str]]]]:
    shapes: dict[str, list[set[tuple[str, str]]]] = {}
    for chunk in chunks:
        shapes.setdefault(role_of(chunk), []).append(set(shape(chunk)))
    return shapes


@pytest.mark.skipif(not FOLDER, reason="MOCKD_RECORDINGS names no folder of recorded streams")
def test_chunks_have_every_key_of_the_recorded_ones_with_its_type(serve: Serve) -> None:
    files = sorted(Path(FOLDER or "", "openai-chat").glob("openai-text*"))
    assert files
    recorded = by_role([json.loads(line) for file in files for line in file.read_text().splitlines() if line])
    options = {"include_usage": True, "include_obfuscation": True}
    body = {"model": "gpt-4.1", "messages": [], "stream": True, "stream_options": options}
    raw = httpx2.post(serve(chat()).url + "/v1/chat/completions", json=body).text
    ours = by_role([json.loads(frame.removeprefix("data: ")) for frame in raw.split("\n\n")[:-2]])
    assert ours.keys() == recorded.keys() == {"role", "content", "finish", "usage"}
    for role, shapes in recorded.items():
        always = set.intersection(*shapes)
        assert all(always <= shape_ for shape_ in ours[role]), role
        assert all(shape_ <= set.union(*shapes) for shape_ in ours[role]), role
