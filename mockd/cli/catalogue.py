"""`mockd templates`, `mockd faults` and `mockd presets`, which list what there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from mockd.cli.output import note, print_json, print_table
from mockd.cli.session import JSON_HELP
from mockd.tables import Column

Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


_TYPE, _MEANING = Column("TYPE", is_words=True), Column("MEANING", is_words=True)


def templates(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One template, with its parameters.")] = None,
    as_json: Json = False,
) -> None:
    """List the templates, or the parameters of one."""
    from mockd.server import catalogue

    if name is not None:
        template = catalogue.template(name)
        print_json(template) if as_json else _show(template)
        return
    found = catalogue.templates()
    if as_json:
        print_json({"templates": found})
        return
    rows = [(one["name"], one["namedIn"].partition(".")[0], one["summary"]) for one in found]
    print_table(("NAME", "IN", Column("WHAT IT IS", is_words=True)), rows)
    note("`mockd templates NAME` lists the parameters of one.")


def presets(as_json: Json = False) -> None:
    """List the presets. For each, list the options that shape it, and its routes."""
    from mockd.server import catalogue

    found = catalogue.presets()
    if as_json:
        print_json({"presets": found})
        return
    for preset in found:
        print(f"{preset['name']}: {preset['summary']}\n")
        rows = [(one["option"], one["type"], one["meaning"]) for one in preset["settings"]]
        print_table(("OPTION", _TYPE, _MEANING), rows)
        print()
        print_table(("PROVIDER", "PATH OF ITS BASE URL"), preset["baseUrls"].items())
        print()
        routes = [(one["method"], one["path"], one["provider"], one["template"] or "") for one in preset["routes"]]
        print_table(("METHOD", "PATH", "PROVIDER", "TEMPLATE"), routes)


def faults(as_json: Json = False) -> None:
    """List the faults that a mock can have, each with an example, and the profiles: faults and framings with a name."""
    from mockd.server import catalogue

    found, profiles = catalogue.faults(), catalogue.profiles()
    if as_json:
        print_json({"faults": found, "profiles": profiles})
        return
    rows = [(one["name"], one["example"], one["summary"]) for one in found]
    print_table(("ACTION", Column("EXAMPLE", is_words=True), Column("WHAT IT DOES", is_words=True)), rows)
    note("A fault may also say `for requests 1-2`, `every 3` or `with probability 0.2`.")
    for profile in profiles:
        print(f"\n{profile['name']}: {profile['summary']}\n  {profile['symptom']}")
        for line in profile["faults"]:
            print(f"    {line}")
        for field, value in profile["framing"].items():
            print(f"    framing.{field}: {json.dumps(value)}")


def _show(template: dict[str, Any]) -> None:
    print(f"{template['name']}: {template['summary']}")
    print(f"Named in {template['namedIn']}, its parameters in templateParams beside it.\n")
    print_table(("PARAMETER", _TYPE, "DEFAULT", _MEANING), _rows(template["parameters"], ""))


def _rows(parameters: list[dict[str, Any]], within: str) -> Iterator[tuple[str, str, str, str]]:
    for one in parameters:
        default = "required" if "required" in one else one.get("default", "")
        yield within + one["name"], one["type"], default, one.get("meaning", "")
        yield from _rows(one.get("parameters", []), f"{within}{one['name']}.")
