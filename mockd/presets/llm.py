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
_TO_WEBSOCKETS: dict[str, Any] = {"headers": {"Upgrade": "websocket"}}
_NO_BROWSER: dict[str, Any] = {"not": {"headers": {"Sec-Fetch-Dest": "document"}}}

_IN_OPENAI_FORM = {
    "chat": ("/chat/completions", "openai-chat"),
    "responses": ("/responses", "openai-responses"),
    "completions": ("/completions", "openai-completions"),
    "embeddings": ("/embeddings", "openai-embeddings"),
    "moderations": ("/moderations", "openai-moderations"),
    "input-tokens": ("/responses/input_tokens", "openai-input-tokens"),
}
"""The path of each of OpenAI's endpoints behind the base URL, and its template."""


def _in_openai_form(provider: str, base: str, *names: str, prefix: str = "openai-") -> tuple[Route, ...]:
    """Routes of a provider that answer as those of OpenAI, below the path of a base URL."""
    places = {name: _IN_OPENAI_FORM[name] for name in names}
    return tuple(
        Route(provider, prefix + name, base + path, template=template) for name, (path, template) in places.items()
    )


def _models(provider: str, base: str, listed: Any, *, prefix: str = "openai-", only: Any = None) -> tuple[Route, ...]:
    """The routes of OpenAI's descriptions of models. A name may have slashes."""
    at, only = f"{base}/models", only or {}
    one, below = models.openai(models.ANY), models.openai(models.ANY_BELOW)
    return (
        Route(provider, prefix + "models", at, body=listed, method="GET", only=only),
        Route(provider, prefix + "model", at + "/{model}", body=one, method="GET", only=only),
        Route(provider, prefix + "model-below", at + "/{organization}/*", body=below, method="GET", only=only),
    )


def _stored(provider: str, base: str, name: str = "responses") -> tuple[Route, ...]:
    """The routes of OpenAI's stored responses."""
    at = base + "/responses/{response}"
    kept = "openai-stored-responses"
    return (
        Route(provider, f"{name}-retrieve", at, kept, method="GET"),
        Route(provider, f"{name}-delete", at, kept, method="DELETE"),
        Route(provider, f"{name}-cancel", at + "/cancel", kept),
        Route(provider, f"{name}-input", at + "/input_items", kept, method="GET"),
    )


def _conversations(base: str) -> tuple[Route, ...]:
    """The routes of OpenAI's conversations."""
    at, kept = base + "/conversations", "openai-conversations"
    one, items = at + "/{conversation}", at + "/{conversation}/items"
    return (
        Route("openai", "conversations-create", at, kept),
        Route("openai", "conversations-retrieve", one, kept, method="GET"),
        Route("openai", "conversations-update", one, kept),
        Route("openai", "conversations-delete", one, kept, method="DELETE"),
        Route("openai", "conversations-items", items, kept, method="GET"),
        Route("openai", "conversations-add", items, kept),
        Route("openai", "conversations-item", items + "/{item}", kept, method="GET"),
        Route("openai", "conversations-item-delete", items + "/{item}", kept, method="DELETE"),
    )


def _no_websockets(provider: str, base: str) -> Route:
    """Responses by WebSocket, which mockd does not serve. Clients go on with HTTP at once if they are told so by the
    status 426; after a 404 they try again and again."""
    return Route(
        provider,
        "responses-websocket",
        base + "/responses",
        body=models.NO_WEBSOCKETS,
        status=426,
        headers={"Upgrade": "HTTP/1.1"},
        method="GET",
        only=_TO_WEBSOCKETS,
    )


_OPENAI = (
    *_in_openai_form("openai", "/v1", *_IN_OPENAI_FORM, prefix=""),
    *_models("openai", "/v1", models.OPENAI, prefix=""),
    _no_websockets("openai", "/v1"),
    *_stored("openai", "/v1"),
    *_conversations("/v1"),
    Route("openai", "health", "/health", body={"status": "ok"}, method="GET"),
)

_DEPLOYMENT = "/openai/deployments/{deployment}"
_AZURE_OPENAI = (
    Route("azure", "chat", f"{_DEPLOYMENT}/chat/completions", "azure-openai"),
    Route("azure", "completions", f"{_DEPLOYMENT}/completions", "openai-completions"),
    Route("azure", "embeddings", f"{_DEPLOYMENT}/embeddings", "openai-embeddings"),
    *_in_openai_form("azure", "/openai/v1", "chat", "responses", "completions", "embeddings", "input-tokens"),
    *_models("azure", "/openai/v1", models.OPENAI),
    *_stored("azure", "/openai/v1", "openai-responses"),
    Route("azure", "responses", "/openai/responses", "openai-responses"),
    *_stored("azure", "/openai"),
)

_ANTHROPIC = (
    Route("anthropic", "messages", "/v1/messages", "anthropic-messages"),
    Route("anthropic", "count-tokens", "/v1/messages/count_tokens", "anthropic-count-tokens"),
    Route("anthropic", "models", "/v1/models", body=models.ANTHROPIC, method="GET", only=_OF_ANTHROPIC),
    Route(
        "anthropic",
        "model",
        "/v1/models/{model}",
        body=models.anthropic(models.ANY),
        method="GET",
        only=_OF_ANTHROPIC,
    ),
    *_in_openai_form("anthropic", "/v1", "chat"),
)


def _gemini(version: str) -> tuple[Route, ...]:
    """The routes of one version of the Gemini API, as Google's clients use different versions. `/v1/models` is a path
    of other providers too."""
    at, name = f"/{version}/models", f"{version}-"
    only = _OF_GEMINI if version == "v1" else {}
    return (
        Route("gemini", name + "generate", at + "/{model}:generateContent", "gemini"),
        Route("gemini", name + "stream", at + "/{model}:streamGenerateContent", "gemini"),
        Route("gemini", name + "count-tokens", at + "/{model}:countTokens", "gemini-count-tokens"),
        Route("gemini", name + "embed", at + "/{model}:embedContent", "gemini-embeddings"),
        Route("gemini", name + "embed-batch", at + "/{model}:batchEmbedContents", "gemini-embeddings"),
        Route("gemini", name + "models", at, body=models.GEMINI, method="GET", only=only),
        Route("gemini", name + "model", at + "/{model}", body=models.gemini(models.ANY), method="GET", only=only),
    )


_GEMINI = (
    *_gemini("v1beta"),
    *_gemini("v1"),
    *_in_openai_form("gemini", "/v1beta/openai", "chat", "embeddings"),
    *_models("gemini", "/v1beta/openai", models.GEMINI_IN_OPENAI_FORM),
)


def _vertex(version: str) -> tuple[Route, ...]:
    """The routes of one version of Vertex AI. A key instead of a project leaves the project out of the path."""
    project = "/projects/{project}/locations/{location}"
    routes: list[Route] = []
    for name, before in ((f"{version}-", project), (f"{version}-key-", "")):
        google = f"/{version}{before}/publishers/google/models/{{model}}:"
        routes += (
            Route("vertex", name + "generate", google + "generateContent", "gemini"),
            Route("vertex", name + "stream", google + "streamGenerateContent", "gemini"),
            Route("vertex", name + "count-tokens", google + "countTokens", "gemini-count-tokens"),
            Route("vertex", name + "predict", google + "predict", "vertex-embeddings"),
            Route("vertex", name + "embed", google + "embedContent", "vertex-embeddings"),
            Route("vertex", name + "embed-batch", google + "batchEmbedContents", "vertex-embeddings"),
        )
    claude = f"/{version}{project}/publishers/anthropic/models/"
    return (
        *routes,
        Route("vertex", f"{version}-claude", claude + "{model}:rawPredict", "anthropic-vertex"),
        Route("vertex", f"{version}-claude-stream", claude + "{model}:streamRawPredict", "anthropic-vertex"),
        Route("vertex", f"{version}-claude-tokens", claude + "count-tokens:rawPredict", "anthropic-count-tokens"),
    )


_OLLAMA = (
    Route("ollama", "chat", "/api/chat", "ollama-chat"),
    Route("ollama", "generate", "/api/generate", "ollama-generate"),
    Route("ollama", "embed", "/api/embed", "ollama-embeddings"),
    Route("ollama", "embeddings", "/api/embeddings", "ollama-embeddings"),
    Route("ollama", "show", "/api/show", "ollama-show"),
    Route("ollama", "pull", "/api/pull", "ollama-pull"),
    Route("ollama", "tags", "/api/tags", body=models.OLLAMA, method="GET"),
    Route("ollama", "ps", "/api/ps", body=models.OLLAMA_RUNNING, method="GET"),
    Route("ollama", "version", "/api/version", body={"version": "0.12.6"}, method="GET"),
    Route("ollama", "root", "/", body="Ollama is running", method="GET", only=_NO_BROWSER),
    *_in_openai_form("ollama", "/v1", "chat", "responses", "completions", "embeddings"),
    *_models("ollama", "/v1", models.OLLAMA_IN_OPENAI_FORM),
    Route("ollama", "messages", "/v1/messages", "anthropic-messages"),
)
_COHERE = (
    Route("cohere", "chat", "/v2/chat", "cohere-chat"),
    Route("cohere", "embed", "/v2/embed", "cohere-embeddings"),
    Route("cohere", "rerank", "/v2/rerank", "cohere-rerank"),
    Route("cohere", "v1-chat", "/v1/chat", "cohere-chat-v1"),
    Route("cohere", "v1-embed", "/v1/embed", "cohere-embeddings-v1"),
    Route("cohere", "v1-rerank", "/v1/rerank", "cohere-rerank"),
    *_in_openai_form("cohere", "/compatibility/v1", "chat", "embeddings"),
)
_MISTRAL = (
    Route("mistral", "chat", "/v1/chat/completions", "mistral-chat", only=_OF_MISTRAL),
    Route("mistral", "fim", "/v1/fim/completions", "mistral-fim"),
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
    "Chats, embeddings, models and what else clients call, of every provider for which mockd has a template.",
    bases={
        "openai": ("/openai/v1", "/openai", "/v1"),
        "azure": ("/azure", "/azure/openai/v1", "/azure/openai"),
        "anthropic": ("/anthropic", "/anthropic/v1"),
        "gemini": ("/gemini", "/gemini/v1beta/openai"),
        "vertex": ("/vertex",),
        "ollama": ("/ollama", "/ollama/v1"),
        "cohere": ("/cohere", "/cohere/compatibility/v1"),
        "mistral": ("/mistral", "/mistral/v1"),
        "vercel": ("/vercel/api/chat",),
        "ag-ui": ("/ag-ui/agent",),
    },
    routes=(
        *_OPENAI,
        *_AZURE_OPENAI,
        *_ANTHROPIC,
        *_GEMINI,
        *_vertex("v1"),
        *_vertex("v1beta1"),
        *_OLLAMA,
        *_COHERE,
        *_MISTRAL,
        *_UI,
    ),
    wires={
        "openai": "openai-chat",
        "azure": "azure-openai",
        "anthropic": "anthropic-messages",
        "gemini": "gemini",
        "vertex": "gemini",
        "ollama": "ollama-chat",
        "cohere": "cohere-chat",
        "mistral": "mistral-chat",
        "vercel": "vercel-ui",
        "ag-ui": "ag-ui",
    },
    targets={
        "openai": "https://api.openai.com",
        "anthropic": "https://api.anthropic.com",
        "gemini": "https://generativelanguage.googleapis.com",
        "ollama": "http://localhost:11434",
        "cohere": "https://api.cohere.com",
        "mistral": "https://api.mistral.ai",
    },
)
