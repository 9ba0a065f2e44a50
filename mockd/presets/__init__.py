"""Presets, mocks that come with mockd, and all the mocks that settings name.

A preset is data: a table of routes (`llm`), which becomes mocks like anyone's (`routes`).
"""

from __future__ import annotations

from mockd.config.load import Check, MockSpec, load_paths
from mockd.errors import ConfigError
from mockd.presets.llm import LLM
from mockd.presets.routes import SHAPING, Preset, mocks_of
from mockd.settings import Settings, spelling

__all__ = ["PRESETS", "Preset", "configured", "preset_of"]

PRESETS = {preset.name: preset for preset in (LLM,)}


def configured(settings: Settings, check: Check | None = None) -> list[MockSpec]:
    """The mocks that settings name: those of configuration files, then those of the preset, which a mock of the same
    id in a file replaces. `check` is as in `load_paths`. Raises `ConfigError`."""
    files = load_paths(settings.config, check=check) if settings.config else []
    preset = preset_of(settings)
    if preset is None:
        return files
    taken = {spec.id for spec in files}
    return [*files, *(spec for spec in mocks_of(preset, settings) if spec.id not in taken)]


def preset_of(settings: Settings) -> Preset | None:
    """The preset that settings name. Raises `ConfigError` where there is none of that name, or none for what shapes
    it."""
    if settings.preset is not None:
        if settings.preset not in PRESETS:
            known = ", ".join(PRESETS)
            raise ConfigError(f"{spelling('preset')}: there is no preset {settings.preset!r}", hint=f"known: {known}")
        return PRESETS[settings.preset]
    for name in SHAPING:
        if getattr(settings, name) is not None:
            raise ConfigError(f"{spelling(name)} shapes a preset, and there is none", hint="add --preset llm")
    return None
