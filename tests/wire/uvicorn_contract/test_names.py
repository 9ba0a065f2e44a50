"""Names of uvicorn's private parts: they are there, of the expected kinds, and the tables have all that is used.

If a new version of uvicorn fails in this folder, the lines must be looked at before the bound in `pyproject.toml` is
moved.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http import h11_impl, httptools_impl

import mockd.lines.protocol
import mockd.lines.uvicorn
from mockd.lines.protocol import Protocol
from mockd.lines.uvicorn import HttptoolsLine, UvicornLine
from mockd.request import Receive, Scope, Send
from tests.wire.sockets import Client
from tests.wire.uvicorn_contract.asking import HTTPTOOLS, KINDS, empty, serving


def test_the_classes_are_where_they_are_looked_for() -> None:
    assert {httptools_impl.__name__: HttptoolsLine, h11_impl.__name__: UvicornLine} == mockd.lines.uvicorn._MODULES
    for module in (httptools_impl, h11_impl):
        assert module.RequestResponseCycle.__module__ == module.__name__
    assert issubclass(Protocol, httptools_impl.HttpToolsProtocol)


def used_of(module: Any, *roots: str) -> set[str]:
    """The attributes of some objects that a module reads or sets; those of `flow` with its name."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Attribute):
            names = ast.unparse(node)
            for root in roots:
                if names.startswith(root + ".") and re.fullmatch(r"(flow\.)?\w+", names.removeprefix(root + ".")):
                    found.add(names.removeprefix(root + "."))
    return found - {"flow"}


def test_the_tables_have_all_that_is_used() -> None:
    used = used_of(mockd.lines.uvicorn, "cycle", "self._cycle", "watch._cycle")
    used |= used_of(mockd.lines.protocol, "cycle", "running") - {"delivery", "receive", "send"}
    assert used == set(HTTPTOOLS)
    overridden = {
        "_start_asgi_task",
        "connection_lost",
        "connection_made",
        "on_headers_complete",
        "on_message_complete",
        "timeout_keep_alive_handler",
    }
    assert used_of(mockd.lines.protocol, "super()") == overridden


def test_uvicorns_protocol_has_all_that_mockds_own_uses_of_it() -> None:
    """Its own reading of what was received is not called, so that nothing else would notice."""
    inherited = used_of(mockd.lines.protocol, "self") - set(vars(Protocol)) - {"_delivery"}
    there = used_of(httptools_impl, "self")
    assert {"parser", "headers", "scope", "url", "cycle"} < inherited
    assert inherited <= there
    replaced = {"data_received", "on_body", "on_response_complete"}
    assert replaced <= set(vars(httptools_impl.HttpToolsProtocol))


@pytest.mark.parametrize("http", KINDS)
def test_a_live_request_has_them(http: str) -> None:
    wrong: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        cycle = send.__self__  # type: ignore[attr-defined]
        assert receive.__self__ is cycle  # type: ignore[attr-defined]
        for name, kind in KINDS[http].items():
            value = cycle
            for part in name.split("."):
                value = getattr(value, part, None)
            if not isinstance(value, kind):  # type: ignore[arg-type]
                wrong.append(f"{name} is {value!r}")
        wrong.extend(name for name in KINDS[http] if "." not in name and name not in vars(cycle))
        transport = cycle.transport
        assert transport.get_write_buffer_size() == 0
        transport.set_write_buffer_limits(high=1000)
        assert transport.get_write_buffer_limits()[1] == 1000
        assert transport.get_extra_info("socket").fileno() > 0
        assert vars(transport.get_protocol())["transport"] is transport
        await empty(scope, receive, send)

    with serving(app, http) as url, Client(url) as client:
        assert client.ask("/").read_head()[0] == 204
    assert wrong == []


def test_the_version_is_bounded() -> None:
    """To what is tested: before 1.0, anything may change with a minor version."""
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    major, minor = uvicorn.__version__.split(".")[:2]
    assert f'"uvicorn[standard]>={major}.{minor},<{major}.{int(minor) + 1}"' in project
