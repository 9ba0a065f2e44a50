"""The preset `llm` over real sockets: one server for the tests that only ask it, others for scripts and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.presets.asking import Serve


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with running_mockd(settings=Settings(preset="llm")) as mockd:
        yield mockd.url


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serves the preset with a script and settings; the same server for the same ones."""
    with ExitStack() as running:
        served: dict[str, str] = {}

        def start(*script: dict[str, Any], **settings: Any) -> str:
            key = json.dumps([script, settings])
            if key not in served:
                file = tmp_path_factory.mktemp("script") / "script.json"
                file.write_text(json.dumps(script), encoding="utf-8")
                given = Settings(preset="llm", preset_script=str(file) if script else None, **settings)
                served[key] = running.enter_context(running_mockd(settings=given)).url
            return served[key]

        yield start
