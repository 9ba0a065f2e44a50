"""The client of the test in the picture, and notes of when each line ran and what the client had read by then."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from types import FrameType
from typing import Any

import pytest


class Client:
    """A client of a chat, which reads word by word. `seen` is what it has read, or how it has failed."""

    def __init__(self) -> None:
        self.seen = ""
        self._answer: HTTPResponse | None = None

    def ask(self, url: str) -> None:
        body = json.dumps({"model": "gpt-4.1", "stream": True, "messages": [{"role": "user", "content": "Say hello"}]})
        self._answer = urllib.request.urlopen(url + "/v1/chat/completions", body.encode(), timeout=30)

    def read(self, words: int) -> str:
        try:
            found = "".join(self._word() for _ in range(words))
        except OSError as error:
            self.seen = type(error).__name__
            raise
        self.seen += found
        return found

    def _word(self) -> str:
        assert self._answer is not None
        while line := self._answer.readline():
            if line.startswith(b"data: {") and (word := json.loads(line[6:])["choices"][0]["delta"].get("content")):
                return str(word)
        return ""


@pytest.fixture
def client(request: pytest.FixtureRequest, mockd: Any) -> Iterator[Client]:
    mockd.llm(text="")  # the first mock of a run waits for its modules
    mockd.reset(mocks=True)
    client, notes, started = Client(), [], time.monotonic()

    def note(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != str(request.path):
            return None
        notes.append((frame.f_lineno, time.monotonic() - started, client.seen))
        return note

    sys.settrace(note)
    yield client
    sys.settrace(None)
    Path(os.environ["NOTES"]).write_text(json.dumps(notes), encoding="utf-8")
