"""Templates of language models' replies: one description of a reply, and every provider's wire for it.

A template is loaded when it is first named, as a process rarely needs more than one or two.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockd.sources.llm.wire import Wire
    from mockd.sources.registry import SourceKind

WIRES = {
    "openai-chat": "openai_chat.OpenAIChat",
    "openai-responses": "openai_responses.OpenAIResponses",
    "azure-openai": "azure_openai.AzureOpenAI",
    "anthropic-messages": "anthropic.Anthropic",
    "gemini": "gemini.Gemini",
    "mistral-chat": "mistral_chat.MistralChat",
    "ollama-chat": "ollama.OllamaChat",
    "ollama-generate": "ollama.OllamaGenerate",
    "cohere-chat": "cohere_chat.CohereChat",
    "vercel-ui": "vercel_ui.VercelUI",
    "ag-ui": "ag_ui.AgUI",
}
"""The wire of each template, as module and class in this package."""
ENDPOINTS = (
    "openai-embeddings",
    "gemini-embeddings",
    "mistral-embeddings",
    "ollama-embeddings",
    "cohere-embeddings",
    "openai-moderations",
)
"""Templates of endpoints that give only whole answers (module `endpoints`)."""


def wire_of(name: str) -> type[Wire]:
    """The wire of a template."""
    module, _, attribute = WIRES[name].partition(".")
    found: type[Wire] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return found


def load(name: str) -> SourceKind[Any]:
    """The template with a name from `WIRES` or `ENDPOINTS`."""
    if name in WIRES:
        from mockd.sources.llm import kind

        return kind.kind_of(wire_of(name))
    from mockd.sources.llm import endpoint, endpoints

    return next(endpoint.kind_of(one) for one in endpoints.ENDPOINTS if one.name == name)
