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

from mockd.sources.llm.ask import Ask, count_words, text_in
from mockd.sources.llm.budget import MOST_NUMBERS, Refused
from mockd.sources.llm.endpoint import EndpointParams
from mockd.sources.llm.wire import IdForm, UuidForm

MOST_DIMENSIONS = 65536
Vector = Sequence[float]
_MISTRAL_ID, _COHERE_ID = IdForm("", 32), UuidForm()
_BESIDE_NUMBERS = 16
"""What a vector has beside its numbers takes about as much as so many of them."""


class EmbeddingParams(EndpointParams, frozen=True, kw_only=True):
    """Parameters of embeddings."""

    dimensions: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_DIMENSIONS)] | None,
        Meta(description="Dimensions of a vector, if the request does not say; by default those of the real service."),
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


def _asked(ask: Ask, name: str, params: EmbeddingParams, default: int) -> int:
    """The dimensions that a request asks for in the field `name`, or the default."""
    return _dimensions(ask.body.get(name), params, default)


def _dimensions(given: Any, params: EmbeddingParams, default: int) -> int:
    if isinstance(given, int) and 0 < given <= MOST_DIMENSIONS:
        return given
    return params.dimensions or default


def _base64(numbers: Vector) -> str:
    return base64.b64encode(array("f", numbers).tobytes()).decode()


# -- OpenAI, Azure, Mistral --------------------------------------------------------------------------------------------


def openai(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """OpenAI's answer."""
    return _listed(ask, model, _asked(ask, "dimensions", params, 1536))


def mistral(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """Mistral's answer."""
    answer = _listed(ask, model, _asked(ask, "output_dimension", params, 1024))
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
        asked = [_asked_in(one, params) for one in several if isinstance(one, dict)]
        refuse_numbers(sum(dimensions + _BESIDE_NUMBERS for _, dimensions in asked))
        return {"embeddings": ({"values": vector(text, dimensions)} for text, dimensions in asked)}
    text, dimensions = _asked_in(ask.body, params)
    return {"embedding": {"values": vector(text, dimensions)}}


def _asked_in(request: dict[str, Any], params: EmbeddingParams) -> tuple[str, int]:
    given = request.get("outputDimensionality")
    return text_in(request.get("content")), _dimensions(given, params, 3072)


# -- Ollama ------------------------------------------------------------------------------------------------------------


def ollama(ask: Ask, model: str, params: EmbeddingParams) -> Any:
    """Ollama's answer: to a `prompt`, the form of the older `/api/embeddings`, otherwise that of `/api/embed`."""
    dimensions = _asked(ask, "dimensions", params, 768)
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
    asked = ask.body.get("inputs")
    texts = inputs(ask.body.get("texts") or (asked if isinstance(asked, list) else []))
    dimensions = _asked(ask, "output_dimension", params, 1536)
    forms = _forms_of(ask.body.get("embedding_types"))
    refuse_numbers(len(texts) * (dimensions + _BESIDE_NUMBERS) * len(forms))
    return {
        "id": _COHERE_ID.text(ask),
        "embeddings": {name: map(_FORMS[name], vectors(texts, dimensions)) for name in forms},
        "texts": texts,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": words(texts)}},
        "response_type": "embeddings_by_type",
    }
