"""Requests to the admin API, and what their answers mean."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx2

from mockd.errors import AdminError, ConfigError, UnreachableError, sentence

DEFAULT_URL = "http://localhost:4290"

_JSON = "application/json"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_NOTHING = object()
_SILENCE_S = 60.0
"""Longest time, in seconds, without a byte of a feed, which has a comment every 15 seconds."""


class Transport:
    """The requests of a client of the admin API at `base_url`, over connections that are kept."""

    def __init__(self, base_url: str = DEFAULT_URL, *, api_key: str | None = None, timeout: float = 10.0) -> None:
        url = _check_url(base_url)
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._http = httpx2.Client(
            headers={"X-API-Key": _check_key(api_key)} if api_key else None,
            timeout=timeout,
            verify=url.scheme == "https",  # certificates take a tenth of a second to load
            trust_env=url.host not in _LOCAL,  # no proxy, as it would connect to its own `localhost`
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection to the server."""
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        body: Any = _NOTHING,
        *,
        query: dict[str, str] | None = None,
        patience: float = 0.0,
    ) -> Any:
        """The JSON value of the answer to an operation, which may take so many seconds longer than others."""
        content = None if body is _NOTHING else json.dumps(body).encode()
        return decode(self._send(method, path, content=content, query=query, patience=patience))

    def _follow(self, path: str, query: dict[str, str]) -> Iterator[tuple[str, Any]]:
        """The events of an operation that answers with Server-Sent Events."""
        with contextlib.ExitStack() as stack:
            try:
                request = self._http.build_request("GET", self.base_url + path, params=query, timeout=_SILENCE_S)
                response = self._http.send(request, stream=True)
                stack.callback(response.close)
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                rest = b""
                for part in response.iter_raw():
                    *blocks, rest = (rest + part).replace(b"\r\n", b"\n").split(b"\n\n")
                    yield from filter(None, map(_event, blocks))
            except httpx2.HTTPError as error:
                raise _unreachable(self.base_url, error) from None

    def _send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        media_type: str = _JSON,
        query: dict[str, str] | None = None,
        patience: float = 0.0,
    ) -> httpx2.Response:
        headers = None if content is None else {"Content-Type": media_type}
        timeout = httpx2.Timeout(self._timeout, read=self._timeout + patience)
        try:
            response = self._http.request(
                method, self.base_url + path, content=content, headers=headers, params=query, timeout=timeout
            )
        except httpx2.HTTPError as error:
            raise _unreachable(self.base_url, error) from None
        if not response.is_success:
            raise _refusal(response)
        return response


def _check_url(base_url: str) -> httpx2.URL:
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise ConfigError(f"admin URL {base_url!r}: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(f"admin URL {base_url!r}: not an HTTP address", hint=f"write it like {DEFAULT_URL}")
    if url.query or url.fragment:
        raise ConfigError(f"admin URL {base_url!r}: a query or fragment cannot be part of it")
    return url


def _check_key(api_key: str) -> str:
    if not (api_key.isascii() and api_key.isprintable()):
        raise ConfigError("the API key has characters that cannot be sent", hint="printable ASCII only, no line breaks")
    return api_key


def _event(block: bytes) -> tuple[str, Any] | None:
    """The type and the data of one event of the feed; None for a comment."""
    fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if not line.startswith(b":"))
    return (fields[b"event"].decode(), json.loads(fields[b"data"])) if b"data" in fields else None


def decode(response: httpx2.Response) -> Any:
    """The JSON value of an answer, None if it has no body. Raises `AdminError` if it is not from mockd."""
    if response.status_code == 204:
        return None
    try:
        return json.loads(response.content)
    except ValueError:
        raise _not_mockd(response) from None


def _unreachable(base_url: str, error: httpx2.HTTPError) -> UnreachableError:
    reason = "timed out" if isinstance(error, httpx2.TimeoutException) else str(error) or type(error).__name__
    unreachable = UnreachableError(f"no answer from {base_url}: {reason}")
    unreachable.hint = "start it with `mockd serve`, or say where it is with --admin-url or MOCKD_ADMIN_URL"
    return unreachable


def _refusal(response: httpx2.Response) -> AdminError:
    try:
        details = json.loads(response.content)
    except ValueError:
        return _not_mockd(response)
    if not (isinstance(details, dict) and isinstance(details.get("error"), str)):
        return _not_mockd(response)
    problems = details.get("problems")
    described = problems if isinstance(problems, list) else [{"message": details["error"], **details}]
    message = "\n".join(sentence(problem) for problem in described)
    error = AdminError(message, code=details["error"], status=response.status_code, details=details)
    hint = details.get("hint")
    error.hint = hint if isinstance(hint, str) else None
    return error


def _not_mockd(response: httpx2.Response) -> AdminError:
    kind = response.headers.get("content-type", "no type")
    message = f"{response.url} answered {response.status_code} with {kind}: that is not mockd's admin API"
    return AdminError(message, code="not_admin_api", status=response.status_code)
