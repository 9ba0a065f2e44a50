"""The four ways of using mockd: under uvicorn, in another app, in a container, from the command line."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from mockd.app import create_app
from mockd.settings import Settings
from tests.admin.conftest import serve as serve_app
from tests.cli.harness import PATIENCE_S, Served, clean_environ, free_port, mock
from tests.dockerfile import Instruction, instructions
from tests.spec.reading import read

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "sse"
BIN = Path(sys.executable).parent
INSTALL_PATIENCE_S = 300
"""An installation downloads; nothing takes that long unless it never ends."""
HELLO_WORLD = "data: Hello\n\ndata: World\n\n"
HOLDING: dict[str, Any] = {
    "timing": {"fixedDelay": 0},
    "lifecycle": {"keepOpen": True, "termination": {"finalEvent": {"type": "close", "data": "bye"}}},
}
FINAL = "event: close\ndata: bye\n\n"

Write = Callable[[str, object], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, value: object) -> Path:
        file = tmp_path / name
        file.write_text(json.dumps(value), encoding="utf-8")
        return file

    return write


def run(*arguments: str | Path, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=cwd,
        env={**clean_environ(), **environ},
        capture_output=True,
        check=False,
        text=True,
        timeout=INSTALL_PATIENCE_S,
    )


@contextmanager
def started(
    *arguments: str | Path, ready: str, cwd: Path = ROOT, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process, once a line on stderr matches `ready`, with the first group of the match."""
    environment = {**clean_environ(), **environ}
    process = subprocess.Popen(arguments, cwd=cwd, env=environment, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stderr
        try:
            lines: list[str] = []
            for line in process.stderr:
                lines.append(line)
                if found := re.search(ready, line):
                    break
            else:
                pytest.fail("".join(lines))
            yield process, found[1]
        finally:
            process.kill()


# -- uvicorn -----------------------------------------------------------------------------------------------------------

UVICORN = (sys.executable, "-m", "uvicorn", "mockd.app:app", "--port", "0")
RUNNING = r"running on (http://\S+)"


def test_uvicorn_serves_what_the_variable_names() -> None:
    with started(*UVICORN, ready=RUNNING, MOCKD_CONFIG=str(EXAMPLES)) as (_, url):
        assert httpx2.get(url + "/recorded").text == (EXAMPLES / "recorded.events").read_text()
        mocks = httpx2.get(url + "/__mockd/mocks").json()["mocks"]
        assert "basic-sse" in [mock["id"] for mock in mocks]


def test_uvicorn_takes_several_paths(write: Write) -> None:
    files = [str(write(f"{name}.json", mock(name, f"/{name}"))) for name in ("a", "b")]
    with started(*UVICORN, ready=RUNNING, MOCKD_CONFIG=os.pathsep.join(files)) as (_, url):
        assert [httpx2.get(f"{url}/{name}").text for name in ("a", "b")] == ["data: Hello\n\n"] * 2


def test_uvicorn_needs_no_configuration() -> None:
    with started(*UVICORN, ready=RUNNING) as (_, url):
        created = httpx2.post(url + "/__mockd/mocks", json=mock("a", "/a"))
        assert created.status_code == 201
        assert httpx2.get(url + "/a").text == "data: Hello\n\n"


def test_uvicorn_serves_a_preset() -> None:
    ask = {"model": "any", "messages": [{"role": "user", "content": "Hi"}]}
    with started(*UVICORN, ready=RUNNING, MOCKD_PRESET="llm", MOCKD_PRESET_TEXT="Hello.") as (_, url):
        answer = httpx2.post(url + "/v1/chat/completions", json=ask).json()
    assert answer["choices"][0]["message"]["content"] == "Hello."


def test_uvicorn_does_not_start_with_a_wrong_configuration(write: Write) -> None:
    file = write("wrong.json", [mock("a", "/a", evnts=[]), mock("b", "b")])
    validated = run(sys.executable, "-m", "mockd", "validate", file)
    assert validated.returncode == 2
    problems = validated.stderr.splitlines()
    assert len(problems) == 2
    result = run(*UVICORN, MOCKD_CONFIG=str(file))
    assert result.returncode != 0
    assert "\n".join(problems) in result.stderr
    assert "Traceback" not in result.stderr


def test_uvicorn_ends_streams_through_their_termination(write: Write) -> None:
    file = write("held.json", mock("held", "/held", **HOLDING))
    with (
        started(*UVICORN, ready=RUNNING, MOCKD_CONFIG=str(file)) as (process, url),
        httpx2.stream("GET", url + "/held") as answer,
    ):
        pieces = answer.iter_text()
        assert next(pieces) == "data: Hello\n\n"
        process.send_signal(signal.SIGTERM)
        assert "".join(pieces) == FINAL
        process.wait(PATIENCE_S)


# -- mounted -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def host() -> Iterator[str]:
    """An app of somebody else with mockd under `/mocks`; its URL."""

    async def home(request: Request) -> PlainTextResponse:
        return PlainTextResponse("home")

    mockd = create_app(Settings(config=(str(EXAMPLES),)))
    with serve_app(Starlette(routes=[Route("/", home), Mount("/mocks", mockd)])) as url:
        yield url


def test_mounted_streams_under_the_prefix(host: str) -> None:
    assert httpx2.get(host + "/").text == "home"
    assert httpx2.get(host + "/mocks/events").text == HELLO_WORLD
    chat = httpx2.post(host + "/mocks/v1/chat/completions", json={"stream": True}).text
    assert chat.endswith("data: [DONE]\n\n")
    assert httpx2.get(host + "/events").status_code == 404


def test_mounted_has_its_admin_api_under_the_prefix(host: str) -> None:
    admin = host + "/mocks/__mockd"
    assert httpx2.post(admin + "/mocks", json=mock("held", "/held", **HOLDING)).status_code == 201
    with httpx2.stream("GET", host + "/mocks/held") as answer:
        pieces = answer.iter_text()
        assert next(pieces) == "data: Hello\n\n"
        [connection] = httpx2.get(admin + "/sse/connections").json()["connections"]
        assert (connection["mockId"], connection["path"]) == ("held", "/held")
        assert httpx2.delete(admin + "/mocks/held").status_code == 204
        assert "".join(pieces) == FINAL


def test_mounted_breaks_connections_off(host: str) -> None:
    answer = read(host + "/mocks/disconnect")
    assert answer.events == [{"data": '{"step":1}'}, {"data": '{"step":2}'}]
    assert not answer.complete


def test_mounted_explains_a_miss_with_its_own_paths(host: str) -> None:
    miss = httpx2.get(host + "/mocks/event")
    assert miss.status_code == 404
    assert miss.json()["path"] == "/event"
    assert miss.json()["nearMisses"]


# -- container ---------------------------------------------------------------------------------------------------------

DOCKERFILE = instructions(ROOT / "Dockerfile")


def the(name: str) -> Instruction:
    [found] = [instruction for instruction in DOCKERFILE if instruction.name == name]
    return found


def all_of(name: str) -> list[Instruction]:
    return [instruction for instruction in DOCKERFILE if instruction.name == name]


def image_environ() -> dict[str, str]:
    return dict(word.split("=", 1) for word in the("ENV").words)


@dataclass(frozen=True)
class Image:
    """What the Dockerfile makes, in a folder: programs in `bin`, mocks in `mocks`, the environment of its processes."""

    root: Path

    @property
    def bin(self) -> Path:
        return self.root / "venv" / "bin"

    @property
    def mocks(self) -> Path:
        return self.root / "mocks"

    @property
    def environ(self) -> dict[str, str]:
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return {**image_environ(), "PATH": path, "PYTHONPATH": "", "MOCKD_CONFIG": str(self.mocks)}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image's own install lines, run in a virtual environment that has the dependencies."""
    image = Image(tmp_path_factory.mktemp("image"))
    venv.create(image.root / "venv", symlinks=True)
    [site_packages] = image.root.glob("venv/lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(str(Path(httpx2.__file__).parents[1]), encoding="utf-8")
    pip = image.bin / "pip"
    pip.write_text(f'#!/bin/sh\nexec {image.bin / "python"} -m pip "$@"\n', encoding="utf-8")
    pip.chmod(0o755)
    context = _copy_in(image.root)
    # Nothing is downloaded: the dependencies, hatchling among them, are those that these tests run with.
    # (To pip, 0 in this variable means what the option --no-build-isolation does.)
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for line in all_of("RUN"):
        if not line.rest.startswith("useradd "):
            result = run("sh", "-c", line.rest, cwd=context, **image.environ, **offline)
            assert result.returncode == 0, result.stderr
    return image


def _copy_in(root: Path) -> Path:
    """What the COPY lines bring in, under `root`; the folder of those that are relative."""
    workdir = root / "src"
    workdir.mkdir()
    for copy in all_of("COPY"):
        *sources, target = copy.words
        for source in sources:
            place = root / target.lstrip("/") if target.startswith("/") else workdir / target
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place)
            else:
                shutil.copy(ROOT / source, place)
    return workdir


def test_container_starts_is_healthy_streams_and_stops(image: Image) -> None:
    environ = image.environ | {"MOCKD_PORT": str(free_port()), "MOCKD_ADMIN_PORT": str(free_port())}
    start = the("ENTRYPOINT").exec_form + the("CMD").exec_form
    probe = the("HEALTHCHECK").exec_form
    assert (image.bin / start[0]).exists()
    assert run(*probe, cwd=image.mocks, **environ).returncode != 0
    with started(*start, ready=r"try\s+curl -N (\S+)", cwd=image.mocks, **environ) as (process, url):
        assert run(*probe, cwd=image.mocks, **environ).returncode == 0
        assert url == f"http://127.0.0.1:{environ['MOCKD_PORT']}/events"
        assert read(url).body.decode() == HELLO_WORLD
        admin = f"http://127.0.0.1:{environ['MOCKD_ADMIN_PORT']}"
        assert httpx2.get(admin + "/mocks").status_code == 401  # it is reachable from outside
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


def test_container_runs_what_it_installed(image: Image) -> None:
    where = run("python", "-c", "import mockd; print(mockd.__file__)", cwd=image.mocks, **image.environ).stdout
    assert Path(where.strip()).is_relative_to(image.root / "venv")


def test_container_is_slim_and_runs_as_a_user_of_its_own() -> None:
    assert the("FROM").rest == "python:3.11-slim"
    user = the("USER").rest
    [created] = [line.words for line in all_of("RUN") if line.rest.startswith("useradd ")]
    assert user == created[-1] != "root"
    names = [instruction.name for instruction in DOCKERFILE]
    assert "RUN" not in names[names.index("USER") :]


def test_container_is_reached_from_outside_on_the_ports_it_exposes() -> None:
    environ = image_environ()
    assert the("EXPOSE").words == [environ["MOCKD_PORT"], environ["MOCKD_ADMIN_PORT"]] == ["4280", "4290"]
    assert environ["MOCKD_HOST"] == environ["MOCKD_ADMIN_HOST"] == "0.0.0.0"
    assert environ["MOCKD_CONFIG"] == "/mocks"
    assert environ.keys() <= {f"MOCKD_{name.upper()}" for name in Settings.__struct_fields__}


def test_everything_that_is_copied_passes_the_ignore_file() -> None:
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    allowed = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    sources = [source for copy in all_of("COPY") for source in copy.words[:-1]]
    for source in sources:
        assert (ROOT / source).exists()
        assert any(fnmatch.fnmatch(source.split("/")[0], pattern) for pattern in allowed)


# -- command line ------------------------------------------------------------------------------------------------------


def test_command_line_serves_adds_and_lists() -> None:
    server = Served("--admin-port", str(free_port()))
    try:
        mockd = BIN / "mockd"
        added = run(mockd, "add", "--path", "/hi", "--sse", "--sse-event", "hello", MOCKD_ADMIN_URL=server.admin)
        assert added.returncode == 0, added.stderr
        assert httpx2.get(server.mocks + "/hi").text == "data: hello\n\n"
        listed = run(mockd, "list", "--json", "--admin-url", server.admin)
        assert [mock["matcher"]["path"] for mock in json.loads(listed.stdout)["mocks"]] == ["/hi"]
    finally:
        assert server.stop() == 0
