"""Chromium, and a mockd that remembers what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from mockd.clock import Clock
from mockd.engine import Engine
from mockd.lines import Line
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.programs import program

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000

HTML: dict[str, Any] = {
    "id": "page",
    "matcher": {"path": "/page"},
    "response": {
        "headers": {"Content-Type": "text/html; charset=utf-8"},
        "body": "<!doctype html><title>A page</title>",
    },
}


@dataclass
class Asked:
    """One request as it came in, and when (monotonic seconds); `gone` once it is over."""

    method: str
    path: str
    headers: dict[str, str]
    at: float
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def last_event_id(self) -> str | None:
        return self.headers.get("last-event-id")


class WatchedEngine(Engine):
    """An engine that notes every request."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(Settings(), clock=clock)
        self.asked: list[Asked] = []

    def start(self, line: Line) -> Awaitable[None] | None:
        headers = {name.decode(): value.decode("latin-1") for name, value in line.scope["headers"]}
        asked = Asked(line.scope["method"], line.scope["path"], headers, time.monotonic())
        self.asked.append(asked)
        rest = super().start(line)
        if rest is None:
            asked.gone.set()
            return None
        return self._until_gone(rest, asked)

    async def _until_gone(self, rest: Awaitable[None], asked: Asked) -> None:
        try:
            await rest
        finally:
            asked.gone.set()

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]


@dataclass
class Mockd:
    """A mockd server with a page at `/page`."""

    url: str
    engine: WatchedEngine

    def asked_for(self, path: str) -> list[Asked]:
        return self.engine.asked_for(path)


Serve = Callable[..., Mockd]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with the given mocks and a page."""
    with ExitStack() as running:

        def start(*mocks: dict[str, Any], clock: Clock | None = None) -> Mockd:
            engine = WatchedEngine(clock)
            mockd: RunningMockd = running.enter_context(running_mockd(HTML, *mocks, engine=engine))
            return Mockd(mockd.url, engine)

        yield start


@pytest.fixture(scope="module")  # no longer: while playwright runs, no test in this thread can have an event loop
def chromium() -> Iterator[BrowserContext]:
    executable = program("chromium", "chromium-browser")
    with sync_playwright() as playwright:
        # Every launch has a profile folder of its own.
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        context = browser.new_context()
        context.set_default_timeout(PATIENCE_MS)
        yield context
        browser.close()


@pytest.fixture
def page(chromium: BrowserContext) -> Iterator[Page]:
    page = chromium.new_page()
    yield page
    page.close()
