"""Who may import whom: downward only, read off the source, and what is not loaded at start-up."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mockd

PACKAGE = Path(mockd.__file__).parent

LAYERS: tuple[set[str], ...] = (
    {
        "addresses",
        "cache",
        "callers",
        "errors",
        "events",
        "clock",
        "jsontext",
        "kept",
        "patterns",
        "request",
        "settings",
        "source",
        "store",
        "tables",
        "targets",
        "turns",
    },
    {
        "config",
        "blame",
        "expressions",
        "placeholders",
        "framing",
    },
    {"headers", "journal"},
    {"recordings"},
    {"lines"},
    {"program", "relay"},
    {"matching", "sources", "streaming", "cors"},
    {"faults"},
    {"hand"},
    {"mocks", "presets", "llm", "overview"},
    {"keys"},
    {"judging"},
    {"engine"},
    {"admin", "app"},
    {"server", "client", "testing", "torture"},
    {"cli", "fixtures"},
    {"pytest_plugin"},
)
"""Units (modules and folders of the package) from the bottom up. A unit may import those of lower layers."""

BESIDE = {
    "events": {"clock"},
    "jsontext": {"events"},
    "callers": {"addresses", "request"},
    "settings": {"addresses", "errors", "targets"},
    "targets": {"addresses"},
    "request": {"errors", "patterns"},
    "kept": {"cache"},
    "source": {"clock", "events", "kept", "request"},
    "blame": {"config"},
    "expressions": {"config"},
    "placeholders": {"config", "expressions"},
    "framing": {"config", "expressions", "placeholders"},
    "sources": {"matching"},
    "app": {"admin"},
    "testing": {"client"},
    "torture": {"client", "testing"},
    "server": {"torture"},
}
"""What a unit may import of its own layer besides itself: nothing, unless it is said here."""

INSIDE: dict[str, tuple[str, ...]] = {
    "expressions": ("tags", "values", "growth", "words", "filters", "expression"),
    "fixtures": ("server", "journal", "making", "handles", "mockd", "asynchronous", "torture", "cassettes"),
    "client": ("transport", "admin"),
    "hand": (
        "rows_time",
        "beside",
        "watches",
        "held",
        "hand",
        "push",
        "cut",
        "upcoming",
        "waits",
        "watching",
        "hands",
    ),
    "engine": ("streams", "serving", "misses", "keyed", "engine"),
    "framing": ("variants", "encodings", "frames", "framings", "varied"),
    "journal": (
        "credentials",
        "schemas",
        "redaction",
        "lateness",
        "exchange",
        "feed",
        "metrics",
        "registry",
        "journal",
        "entries",
    ),
    "keys": ("reading", "registry", "mocks"),
    "judging": ("kept", "expected", "claims", "verify"),
    "lines": ("delivery", "hangup", "line", "memory", "uvicorn", "protocol", "select", "stopping", "upgrade"),
    "patterns": ("effort", "wildcards", "dialects", "pattern"),
    "relay": ("heads", "recorded", "connections", "upstream", "http1", "http2", "connecting", "relays"),
    "recordings": (
        "lines",
        "schema",
        "names",
        "reading",
        "spelling",
        "searching",
        "needles",
        "member_values",
        "members",
        "codings",
        "ordering",
        "bodies",
        "redaction",
        "outgoing",
        "writing",
        "rewriting",
        "events",
        "timeline",
        "comparing",
        "mocks",
        "conversions",
    ),
    "recordings.conversions": ("bodies", "har", "sse", "vcr", "formats"),
    "program": (
        "pacing",
        "ratelimit",
        "recorded",
        "terms",
        "timetable",
        "prepared",
        "script",
        "varying",
        "answer",
        "plan",
        "replaying",
        "body_headers",
        "compile",
    ),
    "sources.llm": (
        "budget",
        "schemas",
        "requests",
        "replies",
        "wires",
        "refusals",
        "choosing",
        "source",
        "following",
        "kind",
        "endpoints",
    ),
    "sources.llm.schemas": ("reference", "pattern", "grammar", "merge", "values", "check", "example", "prompts"),
    "sources.llm.requests": ("options", "ask", "tokens"),
    "sources.llm.replies": ("params", "reply", "cutting"),
    "sources.llm.wires": (
        "access",
        "wire",
        "openai",
        "openai_chat",
        "openai_completions",
        "azure_openai",
        "responses_ids",
        "responses_input",
        "responses_items",
        "responses_object",
        "openai_stored",
        "responses_earlier",
        "openai_responses",
        "anthropic_cache",
        "anthropic",
        "anthropic_vertex",
        "gemini",
        "mistral_chat",
        "mistral_fim",
        "ollama",
        "cohere_chat",
        "cohere_chat_v1",
        "vercel_ui",
        "ag_ui",
    ),
    "sources.llm.refusals": (
        "refusal",
        "telling",
        "rule",
        "predicates",
        "openai",
        "anthropic",
        "google",
        "mistral",
        "cohere",
        "ollama",
        "rules",
        "rates",
        "gate",
    ),
    "sources.llm.choosing": ("side_calls", "asked", "criteria", "behaviour", "chooser", "explain"),
    "sources.llm.endpoints": (
        "endpoint",
        "embeddings",
        "moderations",
        "rerank",
        "counting",
        "ollama_models",
        "stored_source",
        "stored_responses",
        "conversations",
        "templates",
    ),
    "torture": (
        "reduce",
        "command",
        "compare",
        "source",
        "marks",
        "variants",
        "bench",
        "parts",
        "simpler",
        "pauses",
        "trial",
        "shrink",
        "torture",
        "service",
    ),
    "streaming": (
        "calendar",
        "ops",
        "sessions",
        "cursors",
        "program",
        "varying",
        "replaying",
        "endings",
        "impatience",
        "vigil",
        "stream",
        "answers",
        "pipeline",
        "instead",
    ),
    "streaming.sessions": ("session", "buffer", "resume"),
    "streaming.cursors": (
        "cursor",
        "around",
        "end",
        "whole",
        "body",
        "chunks",
        "recorded",
        "pieces",
        "script",
        "session",
    ),
    "faults": (
        "chosen",
        "armed",
        "fitting",
        "site",
        "strikes",
        "chunks",
        "limited",
        "shapes",
        "heads",
        "places",
        "wire",
        "throttle",
        "ahead",
        "apply",
        "header",
    ),
    "mocks": (
        "counters",
        "changes",
        "scenarios",
        "choice",
        "registered",
        "owned_file",
        "state_file",
        "builder",
        "checks",
        "warnings",
        "mock_set",
    ),
    "mocks.checks": (
        "answer",
        "sample",
        "ids",
        "matcher",
        "texts",
        "effects",
        "framing",
        "faults",
        "fault_requests",
        "sequences",
    ),
}
"""The parts of folders from the bottom up. A part may import those before it."""

ONLY = {
    "client": {"mockd.errors", "mockd.config.models"},
    "cli": {
        "mockd.client",
        "mockd.server",
        "mockd.torture",
        "mockd.config",
        "mockd.recordings",
        "mockd.settings",
        "mockd.tables",
        "mockd.errors",
    },
}
"""Units that may import less than their layer: they are clients of the running server, and read files."""

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
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if is_module(name) else str(node.module) for name in names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "a relative import"


def is_module(name: str) -> bool:
    path = PACKAGE.joinpath(*name.split(".")[1:])
    return path.is_dir() or path.with_suffix(".py").is_file()


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


def places_in(folder: str, module: str) -> str | None:
    """The part of a folder that a module belongs to; None if it is not in the folder, or is the folder itself."""
    inside = module.removeprefix(f"mockd.{folder}.")
    return None if inside == module else inside.split(".")[0]


@pytest.mark.parametrize("folder", INSIDE)
def test_parts_of_a_folder_import_downward_only(folder: str) -> None:
    order = {part: place for place, part in enumerate(INSIDE[folder])}
    found: set[str] = set()
    for path in FILES:
        importing = places_in(folder, module_of(path))
        if importing is None:
            continue
        found.add(importing)
        others = {places_in(folder, name) for name in imports_of(path)} - {None, importing}
        assert [other for other in others if order[str(other)] > order[importing]] == [], path
    assert found == set(order)


def module_of(path: Path) -> str:
    return ".".join(("mockd", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Not even for the sake of types: what is true only for a type checker is a tangle for its readers."""
    modules = {module_of(path): path for path in FILES}
    graph = {name: {other for other in imports_of(path) if other in modules} for name, path in modules.items()}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above[above.index(name) :], name))
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*above, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


SERVERS = r"\b(uvicorn|httptools|uvloop|h11|zttp|hypercorn|granian|daphne)\b"
NAMES_SERVERS = {"lines", "server", "testing"}
"""Units that name a server: the lines under it, and what starts one."""
CLIENTS = {"mockd.relay.http1"}
"""Modules that use a library by which a server is named too, as a client."""
COMMAND = "`uvicorn mockd.app:app`"
"""How users start the app by themselves, as docstrings say."""


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if not (unit_of(path) in NAMES_SERVERS or module_of(path) in CLIENTS)],
    ids=module_of,
)
def test_only_lines_and_what_starts_a_server_name_one(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(COMMAND, "")
    assert re.findall(SERVERS, text, re.IGNORECASE) == []


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
    "re2",
    "regex",
    "yaml",
    "mockd.admin.app",
    "mockd.hand",
    "mockd.config.hand",
    "mockd.config.events_file",
    "mockd.config.explain",
    "mockd.config.hints",
    "mockd.config.json_places",
    "mockd.config.yaml_text",
    "mockd.matching.json_path",
    "mockd.matching.nearmiss",
    "mockd.overview",
    "mockd.patterns.dialects",
    "mockd.sources.chunked",
    "mockd.relay",
    "mockd.sources.generator",
    "mockd.sources.relay",
    "mockd.sources.response",
    "mockd.sources.llm.source",
    "mockd.sources.templates.notification_stream",
    "mockd.program.ratelimit",
    "mockd.streaming.sessions.buffer",
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
        (
            "mockd.pytest_plugin",
            {"starlette", "uvicorn", "msgspec", "httpx", "httpx2", "anyio", "mockd.fixtures", "mockd.errors"},
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
