"""The output of commands: tables and sentences for people, or one JSON document for programs.

With `--json`, stdout has that document and nothing else, even after an error. Text for people goes to stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from mockd.errors import AdminError, ConfigError, MockdError, Problem, UnreachableError, format_path
from mockd.tables import Column, table, terminal_width

USAGE, UNREACHABLE, REFUSED = 2, 3, 4
"""Exit codes: wrong usage or configuration, no answer from the server, and a refusal by the server."""


def json_text(value: object) -> str:
    """A JSON document, indented for reading."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write(text: str) -> None:
    """Write a document to stdout, in UTF-8 whatever the locale is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def print_json(value: object) -> None:
    """Write one JSON document to stdout."""
    write(json_text(value))


def print_table(columns: Sequence[str | Column], rows: Iterable[Sequence[object]]) -> None:
    """Write a table to stdout. If stdout is not a terminal, the table is as wide as it needs to be."""
    whole = [Column(column) if isinstance(column, str) else column for column in columns]
    write(table(whole, rows, terminal_width()))


def print_facts(facts: dict[str, Any]) -> None:
    """Write names and values to stdout, one pair on each line."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key}: {number}" for key, number in value.items()) or "none"
        print(f"{name:<{width}}  {value}")


def note(text: str) -> None:
    """Write text for people to stderr."""
    print(text, file=sys.stderr)


def report(error: MockdError, as_json: bool) -> int:
    """Report an error and return the exit code."""
    if as_json:
        print_json(_document(error))
    for line in _lines(error):
        note(line)
    if isinstance(error, UnreachableError):
        return UNREACHABLE
    return REFUSED if isinstance(error, AdminError) else USAGE


def problem_document(problem: Problem) -> dict[str, Any]:
    """A problem as the admin API writes it, with its place in a file if it has one."""
    fields = {
        "message": problem.message,
        "path": format_path(problem.path) if problem.path else None,
        "hint": problem.hint,
        "file": problem.source,
        "line": problem.line,
        "column": problem.column,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _document(error: MockdError) -> dict[str, Any]:
    if isinstance(error, AdminError) and error.details:
        return dict(error.details)
    document: dict[str, Any] = {"error": error.code, "message": error.message}
    if isinstance(error, ConfigError):
        problems = [problem_document(problem) for problem in error.problems]
        document |= problems[0] if len(problems) == 1 else {"problems": problems}
    elif error.hint:
        document["hint"] = error.hint
    return document


def _lines(error: MockdError) -> list[str]:
    if isinstance(error, ConfigError):
        return [str(problem) for problem in error.problems]
    if not isinstance(error, AdminError):
        return [f"Error: {error}"]
    if isinstance(error, UnreachableError):
        return [f"Error: {error}", *([f"  {error.hint}"] if error.hint else [])]
    return [f"Error: the server refused ({error.code})", *(f"  {line}" for line in error.message.splitlines())]
