"""The page that shows people what a server has: its mocks, its templates and its admin API."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from html import escape
from urllib.parse import quote

from msgspec import Struct

import mockd
from mockd.addresses import host_of, is_loopback
from mockd.config.load import MockSpec
from mockd.config.models import Matcher
from mockd.config.parts import parts_of
from mockd.request import RequestView

MOST_MOCKS = 200
"""Most mocks that are listed."""
_KINDS_SHOWN = 8
"""Most answers in sequence whose kinds are named."""
MOST_SHOWN = 200
"""Most characters of a text that are shown."""

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.2rem 1.5rem .2rem 0;vertical-align:top}"
    "code{overflow-wrap:anywhere}.miss{background:#fff3cd;color:#222;padding:.5rem 1rem}"
    ":root{color-scheme:light dark}"
)
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""The headers of the page. Nothing in it is loaded from elsewhere, and nothing runs."""

_LINKS = ("/mocks", "/sse/connections", "/status", "/openapi.json")


def is_for(request: RequestView) -> bool:
    """Whether a request comes from a browser's address bar on this machine. A page cannot set `Sec-Fetch-Dest`; and a
    proxy or tunnel on this machine, or a name that leads here, is no loopback name."""
    if request.method == "HEAD" or request.header("sec-fetch-dest") != "document":
        return False
    return is_loopback(request.client_ip or "") and is_loopback(host_of(request.header("host") or "") or "")


def origin_of(request: RequestView) -> str:
    """The scheme and host under which a request has reached the server."""
    return f"{request.scope.get('scheme', 'http')}://{request.header('host') or 'localhost'}"


class Overview(Struct, frozen=True):
    """What the page says. `mocks_url` and `admin_url` are where mocks and admin API are, and have no slash at the end;
    `miss` says why a request was not answered."""

    specs: Sequence[MockSpec]
    templates: Iterable[str]
    mocks_url: str
    admin_url: str | None
    miss: str | None = None

    def html(self) -> bytes:
        """The page."""
        parts = [
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>mockd</title>',
            f'<link rel="icon" href="data:,"><style>{_STYLE}</style>',
            f"<h1>mockd {escape(mockd.__version__)}</h1>",
            *([] if self.miss is None else [f'<p class="miss">{_shown(self.miss, 4 * MOST_SHOWN)}</p>']),
            *self._mocks(),
            f"<h2>Templates</h2><p>{', '.join(f'<code>{_shown(name)}</code>' for name in self.templates)}</p>",
            *self._admin(),
        ]
        return "\n".join(parts).encode("utf-8", "replace")

    def _mocks(self) -> Iterable[str]:
        yield f"<h2>Mocks</h2><p>At <code>{_shown(self.mocks_url)}</code></p>"
        if not self.specs:
            yield "<p>There are none yet. Add one: <code>mockd add --path /hello --sse-event message:Hello</code></p>"
            return
        yield "<table><tr><th>Method<th>Path<th>Answer<th>ID"
        yield from map(self._row, self.specs[:MOST_MOCKS])
        yield "</table>"
        if len(self.specs) > MOST_MOCKS:
            yield f"<p>And {len(self.specs) - MOST_MOCKS:,} more: <code>mockd list</code></p>"

    def _row(self, spec: MockSpec) -> str:
        mock = spec.shown
        matcher = mock.matcher
        path = f"<code>{_shown(matcher.path or matcher.path_pattern or 'any')}</code>"
        if mock.enabled and _is_link(matcher):
            path = f'<a href="{escape(self.mocks_url + quote(matcher.path or ""))}">{path}</a>'
        kinds = ", ".join(part.kind for part in parts_of(spec.mock)[:_KINDS_SHOWN])
        note = "" if mock.enabled else " (disabled)"
        return f"<tr><td>{_shown(matcher.method or 'any')}<td>{path}<td>{kinds}<td><code>{_shown(spec.id)}</code>{note}"

    def _admin(self) -> Iterable[str]:
        if self.admin_url is None:
            return
        links = ", ".join(f'<a href="{escape(self.admin_url + path)}">{path}</a>' for path in _LINKS)
        yield f"<h2>Admin API</h2><p>At <code>{_shown(self.admin_url)}</code>: {links}</p>"


def _is_link(matcher: Matcher) -> bool:
    """Whether a browser's plain request for the path has what the mock asks for, as far as method and path go."""
    path = matcher.path
    return path is not None and not set("{*") & set(path) and (matcher.method or "GET").upper() == "GET"


def _shown(text: str, most: int = MOST_SHOWN) -> str:
    return escape(text if len(text) <= most else text[:most] + "…")
