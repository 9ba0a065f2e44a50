"""Who asks: whether a request is meant for this server, and comes from no page that must not ask.

A web page that the user visits must not be able to use mockd on that user's machine for what only the user may do. The
page could try this in two ways. It could send requests to mockd; the browser then names the page's origin in `Origin`
(Fetch standard, section 3.2), or says in `Sec-Fetch-Site` that it is another (Fetch Metadata, section 2.3). Or it could
point a name of its own at 127.0.0.1 (DNS rebinding); that name is then in `Host`.
"""

from __future__ import annotations

from collections.abc import Iterable

from mockd.addresses import address, allowed_host, host_of, is_loopback
from mockd.request import RequestView, Scope

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Callers:
    """Those who may ask. `hosts` are the names and addresses that `Host` may have, besides loopback names and the
    address to which the request was sent. Pages of `origins` may ask, besides those of the server's own origin."""

    def __init__(self, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._hosts = set(map(allowed_host, hosts)) - {None}
        self._origins = frozenset(origin.lower() for origin in origins)

    def foreign_origin(self, view: RequestView) -> str | None:
        """The origin, in words, of a page that may not ask; None if the request comes from none."""
        host, origins = _host_in(view), view.headers.get("origin", [])
        for origin in origins:
            if not (_same_origin(origin, host) or origin.lower() in self._origins):
                return repr(origin)
        if _is_from_another_site(view) and not (origins and self._origins.issuperset(map(str.lower, origins))):
            return "another origin"
        return None

    def foreign_host(self, view: RequestView) -> str | None:
        """The value of `Host`, if it is not one of this server's names; otherwise None."""
        header = _host_in(view)
        return None if self._is_known(host_of(header), view.scope) else header

    def _is_known(self, host: str | None, scope: Scope) -> bool:
        if host is None:
            return False
        if host in self._hosts or is_loopback(host):
            return True
        server = (scope.get("server") or ("",))[0]
        if server == "testserver":  # Starlette's TestClient, in process
            return host == server and peer_of(scope) == "testclient"
        found = address(host)
        return found is not None and found == address(server)


def peer_of(scope: Scope) -> str | None:
    """The address from which a request came, or None if the server does not know it."""
    client = scope.get("client")
    return client[0] if client else None


def _host_in(view: RequestView) -> str:
    return ", ".join(view.headers.get("host", []))


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
