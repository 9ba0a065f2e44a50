"""The templates of endpoints other than chats."""

from __future__ import annotations

from typing import Any

from mockd.sources.llm import embeddings
from mockd.sources.llm.cohere_chat import CohereChat
from mockd.sources.llm.embeddings import EmbeddingParams
from mockd.sources.llm.endpoint import Endpoint
from mockd.sources.llm.gemini import Gemini
from mockd.sources.llm.mistral_chat import MistralChat
from mockd.sources.llm.moderations import ModerationParams, moderate
from mockd.sources.llm.ollama import OllamaChat
from mockd.sources.llm.openai import OpenAIWire

ENDPOINTS: tuple[Endpoint[Any], ...] = (
    Endpoint(
        name="openai-embeddings",
        summary="Embeddings of OpenAI and Azure OpenAI.",
        wire=OpenAIWire,
        required=("model", "input"),
        default_model="text-embedding-3-small",
        params=EmbeddingParams,
        answer=embeddings.openai,
    ),
    Endpoint(
        name="gemini-embeddings",
        summary="Embeddings of Google Gemini, single and in batches.",
        wire=Gemini,
        required=(),
        default_model="gemini-embedding-001",
        params=EmbeddingParams,
        answer=embeddings.gemini,
    ),
    Endpoint(
        name="mistral-embeddings",
        summary="Embeddings of Mistral.",
        wire=MistralChat,
        required=("model", "input"),
        default_model="mistral-embed",
        params=EmbeddingParams,
        answer=embeddings.mistral,
    ),
    Endpoint(
        name="ollama-embeddings",
        summary="Embeddings of Ollama, for `/api/embed` and the older `/api/embeddings`.",
        wire=OllamaChat,
        required=("model",),
        default_model="nomic-embed-text",
        params=EmbeddingParams,
        answer=embeddings.ollama,
    ),
    Endpoint(
        name="cohere-embeddings",
        summary="Embeddings of Cohere, in all of its forms.",
        wire=CohereChat,
        required=("model",),
        default_model="embed-v4.0",
        params=EmbeddingParams,
        answer=embeddings.cohere,
    ),
    Endpoint(
        name="openai-moderations",
        summary="OpenAI's moderations.",
        wire=OpenAIWire,
        required=("input",),
        default_model="omni-moderation-latest",
        params=ModerationParams,
        answer=moderate,
    ),
)
