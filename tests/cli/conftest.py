"""A real `mockd serve` on free ports, and the command line run in this process against it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from mockd.cli.app import run
from tests.cli.harness import Cli, Result, Serve, Served, free_port

command_of = functools.cache(typer.main.get_command)
"""Typer makes all commands anew for each that is run, which takes longer than most of them."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers, on one free port unless told otherwise; they are gone after the test."""
    started: list[Served] = []

    def start(*arguments: str, **options: Any) -> Served:
        if "--admin-port" not in arguments:
            arguments = ("--admin-port", str(free_port()), *arguments)
        started.append(Served(*arguments, **options))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.wait()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Served]:
    server = Served("--admin-port", str(free_port()))
    yield server
    server.process.kill()
    server.wait()


@pytest.fixture
def local_cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command in this process, with no server to be found."""
    monkeypatch.setenv("MOCKD_ADMIN_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("MOCKD_API_KEY", raising=False)
    monkeypatch.setattr(typer.main, "get_command", command_of)

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(list(arguments))
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def cli(shared_server: Served, local_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command in this process against a server without mocks."""
    monkeypatch.setenv("MOCKD_ADMIN_URL", shared_server.admin)
    ids = [mock["id"] for mock in local_cli("list", "--json").json["mocks"]]
    if ids:
        local_cli("delete", *ids)
    return local_cli


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, object], Path]:
    """Writes a file, of text or of a JSON value."""

    def write(name: str, content: object) -> Path:
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return file

    return write
