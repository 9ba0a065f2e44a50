"""Every variant of a stream under a key of its own, for tests in any language (`mockd serve --torture`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mockd.config.load import parse_mock
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem
from mockd.settings import option, spelling
from mockd.torture.marks import PLAIN, marks_for
from mockd.torture.source import Source, read_source
from mockd.torture.variants import Variant, body_of, may_have_ids, of_data, variants_of

_PATIENCE_S = 10.0
"""Longest time, in seconds, for which a running stream is read."""
MOCK_ID = "torture"
"""ID of the mock that sends a variant."""


def serve_variants(engine: Engine, source: str, base: str) -> list[dict[str, Any]]:
    """Serve each variant of a stream under a key of its own. Returns their list, with URLs below `base`. Raises
    `ConfigError`."""
    if not engine.settings.key_path:
        hint = f"it serves each variant under a key in the path; leave out {option('key_path')}"
        raise ConfigError(f"{spelling('torture')}: no path can have a key", hint=hint)
    read = read_source(source, _PATIENCE_S)
    served = []
    for number, variant in enumerate(variants_for_any(read)):
        key = f"v{number}"
        spec = parse_mock(variant.of(read.mock), root=read.root, mock_id=MOCK_ID)
        engine.load([spec], _ignore, key=key)
        url = f"{base}/~{key}{read.path}"
        one = {"variant": variant.name, "neutral": variant.is_neutral, "url": url, "mark": mark_of(read, variant)}
        served.append({name: value for name, value in one.items() if value is not None})
    return served


def variants_for_any(source: Source, *, accepted: Collection[str] = ()) -> list[Variant]:
    """The stream as it is, and its variants, for a client of which nothing is known but the encodings that it
    accepts. Those of the data are among them if there is a plain mark in it."""
    mock = source.mock
    varied = variants_of(source, body_of(mock), has_ids=may_have_ids(mock), accepted=accepted)
    return [Variant("clean", True), *varied, *of_data(mock)]


def mark_of(source: Source, variant: Variant) -> str | None:
    """What stands in the place of the plain mark in a variant; None if there is no mark in the data."""
    if not marks_for(source.mock):
        return None
    return PLAIN if variant.mark is None else variant.mark.text


def _ignore(warning: Problem) -> None:
    """What is said of a mock is said of its file."""
