"""Endpoints that count the tokens of a request without answering it. They count as the usage of its answer does."""

from __future__ import annotations

from typing import Any

from mockd.sources.llm.endpoints.endpoint import EndpointParams
from mockd.sources.llm.replies.params import ReplyParams
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.anthropic import Anthropic
from mockd.sources.llm.wires.gemini import Gemini
from mockd.sources.llm.wires.openai_responses import OpenAIResponses
from mockd.sources.llm.wires.wire import Wire

_ANTHROPIC, _GEMINI, _RESPONSES = (wire(ReplyParams()) for wire in (Anthropic, Gemini, OpenAIResponses))


def _tokens(wire: Wire, ask: Ask) -> int:
    return wire.prompt_tokens(ask)


def anthropic(ask: Ask, model: str, params: EndpointParams) -> Any:
    """The answer of Anthropic's `count_tokens`."""
    return {"input_tokens": _tokens(_ANTHROPIC, ask)}


def gemini(ask: Ask, model: str, params: EndpointParams) -> Any:
    """The answer of Gemini's `countTokens`, to contents or to a whole `generateContentRequest`."""
    whole = ask.part("generateContentRequest") or ask.part("generate_content_request")
    if whole:
        ask = Ask(ask.context)
        ask.body = whole
    tokens = _tokens(_GEMINI, ask)
    return {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}


def responses(ask: Ask, model: str, params: EndpointParams) -> Any:
    """The answer of OpenAI's `responses/input_tokens`."""
    return {"object": "response.input_tokens", "input_tokens": _tokens(_RESPONSES, ask)}
