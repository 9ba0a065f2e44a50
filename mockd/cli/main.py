"""The entry point of the command `mockd`."""

from __future__ import annotations

import sys

from mockd.cli import serve

INTERRUPTED = 130
"""Exit code after Ctrl-C, as in shells: 128 plus the number of the signal."""


def main() -> None:
    """Run the command line and exit with its exit code."""
    try:
        code = _dispatch(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _dispatch(arguments: list[str]) -> int:
    # Typer and rich take a tenth of a second to import. The server starts without them, unless there is help to print
    # or a usage error to explain.
    if arguments[:1] == ["serve"]:
        given = serve.parse(arguments[1:])
        if given is not None:
            return serve.start(given)
    from mockd.cli.app import run

    return run(arguments)
