"""Templates of language models' replies: one description of a reply, and every provider's wire for it.

A template is loaded when it is first named, as a process rarely needs more than one or two.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockd.sources.llm.wires.wire import Wire
    from mockd.sources.registry import SourceKind

WIRES = {
    "openai-chat": "openai_chat.OpenAIChat",
    "openai-responses": "openai_responses.OpenAIResponses",
    "openai-completions": "openai_completions.OpenAICompletions",
    "azure-openai": "azure_openai.AzureOpenAI",
    "anthropic-messages": "anthropic.Anthropic",
    "anthropic-vertex": "anthropic_vertex.AnthropicVertex",
    "gemini": "gemini.Gemini",
    "mistral-chat": "mistral_chat.MistralChat",
    "mistral-fim": "mistral_fim.MistralFim",
    "ollama-chat": "ollama.OllamaChat",
    "ollama-generate": "ollama.OllamaGenerate",
    "cohere-chat": "cohere_chat.CohereChat",
    "cohere-chat-v1": "cohere_chat_v1.CohereChatV1",
    "vercel-ui": "vercel_ui.VercelUI",
    "ag-ui": "ag_ui.AgUI",
}
"""The wire of each template, as module and class in `wires/`."""
ENDPOINTS = (
    "openai-embeddings",
    "gemini-embeddings",
    "vertex-embeddings",
    "mistral-embeddings",
    "ollama-embeddings",
    "cohere-embeddings",
    "cohere-embeddings-v1",
    "openai-moderations",
    "openai-input-tokens",
    "anthropic-count-tokens",
    "gemini-count-tokens",
    "cohere-rerank",
    "ollama-show",
)
"""Templates of endpoints that give only whole answers (`endpoints/templates.py`)."""
OTHERS = {
    "openai-stored-responses": "stored_responses.KIND",
    "openai-conversations": "conversations.KIND",
    "ollama-pull": "ollama_models.PULL",
}
"""Templates of other endpoints, as module and name of the kind in `endpoints/`."""


def wire_of(name: str) -> type[Wire]:
    """The wire of a template."""
    found: type[Wire] = _imported("wires", WIRES[name])
    return found


def wire_behind(name: str) -> type[Wire] | None:
    """The wire in whose words a template refuses requests; None if it has none of its own."""
    if name in WIRES:
        return wire_of(name)
    from mockd.sources.llm.endpoints import templates

    return next((one.wire for one in templates.ENDPOINTS if one.name == name), None)


def _imported(folder: str, place: str) -> Any:
    module, _, attribute = place.partition(".")
    return getattr(import_module(f"{__name__}.{folder}.{module}"), attribute)


def load(name: str) -> SourceKind[Any]:
    """The template with a name from `WIRES`, `ENDPOINTS` or `OTHERS`."""
    if name in OTHERS:
        kind_: SourceKind[Any] = _imported("endpoints", OTHERS[name])
        return kind_
    if name in WIRES:
        from mockd.sources.llm import kind

        return kind.kind_of(wire_of(name))
    from mockd.sources.llm.endpoints import endpoint, templates

    return next(endpoint.kind_of(one) for one in templates.ENDPOINTS if one.name == name)
