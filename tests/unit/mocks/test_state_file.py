"""The state file: what is in it, that it is whole at every moment, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths, parse_collection
from mockd.engine import Engine
from mockd.errors import ConfigError, format_path
from mockd.mocks.state_file import StateFile
from mockd.settings import Settings


def reply(mock_id: str, **parts: Any) -> dict[str, Any]:
    return {"id": mock_id, "matcher": {"path": f"/{mock_id}"}, "response": {"body": mock_id}, **parts}


def started(state: Path, *configured: dict[str, Any]) -> Engine:
    engine = Engine(Settings(state=str(state)))
    engine.load(parse_collection(list(configured), root=None))
    return engine


def ids(engine: Engine) -> list[str]:
    return [spec.id for spec in engine.mocks()]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_a_restart_changes_nothing(state: Path) -> None:
    configured = [reply("a"), reply("b"), reply("c")]
    engine = started(state, *configured)
    engine.patch("b", {"name": "patched"})
    engine.create(reply("x", description="é \u2028 ${HOME} $${HOME}"))
    engine.delete("a")
    engine.replace("c", reply("c", priority=2))
    engine.create(reply("y"))
    again = started(state, *configured)
    assert again.export() == engine.export()
    assert ids(again) == ["b", "c", "x", "y"]
    assert again.export() == started(state, *configured).export()


def test_order_is_kept_and_what_is_new_comes_last(state: Path) -> None:
    engine = started(state, reply("a"), reply("b"))
    new = parse_collection([reply("b"), reply("x"), reply("a")], root=None)
    engine.import_specs(new, replace=True, dry_run=False)
    assert ids(started(state, reply("a"), reply("n"), reply("b"))) == ["b", "x", "a", "n"]


def test_a_deleted_mock_stays_deleted_until_it_is_made_again(state: Path) -> None:
    started(state, reply("a"), reply("b")).delete("a")
    assert ids(started(state, reply("a"), reply("b"))) == ["b"]
    started(state, reply("a"), reply("b")).create(reply("a", name="new"))
    again = started(state, reply("a"), reply("b"))
    assert ids(again) == ["b", "a"]
    assert again.get("a").mock.name == "new"


def test_made_up_ids_that_were_deleted_are_not_remembered_for_ever(state: Path) -> None:
    engine = started(state, reply("a"))
    for _ in range(20):
        doc = reply("x")
        del doc["id"]
        engine.delete(engine.create(doc).id)
    engine.delete("a")
    assert json.loads(state.read_text())["scopes"]["default"]["deleted"] == ["a"]


def test_state_wins_over_configuration_by_id(state: Path) -> None:
    started(state, reply("a"), reply("b")).patch("a", {"name": "kept"})
    again = started(state, reply("a", name="saved"), reply("b", name="saved"))
    assert [spec.mock.name for spec in again.mocks()] == ["kept", "saved"]


def test_the_file_has_flat_mocks_with_what_was_given(state: Path) -> None:
    engine = started(state, reply("a"))
    engine.create({"type": "http", "http": {"matcher": {"path": "/n"}, "response": {"body": 1.0}}, "id": "n"})
    assert json.loads(state.read_text()) == {
        "format": 1,
        "scopes": {
            "default": {
                "order": ["a", "n"],
                "deleted": [],
                "changed": [{"mock": {"id": "n", "matcher": {"path": "/n"}, "response": {"body": 1.0}}}],
            }
        },
    }


def test_without_changes_there_is_no_file(state: Path) -> None:
    started(state, reply("a"))
    assert not state.exists()


def test_numbers_and_text_keep_their_value(state: Path) -> None:
    data = {"int": 10**3000, "small": 1e-320, "text": "\ud83c\udf88".encode("utf-16", "surrogatepass").decode("utf-16")}
    started(state).create(reply("a", response={"body": data}))
    assert started(state).get("a").doc["response"]["body"] == data


def test_environment_values_are_not_written_down_but_read_again(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(reply("a", response={"body": "${SECRET}", "delay": "${PAUSE}"})))

    def start() -> Engine:
        engine = Engine(Settings(state=str(state)))
        engine.load(load_paths([str(config)]))
        return engine

    monkeypatch.setenv("SECRET", "first")
    monkeypatch.setenv("PAUSE", "5")
    engine = start()
    engine.patch("a", {"name": "${literal}"})
    assert "first" not in state.read_text()
    monkeypatch.setenv("SECRET", "second")
    again = start()
    assert again.export() == engine.export()
    assert again.get("a").values["response"] == {"body": "second", "delay": 5}
    assert again.get("a").mock.name == "${literal}"
    monkeypatch.delenv("SECRET")
    with pytest.raises(ConfigError, match="`SECRET` is not set") as error:
        Engine(Settings(state=str(state)))
    assert error.value.problems[0].source == str(state)


def test_data_files_are_found_again(state: Path, tmp_path: Path) -> None:
    data = tmp_path / "events.json"
    data.write_text('["one"]')
    engine = Engine(Settings(state=str(state), files_root=str(tmp_path)))
    engine.create({"id": "a", "matcher": {"path": "/"}, "sse": {"eventsFile": "events.json"}})
    assert ids(Engine(Settings(state=str(state)))) == ["a"]
    data.unlink()
    with pytest.raises(ConfigError, match=r"there is no file 'events\.json'") as error:
        Engine(Settings(state=str(state)))
    assert error.value.problems[0].source == str(state)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a state file of mockd"),
        ("{", "not a state file of mockd"),
        ("[]", "not a state file of mockd"),
        ("null", "not a state file of mockd"),
        ("{}", "not a state file of mockd"),
        ("[" * 100_000, "not a state file of mockd"),
        ("\x00\xff", "not a state file of mockd"),
        ('{"format": 2}', "written by another version of mockd (format 2)"),
        ('{"format": 1}', "not a state file of mockd"),
        ('{"format": 1, "scopes": []}', "not a state file of mockd"),
        ('{"format": 1, "scopes": {"default": {}}}', "not a state file of mockd"),
        ('{"format": 1, "scopes": {"default": {"order": [], "deleted": [[]], "changed": []}}}', "not a state file"),
        ('{"format": 1, "scopes": {"default": {"order": [], "deleted": [], "changed": [{}]}}}', "not a state file"),
        (
            '{"format": 1, "scopes": {"default": {"order": [], "deleted": [], "changed": [{"mock": {}}]}}}',
            "changed[0].mock: ",
        ),
        (
            json.dumps({"format": 1, "scopes": {"s": {"order": [], "deleted": [], "changed": [{"mock": reply("")}]}}}),
            "$.scopes.s.changed[0].mock.id: ",
        ),
    ],
    ids=lambda value: value[:40],
)
def test_a_broken_file_is_refused_and_left_alone(state: Path, text: str, reason: str) -> None:
    state.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as error:
        Engine(Settings(state=str(state)))
    assert reason in str(error.value)
    assert str(state) in str(error.value)
    assert state.read_bytes() == text.encode("latin-1")


def test_a_folder_in_its_place_and_no_folder_for_it_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no regular file"):
        Engine(Settings(state=str(tmp_path)))
    with pytest.raises(ConfigError, match="there is no folder"):
        Engine(Settings(state=str(tmp_path / "none" / "state.json")))


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"name": "\ud800"}, "$.scopes.default.changed[0].mock.name"),
        ({"response": {"body": {"\udfff": 1}}}, "$.scopes.default.changed[0].mock.response.body"),
        ({"response": {"body": [float("nan")]}}, "$.scopes.default.changed[0].mock.response.body[0]"),
    ],
)
def test_what_could_not_be_sent_is_refused_with_its_place(state: Path, parts: dict[str, Any], path: str) -> None:
    saved = {"order": [], "deleted": [], "changed": [{"mock": reply("a", **parts)}]}
    state.write_text(json.dumps({"format": 1, "scopes": {"default": saved}}))
    with pytest.raises(ConfigError) as error:
        Engine(Settings(state=str(state)))
    assert [(format_path(problem.path), problem.source) for problem in error.value.problems] == [(path, str(state))]


def test_a_folder_whose_name_is_not_utf_8_is_found_again(state: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "events.json").write_text('["one"]')
    engine = Engine(Settings(state=str(state), files_root=str(folder)))
    engine.create({"id": "a", "matcher": {"path": "/"}, "sse": {"eventsFile": "events.json"}})
    assert Engine(Settings(state=str(state))).get("a").root == folder


def test_what_a_kill_left_is_removed_and_nothing_else(state: Path, tmp_path: Path) -> None:
    left = [".state.json.abcd_123.tmp", ".state.json.00000000.tmp"]
    others = [".state.json.personal", ".state.json.x.abcd_123.tmp", ".other.json.abcd_123.tmp", "state.json.tmp"]
    for name in (*left, *others):
        (tmp_path / name).touch()
    started(state)
    assert set(os.listdir(tmp_path)) == {*others, ".state.json.lock"}


def test_the_file_is_whole_at_every_moment(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill at any of the steps of a change leaves the mocks from before it, or those after it."""
    engine = started(state, reply("a"))
    engine.create(reply("b"))
    steps = []

    class KilledError(BaseException):
        pass

    def killed_at(step: int) -> None:
        count = 0

        def watch(plain: Any) -> Any:
            def call(*args: Any, **given: Any) -> Any:
                nonlocal count
                count += 1
                if count == step:
                    raise KilledError
                steps.append(plain)
                return plain(*args, **given)

            return call

        with monkeypatch.context() as patched:
            for name in ("fsync", "replace", "fdopen"):
                patched.setattr(os, name, watch(getattr(os, name)))
            patched.setattr(os, "unlink", lambda name: None)  # the dead clean up nothing
            engine.create(reply(f"n{step}"))

    for step in range(1, 5):
        before = ids(started(state, reply("a")))
        try:
            killed_at(step)
        except KilledError:
            assert ids(started(state, reply("a"))) in (before, [*before, f"n{step}"])
            assert ids(engine) == before or step == 4
    assert len(set(steps)) == 3


def test_a_failed_write_leaves_nothing_lying_about(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = started(state, reply("a"))

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Exception, match="No space left"):
            engine.create(reply("b"))
    assert os.listdir(state.parent) == [".state.json.lock"]
    engine.create(reply("b"))
    assert set(os.listdir(state.parent)) == {".state.json.lock", "state.json"}


def test_a_folder_that_cannot_be_synced_is_no_failure(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folders(path: Any, flags: int, *args: Any, **given: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied")
        return plain(path, flags, *args, **given)

    plain = os.open
    monkeypatch.setattr(os, "open", no_folders)
    started(state, reply("a")).create(reply("b"))
    assert ids(started(state, reply("a"))) == ["a", "b"]


def test_a_link_stays_a_link(state: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    state.symlink_to(tmp_path / "real" / "state.json")
    started(state, reply("a")).create(reply("b"))
    assert state.is_symlink()
    assert ids(started(state, reply("a"))) == ["a", "b"]


def test_scopes_share_a_file(state: Path) -> None:
    store = StateFile(state)
    for scope in ("one", "two"):
        Engine(store=store, scope=scope).create(reply(scope))
    again = StateFile(state)
    assert [ids(Engine(store=again, scope=scope)) for scope in ("one", "two", "three")] == [["one"], ["two"], []]
