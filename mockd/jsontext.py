"""Encoding JSON as mockd sends it."""

from __future__ import annotations

from typing import Any

import msgspec

from mockd.events import JSON_NULL

# Some clients split lines at these characters, which JSON allows unescaped.
_LINE_BREAKS_OF_SOME = {char.encode(): f"\\u{ord(char):04x}".encode() for char in "\u2028\u2029\u0085"}

_STEP = 100
"""Number of items of a list that are encoded in one step."""


def encode_json(value: Any) -> bytes:
    """Compact JSON in UTF-8, with keys in order, exact integers, and U+2028, U+2029 and U+0085 escaped."""
    return escape_line_breaks(msgspec.json.encode(None if value is JSON_NULL else value))


def encode_large_json(value: Any) -> bytes:
    """The same as `encode_json`, in steps. To encode many megabytes in one step would block all other threads."""
    if isinstance(value, dict):
        members = [encode_json(key) + b":" + encode_large_json(item) for key, item in value.items()]
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list) and len(value) > _STEP:
        slices = [encode_json(value[start : start + _STEP])[1:-1] for start in range(0, len(value), _STEP)]
        return b"[" + b",".join(slices) + b"]"
    if isinstance(value, list):
        return b"[" + b",".join(map(encode_large_json, value)) + b"]"
    return encode_json(value)


def escape_line_breaks(json: bytes) -> bytes:
    """JSON text with U+2028, U+2029 and U+0085 escaped. They can occur only in its strings."""
    if not json.isascii():
        for raw, escaped in _LINE_BREAKS_OF_SOME.items():
            json = json.replace(raw, escaped)
    return json
