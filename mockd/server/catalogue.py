"""The lists of `mockd templates` and `mockd presets`, as JSON documents."""

from __future__ import annotations

from typing import Any

import msgspec
import msgspec.inspect as inspect

from mockd import presets as known
from mockd.config.fault import Fault
from mockd.config.faults import ACTIONS
from mockd.config.profiles import PROFILES
from mockd.config.words import default_of, meaning_of, struct_info, structs_in, type_in_words
from mockd.errors import NotFoundError
from mockd.presets.routes import Preset
from mockd.settings import Settings, env_name, option
from mockd.sources import kinds
from mockd.sources.registry import SourceKind


def templates() -> list[dict[str, Any]]:
    """Every template with its parameters, including those of plug-ins."""
    return [_template(kind) for _, kind in sorted(kinds().items())]


def template(name: str) -> dict[str, Any]:
    """One template with its parameters. Raises `NotFoundError`."""
    known = kinds()
    if name not in known:
        raise NotFoundError(f"there is no template {name!r}; known: {', '.join(sorted(known))}")
    return _template(known[name])


def presets() -> list[dict[str, Any]]:
    """Every preset, with the settings that shape it, the base URLs for clients, and its routes."""
    return [_preset(preset) for preset in known.presets().values()]


def targets_of(name: str) -> list[str]:
    """The public addresses of a preset's providers, each at its prefix, as `--proxy` has them. Raises
    `NotFoundError`."""
    found = known.presets().get(name)
    if found is None:
        raise NotFoundError(f"there is no preset {name!r}; known: {', '.join(known.presets())}")
    return [f"/{provider}={url}" for provider, url in found.targets.items()]


def faults() -> list[dict[str, Any]]:
    """Every action of a fault, with an example and its settings."""
    common = {field.encode_name for field in struct_info(Fault).fields}
    return [
        {
            "name": str(action.__struct_config__.tag),
            "summary": " ".join((action.__doc__ or "").split()),
            "example": action.example,
            "settings": [
                _described(field, []) for field in struct_info(action).fields if field.encode_name not in common
            ],
        }
        for action in ACTIONS
    ]


def profiles() -> list[dict[str, Any]]:
    """Every profile with its faults, and the symptom that it reproduces."""
    return [{"name": name, **profile._asdict()} for name, profile in PROFILES.items()]


def _template(kind: SourceKind[Any]) -> dict[str, Any]:
    return {
        "name": kind.name,
        "summary": kind.summary,
        "namedIn": f"{kind.part}.template",
        "parameters": _Parameters(kind).listed(kind.params),
    }


class _Parameters:
    """The parameters of a template."""

    def __init__(self, kind: SourceKind[Any]) -> None:
        self._kind = kind

    def listed(self, cls: type[msgspec.Struct], within: str = "") -> list[dict[str, Any]]:
        """The parameters that a struct has. `within` is the path of the struct, as a prefix of their names."""
        fields = struct_info(cls).fields
        return [
            _described(field, self._inside(field, f"{within}{field.encode_name}."))
            for field in fields
            if within + field.encode_name not in self._kind.lacks
        ]

    def _inside(self, field: inspect.Field, within: str) -> list[dict[str, Any]]:
        # A reply in a script has the same parameters as the reply around it, so they are not listed again.
        structs = [struct for struct in structs_in(field.type) if not issubclass(self._kind.params, struct.cls)]
        return [parameter for struct in structs for parameter in self.listed(struct.cls, within)]


def _described(field: inspect.Field, inside: list[dict[str, Any]]) -> dict[str, Any]:
    fields = {
        "name": field.encode_name,
        "type": type_in_words(field.type),
        "default": default_of(field),
        "required": field.required,
        "meaning": meaning_of(field.type),
        "parameters": inside,
    }
    return {name: value for name, value in fields.items() if value not in ("", False, [])}


def _preset(preset: Preset) -> dict[str, Any]:
    settings = {field.name: field for field in struct_info(Settings).fields}
    return {
        "name": preset.name,
        "summary": preset.summary,
        "settings": [
            {
                "option": option(name),
                "variable": env_name(name),
                "type": type_in_words(settings[name].type),
                "meaning": meaning_of(settings[name].type),
            }
            for name in (*known.SHAPING, "seed")
        ],
        "baseUrls": dict(preset.base_urls),
        "routes": [
            {"method": route.method, "path": route.path, "provider": route.provider, "template": route.template}
            for route in preset.routes
        ],
    }
