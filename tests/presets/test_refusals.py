"""What the real services refuse, and the preset with them: each rule, and a request beside it that is fine."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mockd.presets import configured
from mockd.sources.llm.refusals.rule import OWN, SEEN
from mockd.sources.llm.refusals.rules import RULES
from tests.presets.asking import ASKED, MESSAGES, PATHS, SAID, tools
from tests.presets.test_routes import SPECS, template_of
from tests.stream.harness import Exchange, Lab

pytestmark = pytest.mark.anyio

CHATS, RESPONSES, CLAUDE = "openai-chat", "openai-responses", "anthropic-messages"
COHERE_V1, PROMPTS, MISTRAL_FIM = "cohere-chat-v1", "openai-completions", "mistral-fim"
EMBED = {
    "openai-embeddings": "/v1/embeddings",
    "mistral-embeddings": "/mistral/v1/embeddings",
    "cohere-embeddings": "/v2/embed",
    "cohere-embeddings-v1": "/cohere/v1/embed",
    "gemini-embeddings": "/v1beta/models/m:batchEmbedContents",
}
ROBOT = {"role": "robot", "content": "Hi"}
TOLD = {"role": "system", "content": "Be brief."}
SILENT = {"role": "user", "content": None}
USER, CALL = MESSAGES[0], {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "1"}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]}


def used(id: str = "t1") -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "1"}]}


def messages(*listed: Any) -> dict[str, Any]:
    return {"messages": list(listed)}


def asked_in(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


HELLO = asked_in("user", {"text": "Hi"})
HEARD, DONE = {"role": "USER", "message": "Hi"}, {"call": {"name": "f", "parameters": {}}, "outputs": [{"a": 1}]}
F_CALL, F_DONE = {"functionCall": {"name": "f", "args": {}}}, {"functionResponse": {"name": "f", "response": {}}}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "1"}

REFUSED: list[tuple[str, dict[str, Any], str, str | None]] = [
    # the template, what is in the request besides the usual, the message, and for OpenAI the code
    (CHATS, messages(USER, ROBOT), "Invalid value: 'robot'. Supported values", "invalid_value"),
    (CHATS, messages({"content": "Hi"}), "Invalid value: 'None'.", "invalid_value"),
    (CHATS, messages(SILENT), "Invalid value for 'content': expected a string, got null.", None),
    (CHATS, messages({"role": "user"}), "Invalid value for 'content'", None),
    (CHATS, messages(USER, RESULT), "messages with role 'tool' must be a response to a preceeding message", None),
    (CHATS, messages(CALLING, RESULT, USER, RESULT), "messages with role 'tool' must be a response", None),
    (CHATS, {"temperature": 2.5}, "Expected a value <= 2, but got 2.5 instead.", "decimal_above_max_value"),
    (CHATS, {"temperature": -1}, "Expected a value >= 0, but got -1 instead.", "decimal_below_min_value"),
    (CHATS, {"top_p": 1.5}, "Invalid 'top_p'", "decimal_above_max_value"),
    (CHATS, {"top_p": -0.5}, "Invalid 'top_p'", "decimal_below_min_value"),
    (CHATS, {"max_tokens": "5"}, "Invalid type for 'max_tokens': expected an integer", "invalid_type"),
    (CHATS, {"max_completion_tokens": "5"}, "Invalid type for 'max_completion_tokens'", "invalid_type"),
    (CHATS, {"max_tokens": 0}, "Invalid 'max_tokens': integer below minimum value", "integer_below_min_value"),
    (CHATS, {"max_completion_tokens": -1}, "Expected a value >= 1, but got -1 instead.", "integer_below_min_value"),
    (CHATS, {"tool_choice": "required"}, "'tool_choice' is only allowed when 'tools' are specified.", None),
    (
        CHATS,
        {**tools(CHATS, "f"), "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool 'g' not",
        None,
    ),
    (CHATS, {"top_logprobs": 2}, "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", None),
    (CHATS, {"top_logprobs": 0, "logprobs": False}, "The 'top_logprobs' parameter", None),
    ("azure-openai", messages(ROBOT), "Invalid value: 'robot'.", "invalid_value"),
    (PROMPTS, {"n": 3, "best_of": 2}, "(currently 3) to be at most 'best_of' (currently 2)", None),
    (PROMPTS, {"best_of": 2, "stream": True}, "The results of 'best_of' cannot be streamed.", None),
    (PROMPTS, {"temperature": 2.5}, "Expected a value <= 2, but got 2.5 instead.", "decimal_above_max_value"),
    (PROMPTS, {"temperature": -1}, "Invalid 'temperature': decimal below", "decimal_below_min_value"),
    (PROMPTS, {"top_p": 1.5}, "Invalid 'top_p': decimal above", "decimal_above_max_value"),
    (PROMPTS, {"top_p": -1}, "Invalid 'top_p': decimal below", "decimal_below_min_value"),
    (PROMPTS, {"max_tokens": "5"}, "Invalid type for 'max_tokens'", "invalid_type"),
    (RESPONSES, {"input": [ROBOT]}, "Invalid value: 'robot'.", "invalid_value"),
    (RESPONSES, {"input": [SILENT]}, "Missing required parameter: 'input[0].content'.", "missing_required_parameter"),
    (
        RESPONSES,
        {"previous_response_id": "resp_no"},
        "Previous response with id 'resp_no' not found.",
        "previous_response_not_found",
    ),
    (
        RESPONSES,
        {"previous_response_id": "resp_no", "conversation": "conv_no"},
        "Mutually exclusive parameters.",
        "mutually_exclusive_parameters",
    ),
    (RESPONSES, {"input": [USER, {"type": "item_reference", "id": "x"}, OUTPUT]}, "Item with id 'x' not found.", None),
    (RESPONSES, {"input": [USER, OUTPUT]}, "No tool call found for function call output with call_id c1.", None),
    (RESPONSES, {"temperature": 3}, "Invalid 'temperature'", "decimal_above_max_value"),
    (RESPONSES, {"top_p": 3}, "Invalid 'top_p'", "decimal_above_max_value"),
    (RESPONSES, {"max_output_tokens": "5"}, "Invalid type for 'max_output_tokens'", "invalid_type"),
    (RESPONSES, {"max_output_tokens": 0}, "Invalid 'max_output_tokens'", "integer_below_min_value"),
    (RESPONSES, {"tool_choice": {"type": "function", "name": "f"}}, "only allowed when 'tools' are specified.", None),
    (RESPONSES, {**tools(RESPONSES, "f"), "tool_choice": {"type": "function", "name": "g"}}, "tool 'g' not", None),
    (CLAUDE, messages(TOLD, USER), 'messages: Unexpected role "system".', None),
    (CLAUDE, messages(USER, ROBOT), "messages.1.role: Input should be 'user' or 'assistant'", None),
    (CLAUDE, messages(SILENT), "messages.0.content: Field required", None),
    (CLAUDE, messages(USER, used()), "messages.1.content.0: unexpected `tool_use_id` found", None),
    (CLAUDE, messages(USER, USE, used("t2")), "`tool_result` blocks: t2.", None),
    (CLAUDE, messages(USER, USE, USER, used()), "messages.3.content.0: unexpected", None),
    (CLAUDE, {"temperature": 1.5}, "temperature: range: 0..1", None),
    (CLAUDE, {"temperature": -0.5}, "temperature: range: 0..1", None),
    (CLAUDE, {"max_tokens": "99"}, "max_tokens: Input should be a valid integer", None),
    (CLAUDE, {"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 1", None),
    (CLAUDE, {"tool_choice": {"type": "any"}}, "tool_choice may only be specified while providing tools.", None),
    (CLAUDE, {**tools(CLAUDE, "f"), "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found", None),
    (CLAUDE, {"thinking": {"type": "enabled", "budget_tokens": 5}}, "greater than or equal to 1024", None),
    (
        CLAUDE,
        {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 2000},
        "must be greater than `thinking",
        None,
    ),
    ("anthropic-vertex", messages(ROBOT), "messages.0.role", None),
    ("gemini", {"contents": [asked_in("robot", {"text": "Hi"})]}, "Please use a valid role: user, model.", None),
    ("gemini", {"contents": [{"role": "user"}]}, "contents.parts must not be empty.", None),
    ("gemini", {"contents": [HELLO, asked_in("user", F_DONE)]}, "immediately after a function call turn", None),
    ("gemini", {"generationConfig": {"temperature": 2.1}}, "temperature must be in the range", None),
    ("gemini", {"generation_config": {"temperature": -1}}, "temperature must be in the range", None),
    ("gemini", {"generationConfig": {"maxOutputTokens": "many"}}, '(TYPE_INT32), "many"', None),
    ("gemini", {"generationConfig": {"maxOutputTokens": 0}}, "max_output_tokens must be positive.", None),
    ("mistral-chat", messages(ROBOT), "Input tag 'robot' found using 'role' does not match", None),
    ("mistral-chat", messages(SILENT), "Field required", None),
    ("mistral-chat", messages(USER, RESULT), "Unexpected role 'tool' after role 'user'", "3230"),
    ("mistral-chat", {"temperature": 1.6}, "Input should be less than or equal to 1.5", None),
    ("mistral-chat", {"temperature": -1}, "Input should be greater than or equal to 0", None),
    ("mistral-chat", {"max_tokens": "5"}, "Input should be a valid integer", None),
    ("mistral-chat", {"max_tokens": -1}, "Input should be greater than or equal to 0", None),
    (
        "mistral-chat",
        {**tools("mistral-chat", "f"), "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool_choice names the function 'g', which is not in tools.",
        None,
    ),
    (MISTRAL_FIM, {"temperature": 1.6}, "Input should be less than or equal to 1.5", None),
    (MISTRAL_FIM, {"temperature": -1}, "Input should be greater than or equal to 0", None),
    (MISTRAL_FIM, {"max_tokens": "5"}, "Input should be a valid integer", None),
    ("cohere-chat", messages(ROBOT), "Invalid role in messages at index 0.", None),
    ("cohere-chat", messages(USER, RESULT), "tool call id not found in previous tool calls", None),
    ("cohere-chat", {"temperature": 1.1}, "temperature must be between 0 and 1.0 inclusive.", None),
    ("cohere-chat", {"max_tokens": "5"}, "max_tokens is of type string", None),
    (COHERE_V1, {"chat_history": [HEARD, {"role": "BOT", "message": "Hi"}]}, "in chat_history at index 1.", None),
    (COHERE_V1, {"chat_history": [{"role": "USER"}]}, "all elements in history must have a message.", None),
    (COHERE_V1, {"tool_results": [DONE]}, "cannot specify both message and tool_results in multistep mode", None),
    (COHERE_V1, {"temperature": 1.1}, "temperature must be between 0 and 1.0 inclusive.", None),
    (COHERE_V1, {"max_tokens": "5"}, "max_tokens is of type string", None),
    (COHERE_V1, {"message": ""}, "message must be at least 1 token long or tool results must be specified.", None),
    ("cohere-chat", {"model": None}, "a model parameter is required for this endpoint.", None),
    ("cohere-chat", {"messages": []}, "invalid request: messages is required", None),
    ("cohere-embeddings", {"model": None}, "a model parameter is required for this endpoint.", None),
    ("ollama-chat", {"options": {"num_predict": "5"}}, 'option "num_predict" must be of type integer', None),
    ("ollama-generate", {"options": {"num_predict": "5"}}, 'option "num_predict" must be of type integer', None),
    (
        "openai-embeddings",
        {"input": ["a"] * 2049},
        "maximum length 2048, but got an array with length 2049",
        "array_above_max_length",
    ),
    ("mistral-embeddings", {"input": ["a"] * 257}, "Too many inputs in request", "3210"),
    ("cohere-embeddings", {"texts": ["a"] * 97}, "must be at most 96 - received 97", None),
    ("cohere-embeddings-v1", {"texts": ["a"] * 97}, "must be at most 96 - received 97", None),
    (
        "gemini-embeddings",
        {"requests": [{"content": {"parts": [{"text": "a"}]}}] * 101},
        "at most 100 requests can be in one batch",
        None,
    ),
]
FINE: list[tuple[str, dict[str, Any]]] = [
    (CHATS, messages(*({"role": role, "content": "Hi"} for role in ("system", "developer", "user", "assistant")))),
    (CHATS, messages(USER, CALLING, RESULT, RESULT, {"role": "assistant", "refusal": "No."}, USER)),
    (CHATS, messages({"role": "user", "content": ""})),
    (CHATS, {"temperature": 2, "top_p": 1, "max_tokens": 5}),
    (CHATS, {"temperature": 0, "top_p": 0, "max_completion_tokens": None, "max_tokens": None}),
    (CHATS, {"temperature": None, "top_logprobs": None}),
    (CHATS, {"top_logprobs": 2, "logprobs": True}),
    (RESPONSES, {"input": [USER, {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}, OUTPUT]}),
    (RESPONSES, {"input": [USER], "temperature": 2, "max_output_tokens": 16}),
    (PROMPTS, {"n": 2, "best_of": 2, "temperature": 2, "max_tokens": 0}),
    (PROMPTS, {"n": 2, "best_of": None, "max_tokens": None}),
    (PROMPTS, {"best_of": 1}),
    (RESPONSES, {"previous_response_id": None, "conversation": None}),
    (RESPONSES, {"prompt": {"id": "pmpt_1"}, "input": None, "model": None}),
    (CHATS, {"tool_choice": "none"}),
    (CHATS, {**tools(CHATS, "f"), "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto"}}}),
    (RESPONSES, {"tools": [{"type": "custom", "name": "c"}], "tool_choice": {"type": "custom", "name": "c"}}),
    (CLAUDE, {**tools(CLAUDE, "f"), "tool_choice": {"type": "tool", "name": "f"}}),
    (CLAUDE, messages(USER, TOLD)),
    (CLAUDE, messages(USER, TOLD, {"role": "assistant", "content": "Yes."}, USER)),
    (CLAUDE, messages(USER, USE, used(), {"role": "assistant", "content": "Done."})),
    (CLAUDE, {"temperature": 1, "thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1025}),
    (CLAUDE, {"temperature": 0, "thinking": {"type": "disabled"}}),
    ("gemini", {"contents": [HELLO, asked_in("model", F_CALL), asked_in("user", F_DONE)]}),
    ("gemini", {"contents": {"parts": {"text": "Hi"}}}),
    ("gemini", {"generationConfig": {"temperature": 2, "maxOutputTokens": "99"}}),
    ("mistral-chat", {**tools("mistral-chat", "f"), "tool_choice": "any", "max_tokens": 0}),
    (
        "mistral-chat",
        {**tools("mistral-chat", "f"), "tool_choice": {"type": "function", "function": {"name": "f"}}},
    ),
    (MISTRAL_FIM, {"temperature": 1.5, "max_tokens": 0}),
    ("mistral-chat", {"temperature": 1.5, **messages(USER, CALLING, RESULT)}),
    ("cohere-chat", {"temperature": 1, **messages(USER, {"role": "assistant", "tool_calls": [CALL]}, RESULT)}),
    (COHERE_V1, {"chat_history": [HEARD, {"role": "Chatbot", "message": "Hi"}], "temperature": 0}),
    (COHERE_V1, {"message": "", "chat_history": [HEARD], "tool_results": [DONE]}),
    (COHERE_V1, {"force_single_step": True, "tool_results": [DONE]}),
    ("ollama-chat", {"options": {"num_predict": 5, "temperature": 9}}),
    ("openai-embeddings", {"input": ["a"] * 2048, "dimensions": 1}),
    ("openai-embeddings", {"input": list(range(3000)), "dimensions": 1}),
    ("mistral-embeddings", {"input": ["a"] * 256}),
    ("cohere-embeddings", {"texts": ["a"] * 96}),
    ("gemini-embeddings", {"requests": [{"content": {"parts": [{"text": "a"}]}}] * 100}),
]


async def post(template: str, more: dict[str, Any], *, lab: Lab | None = None, **headers: str) -> Exchange:
    if lab is None:
        lab = Lab(preset="llm")
        # Those of other templates are left out: all together take longer to load than anything that is asked of them.
        lab.engine.load([spec for spec in SPECS if template_of(spec) == template])
    path = "/mistral/v1/chat/completions" if template == "mistral-chat" else {**PATHS, **EMBED}[template]
    usual = ASKED.get(template, {"model": "m"})
    body = {**usual, "stream": False, **more}
    exchange = await lab.open(path.format(model="m"), method="POST", body=json.dumps(body).encode(), headers=headers)
    await lab.clock.advance(1)
    return exchange


@pytest.mark.parametrize(("template", "more", "message", "code"), REFUSED, ids=lambda value: str(value)[:60])
async def test_what_is_refused(template: str, more: dict[str, Any], message: str, code: str | None) -> None:
    answer = await post(template, more)
    error = answer.json.get("error", answer.json)
    said = error if isinstance(error, str) else error["message"]
    assert answer.status == (422 if isinstance(said, dict) else 404 if "Item with id" in said else 400)
    if isinstance(said, dict):
        [detail] = said["detail"]
        said = detail["msg"]
    assert message in said
    if template.startswith(("openai", "azure")):
        assert (error["type"], error["code"]) == ("invalid_request_error", code)
    elif code is not None:
        assert error["code"] == code


@pytest.mark.parametrize(("template", "more"), FINE, ids=lambda value: str(value)[:60])
async def test_what_is_fine(template: str, more: dict[str, Any]) -> None:
    answer = await post(template, more)
    assert (answer.status, "error" in answer.json and answer.json["error"]) in ((200, False), (200, None))


def test_every_rule_has_a_case_and_says_where_it_is_documented() -> None:
    for rules in RULES.values():
        said = " ".join(message for name, _, message, _ in REFUSED if RULES[name] is rules)
        for rule in rules:
            parts = re.split(r"\{\w+\}", rule.words.message)
            assert any(part[start : start + 12] in said for part in parts for start in range(len(part) - 11)), (
                rule.words
            )
            assert rule.seen in (SEEN, OWN) or rule.seen.startswith("https://")


async def test_what_is_not_valid_in_mistrals_form() -> None:
    """As seen in answers of the service."""
    answers = [
        await post("mistral-chat", more)
        for more in ({"temperature": 2}, messages(USER, SILENT), messages(ROBOT), {"messages": []})
    ]
    for answer in answers:
        rest = {key: value for key, value in answer.json.items() if key != "message"}
        assert rest == {
            "object": "error",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
            "raw_status_code": 422,
        }
    assert [(one["type"], one["loc"]) for answer in answers for one in answer.json["message"]["detail"]] == [
        ("less_than_equal", ["body", "temperature"]),
        ("missing", ["body", "messages", 1, "user", "content"]),
        ("union_tag_invalid", ["body", "messages", 0]),
        ("missing", ["body", "messages"]),
    ]


async def test_the_parameter_that_is_wrong_is_named() -> None:
    params = [
        (await post(CHATS, more)).json["error"]["param"]
        for more in (messages(USER, ROBOT), messages(SILENT), {"temperature": 3}, {"top_logprobs": 1})
    ]
    assert params == ["messages[1].role", "messages.[0].content", "temperature", "top_logprobs"]


async def test_thoughts_between_tools_may_have_a_larger_budget() -> None:
    more = {"thinking": {"type": "enabled", "budget_tokens": 4000}, "max_tokens": 2000}
    answer = await post(CLAUDE, more, **{"anthropic-beta": "interleaved-thinking-2025-05-14"})
    assert answer.status == 200


async def test_a_response_that_is_stored_may_be_gone_on_from() -> None:
    lab = Lab(preset="llm")
    lab.engine.load(configured(lab.engine.settings))
    call = {"type": "function_call", "call_id": OUTPUT["call_id"], "name": "look", "arguments": "{}"}
    first = (await post(RESPONSES, {"input": [call]}, lab=lab)).json["id"]
    answers = [
        await post(RESPONSES, {"previous_response_id": first, "input": [OUTPUT]}, lab=lab, **headers)
        for headers in ({}, {"x-mockd-key": "other"})
    ]
    assert [answer.status for answer in answers] == [200, 400]


async def test_a_mock_that_is_not_strict_answers() -> None:
    lab = Lab()
    lab.engine.create({"matcher": {"path": "/v1/chat/completions"}, "sse": {"template": "openai-chat"}})
    assert (await post(CHATS, {**messages(ROBOT), "temperature": 9}, lab=lab)).status == 404
    lab.engine.create({"matcher": {"path": "/openai/v1/chat/completions"}, "sse": {"template": "openai-chat"}})
    assert (await post(CHATS, {**messages(ROBOT), "temperature": 9}, lab=lab)).status == 200


# -- the context window ------------------------------------------------------------------------------------------------

TOO_LONG = {
    CHATS: "This model's maximum context length is 3 tokens. However, your messages resulted in 4 tokens.",
    "azure-openai": "This model's maximum context length is 3 tokens.",
    "openai-completions": "you requested 4 tokens (4 in your prompt; 0 for the completion).",
    RESPONSES: "Your input exceeds the context window of this model.",
    CLAUDE: "prompt is too long: 4 tokens > 3 maximum",
    "gemini": "The input token count (4) exceeds the maximum number of tokens allowed (3).",
    "mistral-chat": "Prompt contains 4 tokens, too large for model with 3 maximum context length",
    "cohere-chat": "size limit exceeded by 1 tokens.",
    "ollama-chat": "The input has 4 tokens, more than the context window of 3.",
}


@pytest.mark.parametrize("template", TOO_LONG)
async def test_a_request_longer_than_the_context_window(template: str) -> None:
    assert len(SAID.split()) == 4
    for window, status in ((3, 400), (4, 200)):
        lab = Lab(preset="llm", context_window=window)
        lab.engine.load(configured(lab.engine.settings))
        answer = await post(template, {}, lab=lab)
        assert answer.status == status
        if status == 400:
            assert TOO_LONG[template] in answer.text.replace("\\u0027", "'")
        if template == CHATS and status == 400:
            assert answer.json["error"]["code"] == "context_length_exceeded"
            assert answer.json["error"]["param"] == "messages"


async def test_only_what_a_model_reads_has_a_window() -> None:
    lab = Lab(preset="llm", context_window=1)
    lab.engine.load(configured(lab.engine.settings))
    assert (await lab.open("/v1/models")).status == 200
    assert (await post("openai-embeddings", {"input": "one two three"}, lab=lab)).status == 200
