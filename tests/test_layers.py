"""Who may import whom: downward only, read off the source, and what is not loaded at start-up."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mockd

PACKAGE = Path(mockd.__file__).parent

LAYERS: tuple[set[str], ...] = (
    {"errors", "events", "clock", "jsontext", "request", "settings", "source", "store"},
    {"config", "expressions", "framing", "placeholders"},
    {"matching", "sources", "streaming", "cors"},
    {"mocks", "engine", "presets", "llm"},
    {"admin", "app"},
    {"server", "client", "testing"},
    {"cli"},
)
"""Units (modules and folders of the package) from the bottom up. A unit may import those of lower layers."""

BESIDE = {
    "events": {"clock"},
    "jsontext": {"events"},
    "settings": {"errors"},
    "request": {"errors"},
    "source": {"clock", "events", "request"},
    "placeholders": {"config", "expressions"},
    "framing": {"expressions", "placeholders"},
    "engine": {"mocks"},
    "app": {"admin"},
    "testing": {"client"},
}
"""What a unit may import of its own layer besides itself: nothing, unless it is said here."""

ONLY = {
    "client": {"mockd.errors", "mockd.config.models"},
    "cli": {"mockd.client", "mockd.server", "mockd.config", "mockd.settings", "mockd.errors"},
}
"""Units that may import less than their layer: they are clients of the running server."""

LEVEL = {unit: level for level, units in enumerate(LAYERS) for unit in units}
NO_UNITS = {"__init__", "__main__"}
FILES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).as_posix() not in {f"{name}.py" for name in NO_UNITS}
)


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    """Every module of mockd that a file imports, wherever in it, as its full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("mockd."))
        elif isinstance(node, ast.ImportFrom) and node.module == "mockd":
            yield from (f"mockd.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mockd."):
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "a relative import"


def allowed(unit: str, imported: str) -> bool:
    if imported.count(".") == 0:
        return False
    other = imported.split(".")[1]
    if other == unit:
        return True
    if unit in ONLY:
        return any(imported == name or imported.startswith(name + ".") for name in ONLY[unit])
    return LEVEL[other] < LEVEL[unit] or other in BESIDE.get(unit, ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_modules_import_downward_only(path: Path) -> None:
    unit = unit_of(path)
    assert [name for name in imports_of(path) if not allowed(unit, name)] == []


def test_every_unit_has_its_layer() -> None:
    assert {unit_of(path) for path in FILES} == set(LEVEL)


def loaded_by(module: str) -> set[str]:
    """What a fresh interpreter has loaded after importing that module."""
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(run.stdout.split())


RARELY_NEEDED = {
    "difflib",
    "glob",
    "jsonpath",
    "yaml",
    "mockd.admin.app",
    "mockd.config.events_file",
    "mockd.config.explain",
    "mockd.config.hints",
    "mockd.config.json_places",
    "mockd.config.yaml_text",
    "mockd.matching.json_path",
    "mockd.matching.nearmiss",
    "mockd.sources.chunked",
    "mockd.sources.generator",
    "mockd.sources.response",
    "mockd.sources.llm.source",
    "mockd.sources.templates.notification_stream",
    "mockd.program.ratelimit",
    "mockd.streaming.sessions.resume",
    "mockd.streaming.sessions.session",
    "mockd.streaming.cursors.session",
}
"""What a server with a plain list of events has no use for."""


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("mockd", {"msgspec", "starlette", "uvicorn", "typer", "mockd.engine", "mockd.errors"}),
        ("mockd.app", {"typer", "rich", "httpx2", "minijinja", "mockd.client", "mockd.presets.routes", *RARELY_NEEDED}),
        (
            "mockd.server",
            {"typer", "rich", "httpx2", "minijinja", "mockd.client", "mockd.server.watch", *RARELY_NEEDED},
        ),
        ("mockd.cli.main", {"typer", "rich", "starlette", "uvicorn", "mockd.engine", "mockd.app"}),
        ("mockd.cli.app", {"starlette", "uvicorn", "sse_starlette", "mockd.engine", "mockd.app", "mockd.server.run"}),
    ],
)
def test_what_is_not_needed_is_not_loaded(module: str, unwanted: set[str]) -> None:
    assert loaded_by(module) & unwanted == set()


def test_a_configuration_without_mistakes_loads_nothing_that_explains_them(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"
    file.write_text('{"matcher": {"path": "/a"}, "sse": {"events": [{"data": "hi"}]}}')
    code = "import sys, mockd; mockd.create_app(mockd.Settings(config=(sys.argv[1],))); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True, timeout=60)
    assert set(run.stdout.split()) & RARELY_NEEDED == set()
