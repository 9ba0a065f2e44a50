"""Commands on the journal of requests."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mockd.cli.help import GroupedCommand
from mockd.cli.output import note, print_json, print_table
from mockd.cli.session import Session, connected

requests = typer.Typer(help="Show the requests that came; without a command, list them.")

Limit = Annotated[int | None, typer.Option("--limit", metavar="N", min=0, help="Only the newest N. Default: 100.")]
Unmatched = Annotated[bool, typer.Option("--unmatched", help="Only requests that no mock answered.")]
_HEADINGS = ["ID", "TIME", "METHOD", "PATH", "STATUS", "MOCK", "EVENTS", "BYTES", "MS", "OUTCOME"]


@requests.callback(invoke_without_command=True)
@connected
def requests_alone(session: Session, context: typer.Context, unmatched: Unmatched = False, limit: Limit = None) -> None:
    """Show the requests that came; without a command, list them."""
    if context.invoked_subcommand is not None:
        return
    answer = session.admin.list_requests(limit=limit, matched=False if unmatched else None)
    rows = [_row(entry) for entry in answer["requests"]]
    session.answer(answer, lambda: print_table(_HEADINGS, rows) if rows else note("There are no such requests."))


@requests.command("show", cls=GroupedCommand)
@connected
def show(session: Session, request_id: Annotated[str, typer.Argument(metavar="ID", help="ID of the request.")]) -> None:
    """Print a request, and what became of it, as JSON."""
    print_json(session.admin.get_request(request_id))


def _row(entry: dict[str, Any]) -> tuple[object, ...]:
    return (
        entry["id"],
        entry["time"],
        entry["method"],
        entry["rawPath"],
        entry["status"] or "",
        entry.get("mockId", ""),
        entry["eventsSent"],
        entry["bytesSent"],
        "" if entry["lastByteMs"] is None else round(entry["lastByteMs"], 1),
        entry["outcome"] or "",
    )
