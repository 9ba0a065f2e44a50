"""Commands on recordings: files, which need no running server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mockd.cli.help import GroupedCommand, examples
from mockd.cli.session import JSON_HELP

recordings = typer.Typer(help="Show, compare, redact and convert recordings.", no_args_is_help=True)

DEFAULT_FOLDER = "recordings"
RecordingFile = Annotated[Path, typer.Argument(metavar="FILE", help="Recording.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Redact = Annotated[
    list[str] | None, typer.Option("--redact", metavar="SECRET", help="A secret to take out; repeatable.")
]
RedactEnv = Annotated[
    list[str] | None,
    typer.Option("--redact-env", metavar="NAME", help="A secret in the environment under this name; repeatable."),
]
RedactPattern = Annotated[
    list[str] | None,
    typer.Option("--redact-pattern", metavar="REGEX", help="A regular expression for secrets; repeatable."),
]


@recordings.command("list", cls=GroupedCommand)
def list_recordings(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help=f"Files and folders. Default: {DEFAULT_FOLDER}.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List recordings."""
    from mockd.cli import recorded

    recorded.list_all(paths or [Path(DEFAULT_FOLDER)], as_json)


@recordings.command("show", cls=GroupedCommand)
def show(
    file: RecordingFile,
    plot: Annotated[bool, typer.Option("--plot", help="Draw a timeline of the answer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is in a recording, event by event."""
    from mockd.cli import recorded

    recorded.show(file, plot, as_json)


@recordings.command(
    "diff",
    cls=GroupedCommand,
    epilog=examples("mockd recordings diff good.stream.jsonl today.stream.jsonl   # a check for drift, for a cron job"),
)
def diff(
    first: Annotated[Path, typer.Argument(metavar="A", help="Recording.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one.", show_default=False)],
    exact: Annotated[
        bool, typer.Option("--exact", help="Bytes, pieces and all headers must be the same too, not only the shape.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is different between two recordings. Exit code 1 if anything is."""
    from mockd.cli import recorded

    if not recorded.compare(first, second, exact, as_json):
        raise typer.Exit(1)


@recordings.command("redact", cls=GroupedCommand)
def redact(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Recordings.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write them into this folder, instead of in place.")
    ] = None,
    values: Redact = None,
    names: RedactEnv = None,
    patterns: RedactPattern = None,
    as_json: AsJson = False,
) -> None:
    """Take secrets out of recordings: credentials, and what is given. Everything keeps its length."""
    from mockd.cli import recorded
    from mockd.recordings.redaction import Redaction

    recorded.redact(files, out, Redaction.of(values or [], names or [], patterns or []), as_json)


@recordings.command("to-mock", cls=GroupedCommand)
def to_mock(
    file: RecordingFile,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write to, instead of stdout.")
    ] = None,
) -> None:
    """Write a recording as a mock whose events can be edited."""
    from mockd.cli import recorded

    recorded.to_mock(file, output)


@recordings.command("import", cls=GroupedCommand)
def import_recordings(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File of another tool.", show_default=False)],
    format: Annotated[
        Literal["auto", "har", "vcr", "sse"],
        typer.Option("--as", help="HTTP Archive, cassette of vcrpy, or text of an event stream. Default: auto."),
    ] = "auto",
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to.")] = Path(DEFAULT_FOLDER),
    values: Redact = None,
    names: RedactEnv = None,
    patterns: RedactPattern = None,
    no_redact: Annotated[bool, typer.Option("--no-redact", help="Keep credentials.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make recordings from files of other tools."""
    from mockd.cli import recorded
    from mockd.recordings.redaction import Redaction

    redaction = Redaction.of(values or [], names or [], patterns or [], is_on=not no_redact)
    recorded.import_file(file, format, out, redaction, as_json)


@recordings.command("export", cls=GroupedCommand)
def export(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Recordings.", show_default=False)],
    format: Annotated[
        Literal["har", "vcr", "sse"],
        typer.Option("--as", help="HTTP Archive, cassette of vcrpy, or text of an event stream."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="File to write to, instead of stdout.")
    ] = None,
) -> None:
    """Write recordings as a file of another tool."""
    from mockd.cli import recorded

    recorded.export(files, format, out)
