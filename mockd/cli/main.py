"""The entry point of the command `mockd`."""

from __future__ import annotations

import contextlib
import os
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
    _flush()
    sys.exit(code)


def _flush() -> None:
    """Write out what is left. If nobody reads it any more, it goes nowhere, and the exit code stays as it is."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _dispatch(arguments: list[str]) -> int:
    # Typer and rich take a tenth of a second to import. The server starts without them, unless there is help to print
    # or a usage error to explain.
    if arguments[:1] == ["serve"]:
        given = serve.parse(arguments[1:])
        if given is not None:
            return serve.start(given)
    from mockd.cli.app import run

    return run(arguments)
