"""What is wrong with one mock, said in words, where, and with the cure."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from mockd.config.conversion import convert
from mockd.config.hand import Hold, MockHold
from mockd.config.hints import CONFUSIONS, _places, type_at
from mockd.config.load import parse_mock
from mockd.config.models import Mock
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem, format_path
from mockd.testing import running_mockd

EVENTS = [{"data": 1}]


def problem_of(**fields: Any) -> Problem:
    with pytest.raises(ConfigError) as caught:
        parse_mock({"matcher": {"path": "/a"}, **fields}, root=None)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("fields", "path", "hint"),
    [
        ({"sse": {"events": EVENTS, "retries": 1}}, "$.sse.retries", "did you mean `retry`?"),
        ({"sse": {"evnets": EVENTS}}, "$.sse.evnets", "did you mean `events`?"),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"keepAliveInterval": 5}}},
            "$.sse.lifecycle.keepAliveInterval",
            "did you mean `keepaliveInterval`?",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"duration": 60}}},
            "$.sse.lifecycle.duration",
            "did you mean `connectionTimeout`?",
        ),
        ({"sse": {"events": EVENTS, "fixedDelay": 5}}, "$.sse.fixedDelay", "did you mean `timing.fixedDelay`?"),
        ({"sse": {"events": EVENTS, "delay": 5}}, "$.sse.delay", "did you mean `timing.fixedDelay`?"),
        (
            {"sse": {"events": EVENTS, "finalEvent": {}}},
            "$.sse.finalEvent",
            "did you mean `lifecycle.termination.finalEvent`?",
        ),
        ({"sse": {"events": EVENTS, "priority": 5}}, "$.sse.priority", "did you mean `priority` of the mock?"),
        (
            {"sse": {"events": [{"data": 1, "fixedDelay": 5}]}},
            "$.sse.events[0].fixedDelay",
            "did you mean `sse.timing.fixedDelay` of the mock?",
        ),
        ({"events": EVENTS}, "$.events", "did you mean `sse.events`?"),
        (
            {"status": 5},
            "$.status",
            "did you mean `sse.status` or `chunked.status` or `response.status`?",
        ),
        ({"response": {}, "status": 5}, "$.status", "did you mean `response.status`?"),
        ({"response": {"boddy": 5}}, "$.response.boddy", "did you mean `body`?"),
        (
            {"sse": {"events": [{"data": 1, "zzz": 2}]}},
            "$.sse.events[0].zzz",
            "known here: `type`, `data`, `id`, `retry`, `comment`, `delay`, `raw`, `rawBase64`, `count`",
        ),
        ({"sse": {"events": [{"event": "x", "data": 1}]}}, "$.sse.events[0].event", "did you mean `type`?"),
        ({"zz`z - at `$.x`": 1}, "$.zz`z - at `$.x`", None),
    ],
)
def test_unknown_key_names_the_one_that_was_meant(fields: dict[str, Any], path: str, hint: str | None) -> None:
    problem = problem_of(**fields)
    assert format_path(problem.path) == path
    assert problem.message.startswith("unknown key `")
    if hint:
        assert problem.hint == hint


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"id": 5}, '$.id: expected text, got a whole number (quote it: "5")'),
        ({"name": True}, '$.name: expected text, got a boolean (quote it: "true")'),
        ({"priority": "5"}, "$.priority: expected a whole number, got text (write it without quotes)"),
        ({"enabled": "yes"}, "$.enabled: expected true or false, got text (write true or false)"),
        ({"enabled": "true"}, "$.enabled: expected true or false, got text (write it without quotes)"),
        ({"priority": "high"}, "$.priority: expected a whole number, got text"),
        ({"sse": 5}, "$.sse: expected an object, got a whole number"),
        (
            {"sse": {"events": [], "framing": {"split": 5}}},
            "$.sse.framing.split: expected text or an object or a list, got a whole number "
            '(say `{"bytes": 5}` or `{"random": 5}`)',
        ),
        (
            {"sse": {"events": [], "framing": {"split": True}}},
            "$.sse.framing.split: expected text or an object or a list, got a boolean "
            "(known are `characters`, `crlf`, `lines`, `utf8`)",
        ),
        (
            {"sse": {"events": [], "framing": {"lineEnding": 1}}},
            "$.sse.framing.lineEnding: expected text, got a whole number (known are `cr`, `crlf`, `lf`, `mixed`)",
        ),
        ({"sse": {"events": {}}}, "$.sse.events: expected a list, got an object"),
        ({"response": {"delay": -1}}, "$.response.delay: expected a number >= 0"),
        ({"response": {"delay": 10**400}}, "$.response.delay: number out of range"),
        ({"response": {"status": 200.5}}, "$.response.status: expected a whole number, got a number"),
        (
            {"response": {"headers": {"a": "1", "b c": 2, "d": "3"}}},
            '$.response.headers.b c: expected text or an object or a list, got a whole number (quote it: "2")',
        ),
        ({"response": {"headers": {"a b": "1"}}}, "$.response.headers.a b: 'a b' is not a header name"),
        (
            {"sse": {"events": EVENTS, "flush": "events"}},
            "$.sse.flush: 'events' is not one of `auto`, `event` (did you mean `event`?)",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"keepaliveInterval": 1}}},
            "$.sse.lifecycle.keepaliveInterval: `keepaliveInterval` must be 0 (off) or at least 5 seconds",
        ),
        (
            {"sse": {"events": [{"data": 1, "id": "a\nb"}]}},
            "$.sse.events[0].id: a line break or NUL cannot be sent in an event's id",
        ),
        (
            {"sse": {"events": [{"type": "ping"}]}},
            "$.sse.events[0]: an event needs `data` (or `comment`, `id` or `retry`): without it clients see nothing "
            '(to send it all the same, write it as `raw`: "event: …\\n\\n")',
        ),
        (
            {"sse": {"events": [{"raw": "x", "data": None}]}},
            "$.sse.events[0].data: `raw` is sent in place of `data` (write it into `raw`)",
        ),
        (
            {"sse": {"events": [{"rawBase64": "eA==", "comment": "c"}]}},
            "$.sse.events[0].comment: `rawBase64` is sent in place of `comment`",
        ),
        ({"sse": {"events": [{"raw": "x", "type": "t"}]}}, "$.sse.events[0].type: `raw` is sent in place of `type`"),
        ({"sse": {"events": [{"raw": "x", "retry": 1}]}}, "$.sse.events[0].retry: `raw` is sent in place of `retry`"),
        ({"sse": {"events": [{"raw": "x", "rawBase64": "eA=="}]}}, "$.sse.events[0].rawBase64: `raw` and `rawBase64`"),
        ({"sse": {"events": [{"raw": ""}]}}, "$.sse.events[0].raw: `raw` is empty"),
        ({"sse": {"events": [{"rawBase64": ""}]}}, "$.sse.events[0].rawBase64: `rawBase64` is empty"),
        ({"sse": {"events": [{"rawBase64": "x"}]}}, "$.sse.events[0].rawBase64: invalid base64"),
        ({"sse": {"events": [{"data": "x", "count": 1}]}}, "$.sse.events[0].count: `count` goes with `raw`"),
        ({"sse": {"events": EVENTS, "raw": True}}, "$.sse.raw: `raw` goes with `eventsFile`"),
        ({"sse": {"eventsFile": "x", "raw": True, "retry": 1}}, "$.sse.retry: `retry` cannot be added to raw events"),
        ({"sse": {"events": [{"raw": "x"}], "retry": 1}}, "$.sse.retry: `retry` cannot be added to raw events"),
        ({"chunked": {"eventsFile": "x"}}, "$.chunked.raw: `eventsFile` and `raw: true` go together"),
        ({"chunked": {"dataFile": "x", "raw": True}}, "$.chunked.raw: `eventsFile` and `raw: true` go together"),
        (
            {"sse": {"generator": {"type": "template", "template": {"events": [{"raw": "x"}]}}, "retry": 1}},
            "$.sse.retry: `retry` cannot be added to raw events",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"heartbeat": {"every": 1, "text": "\0"}}}},
            "$.sse.lifecycle.heartbeat.text: NUL cannot be sent in a comment",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"heartbeat": {"every": 1}}}},
            "$.sse.lifecycle.heartbeat: `heartbeat` needs exactly one of `text`, `event`, `raw`; found none",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"heartbeat": {"every": 0, "text": "x"}}}},
            "$.sse.lifecycle.heartbeat.every: ",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"heartbeat": {"every": 1, "raw": ""}}}},
            "$.sse.lifecycle.heartbeat.raw: `raw` is empty",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"heartbeat": {"every": 1, "event": {"data": 1, "delay": 1}}}}},
            "$.sse.lifecycle.heartbeat.event.delay: `delay` does not go with a heartbeat",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"heartbeat": {"every": 1, "event": {"raw": "x", "count": 0}}}}},
            "$.sse.lifecycle.heartbeat.event.count: `count` does not go with a heartbeat",
        ),
        (
            {"sse": {"events": EVENTS, "lifecycle": {"termination": {"finalEvent": {"raw": "x", "count": 2}}}}},
            "$.sse.lifecycle.termination.finalEvent.count: the last event is never counted",
        ),
        ({"matcher": {"path": "a"}, "response": {}}, "$.matcher.path: 'a' does not start with `/`"),
        ({}, "a mock needs exactly one of `sse`, `chunked`, `response`, `proxy`, `responses`; found none"),
        (
            {"sse": {}},
            "$.sse: `sse` needs exactly one of `events`, `eventsFile`, `generator`, `template`, `recording`, `manual`; "
            "found none",
        ),
        ({"sse": {"manual": False}}, "$.sse.manual: `manual` is `true`, or it is left out"),
        (
            {"sse": {"manual": True, "events": []}},
            "$.sse: `sse` needs exactly one of `events`, `eventsFile`, `generator`, `template`, `recording`, `manual`; "
            "found `events` and `manual`",
        ),
        (
            {"sse": {"manual": True, "timing": {"fixedDelay": 5}}},
            "$.sse.timing: `timing` does not go with `manual` (what is pushed is sent at once)",
        ),
        (
            {"sse": {"manual": True, "repeat": 2}},
            "$.sse.repeat: `repeat` does not go with `manual` (what is pushed is sent at once)",
        ),
        ({"response": {"bodyFile": "x"}}, "$.response.bodyFile: data files cannot be used here"),
        ({"matcher": None}, "$.matcher: expected an object, got null"),
    ],
)
def test_wrong_values_are_explained_at_their_place(fields: dict[str, Any], text: str) -> None:
    assert str(problem_of(**fields)).startswith(text)


@pytest.mark.parametrize(
    ("root", "given", "text"),
    [
        (Hold, {"at": "hed"}, "$.at: 'hed' is not one of `head`, a whole number (did you mean `head`?)"),
        (MockHold, {"upcoming": "each"}, "$.upcoming: 'each' is not one of `all`, a whole number, true or false"),
    ],
)
def test_a_word_where_a_number_could_be_too_is_explained(root: type, given: Any, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        convert(given, root)
    assert str(caught.value.problems[0]) == text


def test_every_problem_of_a_mock_is_said_in_the_order_of_the_text() -> None:
    events = [{"data": 1, "evnt": "x"}, {"data": 2, "retry": "soon", "id": 5}, {"type": "x"}, {"data": 4}]
    mock = {
        "nmae": "x",
        "matcher": {"path": "/a", "headers": {"a": 1, "b": "2", "c": None}, "methd": "GET"},
        "sse": {"evnts": [], "events": events, "flush": "now", "timing": {"randomDelay": {"min": 5, "max": 1}}},
        "priorty": 1,
    }
    with pytest.raises(ConfigError) as caught:
        parse_mock(mock, root=None)
    assert [format_path(problem.path) for problem in caught.value.problems] == [
        "$.nmae",
        "$.matcher.headers.a",
        "$.matcher.headers.c",
        "$.matcher.methd",
        "$.sse.evnts",
        "$.sse.events[0].evnt",
        "$.sse.events[1].retry",
        "$.sse.events[1].id",
        "$.sse.events[2]",
        "$.sse.flush",
        "$.sse.timing.randomDelay.max",
        "$.priorty",
    ]


def test_every_unknown_parameter_of_a_template_is_said() -> None:
    calls = [{"nme": "f"}, {"name": "g", "argumnts": {}}]
    params = {"tokns": ["a"], "delayPerToken": "soon", "error": {"messge": "no"}, "toolCalls": calls, "modl": "x"}
    found = problems_when_built(sse={"template": "openai-chat", "templateParams": params})
    assert [format_path(problem.path) for problem in found] == [
        "$.sse.templateParams.tokns",
        "$.sse.templateParams.delayPerToken",
        "$.sse.templateParams.error.messge",
        "$.sse.templateParams.toolCalls[0].nme",
        "$.sse.templateParams.toolCalls[1].argumnts",
        "$.sse.templateParams.modl",
    ]
    assert "did you mean `tokens`? known: " in (found[0].hint or "")
    assert found[2].hint == "did you mean `message`?"


def problems_when_built(**fields: Any) -> list[Problem]:
    spec = parse_mock({"matcher": {"path": "/a"}, **fields}, root=None)
    with pytest.raises(ConfigError) as caught:
        Engine().check(spec)
    return list(caught.value.problems)


def test_a_pattern_that_python_cannot_hold_is_refused() -> None:
    problem = problem_of(matcher={"pathPattern": "a{99999999999999999999}"}, response={})
    assert format_path(problem.path) == "$.matcher.pathPattern"


def test_every_confusion_leads_to_a_key_there_is() -> None:
    for part, meant in CONFUSIONS.items():
        known = {".".join(place) for place in _places(part)}
        for wrong, right in meant.items():
            assert right in known, (part, wrong)
            assert wrong not in known, (part, wrong)


def test_types_are_found_by_path() -> None:
    assert type_at(Mock, ("sse", "nope", 3)).__class__.__name__ == "AnyType"
    assert type_at(Mock, ("matcher", "path")).__class__.__name__ == "StrType"
    assert type_at(Mock, ("sse", "headers", "x", 1)).__class__.__name__ == "StrType"
    assert type_at(Mock, ("sse", "headers", "x", "omit")).__class__.__name__ == "BoolType"
    assert type_at(Mock, ("sse", "events", 3, "comment")).__class__.__name__ == "StrType"


@pytest.mark.parametrize(
    ("criterion", "value"),
    [("path", "/__mockd/health"), ("path", "/__mockd/{x}"), ("path", "/__mockd/"), ("pathPattern", "^/__mockd/x")],
)
def test_a_mock_that_the_admin_api_hides_is_refused(criterion: str, value: str) -> None:
    problem = problem_of(matcher={criterion: value}, response={})
    assert format_path(problem.path) == f"$.matcher.{criterion}"
    assert "where the admin API is" in problem.message


@pytest.mark.parametrize(
    "matcher", [{"path": "/__mockd"}, {"path": "/__mockdx/y"}, {"path": "/*", "not": {"path": "/__mockd/*"}}], ids=str
)
def test_a_mock_beside_the_admin_api_is_none_of_its_business(matcher: dict[str, Any]) -> None:
    path = matcher["path"].replace("*", "x")
    with running_mockd({"matcher": matcher, "response": {"body": "x"}}) as mockd:
        assert httpx2.get(mockd.url + path).text == "x"
