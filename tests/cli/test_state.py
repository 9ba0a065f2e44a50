"""State files among processes and mounts: who may have one, and what is said at the start if nobody can."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.cli.harness import PATIENCE_S, Serve, clean_environ, mock
from tests.programs import program

TAKEN = "another process keeps its changes there (give each process a file of its own"


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program that must end by itself."""
    return subprocess.run(
        command, env=clean_environ() | environ, capture_output=True, check=False, text=True, timeout=PATIENCE_S
    )


def attempt(state: Path) -> subprocess.CompletedProcess[str]:
    """Start a server where it cannot start."""
    return run(*command(state))


def command(state: Path) -> list[str]:
    return [sys.executable, "-m", "mockd", "serve", "--port", "0", "--admin-port", "0", "--state", str(state)]


def test_a_second_server_is_refused_until_the_first_has_ended(serve: Serve, tmp_path: Path) -> None:
    state, link = tmp_path / "state.json", tmp_path / "link.json"
    link.symlink_to(state)
    first = serve("--state", str(state))
    for path in (state, link):
        refused = attempt(path)
        assert refused.returncode == 2
        assert f"--state {state}: {TAKEN}" in refused.stderr
    assert httpx2.post(first.admin + "/mocks", json=mock("a", "/a")).status_code == 201
    first.stop(signal.SIGKILL)
    second = serve("--state", str(state))
    assert httpx2.get(second.admin + "/mocks").json()["total"] == 1


def test_states_in_one_folder_do_not_lock_each_other_out(serve: Serve, tmp_path: Path) -> None:
    for name in ("a", "b", "a.lock"):
        serve("--state", str(tmp_path / name))


def test_a_server_with_several_workers_does_not_start(tmp_path: Path) -> None:
    arguments = ["-m", "uvicorn", "mockd.app:app", "--workers", "2", "--port", "0"]
    done = run(sys.executable, *arguments, MOCKD_STATE=str(tmp_path / "state.json"))
    assert TAKEN in done.stderr


FORKED = """
import os, sys
from pathlib import Path
from mockd.engine import Engine
from mockd.mocks.state_file import StateError
from mockd.settings import Settings

engine = Engine(Settings(state=sys.argv[1]))
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    engine.create({"matcher": {"path": "/"}, "response": {}})
except StateError as error:
    print(error)
"""


def test_a_process_that_was_forked_with_it_cannot_write(tmp_path: Path) -> None:
    done = run(sys.executable, "-c", FORKED, str(tmp_path / "state.json"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "another process keeps its changes there; nothing was changed" in done.stdout


MOUNTS = {
    "a mount of its own": ('mount --bind "$1" "$1"', "mount its folder, not the file"),
    "a read-only folder": ('mount --bind "$2" "$2" && mount -o remount,bind,ro "$2"', "Read-only file system"),
}


@pytest.mark.parametrize("kind", MOUNTS)
def test_a_mount_that_cannot_be_written_is_told_at_the_start(tmp_path: Path, kind: str) -> None:
    apart = [program("unshare"), "--user", "--map-root-user", "--mount"]
    if run(*apart, "true").returncode:
        pytest.skip("this user may mount nothing")
    mounting, reason = MOUNTS[kind]
    state = tmp_path / "state.json"
    state.write_text('{"format": 1, "scopes": {}}')
    before = os.listdir(tmp_path)
    script = mounting + ' && shift 2 && exec "$@"'
    done = run(*apart, "sh", "-c", script, "sh", str(state), str(tmp_path), *command(state))
    assert done.returncode == 2, done.stderr
    assert f"--state {state}: " in done.stderr
    assert reason in done.stderr
    assert set(os.listdir(tmp_path)) <= {*before, ".state.json.lock"}


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused = attempt(pipe)
    assert refused.returncode == 2
    assert "it is no regular file" in refused.stderr
    assert os.listdir(tmp_path) == ["pipe"]
