"""Commands on keys, and the way back to the start."""

from __future__ import annotations

from typing import Annotated

import typer

from mockd.cli.help import GroupedCommand
from mockd.cli.output import note, print_facts, print_table
from mockd.cli.session import Session, connected

keys = typer.Typer(help="List and delete the keys of parallel tests.")


@keys.callback(invoke_without_command=True)
@connected
def keys_alone(session: Session, context: typer.Context) -> None:
    """List and delete the keys of parallel tests."""
    if context.invoked_subcommand is None:
        _list(session)


@keys.command("list", cls=GroupedCommand)
@connected
def list_keys(session: Session) -> None:
    """List the keys for which anything is kept."""
    _list(session)


def _list(session: Session) -> None:
    answer = session.admin.list_keys()
    rows = [(key["key"], key["mocks"], key["connections"], key["lastUsed"]) for key in answer["keys"]]
    headings = ["KEY", "MOCKS", "STREAMS", "LAST USED"]
    session.answer(answer, lambda: print_table(headings, rows) if rows else note("There are no keys."))


@keys.command("delete", cls=GroupedCommand)
@connected
def delete_key(session: Session, key: Annotated[str, typer.Argument(metavar="KEY", help="Key to delete.")]) -> None:
    """End the streams of a key, and forget all that is kept for it."""
    answer = session.admin.delete_key(key)
    session.answer(answer, lambda: print(f"Deleted key: {key}"))


@connected
def reset(
    session: Session,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="Only this key; requests without a key if it is empty."),
    ] = None,
    mocks: Annotated[
        bool, typer.Option("--mocks", help="Take back the changes to mocks too, and remove those that are keys' own.")
    ] = False,
    streams: Annotated[bool, typer.Option("--streams", help="End live streams too.")] = False,
) -> None:
    """Put counters, buffers and the journal back to the start."""
    answer = session.admin.reset(key=key, mocks=mocks, streams=streams)
    session.answer(answer, lambda: print_facts(answer))
