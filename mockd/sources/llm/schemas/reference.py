"""References within a JSON schema (`$ref`), which are JSON Pointers (RFC 6901) behind a `#`."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote


def referred(root: Any, reference: str) -> Any:
    """The part of a schema for which a reference stands. Raises `LookupError` if it leads nowhere."""
    found = root
    for step in unquote(reference[1:]).split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        elif isinstance(found, dict) and step in found:
            found = found[step]
        else:
            raise LookupError(reference)
    return found
