"""Names whose values are credentials, which no log and no answer repeats."""

from __future__ import annotations

import re
from typing import Literal

Part = Literal["headers", "query_params", "body"]
"""A part of a request: its headers, the parameters of its query, or its body, with members of objects and fields of
forms."""

_WORDS = (
    "access_key",
    "access_token",
    "api_key",
    "api_token",
    "assertion",
    "authentication",
    "authorization",
    "authorization_token",
    "auth_token",
    "client_secret",
    "connection_string",
    "cookie",
    "credential",
    "credentials",
    "csrf_token",
    "functions_key",
    "id_token",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "refresh_token",
    "secret",
    "secret_key",
    "security_token",
    "session_token",
    "subscription_key",
    "xsrf_token",
)
ENDINGS = tuple(word.replace("_", "") for word in _WORDS)
"""Ends of names, their letters and digits alone: `x-api-key`, `API_KEY`, `apiKey` and `user[api_key]` are the same."""
ENDINGS_OF: dict[str, tuple[str, ...]] = {
    "headers": (*ENDINGS, "auth", "token"),
    "query_params": (*ENDINGS, "auth", "signature"),
    "body": ENDINGS,
}
"""Ends of the names of credentials, by the part of a request."""
NAMES_OF: dict[str, frozenset[str]] = {
    # Browsers cannot set headers of a WebSocket, so OpenAI takes the key as the name of a protocol.
    "headers": frozenset({"cookie2", "secwebsocketprotocol"}),
    "query_params": frozenset({"key", "sig", "token"}),
    "body": frozenset({"codeverifier", "token"}),
}
"""Names that are credentials only as they are, by the part of a request."""


def is_credential(part: str, name: str) -> bool:
    """Whether a name in a part of a request names a credential. Only in a `Part` are there any."""
    if part not in NAMES_OF:
        return False
    letters = squeezed(name)
    return letters in NAMES_OF[part] or letters.endswith(ENDINGS_OF[part])


def squeezed(name: str) -> str:
    """The letters and digits of a name, in lower case."""
    return re.sub("[^a-z0-9]", "", name.lower())
