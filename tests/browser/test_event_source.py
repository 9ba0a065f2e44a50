"""Chromium's own EventSource on mockd's streams."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page

from mockd.framing.variants import variants
from tests.browser.conftest import PATIENCE_MS, Mockd, Serve
from tests.docs.blocks import ROOT, blocks
from tests.spec import page as spec
from tests.spec.quick_clock import QuickClock

pytestmark = pytest.mark.browser

RETRY_MS = 60

LISTEN = """
([url, types, options]) => {
  window.log = [];
  const source = window.source = new EventSource(url, options);
  source.onopen = () => log.push(['open']);
  source.onerror = () => log.push(['error', source.readyState]);
  for (const type of types) {
    source.addEventListener(type, (event) => log.push([event.type, event.data, event.lastEventId]));
  }
}
"""
CLOSED = "() => window.source.readyState === EventSource.CLOSED"


def sse(path: str, *events: Any, **sse: Any) -> dict[str, Any]:
    listed = [event if isinstance(event, dict) else {"data": event} for event in events]
    return {"id": path.strip("/"), "matcher": {"path": path}, "sse": {"events": listed, **sse}}


def listen(page: Page, mockd: Mockd, url: str, *types: str, **options: Any) -> None:
    """Open the server's page and an EventSource in it that writes a log."""
    page.goto(mockd.url + "/page")
    page.evaluate(LISTEN, [url, ["message", *types], options])


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=PATIENCE_MS)


def events(page: Page) -> list[list[str]]:
    """What listeners were told: type, data and lastEventId of each event."""
    return [entry for entry in page.evaluate("log") if entry[0] not in ("open", "error")]


def test_the_script_of_the_page(page: Page, serve: Serve) -> None:
    [script] = spec.blocks("javascript")
    # Chromium may drop what it was sent right before a break.
    life = {"simulateDisconnect": 2, "termination": {"closeDelay": 100}}
    stream = sse("/events", "Hello", {"type": "custom-type", "data": {"a": 1}}, lifecycle=life, retry=10_000)
    mockd = serve(stream)
    said: list[tuple[str, str]] = []
    page.on("console", lambda message: said.append(_said(message)))
    page.goto(mockd.url + "/page")
    with page.expect_console_message(lambda message: message.text.startswith("Error:")):
        page.add_script_tag(content=script.text)
    ours = [entry for entry in said if not entry[1].startswith("Failed to load resource")]
    assert ours[:2] == [("log", "Message: Hello"), ("log", 'Custom event: {"a":1}')]
    assert ("error", "Error: Event") in ours


def test_the_guide_to_ending_it_from_the_page(page: Page, serve: Serve) -> None:
    guide = blocks(ROOT / "docs" / "guides" / "browser-returns.md")
    [script] = [block.text for block in guide if block.language == "javascript"]
    [mock, _] = [block.text for block in guide if block.language == "json"]
    mockd = serve(json.loads(mock))
    page.goto(mockd.url + "/page")
    page.add_script_tag(content=script.replace("http://localhost:4280", mockd.url))
    page.wait_for_function("() => source.readyState === EventSource.CLOSED", timeout=PATIENCE_MS)
    assert len(mockd.asked_for("/jobs/1")) == 1


def test_the_guide_to_bytes_that_break_parsers(page: Page, serve: Serve) -> None:
    guide = blocks(ROOT / "docs" / "guides" / "framing.md")
    _, odd, legal = [json.loads(block.text) for block in guide if block.language == "json"]
    mockd = serve(odd, legal)
    listen(page, mockd, "/odd", "a")
    wait(page, "() => log.some((entry) => entry[0] === 'error')")
    assert events(page) == [["a", "one", "1"], ["message", "two\nlines", "1"]]
    listen(page, mockd, "/legal")
    wait(page, "() => log.some((entry) => entry[0] === 'error')")
    assert [data for _, data, _ in events(page)] == ["CR alone", "one\ntwo", "", '{"colon": "in: data"}']


EVENTS: list[Any] = [
    {"data": "één 😀", "type": "greeting", "id": "1"},
    {"data": {"text": "zwei\nDrei"}},
    {"comment": "alone"},
    {"data": " three\n\n lines ", "retry": 10_000},
    {"data": ""},
]
NEUTRAL = [one for one in variants("sse") if one.is_neutral("sse", has_ids=False, accepted={"gzip", "deflate", "br"})]


def test_it_reads_the_same_in_every_neutral_form(page: Page, serve: Serve) -> None:
    mockd = serve(sse("/plain", *EVENTS), *[sse(f"/{one.name}", *EVENTS, framing=dict(one.framing)) for one in NEUTRAL])
    for name in ("plain", *(one.name for one in NEUTRAL)):
        listen(page, mockd, f"/{name}", "greeting")
        wait(page, "() => log.some((entry) => entry[0] === 'error')")
        assert events(page) == [
            ["greeting", "één 😀", "1"],
            ["message", '{"text":"zwei\\nDrei"}', "1"],
            ["message", " three\n\n lines ", "1"],
            ["message", "", "1"],
        ], name


def _said(message: ConsoleMessage) -> tuple[str, str]:
    return message.type, message.text


def test_types_ids_and_data_arrive_as_they_were_written(page: Page, serve: Serve) -> None:
    data = "one\r\ntwo\rthree\nfour\u2028still four\u2029\u0085 \U0001f600 \u00e9"
    mockd = serve(
        sse(
            "/events",
            {"id": "1", "data": data},
            {"type": "update", "data": {"b": [1, None], "a": "\u2028"}},
            {"id": "\u00fc", "data": " one space more"},
            {"id": "", "data": ""},
            {"comment": "nothing to see"},
            {"id": "9"},
            {"data": "last"},
            lifecycle={"keepOpen": True},
        )
    )
    listen(page, mockd, "/events", "update")
    wait(page, "() => log.length >= 6")
    assert page.evaluate("log")[0] == ["open"]
    assert events(page) == [
        ["message", "one\ntwo\nthree\nfour\u2028still four\u2029\u0085 \U0001f600 \u00e9", "1"],
        ["update", '{"b":[1,null],"a":"\\u2028"}', "1"],
        ["message", " one space more", "\u00fc"],
        ["message", "", ""],
        ["message", "last", "9"],
    ]


def cut_short(path: str, ids: str, termination: dict[str, Any]) -> dict[str, Any]:
    """A stream of which each connection lasts for about two events. (Chromium may drop what it was sent right before
    a break, and ask for it again: so the break comes in a silence.)"""
    return sse(
        path,
        *({"id": id_, "data": id_.upper()} for id_ in ids),
        retry=RETRY_MS,
        timing={"fixedDelay": 150},
        resume={"enabled": True},
        lifecycle={"connectionTimeout": 0.25, "termination": termination},
    )


def check_nothing_is_missed(page: Page, mockd: Mockd, ids: str) -> None:
    """Every event once and in order, over several connections, the last of which was answered 204."""
    assert [event for event in events(page) if event[0] == "message"] == [["message", id_.upper(), id_] for id_ in ids]
    first, *others = [asked.last_event_id for asked in mockd.asked_for("/events")]
    assert first is None
    assert others == sorted(others, key=lambda id_: ids.index(str(id_)))
    assert others[-1] == ids[-1]
    assert len(others) >= 2


def test_comes_back_after_breaks_for_what_it_missed_and_stops_at_204(page: Page, serve: Serve) -> None:
    later = sse("/later", *map(str, range(10)), timing={"fixedDelay": RETRY_MS}, lifecycle={"keepOpen": True})
    mockd = serve(cut_short("/events", "abcde", {"type": "abrupt"}), later)
    listen(page, mockd, "/events")
    wait(page, CLOSED)
    check_nothing_is_missed(page, mockd, "abcde")
    errors = [entry for entry in page.evaluate("log") if entry[0] == "error"]
    asked = len(mockd.asked_for("/events"))
    assert errors == [["error", 0]] * (asked - 1) + [["error", 2]]
    # A stream that lasts ten times as long as it would wait passes without another request.
    page.evaluate(LISTEN, ["/later", ["message"], {}])
    wait(page, "() => log.length >= 11")
    assert len(mockd.asked_for("/events")) == asked


def test_comes_back_after_graceful_ends(page: Page, serve: Serve) -> None:
    mockd = serve(cut_short("/events", "abcde", {"finalEvent": {"type": "end", "data": "for now"}}))
    listen(page, mockd, "/events", "end")
    wait(page, CLOSED)
    check_nothing_is_missed(page, mockd, "abcde")
    # Each connection but the last, which is the 204, ended with the final event.
    ends = [event for event in events(page) if event[0] == "end"]
    assert len(ends) == len(mockd.asked_for("/events")) - 1


def test_waits_as_long_as_retry_says(page: Page, serve: Serve) -> None:
    mockd = serve(sse("/events", "a", retry=300, resume={"enabled": True}))
    listen(page, mockd, "/events")
    wait(page, CLOSED)
    first, second = mockd.asked_for("/events")
    assert 0.29 <= second.at - first.at <= 2.5  # Chromium's own choice would be 3 s


def test_keepalives_are_invisible(page: Page, serve: Serve) -> None:
    stream = sse(
        "/events",
        {"id": "1", "data": "a"},
        {"data": "b", "delay": 17_000},
        lifecycle={"keepaliveInterval": 5, "keepOpen": True},
    )
    mockd = serve(stream, clock=QuickClock(25.0))
    listen(page, mockd, "/events")
    wait(page, "() => log.length >= 3")
    assert page.evaluate("log") == [["open"], ["message", "a", "1"], ["message", "b", "1"]]
    [connection] = mockd.engine.connections.live()
    assert connection["bytesSent"] >= len("id: 1\ndata: a\n\n" + ": keepalive\n" + "data: b\n\n")


def test_another_origin_with_credentials(page: Page, serve: Serve) -> None:
    mockd = serve(
        {
            "matcher": {"path": "/login"},
            "response": {"headers": {"Set-Cookie": "who=alice; Path=/", "Content-Type": "text/html"}, "body": "in"},
        }
    )
    other = serve(sse("/events", "from elsewhere", lifecycle={"keepOpen": True}))
    page.goto(mockd.url + "/login")
    page.evaluate(LISTEN, [other.url + "/events", ["message"], {"withCredentials": True}])
    wait(page, "() => log.length >= 2")
    assert page.evaluate("log") == [["open"], ["message", "from elsewhere", ""]]
    [asked] = other.asked_for("/events")
    assert asked.headers["origin"] == mockd.url
    assert asked.headers["cookie"] == "who=alice"


def test_another_status_stops_it_for_good(page: Page, serve: Serve) -> None:
    paths = [f"/{status}" for status in (204, 404, 500, 503)]
    mockd = serve(*({"matcher": {"path": path}, "response": {"status": int(path[1:])}} for path in paths))
    page.goto(mockd.url + "/page")
    for path in paths:
        page.evaluate(LISTEN, [path, ["message"], {}])
        wait(page, CLOSED)
        assert page.evaluate("log") == [["error", 2]]
        assert len(mockd.asked_for(path)) == 1


def test_a_closed_page_is_gone_from_the_list(page: Page, serve: Serve) -> None:
    mockd = serve(
        sse("/endless", "tick", repeat=0, timing={"fixedDelay": 10}),
        sse("/silent", "one", lifecycle={"keepOpen": True}),
    )
    listen(page, mockd, "/endless")
    page.evaluate("other = new EventSource('/silent'); other.onmessage = () => log.push(['open'])")
    wait(page, "() => log.filter((entry) => entry[0] === 'open').length >= 2 && log.length >= 10")
    assert len(mockd.engine.connections.live()) == 2
    page.close()
    for path in ("/endless", "/silent"):
        [asked] = mockd.asked_for(path)
        assert asked.gone.wait(5)
    assert mockd.engine.connections.live() == []
