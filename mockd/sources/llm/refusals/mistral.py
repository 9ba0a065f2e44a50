"""What Mistral's service refuses."""

from __future__ import annotations

from collections.abc import Callable

from mockd.sources.llm.refusals.predicates import (
    above,
    below,
    choice_of_unknown_tool,
    more_than,
    no_content,
    result_without_call,
    role_not_in,
    text,
)
from mockd.sources.llm.refusals.rule import OWN, SEEN, Found, Rule, Rules
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.access import Words

_PYDANTIC = "https://docs.pydantic.dev/latest/errors/validation_errors/"
"""The words of Mistral's validation. Its answers have been seen to have them, in this form."""


def _invalid(field: str, wrong: Callable[[Ask], Found | None], message: str, code: str, param: str) -> Rule:
    """A value that is not valid, at a place of the body whose names and indexes have dots between them."""
    return Rule(field, wrong, Words(message, code=code), _PYDANTIC, param, status=422)


_NUMBERS: Rules = (
    _invalid(
        "temperature",
        above("temperature", most=1.5),
        "Input should be less than or equal to {limit}",
        "less_than_equal",
        "temperature",
    ),
    _invalid(
        "temperature",
        below("temperature", least=0),
        "Input should be greater than or equal to {limit}",
        "greater_than_equal",
        "temperature",
    ),
    _invalid("max_tokens", text("max_tokens"), "Input should be a valid integer", "int_type", "max_tokens"),
    _invalid(
        "max_tokens",
        below("max_tokens", least=0),
        "Input should be greater than or equal to {limit}",
        "greater_than_equal",
        "max_tokens",
    ),
)
MISTRAL: Rules = (
    _invalid(
        "messages",
        role_not_in("messages", "system", "user", "assistant", "tool"),
        "Input tag '{role}' found using 'role' does not match any of the expected tags: 'assistant', 'system', "
        "'tool', 'user'",
        "union_tag_invalid",
        "messages.{index}",
    ),
    _invalid(
        "messages",
        no_content("messages", "content", "tool_calls"),
        "Field required",
        "missing",
        "messages.{index}.{role}.content",
    ),
    Rule(
        "messages",
        result_without_call,
        Words("Unexpected role 'tool' after role '{before}'", "invalid_request_message_order", "3230"),
        SEEN,
    ),
    Rule(
        "tool_choice",
        choice_of_unknown_tool,
        Words("tool_choice names the function '{name}', which is not in tools."),
        OWN,
    ),
    *_NUMBERS,
)
MISTRAL_FIM: Rules = _NUMBERS
MISTRAL_EMBEDDINGS: Rules = (
    Rule(
        "input",
        more_than("input", 256),
        Words("Too many inputs in request, split into more batches.", "invalid_request_prompt", "3210"),
        SEEN,
    ),
)
