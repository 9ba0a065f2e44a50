"""A reader who does what a page says: saves its files, starts its servers, types its commands, compares the output."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from mockd.cli.app import run as run_mockd
from mockd.client import AdminClient
from mockd.config.load import parse_collection, parse_text
from tests.cli.conftest import command_of
from tests.cli.harness import Served, clean_environ, free_port
from tests.docs.blocks import ROOT, Block, Command, commands
from tests.programs import program

PATIENCE_S = 20
MOCKS, ADMIN = re.compile(r"(localhost|127\.0\.0\.1):4280\b"), re.compile(r"(localhost|127\.0\.0\.1):4290\b")


class Uvicorn:
    """`uvicorn …` as a page has it, on a free port."""

    def __init__(self, words: list[str], environ: dict[str, str]) -> None:
        port = str(free_port())
        words = [port if word == "4280" else word for word in words]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words], stderr=subprocess.PIPE, env={**clean_environ(), **environ}, text=True
        )
        self.mocks = self.admin = f"http://127.0.0.1:{port}"
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._listening.wait(PATIENCE_S)

    def _read(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            for line in lines:
                if "Uvicorn running on" in line:
                    self._listening.set()

    def wait(self) -> None:
        self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)


class Reader:
    """Reads one page in an empty folder. Without a `mockd serve` on the page, an empty server stands ready."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._environ = monkeypatch
        self._folder = folder
        self._output = ""
        self._server: Served | Uvicorn | None = None
        monkeypatch.chdir(folder)
        monkeypatch.setattr(typer.main, "get_command", command_of)
        (folder / "examples").symlink_to(ROOT / "examples")

    def close(self) -> None:
        if self._server is not None:
            self._server.process.kill()
            self._server.wait()
            self._server = None

    def read(self, block: Block) -> None:
        if not block.is_run:
            return
        if block.file_name is not None:
            (self._folder / block.file_name).write_text(block.text, encoding="utf-8")
        if block.language in ("json", "yaml"):
            self._load(block)
        elif block.language == "python":
            self._run_python(block)
        elif block.language == "toml":
            self._install()
        elif block.language == "bash":
            for command in commands(block):
                self._type(command)
        elif block.language == "text" and block.file_name is None:
            self._compare(block)

    @property
    def server(self) -> Served | Uvicorn:
        if self._server is None:
            self._serve(["--files-root", str(self._folder)])
        assert self._server is not None
        return self._server

    def _serve(self, arguments: list[str], environ: dict[str, str] | None = None) -> None:
        self.close()
        if "--admin-port" not in arguments:
            arguments = [*arguments, "--admin-port", str(free_port())]
        self._use(Served(*arguments, environ=environ))

    def _use(self, server: Served | Uvicorn) -> None:
        self._server = server
        self._environ.setenv("MOCKD_ADMIN_URL", server.admin)

    def _load(self, block: Block) -> None:
        """Check a configuration; put its mocks on the server, unless it is a file that the page serves itself."""
        value = parse_text(block.text.encode(), source=None, format=block.language)  # type: ignore[arg-type]
        if is_script(value):
            return
        specs = parse_collection(whole(value), root=self._folder)
        if block.file_name is None and not is_fragment(value):
            with AdminClient(self.server.admin) as admin:
                admin.import_config({"mocks": [spec.doc for spec in specs]})

    def _run_python(self, block: Block) -> None:
        """Run a file: tests with pytest; a module that has an `app` or a plug-in is imported; others are programs."""
        assert block.file_name is not None, "a Python block needs a file name, or `not-run`"
        if block.file_name.startswith("test_"):
            plugins = ["-p", "no:cacheprovider", "-p", "mockd.pytest_plugin", "-p", "anyio"]
            self._execute([sys.executable, "-m", "pytest", "-q", *plugins, block.file_name])
        elif re.search(r"^(app|KIND) = ", block.text, re.MULTILINE):
            self._execute([sys.executable, "-c", f"import {Path(block.file_name).stem}"])
        else:
            file = self._folder / block.file_name
            file.write_text(self._to_this_server(block.text), encoding="utf-8")
            self._execute([sys.executable, block.file_name])

    def _install(self) -> None:
        """What `pip install -e .` does for the package in this folder, as far as Python looks for plug-ins."""
        project = tomllib.loads((self._folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        info = self._folder / f"{project['name']}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8")
        groups = [
            "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())])
            for group, entries in project["entry-points"].items()
        ]
        (info / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
        self._environ.setenv("PYTHONPATH", str(self._folder))

    def _type(self, command: Command) -> None:
        words = list(command.words)
        environ: dict[str, str] = {}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environ[name] = value
        if words[:2] == ["mockd", "serve"]:
            self._serve(words[2:], environ)
        elif words[0] == "uvicorn":
            self.close()
            self._use(Uvicorn(words, environ))
        elif words[0] == "mockd":
            self._call_mockd([self._to_this_server(word) for word in words[1:]], command.exit_code)
        elif words[0] == "curl":
            target = [self._to_this_server(word) for word in words[1:]]
            self._execute(
                [program("curl"), "--silent", "--show-error", "--max-time", str(PATIENCE_S), *target], command.exit_code
            )
        else:
            raise AssertionError(f"{words[0]} is not run by this test: mark the block `not-run`")

    def _call_mockd(self, words: list[str], exit_code: int) -> None:
        assert self.server
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with contextlib.redirect_stdout(out):
            code = run_mockd(words)
        self._output = out.buffer.getvalue().decode()  # type: ignore[attr-defined]
        assert code == exit_code, words

    def _execute(self, words: list[str], exit_code: int = 0) -> None:
        path = os.pathsep.join([str(self._folder), str(ROOT)])
        environ = {**clean_environ(), "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(words, capture_output=True, check=False, timeout=3 * PATIENCE_S, env=environ)
        self._output = done.stdout.decode()
        assert done.returncode == exit_code, (words, self._output, done.stderr.decode())

    def _to_this_server(self, text: str) -> str:
        mocks, admin = self.server.mocks.partition("://")[2], self.server.admin.partition("://")[2]
        return ADMIN.sub(admin, MOCKS.sub(mocks, text))

    def _compare(self, block: Block) -> None:
        """The output of the last command is what the page says; `…` stands for anything."""
        pattern = re.escape(block.text.strip()).replace("…", ".*")
        output = self._output.replace("\r\n", "\n").strip()
        assert re.fullmatch(pattern, output, re.DOTALL), f"line {block.line}:\n{output}"


def is_script(value: Any) -> bool:
    """Whether it is a file for `--preset-script`."""
    return isinstance(value, list) and all("reply" in item or "replies" in item for item in value)


def is_fragment(value: Any) -> bool:
    return isinstance(value, dict) and not value.keys() & {"matcher", "http", "mocks"}


def whole(value: Any) -> Any:
    """A fragment as a mock: with a matcher, and events where it has no source."""
    if not is_fragment(value):
        return value
    mock = json.loads(json.dumps(value))
    if "sse" in mock and not mock["sse"].keys() & {"events", "eventsFile", "generator", "template"}:
        mock["sse"]["events"] = [{"data": text} for text in "abc"]
    return {"matcher": {"path": "/fragment"}, **mock}
