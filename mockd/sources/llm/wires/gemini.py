"""`gemini`: Google's Gemini API, `streamGenerateContent` and `generateContent`.

The path names the model and the method: https://ai.google.dev/api/generate-content. With `?alt=sse`, a stream is
Server-Sent Events; without it, a JSON array that is sent piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from mockd.events import Event, Fill, Hole, Slot
from mockd.jsontext import encode_json
from mockd.source import Headers
from mockd.sources.llm.budget import refuse_large_schema
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.replies.reply import Call, Reply, place_of
from mockd.sources.llm.requests.ask import Ask, ToolResult, ToolUse, Turn, text_in, text_of
from mockd.sources.llm.requests.options import Calling, Options, Tool, most_tokens, names_of, stops_in
from mockd.sources.llm.wires.access import GOOGLE
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm, Wire, signature

_CALLING: Mapping[str, Calling] = {"ANY": "required", "NONE": "none"}
_MOST_CANDIDATES = 8
"""The limit of the real service."""
_JSON = ((b"content-type", b"application/json; charset=UTF-8"),)
_ATTACHMENT = ((b"content-disposition", b"attachment"),)
_ERROR_DELAY_S = 0.05
_SIZES = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_MOST_DIGITS = 18


class GeminiShape(NamedTuple):
    """The part of a request that decides which events its stream has."""

    is_sse: bool = True
    candidates: int = 1
    has_thoughts: bool = True


class Piece(NamedTuple):
    """A part of a candidate's content, and the numbers of thought tokens and text tokens up to it."""

    part: dict[str, Any]
    thought: int
    said: int


@dataclass(frozen=True, slots=True)
class AfterPrompt(Hole):
    """The number of the request's tokens plus `more`."""

    more: int

    def text(self, fill: Fill) -> str:
        return str(int(fill.slots["prompt"]) + self.more)


class Gemini(Wire):
    """Google's Gemini API."""

    name = "gemini"
    provider = "gemini"
    summary = "Google Gemini, streamed (as SSE or as a JSON array) and in one piece."
    default_model = "gemini-mock"
    expresses = frozenset({"reasoning", "toolCalls", "refusal", "citations"})
    finish = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
    error_types = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        409: "ABORTED",
        429: "RESOURCE_EXHAUSTED",
        499: "CANCELLED",
        500: "INTERNAL",
        501: "UNIMPLEMENTED",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
    required = ("contents",)
    missing = "* GenerateContentRequest.{0}: {0} is not specified\n"
    not_json = "Invalid JSON payload received. Unexpected token."
    ids = {"id": IdForm("", 22)}
    access = GOOGLE
    headers = ()
    common_headers = (("server-timing", "gfet4t7; dur=120"), ("vary", "Origin, X-Origin, Referer"))

    # -- what a request asks ---------------------------------------------------------------------------------------

    def streams(self, ask: Ask) -> bool:
        """Whether the method is a streaming one. A path without a method gets a stream."""
        return _target(ask)[1] in (None, "streamGenerateContent")

    def model(self, ask: Ask) -> str | None:
        return _target(ask)[0]

    def turns(self, ask: Ask) -> Iterator[Turn]:
        yield Turn("system", text_in(_get(ask.body, "systemInstruction")))
        for content in _objects(ask.body.get("contents")):
            text = text_in(content)
            parts = _objects(content.get("parts"))
            if content.get("role") == "model":
                calls = (ToolUse(name, id) for name, id, _ in _named(parts, "functionCall"))
                yield Turn("assistant", text, calls=tuple(calls))
                continue
            results = tuple(
                ToolResult(encode_json(_get(one, "response")).decode(), id, name)
                for name, id, one in _named(parts, "functionResponse")
            )
            yield Turn("tool" if results and not text else "user", text, results)

    def options(self, ask: Ask) -> Options:
        config, tools = _get(ask.body, "generationConfig"), _objects(_get(ask.body, "tools"))
        declared = [one for tool in tools for one in _objects(_get(tool, "functionDeclarations"))]
        calling = _get(_get(ask.body, "toolConfig"), "functionCallingConfig")
        mode, names = _get(calling, "mode"), _get(calling, "allowedFunctionNames")
        return Options(
            tools=tuple(Tool(one["name"], _parameters(one)) for one in declared if isinstance(one.get("name"), str)),
            calling=_CALLING.get(mode, "auto") if isinstance(mode, str) else "auto",
            only=frozenset(stops_in(names)) if mode == "ANY" and names else None,
            max_tokens=most_tokens(_number(_get(config, "maxOutputTokens"))),
            stops=stops_in(_get(config, "stopSequences")),
            thinks=_get(_get(config, "thinkingConfig"), "includeThoughts") is True,
        )

    def declared(self, ask: Ask) -> list[str]:
        found: list[str] = []
        for tool in _objects(_get(ask.body, "tools")):
            functions = _objects(_get(tool, "functionDeclarations"))
            found += names_of(functions) if functions else tool
        return found

    def tool_schema(self, tool: Tool) -> Any:
        return json_schema(tool.schema)

    def shape(self, ask: Ask) -> GeminiShape:
        config = _get(ask.body, "generationConfig")
        asked, thinking = _number(_get(config, "candidateCount")), _get(config, "thinkingConfig")
        return GeminiShape(
            "sse" in ask.request.query.get("alt", ()) or _target(ask)[1] is None,
            min(asked, _MOST_CANDIDATES) if isinstance(asked, int) and asked > 0 else 1,
            _get(thinking, "includeThoughts") is not False,
        )

    def copies(self, shape: Hashable) -> tuple[int, int]:
        assert isinstance(shape, GeminiShape)
        return shape.candidates, 0

    def json_schema(self, ask: Ask) -> Any:
        config = _get(ask.body, "generationConfig")
        if isinstance(schema := _get(config, "responseJsonSchema"), dict):
            return schema
        if isinstance(schema := _get(config, "responseSchema"), dict):
            refuse_large_schema(encode_json(schema))
            return json_schema(schema)
        return {"type": "object"} if _get(config, "responseMimeType") == "application/json" else None

    def writes_json(self, ask: Ask) -> bool:
        asked: object = _get(_get(ask.body, "generationConfig"), "responseMimeType")
        return asked != "text/x.enum"

    # -- what differs from stream to stream ------------------------------------------------------------------------

    def headers_of(self, ask: Ask, slots: Mapping[str, bytes], *, is_stream: bool) -> Headers:
        if not is_stream:
            return _JSON
        return _ATTACHMENT if self.shape(ask).is_sse else ()

    # -- the stream ------------------------------------------------------------------------------------------------

    def framing(self, shape: Hashable) -> str:
        assert isinstance(shape, GeminiShape)
        return "sse-crlf" if shape.is_sse else "json-array"

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, GeminiShape)
        if reply.refusal:
            yield Event(blocked(reply), delay_s=STRUCTURE)
            return
        for piece in pieces_of(reply, shape):
            yield Event(answer(shape, [piece.part], usage_of(reply, shape, piece)))
        yield Event(self.last(reply, shape), delay_s=STRUCTURE)

    def last(self, reply: Reply, shape: GeminiShape) -> dict[str, Any]:
        part = {"text": ""} if reply.calls else {"text": "", **_proof(reply)}
        return answer(shape, [part], usage_of(reply, shape), self.ending(reply))

    # -- in one piece ----------------------------------------------------------------------------------------------

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        assert isinstance(shape, GeminiShape)
        if reply.refusal:
            return blocked(reply)
        parts: list[dict[str, Any]] = []
        if reply.reasoning and shape.has_thoughts:
            parts.append({"text": "".join(reply.reasoning), "thought": True})
        if reply.tokens or not reply.calls:
            parts.append({"text": reply.text, **({} if reply.calls else _proof(reply))})
        parts += _calls(reply)
        return answer(shape, parts, usage_of(reply, shape), self.ending(reply))

    def ending(self, reply: Reply) -> dict[str, Any]:
        """The fields of a candidate that is complete."""
        grounding = {"groundingMetadata": _grounding(reply)} if reply.citations else {}
        return {"finishReason": self.finish[reply.finish], **grounding}

    # -- errors ----------------------------------------------------------------------------------------------------

    def error_body(self, failure: Failure) -> Any:
        status = self.error_type(failure.type, failure.status)
        error: dict[str, Any] = {"code": failure.status, "message": failure.message, "status": status}
        if failure.retry_after is not None:
            retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{failure.retry_after:g}s"}
            error["details"] = [retry]
        return {"error": error}

    def error_answer(self, failure: Failure, ask: Ask) -> Any:
        body = self.error_body(failure)
        return [body] if self.streams(ask) and not self.shape(ask).is_sse else body

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        """The error as plain JSON, without framing even in an SSE stream. It is sent after a delay, as Google's client
        for JavaScript misses an error that it reads together with an event."""
        assert isinstance(shape, GeminiShape)
        body = self.error_body(Failure(self.error_status(error.type), error.message, error.type))
        event = Event(raw=encode_json(body) + b"\n") if shape.is_sse else Event(body)
        yield event._replace(delay_s=_ERROR_DELAY_S if sent else STRUCTURE)


def pieces_of(reply: Reply, shape: GeminiShape) -> Iterator[Piece]:
    """The parts of the content one by one: thought tokens, text tokens, and whole calls."""
    for number, token in enumerate(reply.reasoning if shape.has_thoughts else (), 1):
        yield Piece({"text": token, "thought": True}, min(number, reply.reasoning_tokens), 0)
    parts: Iterator[tuple[dict[str, Any], int]] = (({"text": token}, 1) for token in reply.tokens)
    sizes = [len(call.fragments) for call in reply.calls]
    said = 0
    for part, size in chain(parts, zip(_calls(reply), sizes, strict=True)):
        said = min(said + size, _said(reply))
        yield Piece(part, reply.reasoning_tokens, said)


def answer(
    shape: GeminiShape, parts: list[dict[str, Any]], usage: dict[str, Any], ending: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A response with the same parts for every candidate."""
    content = {"parts": parts, "role": "model"}
    candidates = [{"content": content, **(ending or {}), "index": index} for index in range(shape.candidates)]
    return {"candidates": candidates, **_envelope(usage)}


def blocked(reply: Reply) -> dict[str, Any]:
    """The response to a prompt that is refused, which has no candidates."""
    feedback = {"blockReason": "SAFETY", "blockReasonMessage": "".join(reply.refusal)}
    return {"promptFeedback": feedback, **_envelope(_tokens(reply, 0, 0))}


def usage_of(reply: Reply, shape: GeminiShape, piece: Piece | None = None) -> dict[str, Any]:
    """The numbers of tokens up to a piece, or of the whole reply. Text tokens count once for every candidate."""
    thought, said = (reply.reasoning_tokens, _said(reply)) if piece is None else (piece.thought, piece.said)
    return _tokens(reply, thought, said * shape.candidates)


def _envelope(usage: dict[str, Any]) -> dict[str, Any]:
    return {"usageMetadata": usage, "modelVersion": Slot("model"), "responseId": Slot("id")}


def _tokens(reply: Reply, thought: int, said: int) -> dict[str, Any]:
    """The numbers of tokens. A number that is 0 is left out."""
    numbers = {"candidatesTokenCount": said, "cachedContentTokenCount": reply.usage.cached_tokens}
    return {
        "promptTokenCount": Slot("prompt"),
        **{name: number for name, number in numbers.items() if number},
        "totalTokenCount": AfterPrompt(thought + said),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": Slot("prompt")}],
        **({"thoughtsTokenCount": thought} if thought else {}),
    }


def _said(reply: Reply) -> int:
    return max(reply.output_tokens - reply.reasoning_tokens, 0)


def _proof(reply: Reply) -> dict[str, str]:
    return {"thoughtSignature": signature("".join(reply.reasoning))} if reply.reasoning else {}


def _calls(reply: Reply) -> list[dict[str, Any]]:
    """The calls as parts. The first one has the signature of the reasoning."""
    proofs = [_proof(reply)] + [{}] * len(reply.calls)
    return [{"functionCall": _call(call), **proof} for call, proof in zip(reply.calls, proofs, strict=False)]


def _call(call: Call) -> dict[str, Any]:
    return {**({"id": call.id} if call.id else {}), "name": call.name, "args": call.input}


def _grounding(reply: Reply) -> dict[str, Any]:
    """The sources of the text. Positions count bytes of UTF-8, and a start of 0 is left out."""
    supports = []
    for index, citation in enumerate(reply.citations):
        start, end = place_of(citation, reply.text)
        first, last = (len(reply.text[:place].encode()) for place in (start, end))
        segment = {**({"startIndex": first} if first else {}), "endIndex": last, "text": reply.text[start:end]}
        supports.append({"segment": segment, "groundingChunkIndices": [index]})
    return {
        "groundingChunks": [{"web": {"uri": citation.url, "title": citation.title}} for citation in reply.citations],
        "groundingSupports": supports,
        "webSearchQueries": [],
    }


def _target(ask: Ask) -> tuple[str | None, str | None]:
    """The model and the method at the end of a path, as in `/v1beta/models/gemini-2.5-flash:generateContent`."""
    model, colon, method = ask.request.path.rpartition("/")[2].rpartition(":")
    return (model or None, method) if colon else (None, None)


def _objects(values: Any) -> list[dict[str, Any]]:
    """The objects in a list, or a single object as a list."""
    return [value for value in (values if isinstance(values, list) else [values]) if isinstance(value, dict)]


def _named(parts: list[dict[str, Any]], kind: str) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """The calls among parts, or the results: of each the name of the tool, the ID of the call, and all of it."""
    for part in parts:
        if isinstance(found := _get(part, kind), dict) and isinstance(found.get("name"), str):
            yield found["name"], text_of(found, "id"), found


def _parameters(declared: dict[str, Any]) -> Any:
    schema = _get(declared, "parametersJsonSchema")
    return _get(declared, "parameters") or {} if schema is None else schema


def _get(part: Any, name: str) -> Any:
    """A field of an object by its name in camelCase or, as protobuf's JSON allows, in snake_case."""
    return part.get(name, part.get(_snake(name))) if isinstance(part, dict) else None


@lru_cache
def _snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


def json_schema(schema: Any) -> Any:
    """The JSON Schema of a schema from Google's clients, who may write names in snake_case and sizes as text."""
    if isinstance(schema, list):
        return [json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted: dict[str, Any] = {}
    for name, value in schema.items():
        name = re.sub("_([a-z])", lambda letter: letter[1].upper(), name)
        if name == "properties" and isinstance(value, dict):
            converted[name] = {key: json_schema(item) for key, item in value.items()}
        elif name in _SIZES and isinstance(value, str):
            converted[name] = _number(value)
        else:
            converted[name] = json_schema(value)
    return converted


def _number(value: Any) -> Any:
    """A number that may be written in digits, as protobuf's JSON allows it."""
    return int(value) if isinstance(value, str) and len(value) <= _MOST_DIGITS and value.isdecimal() else value
