"""Names whose values are credentials, which no log and no answer repeats."""

from __future__ import annotations

HEADERS = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-amz-security-token",
        "x-api-key",
        "x-goog-api-key",
    }
)
QUERY = frozenset({"access_token", "api_key", "key", "token"})
