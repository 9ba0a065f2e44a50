"""Export and import of the whole configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockd.admin import create_admin
from mockd.engine import Engine
from mockd.settings import Settings
from tests.admin.conftest import HELLO

YAML = {"content-type": "application/yaml"}
OTHER: dict[str, Any] = {"id": "other", "matcher": {"path": "/other"}, "response": {"body": "other"}}


def test_export_is_a_loadable_file(admin: TestClient, hello: dict[str, Any]) -> None:
    exported = admin.get("/config")
    assert exported.json() == {"version": "1.0", "mocks": [hello]}
    assert admin.get("/config?format=json").content == exported.content
    answer = admin.post("/config?replace=true", content=exported.content)
    assert answer.status_code == 200
    assert admin.get("/config").content == exported.content


def test_yaml_export_is_a_loadable_file(admin: TestClient, hello: dict[str, Any]) -> None:
    exported = admin.get("/config?format=yaml")
    assert exported.headers["content-type"].startswith("application/yaml")
    before = admin.get("/mocks").content
    answer = admin.post("/config?replace=true", content=exported.content, headers=YAML)
    assert answer.json() == {"message": "Imported 1 mock", "imported": 1, "total": 1}
    assert admin.get("/mocks").content == before


def test_yaml_keeps_values_exactly(admin: TestClient) -> None:
    texts = [
        "",
        "null",
        "Yes",
        "1e3",
        "0o17",
        "12:30:00",
        ".inf",
        "a: b",
        "#c",
        "${X}",
        "line\n",
        "\u2028\x00",
        "x " * 99,
    ]
    data = {**{text: text for text in texts}, "numbers": [10**30, -1, 1.5, 1e-7, 1e22, True, None, {}, []]}
    admin.post("/mocks", json=HELLO | {"sse": {"events": [{"data": data}]}})
    before = admin.get("/mocks").content
    exported = admin.get("/config?format=yaml").content
    assert admin.post("/config?replace=true", content=exported, headers=YAML).status_code == 200
    assert admin.get("/mocks").content == before


@pytest.mark.parametrize("body", [OTHER, [OTHER], {"mocks": [OTHER]}, {"version": "1.0", "mocks": [OTHER]}])
@pytest.mark.parametrize("wrapped", [False, True])
def test_import_adds_to_what_is_there(
    admin: TestClient, hello: dict[str, Any], body: dict[str, Any], wrapped: bool
) -> None:
    answer = admin.post("/config", json={"config": body} if wrapped else body)
    assert answer.json() == {"message": "Imported 1 mock", "imported": 1, "total": 1}
    assert admin.get("/mocks").json()["mocks"] == [hello, OTHER]


def test_import_replaces_a_mock_of_the_same_id_in_its_place(admin: TestClient, hello: dict[str, Any]) -> None:
    admin.post("/mocks", json=OTHER)
    admin.post("/config", json=[OTHER | {"id": "hello"}])
    assert admin.get("/mocks").json()["mocks"] == [OTHER | {"id": "hello"}, OTHER]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("?replace=true", {"mocks": [OTHER]}),
        ("?replace=1", {"mocks": [OTHER]}),
        ("", {"config": {"mocks": [OTHER]}, "replace": True}),
        ("?replace=true", {"config": {"mocks": [OTHER]}, "replace": False}),
    ],
)
def test_replace_removes_what_is_not_in_the_file(
    admin: TestClient, hello: dict[str, Any], query: str, body: dict[str, Any]
) -> None:
    assert admin.post("/config" + query, json=body).status_code == 200
    assert admin.get("/mocks").json()["mocks"] == [OTHER]


@pytest.mark.parametrize("flag", ["true", "1", "TRUE"])
def test_a_dry_run_changes_nothing(admin: TestClient, hello: dict[str, Any], flag: str) -> None:
    answer = admin.post(f"/config?replace=true&dryRun={flag}", json=[OTHER])
    assert answer.json() == {
        "message": "Nothing was changed; 1 mock can be imported",
        "imported": 0,
        "total": 1,
        "dryRun": True,
    }
    assert admin.get("/mocks").json()["mocks"] == [hello]


@pytest.mark.parametrize("query", ["?dryRun=yes", "?replace=", "?replace=true&replace=false", "?dryrun=true", "?x=1"])
def test_a_wrong_query_is_refused_before_anything_happens(admin: TestClient, hello: dict[str, Any], query: str) -> None:
    answer = admin.post("/config" + query, json=[OTHER])
    assert answer.status_code == 400
    assert answer.json()["error"] == "validation_error"
    assert admin.get("/mocks").json()["mocks"] == [hello]


def test_a_misspelt_query_parameter_names_the_nearest(admin: TestClient) -> None:
    assert admin.post("/config?dry_run=true", json=[]).json()["hint"] == "did you mean `dryRun`?"
    assert admin.get("/config?x=yaml").json()["hint"] == "known here: format"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"mocks": [OTHER, {"id": "x", "matcher": {"path": "/x"}}]}, "$.mocks[1]"),
        ({"config": {"mocks": [OTHER, {"id": "x", "matcher": {"path": "/x"}}]}}, "$.config.mocks[1]"),
        ({"mocks": [OTHER, OTHER]}, "$.mocks[1]"),
        ({"mocks": [OTHER | {"sse": {"template": "openai-chat"}, "response": None}, {}]}, "$.mocks[1]"),
        ({"config": [OTHER], "replace": "yes"}, "$.replace"),
        ({"config": [OTHER], "dryRun": True}, "$.dryRun"),
        ({"version": "9.0", "mocks": [OTHER]}, "$.version"),
    ],
)
@pytest.mark.parametrize("query", ["", "?replace=true", "?dryRun=true"])
def test_a_bad_import_changes_nothing_and_says_where(
    admin: TestClient, hello: dict[str, Any], body: dict[str, Any], path: str, query: str
) -> None:
    before = admin.get("/mocks").content
    answer = admin.post("/config" + query, json=body)
    assert answer.status_code == 400
    assert answer.json()["path"].startswith(path), answer.json()
    assert admin.get("/mocks").content == before


def test_an_unknown_template_is_refused_with_its_place(admin: TestClient, hello: dict[str, Any]) -> None:
    mock = {"id": "t", "matcher": {"path": "/t"}, "sse": {"template": "openai-chta"}}
    answer = admin.post("/config?replace=true", json={"mocks": [OTHER, mock]})
    assert answer.status_code == 400
    assert answer.json()["path"].startswith("$.mocks[1].sse.template")
    assert admin.get("/mocks").json()["mocks"] == [hello]


def test_environment_values_are_never_filled_in(admin: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    mock = OTHER | {"response": {"body": "${SECRET}"}}
    for path, body in (("/mocks", mock | {"id": "a"}), ("/config", [mock])):
        assert admin.post(path, json=body).status_code < 300
        assert "s3cret" not in admin.get("/mocks").text
        assert "s3cret" not in admin.get("/config").text


def test_data_files_resolve_under_the_files_root(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("data")
    engine = Engine(Settings(files_root=str(tmp_path)))
    admin = TestClient(create_admin(engine), base_url="http://localhost")
    mock = {"id": "f", "matcher": {"path": "/f"}, "chunked": {"dataFile": "data.txt"}}
    assert admin.post("/mocks", json=mock).status_code == 201
    assert admin.post("/config", json=[mock]).status_code == 200
    mock["chunked"] = {"dataFile": "../data.txt"}
    assert admin.post("/config", json=[mock]).status_code == 400


def test_a_format_that_is_neither_is_refused(admin: TestClient) -> None:
    assert admin.get("/config?format=toml").status_code == 400


def test_an_empty_server_exports_an_empty_file(admin: TestClient) -> None:
    assert admin.get("/config").json() == {"version": "1.0", "mocks": []}


def test_import_of_an_export_of_a_mock_created_here_is_the_same(admin: TestClient) -> None:
    admin.post("/mocks", json=HELLO | {"sse": {"events": [{"data": "a ${b} and $${c}"}]}})
    before = admin.get("/mocks").content
    assert admin.post("/config?replace=true", content=admin.get("/config").content).status_code == 200
    assert admin.get("/mocks").content == before
