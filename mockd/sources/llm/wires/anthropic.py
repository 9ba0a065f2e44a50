"""`anthropic-messages`: Anthropic's Messages, streamed or in one piece.

A message is a list of blocks. Each block is opened, filled by deltas and closed before the next:
https://docs.anthropic.com/en/docs/build-with-claude/streaming.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain, groupby
from typing import Any, NamedTuple

from mockd.clock import rfc3339
from mockd.events import Event, Slot
from mockd.source import Headers
from mockd.sources.llm.replies.params import Citation, Error
from mockd.sources.llm.replies.reply import Reply, place_of
from mockd.sources.llm.requests.ask import Ask, ToolResult, ToolUse, Turn, chat_turns, text_in, text_of
from mockd.sources.llm.requests.options import Calling, Options, Tool, is_asked, most_tokens, objects, stops_in
from mockd.sources.llm.wires.access import ANTHROPIC
from mockd.sources.llm.wires.anthropic_cache import Cached, cached_in, is_marked
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm, Wire, call_id, signature

PING = Event('{"type": "ping"}', type="ping", delay_s=STRUCTURE)
_CALLING: Mapping[str, Calling] = {"any": "required", "tool": "required", "none": "none"}
_OF_THE_SERVER = ("web_search_", "web_fetch_", "code_execution_", "tool_search_", "mcp_toolset", "advisor_")
"""The beginnings of the types of tools that Anthropic runs itself."""
_LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")


class Delta(NamedTuple):
    """A piece of a block, and its delay, which is None if the piece is content."""

    delta: dict[str, Any]
    delay_s: float | None


class Block(NamedTuple):
    """A block of a message: its opening, the deltas that fill it, which are made one by one, and its whole form."""

    opening: dict[str, Any]
    deltas: Iterable[Delta]
    whole: dict[str, Any]


class Anthropic(Wire):
    """Anthropic's Messages."""

    name = "anthropic-messages"
    provider = "anthropic"
    summary = "Anthropic Messages, streamed and in one piece."
    default_model = "claude-mock"
    expresses = frozenset({"reasoning", "toolCalls", "refusal", "citations"})
    finish = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
    error_types = {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        500: "api_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
    required = ("model", "messages", "max_tokens")
    missing = "{}: Field required"
    not_json = "The request body is not valid JSON: unexpected character: line 1 column 1 (char 0)"
    ids = {"id": IdForm("msg_01", 22)}
    call_id = IdForm("toolu_01", 22)
    access = ANTHROPIC
    request_id = (b"request-id", IdForm("req_011", 21))
    common_headers = (
        ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000"),
        *((f"anthropic-ratelimit-{name}-limit", "4000000") for name in _LIMITS),
        *((f"anthropic-ratelimit-{name}-remaining", "3999000") for name in _LIMITS),
    )

    # -- what a request asks ---------------------------------------------------------------------------------------

    def turns(self, ask: Ask) -> Iterator[Turn]:
        """The conversation. The results of tools come in the user's messages."""
        yield Turn("system", text_in(ask.body.get("system")))
        for turn, blocks in _messages(ask.body.get("messages")):
            if results := tuple(_result(block) for block in blocks if _is_result(block)):
                said = text_in([block for block in blocks if not _is_result(block)])
                yield Turn("user", said, results) if said else Turn("tool", turn.text, results)
            elif turn.role == "assistant":
                yield turn._replace(calls=tuple(_uses_in(blocks)))
            else:
                yield turn

    def options(self, ask: Ask) -> Options:
        body, choice = ask.body, ask.part("tool_choice")
        name, word = text_of(choice, "name"), choice.get("type")
        declared = filter(_is_client, objects(body.get("tools")))
        return Options(
            tools=tuple(Tool(tool["name"], tool.get("input_schema")) for tool in declared),
            calling=_CALLING.get(word, "auto") if isinstance(word, str) else "auto",
            only=frozenset((name,)) if word == "tool" and name is not None else None,
            is_parallel=choice.get("disable_parallel_tool_use") is not True,
            max_tokens=most_tokens(body.get("max_tokens")),
            stops=stops_in(body.get("stop_sequences")),
            thinks=is_asked(ask.part("thinking").get("type")),
        )

    def json_schema(self, ask: Ask) -> Any:
        form = ask.part("output_config").get("format") or ask.part("output_format")
        return form.get("schema") if isinstance(form, dict) else None

    def complaint(self, ask: Ask) -> Failure | None:
        if ask.body.get("messages") == []:
            return Failure(400, "messages: at least one message is required", param="messages")
        return super().complaint(ask)

    # -- what differs from stream to stream ------------------------------------------------------------------------

    def shape(self, ask: Ask) -> bool:
        """Whether the request has marks for the cache, so that its usage differs from stream to stream."""
        return is_marked(ask)

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        """The slots of every wire, and `uncached`: the number of the request's tokens without cached ones. With marks
        for the cache, also the numbers of those: `read`, and `written`, for five minutes or for an hour."""
        slots = super().slots(ask, reply, shape)
        cached = cached_in(ask) if shape and not reply.usage.cached_tokens else Cached(reply.usage.cached_tokens)
        slots["uncached"] = b"%d" % max(int(slots["prompt"]) - cached.read - cached.written, 0)
        if shape:
            short, long = (0, cached.written) if cached.for_an_hour else (cached.written, 0)
            numbers = {"read": cached.read, "written": cached.written, "written_5m": short, "written_1h": long}
            slots |= {name: b"%d" % number for name, number in numbers.items()}
        return slots

    def headers_of(self, ask: Ask, slots: Mapping[str, bytes], *, is_stream: bool) -> Headers:
        own = super().headers_of(ask, slots, is_stream=is_stream)
        return (*own, *_resets(int(ask.context.clock.wall()) + 1))

    # -- the stream ------------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield _event({"type": "message_start", "message": self.message(reply, [], None, 1, shape)})
        blocks = list(blocks_of(reply))
        if not blocks:
            yield PING
        for index, block in enumerate(blocks):
            yield _event({"type": "content_block_start", "index": index, "content_block": block.opening})
            if index == 0:
                yield PING
            for delta, delay_s in block.deltas:
                yield _event({"type": "content_block_delta", "index": index, "delta": delta}, delay_s)
            yield _event({"type": "content_block_stop", "index": index})
        usage = usage_of(reply, shape)
        yield _event({"type": "message_delta", "delta": self.ending(reply, self.stop_reason(reply)), "usage": usage})
        yield _event({"type": "message_stop"})

    # -- in one piece ----------------------------------------------------------------------------------------------

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        content = [block.whole for block in blocks_of(reply)]
        return self.message(reply, content, self.stop_reason(reply), reply.output_tokens, shape)

    def message(
        self, reply: Reply, content: list[Any], stop_reason: str | None, output_tokens: int, shape: Hashable
    ) -> dict[str, Any]:
        return {
            "model": Slot("model"),
            "id": Slot("id"),
            "type": "message",
            "role": "assistant",
            "content": content,
            **self.ending(reply, stop_reason),
            "usage": {
                **usage_of(reply, shape),
                "cache_creation": {
                    "ephemeral_5m_input_tokens": Slot("written_5m") if shape else 0,
                    "ephemeral_1h_input_tokens": Slot("written_1h") if shape else 0,
                },
                "output_tokens": output_tokens,
                "service_tier": "standard",
                "inference_geo": "not_available",
            },
        }

    def stop_reason(self, reply: Reply) -> str:
        if reply.stop is not None:
            return "stop_sequence"
        return self.finish["content_filter" if reply.refusal else reply.finish]

    def ending(self, reply: Reply, stop_reason: str | None) -> dict[str, Any]:
        """The fields that say why a message ended, with the text of a refusal."""
        ending: dict[str, Any] = {
            "stop_reason": stop_reason,
            "stop_sequence": reply.stop if stop_reason is not None else None,
        }
        if stop_reason == "refusal":
            ending["stop_details"] = {
                "type": "refusal",
                "category": "cyber" if reply.refusal else None,
                "explanation": "".join(reply.refusal) or None,
                "recommended_model": Slot("model"),
            }
        return ending

    # -- errors ----------------------------------------------------------------------------------------------------

    def limit_reset(self, after_s: float, now: float) -> str:
        return rfc3339(math.ceil(now + after_s))

    def error_body(self, failure: Failure) -> Any:
        error = {"type": self.error_type(failure.type, failure.status), "message": failure.message}
        return {"type": "error", "error": error, "request_id": Slot("request_id")}

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield _event(self.error_body(Failure(500, error.message, error.type)))


def blocks_of(reply: Reply) -> Iterator[Block]:
    """The blocks of a message: reasoning, text and tool calls."""
    if reply.reasoning:
        thoughts = "".join(reply.reasoning)
        proof = signature(thoughts)
        thinking = (Delta({"type": "thinking_delta", "thinking": token}, None) for token in reply.reasoning)
        yield Block(
            {"type": "thinking", "thinking": "", "signature": ""},
            chain(thinking, [Delta({"type": "signature_delta", "signature": proof}, STRUCTURE)]),
            {"type": "thinking", "thinking": thoughts, "signature": proof},
        )
    for citations, tokens in _passages(reply):
        text, sources = "".join(tokens), [_source(citation, reply.text) for citation in citations]
        cited: dict[str, Any] = {"citations": []} if sources else {}
        cites = [Delta({"type": "citations_delta", "citation": source}, STRUCTURE) for source in sources]
        deltas = chain(cites, (Delta({"type": "text_delta", "text": token}, None) for token in tokens))
        whole_citations = {"citations": sources} if sources else {}
        yield Block({**cited, "type": "text", "text": ""}, deltas, {**whole_citations, "type": "text", "text": text})
    for number, call in enumerate(reply.calls):
        fragments = call.fragments if call.input else ()
        # The first delta is empty. A call without arguments has no other.
        first = Delta({"type": "input_json_delta", "partial_json": ""}, STRUCTURE if fragments else None)
        deltas = chain(
            [first], (Delta({"type": "input_json_delta", "partial_json": fragment}, None) for fragment in fragments)
        )
        tool = {"type": "tool_use", "id": call_id(number, call), "name": call.name}
        yield Block({**tool, "input": {}}, deltas, {**tool, "input": call.input})


def usage_of(reply: Reply, shape: Hashable) -> dict[str, Any]:
    """The numbers of tokens of the request and the whole reply."""
    return {
        "input_tokens": Slot("uncached"),
        "cache_creation_input_tokens": Slot("written") if shape else 0,
        "cache_read_input_tokens": Slot("read") if shape else reply.usage.cached_tokens,
        "output_tokens": reply.output_tokens,
    }


def _event(data: dict[str, Any], delay_s: float | None = STRUCTURE) -> Event:
    """An event that has its type both in its event line and in its data."""
    return Event(data, type=data["type"], delay_s=delay_s)


def _passages(reply: Reply) -> Iterator[tuple[tuple[Citation, ...], list[str]]]:
    """The text in passages, each a block of its own with the citations for it."""
    places = [(citation, *place_of(citation, reply.text)) for citation in reply.citations]

    def sources(spot: tuple[str, int]) -> tuple[Citation, ...]:
        token, end = spot
        return tuple(citation for citation, start, stop in places if start < end and end - len(token) < stop)

    spots = zip(reply.tokens, accumulate(map(len, reply.tokens)), strict=True)
    for citations, passage in groupby(spots, sources):
        yield citations, [token for token, _ in passage]


def _source(citation: Citation, text: str) -> dict[str, Any]:
    return {
        "type": "web_search_result_location",
        "cited_text": citation.text or text,
        "url": citation.url,
        "title": citation.title,
        "encrypted_index": signature(citation.url),
    }


def _messages(messages: Any) -> Iterable[tuple[Turn, list[Any]]]:
    """Each message as a turn, with its blocks."""
    listed = [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []
    contents = [message.get("content") for message in listed]
    return zip(chat_turns(listed), [blocks if isinstance(blocks, list) else [] for blocks in contents], strict=True)


def _is_result(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_result"


def _result(block: dict[str, Any]) -> ToolResult:
    return ToolResult(text_in(block.get("content")), text_of(block, "tool_use_id"))


def _uses_in(blocks: list[Any]) -> Iterator[ToolUse]:
    for block in objects(blocks):
        if block.get("type") == "tool_use" and isinstance(block.get("name"), str):
            yield ToolUse(block["name"], text_of(block, "id"))


def _is_client(tool: dict[str, Any]) -> bool:
    """Whether a tool is run by the client. Those that Anthropic runs itself have another type for each version."""
    kind = tool.get("type", "custom")
    return isinstance(tool.get("name"), str) and isinstance(kind, str) and not kind.startswith(_OF_THE_SERVER)


@lru_cache(maxsize=1)
def _resets(at: int) -> Headers:
    """The HTTP headers that say when the rate limits are reset."""
    moment = rfc3339(at).encode()
    return tuple((b"anthropic-ratelimit-%b-reset" % name.encode(), moment) for name in _LIMITS)
