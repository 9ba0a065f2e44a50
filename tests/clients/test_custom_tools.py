"""OpenAI's client and custom tools on the preset: their calls in both APIs, and texts that Lark finds to be valid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.sdk import Saw, run_scenarios

pytestmark = pytest.mark.clients(group="providers")

TOLD = "All is noted."


@pytest.fixture(scope="module")
def saw(client_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saw]:
    script = tmp_path_factory.mktemp("script") / "script.json"
    when = {"toolName": "note", "toolResultContains": "It is noted."}
    script.write_text(json.dumps([{"when": when, "reply": {"text": TOLD}}]), encoding="utf-8")
    with running_mockd(settings=Settings(preset="llm", preset_script=str(script))) as mockd:
        yield run_scenarios(client_python("providers"), "custom_tools", mockd.url)


def test_texts_are_valid(saw: Saw) -> None:
    assert set(saw["grammars"].values()) == {True}


def test_chat(saw: Saw) -> None:
    message, told = saw["chat"]
    [call] = message["tool_calls"]
    assert (call["type"], call["custom"], message["content"]) == ("custom", {"name": "note", "input": "text"}, None)
    assert told == TOLD


def test_chat_stream(saw: Saw) -> None:
    first, *others = saw["chat_stream"]
    assert (first["type"], first["custom"]) == ("custom", {"name": "note", "input": ""})
    assert "".join(piece["custom"]["input"] for piece in others) == "text"


def test_responses(saw: Saw) -> None:
    seen = saw["responses"]
    assert seen["events"] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
        "response.completed",
    ]
    call = seen["call"]
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "note", "text")
    assert seen["told"] == [TOLD, TOLD]


def test_a_reference_to_no_item(saw: Saw) -> None:
    assert saw["unknown_reference"] == [404, "input", "Item with id 'ctc_1' not found."]
