"""The page on the settings of a process, from their table."""

from __future__ import annotations

from mockd.config.words import default_of, meaning_of, struct_info
from mockd.settings import Settings, env_name, option
from scripts.reference import markdown
from scripts.reference.markdown import code, table, type_of

INTRODUCTION = """
Each setting is an option of `mockd serve`, an environment variable, and a field of `mockd.Settings`. An option wins
over its variable. Under another server (`uvicorn mockd.app:app`) there are the variables only; those about ports,
TLS, logging, `--watch` and workers are that server's business there and have no effect.
"""


def page() -> str:
    rows = []
    for field in struct_info(Settings).fields:
        default = "" if field.default in (None, (), False) else code(default_of(field))
        rows.append(
            (
                code(option(field.name)),
                code(env_name(field.name)),
                type_of(field.type, {}),
                default,
                meaning_of(field.type),
            )
        )
    return markdown.page("Settings", INTRODUCTION, table(("Option", "Variable", "Type", "Default", "Meaning"), rows))
