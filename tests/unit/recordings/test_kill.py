"""A process that records is killed at any moment: every file loads, with all that the process had said it was done
with."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from random import Random

import pytest

from mockd.recordings.reading import Remarks, exchanges

RECORD = """
import pathlib, sys
from mockd.clock import SystemClock
from mockd.recordings.redaction import Redaction
from mockd.recordings.writing import Recorder
recorder = Recorder(pathlib.Path(sys.argv[1]), Redaction(["hunter2-hunter2"]), SystemClock())
while True:
    recording = recorder.begin("POST", "https://x/a?key=abc", [(b"authorization", b"Bearer abcdefgh")])
    recording.input(b'{"password": "abc"}')
    recording.input_end()
    recording.head(200, "OK", [(b"content-type", b"text/event-stream")])
    for number in range(20):
        recording.output(b"data: %d\\n\\n" % number * 50)
        print(recording.path.name, number, flush=True)
    recording.end("complete")
"""


@pytest.mark.parametrize("seed", range(8))
def test_every_file_of_a_killed_recorder_loads(tmp_path: Path, seed: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RECORD), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(Random(seed).randint(1, 400))]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    done = {name: int(number) for name, number in (line.split() for line in said if line.endswith("\n"))}
    for file in tmp_path.iterdir():
        remarks = Remarks()
        found = list(exchanges(file, remarks))
        if not found:  # killed between making the file and its first line
            assert file.name not in done
            continue
        [exchange] = found
        assert remarks.problems == []
        assert exchange.pieces >= done.get(file.name, -1) + 1
        assert exchange.how == ("complete" if exchange.end is not None else "closed")
        for number, (_, data) in enumerate(exchange.output()):
            assert data == b"data: %d\n\n" % number * 50
