"""Access to the admin API: checks of host, origin, peer and key, before anything else happens."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mockd.addresses import is_loopback
from mockd.admin.calls import refusal
from mockd.callers import Callers, peer_of
from mockd.request import RequestView

_OF_PROXIES = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})
"""Headers by which a proxy tells that somebody else asks."""


class Guard:
    """A guard that passes a request on to `app`, or refuses it.

    `api_key` is the key that every request needs; without one, only peers on this machine are answered. `hosts` are
    the names and addresses that `Host` may have, besides loopback names and the address to which the request was sent.
    Pages of `origins` may use the API. Requests for `open_paths`, the probes of other machines, are passed on without a
    check of host, peer and key.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        api_key: str | None,
        hosts: Iterable[str],
        origins: Iterable[str] = (),
        open_paths: Iterable[str],
    ) -> None:
        self._app = app
        self._api_key = api_key
        self._callers = Callers(hosts, origins)
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refused := self._refuse(RequestView(scope))):
            await refused(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refuse(self, view: RequestView) -> Response | None:
        if (origin := self._callers.foreign_origin(view)) is not None:
            return _forbidden_origin(origin)
        if view.path in self._open_paths:
            return None
        if (host := self._callers.foreign_host(view)) is not None:
            return refusal(
                403,
                "forbidden_host",
                f"the Host {host!r} is not one of this server's names",
                hint="use localhost or its address, or allow the name with --admin-allow-host (MOCKD_ADMIN_ALLOW_HOST)",
            )
        return self._refuse_peer(view) if self._api_key is None else self._refuse_key(view, self._api_key)

    def _refuse_peer(self, view: RequestView) -> Response | None:
        peer = peer_of(view.scope)
        if peer is None:
            message = "without a key only this machine is answered, and behind a Unix socket may be a proxy"
        elif view.raw_headers.keys() & _OF_PROXIES:
            message = "without a key only this machine is answered, not a proxy"
        elif peer == "testclient" or is_loopback(peer):
            return None
        else:
            message = f"without a key only this machine is answered, not {peer}"
        hint = "start mockd with --api-key or MOCKD_API_KEY, and send the key as X-API-Key"
        return refusal(403, "api_key_required", message, hint=hint)

    def _refuse_key(self, view: RequestView, api_key: str) -> Response | None:
        given = list(_given_keys(view))
        if any(hmac.compare_digest(key.encode("latin-1"), api_key.encode()) for key in given):
            return None
        challenge = {"www-authenticate": "Bearer"}
        if not given:
            message = "this server needs its key, as X-API-Key or Authorization: Bearer"
            return refusal(401, "missing_api_key", message, headers=challenge)
        return refusal(401, "invalid_api_key", "this is not the key of this server", headers=challenge)


def _given_keys(view: RequestView) -> Iterable[str]:
    yield from view.headers.get("x-api-key", [])
    for value in view.headers.get("authorization", []):
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            yield token.strip()


def _forbidden_origin(origin: str) -> Response:
    message = f"pages of {origin} may not use the admin API: only its own origin may"
    hint = "allow the origin with --admin-allow-origin (MOCKD_ADMIN_ALLOW_ORIGIN)"
    return refusal(403, "forbidden_origin", message, hint=hint)
