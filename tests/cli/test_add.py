from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cli.harness import Cli, Served

PAGE = {
    "basic": """mockd add --path /events --sse \
  --sse-event 'connected:{"status":"ok"}' \
  --sse-event 'update:{"count":1}' \
  --sse-event 'update:{"count":2}' \
  --sse-delay 500""",
    "openai": "mockd add -m POST --path /v1/chat/completions --sse --sse-template openai-chat",
    "notifications": "mockd add --path /notifications --sse --sse-template notification-stream",
    "infinite": """mockd add --path /stream --sse \
  --sse-event 'ping:{}' \
  --sse-delay 1000 \
  --sse-repeat 0""",
    "keepalive": """mockd add --path /long-poll --sse \
  --sse-event 'data:{"value":1}' \
  --sse-keepalive 15000""",
}


def add(cli: Cli, *arguments: str) -> dict[str, Any]:
    """The mock that the options made, as the server has it."""
    result = cli("add", "--json", *arguments)
    assert result.code == 0, result.err
    answer: dict[str, Any] = result.json["mock"]
    return answer


def sse(cli: Cli, *arguments: str) -> dict[str, Any]:
    config: dict[str, Any] = add(cli, "--path", "/x", "--sse", *arguments)["sse"]
    return config


@pytest.mark.parametrize("line", PAGE.values(), ids=PAGE)
def test_line_of_the_page_works_as_it_stands(cli: Cli, line: str) -> None:
    result = cli(*shlex.split(line)[1:])
    assert result.code == 0, result.err
    assert result.out.startswith("Created mock: http_")
    assert cli(*shlex.split(line)[1:]).out.startswith("Updated mock: http_")
    assert len(cli("list", "--json").json["mocks"]) == 1


def test_mocks_are_told_apart_by_the_states_in_which_they_match(cli: Cli) -> None:
    def ids_after(*arguments: str) -> list[str]:
        assert cli("add", "--path", "/me", *arguments).code == 0
        return [mock["id"] for mock in cli("list", "--json").json["mocks"]]

    assert ids_after("--id", "any", "--body", "no") == ["any"]
    assert ids_after("--id", "in", "--body", "yes", "--scenario", "login", "--when", "in") == ["any", "in"]
    assert ids_after("--id", "2", "--body", "y", "--scenario", "login", "--when", "in", "--when", "old")[2:] == ["2"]
    assert ids_after("--id", "x", "--body", "yes", "--scenario", "other", "--when", "in")[3:] == ["x"]
    assert ids_after("--id", "any2", "--body", "no", "--scenario", "login", "--set", "in")[3:] == ["any2"]
    assert ids_after("--body", "yes", "--scenario", "login", "--when", "in", "--set", "out") == ["in", "2", "x", "any2"]
    assert cli("get", "in").json["scenario"] == {"name": "login", "when": "in", "set": "out"}
    assert cli("get", "2").json["scenario"] == {"name": "login", "when": ["in", "old"]}


@pytest.mark.parametrize("arguments", [("--when", "in"), ("--set", "in"), ("--scenario", "login")], ids=" ".join)
def test_options_of_a_scenario_go_together(cli: Cli, arguments: tuple[str, ...]) -> None:
    result = cli("add", "--path", "/me", "--body", "x", *arguments)
    assert result.code == 2
    assert "--scenario" in result.err


def test_events_of_the_page_arrive(cli: Cli, shared_server: Served) -> None:
    cli(*shlex.split(PAGE["basic"].replace("500", "0"))[1:])
    answer = httpx2.get(shared_server.mocks + "/events")
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text == (
        'event: connected\ndata: {"status":"ok"}\n\nevent: update\ndata: {"count":1}\n\n'
        'event: update\ndata: {"count":2}\n\n'
    )


def test_warnings_are_printed_and_are_in_the_document(cli: Cli) -> None:
    options = ("--path", "/a?x=1", "--body", "x")
    assert "warning: $.matcher.path: " in cli("add", *options).err
    assert [warning["path"] for warning in cli("add", *options, "--json").json["warnings"]] == ["$.matcher.path"]
    assert cli("add", "--path", "/a", "--body", "x").err == ""


def test_delays_may_have_units(cli: Cli) -> None:
    made = sse(cli, "--sse-event", "a:1", "--sse-delay", "2s", "--sse-initial-delay", "0.5s", "--sse-keepalive", "1m")
    assert made["timing"] == {"fixedDelay": 2000, "initialDelay": 500}
    assert made["lifecycle"]["keepaliveInterval"] == 60


def test_keepalive_is_in_milliseconds_and_keeps_the_stream_open(cli: Cli) -> None:
    assert sse(cli, "--sse-event", "a:1", "--sse-keepalive", "15000")["lifecycle"] == {
        "keepaliveInterval": 15,
        "keepOpen": True,
    }
    assert sse(cli, "--sse-event", "a:1", "--sse-keepalive", "5500")["lifecycle"]["keepaliveInterval"] == 5.5
    assert "lifecycle" not in sse(cli, "--sse-event", "a:1", "--sse-keepalive", "0")


def test_the_form_of_the_bytes(cli: Cli) -> None:
    framing = ("--framing", "lineEnding=crlf", "--framing", 'split={"bytes": 3}', "--framing", "bom=true")
    said = {"lineEnding": "crlf", "split": {"bytes": 3}, "bom": True}
    assert sse(cli, "--sse-event", "a:1", *framing)["framing"] == said
    chunked = cli("add", "--json", "--path", "/n", "--ndjson", "1", "--framing", "lineEnding=crlf").json
    assert chunked["mock"]["chunked"]["framing"] == {"lineEnding": "crlf"}


def test_events_may_be_left_out_of_a_stream_that_stays_open(cli: Cli) -> None:
    assert sse(cli, "--sse-keepalive", "5000")["events"] == []


@pytest.mark.parametrize(
    ("arguments", "timing"),
    [
        ((), {"fixedDelay": 100}),
        (("--sse-delay", "0"), {"fixedDelay": 0}),
        (("--sse-delay", "0.5"), {"fixedDelay": 0.5}),
        (("--sse-initial-delay", "20"), {"initialDelay": 20, "fixedDelay": 100}),
        (("--sse-random-delay", "10:20"), {"randomDelay": {"min": 10, "max": 20}}),
    ],
)
def test_timing(cli: Cli, arguments: tuple[str, ...], timing: dict[str, Any]) -> None:
    assert sse(cli, "--sse-event", "a:1", *arguments)["timing"] == timing


@pytest.mark.parametrize(
    ("arguments", "timing"),
    [
        ((), {"fixedDelay": 100}),
        (("--sse-delay", "5", "--sse-repeat", "1"), {"fixedDelay": 5}),
        (("--template-param", "delayPerToken=20"), None),
    ],
)
def test_template_has_the_default_delay_unless_a_parameter_says_when(
    cli: Cli, arguments: tuple[str, ...], timing: Any
) -> None:
    assert sse(cli, "--sse-template", "openai-chat", *arguments).get("timing") == timing


def test_template_parameters(cli: Cli) -> None:
    config = sse(
        cli, "--sse-template", "openai-chat", "--template-param", 'tokens=["a"]', "--template-param", "model=gpt-4"
    )
    assert config["templateParams"] == {"tokens": ["a"], "model": "gpt-4"}


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (("--sse-repeat", "3"), "repeat", 3),
        (("--sse-retry", "2000"), "retry", 2000),
        (("--sse-max-events", "7"), "lifecycle", {"maxEvents": 7}),
        (
            ("--sse-final-event", "close:Stream ended"),
            "lifecycle",
            {"termination": {"finalEvent": {"type": "close", "data": "Stream ended"}}},
        ),
        (("--sse-resume",), "resume", {"enabled": True}),
        (("--sse-rate", "10:5"), "rateLimit", {"eventsPerSecond": 10, "burstSize": 5}),
        (("--status", "201"), "status", 201),
        (("--header", "X-A: b", "--header", "X-C: d:e"), "headers", {"X-A": "b", "X-C": "d:e"}),
        (
            ("--header", "Set-Cookie: a", "--header", "X: y", "--header", "set-cookie: b"),
            "headers",
            {"Set-Cookie": ["a", "b"], "X": "y"},
        ),
    ],
)
def test_sse_option(cli: Cli, arguments: tuple[str, ...], field: str, value: object) -> None:
    assert sse(cli, "--sse-event", "a:1", *arguments)[field] == value


def test_matcher_options(cli: Cli) -> None:
    matcher = add(
        cli,
        *("-m", "post", "--path", "/a/{id}", "--match-header", "X-Key: 1*", "--match-query", "q=a b"),
        *("--match-body-contains", "hi", "--body", "ok"),
    )["matcher"]
    assert matcher == {
        "method": "POST",
        "path": "/a/{id}",
        "headers": {"X-Key": "1*"},
        "queryParams": {"q": "a b"},
        "bodyContains": "hi",
    }
    assert add(cli, "--path-pattern", "^/v[12]/", "--body", "ok")["matcher"] == {
        "method": "GET",
        "pathPattern": "^/v[12]/",
    }


def test_name_priority_and_id(cli: Cli) -> None:
    mock = add(cli, "--path", "/x", "--id", "mine", "--name", "Mine", "--priority", "-3", "--body", "ok")
    assert (mock["id"], mock["name"], mock["priority"]) == ("mine", "Mine", -3)


@pytest.mark.parametrize(
    ("arguments", "kind", "config"),
    [
        (
            ("--chunked", "abc", "--chunk-size", "2", "--chunk-delay", "5"),
            "chunked",
            {"data": "abc", "chunkSize": 2, "chunkDelay": 5},
        ),
        (
            ("--ndjson", '{"id":1}', "--ndjson", "2", "--status", "202"),
            "chunked",
            {"format": "ndjson", "ndjsonItems": [{"id": 1}, 2], "status": 202},
        ),
        (
            ("--ndjson-template", "ollama-chat", "--template-param", "text=Hi", "--chunk-delay", "5"),
            "chunked",
            {"template": "ollama-chat", "templateParams": {"text": "Hi"}, "chunkDelay": 5},
        ),
        (("--body", "text", "--status", "404"), "response", {"body": "text", "status": 404}),
        (("--body", '{"ok": true}', "--header", "X-A: b"), "response", {"body": {"ok": True}, "headers": {"X-A": "b"}}),
        ((), "response", {}),
    ],
)
def test_other_answers(cli: Cli, arguments: tuple[str, ...], kind: str, config: dict[str, Any]) -> None:
    assert add(cli, "--path", "/x", *arguments)[kind] == config


def test_people_are_told_which_template_answers(cli: Cli) -> None:
    assert "Answer: NDJSON: template ollama-chat" in cli("add", "--path", "/x", "--ndjson-template", "ollama-chat").out


def test_json_says_what_was_done(cli: Cli) -> None:
    document = cli("add", "--json", "--id", "a", "--path", "/x", "--sse", "--sse-event", "tick:1").json
    assert document["id"] == "a"
    assert (document["action"], document["method"], document["path"]) == ("created", "GET", "/x")
    document = cli("add", "--json", "--path", "/x", "--body", "ok").json
    assert (document["id"], document["action"]) == ("a", "updated")


def test_only_an_equal_matcher_is_replaced(cli: Cli) -> None:
    matchers = [
        ("--path", "/x"),
        ("--path", "/x", "-m", "POST"),
        ("--path", "/x", "--match-header", "X-A: 1"),
        ("--path", "/x", "--match-query", "a=1"),
        ("--path-pattern", "/x"),
        ("--path-pattern", "/y"),
    ]
    ids = [cli("add", "--json", *matcher, "--body", "1").json["id"] for matcher in matchers]
    assert len(set(ids)) == len(matchers)
    again = [cli("add", "--json", *matcher, "--body", "2").json for matcher in matchers]
    assert [answer["id"] for answer in again] == ids
    assert {answer["action"] for answer in again} == {"updated"}


def test_a_criterion_without_a_value_is_another_matcher(cli: Cli, write: Callable[[str, object], Path]) -> None:
    matchers: list[dict[str, Any]] = [
        {"path": "/x", "headers": {"X-A": {"exists": True}}},
        {"path": "/x", "headers": {"X-A": {"pattern": "1"}}},
        {"path": "/x", "headers": {"X-A": "1"}, "not": {"method": "PUT"}},
    ]
    mocks = [{"matcher": {"method": "GET", **matcher}, "response": {"body": "1"}} for matcher in matchers]
    assert cli("import", str(write("mocks.json", {"mocks": mocks}))).code == 0
    assert cli("add", "--json", "--path", "/x", "--match-header", "X-A: 1", "--body", "2").json["action"] == "created"


def test_header_names_and_methods_are_equal_in_any_case(cli: Cli) -> None:
    first = add(cli, "--path", "/x", "-m", "post", "--match-header", "X-A: 1")["id"]
    assert add(cli, "--path", "/x", "-m", "POST", "--match-header", "x-a: 1")["id"] == first


def test_allow_duplicate_adds_a_second_and_the_last_one_is_replaced(cli: Cli) -> None:
    add(cli, "--id", "a", "--path", "/x", "--body", "1")
    add(cli, "--id", "b", "--path", "/x", "--body", "2", "--allow-duplicate")
    assert add(cli, "--path", "/x", "--body", "3")["id"] == "b"
    assert cli("get", "a").json["response"] == {"body": "1"}


def test_id_of_another_matcher_is_refused(cli: Cli) -> None:
    add(cli, "--id", "a", "--path", "/x", "--body", "1")
    for more in ((), ("--allow-duplicate",)):
        result = cli("add", "--json", "--id", "a", "--path", "/other", "--body", "2", *more)
        assert result.code == 4
        assert result.json["error"] == "conflict"
    assert cli("get", "a").json["matcher"]["path"] == "/x"


def test_new_id_for_an_equal_matcher_takes_the_place_of_the_old(cli: Cli) -> None:
    add(cli, "--id", "old", "--path", "/x", "--body", "1")
    document = cli("add", "--json", "--id", "new", "--path", "/x", "--body", "2").json
    assert (document["id"], document["action"]) == ("new", "updated")
    assert [mock["id"] for mock in cli("list", "--json").json["mocks"]] == ["new"]


def test_type_data_is_legal_with_a_hint_on_stderr(cli: Cli) -> None:
    result = cli("add", "--json", "--path", "/x", "--sse", "--sse-event", "data:hello")
    assert result.json["mock"]["sse"]["events"] == [{"type": "data", "data": "hello"}]
    assert "onmessage" in result.err


WRONG = {
    "no path": ("--sse", "--sse-event", "a:1"),
    "two paths": ("--path", "/x", "--path-pattern", "/y", "--body", "1"),
    "sse without anything to send": ("--path", "/x", "--sse"),
    "events and a template": ("--path", "/x", "--sse-event", "a:1", "--sse-template", "openai-chat"),
    "parameter without a template": ("--path", "/x", "--sse-event", "a:1", "--template-param", "a=1"),
    "keepalive too short": ("--path", "/x", "--sse-event", "a:1", "--sse-keepalive", "4999"),
    "keepalive in seconds": ("--path", "/x", "--sse-event", "a:1", "--sse-keepalive", "15"),
    "delay negative": ("--path", "/x", "--sse-event", "a:1", "--sse-delay", "-1"),
    "delay without a number": ("--path", "/x", "--sse-event", "a:1", "--sse-delay", "soon"),
    "delay that is none": ("--path", "/x", "--sse-event", "a:1", "--sse-delay", "nan"),
    "keepalive negative": ("--path", "/x", "--sse-event", "a:1", "--sse-keepalive", "-1"),
    "negative delay": ("--path", "/x", "--sse-event", "a:1", "--sse-delay", "-1"),
    "delay that is no number": ("--path", "/x", "--sse-event", "a:1", "--sse-delay", "fast"),
    "two delays": ("--path", "/x", "--sse-event", "a:1", "--sse-delay", "1", "--sse-random-delay", "1:2"),
    "framing without a stream": ("--path", "/x", "--body", "1", "--framing", "bom=true"),
    "framing that is none": ("--path", "/x", "--sse-event", "a:1", "--framing", "bom"),
    "sse option without sse": ("--path", "/x", "--body", "1", "--sse-delay", "5"),
    "sse option of 0 without sse": ("--path", "/x", "--body", "1", "--sse-delay", "0"),
    "chunk option of 0 without chunks": ("--path", "/x", "--body", "1", "--chunk-delay", "0"),
    "chunk option without chunks": ("--path", "/x", "--sse-event", "a:1", "--chunk-size", "5"),
    "two kinds of answer": ("--path", "/x", "--sse-event", "a:1", "--body", "1"),
    "two templates": ("--path", "/x", "--sse-template", "a", "--ndjson-template", "ollama-chat"),
    "chunked and ndjson": ("--path", "/x", "--chunked", "a", "--ndjson", "1"),
    "ndjson and a template": ("--path", "/x", "--ndjson", "1", "--ndjson-template", "ollama-chat"),
    "ndjson that is no JSON": ("--path", "/x", "--ndjson", "{"),
    "unknown option": ("--path", "/x", "--sse-evnt", "a:1"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_usage_is_exit_code_2_before_any_request(local_cli: Cli, arguments: tuple[str, ...]) -> None:
    result = local_cli("add", *arguments)
    assert (result.code, result.out) == (2, "")
    assert "Error: " in result.err
    result = local_cli("add", "--json", *arguments)
    assert result.code == 2
    assert result.json["error"] == "usage"
    assert result.json["message"] in result.err


def test_what_the_server_refuses_is_exit_code_4_with_its_answer(cli: Cli) -> None:
    result = cli("add", "--json", "--path", "/x", "--sse", "--sse-template", "openai-chatt")
    assert result.code == 4
    assert result.json["error"] == "validation_error"
    assert "openai-chat" in json.dumps(result.json)
    assert "openai-chat" in result.err
    assert cli("list", "--json").json["mocks"] == []
