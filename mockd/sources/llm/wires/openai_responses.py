"""`openai-responses`: OpenAI's Responses, streamed or in one piece.

Every event has its type both in its event line and in its data, and a sequence number. A stream begins and ends with
the whole response object. Between, every item of the output is opened, filled and closed:
https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import count, takewhile
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from mockd.events import Event, Slot
from mockd.jsontext import encode_json
from mockd.sources.llm.replies.params import Error, ReplyParams
from mockd.sources.llm.replies.reply import Reply
from mockd.sources.llm.requests.ask import Ask, Turn
from mockd.sources.llm.requests.options import Options, choice_in, is_asked, most_tokens, objects, tools_in
from mockd.sources.llm.requests.tokens import IMAGE_TOKENS
from mockd.sources.llm.wires.access import OPENAI_RESPONSES
from mockd.sources.llm.wires.openai import OpenAIWire, name_in, schema_in, tier_of, top_logprobs_of
from mockd.sources.llm.wires.openai_stored import (
    Missed,
    continue_conversation,
    conversation,
    conversation_in,
    keep_response,
    resolved,
)
from mockd.sources.llm.wires.responses_earlier import earlier, goes_on
from mockd.sources.llm.wires.responses_ids import RESPONSE, digits_of, holder_id, item_id, new_digits
from mockd.sources.llm.wires.responses_input import turns_in
from mockd.sources.llm.wires.responses_items import ResponsesShape, items_of
from mockd.sources.llm.wires.responses_object import asked_slots, response
from mockd.sources.llm.wires.wire import STRUCTURE, Failure

_ENCRYPTED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"
_FIRST_CALL = 3
"""The number of the item of a reply's first call, behind reasoning and message."""


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
    provider = "openai"
    summary = "OpenAI Responses, streamed and in one piece."
    params_type = OpenAIResponsesParams
    default_model = "gpt-4-mock"
    expresses = frozenset({"reasoning", "toolCalls", "refusal", "citations"})
    has_custom_tools = True
    finish = {
        "stop": "completed",
        "tool_calls": "completed",
        "length": "max_output_tokens",
        "content_filter": "content_filter",
    }
    access = OPENAI_RESPONSES
    required = ("model", "input")
    opening_events = 2
    opening_types: ClassVar[tuple[str, ...]] = ("response.created", "response.queued", "response.in_progress")
    """Types of the events with which a stream may begin, in order."""

    # -- what a request asks ---------------------------------------------------------------------------------------

    def turns(self, ask: Ask) -> Iterator[Turn]:
        if (instructions := ask.text("instructions")) is not None:
            yield Turn("system", instructions)
        if goes_on(ask.body):
            yield from earlier(ask).turns
        asked = ask.body.get("input")
        if isinstance(asked, str):
            yield Turn("user", asked)
        yield from turns_in(resolved(ask, objects(asked)))

    def options(self, ask: Ask) -> Options:
        body = ask.body
        calling, only = choice_in(body.get("tool_choice"))
        declared = objects(body.get("tools"))
        tools = tools_in(declared, has_custom=True)
        return Options(
            tools=tools,
            has_others=len(tools) < len(declared),
            calling=calling,
            only=only,
            is_parallel=body.get("parallel_tool_calls") is not False,
            max_tokens=most_tokens(body.get("max_output_tokens")),
            thinks=is_asked(ask.part("reasoning").get("effort")),
        )

    def shape(self, ask: Ask) -> ResponsesShape:
        include = ask.body.get("include")
        asked = include if isinstance(include, list) else []
        return ResponsesShape(
            bool(ask.part("stream_options").get("include_obfuscation")),
            _ENCRYPTED in asked,
            top_logprobs_of(ask) if _LOGPROBS in asked else None,
            ask.body.get("background") is True,
            _wants_summary(ask.body.get("reasoning")),
            tier_of(ask),
            ask.body.get("conversation") is not None,
        )

    def waits(self, shape: Hashable) -> bool:
        assert isinstance(shape, ResponsesShape)
        return not shape.background

    def copies(self, shape: Hashable) -> tuple[int, int]:
        assert isinstance(shape, ResponsesShape)
        # A stream repeats them: with the delta, when the text, its part and its item are done, and at its end. They
        # count twice, as all but the first have them in one event, which is made in one go.
        return 1, 0 if shape.logprobs is None else 10 * (1 + shape.logprobs)

    def json_schema(self, ask: Ask) -> Any:
        return schema_in(ask.part("text").get("format"))

    def schema_name(self, ask: Ask, schema: Any) -> str | None:
        return name_in(ask.part("text").get("format")) or super().schema_name(ask, schema)

    def new_ids(self, ask: Ask) -> dict[str, bytes]:
        digits = new_digits(ask)
        ids = {
            "id": holder_id(RESPONSE, digits),
            "reasoning_id": item_id("reasoning", digits, 1),
            "message_id": item_id("message", digits, 2),
        }
        return super().new_ids(ask) | {name: encode_json(id) for name, id in ids.items()}

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        """The slots of every wire, of the fields that are repeated, and of the items. The response is stored."""
        slots = super().slots(ask, reply, shape) | asked_slots(ask.body)
        digits = digits_of(slots["id"][1:-1].decode()) or ""
        for number, call in enumerate(reply.calls):
            kind = "custom_tool_call" if call.is_custom else "function_call"
            slots[f"item{number}"] = encode_json(item_id(kind, digits, _FIRST_CALL + number))
        keep_response(ask, self, reply, shape, slots)
        if "conversation" in ask.body:
            assert isinstance(shape, ResponsesShape)
            said = () if reply.failure is not None else items_of(reply, shape)
            continue_conversation(ask, [item.whole for item in said], slots)
        return slots

    def prompt_tokens(self, ask: Ask) -> int:
        tokens = super().prompt_tokens(ask)
        return tokens + IMAGE_TOKENS * earlier(ask).images if goes_on(ask.body) else tokens

    def complaint(self, ask: Ask) -> Failure | None:
        complaint = super().complaint(ask)
        if complaint is not None and complaint.param in self.required and ask.part("prompt").get("id"):
            complaint = None  # a stored prompt has its own model and input
        if complaint is not None:
            return complaint
        # A response before it comes first, which no request should name beside a conversation.
        if (name := conversation_in(ask.body)) is not None and not ask.text("previous_response_id"):
            try:
                conversation(ask, name)
            except Missed as missed:
                return missed.failure
        return None

    # -- what is sent ----------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, ResponsesShape)
        numbers, within = count(), shape.in_conversation
        if shape.background:
            for kind in ("created", "queued"):
                yield _event(f"response.{kind}", next(numbers), response=response("queued", in_conversation=within))
        for kind in ("in_progress",) if shape.background else ("created", "in_progress"):
            yield _event(f"response.{kind}", next(numbers), response=response("in_progress", in_conversation=within))
        for index, item in enumerate(items_of(reply, shape)):
            yield _event("response.output_item.added", next(numbers), output_index=index, item=item.opening)
            for step in item.steps:
                place = {"item_id": item.opening["id"], "output_index": index}
                yield _event(f"response.{step.type}", next(numbers), step.delay_s, **place, **step.fields)
            yield _event("response.output_item.done", next(numbers), output_index=index, item=item.whole)
        whole = self.finished(reply, shape)
        yield _event(f"response.{whole['status']}", next(numbers), response=whole)

    def all_events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        """The events of a reply's stream; of one that fails, those before anything is said, and the failure."""
        if reply.failure is None:
            yield from self.events(reply, shape)
            return
        opening = list(takewhile(lambda event: event.type in self.opening_types, self.events(reply, shape)))
        yield from (*opening, *self.error_events(reply.failure, opening, reply, shape))

    def whole(self, reply: Reply, shape: Hashable) -> dict[str, Any]:
        """The response, which is only queued if it is made in the background."""
        assert isinstance(shape, ResponsesShape)
        if shape.background:
            return response("queued", in_conversation=shape.in_conversation)
        return self.finished(reply, shape)

    def finished(self, reply: Reply, shape: Hashable) -> dict[str, Any]:
        """The response when it is finished."""
        assert isinstance(shape, ResponsesShape)
        if reply.failure is not None:
            return response("failed", error=self._said(reply.failure), in_conversation=shape.in_conversation)
        reason = self.finish[reply.finish]
        is_complete = reason == "completed"
        return response(
            "completed" if is_complete else "incomplete",
            [item.whole for item in items_of(reply, shape)],
            usage=_usage_of(reply),
            incomplete=None if is_complete else reason,
            tier=shape.tier,
            in_conversation=shape.in_conversation,
        )

    # -- errors ----------------------------------------------------------------------------------------------------

    def fails_at(self, content: Sequence[int], after: int) -> int:
        """The position of the failure. A stream that fails before its first token has not opened an item."""
        return super().fails_at(content if after else (), after)

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, ResponsesShape)
        said = self.error_in(Failure(500, error.message, error.type))
        said |= self._said(error)
        failed = response("failed", error=self._said(error), in_conversation=shape.in_conversation)
        form = self.params.error_form if isinstance(self.params, OpenAIResponsesParams) else "nested"
        numbers = count(len(sent))
        if form == "nested":
            yield _event("error", next(numbers), error=said)
        elif form == "flat":
            yield _event("error", next(numbers), **{key: said[key] for key in ("code", "message", "param")})
        yield _event("response.failed", next(numbers), response=failed)

    def _said(self, error: Error) -> dict[str, Any]:
        """An error as a response has it."""
        said = self.error_in(Failure(500, error.message, error.type))
        return {"code": said["code"] or said["type"], "message": said["message"]}


def _wants_summary(reasoning: Any) -> bool:
    """Whether reasoning is summarised. A request that says how to reason, but asks for no summary, gets none."""
    return not (isinstance(reasoning, dict) and reasoning) or bool(
        reasoning.get("summary") or reasoning.get("generate_summary")
    )


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
