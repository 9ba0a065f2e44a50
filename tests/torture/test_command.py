"""Runs of a command: what it says, and what becomes of one that hangs, crashes or writes for ever."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from mockd.errors import ConfigError
from mockd.torture.command import MOST_OUTPUT, Ended, run_command

PATIENCE_S = 60.0


def run(code: str, **environ: str) -> Ended:
    return run_command([sys.executable, "-c", code], environ, PATIENCE_S)


def test_output_and_exit_code() -> None:
    ended = run("import os, sys; print(os.environ['WORD']); print('no', file=sys.stderr); sys.exit(3)", WORD="yes")
    assert ended == Ended(3, b"yes\n", b"no\n")
    assert ended.in_words == "exited with 3"


def test_one_that_reads_its_input_finds_nothing() -> None:
    assert run("import sys; print(repr(sys.stdin.read()))").stdout == b"''\n"


def test_one_that_hangs_is_ended() -> None:
    ended = run_command(["sh", "-c", "echo begun; sleep 600"], {}, 2)
    assert (ended.trouble, ended.stdout) == ("did not end within 2 s", b"begun\n")


def test_one_that_crashes() -> None:
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)").in_words == "was killed by SIGSEGV"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_one_that_writes_for_ever_is_ended(stream: str) -> None:
    ended = run(f"import sys\nwhile True: sys.{stream}.write('x' * 65536)")
    assert ended.trouble == f"wrote more than {MOST_OUTPUT:,} bytes"
    assert len(getattr(ended, stream)) == MOST_OUTPUT


def test_as_much_as_it_may_write() -> None:
    ended = run(f"import sys; sys.stdout.write('x' * {MOST_OUTPUT})")
    assert (ended.trouble, len(ended.stdout)) == (None, MOST_OUTPUT)


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"""
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path({str(note)!r}).write_text(str(child.pid))
"""
    assert run(code).trouble is None
    assert is_gone(int(note.read_text()))


def test_one_that_starts_a_session_of_its_own_is_not_waited_for() -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '20'], start_new_session=True); print('done')"
    began = time.monotonic()
    assert run(code).stdout == b"done\n"
    assert time.monotonic() - began < 15


def test_one_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="'no-such-command' cannot be started: No such file"):
        run_command(["no-such-command"], {}, PATIENCE_S)
    with pytest.raises(ConfigError, match="cannot be started"):
        run_command(["a\0b"], {}, PATIENCE_S)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or is about to: nobody may have waited for it."""
    for _ in range(1000):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


NODE = """file:///app/read.mjs:5
    throw
    ^

SyntaxError: Unexpected token in JSON
    at JSON.parse (<anonymous>)

Node.js v20.20.2
"""


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("", ""),
        ("a\n  b \n\n", "b"),
        (
            "Traceback (most recent call last):\n  File\njson.decoder.JSONDecodeError: Expecting\n",
            "json.decoder.JSONDecodeError: Expecting",
        ),
        ("ValueError: a\n\nDuring handling …\n\nKeyError: 'b'\n", "KeyError: 'b'"),
        (NODE, "SyntaxError: Unexpected token in JSON"),
        (
            'Exception in thread "main" java.io.IOException: x\n\tat Read.main\n',
            'Exception in thread "main" java.io.IOException: x',
        ),
        ("panic: oops\n\ngoroutine 1 [running]:\nexit status 2\n", "panic: oops"),
    ],
)
def test_last_words(stderr: str, said: str) -> None:
    assert Ended(1, b"", stderr.encode()).last_words == said
