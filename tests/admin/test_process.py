"""What the process says of itself."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

import mockd
from mockd.admin import create_admin, create_probes
from mockd.engine import Engine
from mockd.settings import Settings
from tests.admin.conftest import HELLO


@pytest.mark.parametrize(("path", "status"), [("/health", "ok"), ("/ready", "ready")])
def test_probes(admin: TestClient, path: str, status: str) -> None:
    answer = admin.get(path)
    assert answer.status_code == 200
    assert answer.json()["status"] == status
    assert answer.json()["uptime"] >= 0


def test_probes_say_where_the_mocks_are(admin: TestClient, engine: Engine) -> None:
    assert "mocks" not in admin.get("/health").json()
    engine.misses.mocks_url = "http://127.0.0.1:4280"
    for path in ("/health", "/ready"):
        assert admin.get(path).json()["mocks"] == "http://127.0.0.1:4280"


def test_probes_alone_serve_nothing_else(engine: Engine) -> None:
    probes = TestClient(create_probes(engine), base_url="http://192.0.2.1")
    assert probes.get("/health").status_code == 200
    assert probes.get("/ready").status_code == 200
    assert probes.get("/mocks").status_code == 404
    assert "admin port" in probes.get("/mocks").json()["hint"]


def test_status_counts_mocks(admin: TestClient, hello: dict[str, Any]) -> None:
    admin.post("/mocks", json=HELLO | {"id": "off", "enabled": False})
    status = admin.get("/status").json()
    assert status["status"] == "running"
    assert status["version"] == mockd.__version__
    assert (status["httpPort"], status["adminPort"]) == (4280, 4290)
    assert (status["mockCount"], status["activeMocks"]) == (2, 1)
    assert (status["activeConnections"], status["totalConnections"]) == (0, 0)


def test_the_schema_accepts_what_is_exported(admin: TestClient, hello: dict[str, Any]) -> None:
    schema = admin.get("/schema").json()
    jsonschema.validate(admin.get("/config").json(), schema)


def test_the_key_of_the_settings_is_wanted_by_default() -> None:
    admin = TestClient(create_admin(Engine(Settings(api_key="s3cret"))), base_url="http://localhost")
    assert admin.get("/status").status_code == 401
    assert admin.get("/status", headers={"x-api-key": "s3cret"}).status_code == 200
    assert admin.get("/health").status_code == 200


def test_a_given_key_wins_over_that_of_the_settings() -> None:
    app = create_admin(Engine(Settings(api_key="other")), api_key="s3cret")
    admin = TestClient(app, base_url="http://localhost")
    assert admin.get("/status", headers={"x-api-key": "s3cret"}).status_code == 200
    assert admin.get("/status", headers={"x-api-key": "other"}).status_code == 401


def test_hosts_of_the_settings_and_the_bound_one_are_known() -> None:
    app = create_admin(Engine(Settings(admin_allow_host=("mocks.test",))), bound_host="box.test")
    admin = TestClient(app, base_url="http://localhost")
    for host, status in (("mocks.test", 200), ("box.test:4290", 200), ("else.test", 403)):
        assert admin.get("/status", headers={"host": host}).status_code == status


def test_everything_works_below_a_prefix(engine: Engine) -> None:
    app = Starlette(routes=[Mount("/tools/__mockd", create_admin(engine, api_key="k"))])
    admin = TestClient(app, base_url="http://localhost", headers={"x-api-key": "k"})
    assert admin.post("/tools/__mockd/mocks", json=HELLO).status_code == 201
    assert admin.get("/tools/__mockd/mocks/hello").json() == HELLO
    assert admin.get("/tools/__mockd/openapi.json").json()["servers"] == [{"url": "/tools/__mockd"}]
    unknown = admin.get("/tools/__mockd/none")
    assert unknown.status_code == 404
    assert "'/none'" in unknown.json()["message"]
    assert TestClient(app, base_url="http://localhost").get("/tools/__mockd/health").status_code == 200
