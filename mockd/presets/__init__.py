"""Presets, which are mocks that come with mockd, and all the mocks that settings name.

A preset is data: a table of routes (module `llm`) from which ordinary mocks are made (module `routes`). It is loaded
only if it is named.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mockd.config.files import recordings_in
from mockd.config.load import Check, MockSpec, load_paths
from mockd.errors import ConfigError
from mockd.settings import Settings, spelling

if TYPE_CHECKING:
    from mockd.presets.routes import Preset

SHAPING = (
    "preset_text",
    "preset_script",
    "auto_tools",
    "side_calls",
    "explain",
    "ttft",
    "itl",
    "tokens_per_second",
    "require_key",
    "rpm",
    "tpm",
    "context_window",
)
"""The settings that shape a preset's mocks."""
_DEFAULTS = Settings()


def configured(settings: Settings, check: Check | None = None) -> list[MockSpec]:
    """The mocks that settings name: those of the configuration files and of recordings, then those of the preset, then
    those that relay all other requests. A mock in a file replaces another one with the same ID. `check` is as in
    `load_paths`. Raises `ConfigError`."""
    paths, recordings = recordings_apart(settings)
    files = load_paths(paths, check=check) if paths else []
    if recordings:
        from mockd.presets.recordings import replaying

        files += replaying(recordings, settings)
    preset = preset_of(settings)
    own = [] if preset is None else preset.mocks(settings)
    if settings.proxy:
        from mockd.presets.relays import relaying

        own = [*own, *relaying(settings)]
    taken = {spec.id for spec in files}
    return [*files, *(spec for spec in own if spec.id not in taken)]


def recordings_apart(settings: Settings) -> tuple[list[str], list[Path]]:
    """The paths of configuration files that settings name, and the recordings: those among the paths, and those in the
    folder of new ones, unless all is recorded anew."""
    paths: list[str] = []
    recordings: dict[Path, None] = {}
    for path in settings.config:
        found, has_others = recordings_in(path)
        recordings |= dict.fromkeys(found)
        if has_others or not found:
            paths.append(path)
    if settings.record is not None and settings.record_mode != "all":
        recordings |= dict.fromkeys(recordings_in(settings.record)[0])
    return paths, list(recordings)


def preset_of(settings: Settings) -> Preset | None:
    """The preset that settings name, or None. Raises `ConfigError` if there is no preset of that name, or if settings
    shape a preset but name none."""
    if settings.preset is not None:
        known = presets()
        if settings.preset not in known:
            names = ", ".join(known)
            raise ConfigError(f"{spelling('preset')}: there is no preset {settings.preset!r}", hint=f"known: {names}")
        return known[settings.preset]
    for name in SHAPING:
        if getattr(settings, name) != getattr(_DEFAULTS, name):
            raise ConfigError(f"{spelling(name)} shapes a preset, and there is none", hint="add --preset llm")
    return None


def presets() -> dict[str, Preset]:
    """Every preset by name."""
    from mockd.presets.llm import LLM

    return {preset.name: preset for preset in (LLM,)}
