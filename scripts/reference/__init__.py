"""The pages that follow from the code: `python -m scripts.reference` writes them, most of them to `docs/reference/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scripts.reference import admin, cli, config, faults, limits, python_api, settings, templates

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "config.md": config.page,
    "templates.md": templates.page,
    "faults.md": faults.page,
    "settings.md": settings.page,
    "cli.md": cli.page,
    "admin.md": admin.page,
    "python.md": python_api.page,
    "../security.md": limits.page,
}
