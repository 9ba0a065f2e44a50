"""The templates of endpoints other than chats."""

from __future__ import annotations

from typing import Any

from mockd.sources.llm.endpoints import counting, embeddings, ollama_models
from mockd.sources.llm.endpoints.embeddings import EmbeddingParams
from mockd.sources.llm.endpoints.endpoint import Endpoint, EndpointParams
from mockd.sources.llm.endpoints.moderations import ModerationParams, moderate
from mockd.sources.llm.endpoints.rerank import rerank
from mockd.sources.llm.wires.anthropic import Anthropic
from mockd.sources.llm.wires.cohere_chat import CohereChat
from mockd.sources.llm.wires.gemini import Gemini
from mockd.sources.llm.wires.mistral_chat import MistralChat
from mockd.sources.llm.wires.ollama import OllamaChat
from mockd.sources.llm.wires.openai import OpenAIWire

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
        name="vertex-embeddings",
        summary="Embeddings of Vertex AI, predicted or as Gemini's.",
        wire=Gemini,
        required=(),
        default_model="gemini-embedding-001",
        params=EmbeddingParams,
        answer=embeddings.vertex,
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
        name="cohere-embeddings-v1",
        summary="Embeddings of Cohere, version 1.",
        wire=CohereChat,
        required=("model",),
        default_model="embed-english-v3.0",
        params=EmbeddingParams,
        answer=embeddings.cohere_v1,
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
    Endpoint(
        name="openai-input-tokens",
        summary="The number of tokens of a request to OpenAI's Responses.",
        wire=OpenAIWire,
        required=(),
        default_model="gpt-4-mock",
        params=EndpointParams,
        answer=counting.responses,
    ),
    Endpoint(
        name="anthropic-count-tokens",
        summary="The number of tokens of a request to Anthropic's Messages.",
        wire=Anthropic,
        required=("model", "messages"),
        default_model="claude-mock",
        params=EndpointParams,
        answer=counting.anthropic,
    ),
    Endpoint(
        name="gemini-count-tokens",
        summary="The number of tokens of a request to Google Gemini.",
        wire=Gemini,
        required=(),
        default_model="gemini-mock",
        params=EndpointParams,
        answer=counting.gemini,
    ),
    Endpoint(
        name="cohere-rerank",
        summary="Cohere's rerank, of both versions.",
        wire=CohereChat,
        required=("model", "query", "documents"),
        default_model="rerank-v3.5",
        params=EndpointParams,
        answer=rerank,
    ),
    Endpoint(
        name="ollama-show",
        summary="Ollama's description of a model.",
        wire=OllamaChat,
        required=("model",),
        default_model="llama-mock",
        params=EndpointParams,
        answer=ollama_models.show,
    ),
)
