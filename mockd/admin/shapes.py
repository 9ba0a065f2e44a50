"""The shapes of the admin API's answers: what `GET /openapi.json` and the reference pages say of them.

Answers are built as plain values and held to these shapes by tests.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from mockd.config.models import Mock

Count = Annotated[int, Meta(ge=0)]
Moment = Annotated[str, Meta(description="RFC 3339, UTC.")]


def _doc(text: str) -> Meta:
    return Meta(description=text)


class Shape(Struct, rename="camel", frozen=True, kw_only=True):
    """What all shapes have in common: camelCase keys."""


class ProblemShape(Shape, frozen=True, kw_only=True):
    """One mistake in what was sent."""

    message: Annotated[str, _doc("What is wrong.")]
    path: Annotated[str | UnsetType, _doc("Where: `$.sse.events[2].data`.")] = UNSET
    hint: Annotated[str | UnsetType, _doc("What to do about it.")] = UNSET


class Error(ProblemShape, frozen=True, kw_only=True):
    """Every error answer."""

    error: Annotated[str, _doc("A word for programs: `not_found`, `validation_error`, …")]
    problems: Annotated[list[ProblemShape] | UnsetType, _doc("All mistakes, where there are several.")] = UNSET


class MockList(Shape, frozen=True, kw_only=True):
    """All mocks, in order."""

    mocks: list[Mock]
    total: Annotated[Count, _doc("Mocks there are.")]
    count: Annotated[Count, _doc("Mocks in this answer.")]


class MockChange(Shape, frozen=True, kw_only=True):
    """A mock that was changed, as it is now."""

    id: str
    action: Literal["created", "updated", "toggled"]
    message: str
    mock: Mock


class Connection(Shape, frozen=True, kw_only=True):
    """One stream: live, or ended and remembered."""

    id: str
    mock_id: str
    kind: Literal["sse", "chunked", "ndjson", "response"]
    path: Annotated[str, _doc("The path that was asked for.")]
    client_ip: Annotated[str | None, _doc("The peer's address without its port.")]
    user_agent: str | UnsetType = UNSET
    connected_at: Moment
    events_sent: Annotated[Count, _doc("Events, chunks or items handed to the transport.")]
    bytes_sent: Annotated[Count, _doc("Bytes of the body handed to the transport.")]
    last_event_id: Annotated[str | UnsetType, _doc("Id of the event sent last.")] = UNSET
    resumed_from: Annotated[str | UnsetType, _doc("`Last-Event-ID` the client came back with.")] = UNSET
    status: Literal["active", "closing", "closed"]
    outcome: Annotated[str | UnsetType, _doc("How it ended.")] = UNSET
    ended_by: Annotated[
        Literal["client-fin", "client-rst", "client-timeout", "mockd"] | UnsetType,
        _doc("Who ended it, and how the client did; left out if the server cannot tell."),
    ] = UNSET
    bytes_acked: Annotated[
        Count | UnsetType,
        _doc("Bytes of the body that the client's machine has acknowledged, at least; of an ended one, if known."),
    ] = UNSET


class Stats(Shape, frozen=True, kw_only=True):
    """Counts of all streams since the start."""

    active_connections: Count
    total_connections: Count
    total_events_sent: Count
    total_bytes_sent: Count
    connection_errors: Count
    connections_by_mock: Annotated[dict[str, Count], _doc("Live connections by mock id.")]


class ConnectionList(Shape, frozen=True, kw_only=True):
    """Streams, oldest first."""

    connections: list[Connection]
    stats: Stats


class MockConnections(Shape, frozen=True, kw_only=True):
    """The live streams of one mock, oldest first."""

    connections: list[Connection]
    count: Count
    mock_id: str


class ClosedConnection(Shape, frozen=True, kw_only=True):
    """A stream that was told to end."""

    message: str
    connection: Annotated[str, _doc("Id of the connection.")]


class ClosedConnections(Shape, frozen=True, kw_only=True):
    """Streams that were told to end."""

    message: str
    closed: Count
    mock_id: str


class BufferedEvent(Shape, frozen=True, kw_only=True):
    """An event held for clients that come back."""

    id: str
    event: Annotated[Any, _doc("The event as it was sent.")]
    timestamp: Moment
    connection: Annotated[str, _doc("Id of the connection it was sent on.")]


class Buffer(Shape, frozen=True, kw_only=True):
    """What is held for clients of one mock that come back."""

    mock_id: str
    count: Count
    events: list[BufferedEvent]


class ClearedBuffer(Shape, frozen=True, kw_only=True):
    """A buffer that was emptied."""

    message: str
    cleared: Annotated[Count, _doc("Events that were in it.")]
    mock_id: str


class Import(Shape, frozen=True, kw_only=True):
    """A configuration in an envelope that says how to import it."""

    config: Annotated[Any, _doc("What a configuration file holds.")]
    replace: Annotated[bool, _doc("Remove the mocks that are not in it.")] = False


class Imported(Shape, frozen=True, kw_only=True):
    """What an import did."""

    message: str
    imported: Annotated[Count, _doc("Mocks imported; 0 for a dry run.")]
    total: Annotated[Count, _doc("Mocks in the configuration.")]
    dry_run: bool | UnsetType = UNSET


class Probe(Shape, frozen=True, kw_only=True):
    """That the process answers."""

    status: Literal["ok", "ready"]
    uptime: Annotated[Count, _doc("Seconds since the start.")]
    timestamp: Moment


class Status(Shape, frozen=True, kw_only=True):
    """The process at a glance."""

    status: Literal["running"]
    version: str
    started_at: Moment
    uptime: Annotated[Count, _doc("Seconds since the start.")]
    http_port: Annotated[Count, _doc("Port the mocks are served on, as it was set.")]
    admin_port: Annotated[Count, _doc("Port of the admin API, as it was set; 0: under /__mockd on the mock port.")]
    mock_count: Count
    active_mocks: Annotated[Count, _doc("Mocks that are enabled.")]
    active_connections: Count
    total_connections: Count
    connection_errors: Count
