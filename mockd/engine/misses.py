"""Answers to requests that no mock matches, and the page for people that lists what is here."""

from __future__ import annotations

from typing import Any

from mockd.config.load import MockSpec
from mockd.engine.serving import Serving
from mockd.errors import error_body
from mockd.headers import FixedHeaders, Headers
from mockd.keys.mocks import MocksByKey
from mockd.request import RequestView
from mockd.streaming.answers import awaited, refusal, whole
from mockd.streaming.program import Program


class Misses:
    """What an engine answers if no mock does.

    `mocks_url` and `admin_url` are where mocks and admin API are, for people: as URLs, or for the admin API as a path
    beside the mocks. None is not known.
    """

    def __init__(self, by_key: MocksByKey, serving: Serving) -> None:
        self._by_key = by_key
        self._serving = serving
        self.mocks_url: str | None = None
        self.admin_url: str | None = None

    def answer(self, request: RequestView, near_misses: list[dict[str, Any]], headers: Headers) -> Program:
        """The answer to a request: for a person who looks at it in a browser, the page."""
        error = _no_match(request, near_misses)
        if request.raw_headers.get(b"sec-fetch-dest") == b"document":
            from mockd import overview

            if overview.is_for(request):
                program = awaited(self._page(request, error["error"]["message"]))
                program.is_listed = False
                return program
        return refusal(request, 404, error, headers)

    async def _page(self, request: RequestView, miss: str) -> Program:
        from mockd.overview import HEADERS

        body = await self._serving.apart(lambda: self.overview(request, request.scope.get("root_path", ""), miss))
        fixed = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        return whole(404, body, FixedHeaders([*fixed, (b"content-length", b"%d" % len(body))]), [])

    def overview(self, request: RequestView, root: str, miss: str | None = None) -> bytes:
        """The page that lists what is here. `root` is the path under which the app is mounted."""
        from mockd.overview import Overview, origin_of
        from mockd.sources.registry import names

        origin = origin_of(request)
        admin = self.admin_url
        if admin is not None and admin.startswith("/"):
            admin = origin + root + admin
        mocks = self.mocks_url if miss is None else None
        listed = [*(self._mocks_of(request.key) if request.key else ()), *self._mocks_of("")]
        return Overview(listed, names(), mocks or origin + root + request.key_path, admin, miss).html()

    def _mocks_of(self, key: str) -> list[MockSpec]:
        mocks = self._by_key.of(key)
        return [] if mocks is None else mocks.served.specs()


def _no_match(request: RequestView, near_misses: list[dict[str, Any]]) -> dict[str, Any]:
    message = "No mock matched the request"
    if near_misses:
        message += f"; the nearest: {near_misses[0]['reason']}"
    request_line = {"method": request.method, "path": request.path}
    return {**error_body("no_match", message), **request_line, "nearMisses": near_misses}
