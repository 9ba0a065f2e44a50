"""The preset `llm`: every provider of language models for which mockd has a template, on one port."""

from __future__ import annotations

from typing import Any

from mockd.presets import models
from mockd.presets.routes import Preset, Route

# Criteria that tell providers apart if they share a path. Mistral's own clients have its name in their user agent, and
# so has the AI SDK's client for Mistral.
_OF_MISTRAL: dict[str, Any] = {"headers": {"User-Agent": "*mistral*"}}
_OF_ANTHROPIC: dict[str, Any] = {"headers": {"anthropic-version": "*"}}
_OF_GEMINI: dict[str, Any] = {"headers": {"x-goog-api-key": "*"}}
_OF_VERCEL: dict[str, Any] = {"bodyJsonPath": {"$.messages[*].parts": {"exists": True}}}

_AZURE = "/openai/deployments/{deployment}"

_OPENAI = (
    Route("openai", "chat", "/v1/chat/completions", "openai-chat"),
    Route("openai", "responses", "/v1/responses", "openai-responses"),
    Route("openai", "embeddings", "/v1/embeddings", "openai-embeddings"),
    Route("openai", "moderations", "/v1/moderations", "openai-moderations"),
    Route("openai", "models", "/v1/models", body=models.OPENAI, method="GET"),
    Route("openai", "model", "/v1/models/{model}", body=models.openai(models.ANY), method="GET"),
)
_AZURE_OPENAI = (
    Route("azure", "chat", f"{_AZURE}/chat/completions", "azure-openai"),
    Route("azure", "embeddings", f"{_AZURE}/embeddings", "openai-embeddings"),
    Route("azure", "openai-chat", "/openai/v1/chat/completions", "openai-chat"),
    Route("azure", "openai-responses", "/openai/v1/responses", "openai-responses"),
    Route("azure", "responses", "/openai/responses", "openai-responses"),
    Route("azure", "openai-embeddings", "/openai/v1/embeddings", "openai-embeddings"),
)
_ANTHROPIC = (
    Route("anthropic", "messages", "/v1/messages", "anthropic-messages"),
    Route("anthropic", "models", "/v1/models", body=models.ANTHROPIC, method="GET", only=_OF_ANTHROPIC),
    Route(
        "anthropic",
        "model",
        "/v1/models/{model}",
        body=models.anthropic(models.ANY),
        method="GET",
        only=_OF_ANTHROPIC,
    ),
)


def _gemini(version: str) -> tuple[Route, ...]:
    """The routes of one version of the Gemini API, as Google's clients use different versions. `/v1/models` is a path
    of other providers too."""
    at, name = f"/{version}/models", f"{version}-"
    only = _OF_GEMINI if version == "v1" else {}
    return (
        Route("gemini", name + "generate", at + "/{model}:generateContent", "gemini"),
        Route("gemini", name + "stream", at + "/{model}:streamGenerateContent", "gemini"),
        Route("gemini", name + "embed", at + "/{model}:embedContent", "gemini-embeddings"),
        Route("gemini", name + "embed-batch", at + "/{model}:batchEmbedContents", "gemini-embeddings"),
        Route("gemini", name + "models", at, body=models.GEMINI, method="GET", only=only),
        Route("gemini", name + "model", at + "/{model}", body=models.gemini(models.ANY), method="GET", only=only),
    )


_OLLAMA = (
    Route("ollama", "chat", "/api/chat", "ollama-chat"),
    Route("ollama", "generate", "/api/generate", "ollama-generate"),
    Route("ollama", "embed", "/api/embed", "ollama-embeddings"),
    Route("ollama", "embeddings", "/api/embeddings", "ollama-embeddings"),
    Route("ollama", "show", "/api/show", body=models.OLLAMA_SHOWN),
    Route("ollama", "tags", "/api/tags", body=models.OLLAMA, method="GET"),
    Route("ollama", "version", "/api/version", body={"version": "0.12.6"}, method="GET"),
)
_COHERE = (
    Route("cohere", "chat", "/v2/chat", "cohere-chat"),
    Route("cohere", "embed", "/v2/embed", "cohere-embeddings"),
)
_MISTRAL = (
    Route("mistral", "chat", "/v1/chat/completions", "mistral-chat", only=_OF_MISTRAL),
    Route("mistral", "embeddings", "/v1/embeddings", "mistral-embeddings", only=_OF_MISTRAL),
    Route("mistral", "models", "/v1/models", body=models.MISTRAL, method="GET", only=_OF_MISTRAL),
    Route("mistral", "model", "/v1/models/{model}", body=models.mistral(models.ANY), method="GET", only=_OF_MISTRAL),
)
_UI = (
    Route("vercel", "chat", "/api/chat", "vercel-ui", only=_OF_VERCEL),
    Route("ag-ui", "agent", "/agent", "ag-ui"),
)

LLM = Preset(
    "llm",
    "Chats, embeddings, models and moderations of every provider for which mockd has a template.",
    base_urls={
        "openai": "/openai/v1",
        "azure": "/azure",
        "anthropic": "/anthropic",
        "gemini": "/gemini",
        "ollama": "/ollama",
        "cohere": "/cohere",
        "mistral": "/mistral",
        "vercel": "/vercel/api/chat",
        "ag-ui": "/ag-ui/agent",
    },
    routes=(
        *_OPENAI,
        *_AZURE_OPENAI,
        *_ANTHROPIC,
        *_gemini("v1beta"),
        *_gemini("v1"),
        *_OLLAMA,
        *_COHERE,
        *_MISTRAL,
        *_UI,
    ),
)
