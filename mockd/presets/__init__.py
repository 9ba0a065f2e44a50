"""Presets, which are mocks that come with mockd, and all the mocks that settings name.

A preset is data: a table of routes (module `llm`) from which ordinary mocks are made (module `routes`). It is loaded
only if it is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockd.config.load import Check, MockSpec, load_paths
from mockd.errors import ConfigError
from mockd.settings import Settings, spelling

if TYPE_CHECKING:
    from mockd.presets.routes import Preset

SHAPING = ("preset_text", "preset_script", "ttft", "itl", "tokens_per_second")
"""The settings that shape a preset's mocks."""


def configured(settings: Settings, check: Check | None = None) -> list[MockSpec]:
    """The mocks that settings name: those of the configuration files, then those of the preset. A mock in a file
    replaces the preset's mock with the same ID. `check` is as in `load_paths`. Raises `ConfigError`."""
    files = load_paths(settings.config, check=check) if settings.config else []
    preset = preset_of(settings)
    if preset is None:
        return files
    taken = {spec.id for spec in files}
    return [*files, *(spec for spec in preset.mocks(settings) if spec.id not in taken)]


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
        if getattr(settings, name) is not None:
            raise ConfigError(f"{spelling(name)} shapes a preset, and there is none", hint="add --preset llm")
    return None


def presets() -> dict[str, Preset]:
    """Every preset by name."""
    from mockd.presets.llm import LLM

    return {preset.name: preset for preset in (LLM,)}
