"""Commands on live streams."""

from __future__ import annotations

from typing import Annotated

import typer

from mockd.cli.output import note, print_facts, print_json, print_table
from mockd.cli.session import Session, connected

sse = typer.Typer(help="See and end live streams, of all kinds.", no_args_is_help=True)
connections = typer.Typer(help="Live streams; without a command, list them.")
sse.add_typer(connections, name="connections")

ConnectionId = Annotated[str, typer.Argument(metavar="ID", help="Id of the connection.")]


@connections.callback(invoke_without_command=True)
@connected
def connections_alone(session: Session, context: typer.Context) -> None:
    """Live streams; without a command, list them."""
    if context.invoked_subcommand is None:
        _list(session, None)


@connections.command("list")
@connected
def list_connections(
    session: Session,
    mock_id: Annotated[str | None, typer.Option("--mock", metavar="ID", help="Only those of this mock.")] = None,
) -> None:
    """List live streams, oldest first."""
    _list(session, mock_id)


def _list(session: Session, mock_id: str | None) -> None:
    admin = session.admin
    answer = admin.list_connections() if mock_id is None else admin.list_mock_connections(mock_id)
    rows = [
        (
            connection["id"],
            connection["mockId"],
            connection["kind"],
            connection["path"],
            connection.get("clientIp") or "",
            connection["connectedAt"],
            connection["eventsSent"],
            connection["bytesSent"],
        )
        for connection in answer["connections"]
    ]
    headings = ("ID", "MOCK", "KIND", "PATH", "CLIENT", "SINCE", "EVENTS", "BYTES")
    session.answer(answer, lambda: print_table(headings, rows) if rows else note("There are no live streams."))


@connections.command("get")
@connected
def get_connection(session: Session, connection_id: ConnectionId) -> None:
    """Print a stream, live or ended, as JSON."""
    print_json(session.admin.get_connection(connection_id))


@connections.command("close")
@connected
def close_connection(session: Session, connection_id: ConnectionId) -> None:
    """End a live stream as its mock says streams end."""
    answer = session.admin.close_connection(connection_id)
    session.answer(answer, lambda: print(f"Closed connection: {connection_id}"))


@sse.command()
@connected
def stats(session: Session) -> None:
    """Count streams, events and bytes since the start."""
    answer = session.admin.get_stats()
    session.answer(answer, lambda: print_facts(answer))
