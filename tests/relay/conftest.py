"""A mockd that relays to a server of the test's own, and one that plays a recording."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd

Relay = Callable[..., RunningMockd]
Playing = Callable[..., RunningMockd]


@pytest.fixture
def relay() -> Iterator[Relay]:
    """Serve with these settings; the first argument is the URL to which everything goes."""
    with contextlib.ExitStack() as stack:

        def serve(url: str, *mocks: dict[str, Any], **settings: Any) -> RunningMockd:
            return stack.enter_context(running_mockd(*mocks, settings=Settings(proxy=(url,), **settings)))

        yield serve


@pytest.fixture
def playing(tmp_path: Path) -> Iterator[Playing]:
    """Play a recording that has this text, at the path `/a`, with these fields beside `recording` and in its mock."""
    with contextlib.ExitStack() as stack:

        def play(text: str, config: dict[str, Any] | None = None, kind: str = "sse", **mock: Any) -> RunningMockd:
            (tmp_path / "a.stream.jsonl").write_text(text)
            answer = {kind: {"recording": "a.stream.jsonl", **(config or {})}}
            settings = Settings(files_root=str(tmp_path))
            return stack.enter_context(running_mockd({"matcher": {"path": "/a"}, **answer, **mock}, settings=settings))

        yield play
