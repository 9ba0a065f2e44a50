"""Each criterion of `when`, on every provider's wire: when it holds, and what is said when it does not."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest

from mockd.errors import ConfigError
from mockd.patterns import APART
from mockd.request import RequestView
from mockd.source import SourceContext
from mockd.sources import llm
from mockd.sources.llm.choosing.asked import Asked
from mockd.sources.llm.choosing.criteria import CRITERIA, FIELDS, checks_of
from mockd.sources.llm.replies.params import ReplyParams, When
from mockd.sources.llm.requests.ask import Ask
from tests.manual_clock import ManualClock
from tests.presets.asking import ASKED, WITH_TOOLS, tools
from tests.presets.conversations import WITH_RESULTS, answered, conversation

STREAMS_BY_PATH = ("gemini", "anthropic-vertex", "vercel-ui", "ag-ui")
"""Those whose bodies do not say whether a stream is asked for."""
SECRET = "sk-verysecret-0123456789"


def asked(template: str, body: Any, **params: Any) -> Asked:
    path = f"/v1beta/models/m:{'streamGenerateContent' if params.pop('streams', False) else 'generateContent'}"
    headers = [(b"x-team", b"blue"), (b"authorization", b"Bearer " + SECRET.encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    view = RequestView(scope, json.dumps(body).encode())
    view.allow(APART)
    context = SourceContext(view, {}, ManualClock(), random.Random(1))
    return Asked(llm.wire_of(template)(ReplyParams(**params)), Ask(context))


def told(when: dict[str, Any], request: Asked) -> str | None:
    """What is said of a request that does not fit; None if it fits."""
    for test in checks_of(msgspec.convert(when, When)):
        if not test.holds(request):
            return test.told(request)
    return None


def test_every_criterion_is_in_the_table() -> None:
    assert sorted(criterion.attribute for criterion in CRITERIA) == sorted(FIELDS)


SYSTEM = "You are a weather agent."
TWO = [("look", "It rains in Rome."), ("wait", "Done: 42")]


@pytest.mark.parametrize("template", ASKED)
def test_of_every_conversation(template: str) -> None:
    request = asked(template, conversation(template, "What now?", system=SYSTEM))
    for when in (
        {"contains": "What"},
        {"regex": "now.$"},
        {"system": "weather agent"},
        {"turn": 1},
        {"step": 0},
        {"tools": []},
        {"toolResult": False},
        {"schema": False},
        {"sideCall": False},
        {"headers": {"X-Team": "b*"}},
        {"provider": llm.wire_of(template).provider},
    ):
        assert told(when, request) is None, when
    for when, said in {
        '{"contains": "Who"}': '`contains: "Who"`, but the message is "What now?"',
        '{"regex": "^now"}': '`regex: "^now"`, but the message is "What now?"',
        '{"system": "agent!"}': f'`system: "agent!"`, but the system prompt is "{SYSTEM}"',
        '{"turn": 2}': "`turn: 2`, but it is turn 1",
        '{"step": 1}': "`step: 1`, but it is step 0",
        '{"tools": ["look"]}': '`tools: ["look"]`, but no tool is declared',
        '{"toolResult": true}': "`toolResult: true`, but the last message has none",
        '{"toolName": "look"}': '`toolName: "look"`, but the last message has no result',
        '{"toolResultContains": "a"}': '`toolResultContains: "a"`, but the last message has no result',
        '{"schema": true}': "`schema: true`, but the request demands no JSON",
        '{"sideCall": true}': "`sideCall: true`, but it is no side call that is known",
        '{"headers": {"X-Team": "red"}}': (
            "`headers: X-Team`, but what the request has is another value, or none: X-Team"
        ),
        '{"provider": "none"}': f'`provider: "none"`, but it is {llm.wire_of(template).provider}',
    }.items():
        assert told(json.loads(when), request) == said


@pytest.mark.parametrize("template", WITH_RESULTS)
def test_of_steps_and_results(template: str) -> None:
    first, second = (asked(template, conversation(template, "What now?", TWO[:count])) for count in (1, 2))
    for when in ({"step": 1}, {"toolName": "look"}, {"toolResultContains": "Rome"}, {"toolResult": True}, {"turn": 1}):
        assert told(when, first) is None, when
    for when in ({"step": 2}, {"toolName": "wait"}, {"toolResultContains": "42"}, {"contains": "What now?"}):
        assert told(when, second) is None, when
        assert told(when, first) is None or "contains" not in when
    assert told({"toolName": "look"}, second) == '`toolName: "look"`, but the tools with a result: wait'
    assert told({"toolResultContains": "Rome"}, second) is not None
    assert told({"step": 1}, second) == "`step: 1`, but it is step 2"


@pytest.mark.parametrize("template", ["openai-chat", "anthropic-messages", "ollama-chat"])
def test_instructions_behind_a_result_hide_it_not(template: str) -> None:
    body = conversation(template, "What now?", TWO[:1])
    body["messages"].append({"role": "system", "content": "Be brief."})
    request = asked(template, body)
    for when in ({"toolResult": True}, {"toolName": "look"}, {"toolResultContains": "Rome"}, {"step": 1}):
        assert told(when, request) is None, when
    assert told({"system": "brief"}, request) is None


@pytest.mark.parametrize("template", ["openai-chat", "anthropic-messages"])
def test_of_results_in_earlier_requests(template: str) -> None:
    request = asked(template, conversation(template, "What now?", TWO))
    assert request.has_results
    assert [before.has_results for before in request.earlier()] == [False, True]


@pytest.mark.parametrize("template", WITH_RESULTS)
def test_steps_begin_anew_with_each_message_of_the_user(template: str) -> None:
    later = asked(template, answered(template, conversation(template, "What now?", TWO), "It is done."))
    for when in ({"step": 0}, {"turn": 2}, {"contains": "Go on"}, {"toolResult": False}):
        assert told(when, later) is None, when
    assert told({"toolName": "wait"}, later) is not None


@pytest.mark.parametrize("template", WITH_TOOLS)
def test_of_tools(template: str) -> None:
    request = asked(template, {**ASKED[template], **tools(template, "look", "wait")})
    assert told({"tools": ["look"]}, request) is None
    assert told({"tools": ["wait", "look"]}, request) is None
    assert told({"tools": ["look", "go"]}, request) == '`tools: ["look","go"]`, but the declared tools: look, wait'
    assert told({"tools": []}, request) == "`tools: []`, but the declared tools: look, wait"


@pytest.mark.parametrize(
    ("template", "declared", "name"),
    [
        ("openai-responses", [{"type": "namespace", "name": "agents", "tools": [{"name": "spawn"}]}], "spawn"),
        ("openai-responses", [{"type": "namespace", "name": "agents", "tools": [{"name": "spawn"}]}], "agents"),
        ("openai-responses", [{"type": "web_search"}], "web_search"),
        ("openai-responses", [{"type": "custom", "name": "patch"}], "patch"),
        ("openai-chat", [{"type": "custom", "custom": {"name": "patch"}}], "patch"),
        ("anthropic-messages", [{"type": "bash_20250124", "name": "bash"}], "bash"),
        ("gemini", [{"googleSearch": {}}], "googleSearch"),
        ("gemini", [{"function_declarations": [{"name": "look"}]}], "look"),
    ],
)
def test_of_tools_of_other_kinds(template: str, declared: list[Any], name: str) -> None:
    request = asked(template, {**ASKED[template], "tools": declared})
    assert told({"tools": [name]}, request) is None
    assert told({"tools": []}, request) is not None


def test_of_the_functions_of_older_chats() -> None:
    assert (
        told({"tools": ["look"]}, asked("openai-chat", {**ASKED["openai-chat"], "functions": [{"name": "look"}]}))
        is None
    )


OUTPUTS = [
    ("function_call", "function_call_output", {"output": "gone 42"}, "look"),
    ("custom_tool_call", "custom_tool_call_output", {"output": [{"type": "input_text", "text": "gone 42"}]}, "look"),
    ("local_shell_call", "local_shell_call_output", {"output": "gone 42"}, "local_shell"),
    ("shell_call", "shell_call_output", {"output": [{"stdout": "gone", "stderr": "but 42"}]}, "shell"),
    ("apply_patch_call", "apply_patch_call_output", {"status": "completed", "output": "42 lines"}, "apply_patch"),
    ("computer_call", "computer_call_output", {"output": {"type": "computer_screenshot", "text": "42"}}, "computer"),
]


@pytest.mark.parametrize(("call", "output", "fields", "name"), OUTPUTS)
def test_of_results_of_every_kind(call: str, output: str, fields: dict[str, Any], name: str) -> None:
    used = {"type": call, "call_id": "1", **({"name": "look"} if name == "look" else {})}
    items = [{"role": "user", "content": "Go"}, used, {"type": output, "call_id": "1", **fields}]
    request = asked("openai-responses", {"model": "m", "input": items})
    for when in ({"toolName": name}, {"toolResultContains": "42"}, {"step": 1}, {"toolResult": True}):
        assert told(when, request) is None, when


@pytest.mark.parametrize(("approve", "text"), [(True, "approved"), (False, "denied")])
def test_of_approvals(approve: bool, text: str) -> None:
    asks = {"type": "mcp_approval_request", "id": "a", "name": "remove", "arguments": "{}", "server_label": "s"}
    says = {"type": "mcp_approval_response", "approval_request_id": "a", "approve": approve, "reason": "I say so."}
    request = asked("openai-responses", {"model": "m", "input": [{"role": "user", "content": "Go"}, asks, says]})
    for when in ({"toolName": "remove"}, {"toolResultContains": text}, {"toolResultContains": "say so"}, {"step": 1}):
        assert told(when, request) is None, when


def test_parallel_results_are_one_step() -> None:
    calls = [{"type": "function_call", "call_id": id, "name": name, "arguments": "{}"} for id, name in ("1a", "2b")]
    results = [{"type": "function_call_output", "call_id": id, "output": f"from {id}"} for id in ("2", "1")]
    request = asked("openai-responses", {"model": "m", "input": [{"role": "user", "content": "Go"}, *calls, *results]})
    for when in ({"step": 1}, {"toolName": "a"}, {"toolName": "b"}, {"toolResultContains": "from 1"}):
        assert told(when, request) is None, when


def test_what_the_model_is_to_continue_is_no_step() -> None:
    messages = [{"role": "user", "content": "Go"}, {"role": "assistant", "content": "It is"}]
    assert told({"step": 0}, asked("anthropic-messages", {"model": "m", "max_tokens": 9, "messages": messages})) is None


def test_of_results_in_version_1_of_cohere() -> None:
    call = {"name": "look", "parameters": {"city": "Rome"}}
    body = {"message": "Go", "tools": [{"name": "look"}], "tool_results": [{"call": call, "outputs": [{"said": "42"}]}]}
    for when in ({"toolName": "look"}, {"toolResultContains": "42"}, {"step": 1}, {"tools": ["look"]}, {"turn": 1}):
        assert told(when, asked("cohere-chat-v1", body)) is None, when


def test_of_references_to_what_the_model_said() -> None:
    items = [{"role": "user", "content": "Go"}, {"type": "item_reference", "id": "msg_1"}]
    body = {"model": "m", "input": [*items, {"type": "function_call_output", "call_id": "1", "output": "42"}]}
    assert told({"step": 1}, asked("openai-responses", body)) is None


SCHEMA = {"title": "City", "type": "object", "properties": {}}
NAMED = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}
SCHEMAS: list[tuple[str, dict[str, Any], str]] = [
    ("openai-chat", {"response_format": NAMED}, "city"),
    ("azure-openai", {"response_format": NAMED}, "city"),
    ("mistral-chat", {"response_format": NAMED}, "city"),
    ("openai-responses", {"text": {"format": {"type": "json_schema", "name": "city", "schema": SCHEMA}}}, "city"),
    ("anthropic-messages", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, "City"),
    ("gemini", {"generationConfig": {"responseJsonSchema": SCHEMA}}, "City"),
    ("ollama-chat", {"format": SCHEMA}, "City"),
    ("ollama-generate", {"format": SCHEMA}, "City"),
    ("cohere-chat", {"response_format": {"type": "json_object", "json_schema": SCHEMA}}, "City"),
]


@pytest.mark.parametrize(("template", "demanded", "name"), SCHEMAS)
def test_of_schemas(template: str, demanded: dict[str, Any], name: str) -> None:
    request = asked(template, {**ASKED[template], **demanded})
    assert told({"schema": True}, request) is None
    assert told({"schema": name}, request) is None
    assert told({"schema": "town"}, request) == f'`schema: "town"`, but it demands JSON of the name {name}'
    assert told({"schema": False}, request) is not None


@pytest.mark.parametrize("template", [name for name in ASKED if name not in STREAMS_BY_PATH])
@pytest.mark.parametrize("stream", [True, False])
def test_of_streams(template: str, stream: bool) -> None:
    request = asked(template, {**ASKED[template], "stream": stream})
    assert told({"stream": stream}, request) is None
    said = "a stream is asked for" if stream else "no stream is asked for"
    assert told({"stream": not stream}, request) == f"`stream: {str(not stream).lower()}`, but {said}"


def test_of_streams_that_the_path_asks_for() -> None:
    assert told({"stream": True}, asked("gemini", ASKED["gemini"], streams=True)) is None
    assert told({"stream": False}, asked("gemini", ASKED["gemini"])) is None


def test_of_the_provider_in_whose_place_a_template_answers() -> None:
    request = asked("openai-chat", ASKED["openai-chat"], provider="azure")
    assert told({"provider": "azure"}, request) is None
    assert told({"provider": "openai"}, request) == '`provider: "openai"`, but it is azure'


def test_of_the_model() -> None:
    request = asked("openai-chat", {**ASKED["openai-chat"], "model": "gpt-9-mini"})
    assert told({"model": "*-mini"}, request) is None
    assert told({"model": "*-maxi"}, request) == '`model: "*-maxi"`, but it is gpt-9-mini'


def test_of_headers_and_the_body() -> None:
    request = asked("openai-chat", {**ASKED["openai-chat"], "user": "ann", "metadata": {"a": [1, 2]}})
    for when in (
        {"headers": {"X-Team": "blue", "X-Other": {"exists": False}}},
        {"headers": {"Authorization": {"pattern": "^Bearer "}}},
        {"bodyJsonPath": {"$.user": "ann", "$.metadata.a[1]": 2}},
        {"bodyJsonPath": {"$.metadata": {"exists": True}}},
    ):
        assert told(when, request) is None, when
    assert told({"bodyJsonPath": {"$.user": "ann", "$.n": 1}}, request) == (
        "`bodyJsonPath: $.user, $.n`, but what the request has is another value, or none: $.n"
    )


def test_no_credential_is_told() -> None:
    body = conversation(
        "openai-chat", f"My api_key={SECRET} is here", [("look", f"api_key={SECRET}")], f"token={SECRET}"
    )
    request = asked("openai-chat", {**body, "api_key": SECRET})
    for when in (
        {"headers": {"Authorization": f"Bearer {SECRET}x"}},
        {"bodyJsonPath": {"$.api_key": f"{SECRET}x"}},
        {"contains": "nothing"},
        {"toolResultContains": "nothing"},
        {"system": "nothing"},
    ):
        said = told(when, request)
        assert said is not None, when
        assert SECRET not in said


def test_long_texts_are_shortened() -> None:
    said = told({"contains": "b"}, asked("openai-chat", conversation("openai-chat", "a" * 1000)))
    assert said == f'`contains: "b"`, but the message is "{"a" * 60}…"'


@pytest.mark.parametrize(
    ("when", "path"),
    [
        ({"regex": r"(a{999}){999}"}, ("regex",)),
        ({"bodyJsonPath": {"$.[": 1}}, ("bodyJsonPath", "$.[")),
    ],
)
def test_what_cannot_be_compiled_is_told_with_its_place(when: dict[str, Any], path: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        checks_of(msgspec.convert(when, When))
    assert caught.value.problems[0].path == path
