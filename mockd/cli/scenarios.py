"""Commands on scenarios."""

from __future__ import annotations

from typing import Annotated

import typer

from mockd.cli.help import GroupedCommand
from mockd.cli.output import note, print_table
from mockd.cli.session import Session, connected
from mockd.tables import Column

scenarios = typer.Typer(help="Show and set the states of scenarios.")

Key = Annotated[
    str,
    typer.Option("--key", metavar="KEY", help="Key whose scenarios are meant; empty by default."),
]
_LISTED = ("SCENARIO", "STATE", Column("STATES", is_words=True))


@scenarios.callback(invoke_without_command=True)
@connected
def scenarios_alone(session: Session, context: typer.Context, key: Key = "") -> None:
    """Show and set the states of scenarios; without a command, list them."""
    if context.invoked_subcommand is None:
        _list(session, key)


@scenarios.command("list", cls=GroupedCommand)
@connected
def list_scenarios(session: Session, key: Key = "") -> None:
    """List the scenarios that mocks name, each with its state."""
    _list(session, key)


def _list(session: Session, key: str) -> None:
    answer = session.admin.list_scenarios(key=key)
    rows = [(one["name"], one["state"], ", ".join(one["states"])) for one in answer["scenarios"]]
    session.answer(answer, lambda: print_table(_LISTED, rows) if rows else note("No mock names a scenario."))


@scenarios.command("set", cls=GroupedCommand)
@connected
def set_scenario(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the scenario.")],
    state: Annotated[str, typer.Argument(metavar="STATE", help="A state that a mock names, or `start`.")],
    key: Key = "",
) -> None:
    """Put a scenario into a state."""
    answer = session.admin.set_scenario(name, state, key=key)
    session.answer(answer, lambda: print(f"Scenario {name}: {answer['state']}"))
