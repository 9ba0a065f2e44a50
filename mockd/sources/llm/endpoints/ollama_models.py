"""Ollama's models as it describes them: in lists, by `/api/show`, and while it fetches one (`/api/pull`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from mockd.events import Event
from mockd.source import Answer, BaseSource, SourceContext
from mockd.sources.llm.endpoints.endpoint import EndpointParams
from mockd.sources.llm.refusals.refusal import failure_of, is_due, refusal, refusal_with
from mockd.sources.llm.replies.params import ReplyParams
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.ollama import OllamaChat
from mockd.sources.registry import SourceKind

_MODIFIED, _EXPIRES = "2025-01-01T00:00:00Z", "2038-01-19T03:14:07Z"
_SIZE, _LAYERS = 2019393189, 3
_CONTEXT = 131072
_EMBEDS = re.compile(r"embed|minilm|bge|gte-|e5-|paraphrase", re.IGNORECASE)
_DETAILS: Mapping[str, Any] = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "3.2B",
    "quantization_level": "Q4_K_M",
}
_DETAILS_OF_EMBEDDING: Mapping[str, Any] = {
    **_DETAILS,
    "family": "nomic-bert",
    "families": ["nomic-bert"],
    "parameter_size": "137M",
    "quantization_level": "F16",
}


def is_embedding(name: str) -> bool:
    """Whether a model is one that embeds, as its name tells."""
    return _EMBEDS.search(name) is not None


def listed(name: str) -> dict[str, Any]:
    """A model in the list of all."""
    return {
        "name": name,
        "model": name,
        "modified_at": _MODIFIED,
        "size": _SIZE,
        "digest": digest(name),
        "details": _details(name),
    }


def running(name: str) -> dict[str, Any]:
    """A model in the list of those that are in memory."""
    described = listed(name)
    del described["modified_at"]
    return {**described, "expires_at": _EXPIRES, "size_vram": _SIZE, "context_length": _CONTEXT}


def digest(text: str) -> str:
    """The digest of a model, which follows from its name, so that no two models have the same."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def show(ask: Ask, model: str, params: EndpointParams) -> Any:
    """The answer of `/api/show`."""
    details = _details(model)
    family = details["family"]
    embeds = is_embedding(model)
    return {
        "modelfile": "FROM mock",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "license": "",
        "details": details,
        "model_info": {
            "general.architecture": family,
            f"{family}.context_length": 2048 if embeds else _CONTEXT,
            **({f"{family}.embedding_length": 768} if embeds else {}),
        },
        "capabilities": ["embedding"] if embeds else ["completion", "tools", "thinking", "vision"],
        "modified_at": _MODIFIED,
    }


def _details(name: str) -> Mapping[str, Any]:
    return _DETAILS_OF_EMBEDDING if is_embedding(name) else _DETAILS


class PullSource(BaseSource):
    """Fetching a model, as `/api/pull` tells of it: the manifest, each layer in several steps, and success."""

    headers = OllamaChat.headers

    def __init__(self, params: EndpointParams) -> None:
        self._params = params
        self._wire = OllamaChat(ReplyParams())

    def open(self, context: SourceContext) -> Answer:
        ask, wire, params = Ask(context), self._wire, self._params
        model = params.model or ask.text("model") or ask.text("name") or ""
        if params.strict and not model:
            complaint = wire.complaint(ask)
            if complaint is not None:
                return refusal(wire, complaint, ask)
        if params.error is not None and is_due(params.error, "error", context):
            return refusal(wire, failure_of(wire, params.error), ask)
        if ask.body.get("stream") is False:
            return Answer(body={"status": "success"})
        return Answer(events=map(Event, _progress(model)))

    def refusal(self, context: SourceContext, status: int, retry_after_s: float | None) -> Answer:
        return refusal_with(self._wire, context, status, retry_after_s)


def _progress(model: str) -> Iterator[dict[str, Any]]:
    yield {"status": "pulling manifest"}
    for layer in range(_LAYERS):
        name = digest(f"{model} {layer}" if layer else model)
        size = _SIZE if layer == 0 else 1024 * layer
        for part in (0, 1, 2):
            done = {"completed": size * part // 2} if part else {}
            yield {"status": f"pulling {name[:12]}", "digest": f"sha256:{name}", "total": size, **done}
    for status in ("verifying sha256 digest", "writing manifest", "success"):
        yield {"status": status}


PULL = SourceKind(
    "ollama-pull",
    EndpointParams,
    PullSource,
    "Ollama's progress while it fetches a model, as NDJSON and in one piece.",
    "chunked",
)
