"""The reference is what the code says, and has everything: generated pages are fresh, written ones are complete."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

import mockd
import mockd.llm
from mockd.admin.app import OPERATIONS
from mockd.config import models
from mockd.framing import FRAMINGS
from mockd.journal.registry import Outcome
from mockd.settings import describe, env_name, option
from mockd.sources.templates import built_in
from scripts.reference import FOLDER, PAGES, cli, config, providers, templates

PACKAGE = Path(mockd.__file__).parent


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    assert text_of(name) == PAGES[name](), "run scripts/docs"


@pytest.mark.parametrize("name", sorted(name for name in PAGES if name != "python.md" and not name.startswith("../")))
def test_no_page_for_users_speaks_of_the_code(name: str) -> None:
    words = r"holes?|structs?|cursors?|transports?|compile[ds]?|render(s|ed)?|framed?|wires?|docstrings?|msgspec"
    words += r"|modules?|tuples?|subclass(es)?|instances?|attributes?|parse[ds]?|registered"
    text = text_of(name).replace("wire bytes", "").replace("wireBytes", "")  # which are bytes on the wire
    found = [line for line in text.splitlines() if re.search(rf"\b({words})\b", line, re.IGNORECASE)]
    assert not found


def test_every_provider_has_a_section_on_keys_limits_and_refusals() -> None:
    assert providers.PROVIDERS.keys() == {page.name for page in providers.FOLDER.glob("*.md")}
    for name in providers.PROVIDERS:
        text = (providers.FOLDER / name).read_text(encoding="utf-8")
        assert text.count(providers.BEGIN) == text.count(providers.END) == 1


def test_every_setting_is_in_the_reference() -> None:
    page = text_of("settings.md")
    for setting in describe():
        spelling = f"{option(setting.name)} {setting.metavar}".strip().replace("|", r"\|")
        assert f"| `{spelling}` | `{env_name(setting.name)}` |" in page
        assert setting.meaning, f"{setting.name} has no description"
        assert setting.meaning in page


def test_every_framing_is_in_the_guide_with_its_type() -> None:
    page = (FOLDER.parent / "guides" / "sources.md").read_text(encoding="utf-8")
    for name, framing in FRAMINGS.items():
        assert re.search(rf"^\| `{name}` \|.*\| `{re.escape(framing.content_type)}` \|$", page, re.MULTILINE), name


def test_every_field_of_the_configuration_is_in_the_reference_with_its_meaning() -> None:
    every_field_is_told(text_of("config.md"), [struct for _, struct in config.sections().values()])


def test_every_parameter_of_every_template_is_in_the_reference_with_its_meaning() -> None:
    in_config = config.links()
    structs = [struct for struct in templates.structs() if struct.cls not in in_config]
    assert len(structs) > len(built_in()) / 3
    every_field_is_told(text_of("templates.md"), structs)


def every_field_is_told(page: str, structs: Iterable[msgspec.inspect.StructType]) -> None:
    for struct in structs:
        for field in struct.fields:
            row = re.search(rf"^\| `{re.escape(field.encode_name)}` \|.*\| (.*) \|$", page, re.MULTILINE)
            assert row is not None, field.encode_name
            assert row[1].strip(), f"{struct.cls.__name__}.{field.encode_name} has no description"


def test_every_part_of_the_configuration_has_a_section() -> None:
    parts = {cls for cls in vars(models).values() if isinstance(cls, type) and issubclass(cls, models.Config)}
    assert config.sections().keys() == parts - {models.Config}


def test_every_template_is_in_the_reference() -> None:
    page = text_of("templates.md")
    for kind in built_in():
        assert f"## {kind.name}\n\n{kind.summary}" in page


def test_every_command_is_in_the_reference() -> None:
    page = text_of("cli.md")
    for name, command in cli.commands():
        assert f"\n## {name}\n\n" in page
        assert command.help, f"{name} has no help"


def test_every_operation_is_in_the_reference() -> None:
    page = text_of("admin.md")
    for operation in OPERATIONS:
        assert f"| `{operation.method} {operation.path}` |" in page


def test_every_public_name_is_in_the_reference() -> None:
    page = text_of("python.md")
    for name in (*mockd.__all__, *mockd.llm.__all__):
        assert f"| `{name}` |" in page


def test_every_error_code_is_in_the_reference_and_no_other() -> None:
    page = text_of("errors.md").partition("## Outcomes")[0]
    written = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert written == set(error_codes()) - {"error", "client_gone"}


def test_every_outcome_is_in_the_reference_and_no_other() -> None:
    page = text_of("errors.md").partition("## Outcomes")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(get_args(Outcome))


def error_codes() -> Iterator[str]:
    """Codes as the source has them: `code = "…"`, `code="…"`, `refusal(status, "…")`, `error_body("…", text)`,
    `{"error": "…"}`."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield from _codes_in(node)


def _codes_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign) and any(
        getattr(target, "id", getattr(target, "attr", "")) == "code" for target in node.targets
    ):
        yield from _texts(node.value)
    elif isinstance(node, ast.Call):
        yield from (text for keyword in node.keywords if keyword.arg == "code" for text in _texts(keyword.value))
        if getattr(node.func, "id", "") == "refusal":
            yield from _texts(node.args[1])
        if getattr(node.func, "id", "") == "error_body":
            yield from _texts(node.args[0])
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from (text for key, value in pairs if "error" in _texts(key) for text in _texts(value))


def _texts(node: ast.expr | None) -> list[str]:
    """A constant text, or the two that `invalid_{format}` stands for."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr) and "invalid_" in ast.unparse(node):
        return ["invalid_json", "invalid_yaml"]
    return []
