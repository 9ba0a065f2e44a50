"""Where answers follow the request, what a request can do to them, and what a stream keeps of it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from mockd.config.load import parse_mock
from mockd.errors import ConfigError
from tests.stream.harness import PATH, Lab

pytestmark = pytest.mark.anyio

X = "{{ request.body.x }}"
BODY = json.dumps({"x": 'é"\\'}).encode()
IN_JSON = 'é\\"\\\\'


@pytest.mark.parametrize(
    ("kind", "config", "text"),
    [
        ("sse", {"events": [{"data": X}]}, 'data: é"\\\n\n'),
        ("sse", {"events": [{"data": {"a": [f"<{X}>"], X: 1}}]}, f'data: {{"a":["<{IN_JSON}>"],"{X}":1}}\n\n'),
        (
            "sse",
            {"events": [{"data": "d", "id": f"i{X}", "type": f"t{X}", "comment": f"c{X}"}]},
            ': cé"\\\nid: ié"\\\nevent: té"\\\ndata: d\n\n',
        ),
        (
            "sse",
            {"events": [{"data": 1}], "lifecycle": {"termination": {"finalEvent": {"data": [X], "id": X, "type": X}}}},
            f'data: 1\n\nid: é"\\\nevent: é"\\\ndata: ["{IN_JSON}"]\n\n',
        ),
        (
            "sse",
            {"events": [{"data": 1}], "lifecycle": {"termination": {"type": "error", "errorEvent": {"data": X}}}},
            'data: 1\n\ndata: é"\\\n\n',
        ),
        ("sse", {"events": [{"data": X}], "repeat": 2}, 'data: é"\\\n\ndata: é"\\\n\n'),
        ("sse", {"generator": {"type": "random", "count": 1, "random": {"schema": [X]}}}, f'data: ["{IN_JSON}"]\n\n'),
        (
            "sse",
            {"generator": {"type": "sequence", "count": 2, "sequence": {"format": f"%d{X}"}}},
            'data: 0é"\\\n\ndata: 1é"\\\n\n',
        ),
        (
            "sse",
            {"template": "notification-stream", "templateParams": {"notifications": [{"a": X, "type": f"t{X}"}]}},
            f'event: té"\\\ndata: {{"a":"{IN_JSON}","type":"t{IN_JSON}"}}\n\n',
        ),
        ("chunked", {"ndjsonItems": [X, {"a": X}]}, f'"{IN_JSON}"\n{{"a":"{IN_JSON}"}}\n'),
        ("chunked", {"data": f"a {X} b", "chunkSize": 3}, 'a é"\\ b'),
        (
            "chunked",
            {"data": "{% for i in range(2) %}{{ i }}{{ request.body.a }}{% endfor %}", "format": "ndjson"},
            "01\n",
        ),
        ("chunked", {"data": f"1\n{X}", "format": "ndjson"}, '1\né"\\\n'),
        ("response", {"body": X}, 'é"\\'),
        ("response", {"body": {"a": [X]}}, f'{{"a":["{IN_JSON}"]}}'),
        # A whole value is text, whatever it looks like.
        ("response", {"body": ["{{ request.body | length }}"]}, '["1"]'),
        # Placeholders stand beside expressions, and are filled in for each event.
        ("response", {"body": f"$random:7:7 {X} $$uuid $pick:a"}, '7 é"\\ $uuid a'),
        ("response", {"body": f"{{{{ '$uuid' }}}}{X}"}, '$uuidé"\\'),
        ("response", {"body": "{% for i in range(2) %}$random(5,5){{ request.body.a }};{% endfor %}"}, "5;5;"),
        ("response", {"body": "{% if request.body.a %}$uuid{% endif %}-"}, "-"),
        # Any other text stays as it is.
        ("response", {"body": "{{ name }} $random:7:7"}, "{{ name }} 7"),
        ("sse", {"events": [{"data": "{% x %} request"}]}, "data: {% x %} request\n\n"),
    ],
    ids=str,
)
async def test_filled_in(lab: Lab, kind: str, config: dict[str, Any], text: str) -> None:
    lab.mock(kind, **config)
    stream = await lab.open(body=BODY)
    await lab.clock.advance(60)
    assert stream.text == text


async def test_placeholders_are_fresh_for_every_event(lab: Lab) -> None:
    lab.mock(events=[{"data": "$uuid {{ request.body.x }}"}], repeat=3)
    stream = await lab.open(body=BODY)
    ids = {data.partition(" ")[0] for _, data in stream.events}
    assert len(stream.events) == len(ids) == 3
    assert {data.partition(" ")[2] for _, data in stream.events} == {'é"\\'}


async def test_each_stream_has_its_own(lab: Lab) -> None:
    lab.mock(events=[{"data": X}, {"data": X}], timing={"fixedDelay": 1000})
    first = await lab.open(body=b'{"x":"one"}')
    second = await lab.open(body=b'{"x":"two"}')
    await lab.clock.advance(10)
    assert [data for _, data in first.events] == ["one", "one"]
    assert [data for _, data in second.events] == ["two", "two"]


async def test_what_a_request_says_is_never_read_again(lab: Lab) -> None:
    said = "$uuid {{ request.path }} {% raw %} $random:1:1 $$ ${HOME}"
    lab.mock("response", body={"said": X, "and": f"{X}$random(7,7)"}, headers={"X-Said": X})
    answer = await lab.open(body=json.dumps({"x": said}).encode())
    assert answer.json == {"said": said, "and": f"{said}7"}
    assert answer.headers["x-said"] == said


async def test_line_breaks_end_no_line_of_an_event(lab: Lab) -> None:
    lab.mock(events=[{"data": X, "id": X, "type": X, "comment": X}])
    stream = await lab.open(body=json.dumps({"x": "a\nevent: b\r\n\rid: c\0"}).encode())
    assert stream.text == (
        ": a event: b  id: c \nid: a event: b  id: c \nevent: a event: b  id: c \n"
        "data: a\ndata: event: b\ndata: \ndata: id: c\0\n\n"
    )


async def test_headers(lab: Lab) -> None:
    lab.mock(
        events=[{"data": "x"}],
        headers={"X-A": f"a {X}", "content-type": "text/event-stream; v={{ request.body.v }}", "X-B": "{{ name }}"},
    )
    stream = await lab.open(body=json.dumps({"x": " é\r\nSet-Cookie: a=b\0\x7f→ ", "v": 2}).encode())
    assert stream.headers["x-a"].encode("latin-1").decode() == "a  é Set-Cookie: a=b →"
    assert stream.headers["content-type"] == "text/event-stream; v=2"
    assert stream.headers["x-b"] == "{{ name }}"
    assert stream.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in stream.headers
    assert stream.text == "data: x\n\n"


@pytest.mark.parametrize("kind", ["response", "chunked"])
async def test_headers_of_whole_and_chunked_answers(lab: Lab, kind: str) -> None:
    content = {"body": "x"} if kind == "response" else {"data": "x"}
    lab.mock(kind, headers={"X-A": X, "Content-Type": "a/{{ request.body.t }}"}, **content)
    stream = await lab.open(body=b'{"x": "1", "t": "b"}')
    assert stream.headers["x-a"] == "1"
    assert stream.headers["content-type"] == "a/b"
    assert stream.body == b"x"
    head = await lab.open(method="HEAD", body=b'{"x": "2"}')
    assert head.headers["x-a"] == "2"


async def test_headers_of_other_origins_stay(lab: Lab) -> None:
    lab.mock(events=[{"data": "x"}], headers={"Access-Control-Allow-Origin": X})
    stream = await lab.open(headers={"Origin": "http://a.test"}, body=b'{"x": "http://b.test"}')
    assert stream.headers["access-control-allow-origin"] == "http://b.test"
    assert [name for name, _ in stream.messages[0][1]["headers"]].count(b"access-control-allow-origin") == 1


@pytest.mark.parametrize("name", ["Connection", "content-length"])
def test_the_servers_headers_cannot(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot follow the request") as refused:
        Lab().mock(events=[{"data": "x"}], headers={name: X})
    assert refused.value.problems[0].path == ("sse", "headers", name)


@pytest.mark.parametrize(
    ("kind", "config", "place"),
    [
        ("sse", {"events": [{"data": "a"}, {"data": {"b": [f"{X}{{{{"]}}]}, ("events", 1, "data", "b", 0)),
        ("sse", {"events": [{"data": "a", "type": "{{ request"}]}, ("events", 0, "type")),
        (
            "sse",
            {"events": [{"data": 1}], "lifecycle": {"termination": {"finalEvent": {"data": "{{ request"}}}},
            ("lifecycle", "termination", "finalEvent", "data"),
        ),
        ("sse", {"events": [{"data": 1}], "headers": {"X-A": "{{ request"}}, ("headers", "X-A")),
        ("chunked", {"ndjsonItems": [{"a": "{{ request"}]}, ("ndjsonItems", 0, "a")),
        ("chunked", {"data": "{{ request"}, ("data",)),
        ("chunked", {"data": "{% if request.body.a %}\n{% endif %}", "format": "ndjson"}, ("data",)),  # a text a line
        ("response", {"body": {"a": "{{ request | x }}"}}, ("body", "a")),
        ("response", {"headers": {"X-A": "{{ request.x() }}"}}, ("headers", "X-A")),
    ],
    ids=str,
)
def test_refused_with_the_place(kind: str, config: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ConfigError) as refused:
        Lab().mock(kind, **config)
    assert refused.value.problems[0].path == (kind, *place)


FAILING = "{{ request.body.x + 1 }}"


@pytest.mark.parametrize(
    ("kind", "config", "place"),
    [
        ("response", {"body": {"a": FAILING}}, "$.response.body.a"),
        ("response", {"body": "b", "headers": {"X-A": FAILING}}, "$.response.headers.X-A"),
        ("sse", {"events": [{"data": 1}, {"data": FAILING}]}, "$.sse.events[1].data"),
        ("sse", {"events": [{"data": 1}], "headers": {"X-A": FAILING}}, "$.sse.headers.X-A"),
        (
            "sse",
            {"events": [{"data": 1}], "lifecycle": {"termination": {"finalEvent": {"data": FAILING}}}},
            "$.sse.lifecycle.termination.finalEvent.data",
        ),
        ("sse", {"events": [{"data": 1, "id": FAILING}], "resume": {"enabled": True}}, "$.sse.events[0].id"),
        ("chunked", {"data": FAILING}, "$.chunked.data"),
    ],
    ids=str,
)
async def test_a_failing_expression_fails_its_answer(
    lab: Lab, caplog: pytest.LogCaptureFixture, kind: str, config: dict[str, Any], place: str
) -> None:
    lab.mock(kind, **config)
    with caplog.at_level(logging.ERROR, "mockd"):
        failed = await lab.open(body=b'{"x": "one"}')
    assert failed.status == 500
    assert failed.json["error"]["code"] == "source_error"
    assert failed.json["error"]["message"].startswith(f"ExpressionError: {place}: ")
    (record,) = caplog.records
    assert record.getMessage().startswith(f"mock: {place}: ")
    assert record.exc_info is None
    assert (await lab.open(body=b'{"x": 1}')).status == 200


async def test_the_limit_of_steps(lab: Lab) -> None:
    lab.mock("response", body="{% for a in request.body %}{% for b in request.body %}{% endfor %}{% endfor %}.")
    assert (await lab.open(body=b"[1,2,3]")).text == "."
    failed = await lab.open(body=json.dumps(list(range(1000))).encode())
    assert (failed.status, failed.json["error"]["code"]) == (500, "source_error")
    assert failed.json["error"]["message"] == "ExpressionError: $.response.body: it takes more than 100000 steps"


# -- what stays as the stream goes on ----------------------------------------------------------------------------------


async def test_a_resumed_stream_keeps_what_its_first_request_said(lab: Lab) -> None:
    lab.mock(
        events=[{"data": X}] * 3,
        headers={"X-A": X},
        timing={"fixedDelay": 1000},
        resume={"enabled": True},
        lifecycle={"termination": {"finalEvent": {"data": f"end {X}"}}},
    )
    first = await lab.open(body=b'{"x":"one"}')
    await first.hang_up()
    last_id = lab.ended["lastEventId"]
    again = await lab.open(headers={"Last-Event-ID": last_id}, body=b'{"x":"two"}')
    await lab.clock.advance(10)
    assert [data for _, data in again.events] == ["one", "one", "end one"]
    assert again.headers["x-a"] == "one"


async def test_ids_are_a_sessions_own(lab: Lab) -> None:
    """Events that follow the request are not the same for everyone: their ids must tell whose they are."""
    lab.mock(events=[{"data": X}] * 2, timing={"fixedDelay": 1000}, resume={"enabled": True}, seed=1)
    streams = [await lab.open(body=json.dumps({"x": x}).encode()) for x in ("one", "two")]
    for stream in streams:
        await stream.hang_up()
    ids = [block.partition("\n")[0].removeprefix("id: ") for stream in streams for _, block in stream.blocks]
    assert len(set(ids)) == 2
    for id_, text in zip(ids, ("one", "two"), strict=True):
        again = await lab.open(headers={"Last-Event-ID": id_})
        await lab.clock.advance(5)
        assert [data for _, data in again.events] == [text]


async def test_a_given_id_may_follow_the_request(lab: Lab) -> None:
    lab.mock(
        events=[{"id": X, "data": "a"}, {"id": f"{X}-2", "data": "b"}],
        timing={"fixedDelay": 1000},
        resume={"enabled": True},
    )
    first = await lab.open(body=json.dumps({"x": "one\n\0two"}).encode())
    await first.hang_up()
    assert first.text == "id: one  two\ndata: a\n\n"
    again = await lab.open(headers={"Last-Event-ID": "one  two"})
    await lab.clock.advance(5)
    assert again.text == "id: one  two-2\ndata: b\n\n"


async def test_a_session_of_an_earlier_process(lab: Lab) -> None:
    """Its events are the same for everyone, so they are made again; the rest follows this request."""
    mock = {
        "id": "mock",
        "matcher": {"path": PATH},
        "sse": {
            "events": [{"data": "a"}, {"data": "b"}],
            "headers": {"X-A": X},
            "resume": {"enabled": True},
            "lifecycle": {"termination": {"finalEvent": {"data": f"end {X}"}}},
        },
    }
    lab.engine.load([parse_mock(mock, root=None)])
    stream = await lab.open(headers={"Last-Event-ID": "1"}, body=b'{"x":"one"}')
    await lab.clock.advance(5)
    assert [data for _, data in stream.events] == ["b", "end one"]
    assert stream.headers["x-a"] == "one"
