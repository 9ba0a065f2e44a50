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
_SMALL: dict[str, Any] = {
    "title": "T",
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
}
_FUNCTION = {"name": "f", "description": "d", "parameters": _SMALL, "strict": True}
_TOOLS = {"tools": [{"type": "function", "function": _FUNCTION}], "tool_choice": "auto", "parallel_tool_calls": True}
_NAMED = {"type": "function", "function": {"name": "f"}}
_CUSTOM = {"name": "c", "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a+"}}}
_ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [_NAMED]}}
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
        {"type": "mcp_approval_request", "id": "a", "name": "f", "arguments": "{}"},
        {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True, "reason": "r"},
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
    "reasoning": {"effort": "low", "summary": "auto", "generate_summary": "auto"},
    "temperature": 1,
    "top_p": 1,
    "max_output_tokens": 5,
    "max_tool_calls": 3,
    "metadata": {"a": "b"},
    "previous_response_id": None,
    "conversation": None,
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
    "max_tokens": 2000,
    "cache_control": {"type": "ephemeral", "ttl": "1h"},
    "system": [{**_TEXT[0], "cache_control": {"type": "ephemeral", "ttl": "5m"}}],
    "messages": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": _TEXT}, *_TEXT]},
    ],
    "tools": [{"name": "f", "input_schema": _SMALL}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
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
        "maxOutputTokens": 5,
        "stopSequences": ["x"],
    },
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "tools": [{"functionDeclarations": [_FUNCTION]}],
}
_SNAKE = {
    "contents": {"parts": {"text": "hello"}},
    "system_instruction": {"parts": {"text": "s"}},
    "generation_config": {"candidate_count": 2, "responseJsonSchema": _SMALL, "thinking_config": {}},
    "tools": {"function_declarations": {"name": "f", "parametersJsonSchema": _SMALL}},
}
_OLLAMA = {"model": "m", "logprobs": True, "top_logprobs": 2, "format": _SMALL, "think": True}
_OLLAMA["options"] = {"seed": 1, "num_predict": 5, "stop": ["x"]}
_DYNAMIC = {"type": "dynamic-tool", "toolName": "f", "toolCallId": "d", "state": "output-error", "errorText": "no"}
_EMBED = {"model": "m", "input": ["a", [1, 2], {"text": "x"}], "dimensions": 4, "encoding_format": "base64"}
_VERTEX = "/vertex/v1/projects/p/locations/l/publishers/google/models/m:"
_OF_PYTHON = {"type": "List[str]", "description": "d", "required": True}
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
    "openai functions": (
        "/openai/v1/chat/completions",
        {**_CHAT, "tools": [{"type": "custom", "custom": _CUSTOM}], "functions": [_FUNCTION]}
        | {"function_call": {"name": "f"}, "service_tier": "flex", "reasoning": {"effort": "low"}},
    ),
    "openai allowed tools": ("/openai/v1/chat/completions", {**_CHAT, "tool_choice": _ALLOWED}),
    "a schema": (
        "/openai/v1/chat/completions",
        {"model": "m", "messages": _MESSAGES[-1:]}
        | {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
    ),
    "openai responses": ("/openai/v1/responses", _RESPONSES),
    "openai completions": (
        "/openai/v1/completions",
        {
            "model": "m",
            "prompt": ["hello", [1, 2]],
            "suffix": "s",
            "echo": True,
            "best_of": 1,
            "logit_bias": {"1": 2},
            "n": 1,
            "logprobs": 2,
            "stream_options": {"include_usage": True},
            **_SAMPLING,
        },
    ),
    "openai input tokens": ("/openai/v1/responses/input_tokens", _RESPONSES),
    "openai conversation": (
        "/openai/v1/conversations",
        {
            "metadata": {"a": "b"},
            "items": [
                {"type": "message", "id": "i", "role": "assistant", "content": "hello"},
                {"role": "user", "content": _TEXT},
            ],
        },
    ),
    "openai embeddings": ("/openai/v1/embeddings", _EMBED),
    "openai moderations": ("/openai/v1/moderations", {"model": "m", "input": ["x", {"type": "text", "text": "y"}]}),
    "azure chat": ("/azure/openai/deployments/d/chat/completions", _CHAT | _FORMAT),
    "azure embeddings": ("/azure/openai/deployments/d/embeddings", _EMBED),
    "anthropic": ("/anthropic/v1/messages", _ANTHROPIC),
    "anthropic tokens": ("/anthropic/v1/messages/count_tokens", _ANTHROPIC),
    "claude on vertex": (
        "/vertex/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict",
        {**_ANTHROPIC, "anthropic_version": "vertex-2023-10-16"},
    ),
    "gemini on vertex": ("/vertex/v1/projects/p/locations/l/publishers/google/models/m:generateContent", _GEMINI),
    "vertex predictions": (
        _VERTEX + "predict",
        {
            "instances": [{"content": "x", "task_type": "RETRIEVAL_QUERY", "title": "t"}],
            "parameters": {"outputDimensionality": 3, "autoTruncate": True},
        },
    ),
    "vertex embedding": (
        _VERTEX + "embedContent",
        {"content": {"parts": [{"text": "x"}]}, "embedContentConfig": {"outputDimensionality": 3, "taskType": "X"}},
    ),
    "vertex embeddings": (
        _VERTEX + "batchEmbedContents",
        {"requests": [{"content": {"parts": [{"text": "x"}]}, "embedContentConfig": {"outputDimensionality": 3}}]},
    ),
    "gemini tokens": ("/gemini/v1beta/models/m:countTokens", _GEMINI),
    "gemini tokens of a request": (
        "/gemini/v1beta/models/m:countTokens",
        {"generateContentRequest": _GEMINI, "generate_content_request": {}},
    ),
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
    "ollama pull": ("/ollama/api/pull", {"model": "m", "name": "m", "insecure": True}),
    "cohere chat": (
        "/cohere/v2/chat",
        {
            **_CHAT,
            "response_format": {"type": "json_object", "json_schema": _SMALL},
            "documents": [{"id": "1", "data": {"text": "x"}}],
            "citation_options": {"mode": "FAST"},
            "thinking": {"type": "enabled", "token_budget": 5},
            "stop_sequences": ["x"],
        },
    ),
    "cohere chat, version 1": (
        "/cohere/v1/chat",
        {
            "model": "m",
            "message": "hello",
            "preamble": "p",
            "chat_history": [
                {"role": "CHATBOT", "message": "hello", "tool_calls": [{"name": "f", "parameters": {}}]},
                {"role": "TOOL", "message": _TEXT},
                {"role": "TOOL", "tool_results": [{"call": {"name": "f"}, "outputs": [{"text": "x"}]}]},
            ],
            "tool_results": [{"call": {"name": "f", "parameters": {}}, "outputs": [{"text": "x"}]}],
            "tools": [{"name": "f", "description": "d", "parameter_definitions": {"a": _OF_PYTHON}}],
            "force_single_step": True,
            "max_tokens": 5,
            "stop_sequences": ["x"],
            "temperature": 1,
            "response_format": {"type": "json_object", "schema": _SMALL},
        },
    ),
    "cohere rerank": (
        "/cohere/v2/rerank",
        {"model": "m", "query": "a", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": True},
    ),
    "cohere embed": ("/cohere/v2/embed", _EMBED_COHERE),
    "cohere embed, version 1": ("/cohere/v1/embed", _EMBED_COHERE),
    "cohere embed, inputs": ("/cohere/v2/embed", {**_EMBED_COHERE, "texts": None}),
    "mistral chat": (
        "/mistral/v1/chat/completions",
        {
            **_CHAT,
            **_FORMAT,
            "safe_prompt": True,
            "random_seed": 1,
            "prompt_mode": "reasoning",
            "reasoning_effort": "high",
        },
    ),
    "mistral fim": ("/mistral/v1/fim/completions", {"model": "m", "prompt": "hello", "suffix": "s", **_SAMPLING}),
    "mistral embeddings": ("/mistral/v1/embeddings", {**_EMBED, "output_dimension": 4}),
    "vercel": (
        "/vercel/api/chat",
        {
            "id": "1",
            "messages": [
                {"id": "1", "role": "user", "parts": _TEXT},
                {"id": "2", "role": "assistant", "parts": [{"type": "tool-f", "toolCallId": "c", "output": {}}]},
                {"id": "3", "role": "assistant", "parts": [_DYNAMIC]},
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
            "messages": [
                {"id": "1", "role": "user", "content": "hello"},
                {"id": "2", "role": "assistant", "toolCalls": [_CALL]},
                {"id": "3", "role": "tool", "toolCallId": "c", "content": "x"},
                {"id": "4", "role": "tool", "tool_name": "f", "content": "x"},
            ],
            "tools": [{"name": "f", "parameters": _SMALL}],
            "context": [{"description": "d", "value": "v"}],
            "forwardedProps": {},
        },
    ),
}
"""The path and the body for each kind of request."""
STREAMS = {
    "anthropic",
    "azure chat",
    "claude on vertex",
    "cohere chat",
    "cohere chat, version 1",
    "mistral chat",
    "mistral fim",
    "ollama chat",
    "ollama generate",
    "ollama pull",
    "openai chat",
    "openai completions",
    "openai responses",
}
"""The kinds that say in their body whether they want a stream."""
