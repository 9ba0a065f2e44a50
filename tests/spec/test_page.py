"""The page itself: everything on it that can be run is run somewhere, and its tables are true."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mockd.config.schema import json_schema
from mockd.testing import running_mockd
from tests.cli.harness import Cli
from tests.spec import page
from tests.spec.reading import read

RUN_BY = {
    "bash": "test_commands.py",
    "json": "test_json.py",
    "": "test_admin_calls.py",
    "javascript": "tests/browser/test_event_source.py",
}

ROWS = list(page.tables())
SCHEMAS = {"Events": "EventConfig", "Timing Control": "Timing", "Lifecycle Management": "Lifecycle"}
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
PLACEHOLDERS = {
    "$random:min:max": r"[1-9]\d?|100",
    "$uuid": UUID,
    "$timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "$pick:a,b,c": "red|green|blue",
}


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {block.language for block in page.blocks()} == RUN_BY.keys()


def test_every_command_is_one_that_is_run() -> None:
    commands = [command for block in page.blocks("bash") for command in block.commands]
    assert {" ".join(re.split(r"\s+", command)[:2]) for command in commands} == {"mockd add", "curl -N"}


def test_every_table_is_checked() -> None:
    columns = {(heading, next(iter(row))) for heading, row in ROWS}
    fields = {(heading, "Field") for heading in SCHEMAS}
    assert columns == fields | {("Using CLI", "Flag"), ("Random Placeholders", "Placeholder")}


@pytest.mark.parametrize("row", [row for _, row in ROWS if "Flag" in row], ids=lambda row: str(row["Flag"]))
def test_every_flag_is_an_option(row: dict[str, str], local_cli: Cli) -> None:
    help = local_cli("add", "--help").out
    assert re.search(rf"{row['Flag']}\b", help)
    assert row["Default"] in help


@pytest.mark.parametrize(
    ("schema", "field"), [(SCHEMAS[heading], row["Field"]) for heading, row in ROWS if "Field" in row]
)
def test_every_field_is_in_the_schema(schema: str, field: str) -> None:
    definitions: dict[str, Any] = json_schema()["$defs"]
    if field.startswith("termination."):
        schema, field = "Termination", field.removeprefix("termination.")
    assert field in definitions[schema]["properties"]


@pytest.mark.parametrize(
    "row", [row for _, row in ROWS if "Placeholder" in row], ids=lambda row: str(row["Placeholder"])
)
def test_every_placeholder_gives_what_its_example_shows(row: dict[str, str]) -> None:
    becomes, written = PLACEHOLDERS[row["Placeholder"]], row["Example"]
    if not written.startswith("$"):
        assert re.fullmatch(becomes, written)  # the example is a result
        written = row["Placeholder"]
    mock = {"matcher": {"path": "/"}, "sse": {"events": [{"data": written}]}}
    with running_mockd(mock) as mockd:
        [event] = read(mockd.url + "/").events
    assert re.fullmatch(becomes, event["data"])
