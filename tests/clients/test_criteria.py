"""The clients' own requests, told apart by a script, and what they ask for with tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.sdk import Saw, run_scenarios

pytestmark = pytest.mark.clients(group="providers")

BOTH = {"text": "Both.", "toolCalls": [{"name": "look"}, {"name": "wait"}]}
SCRIPT: list[dict[str, Any]] = [
    {"when": {"system": "You are Ada"}, "reply": {"text": "By the system prompt."}},
    {"when": {"schema": "City"}, "reply": {"text": '{"name": "Rome"}'}},
    {"when": {"headers": {"X-Team": "blue"}}, "reply": {"text": "By a header."}},
    {"when": {"bodyJsonPath": {"$.metadata.kind": "gold"}}, "reply": {"text": "By the body."}},
    {"when": {"toolName": "local_shell", "toolResultContains": "station-7"}, "reply": {"text": "By a local shell."}},
    {"when": {"toolName": "note", "toolResultContains": "noted"}, "reply": {"text": "By a custom tool."}},
    {"when": {"toolName": "shell", "toolResultContains": "station-8"}, "reply": {"text": "By a shell."}},
    {"when": {"toolName": "apply_patch", "toolResultContains": "no such file"}, "reply": {"text": "By a patch."}},
    {"when": {"toolName": "computer", "toolResult": True, "step": 1}, "reply": {"text": "By a computer."}},
    {"when": {"toolName": "remove", "toolResultContains": "denied"}, "reply": {"text": "By an approval."}},
    {"when": {"provider": "anthropic", "stream": True}, "reply": {"text": "A stream."}},
    {"when": {"provider": "anthropic", "stream": False}, "reply": {"text": "One piece."}},
    {"when": {"contains": "both"}, "reply": BOTH},
    {"when": {"tools": []}, "reply": {"text": "Without tools."}},
]


@pytest.fixture(scope="module")
def saw(client_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saw]:
    file = tmp_path_factory.mktemp("script") / "script.json"
    file.write_text(json.dumps(SCRIPT), encoding="utf-8")
    with running_mockd(settings=Settings(preset="llm", preset_script=str(file))) as mockd:
        yield run_scenarios(client_python("providers"), "criteria", mockd.url)


def test_chats(saw: Saw) -> None:
    assert saw["chats"] == {
        "system": "By the system prompt.",
        "schema": "Rome",
        "headers": "By a header.",
        "bodyJsonPath": "By the body.",
        "tools": "Without tools.",
    }


def test_which_tools_may_be_called(saw: Saw) -> None:
    assert saw["choices"] == {
        "any": [["look", "wait"], "Both."],
        "one at a time": [["look"], "Both."],
        "none": [[], "Both."],
    }


def test_results_of_tools_that_are_no_functions(saw: Saw) -> None:
    tools = ["a local shell", "a custom tool", "a shell", "a patch", "a computer", "an approval"]
    assert saw["results"] == [f"By {tool}." for tool in tools]


def test_providers_and_streams(saw: Saw) -> None:
    assert saw["provider"] == ["A stream.", "One piece."]


def test_offered_tools_are_called_once(client_python: Callable[[str], Path]) -> None:
    with running_mockd(settings=Settings(preset="llm", auto_tools=True)) as mockd:
        called, answer = run_scenarios(client_python("providers"), "auto_tools", mockd.url)["openai"]
    assert answer == "Hi there"
    assert [name for name, _ in called] == ["look", "wait"]
    looked = called[0][1]
    assert looked.keys() == {"city", "days"}
    assert looked["days"] >= 2
