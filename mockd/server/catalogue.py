"""What `mockd templates` and `mockd presets` list, as JSON documents."""

from __future__ import annotations

from typing import Any

import msgspec
import msgspec.inspect as inspect

from mockd.config.words import default_of, meaning_of, struct_info, structs_in, type_in_words
from mockd.errors import NotFoundError
from mockd.presets import PRESETS, Preset
from mockd.presets.routes import SHAPING
from mockd.settings import Settings, env_name
from mockd.sources import kinds
from mockd.sources.registry import SourceKind


def templates() -> list[dict[str, Any]]:
    """Every template, those of plug-ins too, with its parameters."""
    return [_template(kind) for _, kind in sorted(kinds().items())]


def template(name: str) -> dict[str, Any]:
    """One template. Raises `NotFoundError`."""
    known = kinds()
    if name not in known:
        raise NotFoundError(f"there is no template {name!r}; known: {', '.join(sorted(known))}")
    return _template(known[name])


def presets() -> list[dict[str, Any]]:
    """Every preset, with the settings that shape it, the URLs that clients are given, and its routes."""
    return [_preset(preset) for preset in PRESETS.values()]


def _template(kind: SourceKind[Any]) -> dict[str, Any]:
    return {
        "name": kind.name,
        "summary": kind.summary,
        "namedIn": f"{kind.part}.template",
        "parameters": _parameters(kind.params, ()),
    }


def _parameters(cls: type[msgspec.Struct], around: tuple[type, ...]) -> list[dict[str, Any]]:
    """The fields of a struct; `around` are the structs that it stands in."""
    return [_parameter(field, (*around, cls)) for field in struct_info(cls).fields]


def _parameter(field: inspect.Field, around: tuple[type, ...]) -> dict[str, Any]:
    fields = {
        "name": field.encode_name,
        "type": type_in_words(field.type),
        "default": default_of(field),
        "required": field.required,
        "meaning": meaning_of(field.type),
        # A reply in a script is one like that around it: its parameters are not listed again.
        "parameters": [
            parameter
            for struct in structs_in(field.type)
            if not any(issubclass(outer, struct.cls) for outer in around)
            for parameter in _parameters(struct.cls, around)
        ],
    }
    return {name: value for name, value in fields.items() if value not in ("", False, [])}


def _preset(preset: Preset) -> dict[str, Any]:
    settings = {field.name: field for field in struct_info(Settings).fields}
    return {
        "name": preset.name,
        "summary": preset.summary,
        "settings": [
            {
                "option": "--" + name.replace("_", "-"),
                "variable": env_name(name),
                "type": type_in_words(settings[name].type),
                "meaning": meaning_of(settings[name].type),
            }
            for name in (*SHAPING, "seed")
        ],
        "baseUrls": dict(preset.base_urls),
        "routes": [
            {"method": route.method, "path": route.path, "provider": route.provider, "template": route.template}
            for route in preset.routes
        ],
    }
