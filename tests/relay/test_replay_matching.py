"""Which request gets which recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from mockd.errors import ConfigError
from mockd.recordings.lines import Begun, End, Head, Input, Line, Output
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story, write_new
from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.relay.clients import eventually
from tests.relay.conftest import Relay
from tests.relay.targets import Visit, serving
from tests.relay.test_recording import ended
from tests.relay.test_replay import recording

TEXT = {"status": 200, "reason": "OK", "headers": [["Content-Type", "text/plain"]]}


def answered(out: str, method: str, url: str, body: Any = None, redacted: tuple[str, ...] = ()) -> str:
    text = body if isinstance(body, str) else json.dumps(body)
    lines = [[0, "o", out], [0, "end", "complete", {"redacted": list(redacted)}]]
    if body is not None:
        lines.insert(0, [0, "i", text])
    return recording(*lines, head=TEXT, method=method, url=f"https://a.test{url}")


@pytest.fixture
def replaying(tmp_path: Path) -> Iterator[Callable[..., RunningMockd]]:
    with ExitStack() as stack:

        def serve(*files: str, **settings: Any) -> RunningMockd:
            for number, text in enumerate(files, start=1):
                (tmp_path / f"{number:03}.stream.jsonl").write_text(text)
            return stack.enter_context(running_mockd(settings=Settings(config=(str(tmp_path),), **settings)))

        yield serve


def ask(server: RunningMockd, url: str, body: Any = None, method: str = "POST", **headers: str) -> str | int:
    data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    try:
        with urlopen(Request(server.url + url, data, headers, method=method)) as answer:
            return str(answer.read().decode())
    except HTTPError as error:
        return error.code


def test_method_path_query_and_body_must_be_the_same(replaying: Callable[..., RunningMockd]) -> None:
    server = replaying(
        answered("1", "POST", "/a?x=1&y=2", {"m": 1, "n": [1, 2]}),
        answered("2", "POST", "/a?x=1", {"m": 1, "n": [1, 2]}),
        answered("3", "GET", "/a?x=1"),
        answered("4", "POST", "/a?x=1", "no JSON"),
        answered("5", "POST", "/%7Bb%7D*"),
    )
    assert ask(server, "/a?y=2&x=1", {"n": [1, 2], "m": 1.0}) == "1"
    assert ask(server, "/a?x=1", {"m": 1, "n": [1, 2]}) == "2"
    assert ask(server, "/a?x=1", method="GET") == "3"
    assert ask(server, "/a?x=1", "other text") == "4"
    assert ask(server, "/%7Bb%7D*") == "5"
    for url, body in (
        ("/a?x=1&y=2", {"m": 2, "n": [1, 2]}),
        ("/a?x=1&y=2", {"m": 1, "n": [1, 2], "o": 1}),
        ("/a?x=1&y=2", {"m": 1, "n": [1]}),
        ("/a?x=1&y=3", {"m": 1, "n": [1, 2]}),
        ("/a?x=1&y=2&z=1", {"m": 1, "n": [1, 2]}),
        ("/b?x=1&y=2", {"m": 1, "n": [1, 2]}),
        ("/bcd", None),
    ):
        assert ask(server, url, body) == 404, (url, body)


def test_several_of_one_request_come_in_the_order_recorded(replaying: Callable[..., RunningMockd]) -> None:
    files = [answered(str(number), "GET", "/a") for number in range(3)]
    server = replaying(files[0] + files[1], files[2])
    assert [ask(server, "/a", method="GET") for _ in range(5)] == ["0", "1", "2", "2", "2"]


def test_one_request_is_one_however_its_body_is_ordered(replaying: Callable[..., RunningMockd]) -> None:
    bodies = ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1})
    server = replaying(*(answered(str(number), "POST", "/a", body) for number, body in enumerate(bodies)))
    assert [ask(server, "/a", bodies[0]) for _ in range(2)] == ["0", "1"]


def test_the_same_request_in_two_folders(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{'a' * 200}.stream.jsonl").write_text(answered(folder, "GET", "/a"))
    with running_mockd(settings=Settings(config=(str(tmp_path / "one"), str(tmp_path / "two")))) as server:
        assert ask(server, "/a", method="GET") in ("one", "two")
        with server.admin() as admin:
            assert len({mock["id"] for mock in admin.list_mocks()["mocks"]}) == 2


@pytest.mark.parametrize(
    ("method", "url", "body", "path"),
    [
        ("GET", "", None, "/"),
        ("PROPFIND", "/a", None, "/a"),
        ("get", "/a", None, "/a"),
        ("POST", "/a?x=&y", None, "/a?x=&y="),
        ("POST", "/a", "[" * 100_000 + "]" * 100_000, "/a"),
    ],
)
def test_requests_of_any_kind(
    replaying: Callable[..., RunningMockd], method: str, url: str, body: str | None, path: str
) -> None:
    server = replaying(answered("1", method, url, body))
    assert ask(server, path, body, method=method.upper()) == "1"
    assert ask(server, "/a?x=", method=method.upper()) == 404


def test_an_event_stream_is_one_whatever_else_its_type_says(replaying: Callable[..., RunningMockd]) -> None:
    head = {"status": 200, "reason": "OK", "headers": [["content-type", "text/Event-Stream ; charset=utf-8"]]}
    server = replaying(recording([0, "o", "data: 1\n\ndata: 2\n\n"], [0, "end", "complete"], head=head))
    assert ask(server, "/a", method="GET") == "data: 1\n\ndata: 2\n\n"
    assert eventually(lambda: [one.events_sent for one in server.engine.connections.listed("ended")] == [2])


def test_they_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (999, 1000, 10):
        (tmp_path / f"{number:03}-get-a.stream.jsonl").write_text(answered(str(number), "GET", "/a"))
    with running_mockd(settings=Settings(config=(str(tmp_path),))) as server:
        assert [ask(server, "/a", method="GET") for _ in range(3)] == ["10", "999", "1000"]


@pytest.mark.parametrize(
    ("match", "url", "body", "found"),
    [
        ("path", "/a?x=2", {"m": 2}, True),
        ("path,query", "/a?x=2", {"m": 1}, False),
        ("path,query", "/a?x=1", {"m": 2}, True),
        ("path, body", "/a?x=2", {"m": 1}, True),
        ("path, body", "/a?x=1", {"m": 2}, False),
        ("method", "/other", None, True),
    ],
)
def test_less_may_be_compared(
    replaying: Callable[..., RunningMockd], match: str, url: str, body: Any, found: bool
) -> None:
    server = replaying(answered("1", "POST", "/a?x=1", {"m": 1}), match=match)
    assert (ask(server, url, body) == "1") is found


def test_members_are_left_out(replaying: Callable[..., RunningMockd]) -> None:
    first = answered("1", "POST", "/a", {"m": 1, "options": {"a": 1}, "items": [{"id": 1, "t": "x"}]})
    second = answered("2", "POST", "/a", {"m": 1, "options": {"a": 2}, "items": [{"id": 2, "t": "x"}]})
    server = replaying(first, second, ignore_body=("$.options", "$.items[*].id"))
    assert ask(server, "/a", {"m": 1, "items": [{"t": "x"}]}) == "1"
    assert ask(server, "/a", {"m": 1, "items": [{"t": "x", "id": 7}], "options": None}) == "2"
    assert ask(server, "/a", {"m": 1, "items": [{"t": "y"}]}) == 404


def test_what_was_redacted_stands_for_anything_that_is_there(replaying: Callable[..., RunningMockd]) -> None:
    places = ("query:key", "input:token", "input", "url")
    body = {"token": "REDACTEDREDA", "text": "I am REDACTEDREDACT.", "m": "R"}
    server = replaying(
        answered("1", "POST", "/u/REDACTED/x?key=REDACTEDRE&q=1", body, places),
        answered("2", "POST", "/u/REDACTED/x?key=REDA&q=1", {**body, "token": "REDA"}, places),
    )
    asked = {"token": 5, "text": "I am Annabel Smith.", "m": "R"}
    assert ask(server, "/u/ann/x?key=1&q=1", asked) == "1"
    assert ask(server, "/u/bob/x?key=2&q=1", {**asked, "m": "one letter may stand for it too"}) == "2"
    assert ask(server, "/u/ann/x?q=1", asked) == 404
    assert ask(server, "/u/ann/y?key=1&q=1", asked) == 404
    assert ask(server, "/u/ann/x?key=1&q=1", {**asked, "text": "I was Annabel."}) == 404
    assert ask(server, "/u/ann/x?key=1&q=1", {"text": "I am Annabel.", "m": "R"}) == 404


def test_another_credential_gets_what_was_recorded_with_the_first(relay: Relay, tmp_path: Path) -> None:
    query = "/a?user%5Bapi_key%5D={0}&X-Auth={0}&q=1"
    body = {"openaiApiKey": "{0}", "x-client-secret": "{0}", "in": [{"_password_": "{0}"}], "max_token": 1}

    def asked(secret: str, **other: Any) -> tuple[str, str]:
        return query.replace("{0}", secret), json.dumps(body | other).replace("{0}", secret)

    def said(file: str) -> list[str]:
        places: list[str] = json.loads(file.splitlines()[-1])[3]["redacted"]
        return places

    async def answers(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")

    with serving(answers) as target:
        assert ask(relay(target.url, record=str(tmp_path)), *asked("first-secret")) == "1"
    [file] = ended(tmp_path)
    assert said(file.path.read_text()) == [
        "query:user[api_key",
        "query:x-auth",
        "input:apikey",
        "input:client-secret",
        "input:password",
    ]
    with running_mockd(settings=Settings(config=(str(tmp_path),))) as replay:
        assert ask(replay, *asked("another")) == "1"
        assert ask(replay, *asked("another", max_token=2)) == 404
        assert ask(replay, *asked("another", openaiApiKeys="x")) == 404


NAMES = ["secret", "_secret_", "openai_api_key", "user[api_key]", "X-API-Key", "clientSecret", "api__key", "token"]


@pytest.mark.parametrize("name", NAMES)
def test_whatever_its_name_a_credential_may_be_another_one_in_replays(
    replaying: Callable[..., RunningMockd], tmp_path: Path, name: str
) -> None:
    """Recorded as the recorder does it, for requests that differ in nothing else."""

    def request(secret: str, more: str = "1") -> tuple[str, str]:
        inside = json.dumps({name: f"{secret}-of-twenty-letters", "url": f"https://a.test/?api_key={secret}&x={more}"})
        body = {name: [1, secret] if name != "token" else f"{secret}-of-twenty-letters", "text": inside, "monkey": more}
        return f"/a?{urlencode({name: secret, 'monkey': more})}", json.dumps(body)

    stories = []
    for number, secret in enumerate(("first-secret", "second-secret-that-is-longer")):
        url, body = request(secret)
        happened: list[tuple[int, Line]] = [
            (0, Input(data=body.encode())),
            (0, Head(status=200, headers=[("Content-Type", "text/plain")])),
            (0, Output(data=b"%d" % number)),
            (0, End(how="complete")),
        ]
        stories.append(Story(Begun(method="POST", url=f"https://a.test{url}"), happened))
    for file in write_new(stories, tmp_path, Redaction()):
        assert "secret-" not in file.read_text().replace("-secret-key", "")
    server = replaying()
    assert ask(server, *request("third")) == "0"
    for url, body in (request("third", "2"), ("/a", request("third")[1]), (request("third")[0], "{}")):
        assert ask(server, url, body) == 404


def test_text_that_looks_redacted_and_was_not_is_compared(replaying: Callable[..., RunningMockd]) -> None:
    server = replaying(answered("1", "POST", "/a", {"m": "REDACTED"}))
    assert ask(server, "/a", {"m": "other"}) == 404


def test_a_miss_says_what_differs(replaying: Callable[..., RunningMockd]) -> None:
    server = replaying(answered("1", "POST", "/a", {"m": [{"content": "x"}]}))
    with pytest.raises(HTTPError) as miss:
        urlopen(Request(server.url + "/a", b'{"m": [{"content": "y"}]}', method="POST"))
    assert b"differs from the recorded one: the body at $.m[0].content" in miss.value.read()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"match": "path,header"}, "'header' is not one of method, path, query, body"),
        ({"ignore_body": ("$..x",)}, "only names, indexes and `\\*` are possible"),
        ({"ignore_body": ("x",)}, "not a JSONPath"),
    ],
)
def test_wrong_settings_are_explained(
    replaying: Callable[..., RunningMockd], settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        replaying(answered("1", "POST", "/a", {"m": 1}), **settings)


def test_configuration_files_beside_recordings_are_read_too(
    replaying: Callable[..., RunningMockd], tmp_path: Path
) -> None:
    (tmp_path / "mock.json").write_text('{"matcher": {"path": "/b"}, "response": {"body": "b"}}')
    server = replaying(answered("1", "GET", "/a"))
    assert [ask(server, path, method="GET") for path in ("/a", "/b")] == ["1", "b"]


def test_a_mock_plays_a_file_that_is_no_mock_itself(tmp_path: Path) -> None:
    (tmp_path / "a.stream.jsonl").write_text(answered("1", "GET", "/a"))
    mock = {"matcher": {"path": "/b"}, "chunked": {"recording": "missing.stream.jsonl"}}
    with (
        pytest.raises(ConfigError, match="there is no file 'missing"),
        running_mockd(mock, settings=Settings(files_root=str(tmp_path))),
    ):
        pass


@pytest.mark.parametrize("content", ["", "\n", "{}\n", "nonsense\n"])
def test_a_file_without_an_exchange_serves_nothing(
    replaying: Callable[..., RunningMockd], content: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = replaying(answered("1", "GET", "/a"), content)
    assert ask(server, "/a", method="GET") == "1"
    assert "002.stream.jsonl" in caplog.text


def test_broken_lines_are_said_and_the_rest_is_played(
    replaying: Callable[..., RunningMockd], caplog: pytest.LogCaptureFixture
) -> None:
    lines = answered("1", "GET", "/a").splitlines(keepends=True)
    server = replaying("".join([*lines[:-1], "[0, nonsense\n", lines[-1]]))
    assert ask(server, "/a", method="GET") == "1"
    assert "001.stream.jsonl:4" in caplog.text
