"""Requests without the credentials in them: each is replaced by a hash, which is the same for the same credential as
long as the process lives, and by which nobody can find it."""

from __future__ import annotations

import hmac
import re
import secrets
from copy import copy
from typing import Any

import msgspec

from mockd.journal import credentials
from mockd.request import RequestView

_KEY = secrets.token_bytes(32)
_NAMES = "|".join(sorted(credentials.BODY))
_IN_URL = re.compile(rf"([?&](?:{'|'.join(sorted(credentials.QUERY))})=)([^&#]*)", re.IGNORECASE)
_IN_TEXT = (
    re.compile(rf'("(?:{_NAMES})"\s*:\s*")((?:[^"\\]|\\.)*)'),  # JSON that was cut off
    re.compile(rf"((?:^|&)(?:{_NAMES})=)([^&]*)"),  # a form
    re.compile(rf'(name="(?:{_NAMES})"(?:\r\n[^\r\n]+)*\r\n\r\n)(.*?)(?=\r\n--|\Z)', re.DOTALL),  # one of several parts
)


def hashed(value: str) -> str:
    """What stands for a credential."""
    return "hmac-sha256:" + hmac.digest(_KEY, value.encode("utf-8", "surrogateescape"), "sha256").hex()[:32]


def header(name: str, value: str) -> str:
    """The value of a header, as it may be shown."""
    if name.lower() in credentials.HEADERS:
        return hashed(value)
    return _IN_URL.sub(_hashed_there, value) if name.lower() == "referer" else value


def parameter(name: str, value: str) -> str:
    """The value of a query parameter, as it may be shown."""
    return hashed(value) if name.lower() in credentials.QUERY else value


def body(text: str) -> str:
    """A body, as it may be shown: as it came if there is no credential in it. Otherwise JSON is written anew."""
    if not any(name in text for name in credentials.BODY) and "\\u" not in text:
        return text
    try:
        value = msgspec.json.decode(text)
        redacted = _redacted(value)
        return text if redacted == value else msgspec.json.encode(redacted).decode()
    except (msgspec.DecodeError, RecursionError):
        for pattern in _IN_TEXT:
            text = pattern.sub(_hashed_there, text)
        return text


def view(request: RequestView) -> RequestView:
    """A request, as it may be shown."""
    shown = copy(request)
    headers = {name: [header(name, value) for value in values] for name, values in request.headers.items()}
    query = {name: [parameter(name, value) for value in values] for name, values in request.query.items()}
    shown.__dict__ |= {"headers": headers, "query": query}
    text = body(request.text)
    if text != request.text:
        shown.body = text.encode()
        shown.__dict__.pop("json", None)
        shown.__dict__.pop("text", None)
    return shown


def _hashed_there(found: re.Match[str]) -> str:
    return found[1] + hashed(found[2])


def _redacted(value: Any) -> Any:
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _member(name, item) for name, item in value.items()}


def _member(name: str, value: Any) -> Any:
    if name not in credentials.BODY or value is None or isinstance(value, bool):
        return _redacted(value)
    return hashed(value if isinstance(value, str) else msgspec.json.encode(value).decode())
