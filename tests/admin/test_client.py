"""The client of the admin API, against a real server and against what is none."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from mockd.admin import create_admin
from mockd.admin.app import OPERATIONS
from mockd.client import AdminClient
from mockd.engine import Engine
from mockd.errors import AdminError, ConfigError, UnreachableError
from mockd.testing import running_mockd
from tests.admin.conftest import HELLO, serve
from tests.wire.sockets import Client


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An admin API below a path, with a key."""
    with serve(Starlette(routes=[Mount("/deep/__mockd", create_admin(Engine(), api_key="s3cret"))])) as url:
        yield url + "/deep/__mockd"


@pytest.fixture
def client(url: str) -> Iterator[AdminClient]:
    with AdminClient(url + "/", api_key="s3cret") as client:
        client.import_config([], replace=True)
        yield client


def test_mocks_from_creation_to_deletion(client: AdminClient) -> None:
    assert client.create_mock(HELLO)["id"] == "hello"
    assert client.get_mock("hello") == HELLO
    assert client.patch_mock("hello", {"name": "greeting"})["mock"]["name"] == "greeting"
    assert client.replace_mock("hello", HELLO)["mock"] == HELLO
    assert client.toggle_mock("hello")["mock"]["enabled"] is False
    assert client.list_mocks()["total"] == 1
    client.delete_mock("hello")
    assert client.list_mocks() == {"mocks": [], "total": 0, "count": 0}


@pytest.mark.parametrize("mock_id", ["..", ".", "a b", "50%", "ü?#", "a%2Fb", "a%20b"])
def test_ids_with_odd_characters_are_escaped(client: AdminClient, mock_id: str) -> None:
    client.create_mock(HELLO | {"id": mock_id})
    assert client.get_mock(mock_id)["id"] == mock_id
    client.delete_mock(mock_id)


def test_connections_and_buffers(client: AdminClient) -> None:
    client.create_mock(HELLO)
    assert client.list_connections()["connections"] == []
    assert client.get_stats()["activeConnections"] == 0
    assert client.list_mock_connections("hello")["count"] == 0
    assert client.close_mock_connections("hello")["closed"] == 0
    assert client.get_buffer("hello")["events"] == []
    assert client.clear_buffer("hello")["cleared"] == 0
    for ask in (client.get_connection, client.close_connection):
        with pytest.raises(AdminError) as caught:
            ask("none")
        assert (caught.value.code, caught.value.status) == ("not_found", 404)


def test_a_stream_in_the_hand_of_python() -> None:
    events = [{"data": str(number)} for number in range(1, 6)]
    mock = {"id": "chat", "matcher": {"path": "/chat"}, "sse": {"events": events}}
    with running_mockd(mock) as server, server.admin() as admin:
        assert admin.hold_mock("chat", at=2, upcoming=1, keepalives=False, freeze_timeouts=True)["count"] == 0
        with Client(server.url) as client:
            client.ask("/chat").read_head()
            found = admin.wait_for_mock("chat", opened=1, held=True, timeout_seconds=20)
            assert found["ok"]
            connection_id = found["connections"][0]["id"]
            assert admin.step_connection(connection_id)["connection"]["eventsSent"] == 3
            assert admin.push_into_connection(connection_id, {"data": "x"})["connection"]["eventsSent"] == 4
            assert admin.push_into_mock("chat", {"data": "y"})["count"] == 1
            assert admin.step_mock("chat", 1)["connections"][0]["eventsSent"] == 6
            assert admin.cut_connection(connection_id, "delay ms=1")["connection"]["faults"][-1]["action"] == "delay"
            assert admin.cut_mock("chat", {"action": "stall", "ms": 1})["count"] == 1
            assert admin.hold_connection(connection_id, at="head")["connection"]["held"]
            assert not admin.wait_for_connection(connection_id, ended=True, timeout_seconds=0.01)["ok"]
            assert not admin.release_connection(connection_id)["connection"]["held"]
            assert admin.wait_for_connection(connection_id, ended=True)["connection"]["outcome"] == "completed"
        assert admin.release_mock("chat")["count"] == admin.end_mock_connections("chat")["count"] == 0
        with pytest.raises(AdminError) as refused:
            admin.end_connection(connection_id)
        assert refused.value.status == 409


def test_configuration_out_and_in(client: AdminClient) -> None:
    client.create_mock(HELLO)
    exported, text = client.export_config(), client.export_yaml()
    client.delete_mock("hello")
    assert client.import_config(exported, dry_run=True)["dryRun"] is True
    assert client.list_mocks()["total"] == 0
    assert client.import_yaml(text.encode())["imported"] == 1
    assert client.export_config() == exported
    assert client.import_yaml(b"[]", replace=True)["total"] == 0
    assert client.list_mocks()["total"] == 0


def test_the_process(client: AdminClient) -> None:
    assert client.get_health()["status"] == "ok"
    assert client.get_ready()["status"] == "ready"
    assert client.get_status()["mockCount"] == 0
    assert "$schema" in client.get_schema()
    assert "$schema" in client.get_recording_schema()
    assert client.get_openapi()["openapi"] == "3.1.0"


def test_there_is_a_method_for_every_operation() -> None:
    for operation in OPERATIONS:
        assert hasattr(AdminClient, operation.handler.__name__)


def test_data_keeps_its_numbers_and_texts(client: AdminClient) -> None:
    data: Any = {"z": 10**30, "a": "\u2028é\U0001f600", "f": 1e-7}
    client.create_mock(HELLO | {"sse": {"events": [{"data": data}]}})
    kept = client.get_mock("hello")["sse"]["events"][0]["data"]
    assert json.dumps(kept) == json.dumps(data)


def test_a_refusal_carries_code_status_and_details(client: AdminClient) -> None:
    with pytest.raises(AdminError) as caught:
        client.create_mock(HELLO | {"priority": "high"})
    error = caught.value
    assert (error.code, error.status) == ("validation_error", 400)
    assert error.details["path"] == "$.priority"
    assert error.message == f"$.priority: {error.details['message']}"


def test_a_refusal_says_all_that_is_wrong_where_and_the_cure(client: AdminClient) -> None:
    with pytest.raises(AdminError) as caught:
        client.create_mock(HELLO | {"prioriti": 1, "sse": {"events": [{"choices": []}]}})
    first, second = str(caught.value).splitlines()
    assert first.startswith("$.sse.events[0].choices: unknown key `choices` (known here: `type`, `data`")
    assert second == "$.prioriti: unknown key `prioriti` (did you mean `priority`?)"


@pytest.mark.parametrize(("key", "code"), [(None, "missing_api_key"), ("wrong", "invalid_api_key")])
def test_a_wrong_key_is_a_refusal(url: str, key: str | None, code: str) -> None:
    with AdminClient(url, api_key=key) as client, pytest.raises(AdminError) as caught:
        client.list_mocks()
    assert (caught.value.code, caught.value.status) == (code, 401)


def test_nothing_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with AdminClient(f"http://127.0.0.1:{port}") as client, pytest.raises(UnreachableError) as caught:
        client.list_mocks()
    assert f"http://127.0.0.1:{port}" in caught.value.message
    assert "mockd serve" in (caught.value.hint or "")


def test_a_server_that_says_nothing_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with AdminClient(url, timeout=0.05) as client, pytest.raises(UnreachableError, match="timed out"):
            client.list_mocks()


def test_a_proxy_is_not_asked_for_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with AdminClient(url) as client:
        assert client.get_health()["status"] == "ok"


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("hello"),
        PlainTextResponse("no", 404),
        Response(b'["a list"]', 500),
        Response(b'{"detail":"Not Found"}', 404, media_type="application/json"),
        Response(b"garbage", headers={"content-encoding": "gzip"}),
        RedirectResponse("/login"),
    ],
)
def test_another_server_is_told_from_mockd(answer: Response) -> None:
    with (
        serve(Starlette(routes=[Route("/{path:path}", lambda request: answer)])) as other,
        AdminClient(other) as client,
        pytest.raises(AdminError) as caught,
    ):
        client.list_mocks()
    assert other in caught.value.message
    assert caught.value.code in ("not_admin_api", "unreachable")


@pytest.mark.parametrize("url", ["", "localhost:4290", "ftp://localhost", "http://", "http://[::1", "http://h/?q=1"])
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError, match="admin URL"):
        AdminClient(url)


@pytest.mark.parametrize("key", ["a\nb", "é"])
def test_a_key_that_cannot_be_sent_is_refused_at_once(key: str) -> None:
    with pytest.raises(ConfigError, match="API key"):
        AdminClient(api_key=key)
