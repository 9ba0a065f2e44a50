"""`cohere-chat-v1`: Cohere's Chat, version 1, as lines of JSON or in one piece:
https://docs.cohere.com/v1/reference/chat-stream.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, ClassVar, Literal

from mockd.events import Event, Slot
from mockd.jsontext import encode_json
from mockd.sources.llm.budget import LONGEST_TEXT, Refused
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.replies.reply import Call, Reply, place_of
from mockd.sources.llm.requests.ask import Ask, ToolResult, ToolUse, Turn, text_in, text_of
from mockd.sources.llm.requests.options import Options, Tool, child, most_tokens, objects, stops_in
from mockd.sources.llm.wires.cohere_chat import CohereChat, CohereShape
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, UuidForm

_ROLES = {"CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool"}
_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "tuple": "array",
    "set": "array",
    "dict": "object",
    "none": "null",
}
"""The JSON types of Python's types, which the parameters of tools have. JSON's own names are known too."""
_LONGEST_TYPE = 1000
"""Most characters of a type. Each level of a nested one goes through the rest of it."""
_TYPE = re.compile(r"(?:typing\.)?(\w+)(?:\[(.*)\])?", re.DOTALL)


class CohereChatV1(CohereChat):
    """Cohere's Chat, version 1."""

    name = "cohere-chat-v1"
    summary = "Cohere Chat v1, as NDJSON and in one piece."
    part: ClassVar[Literal["sse", "chunked"]] = "chunked"
    expresses = frozenset({"toolCalls", "citations"})
    finish = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "COMPLETE"}
    required = ("message",)
    ids = {"id": UuidForm(), "response_id": UuidForm()}
    headers = ((b"content-type", b"application/stream+json"),)

    # -- what a request asks ---------------------------------------------------------------------------------------

    def complaint(self, ask: Ask) -> Failure | None:
        """The error of every wire, but that results of tools may come without a message."""
        return None if ask.body.get("tool_results") else super().complaint(ask)

    def turns(self, ask: Ask) -> Iterator[Turn]:
        """The history, the message, and the results of tools. They may come with the message that they are for, or
        without one, after the calls in the history."""
        yield Turn("system", ask.text("preamble") or "")
        last = None
        for message in objects(ask.body.get("chat_history")):
            yield (last := _turn(message))
        results = objects(ask.body.get("tool_results"))
        said = ask.text("message")
        if said or not results:
            yield (last := Turn("user", said or ""))
        if results:
            if last is None or not last.calls:
                yield Turn("assistant", "", calls=_uses([child(result, "call") for result in results]))
            yield _tool_turn(results)

    def options(self, ask: Ask) -> Options:
        """What the request asks. With `force_single_step` there is one step of calls, and after it an answer."""
        body = ask.body
        is_answered = body.get("force_single_step") is True and bool(body.get("tool_results"))
        return Options(
            tools=tuple(
                Tool(tool["name"], tool.get("parameter_definitions", {}))
                for tool in objects(body.get("tools"))
                if isinstance(tool.get("name"), str)
            ),
            calling="none" if is_answered else "auto",
            max_tokens=most_tokens(body.get("max_tokens")),
            stops=stops_in(body.get("stop_sequences")),
        )

    def tool_schema(self, tool: Tool) -> Any:
        """The JSON schema of parameters that are described by types of Python. Raises `Refused`."""
        parameters = tool.schema if isinstance(tool.schema, dict) else {}
        described = {name: one for name, one in parameters.items() if isinstance(one, dict)}
        return {
            "type": "object",
            "properties": {name: _schema(one.get("type")) for name, one in described.items()},
            "required": [name for name, one in described.items() if one.get("required") is True],
        }

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        """The slots of every wire, and `history` with the conversation up to this reply, as clients send it back."""
        slots = super().slots(ask, reply, shape)
        calls = {"tool_calls": list(map(_call, reply.calls))} if reply.calls else {}
        history = [*objects(ask.body.get("chat_history"))]
        if message := ask.text("message"):
            history.append({"role": "USER", "message": message})
        if results := objects(ask.body.get("tool_results")):
            history.append({"role": "TOOL", "tool_results": results})
        slots["history"] = encode_json([*history, {"role": "CHATBOT", "message": reply.text, **calls}])
        if len(slots["history"]) > LONGEST_TEXT:
            raise Refused(f"The conversation has more than {LONGEST_TEXT} characters; mockd repeats no more.")
        return slots

    def shape(self, ask: Ask) -> CohereShape:
        return CohereShape()

    # -- the stream ------------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield _line("stream-start", generation_id=Slot("id"))
        for token in reply.tokens:
            yield _line("text-generation", None, text=token)
        if reply.citations:
            yield _line("citation-generation", citations=_citations(reply))
        for number, call in enumerate(reply.calls):
            yield _line("tool-calls-chunk", tool_call_delta={"name": call.name, "index": number})
            for fragment in call.fragments:
                yield _line("tool-calls-chunk", None, tool_call_delta={"index": number, "parameters": fragment})
        if reply.calls:
            yield _line("tool-calls-generation", tool_calls=list(map(_call, reply.calls)))
        yield self._end(self.finish[reply.finish], response=self.whole(reply, shape))

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield self._end("ERROR", error=error.message, response={"text": "", "generation_id": Slot("id")})

    def _end(self, finish: str, **more: Any) -> Event:
        return Event(
            {"is_finished": True, "event_type": "stream-end", "finish_reason": finish, **more}, delay_s=STRUCTURE
        )

    # -- in one piece ----------------------------------------------------------------------------------------------

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        tokens = {"input_tokens": Slot("prompt"), "output_tokens": reply.output_tokens}
        return {
            "response_id": Slot("response_id"),
            "generation_id": Slot("id"),
            "text": reply.text,
            "chat_history": Slot("history"),
            "finish_reason": self.finish[reply.finish],
            **({"citations": _citations(reply)} if reply.citations else {}),
            **({"documents": _documents(reply)} if reply.citations else {}),
            **({"tool_calls": list(map(_call, reply.calls))} if reply.calls else {}),
            "meta": {"api_version": {"version": "1"}, "billed_units": tokens, "tokens": tokens},
        }


def _turn(message: dict[str, Any]) -> Turn:
    """One message of the history."""
    role = _ROLES.get(str(message.get("role")).upper(), "user")
    if role == "tool" and (results := objects(message.get("tool_results"))):
        return _tool_turn(results)
    text = text_in(message.get("message"))
    calls = _uses(objects(message.get("tool_calls"))) if role == "assistant" else ()
    return Turn(role, text, (ToolResult(text),) if role == "tool" else (), calls)


def _uses(calls: Sequence[dict[str, Any]]) -> tuple[ToolUse, ...]:
    return tuple(ToolUse(call["name"]) for call in calls if isinstance(call.get("name"), str))


def _tool_turn(results: Sequence[dict[str, Any]]) -> Turn:
    """The results of tools, each with its call."""
    found = [
        ToolResult(encode_json(result.get("outputs")).decode(), name=text_of(child(result, "call"), "name"))
        for result in results
    ]
    return Turn("tool", " ".join(result.text for result in found), tuple(found))


def _schema(type: Any) -> dict[str, Any]:
    """The JSON schema of a type of Python, such as `List[str]`; of an unknown one, the schema of a text. Raises
    `Refused`."""
    if isinstance(type, str) and len(type) > _LONGEST_TYPE:
        raise Refused(f"A type in `parameter_definitions` has more than {_LONGEST_TYPE} characters.")
    found = _TYPE.fullmatch(type.strip()) if isinstance(type, str) else None
    if found is None:
        return {"type": "string"}
    name, inner = found[1].lower(), found[2]
    if name == "optional" and inner:
        return _schema(inner)
    kind = name if name in _TYPES.values() else _TYPES.get(name, _TYPES["str"])
    return {"type": kind, "items": _schema(inner)} if kind == "array" and inner else {"type": kind}


def _line(type: str, delay_s: float | None = STRUCTURE, **fields: Any) -> Event:
    return Event({"is_finished": False, "event_type": type, **fields}, delay_s=delay_s)


def _call(call: Call) -> dict[str, Any]:
    return {"name": call.name, "parameters": call.input}


def _citations(reply: Reply) -> list[dict[str, Any]]:
    found = []
    for number, citation in enumerate(reply.citations):
        start, end = place_of(citation, reply.text)
        found.append({"start": start, "end": end, "text": reply.text[start:end], "document_ids": [f"doc_{number}"]})
    return found


def _documents(reply: Reply) -> list[dict[str, Any]]:
    return [
        {"id": f"doc_{number}", "title": citation.title, "url": citation.url}
        for number, citation in enumerate(reply.citations)
    ]
