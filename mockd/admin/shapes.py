"""The shapes of the admin API's answers, for `GET /openapi.json` and the reference pages.

Answers are built as plain values. Tests check that they have these shapes.
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
    """Base class of all shapes. Keys are in camelCase."""


class ProblemShape(Shape, frozen=True, kw_only=True):
    """One problem in the request."""

    message: Annotated[str, _doc("What is wrong.")]
    path: Annotated[str | UnsetType, _doc("Place in the body, such as `$.sse.events[2].data`.")] = UNSET
    hint: Annotated[str | UnsetType, _doc("How to correct it.")] = UNSET


Warnings = Annotated[list[ProblemShape] | UnsetType, _doc("What can hardly be meant so; absent if nothing.")]


class Error(ProblemShape, frozen=True, kw_only=True):
    """An error answer."""

    error: Annotated[str, _doc("Code for programs: `not_found`, `validation_error`, …")]
    problems: Annotated[list[ProblemShape] | UnsetType, _doc("All problems, if there are several.")] = UNSET


class MockList(Shape, frozen=True, kw_only=True):
    """All mocks, in order."""

    mocks: list[Mock]
    total: Annotated[Count, _doc("Number of all mocks.")]
    count: Annotated[Count, _doc("Number of mocks in this answer.")]


class MockChange(Shape, frozen=True, kw_only=True):
    """A mock after a change."""

    id: str
    action: Literal["created", "updated", "toggled"]
    message: str
    mock: Mock
    warnings: Warnings = UNSET


class Lateness(Shape, frozen=True, kw_only=True):
    """How late the events of a stream were sent, in milliseconds."""

    p50_ms: Annotated[float, _doc("Median of the latest 256 sends.")]
    p99_ms: Annotated[float, _doc("99th percentile of the latest 256 sends.")]
    max_ms: Annotated[float, _doc("The longest of all.")]


class JournalEntry(Shape, frozen=True, kw_only=True):
    """One request in the journal. Hashes stand for credentials."""

    id: str
    time: Annotated[str, _doc("When it came: RFC 3339, UTC, with milliseconds.")]
    key: str
    method: str
    path: str
    raw_path: Annotated[str, _doc("The path as the client sent it.")]
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: Annotated[str | UnsetType, _doc("The body, if it is text.")] = UNSET
    body_base64: Annotated[str | UnsetType, _doc("The body, if it is no UTF-8.")] = UNSET
    body_bytes: Annotated[Count | None, _doc("Length of the whole body; null as long as it is not there.")]
    body_cut: Annotated[bool, _doc("Whether only the beginning of the body is here.")]
    client_ip: str | None
    mock_id: str | UnsetType = UNSET
    entry: Annotated[Count | UnsetType, _doc("Index in the mock's `responses` of the one that answered.")] = UNSET
    near_misses: Annotated[list[dict[str, Any]] | UnsetType, _doc("Those of the answer 404.")] = UNSET
    connection_id: Annotated[str | UnsetType, _doc("ID for `/sse/connections/{id}`.")] = UNSET
    resumed_from: Annotated[str | UnsetType, _doc("`Last-Event-ID` with which the client reconnected.")] = UNSET
    status: Annotated[int | None, _doc("HTTP status; null before the head.")]
    events_sent: Count
    bytes_sent: Count
    first_byte_ms: Annotated[float | None, _doc("Time from the request to the head.")]
    last_byte_ms: Annotated[float | None, _doc("Time from the request to the last byte.")]
    lateness: Annotated[Lateness | None, _doc("Of a stream that takes time.")]
    faults: list[dict[str, Any]]
    outcome: Annotated[str | None, _doc("How it ended; null while it is being answered.")]
    ended_by: str | None
    attempt: Annotated[int, _doc("1, or more if the same request came within 60 seconds before.")]


class RequestList(Shape, frozen=True, kw_only=True):
    """Requests, oldest first."""

    requests: list[JournalEntry]
    total: Annotated[Count, _doc("Number of requests in the journal that fit.")]
    dropped: Annotated[Count, _doc("Number of requests that the journal had to let go of.")]


class ForgottenRequests(Shape, frozen=True, kw_only=True):
    """Number of requests that were forgotten."""

    message: str
    forgotten: Count


class Verified(Shape, frozen=True, kw_only=True):
    """Whether requests came as they should have."""

    ok: Annotated[bool | None, _doc("Whether it is so; null if that cannot be known, of which the message says why.")]
    count: Annotated[Count, _doc("Number of such requests, or of the first ones of an order that came.")]
    message: Annotated[str, _doc("All of it in one sentence.")]
    nearest: Annotated[list[dict[str, Any]], _doc("At most 3 requests that nearly were such, with their `requestId`.")]


class Connection(Shape, frozen=True, kw_only=True):
    """One stream, live or ended."""

    id: str
    mock_id: str
    key: Annotated[str, _doc("Key of the request; empty without one.")]
    entry: Annotated[
        Count | UnsetType, _doc("Index in the mock's `responses` of the one that answered; absent if it has none.")
    ] = UNSET
    kind: Literal["sse", "chunked", "ndjson", "response"]
    path: Annotated[str, _doc("Path of the request.")]
    client_ip: Annotated[str | None, _doc("The client's address without its port.")]
    user_agent: str | UnsetType = UNSET
    connected_at: Moment
    events_sent: Annotated[Count, _doc("Number of events, chunks or items that were sent, read by the client or not.")]
    bytes_sent: Annotated[Count, _doc("Number of bytes of the body that were sent, read by the client or not.")]
    last_event_id: Annotated[str | UnsetType, _doc("ID of the last event sent.")] = UNSET
    resumed_from: Annotated[str | UnsetType, _doc("`Last-Event-ID` with which the client reconnected.")] = UNSET
    status: Literal["active", "closing", "closed"]
    held: Annotated[bool, _doc("Whether the stream is held now.")]
    held_at: Annotated[
        Count | Literal["head"] | UnsetType,
        _doc("Place at which the stream is held, or will be: a number of events, or before the head."),
    ] = UNSET
    outcome: Annotated[str | UnsetType, _doc("How the stream ended.")] = UNSET
    ended_by: Annotated[
        Literal["client-fin", "client-rst", "client-timeout", "mockd"] | UnsetType,
        _doc("Who ended the stream: mockd, or the client and how; absent if the server cannot tell."),
    ] = UNSET
    bytes_acked: Annotated[
        Count | UnsetType,
        _doc("Number of bytes of the body that the client's machine has acknowledged, at least; absent if not known."),
    ] = UNSET
    faults: Annotated[list[dict[str, Any]], _doc("Faults that have struck, in order.")]


class Stats(Shape, frozen=True, kw_only=True):
    """Counts of all streams since the start."""

    active_connections: Count
    total_connections: Count
    total_events_sent: Count
    total_bytes_sent: Count
    connection_errors: Count
    connections_by_mock: Annotated[dict[str, Count], _doc("Number of live streams by mock ID.")]


class ConnectionList(Shape, frozen=True, kw_only=True):
    """The streams that were asked for, oldest first."""

    connections: list[Connection]
    stats: Stats


class MockConnections(Shape, frozen=True, kw_only=True):
    """The live streams of one mock, oldest first."""

    connections: list[Connection]
    count: Count
    mock_id: str


class OneConnection(Shape, frozen=True, kw_only=True):
    """The stream that the operation was about, as it is afterwards."""

    connection: Connection


class Waited(OneConnection, frozen=True, kw_only=True):
    """The end of a wait for a stream."""

    ok: Annotated[bool, _doc("Whether it came to be so.")]


class WaitedForMock(Shape, frozen=True, kw_only=True):
    """The end of a wait for streams of a mock."""

    ok: Annotated[bool, _doc("Whether it came to be so.")]
    connections: Annotated[
        list[Connection], _doc("The streams of which it is so; if it did not come to be so, those that were looked at.")
    ]


class ClosedConnection(Shape, frozen=True, kw_only=True):
    """A stream that has begun to end."""

    message: str
    connection: Annotated[str, _doc("ID of the connection.")]


class ClosedConnections(Shape, frozen=True, kw_only=True):
    """Streams that have begun to end."""

    message: str
    closed: Count
    mock_id: str


class BufferedEvent(Shape, frozen=True, kw_only=True):
    """An event that is kept for clients that reconnect."""

    id: Annotated[str | UnsetType, _doc("Missing if a raw event has no ID.")] = UNSET
    event: Annotated[Any, _doc("The event as it was sent.")]
    timestamp: Moment
    connection: Annotated[str, _doc("ID of the connection on which it was sent.")]


class Buffer(Shape, frozen=True, kw_only=True):
    """The events that one mock keeps for clients that reconnect."""

    mock_id: str
    count: Count
    events: list[BufferedEvent]


class ClearedBuffer(Shape, frozen=True, kw_only=True):
    """A buffer that was emptied."""

    message: str
    cleared: Annotated[Count, _doc("Number of events that were in it.")]
    mock_id: str


class Key(Shape, frozen=True, kw_only=True):
    """A key for which anything is kept, or whose streams are live."""

    key: str
    mocks: Annotated[Count, _doc("Number of mocks that are its own.")]
    connections: Annotated[Count, _doc("Number of its live streams.")]
    last_used: Moment


class KeyList(Shape, frozen=True, kw_only=True):
    """All keys, the one that was used longest ago first."""

    keys: list[Key]
    total: Count


class DeletedKey(Shape, frozen=True, kw_only=True):
    """A key that was forgotten."""

    message: str
    key: str
    closed: Annotated[Count, _doc("Number of its streams that have begun to end.")]


class Reset(Shape, frozen=True, kw_only=True):
    """Numbers of what was put back to the start."""

    keys: Annotated[Count, _doc("Number of keys for which anything was kept.")]
    counters: Annotated[Count, _doc("Number of counters.")]
    scenarios: Annotated[Count, _doc("Number of scenarios that were not in their first state.")]
    events: Annotated[Count, _doc("Number of events that were kept for clients that reconnect.")]
    mocks: Annotated[Count, _doc("Number of mocks that were changed, added or removed by it.")]
    streams: Annotated[Count, _doc("Number of streams that have begun to end.")]
    requests: Annotated[Count, _doc("Number of requests that were in the journal.")]
    holds: Annotated[Count, _doc("Number of holds that stood, of live streams and of those yet to begin.")]
    stored: Annotated[Count, _doc("Number of stored responses and conversations, and of clients with rate limits.")]


class ScenarioState(Shape, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The state into which a scenario is put."""

    state: Annotated[str, _doc("A state that a mock names, or `start`.")]


class StreamVariant(Shape, frozen=True, kw_only=True):
    """One variant of the stream of `--torture`."""

    variant: Annotated[str, _doc("Its name; `clean` is the stream as it is.")]
    neutral: Annotated[bool, _doc("Whether a parser that follows the standard reads the same from it.")]
    url: Annotated[str, _doc("Where it is served.")]
    mark: Annotated[
        str | UnsetType, _doc("What stands in the place of each `mockd-mark` in its data; absent if there is none.")
    ] = UNSET


class ScenarioShape(Shape, frozen=True, kw_only=True):
    """One scenario."""

    name: str
    state: Annotated[str, _doc("The state in which it is.")]
    states: Annotated[list[str], _doc("The states that mocks name, after `start`.")]


class ScenarioList(Shape, frozen=True, kw_only=True):
    """The scenarios that mocks name, in the order of these mocks."""

    scenarios: list[ScenarioShape]


class Import(Shape, frozen=True, kw_only=True):
    """A configuration, and how to import it."""

    config: Annotated[Any, _doc("Content of a configuration file.")]
    replace: Annotated[bool, _doc("Remove the mocks that are not in the configuration.")] = False


class Imported(Shape, frozen=True, kw_only=True):
    """The result of an import."""

    message: str
    imported: Annotated[Count, _doc("Number of mocks imported; 0 for a dry run.")]
    total: Annotated[Count, _doc("Number of mocks in the configuration.")]
    dry_run: bool | UnsetType = UNSET
    warnings: Warnings = UNSET


class Probe(Shape, frozen=True, kw_only=True):
    """The answer to a probe."""

    status: Literal["ok", "ready"]
    uptime: Annotated[Count, _doc("Seconds since the start.")]
    timestamp: Moment
    mocks: Annotated[str | UnsetType, _doc("URL of the mocks; absent if the server does not know it.")] = UNSET


class Status(Shape, frozen=True, kw_only=True):
    """A summary of the process."""

    status: Literal["running"]
    version: str
    started_at: Moment
    uptime: Annotated[Count, _doc("Seconds since the start.")]
    http_port: Annotated[Count, _doc("Port of the mocks, as it was set.")]
    admin_port: Annotated[Count, _doc("Port of the admin API, as it was set; 0: under `/__mockd` on the mock port.")]
    mock_count: Count
    active_mocks: Annotated[Count, _doc("Number of mocks that are enabled.")]
    active_connections: Count
    total_connections: Count
    connection_errors: Count
