"""Whole suites: with one server or many, in one process or several, with failures or without."""

from __future__ import annotations

import importlib
import re
import tomllib

import pytest

from mockd.client import AdminClient
from tests.cli.harness import Served, free_port
from tests.plugin.conftest import ROOT, Suite

HEADING = "Requests of this test:"

EACH = """
@pytest.mark.parametrize("number", range(8))
def test_each_has_a_server_for_itself(mockd, number):
    mockd.response("/first", "fine", faults=["status 503 for requests 1"])
    assert [get(mockd.url + "/first")[0] for _ in range(2)] == [503, 200]
    assert [request["status"] for request in mockd.requests()] == [503, 200]
    mockd.verify("/first", times=2)
    assert get(mockd.url + f"/of-{number}")[0] == 404
    mockd.sse(f"/of-{number}", [number])
    assert get(mockd.url + f"/of-{number}") == (200, f"data: {number}\\n\\n")
"""


def test_the_entry_point_is_the_plug_in() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [(name, module)] = project["entry-points"]["pytest11"].items()
    assert name == "mockd"
    assert importlib.import_module(module).mockd_server


def test_a_suite_that_asks_for_nothing_loads_nothing(suite: Suite) -> None:
    ran = suite("""
        import sys

        def test_nothing_of_mockd_is_loaded():
            assert {name for name in sys.modules if name.startswith("mockd")} == {"mockd", "mockd.pytest_plugin"}
            assert not sys.modules.keys() & {"starlette", "uvicorn", "msgspec", "httpx2", "anyio"}
    """)
    assert ran.summary() == {"passed": 1}, ran.text


def test_a_suite_that_passes(suite: Suite) -> None:
    ran = suite(EACH)
    assert (ran.code, ran.summary()) == (0, {"passed": 8}), ran.text
    assert HEADING not in ran.text


def test_in_several_processes(suite: Suite) -> None:
    ran = suite(EACH, "-n", "4", plugins=("xdist",))
    assert (ran.code, ran.summary()) == (0, {"passed": 8}), ran.text


@pytest.mark.parametrize("way", ["option", "ini", "below the mocks"])
def test_on_one_server(suite: Suite, way: str) -> None:
    more = ["--admin-port", "0"] if way == "below the mocks" else ["--admin-port", str(free_port())]
    server = Served("--key-required", *more)
    try:
        url = server.admin + "/__mockd" if way == "below the mocks" and "__mockd" not in server.admin else server.admin
        given = [] if way == "ini" else ["--mockd-url", url]
        files = {"ini": f"[pytest]\nmockd_url = {url}\n"} if way == "ini" else {}
        ran = suite(EACH, "-n", "3", *given, plugins=("xdist",), **files)
        assert (ran.code, ran.summary()) == (0, {"passed": 8}), ran.text
        with AdminClient(url) as admin:
            assert admin.list_keys()["keys"] == []  # each test has taken its own away
            assert admin.get_stats()["totalConnections"] > 0
    finally:
        server.stop()


def test_a_server_with_a_key(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Served("--admin-port", str(free_port()), "--api-key", "s3cret")
    try:
        ran = suite(EACH, "--mockd-url", server.admin)
        assert ran.summary() == {"error": 8}, ran.text
        assert "key" in ran.text[ran.text.index("Failed: --mockd-url") :]
        ran = suite(EACH, "--mockd-url", server.admin, MOCKD_API_KEY="s3cret")
        assert ran.summary() == {"passed": 8}, ran.text
    finally:
        server.stop()


def test_a_server_that_is_not_there(suite: Suite) -> None:
    ran = suite(EACH, "-k", "[0]", "--mockd-url", "http://127.0.0.1:1")
    assert ran.summary() == {"error": 1, "deselected": 7}, ran.text
    assert "Failed: --mockd-url http://127.0.0.1:1: no answer from http://127.0.0.1:1" in ran.text
    assert "During handling" not in ran.text


def test_what_a_failing_test_says(suite: Suite) -> None:
    ran = suite("""
        def test_it_came_back(mockd, asked):
            chat = mockd.llm("Hello there, friend")
            chat.hold_at(2)
            client = asked(chat.url, CHAT)
            chat.wait_for_stream().wait_held()
            assert get(mockd.url + "/v1/chat/completion?page=2")[0] == 404
            mockd.verify("POST /v1/chat/completions", times=2, within=0)

        def test_anything_else(mockd):
            mockd.response("/greeting", "hi", faults=["status 500"])
            assert get(mockd.url + "/greeting") == (200, "hi")

        def test_nothing_came(mockd):
            assert 1 == 2

        @pytest.fixture
        def asking(mockd):
            get(mockd.url + "/early")
            assert 1 == 2

        def test_its_fixture_fails(asking):
            pass
    """)
    assert ran.summary() == {"failed": 3, "error": 1}, ran.text
    said = dict(re.findall(r"^_+ (?:ERROR at setup of )?(test_\w+) _+$(.*?)(?=^_+ |^=+ )", ran.text, re.M | re.S))
    lines = [line.removeprefix("E").strip() for line in said["test_it_came_back"].splitlines() if line[:1] == "E"]
    assert lines[0] == "AssertionError: expected POST /v1/chat/completions exactly 2 times, but it came once"
    assert lines[2] == HEADING
    assert lines[3].split() == ["AT", "MS", "REQUEST", "STATUS", "MOCK", "EVENTS", "END"]
    assert re.split("  +", lines[4])[1:] == [
        "POST /v1/chat/completions",
        "200",
        "v1-chat-completions",
        "2",
        "open, held",
    ]
    assert re.split("  +", lines[5])[1:4] == ["GET /v1/chat/completion?page=2", "404", "none"]
    assert said["test_it_came_back"].count(HEADING) == 1
    assert "client.py" not in said["test_it_came_back"]
    assert re.search(r"GET /greeting +500 +greeting +0 +completed; fault status", said["test_anything_else"])
    assert HEADING + " none." in said["test_nothing_came"]
    assert re.search(r"GET /early +404 +none", said["test_its_fixture_fails"])


REFUSED = """
def test_a_mistake_in_a_mock(mockd):
    mockd.sse("/events", ["one", {"dta": "two"}])

def test_a_mistake_in_a_cut(mockd, asked):
    events = mockd.sse("/events", ["one"])
    events.hold_at(0)
    asked(events.url)
    events.wait_for_stream().cut("rset")

def test_an_unknown_provider(mockd):
    mockd.llm("Hello", "opnai")

@pytest.mark.anyio
async def test_a_coroutine(amockd):
    await amockd.sse("/events", [{"dta": "two"}])

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


def test_a_mistake_is_shown_in_the_test_that_made_it(suite: Suite) -> None:
    ran = suite(REFUSED, plugins=("anyio",))
    assert ran.summary() == {"failed": 4}, ran.text
    for said in (
        "mockd.errors.AdminError: $.sse.events[1].dta: unknown key `dta` (did you mean `data`?)",
        "mockd.errors.AdminError: there is no fault 'rset', at character 1 of 'rset' (did you mean `reset`?)",
        "no endpoint 'opnai'",
        "mockd.errors.AdminError: $.sse.events[0].dta: unknown key `dta` (did you mean `data`?)",
    ):
        assert said in ran.text
    files = set(re.findall(r"^(\S+):\d+: ", ran.text, re.M))
    assert files == {"test_suite.py"}
    assert "fixtures/mockd.py:" in suite(REFUSED, "--full-trace", "-k", "in_a_mock", plugins=("anyio",)).text


def test_the_key_is_gone_at_the_end_of_a_test(suite: Suite) -> None:
    ran = suite("""
        KEYS = []

        @pytest.fixture(scope="module")
        def client():
            from urllib.request import urlopen
            with contextlib.ExitStack() as opened:
                yield lambda url: opened.enter_context(urlopen(url, timeout=30))

        def test_fails(mockd, client):
            KEYS.append((mockd.key, client(mockd.sse("/endless", ["tick"], repeat=0, timing={"fixedDelay": 10}).url)))
            mockd.verify("/endless", at_least=1)
            assert not KEYS

        def test_there_is_nothing_left(mockd, mockd_server):
            [(key, answer)] = KEYS
            assert mockd_server.admin.list_keys()["keys"] == []
            assert answer.read().startswith(b"data: tick")
            assert get(f"{mockd_server.url}/~{key}/endless")[0] == 404
            assert mockd.key != key

        def test_one_that_uses_nothing(mockd):
            pass
    """)
    assert ran.summary() == {"failed": 1, "passed": 2}, ran.text


def test_a_key_is_of_the_worker_and_the_test(suite: Suite) -> None:
    ran = suite(
        """
        import re

        SEEN = set()

        @pytest.mark.parametrize("time", [1, 2])
        @pytest.mark.parametrize("text", ["a/b c", "é" * 300])
        def test_keys(mockd, text, time):
            assert re.fullmatch(r"gw0-[0-9a-f]{8}-[0-9a-f]{16}", mockd.key)
            assert mockd.url.endswith("/~" + mockd.key)
            assert mockd.key not in SEEN
            SEEN.add(mockd.key)
        """,
        "-n",
        "1",
        plugins=("xdist",),
    )
    assert ran.summary() == {"passed": 4}, ran.text


def test_data_files_below_the_tests(suite: Suite) -> None:
    ran = suite("""
        def test_a_recording(mockd, pytestconfig):
            (pytestconfig.rootpath / "a.ndjson").write_text('{"data": "recorded"}')
            mock = {"matcher": {"path": "/a"}, "sse": {"eventsFile": "a.ndjson"}}
            (pytestconfig.rootpath / "mocks.json").write_text(json.dumps(mock))
            assert get(mockd.load("mocks.json").url) == (200, "data: recorded\\n\\n")
    """)
    assert ran.summary() == {"passed": 1}, ran.text


def test_a_fixture_of_the_same_name_wins(suite: Suite) -> None:
    ran = suite("""
        @pytest.fixture
        def mockd():
            return "mine"

        def test_mine(mockd):
            assert mockd == "mine"
    """)
    assert ran.summary() == {"passed": 1}, ran.text


HELD = """
from concurrent.futures import ThreadPoolExecutor


@pytest.mark.parametrize("time", range(100))
def test_a_stream_in_the_hand(mockd, asked, time):
    chat = mockd.llm("Hello there, friend")
    chat.hold_at(2)
    first = asked(chat.url, CHAT)
    stream = chat.wait_for_stream()
    stream.wait_held()
    assert stream.state()["eventsSent"] == 2
    stream.step()
    stream.wait_reached(3)
    stream.cut("reset")
    assert stream.wait_ended()["outcome"] == "aborted"
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        first.getresponse().read()
    with ThreadPoolExecutor() as pool:
        again = pool.submit(get, chat.url, CHAT)
        mockd.verify("POST /v1/chat/completions", times=2)
        assert "friend" in again.result()[1]
    assert chat.wait_for_stream().wait_ended()["outcome"] == "completed"
"""


@pytest.mark.repeats
@pytest.mark.parametrize("pauses", [False, True])
def test_a_hundred_times(suite: Suite, pauses: bool) -> None:
    ran = suite(HELD, "-n", "2", plugins=("xdist",), pauses=pauses)
    assert ran.summary() == {"passed": 100}, ran.text
