"""The server for test suites."""

from __future__ import annotations

import socket

import pytest

from mockd.errors import ConfigError
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.wire.sockets import Client


def test_it_serves_for_the_time_of_a_block() -> None:
    with running_mockd({"matcher": {"path": "/s"}, "response": {"body": "hi"}}) as mockd:
        with Client(mockd.url) as client:
            assert client.ask("/s").read_head()[0] == 200
        with mockd.admin() as admin:
            assert admin.list_mocks()["total"] == 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(mockd.url.rpartition(":")[2])))


def test_a_mock_that_is_wrong_is_refused_before_anything_is_served() -> None:
    with pytest.raises(ConfigError), running_mockd({"matcher": {"path": "/s"}, "sse": {}}):
        pass


def test_configuration_files_are_served_too() -> None:
    with running_mockd(settings=Settings(config=("examples/sse/basic-sse.json",))) as mockd:
        assert [spec.id for spec in mockd.engine.mocks()] == ["basic-sse"]


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(ImportError), running_mockd(http="no.such:Protocol"):
        pass
