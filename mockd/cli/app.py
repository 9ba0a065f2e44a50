"""The Typer app with every command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

import mockd
from mockd.cli import serve
from mockd.cli.add import add
from mockd.cli.catalogue import faults, presets, templates
from mockd.cli.help import GroupedCommand, examples
from mockd.cli.init import init
from mockd.cli.keys import keys, reset
from mockd.cli.mocks import delete, export, get, import_file, list_mocks, update
from mockd.cli.options import given_of, options, parameter
from mockd.cli.output import USAGE, note, print_facts, print_json, problem_document, report, write
from mockd.cli.record import record
from mockd.cli.recordings import recordings
from mockd.cli.requests import requests
from mockd.cli.scenarios import scenarios
from mockd.cli.session import JSON_HELP, Session, connected
from mockd.cli.sse import sse
from mockd.cli.torture import torture
from mockd.cli.verify import verify
from mockd.errors import MockdError

app = typer.Typer(
    name="mockd",
    help="A mock server for streaming HTTP APIs: Server-Sent Events, chunked transfer, NDJSON and LLM streams.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Help is plain text: brackets and braces in it are what users type, not markup.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code. All errors are reported here."""
    as_json = "--json" in arguments
    try:
        _refuse_broken_text(arguments)
        code = typer.main.get_command(app)(arguments, prog_name="mockd", standalone_mode=False)
    except MockdError as error:
        return report(error, as_json)
    except typer.TyperException as error:
        return _usage(error, as_json)
    return code if isinstance(code, int) else 0


def _refuse_broken_text(arguments: list[str]) -> None:
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise typer.BadParameter(f"{argument!r} is not UTF-8") from None


def _usage(error: typer.TyperException, as_json: bool) -> int:
    message = error.format_message()
    if as_json:
        print_json({"error": "usage", "message": message})
    context = getattr(error, "ctx", None)
    if context is not None and message == context.get_help():
        note(message)
        return USAGE
    if context is not None:
        note(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n")
    note(f"Error: {message}")
    return USAGE


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mockd {mockd.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A mock server for streaming HTTP APIs: Server-Sent Events, chunked transfer, NDJSON and LLM streams."""


def _serve_command(**given: Any) -> None:
    """Serve mocks until SIGINT, SIGTERM or SIGHUP. Every option has an environment variable."""
    paths = given.pop("paths") or []
    raise typer.Exit(serve.start(serve.with_paths(given_of(given), paths)))


def _serve_signature() -> inspect.Signature:
    paths = typer.Argument(metavar="FILE", help="Configuration files, globs and directories, as with --config.")
    return inspect.Signature([parameter("paths", list[str] | None, paths, None), *options()])


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files, globs and directories.")],
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Check configuration files and recordings."""
    from mockd.server import check
    from mockd.server.logs import count_of

    checked = check(files)
    if as_json:
        print_json(
            {
                "valid": not checked.problems,
                "mocks": checked.mocks,
                "recordings": checked.recordings,
                "problems": [problem_document(problem) for problem in checked.problems],
                "warnings": [problem_document(warning) for warning in checked.warnings],
            }
        )
    for warning in checked.warnings:
        note(f"warning: {warning}")
    for problem in checked.problems:
        note(str(problem))
    if checked.problems:
        raise typer.Exit(USAGE)
    if not as_json:
        counts = [(checked.mocks, "mock"), (checked.recordings, "recording")]
        found = " and ".join(count_of(count, what) for count, what in counts if count) or count_of(0, "mock")
        print(f"OK: {found} in {', '.join(files)}")


def schema(
    recording: Annotated[bool, typer.Option("--recording", help="That of a line of a recording instead.")] = False,
) -> None:
    """Print the JSON Schema of configuration files, for editors."""
    if recording:
        from mockd.recordings.schema import schema_text
    else:
        from mockd.config.schema import schema_text

    write(schema_text())


@connected
def status(session: Session) -> None:
    """Show whether a server is running, and its state."""
    answer = session.admin.get_status()
    session.answer(answer, lambda: print_facts(answer))


_serve_command.__signature__ = _serve_signature()  # type: ignore[attr-defined]

_COMMANDS: dict[str, Callable[..., None]] = {
    "init": init,
    "serve": _serve_command,
    "record": record,
    "add": add,
    "list": list_mocks,
    "get": get,
    "update": update,
    "delete": delete,
    "import": import_file,
    "export": export,
    "validate": validate,
    "schema": schema,
    "templates": templates,
    "faults": faults,
    "presets": presets,
    "verify": verify,
    "torture": torture,
    "reset": reset,
    "status": status,
}
_EXAMPLES = {
    "torture": (
        "mockd torture chat.json -- python read_chat.py {url}",
        "mockd torture mocks.yaml#ticks --jobs 4 --compare json -- node read.mjs {url}",
        "mockd torture http://localhost:8000/events --faults --json -- ./reader {url}",
    ),
    "verify": (
        'mockd verify "POST /v1/chat/completions" --times 2',
        'mockd verify "GET /events" --header "Last-Event-ID: 3" --within 5',
        "mockd verify --mock ticks --never",
    ),
    "serve": (
        "mockd serve mocks.yaml                     # one file; `mockd init` writes one to start from",
        "mockd serve mocks/ more.json --watch       # a folder and a file, applied again when they change",
        "mockd serve --preset llm --port 8080       # OpenAI, Anthropic, Gemini and others, without a file",
    ),
    "record": (
        "mockd record --target https://api.example.com",
        "mockd record --targets llm --out recordings/       # http://localhost:4280/openai/v1, /anthropic and others",
        "mockd record --target /a=https://a.test --target /b=https://b.test --skip '*/health'",
    ),
    "add": (
        "mockd add --path /ticks --sse-event tick:1 --sse-event tick:2 --sse-delay 500",
        "mockd add -m POST --path /v1/chat/completions --sse-template openai-chat",
        """mockd add --path /log --ndjson '{"line": 1}' --ndjson '{"line": 2}' --chunk-delay 200""",
        """mockd add --path /users/7 --body '{"name": "Ann"}' --header 'Cache-Control: no-store'""",
    ),
}
for _name, _command in _COMMANDS.items():
    _epilog = examples(*_EXAMPLES[_name]) if _name in _EXAMPLES else None
    app.command(_name, cls=GroupedCommand, epilog=_epilog)(_command)
app.add_typer(requests, name="requests")
app.add_typer(sse, name="sse")
app.add_typer(keys, name="keys")
app.add_typer(scenarios, name="scenarios")
app.add_typer(recordings, name="recordings")
