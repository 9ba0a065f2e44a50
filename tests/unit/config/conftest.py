from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths
from mockd.errors import ConfigError, Problem

Write = Callable[[str, Any], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into an empty current directory: text and bytes as they are, anything else as JSON."""
    monkeypatch.chdir(tmp_path)

    def write_file(name: str, content: Any) -> Path:
        file = Path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes | str) else json.dumps(content)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    return write_file


@pytest.fixture
def refused(write: Write) -> Callable[..., tuple[Problem, ...]]:
    """The problems of files that are refused."""

    def load(*names: str, **environ: str) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            load_paths(names, environ)
        return caught.value.problems

    return load
