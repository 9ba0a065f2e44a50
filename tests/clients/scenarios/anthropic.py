"""Anthropic's client on Messages: `create`, in one piece and streamed, and the `stream` helper."""

import anthropic
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

MODEL = "claude-sonnet-4-5"
ASK = [{"role": "user", "content": "Say hello, please"}]
ASKED = {"model": MODEL, "max_tokens": 1024, "messages": ASK}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"name": "get_weather", "description": "The weather", "input_schema": PARAMETERS}]
EVENT = TypeAdapter(RawMessageStreamEvent)


def _messages(url, reply, retries=0):
    return anthropic.Anthropic(base_url=f"{url}/{reply}", api_key="any", max_retries=retries, timeout=20).messages


def _whole(url, reply, **asked):
    """The client builds its models without checking them: that is done here."""
    message = _messages(url, reply).create(**ASKED, **asked)
    return Message.model_validate(message.to_dict(mode="json"))


def _streamed(url, reply, **asked):
    stream = _messages(url, reply).create(**ASKED, stream=True, **asked)
    return [EVENT.validate_python(event.to_dict(mode="json")) for event in stream]


def _accumulated(url, reply, **asked):
    with _messages(url, reply).stream(**ASKED, **asked) as stream:
        events = [event.type for event in stream]
        message = stream.get_final_message()
    return {"events": events, "message": Message.model_validate(message.to_dict(mode="json"))}


def text(url):
    return _streamed(url, "text")


def text_whole(url):
    return _whole(url, "text")


def text_accumulated(url):
    return _accumulated(url, "text")


def text_stream(url):
    with _messages(url, "text").stream(**ASKED) as stream:
        return list(stream.text_stream)


async def text_async(url):
    client = anthropic.AsyncAnthropic(base_url=f"{url}/text", api_key="any", timeout=20)
    async with client, client.messages.stream(**ASKED) as stream:
        return [text async for text in stream.text_stream]


def tool(url):
    return _streamed(url, "tool", tools=TOOLS)


def tool_whole(url):
    return _whole(url, "tool", tools=TOOLS)


def tools_accumulated(url):
    return _accumulated(url, "tools", tools=TOOLS)


def text_and_tool_accumulated(url):
    return _accumulated(url, "text_and_tool", tools=TOOLS)


def no_arguments_accumulated(url):
    return _accumulated(url, "no_arguments", tools=TOOLS)


def agent(url):
    """A tool is called, its result is sent, and the answer comes."""
    messages = _messages(url, "agent")
    call = messages.create(**ASKED, tools=TOOLS)
    result = {"type": "tool_result", "tool_use_id": call.content[0].id, "content": "Sunny"}
    turns = [*ASK, {"role": "assistant", "content": call.content}, {"role": "user", "content": [result]}]
    return messages.create(model=MODEL, max_tokens=1024, messages=turns, tools=TOOLS)


def reasoning(url):
    return _streamed(url, "reasoning", thinking={"type": "enabled", "budget_tokens": 1024})


def reasoning_accumulated(url):
    return _accumulated(url, "reasoning", thinking={"type": "enabled", "budget_tokens": 1024})


def reasoning_whole(url):
    return _whole(url, "reasoning", thinking={"type": "enabled", "budget_tokens": 1024})


def refusal_accumulated(url):
    return _accumulated(url, "refusal")


def refusal_whole(url):
    return _whole(url, "refusal")


def citations_accumulated(url):
    return _accumulated(url, "citations")


def citations_whole(url):
    return _whole(url, "citations")


def usage(url):
    return _streamed(url, "usage")


def usage_whole(url):
    return _whole(url, "usage").usage


def finish_reasons(url):
    return {reason: _accumulated(url, reason)["message"].stop_reason for reason in ("length", "content_filter")}


def too_many_not_retried(url):
    try:
        _whole(url, "too_many_once")
    except anthropic.RateLimitError as error:
        return {
            "body": error.body,
            "request_id": error.request_id,
            "retry_after": error.response.headers["retry-after"],
        }


def too_many(url):
    stream = _messages(url, "too_many", retries=1).create(**ASKED, stream=True)
    return "".join(event.delta.text for event in stream if event.type == "content_block_delta")


def unavailable(url):
    return _messages(url, "unavailable", retries=1).create(**ASKED)


def down(url):
    try:
        _messages(url, "down").create(**ASKED, stream=True)
    except anthropic.InternalServerError as error:
        return {"status": error.status_code, "body": error.body}


def overloaded(url):
    try:
        _whole(url, "overloaded")
    except anthropic.APIStatusError as error:
        return {"status": error.status_code, "error": type(error).__name__, "body": error.body}


def bad_request(url):
    try:
        _messages(url, "strict").create(model=MODEL, max_tokens=1024, messages=[])
    except anthropic.BadRequestError as error:
        return error.body


def breaks(url):
    heard = []
    try:
        for event in _messages(url, "breaks").create(**ASKED, stream=True):
            heard.append(event.type)
    except anthropic.APIStatusError as error:
        return {"heard": heard, "error": type(error).__name__, "body": error.body}


def headers(url):
    raw = _messages(url, "text").with_raw_response.create(**ASKED, stream=True)
    return {"request_id": raw.request_id, "headers": dict(raw.headers)}
