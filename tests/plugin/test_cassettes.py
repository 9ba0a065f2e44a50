"""The marker `mockd_cassette`: what a test asks of a service is recorded once, and replayed from then on."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.plugin.conftest import Suite


class Service:
    """A server that counts: each answer is another one. `asked` are the paths of its requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append(self.path)
                body = f"data: answer {len(service.asked)} to {self.path}\n\n".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.stop()


def cassette(folder: Path, name: str = "chat") -> list[str]:
    """The names of the recordings in a cassette."""
    return sorted(file.name for file in (folder / "cassettes" / name).glob("*"))


ONE = """
@pytest.mark.mockd_cassette("chat")
def test_one(mockd):
    print("got", get(mockd.url + "/a?x=1"))
"""


def got(text: str) -> list[str]:
    return re.findall(r"^got \(200, 'data: (.*)\\n\\n'\)$", text, re.MULTILINE)


def test_it_is_recorded_once_and_replayed_from_then_on(suite: Suite, service: Service, tmp_path: Path) -> None:
    for _ in range(2):
        ran = suite(ONE, "-rP", "--mockd-record", service.url)
        assert (ran.summary(), got(ran.text)) == ({"passed": 1}, ["answer 1 to /a?x=1"]), ran.text
    assert cassette(tmp_path) == ["001-get-a.stream.jsonl"]
    service.stop()
    ran = suite(ONE, "-rP")
    assert (ran.summary(), got(ran.text)) == ({"passed": 1}, ["answer 1 to /a?x=1"]), ran.text
    assert service.asked == ["/a?x=1"]


def test_what_is_missing_fails_the_test_and_is_told(suite: Suite, service: Service, tmp_path: Path) -> None:
    text = """
        @pytest.mark.mockd_cassette("chat")
        def test_one(mockd):
            for _ in range(2):
                status, body = get(mockd.url + "/a?x=1", {"any": 1})
                assert (status, json.loads(body)["error"]["code"]) == (404, "not_recorded")
            get(mockd.url + "/b")
    """
    ran = suite(text)
    assert ran.summary() == {"failed": 1}
    assert f"{tmp_path}/cassettes/chat has no recording of\n  POST /a?x=1\n  GET /b\n" in ran.text, ran.text
    assert "run this test with --mockd-record=URL, with the URL of the service" in ran.text
    assert service.asked == []
    assert not (tmp_path / "cassettes").exists()

    # `once` does not add to what is there.
    assert suite(ONE, "--mockd-record", service.url).code == 0
    ran = suite(text, "--mockd-record", service.url)
    assert ran.summary() == {"failed": 1}
    assert "POST /a?x=1" in ran.text
    assert "--mockd-record=URL --mockd-record-mode=new" in ran.text
    assert service.asked == ["/a?x=1"]


def test_a_test_that_fails_for_want_of_a_recording_says_so_too(suite: Suite) -> None:
    ran = suite("""
        @pytest.fixture
        def client(mockd):
            assert get(mockd.url + "/first")[0] == 200

        @pytest.mark.mockd_cassette("chat")
        def test_one(mockd):
            assert get(mockd.url + "/a")[0] == 200

        @pytest.mark.mockd_cassette("chat")
        def test_other(client):
            pass
    """)
    assert ran.summary() == {"failed": 1, "error": 1}, ran.text
    assert "assert 404 == 200" in ran.text
    assert "mockd/pytest_plugin.py" not in ran.text
    assert "_pytest" not in ran.text  # the traceback is that of the test
    assert ran.text.count("has no recording of") == 2
    assert "GET /first" in ran.text


def test_the_mode_new_records_what_is_missing(suite: Suite, service: Service, tmp_path: Path) -> None:
    text = ONE + '    print("got", get(mockd.url + "/b"))\n'
    record = ("--mockd-record", service.url, "--mockd-record-mode")
    assert suite(ONE, *record, "once").code == 0
    ran = suite(text, "-rP", *record, "new")
    assert got(ran.text) == ["answer 1 to /a?x=1", "answer 2 to /b"], ran.text
    assert got(suite(text, "-rP").text) == ["answer 1 to /a?x=1", "answer 2 to /b"]
    assert cassette(tmp_path) == ["001-get-a.stream.jsonl", "002-get-b.stream.jsonl"]


def test_the_mode_new_records_again_what_is_cut_off(suite: Suite, service: Service, tmp_path: Path) -> None:
    record = ("--mockd-record", service.url, "--mockd-record-mode", "new")
    assert suite(ONE, *record).code == 0
    file = tmp_path / "cassettes" / "chat" / "001-get-a.stream.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))  # as another process writes it
    assert got(suite(ONE, "-rP", *record).text) == ["answer 2 to /a?x=1"]
    file.write_text("")
    assert got(suite(ONE, "-rP", *record).text) == ["answer 2 to /a?x=1"]


def test_the_mode_all_replaces_what_was_recorded_if_the_test_passes(
    suite: Suite, service: Service, tmp_path: Path
) -> None:
    record = ("--mockd-record", service.url, "--mockd-record-mode")
    assert suite(ONE, *record, "once").code == 0
    assert got(suite(ONE, "-rP", *record, "all").text) == ["answer 2 to /a?x=1"]
    assert cassette(tmp_path) == ["002-get-a.stream.jsonl"]
    assert suite(ONE + "    assert False\n", *record, "all").summary() == {"failed": 1}
    assert cassette(tmp_path) == ["002-get-a.stream.jsonl", "003-get-a.stream.jsonl"]
    assert got(suite(ONE, "-rP").text) == ["answer 2 to /a?x=1"]


def test_the_mode_none_replays(suite: Suite, service: Service) -> None:
    ran = suite(ONE, "--mockd-record", service.url, "--mockd-record-mode", "none")
    assert ran.summary() == {"failed": 1}
    assert service.asked == []


PARAMETRISED = """
@pytest.mark.mockd_cassette("chat")
@pytest.mark.parametrize("path", ["a/b", "a-b", "x" * 300, "a"])
def test_each(mockd, path):
    print("got", get(mockd.url + "/" + path[:5]))
"""


def test_each_case_has_recordings_of_its_own(suite: Suite, service: Service, tmp_path: Path) -> None:
    assert suite(PARAMETRISED, "--mockd-record", service.url).code == 0
    names = sorted(folder.name for folder in (tmp_path / "cassettes").iterdir())
    assert len(names) == 4
    assert names[0] == "chat[a-b-c14cddc0]"
    assert names[1:3] == ["chat[a-b]", "chat[a]"]
    assert len(names[3]) < 80
    assert [len(cassette(tmp_path, name)) for name in names] == [1] * 4
    ran = suite(PARAMETRISED, "-rP")
    assert (ran.summary(), len(got(ran.text))) == ({"passed": 4}, 4), ran.text


@pytest.mark.parametrize("mode", ["once", "new", "all"])
def test_processes_record_side_by_side(suite: Suite, service: Service, tmp_path: Path, mode: str) -> None:
    # All in one folder: the cases are not the parameters of a test.
    text = "\n".join(
        f"""
@pytest.mark.mockd_cassette("chat")
def test_{number}(mockd):
    assert get(mockd.url + "/{number}")[0] == 200
    assert get(mockd.url + "/shared")[1].endswith("to /shared\\n\\n")
"""
        for number in range(8)
    )
    options = ("--mockd-record", service.url, "--mockd-record-mode", mode)
    ran = suite(text, *options, "-n", "3", plugins=("xdist",))
    assert ran.summary() == {"passed": 8}, ran.text
    assert len(cassette(tmp_path)) == len(service.asked)
    assert {name[4:] for name in cassette(tmp_path)} >= {f"get-{number}.stream.jsonl" for number in range(8)}
    asked = len(service.asked)
    ran = suite(text, "-n", "3", plugins=("xdist",))
    assert ran.summary() == {"passed": 8}, ran.text
    assert len(service.asked) == asked


def test_coroutines_have_cassettes_too(suite: Suite, service: Service) -> None:
    text = """
        import anyio.to_thread

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        @pytest.mark.mockd_cassette("chat")
        async def test_one(amockd):
            own = await amockd.response("/own", "mine")
            assert (await anyio.to_thread.run_sync(get, own.url))[1] == "mine"
            print("got", await anyio.to_thread.run_sync(get, amockd.url + "/a"))
    """
    for options in (("--mockd-record", service.url), ()):
        ran = suite(text, "-rP", *options, plugins=("anyio",))
        assert (ran.summary(), got(ran.text)) == ({"passed": 1}, ["answer 1 to /a"]), ran.text


def test_pytest_asyncio(suite: Suite, service: Service) -> None:
    text = """
        import asyncio

        @pytest.mark.asyncio
        @pytest.mark.mockd_cassette("chat")
        async def test_one(amockd):
            print("got", await asyncio.to_thread(get, amockd.url + "/a"))
    """
    for options in (("--mockd-record", service.url), ()):
        ini = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
        ran = suite(text, "-rP", *options, plugins=("pytest_asyncio.plugin",), ini=ini)
        assert (ran.summary(), got(ran.text)) == ({"passed": 1}, ["answer 1 to /a"]), ran.text


def test_settings_of_recording_and_matching(suite: Suite, service: Service, tmp_path: Path) -> None:
    text = """
        import os

        @pytest.mark.mockd_cassette("chat", match="path", redact=["Annabel"], redact_env=["PASSPHRASE_OF_TEST"])
        def test_one(mockd):
            query = os.environ.get("QUERY", "who=Annabel&it=s3cr3t-of-test")
            assert get(mockd.url + "/a?" + query)[0] == 200
    """
    assert suite(text, "--mockd-record", service.url, PASSPHRASE_OF_TEST="s3cr3t-of-test").code == 0
    (name,) = cassette(tmp_path)
    recorded = (tmp_path / "cassettes" / "chat" / name).read_text()
    assert "Annabel" not in recorded
    assert "s3cr3t-of-test" not in recorded
    ran = suite(text, QUERY="other=1")  # without the variable, which replays do not need
    assert ran.code == 0, ran.text


def test_several_services(suite: Suite, service: Service) -> None:
    text = """
        @pytest.mark.mockd_cassette("chat")
        def test_one(mockd):
            print("got", get(mockd.url + "/one/a"))
            print("got", get(mockd.url + "/two/a"))
    """
    record = ("--mockd-record", f"/one={service.url}/first", "--mockd-record", f"/two={service.url}")
    for options in (record, ()):
        ran = suite(text, "-rP", *options)
        assert got(ran.text) == ["answer 1 to /first/a", "answer 2 to /a"], ran.text


def test_recordings_and_mocks_go_together(suite: Suite, service: Service) -> None:
    text = """
        @pytest.mark.mockd_cassette("chat")
        def test_one(mockd):
            mockd.response("/own", "mine", faults=["status 503 for requests 1"])
            assert [get(mockd.url + "/own")[0] for _ in range(2)] == [503, 200]
            print("got", get(mockd.url + "/a"))
            mockd.verify("/a", times=1)
    """
    for options in (("--mockd-record", service.url), ()):
        ran = suite(text, "-rP", *options)
        assert got(ran.text) == ["answer 1 to /a"], ran.text


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("()", "mockd_cassette: it has one name"),
        ("(3)", "mockd_cassette: it has one name"),
        ("('../up')", "'../up' is no name of a cassette"),
        ("('/etc')", "'/etc' is no name of a cassette"),
        ("('a/../b')", "'a/../b' is no name of a cassette"),
        ("('a', record='x')", "record is no setting of a cassette"),
        ("('a', match='colour')", "'colour' is not one of method, path, query, body"),
    ],
)
def test_mistakes_in_the_marker_are_told(suite: Suite, mark: str, said: str) -> None:
    ran = suite(f"""
        @pytest.mark.mockd_cassette{mark}
        def test_one(mockd):
            pass
    """)
    assert ran.summary() == {"error": 1}
    assert said in ran.text, ran.text
    assert "Traceback" not in ran.text


def test_mistakes_in_options_are_told(suite: Suite) -> None:
    ran = suite(ONE, "--mockd-record-mode", "new")
    assert "--mockd-record-mode: nothing is recorded without --mockd-record URL" in ran.text
    ran = suite(ONE, "--mockd-record", "ftp://a")
    assert ran.summary() == {"error": 1}
    assert "'ftp://a' does not begin with http:// or https://" in ran.text
    ran = suite("""
        @pytest.mark.mockd_cassette("chat")
        def test_one():
            pass
    """)
    assert ran.summary() == {"failed": 1}
    assert "mockd_cassette goes with the fixture `mockd` or `amockd`" in ran.text


@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_a_long_answer_is_whole_although_the_test_ends_with_it(suite: Suite, tmp_path: Path, size: int) -> None:
    text = f"""
        from mockd import running_mockd

        MOCK = {{"matcher": {{"path": "/a"}}, "chunked": {{"data": "x" * {size}, "chunkSize": 70_000}}}}

        @pytest.mark.mockd_cassette("chat")
        def test_one(mockd):
            assert len(get(mockd.url + "/a")[1]) == {size}
    """
    with_service = """
        @pytest.fixture(autouse=True, scope="session")
        def service(pytestconfig):
            with running_mockd(MOCK) as service:
                pytestconfig.option.mockd_record = [service.url]
                yield
    """
    assert suite(text + with_service).code == 0
    (name,) = cassette(tmp_path)
    assert '"end"' in (tmp_path / "cassettes" / "chat" / name).read_text().splitlines()[-1]
    assert os.stat(tmp_path / "cassettes" / "chat" / name).st_size > size
    ran = suite(text)
    assert ran.code == 0, ran.text
