"""What OpenAI's service refuses, and Azure's."""

from __future__ import annotations

from typing import Any

from mockd.sources.llm.refusals.predicates import (
    above,
    below,
    choice_of_unknown_tool,
    choice_without_tools,
    is_number,
    more_than,
    no_content,
    objects_in,
    result_without_call,
    role_not_in,
    shown,
    text,
)
from mockd.sources.llm.refusals.rule import OWN, SEEN, Found, Rule, Rules
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.access import Words
from mockd.sources.llm.wires.openai_stored import RESPONSES, Referred, is_reference, resolved
from mockd.sources.llm.wires.responses_earlier import earlier

_CHAT = "https://platform.openai.com/docs/api-reference/chat/create"
_COMPLETIONS = "https://platform.openai.com/docs/api-reference/completions/create"
_RESPONSES_API = "https://platform.openai.com/docs/api-reference/responses/create"
_EMBEDDINGS = "https://platform.openai.com/docs/api-reference/embeddings/create"
_BAD = "invalid_request_error"


def _openai_numbers(seen: str, *limits: str, least: int = 1) -> Rules:
    rules = []
    for name, most in (("temperature", 2), ("top_p", 1)):
        message = (
            f"Invalid '{name}': decimal {{}} value. Expected a value {{}} {{{{limit}}}}, but got {{{{value}}}} instead."
        )
        over = Words(message.format("above maximum", "<="), _BAD, "decimal_above_max_value")
        under = Words(message.format("below minimum", ">="), _BAD, "decimal_below_min_value")
        rules += [
            Rule(name, above(name, most=most), over, seen, name),
            Rule(name, below(name, least=0), under, seen, name),
        ]
    for name in limits:
        words = Words(
            f"Invalid type for '{name}': expected an integer, but got a string instead.", _BAD, "invalid_type"
        )
        none = Words(
            f"Invalid '{name}': integer below minimum value. Expected a value >= {{limit}}, but got {{value}} instead.",
            _BAD,
            "integer_below_min_value",
        )
        rules += [
            Rule(name, text(name), words, seen, name),
            Rule(name, below(name, least=least), none, seen, name),
        ]
    return tuple(rules)


def _choices_of_tools(seen: str) -> Rules:
    return (
        Rule(
            "tool_choice",
            choice_without_tools,
            Words("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.", _BAD),
            seen,
            "tool_choice",
        ),
        Rule(
            "tool_choice",
            choice_of_unknown_tool,
            Words("Invalid value for 'tool_choice': tool '{name}' not found in 'tools' parameter.", _BAD),
            seen,
            "tool_choice",
        ),
    )


def _top_logprobs_alone(ask: Ask) -> Found | None:
    body = ask.body
    return {} if body["top_logprobs"] is not None and body.get("logprobs") is not True else None


OPENAI_CHAT: Rules = (
    Rule(
        "messages",
        role_not_in("messages", "system", "assistant", "user", "function", "tool", "developer"),
        Words(
            "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and "
            "'developer'.",
            _BAD,
            "invalid_value",
        ),
        _CHAT,
        "messages[{index}].role",
    ),
    Rule(
        "messages",
        no_content("messages", "content", "tool_calls", "function_call", "refusal", "audio"),
        Words("Invalid value for 'content': expected a string, got null.", _BAD),
        _CHAT,
        "messages.[{index}].content",
    ),
    Rule(
        "messages",
        result_without_call,
        Words(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
            "'tool_calls'.",
            _BAD,
        ),
        "https://platform.openai.com/docs/guides/function-calling",
        "messages.[{index}].role",
    ),
    *_openai_numbers(_CHAT, "max_tokens", "max_completion_tokens"),
    *_choices_of_tools(_CHAT),
    Rule(
        "top_logprobs",
        _top_logprobs_alone,
        Words("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", _BAD),
        _CHAT,
        "top_logprobs",
    ),
)


def _more_than_generated(ask: Ask) -> Found | None:
    """More choices than there are to choose from."""
    choices, generated = ask.body.get("n"), ask.body["best_of"]
    if not is_number(choices) or not is_number(generated) or choices <= generated:
        return None
    return {"choices": choices, "generated": generated}


def _streamed_best(ask: Ask) -> Found | None:
    """The best of several choices as a stream, though they are only known when all are there."""
    generated = ask.body["best_of"]
    return {} if is_number(generated) and generated > 1 and ask.body.get("stream") is True else None


OPENAI_COMPLETIONS: Rules = (
    Rule(
        "best_of",
        _more_than_generated,
        Words(
            "You requested that the server return more choices than it will generate (HINT: you must set 'n' "
            "(currently {choices}) to be at most 'best_of' (currently {generated}), or omit either parameter if you "
            "don't specifically want to use them.)",
            _BAD,
        ),
        SEEN,
        "best_of",
    ),
    Rule(
        "best_of",
        _streamed_best,
        Words("The results of 'best_of' cannot be streamed. Omit 'best_of' or 'stream'.", _BAD),
        OWN,
        "best_of",
    ),
    *_openai_numbers(_COMPLETIONS, "max_tokens", least=0),
)


def _response_and_conversation(ask: Ask) -> Found | None:
    """Two things at once from which to go on."""
    body = ask.body
    return {} if body["conversation"] is not None and body.get("previous_response_id") is not None else None


def _unknown_response(ask: Ask) -> Found | None:
    """A response that is not stored. Without a place where any could be, nothing is known of it."""
    name, kept = ask.body["previous_response_id"], ask.context.kept
    if not isinstance(name, str) or kept is None:
        return None
    return {"id": shown(name)} if kept.get(ask.request.key, RESPONSES, name) is None else None


def _unknown_item(ask: Ask) -> Found | None:
    """A reference to an item that is not stored. Without a place where any could be, nothing is known of it."""
    if ask.context.kept is None:
        return None
    referred = Referred(ask)
    for _, item in objects_in(ask, "input"):
        if is_reference(item) and referred.get(item["id"]) is None:
            return {"id": shown(item["id"]), "why": _NOT_STORED if ask.body.get("store") is False else ""}
    return None


_NOT_STORED = (
    " Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item "
    "from your input."
)
_CALLS = {"function_call": "function call", "custom_tool_call": "custom tool call"}


def _output_without_call(ask: Ask) -> Found | None:
    """The output of a call that is neither in the request nor in what it goes on from, as far as that is known."""
    before = earlier(ask)
    if not before.is_whole:
        return None
    called: set[Any] = {call.id for turn in before.turns for call in turn.calls}
    for item in resolved(ask, (item for _, item in objects_in(ask, "input"))):
        kind, call_id = item.get("type"), item.get("call_id")
        if is_reference(item):
            return None  # to a call, maybe, if what it names is not known
        if not isinstance(kind, str) or not isinstance(call_id, str):
            continue
        if kind in _CALLS:
            called.add(call_id)
        elif (call := kind.removesuffix("_output")) != kind and call in _CALLS and call_id not in called:
            return {"id": shown(call_id), "kind": _CALLS[call]}
    return None


OPENAI_RESPONSES: Rules = (
    Rule(
        "input",
        role_not_in("input", "system", "assistant", "user", "developer", needed=False),
        Words(
            "Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
            _BAD,
            "invalid_value",
        ),
        _RESPONSES_API,
        "input[{index}].role",
    ),
    Rule(
        "input",
        lambda ask: next(
            (
                {"index": index}
                for index, item in objects_in(ask, "input")
                if item.get("role") is not None and item.get("content") is None
            ),
            None,
        ),
        Words("Missing required parameter: 'input[{index}].content'.", _BAD, "missing_required_parameter"),
        _RESPONSES_API,
        "input[{index}].content",
    ),
    Rule(
        "conversation",
        _response_and_conversation,
        Words(
            "Mutually exclusive parameters. Ensure you are only providing one of: 'previous_response_id' or "
            "'conversation'.",
            _BAD,
            "mutually_exclusive_parameters",
        ),
        SEEN,
    ),
    Rule(
        "previous_response_id",
        _unknown_response,
        Words("Previous response with id '{id}' not found.", _BAD, "previous_response_not_found"),
        _RESPONSES_API,
        "previous_response_id",
    ),
    Rule("input", _unknown_item, Words("Item with id '{id}' not found.{why}", _BAD), SEEN, "input", status=404),
    Rule(
        "input",
        _output_without_call,
        Words("No tool call found for {kind} output with call_id {id}.", _BAD),
        "https://platform.openai.com/docs/guides/function-calling",
        "input",
    ),
    *_openai_numbers(_RESPONSES_API, "max_output_tokens"),
    *_choices_of_tools(_RESPONSES_API),
)
OPENAI_EMBEDDINGS: Rules = (
    Rule(
        "input",
        more_than("input", 2048),
        Words(
            "Invalid 'input': array too long. Expected an array with maximum length {limit}, but got an array with "
            "length {number} instead.",
            _BAD,
            "array_above_max_length",
        ),
        _EMBEDDINGS,
        "input",
    ),
)
