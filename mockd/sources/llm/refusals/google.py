"""What Google's service refuses."""

from __future__ import annotations

from collections.abc import Callable

from mockd.sources.llm.refusals.predicates import (
    below,
    more_than,
    no_content,
    objects_in,
    outside,
    role_not_in,
    text,
)
from mockd.sources.llm.refusals.rule import SEEN, Found, Rule, Rules
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.access import Words

_GENERATE = "https://ai.google.dev/api/generate-content"
_CONFIGS = ("generationConfig", "generation_config")


def _no_digits(*path: str) -> Callable[[Ask], Found | None]:
    """Text that does not spell a number, as numbers in protobuf's JSON may be texts."""
    is_text = text(*path)

    def wrong(ask: Ask) -> Found | None:
        found = is_text(ask)
        return found if found is not None and not found["value"].isdecimal() else None

    return wrong


def _google_numbers() -> Rules:
    rules = []
    for config in _CONFIGS:
        rules.append(
            Rule(
                config,
                outside(config, "temperature", least=0, most=2),
                Words(
                    "* GenerateContentRequest.generation_config.temperature: temperature must be in the range "
                    "[0.0, 2.0].\n"
                ),
                _GENERATE,
            )
        )
        for name in ("maxOutputTokens", "max_output_tokens"):
            rules.append(
                Rule(
                    config,
                    _no_digits(config, name),
                    Words("Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), \"{value}\""),
                    "https://protobuf.dev/programming-guides/json/",
                )
            )
            rules.append(
                Rule(
                    config,
                    below(config, name, least=1),
                    Words(
                        "* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be "
                        "positive.\n"
                    ),
                    _GENERATE,
                )
            )
    return tuple(rules)


def _response_without_call(ask: Ask) -> Found | None:
    """The response of a function in a turn that does not come after its call."""
    has_call = False
    for _, content in objects_in(ask, "contents"):
        parts = content.get("parts")
        parts = [part for part in (parts if isinstance(parts, list) else [parts]) if isinstance(part, dict)]
        if not has_call and any("functionResponse" in part or "function_response" in part for part in parts):
            return {}
        has_call = any("functionCall" in part or "function_call" in part for part in parts)
    return None


GOOGLE: Rules = (
    Rule(
        "contents",
        role_not_in("contents", "user", "model", "function", "tool", "", needed=False),
        Words("Please use a valid role: user, model."),
        _GENERATE,
    ),
    Rule(
        "contents",
        no_content("contents", "parts"),
        Words("* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n"),
        _GENERATE,
    ),
    Rule(
        "contents",
        _response_without_call,
        Words("Please ensure that function response turn comes immediately after a function call turn."),
        "https://ai.google.dev/gemini-api/docs/function-calling",
    ),
    *_google_numbers(),
)
GOOGLE_EMBEDDINGS: Rules = (
    Rule(
        "requests",
        more_than("requests", 100),
        Words("* BatchEmbedContentsRequest.requests: at most {limit} requests can be in one batch\n"),
        SEEN,
    ),
)
