"""What is no file, wherever a server is told to read one: it does not wait, nor read for ever, and says so."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import httpx2
import pytest

from mockd.config.opening import MOST_BYTES
from tests.cli.forks import Forks, forks
from tests.cli.harness import Serve, mock
from tests.kinds_of_files import NO_FILES, huge, put

MOST_MEMORY = 2 << 30
"""Bytes of memory that a server may take: more than it does, and less than a huge file has."""
CERTIFICATE, KEY = (Path(__file__).parent / "data" / name for name in ("cert.pem", "key.pem"))


def config(kind: str, part: dict[str, object]) -> Callable[[Path], list[str]]:
    """A configuration beside the file, with a mock that names it."""

    def write(file: Path) -> list[str]:
        beside = file.with_name("config.json")
        beside.write_text(json.dumps({"matcher": {"path": "/a"}, kind: part}))
        return [str(beside)]

    return write


PLACES: dict[str, Callable[[Path], list[str]]] = {
    "a configuration": lambda file: [str(file)],
    "events": config("sse", {"eventsFile": "file"}),
    "raw events": config("sse", {"eventsFile": "file", "raw": True}),
    "raw lines": config("chunked", {"eventsFile": "file", "raw": True}),
    "a script": lambda file: ["--preset", "llm", "--preset-script", str(file)],
    "the state": lambda file: ["--state", str(file)],
    "a certificate": lambda file: ["--tls-cert", str(file), "--tls-key", str(KEY)],
    "a key": lambda file: ["--tls-cert", str(CERTIFICATE), "--tls-key", str(file)],
}
"""Where a server reads the whole file at its start, and the arguments for it."""
PARTS = {
    "data": config("chunked", {"dataFile": "file"}),
    "a body": config("response", {"bodyFile": "file"}),
    "a body with an encoding": config("response", {"bodyFile": "file", "headers": {"Content-Encoding": "gzip"}}),
}
"""Where it looks only whether there is a file."""
MADE = {("the state", "nothing"), ("the state", "a link to nothing")}
"""Files that a server makes if they are not there, so that there is nothing to refuse."""


Start = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def loaded() -> Iterator[Forks]:
    with forks(MOST_MEMORY) as found:
        yield found


@pytest.fixture
def start(loaded: Forks, tmp_path: Path) -> Start:
    """Starts a server that cannot start: its exit code, and what it says."""
    return lambda *arguments: loaded.run("serve", "--port", "0", "--admin-port", "0", *arguments, folder=tmp_path)


@pytest.mark.parametrize(("place", "kind"), sorted(set(product([*PLACES, *PARTS], NO_FILES)) - MADE))
def test_what_is_no_file_is_refused_at_the_start(start: Start, tmp_path: Path, place: str, kind: str) -> None:
    file = tmp_path / "file"
    arguments = (PLACES | PARTS)[place](file)
    put(NO_FILES[kind], file)
    code, said = start(*arguments)
    assert code == 2, said
    assert "Traceback" not in said
    assert "file" in said


@pytest.mark.parametrize("place", PLACES)
def test_a_huge_file_is_refused_at_the_start(start: Start, tmp_path: Path, place: str) -> None:
    file = tmp_path / "file"
    arguments = PLACES[place](file)
    huge(file)
    code, said = start(*arguments)
    assert code == 2, said[-2000:]
    assert f"and the limit is {MOST_BYTES}" in said


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/stdin", "/dev/tty"])
def test_a_device_is_no_configuration(start: Start, device: str) -> None:
    assert start(device)[0] == 2


# -- watched files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["a configuration", "events", "a script"])
@pytest.mark.parametrize("kind", [*NO_FILES, "a huge file"])
def test_a_watched_file_that_becomes_none_changes_nothing(serve: Serve, tmp_path: Path, place: str, kind: str) -> None:
    file = tmp_path / "file"
    content = {"a configuration": mock("a", "/a"), "events": [1], "a script": [{"reply": {"text": "Hi"}}]}[place]
    file.write_text(json.dumps(content))
    server = serve("--watch", *PLACES[place](file))
    put((NO_FILES | {"a huge file": huge})[kind], file)
    server.wait_for_message("the configuration was not applied")
    path = "/v1/models" if place == "a script" else "/a"
    assert httpx2.get(server.mocks + path).status_code == 200
    assert server.stop() == 0


def test_a_watched_folder_of_what_is_no_file(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(mock("a", "/a")))
    for number, make in enumerate(NO_FILES.values()):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        if make is not NO_FILES["a file that may not be read"]:
            put(make, folder / "file")
            if os.path.lexists(folder / "file"):
                (folder / "file").rename(tmp_path / f"{number}.json")
    server = serve("--watch", str(tmp_path))
    assert httpx2.get(server.mocks + "/a").status_code == 200
    (tmp_path / "b.json").write_text(json.dumps(mock("b", "/b")))
    server.wait_for_message("the configuration was applied: 2 mocks")
    assert server.stop() == 0
