"""The page on the settings of a process, from their table."""

from __future__ import annotations

import msgspec.inspect as inspect

from mockd.cli.serve import option
from mockd.settings import Settings, env_name
from scripts.reference import markdown
from scripts.reference.markdown import code, description_of, table, type_of

INTRODUCTION = """
Each setting is an option of `mockd serve`, an environment variable, and a field of `mockd.Settings`. An option wins
over its variable. Under another server (`uvicorn mockd.app:app`) there are the variables only; those about ports,
TLS, logging, `--watch` and workers are that server's business there and have no effect.
"""


def page() -> str:
    struct = inspect.type_info(Settings)
    assert isinstance(struct, inspect.StructType)
    rows = []
    for field in struct.fields:
        default = "" if field.default in (None, (), False) else code(field.default)
        rows.append(
            (
                code(option(field.name)),
                code(env_name(field.name)),
                type_of(field.type, {}),
                default,
                description_of(field.type),
            )
        )
    return markdown.page("Settings", INTRODUCTION, table(("Option", "Variable", "Type", "Default", "Meaning"), rows))
