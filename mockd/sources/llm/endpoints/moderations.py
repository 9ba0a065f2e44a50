"""OpenAI's moderations. Only the categories that the mock names are flagged."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from msgspec import Meta

from mockd.jsontext import encode_json
from mockd.sources.llm.budget import refuse_above
from mockd.sources.llm.endpoints.endpoint import EndpointParams
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.wire import IdForm

Category = Literal[
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
]
_SURE, _UNLIKELY = 0.99, 0.0001
_ID = IdForm("modr-", 32)


class ModerationParams(EndpointParams, frozen=True, kw_only=True):
    """Parameters of moderations."""

    flagged: Annotated[tuple[Category, ...], Meta(description="Categories for which every input is flagged.")] = ()


def moderate(ask: Ask, model: str, params: ModerationParams) -> Any:
    """The answer, with a result for each input."""
    given = ask.body.get("input")
    # A list of parts (texts and pictures) is one input.
    is_several = isinstance(given, list) and all(isinstance(item, str) for item in given)
    number = len(given) if isinstance(given, list) and is_several else 1
    result = _result(params)
    refuse_above(number, number * len(encode_json(result)))
    return {"id": _ID.text(ask), "model": model, "results": [result] * number}


def _result(params: ModerationParams) -> dict[str, Any]:
    categories = get_args(Category)
    return {
        "flagged": bool(params.flagged),
        "categories": {name: name in params.flagged for name in categories},
        "category_scores": {name: _SURE if name in params.flagged else _UNLIKELY for name in categories},
        "category_applied_input_types": {name: ["text"] for name in categories},
    }
