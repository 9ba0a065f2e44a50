"""The `framing` of a mock: whether its body can have it, and the headers that go with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from mockd.config.framing import ONLY_UNCODED, FramingConfig
from mockd.config.models import ChunkedConfig, SseConfig
from mockd.errors import ConfigError, Path, Problem
from mockd.framing.variants import Body, bodies_of, missing_package
from mockd.headers import Headers

_BODIES: dict[Body, str] = {"sse": "an event stream", "ndjson": "NDJSON", "raw": "a body of plain bytes"}
_OF_ANY_BYTES = ("split", "pause", "coalesce", "charset")
"""Fields that change nothing in the bytes of a body."""
_CHARSET = rb"[ \t]*;[ \t]*charset=[^;]*"


def checked(config: SseConfig | ChunkedConfig, path: Path) -> FramingConfig | None:
    """The `framing` of a stream, or None if it changes nothing. Raises `ConfigError` for what its body cannot have, or
    what needs a package that is not installed."""
    framing, body = config.framing, body_of(config)
    given = {} if framing is None else given_in(framing)
    if framing is None or not given:
        return None
    problems = []
    for field, value in given.items():
        possible = bodies_of(field, value)
        if body not in possible:
            said = f"`{field}: {value}`" if isinstance(value, str) and field != "charset" else f"`{field}`"
            bodies = " and ".join(name for one, name in _BODIES.items() if one in possible)
            problems.append(Problem(f"{_BODIES[body]} cannot have {said}", (*path, field), f"it goes with {bodies}"))
    if (package := missing_package(framing.encoding)) is not None:
        message = f"`{framing.encoding}` needs the package {package}, which is not installed"
        problems.append(Problem(message, (*path, "encoding"), "install `mockd[encodings]`"))
    if problems:
        raise ConfigError(problems)
    return framing


def body_of(config: SseConfig | ChunkedConfig) -> Body:
    """The kind of body that a stream has."""
    if isinstance(config, SseConfig):
        return "sse"
    return "ndjson" if config.is_ndjson else "raw"


def check_coded(config: SseConfig | ChunkedConfig, path: Path) -> None:
    """Raise `ConfigError` for what a recorded body in a content coding cannot have: other bytes, or more."""
    life, given = config.lifecycle, {} if config.framing is None else given_in(config.framing)
    added = {
        "heartbeat": life.heartbeat is not None,
        "keepaliveInterval": bool(getattr(life, "keepalive_interval", 0)),
        "termination": life.termination.final_event is not None or life.termination.type == "error",
    }
    places: list[Path] = [("framing", name) for name, value in given.items() if not _fits_coded(name, value)]
    places += [("lifecycle", name) for name, is_given in added.items() if is_given]
    hint = "leave it out, or record the body without `--accept-encoding client`"
    if places:
        message = "the recorded body is compressed, and cannot have `{}`"
        raise ConfigError([Problem(message.format(place[-1]), (*path, *place), hint) for place in places])


def _fits_coded(name: str, value: Any) -> bool:
    return name in _OF_ANY_BYTES and value not in ONLY_UNCODED


def fitted(framing: Mapping[str, Any], config: SseConfig | ChunkedConfig, *, is_coded: bool) -> FramingConfig:
    """The part of a profile's `framing` that a stream can have, whose body may be recorded in a content coding."""
    body = body_of(config)
    is_encoded = any(name.lower() == "content-encoding" for name in config.headers)
    left_out = ("encoding", "flush") if is_encoded else ()
    possible = {
        name: value
        for name, value in framing.items()
        if body in bodies_of(name, value) and name not in left_out and (not is_coded or _fits_coded(name, value))
    }
    return msgspec.convert(possible, FramingConfig)


def given_in(config: FramingConfig) -> dict[str, Any]:
    """The fields that are not as they are by default, as users write them."""
    given: dict[str, Any] = msgspec.to_builtins(config)
    return given


def with_head(headers: Headers, charset: str | None, encoding: str | None) -> Headers:
    """The headers of an answer with the charset and the encoding that its mock says."""
    if charset is not None:
        headers = [(name, _named(value, charset) if name == b"content-type" else value) for name, value in headers]
    return headers if encoding is None else [*headers, (b"content-encoding", encoding.encode())]


def _named(content_type: bytes, charset: str) -> bytes:
    return re.sub(_CHARSET, b"", content_type, flags=re.IGNORECASE) + b"; charset=" + charset.encode()
