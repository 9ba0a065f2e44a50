"""What a mock counts, and when it starts again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths, parse_collection
from mockd.engine import Engine
from mockd.store import MemoryStore


def reply(mock_id: str, body: str = "", **parts: Any) -> dict[str, Any]:
    return {"id": mock_id, "matcher": {"path": f"/{mock_id}"}, "response": {"body": body}, **parts}


def count(engine: Engine, mock_id: str = "a", key: str = "", name: str = "error") -> int:
    return engine.mock_set.served.find(mock_id).counters.count(key, name)


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    for mock_id in "ab":
        engine.create(reply(mock_id))
        count(engine, mock_id)
        count(engine, mock_id)
    return engine


def imported(engine: Engine, *docs: dict[str, Any], replace: bool = False) -> None:
    engine.import_specs(parse_collection(list(docs), root=None), replace=replace, dry_run=False)


def test_counters_are_of_one_mock_key_and_name(engine: Engine) -> None:
    assert [count(engine), count(engine, key="k"), count(engine, name="n"), count(engine, "b")] == [3, 1, 1, 3]
    assert [count(engine), count(engine, key="k"), count(engine, name="n"), count(engine, "b")] == [4, 2, 2, 4]


STARTS_AGAIN: dict[str, Callable[[Engine], object]] = {
    "replace": lambda engine: engine.replace("a", reply("a", "new")),
    "patch": lambda engine: engine.patch("a", {"response": {"status": 201}}),
    "import": lambda engine: imported(engine, reply("a", "new")),
    "import of all": lambda engine: imported(engine, reply("a", "new"), reply("b"), replace=True),
    "another matcher": lambda engine: engine.replace("a", {**reply("a"), "matcher": {"path": "/new"}}),
    "another priority": lambda engine: engine.patch("a", {"priority": 1}),
    "a scenario": lambda engine: engine.patch("a", {"scenario": {"name": "s", "when": "start"}}),
    "delete": lambda engine: (engine.delete("a"), engine.create(reply("a"))),
}

GOES_ON: dict[str, Callable[[Engine], object]] = {
    "replace by the same": lambda engine: engine.replace("a", reply("a")),
    "replace with another name": lambda engine: engine.replace("a", reply("a", name="new")),
    "empty patch": lambda engine: engine.patch("a", {}),
    "import of the same": lambda engine: imported(engine, reply("a"), reply("b"), replace=True),
    "toggle": lambda engine: (engine.toggle("a"), engine.toggle("a")),
    "a change of another": lambda engine: engine.create(reply("c")),
}


@pytest.mark.parametrize("change", STARTS_AGAIN.values(), ids=STARTS_AGAIN)
def test_a_mock_that_is_changed_starts_again(engine: Engine, change: Callable[[Engine], object]) -> None:
    change(engine)
    assert count(engine) == 1
    assert count(engine, "b") == 3


@pytest.mark.parametrize("change", GOES_ON.values(), ids=GOES_ON)
def test_what_changes_nothing_resets_nothing(engine: Engine, change: Callable[[Engine], object]) -> None:
    change(engine)
    assert count(engine) == 3
    assert count(engine, "b") == 3


def test_a_reload_starts_again_only_what_was_saved(tmp_path: Path) -> None:
    file, engine = tmp_path / "mocks.yaml", Engine()
    text = "[{id: a, matcher: {path: /a}, response: {body: %s}}, {id: b, matcher: {path: /b}, response: {body: x}}]"
    for body, expected in (("x", (1, 1)), ("x", (2, 2)), ("y", (1, 3)), ("y", (2, 4))):
        file.write_text(text % body)
        engine.load(load_paths([str(file)]))
        assert (count(engine), count(engine, "b")) == expected


def test_an_engine_over_the_store_of_another_counts_on() -> None:
    store = MemoryStore()
    first = Engine(store=store)
    first.create(reply("a"))
    count(first)
    assert count(Engine(store=store)) == 2


def test_counters_of_a_changed_mock_start_again_for_every_key(engine: Engine) -> None:
    count(engine, key="k")
    count(engine, "b", key="k")
    engine.replace("a", reply("a", "new"))
    assert [count(engine, key="k"), count(engine, "b", key="k")] == [1, 2]
