"""The page on the settings of a process, from their table."""

from __future__ import annotations

from itertools import groupby

from msgspec import inspect

from mockd.config.words import default_of, struct_info
from mockd.settings import Described, Settings, describe, env_name, option
from scripts.reference import markdown
from scripts.reference.markdown import code, table, type_of

INTRODUCTION = """
Each setting is an option of `mockd serve`, an environment variable, and a field of `mockd.Settings`. An option wins
over its variable. Under another server (`uvicorn mockd.app:app`) there are the variables only; those about ports,
TLS, logging, `--watch` and workers are that server's business there and have no effect.
"""


def page() -> str:
    fields = {field.name: field for field in struct_info(Settings).fields}
    sections = []
    for group, settings in groupby(describe(), key=lambda setting: setting.group):
        rows = [_row(setting, fields[setting.name]) for setting in settings]
        sections += [f"## {group}", table(("Option", "Variable", "Type", "Default", "Meaning"), rows)]
    return markdown.page("Settings", INTRODUCTION, *sections)


def _row(setting: Described, field: inspect.Field) -> tuple[str, str, str, str, str]:
    default = "" if field.default is False else default_of(field)
    spelling = f"{option(setting.name)} {setting.metavar}".strip()
    return (
        code(spelling),
        code(env_name(setting.name)),
        type_of(field.type, {}),
        code(default) if default else "",
        setting.meaning,
    )
