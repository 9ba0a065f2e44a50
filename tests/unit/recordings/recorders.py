"""Recordings that a test makes by hand, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mockd.clock import SystemClock
from mockd.recordings.reading import Exchange, exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.writing import Recorder, Recording

URL = "https://api.example.com/v1/chat?x=1"
SECRET = "hunter2-hunter2"


def recorder(folder: Path, **settings: Any) -> Recorder:
    return Recorder(folder, settings.pop("redaction", None) or Redaction([SECRET]), SystemClock(), **settings)


def begin(folder: Path, headers: list[tuple[bytes, bytes]] | None = None, **settings: Any) -> Recording:
    return recorder(folder, **settings).begin("POST", URL, headers or [])


def read(recording: Recording) -> Exchange:
    assert recording.path is not None
    [exchange] = exchanges(recording.path)
    return exchange


def output(exchange: Exchange) -> bytes:
    return b"".join(data for _, data in exchange.output())
