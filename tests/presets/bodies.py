"""A request for each route of the preset with every field that its API knows, for tests that make fields wrong."""

from __future__ import annotations

from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "a+", "format": "date"},
        "list": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "number": {"type": "number", "minimum": 1, "maximum": 3, "exclusiveMinimum": 0, "multipleOf": 0.5},
        "tuple": {"type": "array", "prefixItems": [{"type": "boolean"}], "additionalItems": True},
        "choice": {"anyOf": [{"type": "null"}], "default": None},
        "one": {"oneOf": [{"enum": [1]}]},
        "all": {"allOf": [{"const": 1}]},
        "other": {"$ref": "#/$defs/other"},
    },
    "required": ["text"],
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 9,
    "$defs": {"other": {"type": ["boolean", "null"]}},
}
_SMALL: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
_FUNCTION = {"name": "f", "description": "d", "parameters": _SMALL, "strict": True}
_TOOLS = {"tools": [{"type": "function", "function": _FUNCTION}], "tool_choice": "auto", "parallel_tool_calls": True}
_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_TEXT = [{"type": "text", "text": "hello"}]
_MESSAGES = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": _TEXT, "name": "n"},
    {"role": "assistant", "content": None, "tool_calls": [_CALL]},
    {"role": "tool", "tool_call_id": "c", "content": "r"},
    {"role": "user", "content": "hello"},
]
_SAMPLING = {"temperature": 1, "top_p": 1, "max_tokens": 5, "stop": ["x"], "seed": 1, "user": "u"}
_CHAT: dict[str, Any] = {
    "model": "m",
    "messages": _MESSAGES,
    "stream_options": {"include_usage": True, "include_obfuscation": True},
    "n": 2,
    "logprobs": True,
    "top_logprobs": 2,
    **_TOOLS,
    **_SAMPLING,
}
_FORMAT = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": _SMALL}}}
_RESPONSES: dict[str, Any] = {
    "model": "m",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"role": "user", "content": "hello"},
    ],
    "instructions": "i",
    "stream_options": {"include_obfuscation": True},
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    "top_logprobs": 2,
    "text": {"format": {"type": "json_schema", "name": "x", "schema": _SMALL}, "verbosity": "low"},
    "tools": [{"type": "function", **_FUNCTION}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "low", "summary": "auto"},
    "temperature": 1,
    "top_p": 1,
    "max_output_tokens": 5,
    "max_tool_calls": 3,
    "metadata": {"a": "b"},
    "previous_response_id": "r",
    "store": True,
    "truncation": "auto",
    "background": False,
    "service_tier": "auto",
    "safety_identifier": "s",
    "prompt_cache_key": "k",
    "prompt_cache_retention": "24h",
    "user": "u",
}
_ANTHROPIC: dict[str, Any] = {
    "model": "m",
    "max_tokens": 5,
    "system": _TEXT,
    "messages": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": _TEXT}, *_TEXT]},
    ],
    "tools": [{"name": "f", "input_schema": _SMALL}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"format": {"type": "json_schema", "schema": _SMALL}},
    "output_format": {"type": "json_schema", "schema": _SMALL},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x"],
}
_GEMINI: dict[str, Any] = {
    "contents": [
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"text": "hello"}, {"functionResponse": {"name": "f", "response": {}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "s"}]},
    "generationConfig": {
        "candidateCount": 2,
        "thinkingConfig": {"includeThoughts": True},
        "responseMimeType": "application/json",
        "responseSchema": {**_SMALL, "min_properties": "1"},
    },
    "tools": [{"functionDeclarations": [_FUNCTION]}],
}
_SNAKE = {
    "contents": {"parts": {"text": "hello"}},
    "system_instruction": {"parts": {"text": "s"}},
    "generation_config": {"candidate_count": 2, "responseJsonSchema": _SMALL, "thinking_config": {}},
}
_OLLAMA = {"model": "m", "logprobs": True, "top_logprobs": 2, "format": _SMALL, "think": True, "options": {"seed": 1}}
_EMBED = {"model": "m", "input": ["a", [1, 2], {"text": "x"}], "dimensions": 4, "encoding_format": "base64"}
_EMBED_COHERE = {
    "model": "m",
    "texts": ["x"],
    "inputs": [{"content": _TEXT}],
    "input_type": "search_document",
    "embedding_types": ["float", "int8"],
    "output_dimension": 4,
}

WHOLE: dict[str, tuple[str, dict[str, Any]]] = {
    "openai chat": ("/openai/v1/chat/completions", {**_CHAT, "max_completion_tokens": 5, "metadata": {"a": "b"}}),
    "a schema": (
        "/openai/v1/chat/completions",
        {"model": "m", "messages": _MESSAGES[-1:]}
        | {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
    ),
    "openai responses": ("/openai/v1/responses", _RESPONSES),
    "openai embeddings": ("/openai/v1/embeddings", _EMBED),
    "openai moderations": ("/openai/v1/moderations", {"model": "m", "input": ["x", {"type": "text", "text": "y"}]}),
    "azure chat": ("/azure/openai/deployments/d/chat/completions", _CHAT | _FORMAT),
    "azure embeddings": ("/azure/openai/deployments/d/embeddings", _EMBED),
    "anthropic": ("/anthropic/v1/messages", _ANTHROPIC),
    "gemini": ("/gemini/v1beta/models/m:generateContent", _GEMINI),
    "gemini in snake case": ("/gemini/v1beta/models/m:generateContent", _SNAKE),
    "gemini embedding": (
        "/gemini/v1beta/models/m:embedContent",
        {"content": {"parts": [{"text": "x"}]}, "outputDimensionality": 3, "taskType": "X"},
    ),
    "gemini embeddings": (
        "/gemini/v1beta/models/m:batchEmbedContents",
        {"requests": [{"model": "m", "content": {"parts": [{"text": "x"}]}, "outputDimensionality": 3}]},
    ),
    "ollama chat": (
        "/ollama/api/chat",
        {**_OLLAMA, **_TOOLS, "messages": [*_MESSAGES, {"role": "user", "content": "x", "images": ["x"]}]},
    ),
    "ollama generate": (
        "/ollama/api/generate",
        {**_OLLAMA, "prompt": "p", "system": "s", "raw": True, "context": [1], "suffix": "x", "images": ["x"]},
    ),
    "ollama loading": ("/ollama/api/generate", {"model": "m", "prompt": "", "keep_alive": 0}),
    "ollama embed": ("/ollama/api/embed", {**_EMBED, "truncate": True, "keep_alive": "5m", "options": {}}),
    "ollama embeddings": ("/ollama/api/embeddings", {"model": "m", "prompt": "x", "dimensions": 3}),
    "ollama show": ("/ollama/api/show", {"model": "m"}),
    "cohere chat": (
        "/cohere/v2/chat",
        {
            **_CHAT,
            "response_format": {"type": "json_object", "json_schema": _SMALL},
            "documents": [{"id": "1", "data": {"text": "x"}}],
            "citation_options": {"mode": "FAST"},
            "thinking": {"type": "enabled", "token_budget": 5},
        },
    ),
    "cohere embed": ("/cohere/v2/embed", _EMBED_COHERE),
    "cohere embed, inputs": ("/cohere/v2/embed", {**_EMBED_COHERE, "texts": None}),
    "mistral chat": ("/mistral/v1/chat/completions", {**_CHAT, **_FORMAT, "safe_prompt": True, "random_seed": 1}),
    "mistral embeddings": ("/mistral/v1/embeddings", {**_EMBED, "output_dimension": 4}),
    "vercel": (
        "/vercel/api/chat",
        {
            "id": "1",
            "messages": [
                {"id": "1", "role": "user", "parts": _TEXT},
                {"id": "2", "role": "assistant", "parts": [{"type": "tool-f", "toolCallId": "c", "output": {}}]},
            ],
            "trigger": "submit-message",
        },
    ),
    "ag-ui": (
        "/ag-ui/agent",
        {
            "threadId": "t",
            "runId": "r",
            "protocolVersion": "1",
            "state": {"a": 1},
            "messages": [{"id": "1", "role": "user", "content": "hello"}, {"id": "2", "role": "tool", "content": "x"}],
            "tools": [{"name": "f", "parameters": _SMALL}],
            "context": [{"description": "d", "value": "v"}],
            "forwardedProps": {},
        },
    ),
}
"""The path and the body for each kind of request."""
STREAMS = {"anthropic", "azure chat", "cohere chat", "mistral chat", "openai chat", "openai responses"} | {
    "ollama chat",
    "ollama generate",
}
"""The kinds that say in their body whether they want a stream."""
