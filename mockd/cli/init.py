"""`mockd init`, which writes a configuration file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mockd.cli.output import json_text, print_json
from mockd.cli.session import JSON_HELP
from mockd.config.load import parse_text
from mockd.errors import ConfigError

START = """\
# Mocks for mockd. Serve them, and apply changes as soon as this file is saved:
#
#   mockd serve mockd.yaml --watch

version: "1.0"
mocks:
  - id: clock
    description: Server-Sent Events, one a second, for as long as the client stays.
    # curl -N http://localhost:4280/clock
    matcher: {method: GET, path: /clock}
    sse:
      events:
        - {type: tick, id: $seq, data: {number: $seq, at: $timestamp, weather: "$pick:sun,rain,snow"}}
      repeat: 0                    # passes over the list; 0 is for ever
      timing: {fixedDelay: 1000}   # milliseconds between events
      resume: {enabled: true}      # a client that reconnects continues where it left off

  - id: chat
    description: A model's reply in OpenAI's format, token by token. It echoes the last message of the user.
    # curl -N http://localhost:4280/v1/chat/completions -H 'Content-Type: application/json' \\
    #   -d '{"model": "any", "stream": true, "messages": [{"role": "user", "content": "Hello there"}]}'
    matcher: {method: POST, path: /v1/chat/completions}
    sse:
      template: openai-chat        # `mockd templates` lists the others
      templateParams: {echo: true}
      timing: {ttft: 300, itl: 50} # milliseconds to the first token, and between tokens

  - id: log
    description: NDJSON, one line after the other.
    # curl -N http://localhost:4280/log
    matcher: {method: GET, path: /log}
    chunked:
      ndjsonItems:
        - {level: info, message: starting}
        - {level: info, message: "loaded $random:10:99 users"}
        - {level: warn, message: disk almost full}
      chunkDelay: 200              # milliseconds between lines

  - id: user
    description: A plain JSON answer, which follows the request.
    # curl http://localhost:4280/users/7
    matcher: {method: GET, path: "/users/{id}"}
    response:
      headers: {Cache-Control: no-store}
      body: {id: "{{ request.params.id }}", name: Ann, token: $uuid}
"""
"""The file that `mockd init` writes. In JSON, which has no comments, the descriptions remain."""

_FORMATS = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write, YAML or JSON by its name.")] = Path(
        "mockd.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Write a configuration file to start from. It has mocks of four kinds, with comments."""
    format = _FORMATS.get(file.suffix)
    if format is None:
        raise typer.BadParameter(f"{file} does not end in {', '.join(_FORMATS)}", param_hint="FILE")
    try:
        with file.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(start_text(file.name))
    except FileExistsError:
        raise ConfigError(f"{file} exists already; --force overwrites it") from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    if as_json:
        print_json({"file": str(file), "format": format})
    else:
        print(f"Wrote {file}. Serve it: mockd serve {file} --watch")


def start_text(name: str) -> str:
    """The text of a start file of that name."""
    text = START.replace("mockd.yaml", name)
    if _FORMATS[Path(name).suffix] == "yaml":
        return text
    return json_text(parse_text(text.encode(), source=None, format="yaml"))
