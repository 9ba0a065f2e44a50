"""What the fixture says of requests, and its server, in a test like those of users."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import pytest

from mockd.errors import AdminError, ConfigError
from mockd.fixtures import Mockd, MockdServer
from mockd.fixtures.server import _mocks_at
from mockd.testing import running_mockd
from tests.plugin.methods.asking import Ask, get, soon


def test_verify(mockd: Mockd) -> None:
    mockd.response("/a", "")
    for path, body in (("/a", None), ("/a", {"n": 1}), ("/b", None)):
        get(mockd.url + path, body)
    mockd.verify("/a")
    mockd.verify("/a", times=2)
    mockd.verify("POST /a", times=1)
    mockd.verify("GET /a", at_least=1, at_most=1)
    mockd.verify({"path": "/a", "bodyJsonPath": {"$.n": 1}})
    mockd.verify("/a", at_most=2)
    mockd.verify("/c", never=True)
    mockd.verify("/c", times=0)
    mockd.verify(order=["GET /a", {"path": "/b"}])
    for wrong in ({"times": 1}, {"never": True}, {"at_most": 1}, {"times": 1, "within": 0.01}):
        with pytest.raises(AssertionError, match=r"but it came 2 times(.|\n)*Requests of this test:(.|\n)*GET /b"):
            mockd.verify("/a", **wrong)
    for wrong in ({"times": 3}, {"at_least": 3}):
        with pytest.raises(AssertionError, match="but it came 2 times"):
            mockd.verify("/a", **wrong, within=0)
    with pytest.raises(AssertionError, match="in this order, but after"):
        mockd.verify(order=["/b", "/a"], within=0)
    secret = {"path": "/a", "headers": {"Authorization": {"pattern": "secret"}}}
    get(urllib.request.Request(mockd.url + "/a", headers={"Authorization": "any"}))
    with pytest.raises(AssertionError, match="may not be all"):
        mockd.verify(secret, within=0)
    get(mockd.url + "/aa")
    with pytest.raises(AssertionError, match=r"GET /aa +404 +none +0 +completed; nearest: a: path expected"):
        mockd.verify("/aaa", within=0)
    with pytest.raises(AdminError):
        mockd.verify()
    with pytest.raises(AdminError):
        mockd.verify({"pth": "/a"})


def test_verify_waits_for_what_is_missing(mockd: Mockd) -> None:
    mock = mockd.response("/a", "")
    for claim in ({"times": 2}, {"at_least": 4}, {"order": ["/a"] * 6}, {"at_least": 8, "at_most": 9}):
        later = threading.Timer(0.1, lambda: [get(mock.url) for _ in range(2)])
        with soon(later):
            mockd.verify(None if "order" in claim else "/a", **claim)


def test_others_have_their_own(mockd: Mockd, server: MockdServer) -> None:
    other = Mockd(server, "other")
    get(other.response("/a", "other").url)
    mockd.response("/a", "mine")
    mockd.verify("/a", never=True)
    assert mockd.requests() == []
    assert get(mockd.url + "/a") == (200, "mine")
    other.delete()
    assert len(mockd.requests(path="/a", matched=True)) == 1
    assert mockd.requests(matched=False) == []


def test_a_key_in_a_matcher_is_not_another_tests(mockd: Mockd) -> None:
    get(mockd.response("/a", "").url)
    mockd.verify({"path": "/a", "key": "other"}, times=1)


def test_reset(mockd: Mockd, ask: Ask) -> None:
    mock = mockd.response("/a", "fine", faults=["status 503 for requests 1"])
    assert [get(mock.url)[0] for _ in range(2)] == [503, 200]
    mock.hold_at("head")
    mockd.reset()
    assert mockd.requests() == []
    assert [get(mock.url)[0] for _ in range(2)] == [503, 200]
    ticks = mockd.sse("/ticks", ["a"], repeat=0, timing={"fixedDelay": 5})
    client = ask(ticks.url)
    stream = ticks.wait_for_stream()
    mockd.reset(streams=True, mocks=True)
    assert stream.wait_ended()["outcome"] == "closed_by_admin"
    client.getresponse().read()
    assert get(mock.url)[0] == 404
    assert mockd.response("/a", "").id == mock.id


def test_a_server_that_is_gone() -> None:
    with running_mockd() as running:
        admin = running.admin()
    with admin:
        gone = Mockd(MockdServer(running.url, admin), "gone")
        with pytest.raises(AssertionError, match=r"\n\nRequests of this test: not known, as no answer from"):
            gone._part.fail("it fails")


@pytest.mark.parametrize(
    ("admin", "told", "mocks"),
    [
        ("http://localhost:4290", "http://127.0.0.1:4280", "http://127.0.0.1:4280"),
        ("http://mocks:4290", "http://127.0.0.1:4280", "http://mocks:4280"),
        ("https://mocks.test:4290", "https://127.0.0.1:4280", "https://mocks.test:4280"),
        ("http://[fd00::1]:4290", "http://[::1]:4280", "http://[fd00::1]:4280"),
        ("http://mocks:4290", "http://10.0.0.7:4280", "http://10.0.0.7:4280"),
        ("http://mocks:4280/__mockd", "http://127.0.0.1:9", "http://mocks:4280"),
        ("http://mocks:80/under/__mockd", None, "http://mocks:80/under"),
    ],
)
def test_where_the_mocks_are(admin: str, told: str | None, mocks: str) -> None:
    assert _mocks_at(admin, told) == mocks


def test_a_server_that_does_not_tell() -> None:
    with pytest.raises(ConfigError, match="does not say where its mocks are"):
        _mocks_at("http://mocks:4290", None)
