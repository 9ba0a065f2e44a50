"""Operations on mocks, and on the configuration as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.responses import Response

from mockd import errors
from mockd.admin.calls import HEADERS, Call, describe, no_content
from mockd.config.load import MockSpec, parse_collection
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem


def list_mocks(engine: Engine, call: Call) -> Any:
    """List the mocks, in order."""
    mocks = [spec.doc for spec in call.mocks.served.specs()]
    return {"mocks": mocks, "total": len(mocks), "count": len(mocks)}


def create_mock(engine: Engine, call: Call) -> Any:
    """Create a mock."""
    warnings: list[Problem] = []
    return _changed("created", call.mocks.create(call.json(), warnings.append), warnings)


def get_mock(engine: Engine, call: Call) -> Any:
    """Get a mock."""
    return call.mocks.served.find(call.id).spec.doc


def replace_mock(engine: Engine, call: Call) -> Any:
    """Replace a mock; the new one takes its place in the order."""
    warnings: list[Problem] = []
    return _changed("updated", call.mocks.replace(call.id, call.json(), warnings.append), warnings)


def patch_mock(engine: Engine, call: Call) -> Any:
    """Change a mock with a JSON merge patch (RFC 7396)."""
    warnings: list[Problem] = []
    return _changed("updated", call.mocks.patch(call.id, call.json(), warnings.append), warnings)


def delete_mock(engine: Engine, call: Call) -> Any:
    """Delete a mock and end its streams."""
    call.mocks.delete(call.id)
    return no_content()


def toggle_mock(engine: Engine, call: Call) -> Any:
    """Disable a mock and end its streams, or enable it again."""
    warnings: list[Problem] = []
    spec = call.mocks.toggle(call.id, warnings.append)
    return _changed("toggled", spec, warnings, f"Mock {spec.id} {'enabled' if spec.mock.enabled else 'disabled'}")


def _changed(action: str, spec: MockSpec, warnings: list[Problem], message: str | None = None) -> dict[str, Any]:
    message = message or f"{action.capitalize()} mock {spec.id}"
    return {"id": spec.id, "action": action, "message": message, "mock": spec.doc, **_listed(warnings)}


def _listed(warnings: list[Problem]) -> dict[str, Any]:
    """The warnings as a key of an answer, which is absent if there are none."""
    return {"warnings": [describe(warning) for warning in warnings]} if warnings else {}


def export_config(engine: Engine, call: Call) -> Any:
    """Export all mocks as a configuration file."""
    format = call.text("format") or "json"
    if format not in ("json", "yaml"):
        raise ConfigError(f"query parameter `format`: {format!r} is neither json nor yaml")
    collection = engine.export()
    if format == "json":
        return collection
    from mockd.config.yaml_text import write_yaml  # imported here, as it is slow to load and seldom needed

    return Response(write_yaml(collection), headers=HEADERS, media_type="application/yaml")


def import_config(engine: Engine, call: Call) -> Any:
    """Import mocks from a configuration file: all of them or none."""
    given, dry_run = call.flag("replace"), call.flag("dryRun") or False
    config, replace, place = _unwrap(call.json_or_yaml())
    root = engine.settings.files_root
    warnings: list[Problem] = []
    try:
        specs = parse_collection(config, root=Path(root) if root else None, warn=warnings.append)
        imported = engine.mock_set.import_specs(
            specs, replace=replace if given is None else given, dry_run=dry_run, warn=warnings.append
        )
    except ConfigError as error:
        raise error.under(place) from None
    if dry_run:
        message = f"Nothing was changed; {_mocks(len(specs))} can be imported"
        answer = {"message": message, "imported": 0, "total": len(specs), "dryRun": True}
    else:
        answer = {"message": f"Imported {_mocks(imported)}", "imported": imported, "total": len(specs)}
    return answer | _listed([warning.under(place) for warning in warnings])


def _unwrap(body: Any) -> tuple[Any, bool, errors.Path]:
    """The configuration in a body, whether it replaces all mocks, and its path in the body."""
    if not (isinstance(body, dict) and "config" in body):
        return body, False, ()
    for key in body:
        if key not in ("config", "replace"):
            raise ConfigError(f"unknown key {key!r}", path=(key,), hint="known here: `config`, `replace`")
    replace = body.get("replace", False)
    if not isinstance(replace, bool):
        raise ConfigError("it must be true or false", path=("replace",))
    return body["config"], replace, ("config",)


def _mocks(count: int) -> str:
    return "1 mock" if count == 1 else f"{count} mocks"
