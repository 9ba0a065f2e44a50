"""`openai-chat`: OpenAI's Chat Completions, streamed or in one piece.

The wire is the one that OpenAI's own clients read (first the role, later an empty delta with the finish reason, the
usage if requested, `[DONE]`): https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from msgspec import Meta

from mockd.events import Event, Slot
from mockd.sources.llm.replies.params import Error, ReplyParams
from mockd.sources.llm.replies.reply import Call, Reply, place_of
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.requests.options import PLAIN, Options, choice_in, is_asked, most_tokens, stops_in, tools_in
from mockd.sources.llm.wires.openai import (
    PADDING,
    OpenAIWire,
    logprobs_of,
    name_in,
    schema_in,
    tier_of,
    top_logprobs_of,
)
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm, call_id

MOST_CHOICES = 128
"""The limit of the real service."""


class OpenAIChatParams(ReplyParams, frozen=True, kw_only=True):
    """Parameters of `openai-chat`."""

    finish_reason: Annotated[
        Literal["stop", "length", "tool_calls", "content_filter", "function_call"] | None,
        Meta(description="Reason of the end; by default `tool_calls` if tools are called, else `stop`."),
    ] = None  # type: ignore[assignment]  # one reason more than in `ReplyParams`
    reasoning_key: Annotated[
        Literal["reasoning_content", "reasoning"],
        Meta(
            description="Key of the reasoning: `reasoning_content`, as DeepSeek and vLLM's older servers send it, or "
            "`reasoning`, as OpenRouter, Groq and Ollama do."
        ),
    ] = "reasoning_content"
    include_done: Annotated[bool, Meta(description="Whether the stream ends with `data: [DONE]`.")] = True
    error_form: Annotated[
        Literal["object", "chunk", "event"],
        Meta(
            description="Form of an error in the stream: an object alone, as OpenAI sends it; a chunk that has the "
            "error beside its choices, as OpenRouter sends it; or the object in an event `error`, as Groq sends it."
        ),
    ] = "object"


class ChatShape(NamedTuple):
    """The part of a request that decides which events its stream has."""

    usage: bool = False
    obfuscation: bool = False
    choices: int = 1
    logprobs: int | None = None
    """Number of alternatives for each token, or None without log probabilities."""
    tier: str = "default"


_PLAIN = ChatShape()
_SHAPING = frozenset({"stream_options", "n", "logprobs", "service_tier"})
_ASKING = frozenset({"tools", "functions", "max_tokens", "max_completion_tokens", "stop", "reasoning"})


class OpenAIChat(OpenAIWire):
    """OpenAI's Chat Completions."""

    name = "openai-chat"
    provider = "openai"
    summary = "OpenAI Chat Completions, streamed and in one piece."
    params_type = OpenAIChatParams
    default_model = "gpt-4-mock"
    expresses = frozenset({"reasoning", "toolCalls", "refusal", "citations"})
    has_custom_tools = True
    finish = {word: word for word in ("stop", "length", "tool_calls", "content_filter", "function_call")}
    ids = {"id": IdForm("chatcmpl-", 29)}
    about: ClassVar[Mapping[str, Any]] = {"service_tier": "default", "system_fingerprint": "fp_mockd"}
    """Fields of every chunk and answer about the service that made it."""

    # -- what a request asks ---------------------------------------------------------------------------------------

    def shape(self, ask: Ask) -> ChatShape:
        body = ask.body
        if _SHAPING.isdisjoint(body):  # as most are
            return _PLAIN
        options = ask.part("stream_options")
        choices, logprobs = body.get("n"), body.get("logprobs")
        return ChatShape(
            bool(options.get("include_usage")),
            bool(options.get("include_obfuscation")),
            min(choices, MOST_CHOICES) if isinstance(choices, int) and choices > 0 else 1,
            top_logprobs_of(ask) if logprobs is True else None,
            tier_of(ask),
        )

    def copies(self, shape: Hashable) -> tuple[int, int]:
        assert isinstance(shape, ChatShape)
        return shape.choices, 0 if shape.logprobs is None else 1 + shape.logprobs

    def counts(self, ask: Ask, shape: Hashable) -> bool:
        assert isinstance(shape, ChatShape)
        return shape.usage or not self.streams(ask)

    def output_tokens(self, reply: Reply, shape: Hashable) -> int:
        assert isinstance(shape, ChatShape)
        return reply.output_tokens * shape.choices

    def options(self, ask: Ask) -> Options:
        body = ask.body
        if _ASKING.isdisjoint(body):  # as in most chats
            return PLAIN
        calling, only = choice_in(body.get("tool_choice", body.get("function_call")))
        return Options(
            tools=tools_in(body.get("tools"), has_custom=True) or tools_in(body.get("functions")),
            calling=calling,
            only=only,
            is_parallel=body.get("parallel_tool_calls") is not False,
            max_tokens=most_tokens(body.get("max_completion_tokens"), body.get("max_tokens")),
            stops=stops_in(body.get("stop")),
            thinks=is_asked(ask.part("reasoning").get("effort")),
        )

    def json_schema(self, ask: Ask) -> Any:
        return schema_in(ask.body.get("response_format"), "json_schema")

    def schema_name(self, ask: Ask, schema: Any) -> str | None:
        return name_in(ask.part("response_format").get("json_schema")) or super().schema_name(ask, schema)

    def complaint(self, ask: Ask) -> Failure | None:
        complaint = super().complaint(ask)
        is_model = complaint is not None and complaint.param == "model"
        return Failure(400, "you must provide a model parameter") if is_model else complaint

    # -- the stream ------------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, ChatShape)
        for delta, is_content in self.deltas(reply):
            logprobs = None
            if shape.logprobs is not None and is_content:
                logprobs = _logprobs({part: [token] for part, token in delta.items()}, shape.logprobs)
            for index in range(shape.choices):
                choice = self.choice(index, delta, logprobs=logprobs)
                yield self.chunk(shape, [choice], None if is_content and index == 0 else STRUCTURE)
        for index in range(shape.choices):
            yield self.chunk(shape, [self.choice(index, {}, self.finish[reply.finish])])
        if shape.usage:
            yield self.chunk(shape, [], usage=usage_of(reply, shape))
        if not isinstance(self.params, OpenAIChatParams) or self.params.include_done:
            yield Event("[DONE]", delay_s=STRUCTURE)

    def deltas(self, reply: Reply) -> Iterator[tuple[dict[str, Any], bool]]:
        """The deltas of each choice, and whether each is content."""
        opening: dict[str, Any] = {"role": "assistant", "content": "" if _speaks(reply) else None, "refusal": None}
        opens_with_call = len(reply.calls) == 1 and not reply.tokens and not reply.reasoning
        if opens_with_call:
            opening["tool_calls"] = [_call_start(0, reply.calls[0])]
        yield opening, False
        for token in reply.reasoning:
            yield {self._reasoning_key: token}, True
        for token in reply.tokens:
            yield {"content": token}, True
        if reply.citations:
            yield {"annotations": _annotations(reply)}, False
        for token in reply.refusal:
            yield {"refusal": token}, True
        for number, call in enumerate(reply.calls):
            if not opens_with_call:
                yield {"tool_calls": [_call_start(number, call)]}, False
            for fragment in call.fragments:
                said = {"custom": {"input": fragment}} if call.is_custom else {"function": {"arguments": fragment}}
                yield {"tool_calls": [{"index": number, **said}]}, True

    @property
    def _reasoning_key(self) -> str:
        return self.params.reasoning_key if isinstance(self.params, OpenAIChatParams) else "reasoning_content"

    def choice(
        self, index: int, delta: dict[str, Any], finish: str | None = None, logprobs: Any = None
    ) -> dict[str, Any]:
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}

    def about_in(self, shape: ChatShape) -> dict[str, Any]:
        """The fields about the service, for a request in its tier."""
        return {**self.about, "service_tier": shape.tier} if "service_tier" in self.about else {**self.about}

    def chunk(
        self, shape: ChatShape, choices: list[Any], delay_s: float | None = STRUCTURE, usage: Any = None
    ) -> Event:
        chunk: dict[str, Any] = {
            "id": Slot("id"),
            "object": "chat.completion.chunk",
            "created": Slot("created"),
            "model": Slot("model"),
            **self.about_in(shape),
            "choices": choices,
        }
        if shape.usage:
            chunk["usage"] = usage
        if shape.obfuscation:
            chunk["obfuscation"] = PADDING
        return Event(chunk, delay_s=delay_s)

    # -- in one piece ----------------------------------------------------------------------------------------------

    def whole(self, reply: Reply, shape: Hashable) -> dict[str, Any]:
        assert isinstance(shape, ChatShape)
        return {
            "id": Slot("id"),
            "object": "chat.completion",
            "created": Slot("created"),
            "model": Slot("model"),
            "choices": [self.whole_choice(index, reply, shape) for index in range(shape.choices)],
            "usage": usage_of(reply, shape),
            **self.about_in(shape),
        }

    def whole_choice(self, index: int, reply: Reply, shape: ChatShape) -> dict[str, Any]:
        said = {"refusal": reply.refusal} if reply.refusal else {"content": reply.tokens}
        return {
            "index": index,
            "message": self.message(reply),
            "logprobs": None if shape.logprobs is None else _logprobs(said, shape.logprobs),
            "finish_reason": self.finish[reply.finish],
        }

    def message(self, reply: Reply) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": reply.text if _speaks(reply) else None,
            "refusal": "".join(reply.refusal) or None,
            "annotations": _annotations(reply),
        }
        if reply.reasoning:
            message[self._reasoning_key] = "".join(reply.reasoning)
        if reply.calls:
            message["tool_calls"] = [
                {"id": call_id(number, call), **_called(call, call.arguments)}
                for number, call in enumerate(reply.calls)
            ]
        return message

    # -- errors ----------------------------------------------------------------------------------------------------

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, ChatShape)
        failure = Failure(500, error.message, error.type)
        form = self.params.error_form if isinstance(self.params, OpenAIChatParams) else "object"
        if form == "chunk":
            said = {"code": self.error_type(failure.type, failure.status), "message": failure.message}
            chunk = self.chunk(shape, [self.choice(0, {"content": ""}, "error")])
            yield chunk._replace(data={**chunk.data, "error": said})
        else:
            yield Event(self.error_body(failure), type="error" if form == "event" else None, delay_s=STRUCTURE)


def _speaks(reply: Reply) -> bool:
    """Whether the reply's message has content, even if empty."""
    return bool(reply.tokens) or not (reply.calls or reply.refusal)


def _call_start(number: int, call: Call) -> dict[str, Any]:
    return {"index": number, "id": call_id(number, call), **_called(call, "")}


def _called(call: Call, arguments: str) -> dict[str, Any]:
    """The tool that is called, and what of its arguments is given."""
    if call.is_custom:
        return {"type": "custom", "custom": {"name": call.name, "input": arguments}}
    return {"type": "function", "function": {"name": call.name, "arguments": arguments}}


def _annotations(reply: Reply) -> list[dict[str, Any]]:
    found = []
    for citation in reply.citations:
        start, end = place_of(citation, reply.text)
        place = {"start_index": start, "end_index": end, "url": citation.url, "title": citation.title}
        found.append({"type": "url_citation", "url_citation": place})
    return found


def _logprobs(said: Mapping[str, Any], top: int) -> dict[str, Any] | None:
    """The log probabilities of a delta or a message, or None if it has no text."""
    parts = ("content", "refusal")
    if not any(part in said for part in parts):
        return None
    return {part: logprobs_of(said[part], top) if part in said else None for part in parts}


def usage_of(reply: Reply, shape: ChatShape) -> dict[str, Any]:
    """The numbers of tokens as OpenAI counts them: the tokens of every choice count."""
    return {
        "prompt_tokens": Slot("prompt"),
        "completion_tokens": reply.output_tokens * shape.choices,
        "total_tokens": Slot("total"),
        "prompt_tokens_details": {"cached_tokens": reply.usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reply.reasoning_tokens * shape.choices,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
