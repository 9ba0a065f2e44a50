"""The rules of each template, as a table."""

from __future__ import annotations

from collections.abc import Mapping

from mockd.sources.llm.refusals.anthropic import ANTHROPIC
from mockd.sources.llm.refusals.cohere import COHERE, COHERE_EMBEDDINGS, COHERE_V1
from mockd.sources.llm.refusals.google import GOOGLE, GOOGLE_EMBEDDINGS
from mockd.sources.llm.refusals.mistral import MISTRAL, MISTRAL_EMBEDDINGS, MISTRAL_FIM
from mockd.sources.llm.refusals.ollama import OLLAMA
from mockd.sources.llm.refusals.openai import OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS, OPENAI_RESPONSES
from mockd.sources.llm.refusals.rule import Rules

RULES: Mapping[str, Rules] = {
    "openai-chat": OPENAI_CHAT,
    "azure-openai": OPENAI_CHAT,
    "openai-completions": OPENAI_COMPLETIONS,
    "openai-responses": OPENAI_RESPONSES,
    "openai-embeddings": OPENAI_EMBEDDINGS,
    "anthropic-messages": ANTHROPIC,
    "anthropic-vertex": ANTHROPIC,
    "gemini": GOOGLE,
    "gemini-embeddings": GOOGLE_EMBEDDINGS,
    "mistral-chat": MISTRAL,
    "mistral-fim": MISTRAL_FIM,
    "mistral-embeddings": MISTRAL_EMBEDDINGS,
    "cohere-chat": COHERE,
    "cohere-chat-v1": COHERE_V1,
    "cohere-embeddings": COHERE_EMBEDDINGS,
    "cohere-embeddings-v1": COHERE_EMBEDDINGS,
    "ollama-chat": OLLAMA,
    "ollama-generate": OLLAMA,
}
"""The rules of each template. Others have none."""
