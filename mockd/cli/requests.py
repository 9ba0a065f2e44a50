"""Commands on the journal of requests."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from mockd.cli.help import GroupedCommand
from mockd.cli.output import note, print_json, print_table
from mockd.cli.session import Session, connected
from mockd.tables import printable

requests = typer.Typer(help="Show the requests that came; without a command, list them.")

Limit = Annotated[int | None, typer.Option("--limit", metavar="N", min=0, help="Only the newest N. Default: 100.")]
Unmatched = Annotated[bool, typer.Option("--unmatched", help="Only requests that no mock answered.")]
_HEADINGS = ["ID", "TIME", "METHOD", "PATH", "STATUS", "MOCK", "EVENTS", "BYTES", "MS", "OUTCOME"]


@requests.callback(invoke_without_command=True)
@connected
def requests_alone(
    session: Session,
    context: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", help="Print requests as they end, until Ctrl-C.")] = False,
    unmatched: Unmatched = False,
    limit: Limit = None,
) -> None:
    """Show the requests that came; without a command, list them."""
    if context.invoked_subcommand is not None:
        return
    if follow:
        _follow(session, unmatched)
        return
    answer = session.admin.list_requests(limit=limit, matched=False if unmatched else None)
    rows = [_row(entry) for entry in answer["requests"]]
    session.answer(answer, lambda: print_table(_HEADINGS, rows) if rows else note("There are no such requests."))


@requests.command("show", cls=GroupedCommand)
@connected
def show(session: Session, request_id: Annotated[str, typer.Argument(metavar="ID", help="ID of the request.")]) -> None:
    """Print a request, and what became of it, as JSON."""
    print_json(session.admin.get_request(request_id))


def _follow(session: Session, unmatched: bool) -> None:
    """Print each request in one line, when it has ended."""
    reasons: dict[str, str] = {}
    for type, event in session.admin.follow(type="request,ended"):
        if type == "missed":
            note("Some requests are missing, as this command was too slow.")
        elif type == "request":
            if event.get("nearMisses"):
                near = event["nearMisses"][0]
                reasons[event["requestId"]] = f"nearest: {near['mockId']}: {near['reason']}"
        else:
            reason = reasons.pop(event["requestId"], "")
            if not unmatched or event["mockId"] is None:
                print(json.dumps(event) if session.as_json else _line(event, reason), flush=True)


def _line(event: dict[str, Any], reason: str) -> str:
    parts = (
        event["time"],
        f"{event['method']} {event['path']}",
        event["status"] or "-",
        event["mockId"] or "no mock",
        f"{event['eventsSent']} events",
        f"{event['bytesSent']} bytes",
        f"{event['durationMs']} ms",
        event["outcome"],
        reason,
    )
    return printable("  ".join(str(part) for part in parts if part != ""))


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
