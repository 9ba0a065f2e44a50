"""The package on the page about templates of one's own installs, and then streams."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.cli.harness import Served, clean_environ
from tests.docs.blocks import ROOT, blocks

PAGE = ROOT / "docs/guides/new-template.md"
PATIENCE_S = 120
"""An installation; nothing takes that long unless it never ends."""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder that pip put the package in, built from the files on the page alone."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for block in blocks(PAGE):
        if block.file_name is not None:
            (source / block.file_name).write_text(block.text, encoding="utf-8")
    # Nothing is downloaded: the build backend is the one that mockd itself is built with.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(target), str(source)]
    subprocess.run([*pip, *options], check=True, timeout=PATIENCE_S, env=clean_environ())
    return target


def test_the_package_installs_and_streams(installed: Path, tmp_path: Path) -> None:
    mock = {"matcher": {"path": "/talk"}, "sse": {"template": "parrot-talk", "templateParams": {"echo": True}}}
    config = tmp_path / "mocks.json"
    config.write_text(json.dumps(mock), encoding="utf-8")
    environ = {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "mockd", "templates", "parrot-talk", "--json"]
    listed = subprocess.run(command, check=True, capture_output=True, env={**clean_environ(), **environ})
    assert json.loads(listed.stdout)["namedIn"] == "sse.template"
    served = Served("--config", str(config), "--admin-port", "0", environ=environ)
    try:
        answer = httpx2.post(served.mocks + "/talk", json={"model": "m", "prompt": "Polly", "stream": True})
    finally:
        served.stop()
    types = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert types == ["begin", "say", "end"]
    assert 'data: {"text":"Polly"}' in answer.text
