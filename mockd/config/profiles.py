"""Profiles: bad weather with a name, as lists of faults and forms of the bytes.

A new profile is one entry in `PROFILES`, from which validation, `mockd faults` and the reference follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockd.config.hints import nearest
from mockd.errors import ConfigError, Path


class Profile(NamedTuple):
    """A list of faults, in lines, and a `framing`, for streams without one of their own. `summary` says what they stand
    for, `symptom` what people see of it."""

    summary: str
    symptom: str
    faults: tuple[str, ...] = ()
    framing: Mapping[str, Any] = {}


PROFILES: dict[str, Profile] = {
    "flaky-mobile": Profile(
        "A phone that changes its network: pauses, and now and then a lost connection.",
        "`TypeError: network error` or `ECONNRESET` in the middle of an answer, at one place or another",
        (
            'delay {"dist":"lognormal","mean":200,"stddev":200,"max":3000}',
            "stall ms=1500 after 2 events with probability 0.3",
            "reset after 1 event with probability 0.1",
            "reset after 5 events with probability 0.1",
            "reset after 2000 bytes with probability 0.1",
        ),
    ),
    "overloaded-provider": Profile(
        "A provider at its limit: two refusals, a slow first token, then an answer.",
        "`429 Too Many Requests`, then `503`, until a client with backoff gets through",
        (
            "status 429 retryAfter=1 for requests 1",
            "status 503 for requests 2",
            "delay 2000 for requests 3-",
        ),
    ),
    "idle-cutting-load-balancer": Profile(
        "A load balancer that resets connections without traffic: 60 seconds after the first event.",
        "`ECONNRESET` while a model thinks, although nothing is wrong with it",
        ("stall ms=60000 after 1 event", "reset after 1 event"),
    ),
    "truncating-proxy": Profile(
        "A proxy that cuts long answers off, and ends them as if they were whole.",
        "`Unexpected end of JSON input`, or a reply that ends in the middle with status 200, and no error",
        ("end after 512 bytes",),
    ),
    "slow-start": Profile(
        "A server that is just being started: nothing, a gateway's error, then slow answers.",
        "`socket hang up` or `502 Bad Gateway` for the first requests of a deployment",
        (
            "empty for requests 1",
            "status 502 for requests 2",
            "delay 3000 for requests 3-5",
        ),
    ),
    "buffering-proxy": Profile(
        "A proxy that gathers what comes, and passes it on once there are 4 KiB of it, or a second has passed.",
        "no event for a long time, then many at once; a parser that takes each read for one event loses the others",
        framing={"coalesce": {"bytes": 4096, "ms": 1000}},
    ),
    "byte-dribbler": Profile(
        "A network that delivers each byte by itself.",
        "characters that come out as `\ufffd`, and a `SyntaxError` for half a line",
        framing={"split": {"bytes": 1}, "pause": 1},
    ),
    "old-proxy": Profile(
        "A proxy of the age of HTTP/1.0: its lines end with CR LF, and its connections with each answer.",
        "a parser that looks for `\\n\\n` never finds the end of an event",
        ('header set={"connection":"close","via":"1.0 proxy"}',),
        {"lineEnding": "crlf"},
    ),
    "openrouter": Profile(
        "OpenRouter while it waits for a model: comments with blank lines, before and between the events.",
        "`Unexpected token ':'`, or empty events, where each block is taken for JSON",
        ('insert raw=": OPENROUTER PROCESSING\\n\\n: OPENROUTER PROCESSING\\n\\n"',),
        {"comments": {"every": 3, "text": "OPENROUTER PROCESSING", "blankLine": True}},
    ),
    "gzip-without-flush": Profile(
        "A proxy that compresses without flushing: what it has, it keeps back.",
        "a reply that comes all at once, when it is over",
        framing={"encoding": "gzip", "flush": "end"},
    ),
}
"""Every profile, by its name."""


def profile_named(name: str, path: Path) -> Profile:
    """The profile of that name. Raises `ConfigError` at `path`, with the nearest name or all."""
    if name in PROFILES:
        return PROFILES[name]
    close = nearest(name, list(PROFILES))
    known = ", ".join(f"`{known}`" for known in PROFILES)
    hint = f"did you mean `{close}`?" if close else f"known are {known}"
    raise ConfigError(f"there is no profile {name!r}", path=path, hint=hint)
