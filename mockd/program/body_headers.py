"""Headers that describe the body: a mock is refused when it is loaded if one of them would not be true."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path as FilePath

from msgspec import UNSET

from mockd.config.files import resolve_file
from mockd.config.headers import values_of
from mockd.config.models import ChunkedConfig, ProxyConfig, ResponseConfig, SseConfig
from mockd.config.opening import open_regular
from mockd.config.parts import Part
from mockd.errors import ConfigError, Path
from mockd.events import JSON_NULL, Event
from mockd.expressions.tags import mentions_request
from mockd.framing import FRAMINGS
from mockd.lines.line import BODILESS
from mockd.placeholders import parse_value

_Config = SseConfig | ChunkedConfig | ResponseConfig

_NUMBER = r"[ \t]*[0-9]{1,18}[ \t]*"
_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
"""The first bytes of compressed data, for the codings with a fixed beginning."""


def check_body_headers(part: Part, root: FilePath | None, *, is_for_head: bool) -> None:
    """Raise `ConfigError` for a `Content-Length` or `Content-Encoding` that is not true of the body, as far as that is
    known. Its path begins with the kind of the part. `root` is the folder of the mock's data files.

    A mock that answers only HEAD may have both, as it has no body.
    """
    if isinstance(part.config, ProxyConfig):  # whose headers are another server's
        return
    for name, given in part.config.headers.items():
        values = [value for _, value in values_of(given)]
        path: Path = (part.kind, "headers", name)
        if name.lower() == "content-length":
            _check_number(values, path)
        check = _CHECKS.get(name.lower())
        if check is not None and values and not is_for_head and not any(map(mentions_request, values)):
            check(part.config, values, path, root)


# -- Content-Length ----------------------------------------------------------------------------------------------------


def _check_number(values: list[str], path: Path) -> None:
    if len(values) > 1 or not re.fullmatch(_NUMBER, values[0]):
        hint = "leave Content-Length out: mockd sends the right one"
        raise ConfigError("a length is one whole number", path=path, hint=hint)


def _check_length(config: _Config, values: list[str], path: Path, root: FilePath | None) -> None:
    length = _length_of(config)
    if isinstance(length, str):
        raise ConfigError(length, path=path, hint="leave Content-Length out")
    if int(values[0]) != length:
        hint = "leave Content-Length out: mockd sends the right one"
        raise ConfigError(f"the body has {length} bytes, not {values[0]}", path=path, hint=hint)


def _length_of(config: _Config) -> int | str:
    """The length of the body in bytes, or why it is not known."""
    if not isinstance(config, ResponseConfig):
        return "a stream has no length: it ends when it ends"
    if config.template is not None:
        return "the body of a template is made for each request, and mockd sends its length"
    if config.body_file is not None:
        return "a file is sent in chunks, without a length"
    if _has_no_body(config):
        return 0
    frame = FRAMINGS["raw"].encode(Event(JSON_NULL if config.body is None else parse_value(config.body)))
    if not isinstance(frame, bytes):
        return "the body differs from answer to answer, and mockd sends its length"
    return len(frame)


def _has_no_body(config: ResponseConfig) -> bool:
    is_empty = (config.body is UNSET or config.body == "") and config.body_file is None and config.template is None
    return is_empty or (config.status or config.status_code) in BODILESS


# -- Content-Encoding --------------------------------------------------------------------------------------------------


def _check_encoding(config: _Config, values: list[str], path: Path, root: FilePath | None) -> None:
    named = [coding.strip().lower() for value in values for coding in value.split(",")]
    codings = [coding for coding in named if coding not in ("", "identity")]
    framing = None if isinstance(config, ResponseConfig) else config.framing
    if framing is not None and framing.encoding is not None:
        if codings != [framing.encoding]:
            hint = "leave Content-Encoding out: mockd sends the right one"
            raise ConfigError(f"`framing.encoding` is {framing.encoding}, so this is not true", path=path, hint=hint)
        return
    if not codings or (isinstance(config, ResponseConfig) and _has_no_body(config)):
        return
    field, name = _file_of(config)
    if name is None:
        hint = "leave Content-Encoding out" + (f", or name a file of compressed bytes in `{field}`" if field else "")
        raise ConfigError(f"{codings[-1]!r} is not true: mockd sends what is written as it is", path=path, hint=hint)
    file = resolve_file(name, root, path=(path[0], field))
    if not _begins_with(file, _MAGIC.get(codings[-1], b"")):
        hint = "leave Content-Encoding out, or compress the file: mockd sends it as it is"
        raise ConfigError(f"{name!r} is not compressed with {codings[-1]}", path=path, hint=hint)


def _file_of(config: _Config) -> tuple[str, str | None]:
    """The field that names a file whose bytes are sent as they are, and that file."""
    if isinstance(config, ResponseConfig):
        return "bodyFile", config.body_file
    if config.raw:
        return "eventsFile", config.events_file
    if isinstance(config, ChunkedConfig):
        return "dataFile", None if config.format == "ndjson" else config.data_file
    return "", None


def _begins_with(file: FilePath, mark: bytes) -> bool:
    """Whether a file begins with `mark`. A file that cannot be read is reported by the answers that send it."""
    try:
        with os.fdopen(open_regular(file), "rb") as opened:
            return opened.read(len(mark)) == mark
    except OSError:
        return True


_CHECKS: dict[str, Callable[[_Config, list[str], Path, FilePath | None], None]] = {
    "content-length": _check_length,
    "content-encoding": _check_encoding,
}
