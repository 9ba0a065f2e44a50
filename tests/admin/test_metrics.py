"""The metrics, as Prometheus reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mockd.errors import AdminError, ConfigError
from mockd.journal.metrics import MOST_MOCKS
from mockd.server.run import _Service
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.cli.harness import Served, free_port
from tests.wire.sockets import Client

MOCKS: tuple[dict[str, Any], ...] = (
    {"id": "list", "matcher": {"path": "/list"}, "sse": {"events": [{"data": "x"}] * 3}},
    {
        "id": "paced",
        "matcher": {"path": "/paced"},
        "sse": {"events": [{"data": "x"}] * 3, "timing": {"fixedDelay": 5}},
    },
    {"id": "whole", "matcher": {"path": "/whole"}, "response": {"status": 201}},
    {
        "id": "broken",
        "matcher": {"path": "/broken"},
        "sse": {"events": [{"data": "x"}] * 3, "lifecycle": {"keepOpen": True}},
        "faults": ["close after 1 event"],
    },
    {"id": "open", "matcher": {"path": "/open"}, "sse": {"events": [{"data": "x"}], "lifecycle": {"keepOpen": True}}},
)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(server: RunningMockd) -> Samples:
    with server.admin() as admin:
        families = text_string_to_metric_families(admin.get_metrics())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def get(server: RunningMockd, path: str, method: str = "GET") -> None:
    with Client(server.url) as client:
        client.ask(path, method=method, headers={"Connection": "close"})
        while client.socket.recv(65536):
            pass


def requests(found: Samples) -> dict[tuple[str, str, str], float]:
    rows = [(dict(labels), value) for (name, labels), value in found.items() if name == "mockd_requests_total"]
    return {(labels["mock"], labels["status"], labels["outcome"]): value for labels, value in rows}


@pytest.fixture
def server() -> Iterator[RunningMockd]:
    with running_mockd(*MOCKS) as mockd:
        yield mockd


def test_requests_are_counted_by_mock_status_and_outcome(server: RunningMockd) -> None:
    for path in ("/list", "/list", "/paced", "/whole", "/broken", "/nothing"):
        get(server, path)
    get(server, "/list", "HEAD")
    found = samples(server)
    assert requests(found) == {
        ("list", "200", "completed"): 3,
        ("paced", "200", "completed"): 1,
        ("whole", "201", "completed"): 1,
        ("broken", "200", "aborted"): 1,
        ("", "404", "completed"): 1,
    }
    assert found["mockd_events_sent_total", frozenset()] == 10
    assert found["mockd_bytes_sent_total", frozenset()] > 80
    assert found["mockd_faults_fired_total", frozenset({("action", "close"), ("fidelity", "exact")})] == 1
    assert found["mockd_time_to_first_event_seconds_count", frozenset()] == 4
    assert 1 <= found["mockd_stream_lateness_seconds_count", frozenset()] <= 12
    infinite = frozenset({("le", "+Inf")})
    assert (
        found["mockd_stream_lateness_seconds_bucket", infinite]
        == found["mockd_stream_lateness_seconds_count", frozenset()]
    )


def test_live_streams_count_before_they_end(server: RunningMockd) -> None:
    with Client(server.url) as client:
        client.ask("/open").read_until(b"x\n\n")
        found = samples(server)
        assert found["mockd_streams_active", frozenset()] == 1
        assert found["mockd_events_sent_total", frozenset()] == 1
        assert requests(found) == {}


def test_counts_go_on_from_scrape_to_scrape(server: RunningMockd) -> None:
    for expected in (1, 2, 3):
        get(server, "/list")
        assert requests(samples(server)) == {("list", "200", "completed"): expected}


def test_preflights_do_not_count(server: RunningMockd) -> None:
    with Client(server.url) as client:
        headers = {"Origin": "http://a.test", "Access-Control-Request-Method": "GET"}
        client.ask("/list", method="OPTIONS", headers=headers).read_head()
    assert requests(samples(server)) == {}


def test_names_of_mocks_are_bounded() -> None:
    mocks = [{"id": f"m{n}", "matcher": {"path": f"/{n}"}, "response": {}} for n in range(MOST_MOCKS + 3)]
    with running_mockd(*mocks) as server:
        with Client(server.url) as client:
            for number in range(len(mocks)):
                client.ask(f"/{number}").read_head()
        by_mock = requests(samples(server))
    assert len(by_mock) == MOST_MOCKS + 1
    assert by_mock["other", "200", "completed"] == 3


def test_what_it_needs_is_named_if_it_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with running_mockd(*MOCKS) as server:
        get(server, "/list")
        with server.admin() as admin, pytest.raises(AdminError, match=r"mockd\[metrics\]") as raised:
            admin.get_metrics()
        assert raised.value.status == 404


def test_a_port_for_them_needs_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError, match=r"--metrics-port .*: metrics need the extra `mockd\[metrics\]`"):
        _Service(Settings(port=0, admin_port=0, metrics_port=free_port()))


def test_they_have_a_port_of_their_own() -> None:
    port = free_port()
    served = Served("--admin-port", "0", "--metrics-port", str(port))
    try:
        address = f"http://127.0.0.1:{port}"
        assert served.welcome["metrics"] == address + "/metrics"
        with httpx.Client(base_url=address, trust_env=False) as client:
            found = client.get("/metrics")
            assert (found.status_code, "mockd_build_info" in found.text) == (200, True)
            assert client.get("/mocks").status_code == 404
    finally:
        served.process.kill()
        served.wait()
