"""What Cohere's service refuses."""

from __future__ import annotations

from mockd.sources.llm.refusals.predicates import (
    more_than,
    no_content,
    outside,
    result_without_call,
    role_not_in,
    text,
)
from mockd.sources.llm.refusals.rule import OWN, SEEN, Found, Rule, Rules
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.access import Words

_ERRORS = "https://docs.cohere.com/reference/errors"

_NUMBERS: Rules = (
    Rule(
        "temperature",
        outside("temperature", least=0, most=1),
        Words("invalid request: temperature must be between 0 and 1.0 inclusive."),
        _ERRORS,
    ),
    Rule(
        "max_tokens",
        text("max_tokens"),
        Words("invalid type: parameter max_tokens is of type string but should be of type integer."),
        SEEN,
    ),
)
COHERE: Rules = (
    Rule(
        "messages",
        role_not_in("messages", "user", "assistant", "system", "tool"),
        Words(
            "invalid request: Invalid role in messages at index {index}. Role must be one of the following: user, "
            "assistant, system, tool"
        ),
        OWN,
    ),
    Rule("messages", result_without_call, Words("tool call id not found in previous tool calls"), _ERRORS),
    *_NUMBERS,
)


def _both(ask: Ask) -> Found | None:
    """A message beside the results of tools, which only a request with a single step has."""
    body = ask.body
    return {} if body["tool_results"] and body.get("message") and body.get("force_single_step") is not True else None


_ROLES = ("User", "Chatbot", "System", "Tool")
COHERE_V1: Rules = (
    Rule(
        "chat_history",
        role_not_in("chat_history", *_ROLES, *map(str.upper, _ROLES)),
        Words(
            "invalid request: Invalid role in chat_history at index {index}. Role must be one of the following: "
            "User, Chatbot, System, Tool"
        ),
        _ERRORS,
    ),
    Rule(
        "chat_history",
        no_content("chat_history", "message", "tool_results", "tool_calls"),
        Words("invalid request: all elements in history must have a message."),
        _ERRORS,
    ),
    Rule(
        "tool_results",
        _both,
        Words("invalid request: cannot specify both message and tool_results in multistep mode"),
        SEEN,
    ),
    *_NUMBERS,
)
COHERE_EMBEDDINGS: Rules = (
    Rule(
        "texts",
        more_than("texts", 96),
        Words("invalid request: total number of texts must be at most {limit} - received {number}"),
        _ERRORS,
    ),
)
