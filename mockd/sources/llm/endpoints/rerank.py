"""Cohere's rerank: the more words of the query a document has, the more relevant it is."""

from __future__ import annotations

import re
from typing import Any

from mockd.sources.llm.budget import Refused
from mockd.sources.llm.endpoints.endpoint import EndpointParams
from mockd.sources.llm.requests.ask import Ask, text_in
from mockd.sources.llm.wires.wire import UuidForm

MOST_DOCUMENTS = 10_000
"""The limit of the real service."""
_ID = UuidForm()
_LEAST, _MOST = 0.02, 0.98
_IS_V1 = re.compile(r"/v1/rerank$")


def rerank(ask: Ask, model: str, params: EndpointParams) -> Any:
    """The answer: the documents that are most relevant, in that order, by their places in the request."""
    given = ask.body.get("documents")
    documents = given if isinstance(given, list) else []
    if len(documents) > MOST_DOCUMENTS:
        raise Refused(f"too many documents: {len(documents)}; the limit is {MOST_DOCUMENTS}")
    asked = _words(text_in(ask.body.get("query")))
    texts = [text_in(document) for document in documents]
    scores = [_relevance(asked, _words(text)) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: (-scores[index], index))
    top = ask.body.get("top_n")
    if isinstance(top, int) and not isinstance(top, bool) and top > 0:
        order = order[:top]
    returns_texts = ask.body.get("return_documents") is True
    results = [
        {
            **({"document": {"text": texts[index]}} if returns_texts else {}),
            "index": index,
            "relevance_score": scores[index],
        }
        for index in order
    ]
    version = "1" if _IS_V1.search(ask.request.path) else "2"
    meta = {"api_version": {"version": version}, "billed_units": {"search_units": 1}}
    return {"id": _ID.text(ask), "results": results, "meta": meta}


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def _relevance(asked: frozenset[str], words: frozenset[str]) -> float:
    """The share of the query's words that a document has, between the least and the most that a score may be."""
    share = len(asked & words) / len(asked) if asked else 0.0
    return round(_LEAST + (_MOST - _LEAST) * share, 7)
