"""The pages that follow from the code: `python -m scripts.reference` writes them, most of them to `docs/reference/`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from scripts.reference import (
    admin,
    cli,
    config,
    faults,
    framing,
    limits,
    providers,
    python_api,
    script,
    settings,
    templates,
)

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "config.md": config.page,
    "templates.md": templates.page,
    "script.schema.json": script.schema,
    "faults.md": faults.page,
    "framing.md": framing.page,
    "settings.md": settings.page,
    "cli.md": cli.page,
    "admin.md": admin.page,
    "python.md": python_api.page,
    "../security.md": limits.page,
    **{f"../guides/llm/{name}": partial(providers.page, name) for name in providers.PROVIDERS},
}
