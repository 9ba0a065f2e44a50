"""The command that verifies which requests came."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mockd.cli import values
from mockd.cli.output import note
from mockd.cli.session import Session, connected
from mockd.config.verification import LONGEST_WAIT_S, criteria_of
from mockd.tables import printable

NOT_SO = 1
"""Exit code if it is not so, or cannot be known."""


@connected
def verify(
    session: Session,
    request: Annotated[
        str | None,
        typer.Argument(metavar="REQUEST", help='Method and path such as "POST /path", or a path; as in a matcher.'),
    ] = None,
    times: Annotated[int | None, typer.Option("--times", metavar="N", min=0, help="It came exactly N times.")] = None,
    at_least: Annotated[
        int | None, typer.Option("--at-least", metavar="N", min=0, help="It came N times or more. Default: once.")
    ] = None,
    at_most: Annotated[
        int | None, typer.Option("--at-most", metavar="N", min=0, help="It came N times or less.")
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="It did not come.")] = False,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="NAME:VALUE", help="Header that it has. May be given several times."),
    ] = None,
    mock: Annotated[str | None, typer.Option("--mock", metavar="ID", help="Mock that answered.")] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="Only requests of this key; those without one if empty.")
    ] = None,
    within: Annotated[
        float,
        typer.Option(
            "--within",
            metavar="SECONDS",
            min=0,
            max=LONGEST_WAIT_S,
            help="Longest time, in seconds, to wait until it is so.",
        ),
    ] = 0,
) -> None:
    """Verify that a request came: exit code 0 if it did, 1 if not."""
    criteria: dict[str, Any] = {} if request is None else criteria_of(request)
    if not criteria.get("path", "/").startswith(("/", "*")):
        raise typer.BadParameter(f'{request!r} is no request: write it like "POST /path" or "/path"')
    if header:
        criteria["headers"] = dict(values.header(text, "--header") for text in header)
    criteria |= {name: value for name, value in (("mock", mock), ("key", key)) if value is not None}
    if not criteria:
        raise typer.BadParameter("which request? Give REQUEST, --mock, --key or --header")
    answer = session.admin.verify(criteria, times=_times(times, at_least, at_most), never=never, within_seconds=within)
    session.answer(answer, lambda: print(printable(answer["message"])))
    if answer["ok"] is None:
        note("It cannot be known whether that is so.")
    if not answer["ok"]:
        raise typer.Exit(NOT_SO)


def _times(exactly: int | None, at_least: int | None, at_most: int | None) -> object:
    bounds = {name: bound for name, bound in (("atLeast", at_least), ("atMost", at_most)) if bound is not None}
    if bounds and exactly is not None:
        raise typer.BadParameter("--times does not go with --at-least and --at-most")
    return bounds or exactly
