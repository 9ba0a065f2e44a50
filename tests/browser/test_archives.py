"""HTTP Archives that are made from what Chromium says over its debugging protocol."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from mockd import Settings, running_mockd
from mockd.recordings.conversions import har
from mockd.recordings.conversions.formats import read_file
from mockd.recordings.reading import Exchange, exchanges
from tests.browser.conftest import PATIENCE_MS, Serve
from tests.recordings.stories import recorded

pytestmark = pytest.mark.browser

TEXTS = ["one", "two\nlines", "é€😀", '{"n": 1}']
LIVE: dict[str, Any] = {
    "id": "live",
    "matcher": {"path": "/live"},
    "sse": {
        "events": [{"type": "tick", "id": str(number), "data": text} for number, text in enumerate(TEXTS)],
        "timing": {"fixedDelay": 60},
        "lifecycle": {"keepOpen": True},
    },
}
CHAT: dict[str, Any] = {
    "id": "chat",
    "matcher": {"path": "/chat", "method": "POST"},
    "sse": {"events": [{"data": text} for text in TEXTS], "timing": {"fixedDelay": 60}},
}
LISTEN = """
url => new Promise(resolve => {
  let count = 0;
  const source = new EventSource(url);
  source.addEventListener("tick", () => { if (++count == 4) { source.close(); resolve(); } });
})
"""
FETCH = """
url => fetch(url, {method: "POST", headers: {"Authorization": "Bearer secretsecret"}, body: '{"stream": true}'})
  .then(answer => answer.text())
"""


class Archivist:
    """Makes entries of an archive from the events of the debugging protocol, as Chrome's export and chrome-har do."""

    def __init__(self, page: Page) -> None:
        self._protocol = page.context.new_cdp_session(page)
        self._entries: dict[str, dict[str, Any]] = {}
        self._starts: dict[str, float] = {}
        self._protocol.on("Network.requestWillBeSent", self._sent)
        self._protocol.on("Network.responseReceived", self._received)
        self._protocol.on("Network.dataReceived", self._data)
        self._protocol.on("Network.eventSourceMessageReceived", self._message)
        self._protocol.on("Network.loadingFinished", self._finished)
        self._protocol.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        request = event["request"]
        self._starts[event["requestId"]] = event["timestamp"]
        self._entries[event["requestId"]] = {
            "startedDateTime": datetime.fromtimestamp(event["wallTime"], UTC).isoformat(),
            "_wallTime": event["wallTime"],
            "request": {
                "method": request["method"],
                "url": request["url"],
                "headers": named(request["headers"]),
                "postData": {"text": request.get("postData", "")},
            },
            "_chunks": [],
            "_eventSourceMessages": [],
        }

    def _received(self, event: dict[str, Any]) -> None:
        response, entry = event["response"], self._entries.get(event["requestId"])
        if entry is None:  # the page's own
            return
        entry["timings"] = {"wait": (event["timestamp"] - self._starts[event["requestId"]]) * 1000}
        entry["response"] = {
            "status": response["status"],
            "statusText": response["statusText"],
            "httpVersion": response["protocol"],
            "headers": named(response["headers"]),
            "content": {"mimeType": response["mimeType"], "size": 0},
        }

    def _data(self, event: dict[str, Any]) -> None:
        if (entry := self._entries.get(event["requestId"])) is None:
            return
        at_ms = (event["timestamp"] - self._starts[event["requestId"]]) * 1000
        entry["_chunks"].append({"ts": at_ms, "bytes": event["dataLength"]})
        entry["response"]["content"]["size"] += event["dataLength"]

    def _message(self, event: dict[str, Any]) -> None:
        entry = self._entries[event["requestId"]]
        time = entry["_wallTime"] + event["timestamp"] - self._starts[event["requestId"]]
        fields = {name: event[name] for name in ("eventName", "eventId", "data")}
        entry["_eventSourceMessages"].append({"time": time, **fields})

    def _finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._entries:
            self._entries[event["requestId"]]["_is_finished"] = True

    def wait_for_messages(self, page: Page, count: int) -> None:
        """The protocol may say of a message later than the page has got it."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while sum(len(entry["_eventSourceMessages"]) for entry in self._entries.values()) < count:
            assert time.monotonic() < deadline
            page.evaluate("0")

    def write(self, file: Path, path: str) -> None:
        """Write the entries for this path, with their bodies if the browser has them."""
        entries = []
        for request_id, entry in self._entries.items():
            if not entry["request"]["url"].endswith(path):
                continue
            if entry.get("_is_finished"):
                body = self._protocol.send("Network.getResponseBody", {"requestId": request_id})
                content = entry["response"]["content"]
                content |= {"text": body["body"]} | ({"encoding": "base64"} if body["base64Encoded"] else {})
            entries.append({name: value for name, value in entry.items() if value})
        file.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8")


def named(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": line} for name, value in headers.items() for line in value.split("\n")]


def entry_of(file: Path) -> dict[str, Any]:
    """The only entry of an archive."""
    [entry] = json.loads(file.read_text(encoding="utf-8"))["log"]["entries"]
    return dict(entry)


def gaps(times: list[float]) -> list[float]:
    """The gaps between times, in microseconds like these."""
    return [after - before for before, after in pairwise(times)]


def imported(file: Path, folder: Path) -> tuple[Exchange, list[str]]:
    said: list[str] = []
    [exchange] = recorded(folder, *read_file(file, "auto", said.append))
    return exchange, said


def test_messages_of_an_event_source(page: Page, serve: Serve, tmp_path: Path) -> None:
    mockd = serve(LIVE)
    page.goto(f"{mockd.url}/page")
    archivist = Archivist(page)
    page.evaluate(LISTEN, f"{mockd.url}/live")
    archivist.wait_for_messages(page, len(TEXTS))
    archivist.write(tmp_path / "a.har", "/live")
    exchange, said = imported(tmp_path / "a.har", tmp_path / "r")
    pieces = list(exchange.output())
    framed = ["\ndata: ".join(text.split("\n")) for text in TEXTS]
    assert [data.decode() for _, data in pieces] == [
        f"event: tick\nid: {number}\ndata: {text}\n\n" for number, text in enumerate(framed)
    ]
    told = [message["time"] * 1_000_000 for message in entry_of(tmp_path / "a.har")["_eventSourceMessages"]]
    assert gaps([at for at, _ in pieces]) == pytest.approx(gaps(told), abs=1000)
    assert exchange.head is not None
    assert exchange.head.status == 200
    assert said == []


def test_a_fetch_with_its_chunks(page: Page, serve: Serve, tmp_path: Path) -> None:
    mockd = serve(CHAT)
    page.goto(f"{mockd.url}/page")
    archivist = Archivist(page)
    received = page.evaluate(FETCH, f"{mockd.url}/chat")
    archivist.write(tmp_path / "a.har", "/chat")
    exchange, said = imported(tmp_path / "a.har", tmp_path / "r")
    pieces = list(exchange.output())
    assert b"".join(data for _, data in pieces) == received.encode()
    told = entry_of(tmp_path / "a.har")["_chunks"]
    assert [len(data) for _, data in pieces] == [chunk["bytes"] for chunk in told]
    assert gaps([at for at, _ in pieces]) == pytest.approx(gaps([chunk["ts"] * 1000 for chunk in told]), abs=1000)
    assert exchange.input() == b'{"stream": true}'
    assert ("Authorization", "Bearer secretsecret") in exchange.begun.headers
    assert said == []


def test_a_binary_answer(page: Page, serve: Serve, tmp_path: Path) -> None:
    """Chromium hands its body on in base64."""
    (tmp_path / "bytes").write_bytes(bytes(range(256)) * 10)
    chunked: dict[str, Any] = {"dataFile": "bytes", "chunkSize": 1000, "chunkDelay": 60}
    chunked["headers"] = {"Content-Type": "image/png"}
    binary = {"matcher": {"path": "/binary"}, "chunked": chunked}
    page.goto(f"{serve().url}/page")
    archivist = Archivist(page)
    with running_mockd(binary, settings=Settings(files_root=str(tmp_path))) as mockd:
        page.evaluate("url => fetch(url).then(answer => answer.arrayBuffer()).then(() => 0)", f"{mockd.url}/binary")
    archivist.write(tmp_path / "a.har", "/binary")
    assert json.loads((tmp_path / "a.har").read_text())["log"]["entries"][0]["response"]["content"]["encoding"]
    exchange, said = imported(tmp_path / "a.har", tmp_path / "r")
    assert b"".join(data for _, data in exchange.output()) == bytes(range(256)) * 10
    assert said == []


def test_an_answer_in_a_content_coding(page: Page, serve: Serve, tmp_path: Path) -> None:
    """Chromium hands its body on decoded, under the head that it had."""
    mockd = serve({**CHAT, "sse": {**CHAT["sse"], "framing": {"encoding": "gzip"}}})
    page.goto(f"{mockd.url}/page")
    archivist = Archivist(page)
    received = page.evaluate(FETCH, f"{mockd.url}/chat")
    archivist.write(tmp_path / "a.har", "/chat")
    exchange, _ = imported(tmp_path / "a.har", tmp_path / "r")
    assert b"".join(data for _, data in exchange.output()) == received.encode()
    assert exchange.head is not None
    assert exchange.end is not None
    assert "content-encoding" not in {name.lower() for name, _ in exchange.head.headers}
    assert exchange.end.decoded == "gzip"


def test_a_body_in_a_coding_is_in_our_archives_as_it_is_in_those_of_a_browser(
    chromium: BrowserContext, serve: Serve, tmp_path: Path
) -> None:
    """Of one exchange, recorded by mockd on its way to Chromium."""
    events = [{"data": text} for text in ("one", "two", "three")]  # for others, see `test_har.py`
    service = serve({**CHAT, "sse": {"events": events, "framing": {"encoding": "gzip"}}})
    assert chromium.browser is not None
    settings = Settings(proxy=(service.url,), record=str(tmp_path / "r"), accept_encoding="client")
    with running_mockd(settings=settings) as relay:
        context = chromium.browser.new_context(
            record_har_path=tmp_path / "a.har", record_har_content="embed", record_har_url_filter="**/chat"
        )
        page = context.new_page()
        page.goto(f"{relay.url}/page")
        page.evaluate(FETCH, f"{relay.url}/chat")
        context.close()
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not (found := [one for file in (tmp_path / "r").glob("*chat*") for one in exchanges(file) if one.end]):
            assert time.monotonic() < deadline
    [theirs] = json.loads((tmp_path / "a.har").read_text())["log"]["entries"]
    [ours] = json.loads(har.write(found, lambda _: None))["log"]["entries"]
    assert ("content-encoding", "gzip") in {
        (header["name"].lower(), header["value"]) for header in ours["response"]["headers"]
    }
    for name in ("text", "size"):
        assert ours["response"]["content"][name] == theirs["response"]["content"][name]
    # Playwright counts the chunks' frames too.
    assert 0 < ours["response"]["bodySize"] <= theirs["response"]["bodySize"]
    assert (
        ours["response"]["content"]["compression"]
        == len(ours["response"]["content"]["text"].encode()) - ours["response"]["bodySize"]
    )


def test_an_archive_that_playwright_writes(chromium: BrowserContext, serve: Serve, tmp_path: Path) -> None:
    mockd = serve(CHAT)
    assert chromium.browser is not None
    file = tmp_path / "a.har"
    context = chromium.browser.new_context(
        record_har_path=file, record_har_content="embed", record_har_url_filter="**/chat"
    )
    page = context.new_page()
    page.goto(f"{mockd.url}/page")
    received = page.evaluate(FETCH, f"{mockd.url}/chat")
    context.close()
    exchange, said = imported(file, tmp_path / "r")
    assert b"".join(data for _, data in exchange.output()) == received.encode()
    assert (exchange.begun.method, exchange.input()) == ("POST", b'{"stream": true}')
    assert exchange.head is not None
    assert exchange.head.status == 200
    assert said == ["the archive says nothing of the pieces in which answers came, and of their times"]
