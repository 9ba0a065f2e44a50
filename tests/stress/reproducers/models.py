"""What clients ask of models, and what would take more than a server has."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.presets.asking import ASKED, PATHS, SAID, asked
from tests.stress.asking import ask
from tests.stress.server import Server

SCHEMAS: tuple[Any, ...] = (
    {"type": "array", "minItems": 100_000, "items": {"type": "string", "minLength": 4000}},
    {"type": "array", "minItems": 999, "items": {"type": "array", "minItems": 999, "items": {"type": "integer"}}},
    {"type": "string", "minLength": 10**15},
    {"type": "string", "pattern": "^((a{1,100}){1,100}){1,100}$"},
    {"type": "string", "pattern": "^(a|a)*(a|a)*(a|a)*b{40}$", "minLength": 60},
    {"type": "string", "pattern": "(x+x+)+y", "maxLength": 30, "minLength": 30},
    {"type": "string", "pattern": "^(?=.*a)(?=.*b)(?!.*c)(.+)+$"},
    {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}},
    },
    {"allOf": [{"anyOf": [{"type": "object", "properties": {str(n): {}}} for n in range(200)]}] * 200},
    {"enum": ["x" * 100_000, *range(20_000)]},
)
MISTAKES: tuple[dict[str, Any], ...] = (
    {"embedding_types": [["float"]]},
    {"messages": [{"role": "user", "content": json.loads("[" * 900 + "]" * 900)}]},
    {"messages": [{"role": ["user"], "content": {"text": {}}}] * 1000},
    {"model": "m" * 1_000_000},
    {"model": {"m": 1}, "input": [[[[]]]], "contents": [{"parts": [[]]}], "prompt": 5},
    {"tools": [{"type": "function", "function": {"name": "f" * 100_000, "parameters": SCHEMAS[0]}}] * 20},
    {"stop": ["x"] * 100_000, "n": 10**30, "max_tokens": -1, "dimensions": 10**30},
)
_PATHS = {template: path.replace("{model}", "m") for template, path in PATHS.items()}
EMBEDDINGS = {
    "/v1/embeddings": {"model": "m", "input": ["a"] * 2048, "dimensions": 65_536},
    "/v2/embed": {
        "model": "m",
        "texts": ["a"] * 2048,
        "embedding_types": ["float", "int8"],
        "output_dimension": 65_536,
    },
    "/api/embed": {"model": "m", "input": ["a"] * 100_000},
}


def post(server: Server, path: str, body: Any) -> int:
    """Ask a model, and read all of the answer; its status."""
    status, answer = ask(server.mocks + path, "POST", body)
    assert status < 500, (path, answer[:500])
    return status


def schemas(server: Server) -> None:
    for schema in SCHEMAS:
        named = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        for stream in (False, True):
            post(server, _PATHS["openai-chat"], asked("openai-chat", stream=stream, response_format=named))
        post(server, _PATHS["gemini"], {**ASKED["gemini"], "generationConfig": {"responseJsonSchema": schema}})
        post(server, _PATHS["ollama-chat"], asked("ollama-chat", stream=False, format=schema))


def echoes(server: Server) -> None:
    """Long prompts, which are repeated or refused."""
    for template in ASKED:
        body = json.dumps(asked(template, stream=True)).replace(SAID, f"{template} and so on, " * 5_000)
        post(server, _PATHS[template], body.encode())
    for template in ("openai-chat", "gemini", "anthropic-messages"):
        body = json.dumps(asked(template, stream=True)).replace(SAID, "word " * 1_800_000)
        assert post(server, _PATHS[template], body.encode()) == 400


def many_choices(server: Server) -> None:
    said = [{"role": "user", "content": "word " * 500}]
    for n, top in ((128, 20), (128, 0), (2, 20)):
        for stream in (False, True):
            more = {"messages": said, "n": n, "logprobs": True, "top_logprobs": top}
            post(server, _PATHS["openai-chat"], asked("openai-chat", stream=stream, **more))


def embeddings(server: Server) -> None:
    for path, body in EMBEDDINGS.items():
        assert post(server, path, body) == 400
    assert post(server, "/v1/embeddings", {"model": "m", "input": ["a"] * 500, "dimensions": 1536}) == 200


def mistakes(server: Server) -> None:
    """Bodies that are no requests, of which some reach deeper than a check of the first level."""
    for mistake in MISTAKES:
        for path in (*_PATHS.values(), *EMBEDDINGS):
            post(server, path, {"model": "m", "texts": ["a"], **mistake})


MODELS: dict[str, Callable[[Server], None]] = {
    "JSON schemas": schemas,
    "echoes of long prompts": echoes,
    "choices and log probabilities": many_choices,
    "embeddings": embeddings,
    "mistaken requests": mistakes,
}
