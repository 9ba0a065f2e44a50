"""Commands on existing mocks, and on the configuration as a whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mockd.cli.output import json_text, note, print_json, print_table, write
from mockd.cli.session import OwnKey, Session, connected
from mockd.cli.summary import scenario, summary
from mockd.cli.values import json_value
from mockd.config.load import parse_text
from mockd.errors import AdminError, ConfigError
from mockd.tables import Column

_YAML_SUFFIXES = (".yaml", ".yml")

MockId = Annotated[str, typer.Argument(metavar="ID", help="ID of the mock.")]


_LISTED = (
    "ID",
    "METHOD",
    "PATH",
    Column("ANSWER", is_words=True),
    Column("SCENARIO", is_rare=True),
    Column("PRIORITY", usual="0"),
    Column("ENABLED", usual="yes"),
    Column("NAME", is_words=True),
)


@connected
def list_mocks(session: Session, key: OwnKey = None) -> None:
    """List the mocks."""
    answer = session.admin.list_mocks(key=key)
    rows = [
        (
            mock["id"],
            mock["matcher"].get("method", "any"),
            mock["matcher"].get("path") or mock["matcher"].get("pathPattern", "any"),
            summary(mock),
            scenario(mock),
            mock.get("priority", 0),
            "yes" if mock.get("enabled", True) else "no",
            mock.get("name", ""),
        )
        for mock in answer["mocks"]
    ]
    nothing = "There are no mocks." if key is None else f"The key {key} has no mocks of its own."
    session.answer(answer, lambda: print_table(_LISTED, rows) if rows else note(nothing))


@connected
def get(session: Session, mock_id: MockId, key: OwnKey = None) -> None:
    """Print a mock as JSON."""
    print_json(session.admin.get_mock(mock_id, key=key))


@connected
def delete(
    session: Session,
    mock_ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="IDs of mocks.")] = None,
    path: Annotated[
        str | None, typer.Option("--path", metavar="PATH", help="Delete the mocks with this path instead.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option("--method", "-m", metavar="METHOD", help="With --path, only the mocks for this method."),
    ] = None,
    key: OwnKey = None,
) -> None:
    """Delete mocks by ID or by path. All that are named are deleted, or none if one does not exist."""
    if bool(mock_ids) == (path is not None):
        raise typer.BadParameter("give ids, or a path", param_hint="ID / --path")
    if method is not None and path is None:
        raise typer.BadParameter("goes with --path", param_hint="--method")
    mocks = session.admin.list_mocks(key=key)["mocks"]
    wanted = _with_path(mocks, path, method) if path is not None else _existing(mocks, mock_ids or [])
    for mock_id in wanted:
        session.admin.delete_mock(mock_id, key=key)
    document = {"deleted": True, "count": len(wanted), "ids": wanted}
    session.answer(document, lambda: print("\n".join(f"Deleted mock: {mock_id}" for mock_id in wanted)))


def _existing(mocks: list[dict[str, Any]], ids: list[str]) -> list[str]:
    there = {mock["id"] for mock in mocks}
    for mock_id in ids:
        if mock_id not in there:
            raise _not_found(f"no mock has the id {mock_id!r}; nothing was deleted")
    return list(dict.fromkeys(ids))


def _with_path(mocks: list[dict[str, Any]], path: str, method: str | None) -> list[str]:
    found = [
        mock["id"]
        for mock in mocks
        if mock["matcher"].get("path") == path
        and (method is None or mock["matcher"].get("method", "").upper() == method.upper())
    ]
    if not found:
        what = f"{method.upper()} {path}" if method else path
        raise _not_found(f"no mock has the path {what}; nothing was deleted")
    return found


def _not_found(message: str) -> AdminError:
    return AdminError(message, code="not_found", status=404, details={"error": "not_found", "message": message})


@connected
def update(
    session: Session,
    mock_id: MockId,
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="Merge patch for the mock (RFC 7396), JSON or YAML; - is stdin."),
    ] = None,
    patch: Annotated[str | None, typer.Option("--patch", metavar="JSON", help="Merge patch, instead of FILE.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="New name.")] = None,
    enabled: Annotated[
        bool | None, typer.Option("--enabled/--disabled", help="Whether the mock answers.", show_default=False)
    ] = None,
    priority: Annotated[int | None, typer.Option("--priority", metavar="N", help="New priority.")] = None,
    key: OwnKey = None,
) -> None:
    """Change fields of a mock; all others stay."""
    if file is not None and patch is not None:
        raise typer.BadParameter("give one of them", param_hint="FILE / --patch")
    change = _read(file) if file is not None else json_value(patch, "--patch") if patch is not None else {}
    if not isinstance(change, dict):
        raise typer.BadParameter("a merge patch is a JSON object", param_hint="FILE / --patch")
    fields = {"name": name, "enabled": enabled, "priority": priority}
    change = {**change, **{field: value for field, value in fields.items() if value is not None}}
    if not change:
        raise typer.BadParameter("nothing to change: give a FILE, --patch, --name, --enabled, --disabled or --priority")
    answer = session.admin.patch_mock(mock_id, change, key=key)
    session.answer(answer, lambda: print(f"Updated mock: {mock_id}\n  Answer: {summary(answer['mock'])}"))


@connected
def import_file(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Configuration file, JSON or YAML; - is stdin.")],
    replace: Annotated[bool, typer.Option("--replace", help="Remove the mocks that are not in the file.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, and change nothing.")] = False,
) -> None:
    """Import a configuration file: all of its mocks, or none."""
    answer = session.admin.import_config(_read(file), replace=replace, dry_run=dry_run)
    session.answer(answer, lambda: print(answer["message"]))


@connected
def export(
    session: Session,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write to, instead of stdout.")
    ] = None,
    format: Annotated[
        Literal["json", "yaml"] | None,
        typer.Option("--format", help="Format; by default by the file's name, or JSON.", show_default=False),
    ] = None,
) -> None:
    """Export all mocks as a configuration file."""
    if format is None:
        format = "yaml" if output and output.suffix in _YAML_SUFFIXES else "json"
    if format == "yaml" and output is None and session.as_json:
        raise typer.BadParameter("--json prints JSON; give one of them, or write to a file with -o")
    text = session.admin.export_yaml() if format == "yaml" else json_text(session.admin.export_config())
    if output is None:
        write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{output}: {error.strerror}") from None
    session.answer({"file": str(output), "format": format}, lambda: print(f"Exported to {output}"))


def _read(file: str) -> Any:
    """The value of a JSON or YAML file. Raises `ConfigError` with line and column if it is malformed."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    # Input from stdin has no name: it is JSON if it begins as JSON does.
    named_yaml = Path(file).suffix in _YAML_SUFFIXES
    is_yaml = content.lstrip()[:1] not in (b"{", b"[") if file == "-" else named_yaml
    return parse_text(content, source="stdin" if file == "-" else file, format="yaml" if is_yaml else "json")
