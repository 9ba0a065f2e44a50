"""The parts that are common to all commands for a running server: options, client and output."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer

from mockd.cli.help import SERVER
from mockd.cli.output import note, print_json
from mockd.client import AdminClient
from mockd.errors import sentence

P = ParamSpec("P")

JSON_HELP = "Print one JSON document and nothing else."

OwnKey = Annotated[
    str | None,
    typer.Option("--key", metavar="KEY", help="Only mocks that are this key's own, instead of those for all keys."),
]
KeyOfStreams = Annotated[
    str | None,
    typer.Option("--key", metavar="KEY", help="Only streams of this key; those without a key if it is empty."),
]


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """Options of every command for a running server."""

    admin_url: Annotated[
        str,
        typer.Option(
            "--admin-url",
            envvar="MOCKD_ADMIN_URL",
            metavar="URL",
            help="URL of the admin API.",
            rich_help_panel=SERVER,
        ),
    ] = "http://127.0.0.1:4290"
    api_key: Annotated[
        str | None,
        typer.Option(
            "--api-key",
            envvar="MOCKD_API_KEY",
            metavar="KEY",
            help="Key of the admin API.",
            rich_help_panel=SERVER,
        ),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False


@dataclass(frozen=True)
class Session:
    """One run of a command: a client of the admin API, and the form of the output."""

    admin: AdminClient
    as_json: bool

    def answer(self, document: dict[str, Any], say: Callable[[], None]) -> None:
        """Print the document for programs, or let `say` print text for people, and then the warnings in it."""
        if self.as_json:
            print_json(document)
            return
        say()
        for warning in document.get("warnings", ()):
            note(f"warning: {sentence(warning)}")


def options(flags: type) -> list[inspect.Parameter]:
    """The fields of a dataclass as parameters of a command."""
    hints = get_type_hints(flags, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in dataclasses.fields(flags)
    ]


def connected(command: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """Turn a function that takes a `Session` into a command that has the shared options and opens the session."""
    signature = inspect.signature(command, eval_str=True)
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in signature.parameters.values()][1:]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        shared = _Shared(**{field.name: given.pop(field.name) for field in dataclasses.fields(_Shared)})
        with AdminClient(shared.admin_url, api_key=shared.api_key) as admin:
            command(Session(admin, shared.as_json), **given)  # type: ignore[call-arg]

    run.__signature__ = signature.replace(parameters=[*own, *options(_Shared)])  # type: ignore[attr-defined]
    return run
