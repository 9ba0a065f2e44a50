"""Names whose values are credentials, which no log and no answer repeats."""

from __future__ import annotations

HEADERS = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "ocp-apim-subscription-key",
        "proxy-authorization",
        "x-amz-security-token",
        "x-api-key",
        "x-auth-token",
        "x-goog-api-key",
    }
)
QUERY = frozenset(
    {"access_token", "api-key", "api_key", "apikey", "client_secret", "key", "password", "subscription-key", "token"}
)
BODY = frozenset({"access_token", "api_key", "apiKey", "client_secret", "password", "refresh_token", "secret"})
"""Members of JSON objects, and fields of forms; their case matters."""
_BY_PART = {"headers": HEADERS, "query_params": QUERY}


def is_credential(part: str, name: str) -> bool:
    """Whether a name in a part of a `Matcher`, such as its `headers`, is that of a credential."""
    return name.lower() in _BY_PART.get(part, ())
