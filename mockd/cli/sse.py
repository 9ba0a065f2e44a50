"""Commands on live streams."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mockd.cli.hand import COMMANDS
from mockd.cli.help import GroupedCommand
from mockd.cli.output import note, print_facts, print_json, print_table
from mockd.cli.session import KeyOfStreams, Session, connected
from mockd.cli.watch import EXAMPLES, watch
from mockd.tables import Column

sse = typer.Typer(help="List, watch, hold, push into, cut and end live streams.", no_args_is_help=True)
connections = typer.Typer(help="Show and end live streams; without a command, list them.")
sse.add_typer(connections, name="connections")

ListedStatus = Literal["active", "ended", "all"]
ConnectionId = Annotated[str, typer.Argument(metavar="ID", help="ID of the connection.")]


@connections.callback(invoke_without_command=True)
@connected
def connections_alone(session: Session, context: typer.Context) -> None:
    """Show and end live streams; without a command, list them."""
    if context.invoked_subcommand is None:
        _list(session)


@connections.command("list", cls=GroupedCommand)
@connected
def list_connections(
    session: Session,
    mock_id: Annotated[str | None, typer.Option("--mock", metavar="ID", help="Only streams of this mock.")] = None,
    status: Annotated[ListedStatus, typer.Option("--status", help="Live streams, ended ones, or both.")] = "active",
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=0, help="Only the newest N; for ended streams, 100 by default."),
    ] = None,
    key: KeyOfStreams = None,
) -> None:
    """List streams, oldest first; ended ones with their outcome."""
    _list(session, mock_id, status, limit, key)


def _list(
    session: Session,
    mock_id: str | None = None,
    status: ListedStatus = "active",
    limit: int | None = None,
    key: str | None = None,
) -> None:
    admin = session.admin
    if mock_id is not None and status == "active" and limit is None:
        answer = admin.list_mock_connections(mock_id, key=key)  # it refuses if there is no such mock
    else:
        answer = admin.list_connections(status=status, mock_id=mock_id, limit=limit, key=key)
    rows = [
        (
            connection["id"],
            connection["mockId"],
            connection.get("entry", ""),
            connection.get("key", ""),
            connection["kind"],
            connection["path"],
            connection.get("clientIp") or "",
            connection["connectedAt"],
            connection["eventsSent"],
            connection["bytesSent"],
            *([] if status == "active" else [connection.get("outcome", ""), connection.get("endedBy", "")]),
        )
        for connection in answer["connections"]
    ]
    entry = Column("ENTRY", is_rare=True)
    headings: list[str | Column] = ["ID", "MOCK", entry, "KEY", "KIND", "PATH", "CLIENT", "SINCE", "EVENTS", "BYTES"]
    if status != "active":
        headings += ["OUTCOME", "ENDED BY"]
    nothing = "There are no live streams." if status == "active" else "There are no such streams."
    session.answer(answer, lambda: print_table(headings, rows) if rows else note(nothing))


@connections.command("get", cls=GroupedCommand)
@connected
def get_connection(session: Session, connection_id: ConnectionId, key: KeyOfStreams = None) -> None:
    """Print a stream, live or ended, as JSON."""
    print_json(session.admin.get_connection(connection_id, key=key))


@connections.command("close", cls=GroupedCommand)
@connected
def close_connection(session: Session, connection_id: ConnectionId, key: KeyOfStreams = None) -> None:
    """End a live stream as its mock says streams end."""
    answer = session.admin.close_connection(connection_id, key=key)
    session.answer(answer, lambda: print(f"Closed connection: {connection_id}"))


@sse.command(cls=GroupedCommand)
@connected
def stats(session: Session, key: KeyOfStreams = None) -> None:
    """Count streams, events and bytes since the start."""
    answer = session.admin.get_stats(key=key)
    session.answer(answer, lambda: print_facts(answer))


for _name, (_command, _epilog) in COMMANDS.items():
    sse.command(_name, cls=GroupedCommand, epilog=_epilog)(_command)
sse.command("watch", cls=GroupedCommand, epilog=EXAMPLES)(watch)
