"""`mistral-chat`: Mistral's Chat Completions.

They are much like OpenAI's, with differences that Mistral's client checks: the last chunk of a choice has the usage and
the whole calls, and reasoning is a part of the content.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from msgspec.structs import replace

from mockd.events import Event, Slot
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.replies.reply import Call, Reply
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.requests.options import Options, choice_in, is_asked, most_tokens, stops_in, tools_in
from mockd.sources.llm.wires.access import MISTRAL
from mockd.sources.llm.wires.openai import logprobs_of, name_in, schema_in, top_logprobs_of
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm, UuidForm, Wire, call_id

_MOST_CHOICES = 128
_VOCABULARY = 131_072
_INVALID, _MISSING = 422, "missing"
"""The status for a field that is missing or not valid, and the word for one that is missing."""

_CODES = {
    "internal_server_error": "1000",
    "invalid_model": "1500",
    "rate_limited": "1300",
    "service_tier_capacity_exceeded": "3505",
}
"""The code of some error types."""


class MistralShape(NamedTuple):
    """The part of a request that decides which events its stream has."""

    choices: int = 1
    logprobs: int | None = None
    """Number of alternatives for each token, or None without log probabilities."""


class Told(NamedTuple):
    """The part of one chunk that belongs to a choice."""

    delta: dict[str, Any]
    is_content: bool = True
    finish: str | None = None
    token: str | None = None
    """The token of the text in it, or None."""


class MistralChat(Wire):
    """Mistral's Chat Completions."""

    name = "mistral-chat"
    provider = "mistral"
    summary = "Mistral's Chat Completions, streamed and in one piece."
    default_model = "mistral-small-latest"
    expresses = frozenset({"reasoning", "toolCalls"})
    finish = {word: word for word in ("stop", "length", "tool_calls")}
    error_types = {
        400: "invalid_request_error",
        401: "unauthorized",
        404: "invalid_model",
        422: "invalid_request_error",
        429: "rate_limited",
        500: "internal_server_error",
        503: "service_unavailable",
    }
    missing = "Field required"
    not_json = "The body of the request is not valid JSON."
    ids = {"id": IdForm("", 32)}
    call_id = IdForm("", 9)
    argument_chunk = None
    access = MISTRAL
    request_id = (b"mistral-correlation-id", UuidForm())
    headers = ((b"content-type", b"text/event-stream"),)
    """Mistral's client accepts no other content type."""

    # -- what a request asks ---------------------------------------------------------------------------------------

    def shape(self, ask: Ask) -> MistralShape:
        choices, logprobs = ask.body.get("n"), ask.body.get("logprobs")
        return MistralShape(
            min(choices, _MOST_CHOICES) if isinstance(choices, int) and choices > 0 else 1,
            top_logprobs_of(ask) if logprobs is True else None,
        )

    def copies(self, shape: Hashable) -> tuple[int, int]:
        assert isinstance(shape, MistralShape)
        return shape.choices, 0 if shape.logprobs is None else 1 + shape.logprobs

    def output_tokens(self, reply: Reply, shape: Hashable) -> int:
        assert isinstance(shape, MistralShape)
        return reply.output_tokens * shape.choices

    def options(self, ask: Ask) -> Options:
        body = ask.body
        calling, only = choice_in(body.get("tool_choice"))
        return Options(
            tools=tools_in(body.get("tools")),
            calling=calling,
            only=only,
            is_parallel=body.get("parallel_tool_calls") is not False,
            max_tokens=most_tokens(body.get("max_tokens"), least=0),
            stops=stops_in(body.get("stop")),
            thinks=is_asked(body.get("prompt_mode")) or is_asked(body.get("reasoning_effort")),
        )

    def complaint(self, ask: Ask) -> Failure | None:
        """The error of every wire. A field that is missing is not valid in the service's words."""
        failure = super().complaint(ask)
        if failure is None or failure.param is None:
            return failure
        return replace(failure, status=_INVALID, code=_MISSING)

    def json_schema(self, ask: Ask) -> Any:
        return schema_in(ask.body.get("response_format"), "json_schema")

    def schema_name(self, ask: Ask, schema: Any) -> str | None:
        return name_in(ask.part("response_format").get("json_schema")) or super().schema_name(ask, schema)

    # -- the stream ------------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, MistralShape)
        for told in self._told(reply):
            logprobs = None if told.token is None else _logprobs([told.token], shape)
            for index in range(shape.choices):
                choice = {"index": index, "delta": told.delta, "finish_reason": told.finish, "logprobs": logprobs}
                is_last = told.finish is not None and index == shape.choices - 1
                delay_s = None if told.is_content and index == 0 else STRUCTURE
                yield _chunk(choice, delay_s, {"usage": self._usage(reply, shape)} if is_last else {})
        yield Event("[DONE]", delay_s=STRUCTURE)

    def _told(self, reply: Reply) -> Iterator[Told]:
        finish = self.finish[reply.finish]
        first, *thoughts = reply.reasoning or ("",)
        yield Told({"role": "assistant", "content": [_thought(first)] if first else ""}, bool(first))
        for thought in thoughts:
            yield Told({"content": [_thought(thought)]})
        for token in reply.tokens:
            yield Told({"content": [_text(token)] if reply.reasoning else token}, token=token)
        if not reply.calls:
            yield Told({"content": ""}, False, finish)
            return
        *fragments, last = _fragments(reply.calls)
        for calls in fragments:
            yield Told({"content": None, "tool_calls": calls})
        yield Told({"content": None, "tool_calls": last}, finish=finish)

    def _usage(self, reply: Reply, shape: MistralShape) -> dict[str, Any]:
        return {
            "prompt_tokens": Slot("prompt"),
            "total_tokens": Slot("total"),
            "completion_tokens": self.output_tokens(reply, shape),
        }

    # -- in one piece ----------------------------------------------------------------------------------------------

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        assert isinstance(shape, MistralShape)
        calls = [_call(number, call, call.arguments) for number, call in enumerate(reply.calls)]
        content: Any = reply.text
        if reply.reasoning:
            content = [_thought("".join(reply.reasoning)), *([_text(reply.text)] if reply.tokens else [])]
        choice = {
            "message": {"role": "assistant", "tool_calls": calls or None, "content": content},
            "finish_reason": self.finish[reply.finish],
            "logprobs": _logprobs(reply.tokens, shape),
        }
        return {
            "id": Slot("id"),
            "object": "chat.completion",
            "created": Slot("created"),
            "model": Slot("model"),
            "choices": [{"index": index, **choice} for index in range(shape.choices)],
            "usage": self._usage(reply, shape),
        }

    # -- errors ----------------------------------------------------------------------------------------------------

    def error_body(self, failure: Failure) -> Any:
        word = self.error_type(failure.type, failure.status)
        answer: dict[str, Any] = {
            "object": "error",
            "message": failure.message,
            "type": word,
            "param": failure.param,
            "code": failure.code or _CODES.get(word),
            "raw_status_code": failure.status,
        }
        if failure.status == _INVALID and failure.param is not None:
            answer |= {"message": {"detail": [_detail(failure, failure.param)]}, "param": None, "code": None}
        return answer

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        status = self.error_status(error.type)
        yield Event(self.error_body(Failure(status, error.message, error.type)), delay_s=STRUCTURE)


def _detail(failure: Failure, param: str) -> dict[str, Any]:
    """What is not valid, in the words of Mistral's validation. Names and indexes in `param` have dots between them."""
    place = [int(name) if name.isdecimal() else name for name in param.split(".")]
    return {"type": failure.code, "loc": ["body", *place], "msg": failure.message}


def _chunk(choice: dict[str, Any], delay_s: float | None, usage: dict[str, Any]) -> Event:
    chunk = {
        "id": Slot("id"),
        "object": "chat.completion.chunk",
        "created": Slot("created"),
        "model": Slot("model"),
        "choices": [choice],
        **usage,
    }
    return Event(chunk, delay_s=delay_s)


def _thought(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [_text(text)]}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _call(number: int, call: Call, arguments: str, name: str | None = None) -> dict[str, Any]:
    function = {"name": call.name if name is None else name, "arguments": arguments}
    return {"id": call_id(number, call), "function": function, "index": number}


def _logprobs(tokens: Sequence[str], shape: MistralShape) -> dict[str, Any] | None:
    """Log probabilities in OpenAI's form, with an ID for each token."""
    if shape.logprobs is None:
        return None

    def numbered(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "token_id": crc32(one["token"].encode()) % _VOCABULARY}

    found = logprobs_of(tokens, shape.logprobs)
    return {"content": [{**numbered(one), "top_logprobs": list(map(numbered, one["top_logprobs"]))} for one in found]}


def _fragments(calls: Sequence[Call]) -> list[list[dict[str, Any]]]:
    """The calls in each chunk: all calls in one chunk if they are whole, otherwise one fragment in each."""
    if all(len(call.fragments) == 1 for call in calls):
        return [[_call(number, call, call.arguments) for number, call in enumerate(calls)]]
    return [
        [_call(number, call, fragment, "" if place else None)]
        for number, call in enumerate(calls)
        for place, fragment in enumerate(call.fragments)
    ]
