"""The mocks of a server under stress: one stream of every kind, whose bytes are known or are the same each time."""

from __future__ import annotations

from typing import Any

HONEST_S = 0.02
"""Time between two events of the stream of an honest client, in seconds."""

_TEXTS = [{"id": str(number), "data": f"event {number} ·\nüber zwei Zeilen", "comment": "c"} for number in range(40)]
_QUICK = {"fixedDelay": 2}

EXACT: dict[str, dict[str, Any]] = {
    "/exact/sse": {"sse": {"events": _TEXTS, "timing": _QUICK}},
    "/exact/burst": {"sse": {"events": _TEXTS, "timing": {"fixedDelay": 0}, "repeat": 20}},
    "/exact/ndjson": {
        "chunked": {
            "format": "ndjson",
            "ndjsonItems": [{"number": n, "text": "ü" * n} for n in range(40)],
            "chunkDelay": 2,
        }
    },
    "/exact/chunked": {"chunked": {"data": "0123456789" * 400, "chunkSize": 100, "chunkDelay": 2}},
    "/exact/whole": {"response": {"status": 201, "body": {"text": "ä" * 5000}}},
    "/exact/late": {"response": {"body": "late", "delay": 30}},
    "/exact/raw": {"sse": {"events": [{"raw": "data: a\r\n\r\n"}, {"rawBase64": "AAEC"}], "timing": _QUICK}},
    "/exact/rate": {"sse": {"events": _TEXTS, "rateLimit": {"eventsPerSecond": 200, "burstSize": 5}}},
    "/exact/generator": {"sse": {"generator": {"type": "sequence", "count": 30, "sequence": {"start": 1}}}},
    "/exact/forms": {
        "sse": {
            "events": _TEXTS,
            "timing": _QUICK,
            "framing": {"lineEnding": "mixed", "comments": {"text": "c"}, "encoding": "gzip"},
        }
    },
    "/exact/split": {"sse": {"events": _TEXTS, "timing": _QUICK, "framing": {"split": {"bytes": 7}, "bom": True}}},
    "/exact/together": {"chunked": {"ndjsonItems": [*range(40)], "chunkDelay": 2, "framing": {"coalesce": 7}}},
    "/exact/abrupt": {
        "sse": {"events": _TEXTS, "timing": _QUICK, "lifecycle": {"maxEvents": 5, "termination": {"type": "abrupt"}}}
    },
}
"""Paths whose answers are the same bytes each time, and what answers there."""

FORMS: dict[str, dict[str, Any]] = {
    "/forms/bytes": {"split": {"bytes": 1}},
    "/forms/no-border": {"split": "utf8"},
    "/forms/padded": {"padding": 1 << 20},
    "/forms/gathered": {"coalesce": 1_000_000},
    "/forms/kept-back": {"encoding": "gzip", "flush": "end"},
    "/forms/encoded": {"encoding": "deflate", "comments": {"text": "c" * 1000}, "finalBlankLine": False},
}
"""The framings of endless streams without a pause, by their paths."""

_VARYING: dict[str, dict[str, Any]] = {
    "/honest": {"sse": {"events": [{"data": "tick"}], "repeat": 0, "timing": {"fixedDelay": HONEST_S * 1000}}},
    "/endless": {"sse": {"events": [{"data": "x" * 4000}], "repeat": 0, "timing": {"fixedDelay": 1}}},
    "/idle": {"sse": {"events": [{"data": "x"}], "lifecycle": {"keepOpen": True, "keepaliveInterval": 5}}},
    "/varying": {"sse": {"events": [{"data": {"id": "$uuid", "at": "$timestamp"}}], "repeat": 20, "timing": _QUICK}},
    "/following/{name}": {"sse": {"events": [{"data": "{{ request.path }} {{ request.query }}"}]}},
    "/resume": {"sse": {"events": _TEXTS, "timing": _QUICK, "resume": {"enabled": True}}},
    "/drawn": {"sse": {"events": _TEXTS, "timing": {"randomDelay": {"min": 0, "max": 5}}}},
    "/counted": {"responses": [{"response": {"body": "first"}}, {"response": {"body": "later"}}]},
    "/body": {"response": {"body": "{{ request.body }}"}},
    **{
        path: {"sse": {"events": [{"data": "x" * 400}], "repeat": 0, "framing": framing}}
        for path, framing in FORMS.items()
    },
}

MOCKS = [
    {"id": path.strip("/").replace("/", "-").translate({123: None, 125: None}), "matcher": {"path": path}, **answer}
    for path, answer in (EXACT | _VARYING).items()
]
