"""Templates of language models' replies: one description of a reply, and every provider's wire for it."""

from __future__ import annotations

from mockd.sources.llm import endpoint
from mockd.sources.llm.ag_ui import AgUI
from mockd.sources.llm.anthropic import Anthropic
from mockd.sources.llm.azure_openai import AzureOpenAI
from mockd.sources.llm.cohere_chat import CohereChat
from mockd.sources.llm.endpoints import ENDPOINTS
from mockd.sources.llm.gemini import Gemini
from mockd.sources.llm.mistral_chat import MistralChat
from mockd.sources.llm.ollama import OllamaChat, OllamaGenerate
from mockd.sources.llm.openai_chat import OpenAIChat
from mockd.sources.llm.openai_responses import OpenAIResponses
from mockd.sources.llm.source import kind_of
from mockd.sources.llm.vercel_ui import VercelUI

WIRES = (
    OpenAIChat,
    OpenAIResponses,
    AzureOpenAI,
    Anthropic,
    Gemini,
    MistralChat,
    OllamaChat,
    OllamaGenerate,
    CohereChat,
    VercelUI,
    AgUI,
)
KINDS = (*map(kind_of, WIRES), *map(endpoint.kind_of, ENDPOINTS))
