"""Access to the admin API: checks of host, origin, peer and key, before anything else happens.

A web page that the user visits must not be able to control mockd on that user's machine. The page could try this in
two ways. It could send requests to mockd; the browser then names the page's origin in `Origin` (Fetch standard, section
3.2), or says in `Sec-Fetch-Site` that it is another (Fetch Metadata, section 2.3). Or it could point a name of its own
at 127.0.0.1 (DNS rebinding); that name is then in `Host`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mockd.addresses import address, allowed_host, host_of, is_loopback
from mockd.admin.calls import refusal
from mockd.request import RequestView

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
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
        self._hosts = set(map(allowed_host, hosts)) - {None}
        self._origins = frozenset(origin.lower() for origin in origins)
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refused := self._refuse(RequestView(scope))):
            await refused(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refuse(self, view: RequestView) -> Response | None:
        host = ", ".join(view.headers.get("host", []))
        origins = view.headers.get("origin", [])
        for origin in origins:
            if not (_same_origin(origin, host) or origin.lower() in self._origins):
                return _forbidden_origin(repr(origin))
        if _is_from_another_site(view) and not (origins and self._origins.issuperset(map(str.lower, origins))):
            return _forbidden_origin("another origin")
        if view.path in self._open_paths:
            return None
        if not self._is_known(host_of(host), view.scope):
            return refusal(
                403,
                "forbidden_host",
                f"the Host {host!r} is not one of this server's names",
                hint="use localhost or its address, or allow the name with --admin-allow-host (MOCKD_ADMIN_ALLOW_HOST)",
            )
        return self._refuse_peer(view) if self._api_key is None else self._refuse_key(view, self._api_key)

    def _is_known(self, host: str | None, scope: Scope) -> bool:
        if host is None:
            return False
        if host in self._hosts or is_loopback(host):
            return True
        server = (scope.get("server") or ("",))[0]
        if server == "testserver":  # Starlette's TestClient, in process
            return host == server and _peer(scope) == "testclient"
        found = address(host)
        return found is not None and found == address(server)

    def _refuse_peer(self, view: RequestView) -> Response | None:
        peer = _peer(view.scope)
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


def _is_from_another_site(view: RequestView) -> bool:
    """Whether a browser says that a page of another origin asks, also if it sends no `Origin`: for an image, a script,
    a frame. A link may lead here from anywhere, as the page with the link does not see the answer."""
    sites = view.headers.get("sec-fetch-site", [])
    if {"same-origin", "none"}.issuperset(sites):
        return False
    is_link = view.method == "GET" and view.header("sec-fetch-dest") == "document"
    return not (is_link and view.header("sec-fetch-mode") == "navigate")


def _same_origin(origin: str, host: str) -> bool:
    scheme, _, place = origin.lower().partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    return port is not None and place.removesuffix(port) == host.lower().removesuffix(port)


def _peer(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None
