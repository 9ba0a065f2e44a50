"""The operations of the admin API, each as a method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from mockd.client.transport import Transport, decode

_YAML = "application/yaml"


class AdminClient(Transport):
    """A client of the admin API at `base_url`, which may have a path (`http://localhost:4280/__mockd`).

    `api_key` is sent with every request. `timeout`, in seconds, limits connecting, sending and receiving, each
    separately. Raises `ConfigError` for an invalid URL.
    """

    # With `key`, these are about the mocks that are that key's own, instead of those for all keys.

    def list_mocks(self, *, key: str | None = None) -> Any:
        """List the mocks, in order."""
        return self._call("GET", "/mocks", query=_query(key=key))

    def create_mock(self, mock: object, *, key: str | None = None) -> Any:
        """Create a mock from its flat or nested form. The answer has its `id`."""
        return self._call("POST", "/mocks", mock, query=_query(key=key))

    def get_mock(self, mock_id: str, *, key: str | None = None) -> Any:
        """Get a mock in its flat form."""
        return self._call("GET", _path("/mocks/{}", mock_id), query=_query(key=key))

    def replace_mock(self, mock_id: str, mock: object, *, key: str | None = None) -> Any:
        """Replace a mock; the new one takes its place in the order."""
        return self._call("PUT", _path("/mocks/{}", mock_id), mock, query=_query(key=key))

    def patch_mock(self, mock_id: str, patch: object, *, key: str | None = None) -> Any:
        """Change a mock with a JSON merge patch (RFC 7396) of its flat form."""
        return self._call("PATCH", _path("/mocks/{}", mock_id), patch, query=_query(key=key))

    def delete_mock(self, mock_id: str, *, key: str | None = None) -> None:
        """Delete a mock and end its streams."""
        self._call("DELETE", _path("/mocks/{}", mock_id), query=_query(key=key))

    def toggle_mock(self, mock_id: str, *, key: str | None = None) -> Any:
        """Disable a mock and end its streams, or enable it again."""
        return self._call("POST", _path("/mocks/{}/toggle", mock_id), query=_query(key=key))

    # With `key`, these are about the streams of that key, or of requests without a key if it is empty.

    def list_mock_connections(self, mock_id: str, *, key: str | None = None) -> Any:
        """List a mock's live streams, oldest first."""
        return self._call("GET", _path("/mocks/{}/sse/connections", mock_id), query=_query(key=key))

    def close_mock_connections(self, mock_id: str, *, key: str | None = None) -> Any:
        """End a mock's live streams."""
        return self._call("DELETE", _path("/mocks/{}/sse/connections", mock_id), query=_query(key=key))

    def get_buffer(self, mock_id: str, *, key: str | None = None) -> Any:
        """List the events that a mock keeps for clients that reconnect."""
        return self._call("GET", _path("/mocks/{}/sse/buffer", mock_id), query=_query(key=key))

    def clear_buffer(self, mock_id: str, *, key: str | None = None) -> Any:
        """Forget the events that a mock keeps for clients that reconnect."""
        return self._call("DELETE", _path("/mocks/{}/sse/buffer", mock_id), query=_query(key=key))

    def list_connections(
        self,
        *,
        status: str | None = None,
        mock_id: str | None = None,
        limit: int | None = None,
        key: str | None = None,
    ) -> Any:
        """List streams, oldest first, with the counts of `get_stats`. `status` is "active" (the default), "ended" or
        "all"; `mock_id` selects the streams of one mock, and `limit` the newest streams."""
        query = _query(status=status, mock=mock_id, limit=limit, key=key)
        return self._call("GET", "/sse/connections", query=query)

    def get_connection(self, connection_id: str, *, key: str | None = None) -> Any:
        """Get a stream, live or ended."""
        return self._call("GET", _path("/sse/connections/{}", connection_id), query=_query(key=key))

    def close_connection(self, connection_id: str, *, key: str | None = None) -> Any:
        """End a live stream."""
        return self._call("DELETE", _path("/sse/connections/{}", connection_id), query=_query(key=key))

    # The hand on a stream, and on the live ones of a mock. With `key`, these are about the streams of that key.

    def hold_connection(
        self,
        connection_id: str,
        *,
        at: int | str | None = None,
        keepalives: bool = True,
        freeze_timeouts: bool = False,
        key: str | None = None,
    ) -> Any:
        """Hold a stream now, after `at` events, or if that is "head" before its head. `keepalives` go on meanwhile;
        `freeze_timeouts` lets its time limits stand still."""
        body = _hold(at, keepalives, freeze_timeouts)
        return self._call("POST", _path("/sse/connections/{}/hold", connection_id), body, query=_query(key=key))

    def hold_mock(
        self,
        mock_id: str,
        *,
        at: int | str | None = None,
        upcoming: int | str | None = None,
        keepalives: bool = True,
        freeze_timeouts: bool = False,
        key: str | None = None,
    ) -> Any:
        """Hold the live streams of a mock as `hold_connection` does. With `upcoming`, hold so many of those that begin
        next instead; "all" is each until they are released."""
        body = _hold(at, keepalives, freeze_timeouts) | ({} if upcoming is None else {"upcoming": upcoming})
        return self._call("POST", _path("/mocks/{}/sse/hold", mock_id), body, query=_query(key=key))

    def release_connection(self, connection_id: str, *, key: str | None = None) -> Any:
        """Let a stream that is held go on."""
        return self._call("POST", _path("/sse/connections/{}/release", connection_id), query=_query(key=key))

    def release_mock(self, mock_id: str, *, key: str | None = None) -> Any:
        """Let the live streams of a mock go on, and hold none that begin later."""
        return self._call("POST", _path("/mocks/{}/sse/release", mock_id), query=_query(key=key))

    def step_connection(self, connection_id: str, count: int = 1, *, key: str | None = None) -> Any:
        """Let the next `count` events of a stream out now, and hold it behind them."""
        path = _path("/sse/connections/{}/step", connection_id)
        return self._call("POST", path, {"count": count}, query=_query(key=key))

    def step_mock(self, mock_id: str, count: int = 1, *, key: str | None = None) -> Any:
        """Let the next `count` events of each live stream of a mock out now, and hold it behind them."""
        return self._call("POST", _path("/mocks/{}/sse/step", mock_id), {"count": count}, query=_query(key=key))

    def push_into_connection(self, connection_id: str, event: object, *, key: str | None = None) -> Any:
        """Push an event, as in a mock's list, into a stream now; also while it is held."""
        return self._call("POST", _path("/sse/connections/{}/push", connection_id), event, query=_query(key=key))

    def push_into_mock(self, mock_id: str, event: object, *, key: str | None = None) -> Any:
        """Push an event into the live streams of a mock, and into those to which clients can come back."""
        return self._call("POST", _path("/mocks/{}/sse/push", mock_id), event, query=_query(key=key))

    def cut_connection(self, connection_id: str, fault: object, *, key: str | None = None) -> Any:
        """Let a fault strike a stream now: an object such as `{"action": "reset"}`, or a line such as "stall ms=50"."""
        return self._call("POST", _path("/sse/connections/{}/cut", connection_id), fault, query=_query(key=key))

    def cut_mock(self, mock_id: str, fault: object, *, key: str | None = None) -> Any:
        """Let a fault strike the live streams of a mock now, as `cut_connection` does."""
        return self._call("POST", _path("/mocks/{}/sse/cut", mock_id), fault, query=_query(key=key))

    def end_connection(self, connection_id: str, *, key: str | None = None) -> Any:
        """End a live stream as its mock says. The answer is the stream as it is afterwards."""
        return self._call("POST", _path("/sse/connections/{}/close", connection_id), query=_query(key=key))

    def end_mock_connections(self, mock_id: str, *, key: str | None = None) -> Any:
        """End a mock's live streams as it says. The answer has the streams as they are afterwards."""
        return self._call("POST", _path("/mocks/{}/sse/close", mock_id), query=_query(key=key))

    def wait_for_connection(
        self,
        connection_id: str,
        *,
        reached: int | None = None,
        held: bool = False,
        ended: bool = False,
        timeout_seconds: float = 30,
        key: str | None = None,
    ) -> Any:
        """Wait until a stream has sent `reached` events, is `held` and has `ended`: all that is given. The answer's
        `ok` says whether it came to be so in that time; it may never, as when the stream has ended."""
        query = _wait(reached, held, ended, timeout_seconds, key)
        path = _path("/sse/connections/{}/wait", connection_id)
        return self._call("GET", path, query=query, patience=timeout_seconds)

    def wait_for_mock(
        self,
        mock_id: str,
        *,
        opened: int | None = None,
        reached: int | None = None,
        held: bool = False,
        ended: bool = False,
        timeout_seconds: float = 30,
        key: str | None = None,
    ) -> Any:
        """Wait until `opened` streams of a mock, those that have ended included, are as the rest says; without
        `opened`, one that is live or begins later. The answer has `ok` and the streams."""
        query = _wait(reached, held, ended, timeout_seconds, key) | _query(opened=opened)
        path = _path("/mocks/{}/sse/wait", mock_id)
        return self._call("GET", path, query=query, patience=timeout_seconds)

    def list_requests(self, *, limit: int | None = None, after: str | None = None, **filters: object) -> Any:
        """List requests of the journal, oldest first: the newest `limit` (100 by default), or the first `limit` behind
        the one with the ID `after`. `filters` are those of `GET /requests`: `key`, `mock`, `method`, `path`, `status`,
        `matched`, `outcome`, `since`, `until`."""
        return self._call("GET", "/requests", query=_query(limit=limit, after=after, **filters))

    def get_request(self, request_id: str) -> Any:
        """Get a request of the journal."""
        return self._call("GET", _path("/requests/{}", request_id))

    def forget_requests(self, **filters: object) -> Any:
        """Forget requests of the journal: all, or those that fit the filters of `list_requests`."""
        return self._call("DELETE", "/requests", query=_query(**filters))

    def verify(
        self,
        request: object = None,
        *,
        times: object = None,
        never: bool = False,
        order: list[object] | None = None,
        within_seconds: float = 0.0,
    ) -> Any:
        """Whether requests came: the answer's `ok` is None if that cannot be known, and its `message` says why.

        `request` is text such as `POST /path`, or an object with the criteria of a matcher, `mock` and `key`. `times`
        is a number or an object with `atLeast` and `atMost`; without it, once is enough. `order` is a list of requests
        in place of one. `within_seconds` waits until it is so."""
        body = {"request": request, "times": times, "never": never or None, "order": order}
        given = {name: value for name, value in body.items() if value is not None}
        if within_seconds:
            given["withinSeconds"] = within_seconds
        return self._call("POST", "/verify", given, patience=within_seconds)

    def follow(self, **filters: object) -> Iterator[tuple[str, Any]]:
        """What happens from now on, until the server stops: the type and the data of each event. `filters` are those of
        `GET /events`: `key`, `mock`, `type`."""
        yield from self._follow("/events", _query(**filters))

    def watch_connection(self, connection_id: str, *, key: str | None = None) -> Iterator[tuple[str, Any]]:
        """What a live stream sends, until it has ended, as types and data: its `state` at first and whenever it has
        changed, each event that was `sent`, with the beginning of its data, and how many were `missed` by a reader who
        is slow. The last `state` has the outcome; without one, the server has stopped."""
        return self._follow(_path("/sse/connections/{}/watch", connection_id), _query(key=key))

    def watch_mock(self, mock_id: str, *, key: str | None = None) -> Iterator[tuple[str, Any]]:
        """The same for the newest live stream of a mock. If it has none, `waiting` comes first, and then the next
        stream that begins."""
        return self._follow(_path("/mocks/{}/sse/watch", mock_id), _query(key=key))

    def get_stats(self, *, key: str | None = None) -> Any:
        """Count streams, events and bytes: since the start, or those of a key that are remembered."""
        return self._call("GET", "/sse/stats", query=_query(key=key))

    # Keys, and the way back to the start.

    def list_keys(self) -> Any:
        """List the keys for which anything is kept or open, the one that was used longest ago first."""
        return self._call("GET", "/keys")

    def delete_key(self, key: str) -> Any:
        """End the streams of a key, and forget all that is kept for it."""
        return self._call("DELETE", _path("/keys/{}", key))

    def reset(self, *, key: str | None = None, mocks: bool = False, streams: bool = False) -> Any:
        """Put counters, buffers and the journal back to the start, for all keys or for one. `mocks` takes back the
        changes to mocks too, and removes those that are keys' own; `streams` ends live streams."""
        return self._call("POST", "/reset", query=_query(key=key, mocks=mocks or None, streams=streams or None))

    def list_variants(self) -> Any:
        """List the variants of the stream of `mockd serve --torture`, each with its URL."""
        return self._call("GET", "/torture")

    def list_scenarios(self, *, key: str = "") -> Any:
        """List the scenarios that mocks name, each with the state in which it is for the requests of a key."""
        return self._call("GET", "/scenarios", query=_query(key=key or None))

    def set_scenario(self, name: str, state: str, *, key: str = "") -> Any:
        """Put a scenario into a state that a mock names, for the requests of a key."""
        return self._call("PUT", _path("/scenarios/{}", name), {"state": state}, query=_query(key=key or None))

    def export_config(self) -> Any:
        """Export all mocks as the value of a configuration file."""
        return self._call("GET", "/config")

    def export_yaml(self) -> str:
        """Export all mocks as the text of a YAML configuration file."""
        return self._send("GET", "/config", query={"format": "yaml"}).text

    def import_config(self, config: object, *, replace: bool = False, dry_run: bool = False) -> Any:
        """Import the value of a configuration file: all of its mocks or none.

        `replace` removes the mocks that are not in it; `dry_run` only checks it.
        """
        return self._call("POST", "/config", config, query=_query(replace=replace or None, dryRun=dry_run or None))

    def import_yaml(self, text: bytes, *, replace: bool = False, dry_run: bool = False) -> Any:
        """Import the text of a YAML configuration file, as `import_config` does."""
        query = _query(replace=replace or None, dryRun=dry_run or None)
        return decode(self._send("POST", "/config", content=text, media_type=_YAML, query=query))

    def get_status(self) -> Any:
        """Get a summary of the process."""
        return self._call("GET", "/status")

    def get_health(self) -> Any:
        """Check that the process is alive."""
        return self._call("GET", "/health")

    def get_ready(self) -> Any:
        """Check that mocks are served."""
        return self._call("GET", "/ready")

    def get_metrics(self) -> str:
        """Get the metrics in the text format of Prometheus."""
        return self._send("GET", "/metrics").text

    def get_schema(self) -> Any:
        """Get the JSON Schema of configuration files."""
        return self._call("GET", "/schema")

    def get_recording_schema(self) -> Any:
        """Get the JSON Schema of a line of a recording."""
        return self._call("GET", "/schema/recording")

    def get_openapi(self) -> Any:
        """Get the OpenAPI document of the admin API."""
        return self._call("GET", "/openapi.json")


def _path(template: str, name: str) -> str:
    """A path with a name in it. Dots are escaped too, or `..` would mean the parent."""
    return template.format(quote(name, safe="").replace(".", "%2E"))


def _query(**given: object) -> dict[str, str]:
    """A query with the values that are not None."""
    texts = {name: value for name, value in given.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in texts.items()}


def _hold(at: int | str | None, keepalives: bool, freeze_timeouts: bool) -> dict[str, Any]:
    """A hold as the admin API takes it."""
    place = {} if at is None else {"at": at}
    return {**place, "keepalives": keepalives, "freezeTimeouts": freeze_timeouts}


def _wait(reached: int | None, held: bool, ended: bool, timeout_seconds: float, key: str | None) -> dict[str, str]:
    """The query of a wait."""
    return _query(reached=reached, held=held or None, ended=ended or None, timeoutSeconds=timeout_seconds, key=key)
