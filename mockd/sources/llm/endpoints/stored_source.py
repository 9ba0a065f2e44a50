"""The source of endpoints for what is stored: it answers by method and path, and refuses in OpenAI's words."""

from __future__ import annotations

from typing import Any

from mockd.jsontext import encode_json
from mockd.source import Answer, BaseSource, SourceContext
from mockd.sources.llm.budget import Refused
from mockd.sources.llm.endpoints.endpoint import EndpointParams
from mockd.sources.llm.refusals import telling
from mockd.sources.llm.refusals.refusal import failure_of, is_due, refusal, refusal_with, refused
from mockd.sources.llm.replies.params import ReplyParams
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.openai_responses import OpenAIResponses
from mockd.sources.llm.wires.openai_stored import Missed
from mockd.sources.llm.wires.wire import plain_headers


class StoredSource(BaseSource):
    """Base class of these sources."""

    def __init__(self, params: EndpointParams) -> None:
        self._params = params
        self.wire = wire = OpenAIResponses(ReplyParams())
        self.headers = (*wire.headers, *((name.encode(), value.encode()) for name, value in wire.common_headers))

    def open(self, context: SourceContext) -> Answer:
        ask, error = Ask(context), self._params.error
        if error is not None and is_due(error, "error", context):
            return refusal(self.wire, failure_of(self.wire, error), ask)
        try:
            return self.answer_to(ask)
        except Missed as missed:
            if self._params.explain:
                telling.tell_refused(ask.request, "stored", missed.failure.message)
            return refusal(self.wire, missed.failure, ask)
        except (Refused, RecursionError) as error_:
            if self._params.explain:
                telling.tell_limit(ask.request, error_)
            return refused(self.wire, error_, ask)

    def answer_to(self, ask: Ask) -> Answer:
        """The answer to a request. Raises `Missed`."""
        raise NotImplementedError

    def whole(self, body: Any, ask: Ask) -> Answer:
        """An answer with a JSON body, which may have parts of any depth that a client has sent."""
        slots = self.wire.new_ids(ask)
        headers = {"content-type": "application/json"} | dict(plain_headers(self.wire, ask, slots))
        return Answer(body=encode_json(body), headers=tuple(headers.items()), slots=slots)

    def refusal(self, context: SourceContext, status: int, retry_after_s: float | None) -> Answer:
        return refusal_with(self.wire, context, status, retry_after_s)
