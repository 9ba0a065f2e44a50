"""Whatever a request says, over real sockets: what is sent stays whole, and says just that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd

SAID = "{{ request.body.said }}"
BODY = "{{ request.body }}"
NASTY = st.lists(
    st.sampled_from(["\n", "\r", "\r\n", "\0", "\n\n", "\u2028", "\u0085", "\x0b", "\x7f", "\t", " "])
    | st.sampled_from(["data: x", "event: x\n", "id: 1", ": c", '"', "\\", "\\u0041", "a", "é", "→", "😀"])
    | st.sampled_from(["{{ request.path }}", "{% raw %}", "$uuid", "$$", "{", "}", "%}"])
).map("".join)
TEXTS = st.text(st.characters(codec="utf-8")) | NASTY


def mock(path: str, **content: Any) -> dict[str, Any]:
    return {"id": path.strip("/").split("/")[0], "matcher": {"path": path}, **content}


MOCKS = [
    mock(
        "/sse",
        sse={
            "headers": {"X-Said": SAID},
            "events": [
                {"data": SAID, "type": f"t{SAID}", "id": f"i{SAID}", "comment": SAID},
                {"data": {"said": SAID, "twice": [f"{SAID}{SAID}"]}},
            ],
            "lifecycle": {"termination": {"finalEvent": {"type": "end", "data": SAID}}},
        },
    ),
    mock("/kept", sse={"events": [{"data": SAID, "id": SAID}, {"data": [SAID]}], "resume": {"enabled": True}}),
    mock("/items", chunked={"ndjsonItems": [SAID, {"said": SAID}], "headers": {"X-Said": SAID}}),
    mock("/lines", chunked={"data": "{{ request.body.said | tojson }}\n[1]", "format": "ndjson"}),
    mock("/raw", chunked={"data": f"<{SAID}>"}),
    mock("/json", response={"body": {"said": SAID, "n": [SAID]}, "headers": {"X-Said": SAID}}),
    mock("/text", response={"body": SAID}),
    mock("/query/{name}", response={"body": "{{ [request.query.q, request.params.name, request.path] | tojson }}"}),
]


@pytest.fixture(scope="module", params=["httptools", "h11"])
def mockd(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    with running_mockd(*MOCKS, http=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def client(mockd: RunningMockd) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=mockd.url, timeout=20) as client:
        yield client


def lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def one_line(text: str) -> str:
    return text.replace("\r\n", " ").translate({ord(char): " " for char in "\r\n\0"})


def events_of(body: bytes) -> list[dict[str, Any]]:
    """The events a browser would see (WHATWG HTML, 9.2.6), and comments."""
    events: list[dict[str, Any]] = []
    event: dict[str, Any] = {}
    for line in lines_of(body.decode()):
        name, _, value = line.partition(":")
        if not line:
            if event:
                events.append({**event, "data": "\n".join(event.get("data", []))})
            event = {}
        elif name == "data":
            event.setdefault("data", []).append(value.removeprefix(" "))
        else:
            assert name in ("event", "id", "")
            assert name not in event
            event[name] = value.removeprefix(" ")
    assert not event
    return events


def is_header_value(value: str, said: str) -> bool:
    """Whether that is what there may be of a text in a header."""
    assert not any(ord(char) < 32 or ord(char) == 127 for char in value if char != "\t")
    kept = "".join(char for char in said if char.isascii() and char.isalnum())
    return "".join(char for char in value if char.isascii() and char.isalnum()) == kept


@settings(max_examples=150, deadline=None)
@given(said=TEXTS)
@example("")
@example("a\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 200 OK\r\n")
@example("x\n\nevent: admin\ndata: evil\n\n")
@example("0\r\n\r\n")
def test_whatever_a_request_says(client: httpx.Client, said: str) -> None:
    def ask(path: str) -> httpx.Response:
        answer = client.post(path, json={"said": said})
        assert answer.status_code == 200, answer.text
        return answer

    stream = ask("/sse")
    assert "set-cookie" not in stream.headers
    assert is_header_value(stream.headers["x-said"], said)
    first, second, last = events_of(stream.content)
    data = "\n".join(lines_of(said))
    assert first == {"": one_line(said), "event": f"t{one_line(said)}", "id": f"i{one_line(said)}", "data": data}
    assert json.loads(second["data"]) == {"said": said, "twice": [said + said]}
    assert last == {"event": "end", "data": data}

    first, second = events_of(ask("/kept").content)
    assert (first["id"], first["data"]) == (one_line(said), data)
    assert json.loads(second["data"]) == [said]

    items = ask("/items")
    assert is_header_value(items.headers["x-said"], said)
    for path in (items, ask("/lines")):
        assert path.content.endswith(b"\n")
        assert len(path.content.splitlines()) == 2
    assert [json.loads(line) for line in items.content.splitlines()] == [said, {"said": said}]
    assert json.loads(ask("/lines").content.splitlines()[0]) == said

    assert ask("/raw").content == f"<{said}>".encode()
    assert ask("/text").content == said.encode()
    whole = ask("/json")
    assert whole.json() == {"said": said, "n": [said]}
    assert is_header_value(whole.headers["x-said"], said)


@settings(max_examples=50, deadline=None)
@given(said=TEXTS, name=TEXTS.map(lambda text: text.replace("/", "")).filter(lambda text: text not in ("", ".", "..")))
def test_whatever_its_address_says(client: httpx.Client, said: str, name: str) -> None:
    answer = client.get(f"/query/{quote(name, safe='')}", params={"q": said})
    assert answer.json() == [said, name, f"/query/{name}"]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[]", b"null", b'{"said":null}', b'{"said":"\\ud800"}'])
def test_bodies_that_say_nothing(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/json", content=body)
    assert answer.json() == {"said": "", "n": [""]}


def test_many_at_once(client: httpx.Client) -> None:
    def ask(number: int) -> bool:
        said = f"number {number}"
        answer = client.post("/sse" if number % 2 else "/json", json={"said": said})
        return said in answer.text and f"number {number + 1}" not in answer.text

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(1000, 1200)))


def test_several_servers_in_one_process() -> None:
    with running_mockd(*MOCKS) as one, running_mockd(*MOCKS) as other, ThreadPoolExecutor(8) as threads:

        def ask(number: int) -> bool:
            server = (one, other)[number % 2]
            return httpx.post(f"{server.url}/text", json={"said": str(number)}, timeout=20).text == str(number)

        assert all(threads.map(ask, range(200)))


def test_texts_are_kept_as_they_are_written(tmp_path: Path) -> None:
    """By the admin API, exports and files; `${…}` is the environment's, and nothing else is touched."""
    body = "${{ request.query.n }} $$5 {{ request.body['${X}'] }} {{ '$uuid' }} {% raw %}{{ request }}{% endraw %}"
    doc = mock("/written", response={"body": body})
    with running_mockd() as fresh, fresh.admin() as admin:
        admin.import_config({"mocks": [doc]})
        assert admin.get_mock("written")["response"]["body"] == body
        exported = admin.export_config()
        assert httpx.get(f"{fresh.url}/written?n=5", timeout=20).text == "$5 $5  $uuid {{ request }}"
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(exported), encoding="utf-8")
    with running_mockd(settings=Settings(config=(str(file),))) as again, again.admin() as admin:
        assert httpx.get(f"{again.url}/written?n=5", timeout=20).text == "$5 $5  $uuid {{ request }}"
        assert admin.export_config() == exported


@pytest.mark.parametrize(
    "part", [{"sse": {"events": [{"data": BODY}] * 128}}, {"response": {"body": [BODY] * 128}}], ids=["events", "body"]
)
def test_a_long_request_that_is_repeated_is_an_error_of_the_server(part: dict[str, Any]) -> None:
    with running_mockd(mock("/a", **part)) as mockd:
        assert httpx.post(mockd.url + "/a", content="x" * 100_000).status_code == 200
        refused = httpx.post(mockd.url + "/a", content="x" * 1_000_000)
    message = refused.json()["error"]["message"]
    assert refused.status_code == 500
    assert "$." in message
    assert "more than 33554432 characters" in message
