"""Profiles: bad weather with a name, as lists of faults.

A new profile is one entry in `PROFILES`, from which validation, `mockd faults` and the reference follow.
"""

from __future__ import annotations

from typing import NamedTuple

from mockd.config.hints import nearest
from mockd.errors import ConfigError, Path


class Profile(NamedTuple):
    """A list of faults, in lines. `summary` says what they stand for, `symptom` what people see of it."""

    summary: str
    symptom: str
    faults: tuple[str, ...]


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
