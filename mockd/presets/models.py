"""Descriptions of models in each provider's form. A model of any other name exists too."""

from __future__ import annotations

from typing import Any

from mockd.sources.llm.endpoints import ollama_models

ANY = "{{ request.params.model }}"
"""A name that stands for the model named in the request's path."""
ANY_BELOW = "{{ (request.path | split('/models/', 1)) | last }}"
"""The same for a name with slashes."""

_CREATED, _CREATED_TEXT = 1735689600, "2025-01-01T00:00:00Z"


def openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "mockd"}


def mistral(name: str) -> dict[str, Any]:
    return {
        **openai(name),
        "type": "base",
        "name": name,
        "description": "A mock.",
        "max_context_length": 131072,
        "aliases": [],
        "capabilities": {
            "completion_chat": True,
            "completion_fim": True,
            "function_calling": True,
            "fine_tuning": False,
            "vision": True,
        },
    }


def anthropic(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": _CREATED_TEXT}


def gemini(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "description": "A mock.",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent", "embedContent"],
    }


OPENAI = {"object": "list", "data": [*map(openai, ("gpt-5", "gpt-4o", "text-embedding-3-small"))]}
MISTRAL = {"object": "list", "data": [*map(mistral, ("mistral-large-latest", "mistral-embed"))]}
_GEMINI = ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-embedding-001")
GEMINI = {"models": [*map(gemini, _GEMINI)]}
GEMINI_IN_OPENAI_FORM = {"object": "list", "data": [openai(f"models/{name}") for name in _GEMINI]}
ANTHROPIC = {
    "data": [*map(anthropic, ("claude-sonnet-4-5", "claude-haiku-4-5"))],
    "has_more": False,
    "first_id": "claude-sonnet-4-5",
    "last_id": "claude-haiku-4-5",
}
_OLLAMA = ("llama3.2:latest", "nomic-embed-text:latest")
OLLAMA = {"models": [*map(ollama_models.listed, _OLLAMA)]}
OLLAMA_RUNNING = {"models": [ollama_models.running(_OLLAMA[0])]}
OLLAMA_IN_OPENAI_FORM = {"object": "list", "data": [*map(openai, _OLLAMA)]}

NO_WEBSOCKETS = {
    "error": {
        "message": "Responses are served by HTTP here, and not by WebSocket.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
}
