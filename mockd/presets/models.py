"""Descriptions of models in each provider's form. A model of any other name exists too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ANY = "{{ request.params.model }}"
"""A name that stands for the model named in the request's path."""

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
            "completion_fim": False,
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


def ollama(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": _CREATED_TEXT,
        "size": 2019393189,
        "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
        "details": OLLAMA_DETAILS,
    }


OLLAMA_DETAILS: Mapping[str, Any] = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "3.2B",
    "quantization_level": "Q4_K_M",
}
OLLAMA_SHOWN: Mapping[str, Any] = {
    "modelfile": "FROM mock",
    "parameters": "",
    "template": "{{ .Prompt }}",
    "license": "",
    "details": OLLAMA_DETAILS,
    "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
    "capabilities": ["completion", "tools", "thinking", "embedding"],
    "modified_at": _CREATED_TEXT,
}

OPENAI = {"object": "list", "data": [*map(openai, ("gpt-5", "gpt-4o", "text-embedding-3-small"))]}
MISTRAL = {"object": "list", "data": [*map(mistral, ("mistral-large-latest", "mistral-embed"))]}
GEMINI = {"models": [*map(gemini, ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-embedding-001"))]}
OLLAMA = {"models": [*map(ollama, ("llama3.2:latest", "nomic-embed-text:latest"))]}
ANTHROPIC = {
    "data": [*map(anthropic, ("claude-sonnet-4-5", "claude-haiku-4-5"))],
    "has_more": False,
    "first_id": "claude-sonnet-4-5",
    "last_id": "claude-haiku-4-5",
}
