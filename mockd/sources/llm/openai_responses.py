"""`openai-responses`: OpenAI's Responses, streamed or in one piece.

Every event has its type both in its event line and in its data, and a sequence number. A stream begins and ends with
the whole response object. Between, every item of the output is opened, filled and closed:
https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import count
from typing import Annotated, Any, Literal

from msgspec import Meta

from mockd.events import Event, Slot
from mockd.sources.llm.ask import Ask, Turn, text_in
from mockd.sources.llm.openai import OpenAIWire, schema_in, top_logprobs_of
from mockd.sources.llm.reply import Error, Reply, ReplyParams
from mockd.sources.llm.responses_items import ResponsesShape, items_of
from mockd.sources.llm.responses_object import asked_slots, response
from mockd.sources.llm.wire import STRUCTURE, Failure, IdForm

_ENCRYPTED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"
_ITEM = IdForm("fc_", 50)


class OpenAIResponsesParams(ReplyParams, frozen=True, kw_only=True):
    """Parameters of `openai-responses`."""

    error_form: Annotated[
        Literal["nested", "flat", "failed"],
        Meta(
            description="Form of an error in the stream: an event `error` as the service sends it, or as in its "
            "clients' types, each before `response.failed`; or `response.failed` alone."
        ),
    ] = "nested"


class OpenAIResponses(OpenAIWire):
    """OpenAI's Responses."""

    name = "openai-responses"
    summary = "OpenAI Responses, streamed and in one piece."
    params_type = OpenAIResponsesParams
    default_model = "gpt-4-mock"
    expresses = frozenset({"reasoning", "toolCalls", "refusal", "citations"})
    finish = {
        "stop": "completed",
        "tool_calls": "completed",
        "length": "max_output_tokens",
        "content_filter": "content_filter",
    }
    required = ("model", "input")
    ids = {"id": IdForm("resp_", 50), "message_id": IdForm("msg_", 50), "reasoning_id": IdForm("rs_", 50)}
    opening_events = 2

    # -- what a request asks ---------------------------------------------------------------------------------------

    def turns(self, ask: Ask) -> Iterator[Turn]:
        if (instructions := ask.text("instructions")) is not None:
            yield Turn("system", instructions)
        asked = ask.body.get("input")
        if isinstance(asked, str):
            yield Turn("user", asked)
        for item in asked if isinstance(asked, list) else ():
            if not isinstance(item, dict):
                continue
            if item.get("type") == "function_call_output":
                yield Turn("tool", text_in(item.get("output")), has_tool_result=True)
            elif isinstance(item.get("role"), str):
                yield Turn(item["role"], text_in(item.get("content")))

    def shape(self, ask: Ask) -> ResponsesShape:
        include = ask.body.get("include")
        asked = include if isinstance(include, list) else []
        return ResponsesShape(
            bool(ask.part("stream_options").get("include_obfuscation")),
            _ENCRYPTED in asked,
            top_logprobs_of(ask) if _LOGPROBS in asked else None,
        )

    def copies(self, shape: Hashable) -> tuple[int, int]:
        assert isinstance(shape, ResponsesShape)
        # A stream repeats them: with the delta, when the text, its part and its item are done, and at its end. They
        # count twice, as all but the first have them in one event, which is made in one go.
        return 1, 0 if shape.logprobs is None else 10 * (1 + shape.logprobs)

    def json_schema(self, ask: Ask) -> Any:
        return schema_in(ask.part("text").get("format"))

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        slots = super().slots(ask, reply, shape) | asked_slots(ask.body)
        return slots | {f"item{number}": _ITEM.make(ask) for number in range(len(reply.calls))}

    # -- what is sent ----------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, ResponsesShape)
        numbers = count()
        for kind in ("created", "in_progress"):
            yield _event(f"response.{kind}", next(numbers), response=response("in_progress"))
        for index, item in enumerate(items_of(reply, shape)):
            yield _event("response.output_item.added", next(numbers), output_index=index, item=item.opening)
            for step in item.steps:
                place = {"item_id": item.opening["id"], "output_index": index}
                yield _event(f"response.{step.type}", next(numbers), step.delay_s, **place, **step.fields)
            yield _event("response.output_item.done", next(numbers), output_index=index, item=item.whole)
        whole = self.whole(reply, shape)
        yield _event(f"response.{whole['status']}", next(numbers), response=whole)

    def whole(self, reply: Reply, shape: Hashable) -> dict[str, Any]:
        assert isinstance(shape, ResponsesShape)
        reason = self.finish[reply.finish]
        is_complete = reason == "completed"
        return response(
            "completed" if is_complete else "incomplete",
            [item.whole for item in items_of(reply, shape)],
            usage=_usage_of(reply),
            incomplete=None if is_complete else reason,
        )

    # -- errors ----------------------------------------------------------------------------------------------------

    def fails_at(self, content: Sequence[int], after: int) -> int:
        """The position of the failure. A stream that fails before its first token has not opened an item."""
        return super().fails_at(content if after else (), after)

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        said = self.error_in(Failure(500, error.message, error.type))
        said["code"] = said["code"] or said["type"]
        form = self.params.error_form if isinstance(self.params, OpenAIResponsesParams) else "nested"
        numbers = count(len(sent))
        if form == "nested":
            yield _event("error", next(numbers), error=said)
        elif form == "flat":
            yield _event("error", next(numbers), **{key: said[key] for key in ("code", "message", "param")})
        failed = response("failed", error={key: said[key] for key in ("code", "message")})
        yield _event("response.failed", next(numbers), response=failed)


def _event(type_: str, number: int, delay_s: float | None = STRUCTURE, **fields: Any) -> Event:
    return Event({"type": type_, "sequence_number": number, **fields}, type_, delay_s=delay_s)


def _usage_of(reply: Reply) -> dict[str, Any]:
    return {
        "input_tokens": Slot("prompt"),
        "input_tokens_details": {"cached_tokens": reply.usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": reply.output_tokens,
        "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
        "total_tokens": Slot("total"),
    }
