"""Embeddings: vectors that depend on the text alone, in every provider's form.

A text has the same vector with every model, provider and seed. The vector has length 1. A shorter vector of the same
text has the same direction in its dimensions.
"""

from __future__ import annotations

import base64
import math
import random
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

from msgspec import Meta

from mockd.sources.llm.budget import MOST_NUMBERS, Refused
from mockd.sources.llm.endpoints.endpoint import EndpointParams
from mockd.sources.llm.requests.ask import Ask, text_in
from mockd.sources.llm.requests.options import child, objects
from mockd.sources.llm.requests.tokens import count_words
from mockd.sources.llm.wires.wire import IdForm, UuidForm

MOST_DIMENSIONS = 65536
Vector = Sequence[float]
_MISTRAL_ID, _COHERE_ID = IdForm("", 32), UuidForm()
_BESIDE_NUMBERS = 16
"""What a vector has beside its numbers takes about as much as so many of them."""


DIMENSIONS = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
    "gemini-embedding-001": 3072,
    "text-embedding-004": 768,
    "text-embedding-005": 768,
    "text-multilingual-embedding-002": 768,
    "embedding-001": 768,
    "mistral-embed": 1024,
    "codestral-embed": 1536,
    "embed-v4.0": 1536,
    "embed-english-v3.0": 1024,
    "embed-multilingual-v3.0": 1024,
    "embed-english-light-v3.0": 384,
    "embed-multilingual-light-v3.0": 384,
    "embed-english-v2.0": 4096,
    "embed-english-light-v2.0": 1024,
    "embed-multilingual-v2.0": 768,
    "all-minilm": 384,
    "bge-m3": 1024,
    "bge-large": 1024,
    "embeddinggemma": 768,
    "granite-embedding": 384,
    "mxbai-embed-large": 1024,
    "nomic-embed-text": 768,
    "paraphrase-multilingual": 768,
    "qwen3-embedding": 4096,
    "snowflake-arctic-embed": 1024,
    "snowflake-arctic-embed2": 1024,
}
"""Dimensions of the vectors of known models. A name may have its owner before it and a version behind it."""


class EmbeddingParams(EndpointParams, frozen=True, kw_only=True):
    """Parameters of embeddings."""

    dimensions: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_DIMENSIONS)] | None,
        Meta(description="Dimensions of a vector, if the request does not say; by default those of the real model."),
    ] = None


def vector(text: str, dimensions: int) -> Vector:
    """The vector of a text, in single precision."""
    numbers = array("i", random.Random(text).randbytes(4 * dimensions))
    length = math.hypot(*numbers)
    return array("f", [number / length for number in numbers]).tolist()


def vectors(texts: Sequence[str], dimensions: int) -> Iterator[Vector]:
    """The vectors of texts, made one by one. Raises `Refused` if they are too many."""
    refuse_numbers(len(texts) * (dimensions + _BESIDE_NUMBERS))
    return (vector(text, dimensions) for text in texts)


def refuse_numbers(numbers: int) -> None:
    """Raise `Refused` for an answer with so many numbers, if they are too many."""
    if numbers > MOST_NUMBERS:
        raise Refused(f"The embeddings would have {numbers} numbers; the limit is {MOST_NUMBERS}.")


def inputs(given: Any) -> list[str]:
    """The texts to embed. The request has one or several, each as text, as tokens, or as parts with text."""
    if not isinstance(given, list) or (given and all(isinstance(item, int) for item in given)):
        given = [given]
    return [item if isinstance(item, str) else text_in(item) or str(item) for item in given]


def words(texts: Sequence[str]) -> int:
    """The number of words of texts, which stands for their number of tokens."""
    return count_words(texts)


def dimensions_of(model: str, default: int) -> int:
    """The dimensions of a model's vectors, or the default if it is not known."""
    return DIMENSIONS.get(model.rpartition("/")[2].partition(":")[0], default)


def _asked(ask: Ask, name: str, params: EmbeddingParams, model: str, default: int) -> int:
    """The dimensions that a request asks for in the field `name`, or those of its model, or the default."""
    return _dimensions(ask.body.get(name), params, model, default)


def _dimensions(given: Any, params: EmbeddingParams, model: str, default: int) -> int:
    if isinstance(given, int) and 0 < given <= MOST_DIMENSIONS:
        return given
    return params.dimensions or dimensions_of(model, default)


def _base64(numbers: Vector) -> str:
    return base64.b64encode(array("f", numbers).tobytes()).decode()


# -- OpenAI, Azure, Mistral --------------------------------------------------------------------------------------------


def openai(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """OpenAI's answer."""
    return _listed(ask, model, _asked(ask, "dimensions", params, model, 1536))


def mistral(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """Mistral's answer."""
    answer = _listed(ask, model, _asked(ask, "output_dimension", params, model, 1024))
    return {"id": _MISTRAL_ID.text(ask), **answer, "usage": {**answer["usage"], "completion_tokens": 0}}


def _listed(ask: Ask, model: str, dimensions: int) -> dict[str, Any]:
    texts = inputs(ask.body.get("input", ""))
    in_base64 = ask.body.get("encoding_format") == "base64"
    return {
        "object": "list",
        "data": (
            {"object": "embedding", "index": index, "embedding": _base64(numbers) if in_base64 else numbers}
            for index, numbers in enumerate(vectors(texts, dimensions))
        ),
        "model": model,
        "usage": {"prompt_tokens": words(texts), "total_tokens": words(texts)},
    }


# -- Gemini ------------------------------------------------------------------------------------------------------------


def gemini(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """Gemini's answer, to several `requests` or to one."""
    several = ask.body.get("requests")
    if isinstance(several, list):
        asked = [_asked_in(one, model, params) for one in several if isinstance(one, dict)]
        refuse_numbers(sum(dimensions + _BESIDE_NUMBERS for _, dimensions in asked))
        return {"embeddings": ({"values": vector(text, dimensions)} for text, dimensions in asked)}
    text, dimensions = _asked_in(ask.body, model, params)
    return {"embedding": {"values": vector(text, dimensions)}}


def _asked_in(request: dict[str, Any], model: str, params: EmbeddingParams) -> tuple[str, int]:
    config = request if "outputDimensionality" in request else child(request, "embedContentConfig")
    given = config.get("outputDimensionality")
    return text_in(request.get("content")), _dimensions(given, params, model, 3072)


# -- Vertex AI ---------------------------------------------------------------------------------------------------------


def vertex(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """Vertex AI's answer: to `instances`, which its older models predict, otherwise as Gemini's, with the usage."""
    instances = ask.body.get("instances")
    if isinstance(instances, list):
        return _predicted(list(map(_text_of, instances)), ask, model, params)
    several = ask.body.get("requests")
    texts = [text_in(one.get("content")) for one in (objects(several) if isinstance(several, list) else [ask.body])]
    return {**gemini(ask, model, params), "truncated": False, "usageMetadata": {"promptTokenCount": words(texts)}}


def _predicted(texts: Sequence[str], ask: Ask, model: str, params: EmbeddingParams) -> Any:
    dimensions = _dimensions(ask.part("parameters").get("outputDimensionality"), params, model, 768)
    return {
        "predictions": (
            {"embeddings": {"values": numbers, "statistics": {"token_count": words([text]), "truncated": False}}}
            for text, numbers in zip(texts, vectors(texts, dimensions), strict=True)
        ),
        "metadata": {"billableCharacterCount": sum(map(len, texts))},
    }


def _text_of(instance: Any) -> str:
    return text_in(instance.get("content")) if isinstance(instance, dict) else ""


# -- Ollama ------------------------------------------------------------------------------------------------------------


def ollama(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """Ollama's answer: to a `prompt`, the form of the older `/api/embeddings`, otherwise of `/api/embed`."""
    dimensions = _asked(ask, "dimensions", params, model, 768)
    if "input" not in ask.body and "prompt" in ask.body:
        return {"embedding": vector(text_in(ask.body["prompt"]), dimensions)}
    texts = inputs(ask.body.get("input", ""))
    return {
        "model": model,
        "embeddings": vectors(texts, dimensions),
        "total_duration": 14_143_917,
        "load_duration": 1_019_500,
        "prompt_eval_count": words(texts),
    }


# -- Cohere ------------------------------------------------------------------------------------------------------------


def _packed(numbers: Vector) -> list[int]:
    bits = [number > 0 for number in numbers]
    return [
        sum(bit << (7 - place) for place, bit in enumerate(bits[start : start + 8])) for start in range(0, len(bits), 8)
    ]


_FORMS: dict[str, Callable[[Vector], Any]] = {
    "float": lambda numbers: numbers,
    "int8": lambda numbers: [round(number * 127) for number in numbers],
    "uint8": lambda numbers: [round((number + 1) * 127.5) for number in numbers],
    "binary": lambda numbers: [byte - 128 for byte in _packed(numbers)],
    "ubinary": _packed,
    "base64": _base64,
}


def _forms_of(types: Any) -> list[str]:
    """The known ones of the forms that a request names, each once."""
    if not isinstance(types, list):
        return ["float"]
    if not all(isinstance(name, str) for name in types):
        raise Refused("invalid request: embedding_types must be a list of strings")
    return [name for name in _FORMS if name in types]


def cohere(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """Cohere's answer, with the vectors in each form that the request asks for."""
    return _by_type(ask, model, params, "2")


def cohere_v1(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """Cohere's answer, version 1: a bare list of vectors, if the request names no forms."""
    answer = _by_type(ask, model, params, "1")
    if not ask.body.get("embedding_types"):
        answer |= {"embeddings": answer["embeddings"]["float"], "response_type": "embeddings_floats"}
    return answer


def _by_type(ask: Ask, model: str, params: EmbeddingParams, version: str) -> dict[str, Any]:
    asked = ask.body.get("inputs")
    texts = inputs(ask.body.get("texts") or (asked if isinstance(asked, list) else []))
    dimensions = _asked(ask, "output_dimension", params, model, 1536)
    forms = _forms_of(ask.body.get("embedding_types") or None)
    refuse_numbers(len(texts) * (dimensions + _BESIDE_NUMBERS) * len(forms))
    return {
        "id": _COHERE_ID.text(ask),
        "embeddings": {name: map(_FORMS[name], vectors(texts, dimensions)) for name in forms},
        "texts": texts,
        "meta": {"api_version": {"version": version}, "billed_units": {"input_tokens": words(texts)}},
        "response_type": "embeddings_by_type",
    }
