"""Cross-origin requests (Fetch standard): pages of any origin may use a mock, with credentials too."""

from __future__ import annotations

from mockd.request import RequestView

Headers = list[tuple[bytes, bytes]]

_EXPOSED = ", ".join(
    (
        "x-mockd-connection",
        "x-request-id",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "mcp-session-id",
        "x-vercel-ai-ui-message-stream",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
        "openai-processing-ms",
        "openai-version",
        "content-disposition",
    )
).encode()
_MAX_AGE_S = 600


def response_headers(request: RequestView) -> Headers:
    """The headers that let the page that sent this request read the answer. The request must have an `Origin`."""
    return [
        (b"access-control-allow-origin", request.raw_headers[b"origin"]),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    ]


def preflight_headers(request: RequestView) -> Headers | None:
    """The headers that answer a preflight, or None if this request is not one. The request must have an `Origin`."""
    if request.method != "OPTIONS":
        return None
    method = request.raw_headers.get(b"access-control-request-method")
    if method is None:
        return None
    wanted = request.raw_headers.get(b"access-control-request-headers")
    headers = [
        *response_headers(request),
        (b"access-control-allow-methods", _methods(method)),
        (b"access-control-max-age", b"%d" % _MAX_AGE_S),
    ]
    if wanted:
        headers.append((b"access-control-allow-headers", wanted))
    if request.raw_headers.get(b"access-control-request-private-network") == b"true":
        headers.append((b"access-control-allow-private-network", b"true"))
    return headers


def announced_method(preflight: RequestView) -> str:
    """The method of the request that a preflight asks about."""
    return preflight.raw_headers[b"access-control-request-method"].decode("latin-1").upper()


def _methods(asked: bytes) -> bytes:
    known = [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"]
    return b", ".join(known if asked in known else [*known, asked])
