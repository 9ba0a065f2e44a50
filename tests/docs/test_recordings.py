"""The players on the page about recordings play what was recorded: at its times, and whatever became of the file. The
script in the guide watches a service."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import urlopen

import pytest

from mockd.recordings.reading import exchanges
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.cli.harness import clean_environ, free_port
from tests.docs.blocks import ROOT, Block, blocks
from tests.programs import program
from tests.recordings.stories import anything, recorded
from tests.relay.clients import eventually

GUIDE = ROOT / "docs" / "guides" / "recording.md"
PAGE = ROOT / "docs" / "reference" / "recordings.md"
PLAYERS = [block for block in blocks(PAGE) if (block.file_name or "").startswith("play.")]
MOST_LINES = 20


def play(player: Block, file: Path) -> bytes:
    assert player.file_name is not None
    script = file.with_name(player.file_name)
    script.write_text(player.text)
    runner = sys.executable if player.language == "python" else program("node")
    done = subprocess.run(
        [runner, script.name, file.name], cwd=file.parent, capture_output=True, timeout=60, check=False
    )
    assert done.stderr == b""
    return done.stdout


@pytest.mark.parametrize("player", PLAYERS, ids=lambda block: block.language)
def test_a_player_is_short_and_plays(player: Block, tmp_path: Path) -> None:
    assert len(player.text.splitlines()) <= MOST_LINES
    file = tmp_path / "chat.stream.jsonl"
    file.write_text(next(block.text for block in blocks(PAGE) if block.file_name == file.name))
    began = time.monotonic()
    assert play(player, file) == "data: one\n\ndata: €\n\n".encode()
    assert time.monotonic() - began > 0.334


@pytest.mark.parametrize("player", PLAYERS, ids=lambda block: block.language)
def test_a_player_plays_whatever_there_is(player: Block, tmp_path: Path) -> None:
    rng = Random(1)
    file = tmp_path / "all.stream.jsonl"
    found = recorded(tmp_path / "r", *(anything(rng) for _ in range(20)))
    content = b"".join(exchange.path.read_bytes() for exchange in found).replace(b"[1000001,", b"[1,")
    file.write_bytes(content.replace(b'[999,"head"', b'[0,"later",1]\n[0,\n[999,"head"') + b'[0,"o","cut')
    expected = b"".join(data for exchange in exchanges(file) for _, data in exchange.output())
    assert len(expected) > 100
    assert play(player, file) == expected


def test_both_players_are_there() -> None:
    assert [player.language for player in PLAYERS] == ["python", "javascript"]


def test_a_service_can_be_watched_by_a_cron_job(tmp_path: Path) -> None:
    [script] = [block.text for block in blocks(GUIDE) if block.text.startswith("#!/bin/sh")]
    script = script.replace("4281", str(free_port()))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    (tmp_path / "question.json").write_text("{}")
    environ = {**clean_environ(), "API_KEY": "key", "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"

    def watched(url: str) -> str:
        words = ["sh", "-c", script.replace("https://api.example.com", url)]
        done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=True)
        assert (done.stderr, list(temporary.iterdir())) == ("", [])
        return done.stdout

    with running_mockd(ticks(1)) as service:
        record(service.url, tmp_path / "good.stream.jsonl")
        assert watched(service.url) == ""
    with running_mockd(ticks("1")) as service:
        assert watched(service.url) == "types: tick: n was number and is text\n"


def ticks(n: object) -> dict[str, Any]:
    return {"matcher": {"path": "/v1/chat"}, "sse": {"events": [{"type": "tick", "data": {"n": n}}]}}


def record(url: str, to: Path) -> None:
    with running_mockd(settings=Settings(proxy=(url,), record=str(to.parent / "r"))) as relay:
        urlopen(relay.url + "/v1/chat", b"{}").read()
        assert eventually(lambda: '"end"' in next((to.parent / "r").iterdir()).read_text())
    next((to.parent / "r").iterdir()).rename(to)
