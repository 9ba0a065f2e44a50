"""Operations on mocks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from mockd.engine import Engine
from tests.admin.conftest import HELLO


def test_an_empty_server_lists_no_mocks(admin: TestClient) -> None:
    assert admin.get("/mocks").json() == {"mocks": [], "total": 0, "count": 0}


def test_create_answers_with_the_mock(admin: TestClient) -> None:
    answer = admin.post("/mocks", json=HELLO)
    assert answer.status_code == 201
    assert answer.json() == {"id": "hello", "action": "created", "message": "Created mock hello", "mock": HELLO}
    assert admin.get("/mocks").json() == {"mocks": [HELLO], "total": 1, "count": 1}
    assert admin.get("/mocks/hello").json() == HELLO


def test_a_made_up_id_is_http_and_16_hex_digits(admin: TestClient) -> None:
    created = admin.post("/mocks", json={key: value for key, value in HELLO.items() if key != "id"}).json()
    prefix, _, digits = created["id"].partition("_")
    assert prefix == "http"
    assert len(digits) == 16
    assert int(digits, 16) >= 0
    assert created["mock"]["id"] == created["id"]


def test_the_nested_form_becomes_the_flat_one(admin: TestClient) -> None:
    http = {"matcher": HELLO["matcher"], "sse": HELLO["sse"]}
    created = admin.post("/mocks", json={"id": "hello", "type": "http", "http": http}).json()
    assert created["mock"] == HELLO


def test_a_taken_id_is_a_conflict(admin: TestClient, hello: dict[str, Any]) -> None:
    answer = admin.post("/mocks", json=hello | {"name": "another"})
    assert answer.status_code == 409
    assert answer.json()["error"] == "conflict"
    assert "hello" in answer.json()["message"]
    assert admin.get("/mocks/hello").json() == hello


def test_data_keeps_its_numbers_texts_and_key_order(admin: TestClient) -> None:
    data = '{"z":123456789012345678901234567890,"a":"\\u2028é\U0001f600","m":[1.5,null,true]}'
    body = f'{{"id":"d","matcher":{{"path":"/d"}},"sse":{{"events":[{{"data":{data}}}]}}}}'
    assert admin.post("/mocks", content=body).status_code == 201
    assert data in admin.get("/mocks/d").text


def test_put_replaces_a_mock_in_its_place(admin: TestClient, hello: dict[str, Any]) -> None:
    admin.post("/mocks", json=hello | {"id": "second"})
    replacement = {"matcher": {"path": "/new"}, "response": {"body": "new"}}
    answer = admin.put("/mocks/hello", json=replacement)
    assert answer.status_code == 200
    mock = answer.json()["mock"]
    assert answer.json() == {"id": "hello", "action": "updated", "message": "Updated mock hello", "mock": mock}
    assert mock == replacement | {"id": "hello"}
    assert [mock["id"] for mock in admin.get("/mocks").json()["mocks"]] == ["hello", "second"]


def test_put_with_another_id_is_refused(admin: TestClient, hello: dict[str, Any]) -> None:
    answer = admin.put("/mocks/hello", json=hello | {"id": "other"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "validation_error"
    assert admin.get("/mocks/hello").json() == hello


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
def test_patch_merges_deeply(admin: TestClient, hello: dict[str, Any], media_type: str) -> None:
    patch = {"name": "greeting", "sse": {"timing": {"fixedDelay": 5}}, "matcher": {"method": None}}
    answer = admin.patch("/mocks/hello", content=json.dumps(patch), headers={"content-type": media_type})
    assert answer.status_code == 200
    assert answer.json()["action"] == "updated"
    assert answer.json()["mock"] == hello | {
        "name": "greeting",
        "matcher": {"path": "/hello"},
        "sse": hello["sse"] | {"timing": {"fixedDelay": 5}},
    }


@pytest.mark.parametrize(
    "patch",
    [
        {"matcher": None},
        {"sse": {"events": []}},
        {"response": {"status": 500}},
        {"id": "other"},
        {"nmae": "x"},
        {"sse": {"timing": {"fixedDelay": -1}}},
        [],
        "text",
        None,
    ],
)
def test_a_refused_patch_changes_nothing(admin: TestClient, hello: dict[str, Any], patch: object) -> None:
    before = admin.get("/mocks").content
    answer = admin.patch("/mocks/hello", json=patch)
    assert answer.status_code == 400
    assert admin.get("/mocks").content == before


def test_toggle_flips(admin: TestClient, hello: dict[str, Any]) -> None:
    off = admin.post("/mocks/hello/toggle")
    assert off.status_code == 200
    assert off.json()["action"] == "toggled"
    assert off.json()["message"] == "Mock hello disabled"
    assert off.json()["mock"]["enabled"] is False
    on = admin.post("/mocks/hello/toggle").json()
    assert on["message"] == "Mock hello enabled"
    assert admin.get("/status").json()["activeMocks"] == 1


def test_delete_answers_204_and_nothing_else(admin: TestClient, hello: dict[str, Any]) -> None:
    answer = admin.delete("/mocks/hello")
    assert (answer.status_code, answer.content) == (204, b"")
    assert admin.get("/mocks/hello").status_code == 404
    assert admin.delete("/mocks/hello").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/mocks/none"),
        ("PUT", "/mocks/none"),
        ("PATCH", "/mocks/none"),
        ("DELETE", "/mocks/none"),
        ("POST", "/mocks/none/toggle"),
        ("GET", "/mocks/none/sse/connections"),
        ("DELETE", "/mocks/none/sse/connections"),
        ("GET", "/mocks/none/sse/buffer"),
        ("DELETE", "/mocks/none/sse/buffer"),
    ],
)
def test_an_unknown_mock_is_404(admin: TestClient, method: str, path: str) -> None:
    body = None if method in ("GET", "DELETE", "POST") else {"matcher": {"path": "/x"}, "response": {}}
    answer = admin.request(method, path, json=body)
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert "none" in answer.json()["message"]


@pytest.mark.parametrize("mock_id", ["a b", "100%", "ü", "a?b#c", "..", "'\"<>", "toggle", "\U0001f600"])
def test_ids_with_odd_characters_work(admin: TestClient, mock_id: str) -> None:
    assert admin.post("/mocks", json=HELLO | {"id": mock_id}).status_code == 201
    path = "/mocks/" + quote(mock_id, safe="").replace(".", "%2E")
    assert admin.get(path).json()["id"] == mock_id
    assert admin.post(path + "/toggle").json()["mock"]["enabled"] is False
    assert admin.delete(path).status_code == 204


def test_data_files_are_refused_without_a_files_root(admin: TestClient, engine: Engine) -> None:
    mock = {"matcher": {"path": "/f"}, "chunked": {"dataFile": "pyproject.toml"}}
    answer = admin.post("/mocks", json=mock)
    assert answer.status_code == 400
    assert answer.json()["path"] == "$.chunked.dataFile"
    assert engine.mocks() == []
