"""The set of mocks: every change is whole or leaves no trace, and streams live or end as they should."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths, parse_collection
from mockd.engine import Engine
from mockd.errors import ConfigError, ConflictError, MockdError, NotFoundError
from mockd.matching import Match
from mockd.mocks.state_file import StateError
from mockd.request import RequestView
from mockd.settings import Settings
from mockd.store import MemoryStore
from tests.manual_clock import ManualClock, settle
from tests.stream.harness import Exchange

pytestmark = pytest.mark.anyio


def mock(mock_id: str, path: str | None = None, **parts: Any) -> dict[str, Any]:
    """An endless stream of an event a second at a path of its own."""
    sse = {"events": [{"data": mock_id}], "repeat": 0, "timing": {"fixedDelay": 1000}, "resume": {"enabled": True}}
    return {"id": mock_id, "matcher": {"path": path or f"/{mock_id}"}, "sse": sse, **parts}


def reply(mock_id: str, path: str = "/x", **parts: Any) -> dict[str, Any]:
    return {"id": mock_id, "matcher": {"path": path}, "response": {"body": mock_id}, **parts}


class Bench:
    """An engine with a state file, three mocks, and a stream of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state.json"
        self.clock = ManualClock()
        settings = Settings(state=str(self.state), files_root=str(folder))
        self.engine = Engine(settings, clock=self.clock)
        self.engine.load(parse_collection([mock("a"), mock("b"), mock("c")], root=folder))
        self.streams: dict[str, Exchange] = {}

    async def start(self) -> Bench:
        self.engine.patch("b", {"name": "changed"})
        for mock_id in "abc":
            self.streams[mock_id] = Exchange(self.engine, self.clock).start(f"/{mock_id}")
        await settle()
        return self

    @property
    def ids(self) -> list[str]:
        return [spec.id for spec in self.engine.mocks()]

    @property
    def everything(self) -> Any:
        return (
            self.engine.export(),
            self.state.read_bytes(),
            sorted(os.listdir(self.folder)),
            self.engine.connections.live(),
            {mock_id: self.engine.streams.buffer(mock_id) for mock_id in self.ids},
        )

    @property
    def open_streams(self) -> str:
        return "".join(mock_id for mock_id, stream in self.streams.items() if stream.is_open)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    return await Bench(tmp_path).start()


# -- nothing half applied ----------------------------------------------------------------------------------------------

REFUSED: dict[str, Callable[[Engine], object]] = {
    "create with an id that is taken": lambda engine: engine.create(mock("a")),
    "create without a matcher": lambda engine: engine.create({"sse": {"events": [{"data": "1"}]}}),
    "create with an unknown template": lambda engine: engine.create(reply("n") | {"sse": {"template": "no"}}),
    "create with a file that is not there": lambda engine: engine.create(
        {"matcher": {"path": "/"}, "sse": {"eventsFile": "none.json"}}
    ),
    "create with one id twice": lambda engine: engine.create(
        mock("n", sse={"events": [{"id": "1", "data": ""}] * 2, "resume": {"enabled": True}})
    ),
    "replace one that is not there": lambda engine: engine.replace("none", mock("none")),
    "replace with another id": lambda engine: engine.replace("a", mock("b")),
    "replace with nonsense": lambda engine: engine.replace("a", []),
    "patch one that is not there": lambda engine: engine.patch("none", {}),
    "patch away what it needs": lambda engine: engine.patch("a", {"matcher": None}),
    "patch the id": lambda engine: engine.patch("a", {"id": "z"}),
    "patch in a bad placeholder": lambda engine: engine.patch("a", {"sse": {"events": [{"data": "$random:9:1"}]}}),
    "toggle one that is not there": lambda engine: engine.toggle("none"),
    "delete one that is not there": lambda engine: engine.delete("none"),
    "import with one that is wrong": lambda engine: engine.import_specs(
        parse_collection([reply("a"), mock("n"), mock("o", sse={"template": "no"})], root=None),
        replace=True,
        dry_run=False,
    ),
    "load with one that is wrong": lambda engine: engine.load(
        parse_collection([reply("a"), mock("o", sse={"template": "no"})], root=None)
    ),
    "a dry run": lambda engine: engine.import_specs(
        parse_collection([reply("a")], root=None), replace=True, dry_run=True
    ),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
async def test_what_is_refused_leaves_no_trace(bench: Bench, change: Callable[[Engine], object]) -> None:
    before = bench.everything
    if change is REFUSED["a dry run"]:
        assert change(bench.engine) == 1
    else:
        with pytest.raises(MockdError):
            change(bench.engine)
    await settle()
    assert bench.everything == before
    assert bench.open_streams == "abc"


async def test_a_change_that_cannot_be_put_on_disk_leaves_no_trace(bench: Bench, monkeypatch: Any) -> None:
    before = bench.everything

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for change in (
        lambda: bench.engine.create(mock("d")),
        lambda: bench.engine.patch("a", {"sse": {"repeat": 3}}),
        lambda: bench.engine.delete("a"),
        lambda: bench.engine.import_specs(parse_collection([reply("a")], root=None), replace=True, dry_run=False),
    ):
        with pytest.raises(StateError, match="No space left on device; nothing was changed"):
            change()
    await settle()
    assert bench.everything == before
    assert bench.open_streams == "abc"


async def test_every_wrong_mock_of_an_import_is_told(bench: Bench) -> None:
    wrong = [mock("x", sse={"template": "no"}), mock("y"), mock("z", sse={"template": "neither"})]
    with pytest.raises(ConfigError) as error:
        bench.engine.import_specs(parse_collection(wrong, root=None), replace=False, dry_run=False)
    assert [problem.path for problem in error.value.problems] == [(0, "sse", "template"), (2, "sse", "template")]


# -- which streams end -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patch", "still_open"),
    [
        ({"name": "new"}, "abc"),
        ({"description": "new"}, "abc"),
        ({"priority": 7}, "abc"),
        ({"matcher": {"path": "/elsewhere"}}, "abc"),
        ({"matcher": {"method": "GET"}, "name": None}, "abc"),
        ({"sse": {"repeat": 0}}, "abc"),
        ({"sse": {"repeat": 2}}, "bc"),
        ({"sse": {"timing": {"fixedDelay": 999}}}, "bc"),
        ({"sse": {"events": [{"data": True}]}}, "bc"),
        ({"sse": {"lifecycle": {"keepaliveInterval": 5}}}, "bc"),
        ({"sse": None, "response": {}}, "bc"),
        ({"sse": None, "chunked": {"data": "x"}}, "bc"),
        ({"enabled": False}, "bc"),
    ],
    ids=str,
)
async def test_a_patch_ends_streams_only_where_they_change(bench: Bench, patch: Any, still_open: str) -> None:
    bench.engine.patch("a", patch)
    await settle()
    assert bench.open_streams == still_open
    assert bench.engine.get("a").doc["id"] == "a"


async def test_one_is_not_true(bench: Bench) -> None:
    bench.engine.patch("a", {"sse": {"events": [{"data": 1}]}})
    stream = Exchange(bench.engine, bench.clock).start("/a")
    await settle()
    bench.engine.patch("a", {"sse": {"events": [{"data": True}]}})
    await settle()
    assert not stream.is_open


async def test_a_replacement_that_sends_the_same_ends_nothing(bench: Bench) -> None:
    bench.engine.replace("a", mock("a", name="other"))
    bench.engine.import_specs(parse_collection([mock("b", priority=2)], root=None), replace=False, dry_run=False)
    await settle()
    assert bench.open_streams == "abc"
    bench.engine.replace("a", reply("a"))
    await settle()
    assert bench.open_streams == "bc"


async def test_a_deleted_mock_and_one_that_an_import_replaces_end_their_streams(bench: Bench) -> None:
    bench.engine.delete("a")
    await settle()
    assert bench.open_streams == "bc"
    bench.engine.import_specs(parse_collection([mock("c")], root=None), replace=True, dry_run=False)
    await settle()
    assert bench.open_streams == "c"
    assert bench.ids == ["c"]


async def test_a_stream_whose_mock_was_moved_is_still_counted_as_its(bench: Bench) -> None:
    bench.engine.patch("a", {"matcher": {"path": "/moved"}})
    assert bench.engine.streams.close_all("a") == 1
    await settle()
    assert bench.open_streams == "bc"


# -- places ------------------------------------------------------------------------------------------------------------


def answer_of(engine: Engine) -> str:
    """The id of the mock that answers /x."""
    scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": []}
    found = engine.mock_set.served.table.resolve(RequestView(scope))
    return found.target.spec.id if isinstance(found, Match) else ""


def test_changes_keep_a_mocks_place() -> None:
    engine = Engine()
    for mock_id in "abc":
        engine.create(reply(mock_id))
    assert answer_of(engine) == "c"
    engine.replace("a", reply("a", name="replaced"))
    engine.patch("b", {"name": "patched"})
    engine.toggle("a")
    engine.toggle("a")
    engine.import_specs(parse_collection([reply("b"), reply("d")], root=None), replace=False, dry_run=False)
    assert [spec.id for spec in engine.mocks()] == ["a", "b", "c", "d"]
    assert answer_of(engine) == "d"
    engine.toggle("d")
    assert answer_of(engine) == "c"
    engine.delete("c")
    engine.create(reply("c"))
    assert [spec.id for spec in engine.mocks()] == ["a", "b", "d", "c"]


def test_an_import_that_replaces_has_the_order_of_its_file() -> None:
    engine = Engine()
    for mock_id in "abc":
        engine.create(reply(mock_id))
    new = parse_collection([reply("c"), reply("n"), reply("a")], root=None)
    assert engine.import_specs(new, replace=True, dry_run=False) == 3
    assert [spec.id for spec in engine.mocks()] == ["c", "n", "a"]
    assert answer_of(engine) == "a"


def test_what_is_not_there_and_what_is_taken() -> None:
    engine = Engine()
    engine.create(reply("a"))
    with pytest.raises(ConflictError, match="PUT /mocks/a replaces it"):
        engine.create(reply("a"))
    streams = engine.streams
    for change in (engine.get, engine.delete, engine.toggle, streams.buffer, streams.clear_buffer, streams.close_all):
        with pytest.raises(NotFoundError):
            change("b")  # type: ignore[operator]


# -- configuration files, loaded again ---------------------------------------------------------------------------------


class Files:
    """An engine of a configuration file that is saved and loaded again."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.file = folder / "mocks.json"
        self.engine = Engine(Settings(**settings), clock=ManualClock())

    def save(self, *mocks: dict[str, Any]) -> list[str]:
        self.file.write_text(json.dumps(list(mocks)))
        self.engine.load(load_paths([str(self.file)]))
        return self.ids

    @property
    def ids(self) -> list[str]:
        return [spec.id for spec in self.engine.mocks()]

    @property
    def names(self) -> dict[str, str | None]:
        return {spec.id: spec.mock.name for spec in self.engine.mocks()}


def test_changes_through_admin_outlive_a_reload_that_is_not_about_them(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.save(reply("a"), reply("b"), reply("c"))
    files.engine.patch("a", {"name": "patched"})
    files.engine.delete("b")
    files.engine.create(reply("x"))
    assert files.save(reply("a"), reply("b"), reply("c", name="saved")) == ["a", "c", "x"]
    assert files.names == {"a": "patched", "c": "saved", "x": None}


def test_a_mock_that_was_saved_is_as_its_file_says(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.save(reply("a"), reply("b"))
    files.engine.patch("a", {"name": "patched"})
    files.engine.delete("b")
    files.save(reply("a", name="saved"), reply("b", name="saved too"))
    assert files.names == {"a": "saved", "b": "saved too"}


def test_a_mock_that_was_taken_out_of_its_file_is_gone(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.save(reply("a"), reply("b"))
    files.engine.patch("a", {"name": "patched"})
    assert files.save(reply("b")) == ["b"]
    files.save(reply("a"), reply("b"))
    assert files.names == {"a": None, "b": None}


def test_with_a_state_file_changes_win_over_files_that_are_saved(tmp_path: Path) -> None:
    files = Files(tmp_path, state=str(tmp_path / "state"))
    files.save(reply("a"), reply("b"), reply("c"))
    files.engine.patch("a", {"name": "patched"})
    files.engine.delete("b")
    files.save(reply("a", name="saved"), reply("b", name="saved"), reply("c", name="saved"))
    assert files.names == {"a": "patched", "c": "saved"}


async def test_a_reload_ends_only_streams_that_change(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.save(mock("a"), mock("b"))
    clock = files.engine.clock
    assert isinstance(clock, ManualClock)
    streams = [Exchange(files.engine, clock).start(f"/{mock_id}") for mock_id in "ab"]
    await settle()
    changed = mock("b")
    changed["sse"]["repeat"] = 7
    files.save(mock("n"), mock("a", name="renamed"), changed)
    await settle()
    assert [stream.is_open for stream in streams] == [True, False]


async def test_a_reload_reads_data_files_again_and_a_patch_does_not(tmp_path: Path) -> None:
    data = tmp_path / "events.json"
    data.write_text('["one"]')
    files = Files(tmp_path)
    with_file = mock("a", sse={"eventsFile": "events.json", "repeat": 0, "timing": {"fixedDelay": 1000}})
    files.save(with_file)
    clock = files.engine.clock
    assert isinstance(clock, ManualClock)
    stream = Exchange(files.engine, clock).start("/a")
    await settle()
    data.write_text('["another"]')
    files.engine.patch("a", {"name": "renamed"})
    await clock.advance(1)
    assert stream.is_open
    files.save(with_file)
    await settle()
    assert not stream.is_open
    again = Exchange(files.engine, clock).start("/a")
    await settle()
    assert again.events[0][1] == "another"


async def test_a_data_file_that_is_gone_stands_in_no_ones_way(tmp_path: Path) -> None:
    data = tmp_path / "events.json"
    data.write_text('["one"]')
    files = Files(tmp_path, files_root=str(tmp_path))
    files.save(mock("a", sse={"eventsFile": "events.json"}), reply("b"))
    files.engine.create(mock("c", sse={"eventsFile": "events.json"}))
    data.unlink()
    files.engine.create(reply("d"))
    files.engine.patch("b", {"name": "renamed"})
    files.engine.import_specs(parse_collection([reply("e")], root=None), replace=False, dry_run=False)
    # Even they can be changed in what is not the file.
    for mock_id in ("a", "c"):
        files.engine.patch(mock_id, {"name": "renamed"})
        assert files.engine.toggle(mock_id).mock.enabled is False
    with pytest.raises(ConfigError, match="no file"):
        files.engine.patch("a", {"sse": {"repeat": 2}})
    files.engine.delete("a")
    files.engine.delete("c")
    assert files.ids == ["b", "d", "e"]


# -- the store ---------------------------------------------------------------------------------------------------------


async def test_an_engine_over_the_store_of_another_goes_on_where_that_was() -> None:
    store, clock = MemoryStore(), ManualClock()
    first = Engine(clock=clock, store=store)
    first.create(mock("a", sse={"events": [{"data": "$uuid"}] * 3, "resume": {"enabled": True}}))
    first.create(mock("b"))
    first.delete("b")
    stream = Exchange(first, clock).start("/a")
    await settle()
    ids = [entry["id"] for entry in first.streams.buffer("a")]
    assert first.connections.stats()["totalEventsSent"] == 3
    second = Engine(clock=clock, store=store)
    assert [spec.id for spec in second.mocks()] == ["a"]
    again = Exchange(second, clock).start("/a", headers={"Last-Event-ID": ids[0]})
    await settle()
    assert again.events == stream.events[1:]
    assert second.connections.stats()["totalEventsSent"] == 5


async def test_scopes_of_one_store_know_nothing_of_each_other() -> None:
    store, clock = MemoryStore(), ManualClock()
    engines = [Engine(clock=clock, store=store, scope=scope) for scope in ("ann", "bob")]
    engines[0].create(mock("a"))
    stream = Exchange(engines[0], clock).start("/a")
    await settle()
    await stream.hang_up()
    assert engines[1].mocks() == []
    assert engines[1].connections.stats()["totalConnections"] == 0
    engines[1].create(mock("a"))
    assert engines[1].streams.buffer("a") == []
    assert len(engines[0].streams.buffer("a")) == 1


async def test_no_event_touches_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    touched = 0

    class Counting(MemoryStore):
        def add(self, *args: Any) -> int:
            nonlocal touched
            touched += 1
            return super().add(*args)

        def get(self, *args: Any) -> Any:
            nonlocal touched
            touched += 1
            return super().get(*args)

    clock = ManualClock()
    engine = Engine(clock=clock, store=Counting())
    engine.create(mock("a"))
    touched = 0
    stream = Exchange(engine, clock).start("/a")
    await clock.advance(100)
    assert len(stream.events) == 101
    await stream.hang_up()
    assert touched == 0


def test_the_seed_of_a_process_numbers_a_mocks_streams() -> None:
    def values() -> list[float]:
        engine = Engine(Settings(seed=5))
        engine.create(mock("a"))
        found = engine.mock_set.served.find("a")
        return [found.parts[0].plan.random(partial(found.counters.count, "")).random() for _ in range(3)]

    assert values() == values()
    assert len(set(values())) == 3
