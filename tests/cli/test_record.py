"""`mockd record`: everything is relayed and recorded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockd.presets import presets
from tests.cli.harness import Cli, Served
from tests.relay.clients import Raw
from tests.relay.targets import END, Visit, chunk, serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


async def streams(visit: Visit) -> None:
    head = await visit.request()
    await visit.send(HEAD, chunk(b"data: " + head.split()[1] + b"\n\n"), END)


@pytest.fixture
def record() -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(*arguments: str) -> Served:
        started.append(Served(*arguments, command="record"))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.wait()


def test_everything_is_relayed_and_recorded(record: Callable[..., Served], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with serving(streams) as one, serving(streams) as two:
        server = record("--target", f"/one={one.url}/v1", "--target", two.url, "--out", str(out), "--skip", "*/health")
        for path, seen in (("/one/a", b"/v1/a"), ("/b", b"/b"), ("/health", b"/health")):
            with Raw(server.mocks) as client:
                assert (
                    client.get(path)
                    .until(lambda got: got.endswith(END))
                    .endswith(chunk(b"data: " + seen + b"\n\n") + END)
                )
        assert server.stop(signal.SIGINT) == 0
    assert sorted(os.listdir(out)) == ["001-get-v1-a.stream.jsonl", "002-get-b.stream.jsonl"]
    messages = [line.get("message", "") for line in server.lines]
    assert messages[-1] == f"recorded 2 exchanges in {out}"
    assert sum(message.startswith("GET /") for message in messages) == 3


def test_what_could_not_be_recorded_is_said_when_it_happens_and_at_the_end(
    record: Callable[..., Served], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with serving(streams) as target:
        server = record("--target", target.url, "--out", str(out), "--quiet")
        for path in ("/a", "/b", "/c"):
            if path == "/b":
                os.rename(out, tmp_path / "other")
                out.write_text("a file in its place")
            with Raw(server.mocks) as client:
                client.get(path).until(lambda got: got.endswith(END))
        assert server.stop(signal.SIGINT) == 0
    messages = [line["message"] for line in server.lines if "mocks" not in line]
    assert messages[-2:] == [
        f"recordings are not whole from {out} on: File exists",
        f"recorded 1 exchange in {out}; 2 could not be recorded, or not as a whole",
    ]


def test_a_preset_names_servers(local_cli: Cli) -> None:
    assert local_cli("record", "--targets", "no").code == 2
    from mockd.server.catalogue import targets_of

    assert "/openai=https://api.openai.com" in targets_of("llm")
    llm = presets()["llm"]
    assert set(llm.targets) <= set(llm.base_urls)


def test_a_server_must_be_named(local_cli: Cli) -> None:
    result = local_cli("record")
    assert result.code == 2
    assert "--target URL" in result.err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--target", "api.test", "mockd record: --target (MOCKD_PROXY): 'api.test' does not begin with http"),
        ("--ca", "/no/file", "--ca (MOCKD_CA): /no/file cannot be used: No such file or directory (name a file of"),
        ("--redact-env", "NO_SUCH_VARIABLE", "--redact-env: the environment has no NO_SUCH_VARIABLE to redact"),
        ("--upstream-proxy", "proxy.test", "'proxy.test' is no proxy: write http://, host and port"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, option: str, value: str, message: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mockd", "record", "--target", "http://a.test", option, value, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 2
    assert message in run.stderr


def test_a_folder_that_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "recordings"
    file.touch()
    words = [sys.executable, "-m", "mockd", "record", "--target", "http://a.test", "--out", str(file)]
    run = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 2
    assert f"--out (MOCKD_RECORD): {file}: there is a file where the folder should be" in run.stderr
