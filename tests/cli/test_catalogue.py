"""`mockd templates` and `mockd presets`: everything there is, with its parameters."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import msgspec
import pytest

from mockd.config.load import parse_mock
from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.presets import configured
from mockd.presets.llm import LLM
from mockd.settings import Settings, env_name, option
from mockd.sources import kinds
from mockd.sources.llm import WIRES
from tests.cli.harness import Cli


def listed(cli: Cli) -> dict[str, dict[str, Any]]:
    result = cli("templates", "--json")
    assert result.code == 0
    return {template["name"]: template for template in result.json["templates"]}


def test_every_template_with_every_parameter(local_cli: Cli) -> None:
    found = listed(local_cli)
    assert set(found) == set(kinds())
    for name, kind in kinds().items():
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind.params)}
        names = [parameter["name"] for parameter in found[name]["parameters"]]
        assert names == [field for field in fields if field not in kind.lacks]
        assert all(parameter["meaning"] and parameter["type"] for parameter in found[name]["parameters"])
        assert found[name]["namedIn"] == f"{kind.part}.template"


def test_a_parameter_says_its_type_default_and_meaning(local_cli: Cli) -> None:
    parameters = {one["name"]: one for one in local_cli("templates", "openai-chat", "--json").json["parameters"]}
    assert parameters["echo"] == {
        "name": "echo",
        "type": "true or false",
        "default": "false",
        "meaning": "Say the last user message, where the reply has no content of its own.",
    }
    [name, *_] = parameters["toolCalls"]["parameters"]
    assert name == {"name": "name", "type": "text", "required": True, "meaning": "Name of the tool."}
    [_, *replies] = parameters["script"]["parameters"]
    assert [one["name"] for one in replies] == ["reply", "replies"]
    assert not any("parameters" in one for one in replies)  # those of the reply around them


def told_by_check(mock: dict[str, Any]) -> str | None:
    """What is wrong with a mock, if anything is."""
    try:
        Engine().check(parse_mock(mock, root=None))
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize("wire", WIRES)
def test_what_is_listed_is_what_a_mock_may_have(local_cli: Cli, wire: str) -> None:
    values = {
        "reasoning": "Hmm.",
        "toolCalls": [{"name": "f"}],
        "refusal": "No.",
        "citations": [{"url": "https://example.com"}],
        "model": "m",
        "usage": {"inputTokens": 1},
    }
    template = listed(local_cli)[wire]
    names = {parameter["name"] for parameter in template["parameters"]}
    part = template["namedIn"].partition(".")[0]
    for name, value in values.items():
        mock = {"matcher": {"path": "/"}, part: {"template": wire, "templateParams": {name: value}}}
        complaint = told_by_check(mock)
        assert complaint is None or "its wire has nothing for it" in complaint
        assert (name in names) is (complaint is None), name


def test_templates_for_people(local_cli: Cli) -> None:
    lines = local_cli("templates").out.splitlines()
    assert lines[0].split("  ")[0] == "NAME"
    assert len(lines) == 1 + len(kinds())
    assert any(line.startswith("ollama-chat ") and line.split()[1] == "chunked" for line in lines)


def test_one_template_for_people(local_cli: Cli) -> None:
    out = local_cli("templates", "notification-stream").out
    assert out.startswith("notification-stream: ")
    assert "sse.template" in out
    assert "includeTimestamp" in out
    assert "toolCalls.arguments" in local_cli("templates", "openai-chat").out


def test_a_template_that_is_not_there(local_cli: Cli) -> None:
    result = local_cli("templates", "openai", "--json")
    assert (result.code, result.json["error"]) == (2, "not_found")
    assert "openai-chat" in result.json["message"]


def test_templates_of_plug_ins_are_listed(local_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint("tale", "tests.stream.plug_ins:TALE", "mockd.sources")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry])
    assert "tale" in listed(local_cli)


def test_a_plug_in_that_cannot_be_imported_is_named(local_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint("broken", "no_such_module:KIND", "mockd.sources")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry])
    result = local_cli("templates")
    assert result.code == 2
    assert "no_such_module:KIND" in result.err
    assert "unknown template `nope`" in (told_by_check({"matcher": {"path": "/"}, "sse": {"template": "nope"}}) or "")


def test_presets(local_cli: Cli) -> None:
    [preset] = local_cli("presets", "--json").json["presets"]
    assert preset["name"] == "llm"
    assert preset["baseUrls"] == LLM.base_urls
    paths = {spec.mock.matcher.path for spec in configured(Settings(preset="llm"))}
    assert {route["path"] for route in preset["routes"]} <= paths
    known = {option(name): name for name in Settings.__struct_fields__}
    assert {"--preset-script", "--no-side-calls"} <= {setting["option"] for setting in preset["settings"]}
    for setting in preset["settings"]:
        assert setting["variable"] == env_name(known[setting["option"]])
        assert setting["meaning"]


def test_presets_for_people(local_cli: Cli) -> None:
    out = local_cli("presets").out
    assert out.startswith("llm: ")
    for part in ("--preset-script", "/openai/v1", "/v1/messages", "anthropic-messages"):
        assert part in out
