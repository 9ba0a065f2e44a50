"""Mocks that are a key's own, the list of keys, and the way back to the start."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockd.client import AdminClient
from mockd.config.load import load_paths
from mockd.engine import Engine
from mockd.errors import AdminError
from mockd.keys.registry import KnownKeys
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client, eventually

ON = {"enabled": True}


def says(body: str, path: str = "/m", **parts: Any) -> dict[str, Any]:
    return {"id": "m", "matcher": {"path": path}, "response": {"body": body}, **parts}


def ticking(**parts: Any) -> dict[str, Any]:
    sse = {"events": [{"id": "a", "data": "tick"}], "repeat": 0, "timing": {"fixedDelay": 5}, "resume": ON}
    return {"id": "m", "matcher": {"path": "/m"}, "sse": sse, **parts}


@pytest.fixture
def server() -> Iterator[RunningMockd]:
    with running_mockd() as server:
        yield server


@pytest.fixture
def admin(server: RunningMockd) -> Iterator[AdminClient]:
    with server.admin() as admin:
        yield admin


def get(server: RunningMockd, path: str, key: str = "", **headers: str) -> str:
    return httpx2.get(f"{server.url}/~{key}{path}" if key else server.url + path, headers=headers).text


def refused(error: pytest.ExceptionInfo[AdminError]) -> tuple[int, str]:
    return error.value.status, error.value.code


def test_own_mocks_win_and_their_misses_fall_through(server: RunningMockd, admin: AdminClient) -> None:
    admin.create_mock(says("all", priority=9))
    admin.create_mock({**says("other", "/other"), "id": "o"})
    admin.create_mock(says("mine"), key="a")
    assert [get(server, "/m", key) for key in ("", "a", "b")] == ["all", "mine", "all"]
    assert [get(server, "/other", key) for key in ("", "a", "b")] == ["other"] * 3
    assert [admin.get_mock("m", key=key)["response"]["body"] for key in (None, "", "a")] == ["all", "all", "mine"]
    admin.delete_mock("m", key="a")
    assert get(server, "/m", "a") == "all"


def test_each_operation_is_about_the_keys_own(server: RunningMockd, admin: AdminClient) -> None:
    admin.create_mock(says("all"))
    admin.create_mock(says("mine"), key="a")
    admin.replace_mock("m", says("new"), key="a")
    assert (get(server, "/m", "a"), get(server, "/m")) == ("new", "all")
    admin.patch_mock("m", {"response": {"body": "newer"}}, key="a")
    assert (get(server, "/m", "a"), get(server, "/m")) == ("newer", "all")
    assert admin.toggle_mock("m", key="a")["mock"]["enabled"] is False
    assert (get(server, "/m", "a"), get(server, "/m")) == ("all", "all")
    assert [mock["id"] for mock in admin.list_mocks(key="a")["mocks"]] == ["m"]
    with pytest.raises(AdminError) as error:
        admin.create_mock(says("again"), key="a")
    assert refused(error) == (409, "conflict")


def test_of_unknown_keys_there_is_nothing(admin: AdminClient) -> None:
    admin.create_mock(says("all"))
    assert admin.list_mocks(key="a") == {"mocks": [], "total": 0, "count": 0}
    for call in (
        lambda: admin.get_mock("m", key="a"),
        lambda: admin.replace_mock("m", says("x"), key="a"),
        lambda: admin.patch_mock("m", {}, key="a"),
        lambda: admin.toggle_mock("m", key="a"),
        lambda: admin.delete_mock("m", key="a"),
        lambda: admin.list_mock_connections("x", key="a"),
        lambda: admin.get_buffer("x", key="a"),
        lambda: admin.delete_key("a"),
    ):
        with pytest.raises(AdminError) as error:
            call()
        assert refused(error) == (404, "not_found")
    assert admin.list_connections(key="a")["connections"] == []
    assert admin.list_keys()["total"] == 0


@pytest.mark.parametrize(
    "mock", [{}, {**says("x"), "surplus": 1}, {"matcher": {"path": "/"}, "sse": {"template": "no"}}]
)
def test_a_mock_that_is_refused_makes_no_key(admin: AdminClient, mock: dict[str, Any]) -> None:
    with pytest.raises(AdminError) as error:
        admin.create_mock(mock, key="a")
    assert error.value.status == 400
    assert admin.list_keys()["total"] == 0


def test_what_is_no_key_is_refused(server: RunningMockd, admin: AdminClient) -> None:
    for path in ("/mocks", "/mocks/m", "/sse/connections", "/sse/stats", "/mocks/m/sse/buffer"):
        answer = httpx2.get(f"{server.admin_url}{path}?key=a%20b")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_key")
        assert httpx2.get(f"{server.admin_url}{path}?key=a&key=b").status_code == 400
    for call in (lambda: admin.delete_key("a b"), lambda: admin.reset(key="!")):
        with pytest.raises(AdminError) as error:
            call()
        assert refused(error) == (400, "invalid_key")
    assert httpx2.get(f"{server.admin_url}/config?key=a").json()["error"] == "validation_error"
    assert httpx2.post(f"{server.admin_url}/config?key=a", json=[]).json()["error"] == "validation_error"


def test_a_misspelt_parameter_is_refused(server: RunningMockd) -> None:
    answer = httpx2.post(f"{server.admin_url}/mocks?keys=a", json=says("x"))
    assert (answer.status_code, answer.json()["hint"]) == (400, "did you mean `key`?")
    assert server.engine.mocks() == []


def test_own_mocks_are_neither_exported_nor_kept(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with running_mockd(settings=Settings(state=str(state))) as server, server.admin() as admin:
        admin.create_mock(says("all"))
        written = state.read_bytes()
        admin.create_mock({**says("mine"), "id": "own"}, key="a")
        admin.patch_mock("own", {"priority": 1}, key="a")
        assert state.read_bytes() == written
        assert "own" not in json.dumps(admin.export_config())
        assert admin.get_status()["mockCount"] == 1
    assert [spec.id for spec in Engine(Settings(state=str(state))).mocks()] == ["m"]


def test_adding_one_builds_nothing_of_others(server: RunningMockd, admin: AdminClient) -> None:
    admin.create_mock(says("all"))
    admin.create_mock(says("a"), key="a")
    engine = server.engine
    before = [engine.mock_set.served, engine.by_key.of("a").served]  # type: ignore[union-attr]
    admin.create_mock(says("b"), key="b")
    assert [engine.mock_set.served, engine.by_key.of("a").served] == before  # type: ignore[union-attr]
    assert engine.mock_set.served is before[0]


def test_near_misses_are_of_both(server: RunningMockd, admin: AdminClient) -> None:
    for mock_id, key in (("all", ""), ("mine", "a")):
        admin.create_mock({"id": mock_id, "matcher": {"method": "POST", "path": "/m"}, "response": {}}, key=key)
    named = [{miss["mockId"] for miss in json.loads(get(server, "/m", key))["nearMisses"]} for key in ("", "a", "b")]
    assert named == [{"all"}, {"all", "mine"}, {"all"}]


def test_settings_for_all_mocks_are_for_own_ones_too(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("from a file")
    settings = Settings(seed=3, files_root=str(tmp_path), max_sessions=2)
    with running_mockd(settings=settings) as server, server.admin() as admin:
        for key in ("", "a"):
            admin.create_mock({**says("$uuid"), "id": "s"}, key=key)
        assert get(server, "/m") == get(server, "/m", "a") != get(server, "/m")
        admin.create_mock({"matcher": {"path": "/f"}, "chunked": {"dataFile": "data.txt"}}, key="a")
        assert get(server, "/f", "a") == "from a file"


def test_changing_an_own_mock_ends_its_streams_alone(server: RunningMockd, admin: AdminClient) -> None:
    admin.create_mock(ticking())
    with Client(server.url) as for_all, Client(server.url) as own, Client(server.url) as of_b:
        of_a = [for_all.ask("/~a/m")]
        for_all.read_until(b"tick")
        for key in "ab":
            admin.create_mock(ticking(), key=key)
        own.ask("/~a/m").read_until(b"tick")
        of_b.ask("/~b/m").read_until(b"tick")
        assert len(admin.list_mock_connections("m", key="a")["connections"]) == 1
        assert admin.list_mock_connections("m")["count"] == 1
        assert len(admin.list_connections(mock_id="m", key="a")["connections"]) == 2
        admin.patch_mock("m", {"sse": {"repeat": 7}}, key="a")
        eventually(lambda: admin.list_mock_connections("m", key="a")["count"] == 0)
        assert admin.list_connections(mock_id="m", key="a")["stats"]["activeConnections"] == 1
        assert admin.list_mock_connections("m", key="b")["count"] == 1
        admin.delete_mock("m")
        eventually(lambda: admin.list_connections(key="a")["connections"] == [])
        assert [one["key"] for one in admin.list_connections()["connections"]] == ["b"]
        assert of_a


def test_streams_of_one_key(server: RunningMockd, admin: AdminClient) -> None:
    admin.create_mock(ticking())
    with Client(server.url) as first, Client(server.url) as second, Client(server.url) as third:
        for client, path in ((first, "/~a/m"), (second, "/~b/m"), (third, "/m")):
            client.ask(path).read_until(b"tick")
        listed = {key: admin.list_connections(key=key)["connections"] for key in ("a", "b", "", None)}
        assert {key: len(found) for key, found in listed.items()} == {"a": 1, "b": 1, "": 1, None: 3}
        assert [one["key"] for one in listed[""]] == [""]
        assert admin.list_mock_connections("m", key="a")["count"] == 1
        [of_a], [of_b] = listed["a"], listed["b"]
        for call in (admin.get_connection, admin.close_connection):
            with pytest.raises(AdminError) as error:
                call(of_b["id"], key="a")
            assert error.value.status == 404
        assert admin.get_connection(of_a["id"], key="a")["key"] == "a"
        assert admin.get_stats(key="a")["totalConnections"] == 1
        held = {key: {event["connection"] for event in admin.get_buffer("m", key=key)["events"]} for key in ("a", "b")}
        assert held == {"a": {of_a["id"]}, "b": {of_b["id"]}}
        assert admin.clear_buffer("m", key="a")["cleared"] > 0
        assert of_b["id"] in {event["connection"] for event in admin.get_buffer("m")["events"]}
        assert admin.close_mock_connections("m", key="a")["closed"] == 1
        admin.close_connection(of_b["id"], key="b")
        eventually(lambda: len(admin.list_connections()["connections"]) == 1)
        assert admin.list_connections(key="a", status="ended")["connections"][0]["outcome"] == "closed_by_admin"


def test_a_stream_is_of_the_mock_that_answered_whatever_others_are_called(
    server: RunningMockd, admin: AdminClient
) -> None:
    admin.create_mock(ticking())
    admin.create_mock({**ticking(), "matcher": {"path": "/elsewhere"}}, key="a")
    with Client(server.url) as client:
        client.ask("/~a/m").read_until(b"tick")
        assert (admin.list_mock_connections("m")["count"], admin.list_mock_connections("m", key="a")["count"]) == (1, 0)
        admin.delete_mock("m")
        eventually(lambda: admin.list_connections()["connections"] == [])


def test_the_list_of_keys(server: RunningMockd, admin: AdminClient) -> None:
    admin.create_mock({"matcher": {"path": "/plain"}, "response": {}})
    admin.create_mock(ticking(), key="own")
    get(server, "/plain", "unseen")
    with Client(server.url) as client:
        client.ask("/~live/m")
        client.read_head()
        client.ask("/~own/m").read_until(b"tick")
        answer = admin.list_keys()
        assert [(key["key"], key["mocks"], key["connections"]) for key in answer["keys"]] == [("own", 1, 1)]
        assert answer["total"] == 1
        assert admin.delete_key("own") == {"message": "Key deleted", "key": "own", "closed": 1}
    assert get(server, "/m", "own").startswith('{"error"')
    eventually(lambda: admin.list_keys()["total"] == 0)


def test_at_the_limit_no_mock_can_be_added_for_a_new_key() -> None:
    with running_mockd(settings=Settings(max_keys=1)) as server, server.admin() as admin:
        admin.create_mock(says("a"), key="a")
        answer = httpx2.post(f"{server.admin_url}/mocks?key=b", json=says("b"))
        assert (answer.status_code, answer.json()["error"]) == (503, "too_many_keys")
        assert answer.headers["retry-after"] == "1"
        admin.create_mock({**says("more"), "id": "n"}, key="a")
        for mock_id in "mn":
            admin.delete_mock(mock_id, key="a")
        admin.create_mock(says("b"), key="b")


# -- back to the start -------------------------------------------------------------------------------------------------


def test_a_reset_puts_the_mocks_back_to_those_of_the_files(tmp_path: Path) -> None:
    file, state = tmp_path / "mocks.json", tmp_path / "state.json"
    file.write_text(json.dumps([says("file"), {**says("deleted", "/d"), "id": "d"}]))
    settings = Settings(config=(str(file),), state=str(state))
    with running_mockd(settings=settings) as server, server.admin() as admin:
        admin.patch_mock("m", {"response": {"body": "changed"}})
        admin.delete_mock("d")
        admin.create_mock({**says("added", "/a"), "id": "a"})
        admin.create_mock(says("own"), key="k")
        assert admin.reset(key="k")["mocks"] == 0
        assert get(server, "/m", "k") == "own"
        assert admin.reset(key="k", mocks=True)["mocks"] == 1
        assert (get(server, "/m", "k"), get(server, "/m")) == ("changed", "changed")
        admin.create_mock(says("own"), key="k")
        assert admin.reset(mocks=True)["mocks"] == 4
        assert [get(server, path) for path in ("/m", "/d")] == ["file", "deleted"]
        assert get(server, "/m", "k") == "file"
        assert get(server, "/a").startswith('{"error"')
        assert admin.list_keys()["total"] == 0
        assert json.loads(state.read_bytes())["scopes"]["default"] == {"order": [], "deleted": [], "changed": []}
        assert admin.reset(mocks=True)["mocks"] == 0
    again = Engine(Settings(state=str(state)))
    again.load(load_paths([str(file)]))
    assert [spec.id for spec in again.mocks()] == ["m", "d"]


def test_a_reset_for_requests_without_a_key_leaves_own_mocks(server: RunningMockd, admin: AdminClient) -> None:
    admin.create_mock(says("all"))
    admin.create_mock(says("own"), key="k")
    assert admin.reset(key="", mocks=True)["mocks"] == 1
    assert get(server, "/m", "k") == "own"


def test_own_mocks_that_go_end_their_streams(server: RunningMockd, admin: AdminClient) -> None:
    for key in ("", "k", "l"):
        admin.create_mock(ticking(), key=key)
    with Client(server.url) as for_all, Client(server.url) as of_k, Client(server.url) as of_l:
        for client, path in ((for_all, "/m"), (of_k, "/~k/m"), (of_l, "/~l/m")):
            client.ask(path).read_until(b"tick")
        admin.reset(key="k", mocks=True)
        eventually(lambda: len(admin.list_connections()["connections"]) == 2)
        assert [key["key"] for key in admin.list_keys()["keys"]] == ["l"]


def test_own_counters_and_buffers_are_reset_too(server: RunningMockd, admin: AdminClient) -> None:
    mock = {**ticking(), "faults": ["status 500 for requests 1"]}
    mock["sse"] = {"events": [{"id": "a", "data": "$uuid"}, {"id": "b", "data": 1}], "resume": ON}
    admin.create_mock(mock, key="k")
    for _ in range(2):
        seen = [get(server, "/m", "k").startswith("id: a") for _ in range(2)]
        assert seen == [False, True]
        assert get(server, "/m", "k", **{"Last-Event-ID": "a"}).startswith("id: b")
        counts = admin.reset(key="k")
        assert (counts["keys"], counts["counters"], counts["events"], counts["mocks"]) == (1, 1, 2, 0)
    assert get(server, "/m", "k").startswith('{"error"')


def test_the_page_in_a_browser_shows_own_mocks_and_links_with_the_key(server: RunningMockd, admin: AdminClient) -> None:
    admin.create_mock({**says("all", "/all"), "id": "for-all"})
    admin.create_mock({**says("mine", "/mine"), "id": "own-one"}, key="k")
    page = get(server, "/", "k", **{"Sec-Fetch-Dest": "document"})
    assert f'href="{server.url}/~k/mine"' in page
    assert f'href="{server.url}/~k/all"' in page
    assert "own-one" not in get(server, "/", **{"Sec-Fetch-Dest": "document"})


def test_thousands_of_keys_are_told_of_beside_the_streams(admin: AdminClient, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    listed = KnownKeys.listed

    def noted(keys: KnownKeys) -> Any:
        threads.append(threading.current_thread().name)
        return listed(keys)

    monkeypatch.setattr(KnownKeys, "listed", noted)
    admin.list_keys()
    assert [name.partition("_")[0] for name in threads] == ["mockd-admin"]
