"""`mockd record`: a server that has no mocks, relays everything and records it."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from mockd.cli import serve
from mockd.cli.options import given_of, options, parameter

_FOLDER = "recordings"
_SPELLINGS = {
    "host": "",
    "port": "",
    "proxy": "--target",
    "proxy_allow_host": "",
    "proxy_allow_origin": "",
    "accept_encoding": "",
    "upstream_proxy": "",
    "ca": "",
    "insecure": "",
    "http2": "",
    "record": "--out",
    "only": "",
    "skip": "",
    "max_bytes": "",
    "redact": "",
    "redact_env": "",
    "redact_pattern": "",
    "tls_cert": "",
    "tls_key": "",
    "log_level": "",
    "log_format": "",
    "quiet": "",
}
"""The settings that are options here too, and how they are spelled if not as in `mockd serve`."""


_MEANINGS = {
    "proxy": "Server to which all requests go; `/prefix=URL` for those below a prefix, several times for several.",
    "record": f"Folder into which exchanges are recorded. Default: {_FOLDER}.",
}
"""What some of them mean here, where there are no mocks and a folder is chosen already."""


def record(**given: Any) -> None:
    """Relay requests to a server, and record them. Each exchange is a file; SIGINT, SIGTERM or SIGHUP ends it."""
    preset = given.pop("targets")
    settings = given_of(given)
    if preset is not None:
        settings["proxy"] = [*settings.get("proxy", ()), *_targets_of(preset)]
    if not settings.get("proxy"):
        raise typer.BadParameter("name the server with --target URL, or the servers of a preset with --targets NAME")
    settings = {"record": _FOLDER, **settings, "record_mode": "all", "admin_port": "0"}
    others = {name: spelling for name, spelling in _SPELLINGS.items() if spelling}
    raise typer.Exit(serve.start(settings, "record", others))


def _targets_of(name: str) -> list[str]:
    from mockd.server.catalogue import targets_of

    return targets_of(name)


def _signature() -> inspect.Signature:
    info = typer.Option("--targets", metavar="NAME", help="Preset whose providers are the servers, at its prefixes.")
    return inspect.Signature([parameter("targets", str | None, info, None), *options(_SPELLINGS, _MEANINGS)])


record.__signature__ = _signature()  # type: ignore[attr-defined]
