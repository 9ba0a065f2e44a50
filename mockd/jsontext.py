"""JSON as mockd sends it."""

from __future__ import annotations

from typing import Any

import msgspec

from mockd.events import JSON_NULL

# Several clients split lines at these, which JSON may carry raw.
_LINE_BREAKS_OF_SOME = {char.encode(): f"\\u{ord(char):04x}".encode() for char in "\u2028\u2029\u0085"}

_STEP = 100
"""Items of a list that are encoded at once."""


def encode_json(value: Any) -> bytes:
    """Compact JSON in UTF-8: keys in order, whole numbers exactly, U+2028, U+2029 and U+0085 escaped."""
    return escape_line_breaks(msgspec.json.encode(None if value is JSON_NULL else value))


def encode_large_json(value: Any) -> bytes:
    """The same as `encode_json`, in steps: encoding a value of many megabytes at once, no other thread could run."""
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
    """JSON text with U+2028, U+2029 and U+0085 escaped, which can only be in its strings."""
    if not json.isascii():
        for raw, escaped in _LINE_BREAKS_OF_SOME.items():
            json = json.replace(raw, escaped)
    return json
