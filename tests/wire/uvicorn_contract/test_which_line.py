"""Which line a request gets: one of its own only from exactly what is known."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.lines import Line, line_of
from mockd.lines.protocol import Protocol
from mockd.lines.uvicorn import ChunklessLine, HttptoolsLine, UvicornLine
from mockd.request import Receive, Scope, Send
from tests.wire.sockets import Client
from tests.wire.uvicorn_contract.asking import empty, serving


@pytest.mark.parametrize(
    ("http", "expected"), [("httptools", HttptoolsLine), ("h11", UvicornLine), (Protocol, HttptoolsLine)], ids=str
)
def test_only_exactly_what_is_known_gets_a_line_of_its_own(http: Any, expected: type[Line]) -> None:
    got: dict[str, type[Line]] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def wrapped_send(message: Any) -> None:
            await send(message)

        async def wrapped_receive() -> Any:
            return await receive()

        cycle = send.__self__  # type: ignore[attr-defined]
        child = type("Child", (type(cycle),), {"__module__": type(cycle).__module__})
        heir = child.__new__(child)
        heir.__dict__.update(vars(cycle))
        namesake = type(type(cycle).__name__, (), {"send": None, "receive": None, "__module__": type(cycle).__module__})
        other = object.__new__(type(cycle))
        stranger = namesake()
        for name, ends in {
            "itself": (receive, send),
            "a wrapped send": (receive, wrapped_send),
            "a wrapped receive": (wrapped_receive, send),
            "both wrapped": (wrapped_receive, wrapped_send),
            "a subclass": (heir.receive, heir.send),
            "two requests": (other.receive, send),
            "a namesake": (bound(stranger), bound(stranger)),
        }.items():
            got[name] = type(line_of(scope, *ends))
        await empty(scope, receive, send)

    with serving(app, http) as url, Client(url) as client:
        assert client.ask("/").read_head()[0] == 204
    assert got.pop("itself") is expected
    assert set(got.values()) == {Line}
    assert len(got) == 6


def bound(thing: object) -> Any:
    """A method of that object."""
    return (lambda self: None).__get__(thing)


@pytest.mark.parametrize(("http", "expected"), [("httptools", ChunklessLine), ("h11", Line), (Protocol, ChunklessLine)])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_only_for_http_1_0_is_a_server_reached_past_a_wrapped_send(
    http: Any, expected: type[Line], version: str
) -> None:
    got: list[type[Line]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def wrapped_send(message: Any) -> None:
            await send(message)

        async def wrapped_receive() -> Any:
            return await receive()

        got.extend([type(line_of(scope, receive, wrapped_send)), type(line_of(scope, wrapped_receive, wrapped_send))])
        await empty(scope, receive, send)

    with serving(app, http) as url, Client(url) as client:
        assert client.ask("/", version=version).read_head()[0] == 204
    assert got == [expected if version == "1.0" else Line, Line]
