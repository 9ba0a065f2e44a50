"""Every error answer has the one shape, and says where and what."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockd.admin import create_admin
from mockd.engine import Engine
from mockd.mocks.mock_set import Version
from mockd.settings import Settings
from tests.admin.conftest import HELLO


def test_broken_json_names_line_and_column(admin: TestClient) -> None:
    answer = admin.post("/mocks", content=b'{\n  "id": "x",\n  "matcher": }\n')
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_json"
    assert answer.json()["message"].startswith("line 3, column 14: ")


def test_broken_yaml_names_line_and_column(admin: TestClient) -> None:
    answer = admin.post("/config", content=b"mocks:\n  - id: [\n", headers={"content-type": "application/yaml"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_yaml"
    assert "line " in answer.json()["message"]


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"NaN", b'{"a":1,"a":2}', b"[" * 100_000, b'"\\ud800"', b"1" * 5000, b'{"a":1e999}']
)
@pytest.mark.parametrize("path", ["/mocks", "/config"])
def test_a_body_that_is_not_json_is_400(admin: TestClient, body: bytes, path: str) -> None:
    answer = admin.post(path, content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] in ("invalid_json", "validation_error")


def test_one_problem_has_its_path_and_hint(admin: TestClient) -> None:
    mock = HELLO | {"sse": {"events": [{"dta": "x"}]}}
    answer = admin.post("/mocks", json=mock)
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"] == "validation_error"
    assert body["path"].startswith("$.sse.events[0]")
    assert "data" in body["message"] + body.get("hint", "")
    assert "problems" not in body


def test_a_place_that_cannot_be_sent_is_made_visible(admin: TestClient) -> None:
    answer = admin.post("/mocks", content=b'{"\\ud800": [1e999]}')
    assert answer.status_code == 400
    assert any("\\ud800" in problem.get("path", "") for problem in answer.json()["problems"])


def test_several_problems_are_all_listed(admin: TestClient) -> None:
    wrong = {"mocks": [HELLO | {"id": "a", "priority": "x"}, HELLO | {"id": "b"}, {"id": "c"}]}
    body = admin.post("/config", json=wrong).json()
    assert body["error"] == "validation_error"
    assert body["path"].startswith("$.mocks[0]")
    assert [problem["path"].split(".")[1] for problem in body["problems"]] == ["mocks[0]", "mocks[2]"]
    assert body["message"].startswith("2 problems; the first: ")


@pytest.mark.parametrize("path", ["/nothing", "/mocks/", "/mocks//toggle", "/mocks/a/b", "/sse", "/__mockd/mocks"])
def test_an_unknown_path_is_404_json(admin: TestClient, path: str) -> None:
    answer = admin.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert "/openapi.json" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/mocks", "GET, HEAD, POST"),
        ("POST", "/mocks/x", "DELETE, GET, HEAD, PATCH, PUT"),
        ("GET", "/mocks/x/toggle", "POST"),
        ("DELETE", "/config", "GET, HEAD, POST"),
        ("OPTIONS", "/health", "GET, HEAD"),
        ("BREW", "/status", "GET, HEAD"),
    ],
)
def test_a_method_that_does_nothing_is_405_with_allow(admin: TestClient, method: str, path: str, allow: str) -> None:
    answer = admin.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["error"] == "method_not_allowed"
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_over_the_limit_is_413(chunked: bool) -> None:
    engine = Engine(Settings(max_body=100))
    admin = TestClient(create_admin(engine), base_url="http://localhost")
    body = b'{"id":"' + b"x" * 200 + b'"}'
    answer = admin.post("/mocks", content=iter([body]) if chunked else body)
    assert answer.status_code == 413
    assert answer.json()["error"] == "body_too_large"
    assert "100" in answer.json()["message"]


def test_head_answers_as_get_without_a_body(admin: TestClient) -> None:
    answer = admin.head("/mocks")
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) == len(admin.get("/mocks").content)


def test_answers_are_not_cached_or_sniffed(admin: TestClient, hello: dict[str, Any]) -> None:
    answers = [admin.get("/mocks"), admin.get("/none"), admin.get("/config?format=yaml"), admin.delete("/mocks/hello")]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_state_file_that_cannot_be_written_leaves_everything_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    engine = Engine(Settings(state=str(folder / "state.json")))
    shutil.rmtree(folder)
    admin = TestClient(create_admin(engine), base_url="http://localhost")
    answer = admin.post("/mocks", json=HELLO)
    assert (answer.status_code, answer.json()["error"]) == (500, "state_error")
    assert admin.get("/mocks").json()["total"] == 0


def test_a_failure_inside_is_logged_and_answered_as_json(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Version, "specs", lambda self: fail())
    admin = TestClient(create_admin(engine), base_url="http://localhost")
    with caplog.at_level(logging.ERROR, "mockd.admin"):
        answer = admin.get("/mocks")
    assert answer.status_code == 500
    assert answer.json()["error"] == "internal_error"
    assert "a defect" not in answer.text
    assert "a defect" in caplog.text
