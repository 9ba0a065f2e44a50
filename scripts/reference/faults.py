"""The page on faults, from the structs of their actions."""

from __future__ import annotations

import json

from mockd.config.fault import After, Fault
from mockd.config.fault_lines import FORM
from mockd.config.faults import ACTIONS
from mockd.config.profiles import PROFILES, Profile
from mockd.config.words import struct_info
from scripts.reference import config, markdown
from scripts.reference.markdown import code, fields_table, first_paragraph, link, struct_table, table

INTRODUCTION = f"""
`faults` of a mock is a list. Each fault is an object, or one line of text:

```text
{FORM}
```

A lone value behind the action is its first setting: `status 429`. Without a place, a fault strikes right behind the
head, or before it if its table says so. How they go together is told in the [guide](../guides/faults.md).
"""


PROFILE = """
A profile is a list of faults and [framings](framing.md) with a name: `"profile": "flaky-mobile"` in a mock, or
`mockd serve --profile NAME` for all mocks without one. Its faults come after those of the mock; its framing is for
streams without one of their own.
""".strip()


def page() -> str:
    known = config.links("config.md") | {After: link("After")}
    common = struct_table(struct_info(Fault), known)
    after = f"{first_paragraph(After.__doc__)}\n\n{struct_table(struct_info(After), known)}"
    return markdown.page(
        "Faults",
        INTRODUCTION,
        f"## All faults\n\n{first_paragraph(Fault.__doc__)}\n\n{common}",
        f"## After\n\n{after}",
        *(_section(action, known) for action in ACTIONS),
        f"## Profiles\n\n{PROFILE}\n\n{_profiles()}",
    )


def _profiles() -> str:
    rows = [
        (code(name), one.summary, one.symptom, "<br>".join(map(code, (*one.faults, *_framing(one)))))
        for name, one in PROFILES.items()
    ]
    return table(("Profile", "What it stands for", "What people see of it", "Faults and framings"), rows)


def _framing(profile: Profile) -> list[str]:
    return [f"framing.{field}: {json.dumps(value)}" for field, value in profile.framing.items()]


def _section(action: type[Fault], known: dict[type, str]) -> str:
    common = {field.encode_name for field in struct_info(Fault).fields}
    own = [field for field in struct_info(action).fields if field.encode_name not in common]
    parts = [f"## {action.__struct_config__.tag}", first_paragraph(action.__doc__)]
    place = "before the head" if action.place == "head" else "right behind the head"
    if not action.places:
        parts.append(f"It strikes behind the last event. The connection is {action.connection} afterwards.")
    else:
        places = ", ".join(action.places_in_words())
        parts.append(f"Places: {places}; without one, {place}. The connection is {action.connection} afterwards.")
    parts.append(f"Example: {code(action.example)}")
    if own:
        parts.append(fields_table(own, known))
    return "\n\n".join(parts)
