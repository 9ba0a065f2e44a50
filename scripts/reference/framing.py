"""The page on framings, from the table of their variants."""

from __future__ import annotations

import json

from mockd.framing.variants import PACKAGES, WORDS, Body, Neutral, Variant
from scripts.reference import markdown
from scripts.reference.markdown import code, table

INTRODUCTION = """
`framing` of an `sse` or `chunked` mock says in which form its bytes are sent, and in which pieces. Its fields and their
types are in the [configuration](config.md#sseframing); how they are used is told in the
[guide](../guides/framing.md).

A form is **neutral** if a reader that follows the standard reads the same of it. A dash means that such a body cannot
have it.
"""

_BODIES: dict[Body, str] = {"sse": "Event stream", "ndjson": "NDJSON", "raw": "Other bytes"}
_NEUTRAL: dict[Neutral, str] = {
    "yes": "neutral",
    "no": "not neutral",
    "without IDs": "neutral without IDs",
    "if accepted": "neutral if the client accepts it",
}

NOTES = f"""
## What the words mean

- **neutral without IDs**: by the standard nothing changes, but many readers take a blank line behind an ID for an
  event.
- **neutral if the client accepts it**: its `Accept-Encoding` names the encoding. mockd sends it in any case.
- {" and ".join(f"`{encoding}` needs the package {package}" for encoding, package in PACKAGES.items())}; the extra
  `mockd[encodings]` installs both.
""".strip()


def page() -> str:
    return markdown.page("Framings", INTRODUCTION, *map(_section, WORDS), NOTES)


def _section(field: str) -> str:
    word = WORDS[field]
    rows = [(code(json.dumps(dict(one.framing), ensure_ascii=False)), *_neutral(one)) for one in word.variants]
    return f"## {field}\n\n{word.summary}\n\n{table(('For example', *_BODIES.values()), rows)}"


def _neutral(variant: Variant) -> list[str]:
    return [_NEUTRAL[variant.neutral[body]] if body in variant.neutral else "–" for body in _BODIES]
