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
_BY_PART = {"headers": HEADERS, "query_params": QUERY}


def is_credential(part: str, name: str) -> bool:
    """Whether a name in a part of a `Matcher`, such as its `headers`, is that of a credential."""
    return name.lower() in _BY_PART.get(part, ())
