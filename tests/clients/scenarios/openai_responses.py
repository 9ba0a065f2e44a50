"""OpenAI's client on Responses: `create`, in one piece and streamed, and the `stream` helper."""

import openai
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

MODEL = "gpt-4.1"
ASK = "Say hello, please"
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "name": "get_weather", "strict": True, "parameters": PARAMETERS}]
ASKED = {
    "instructions": "Be polite.",
    "temperature": 0.5,
    "max_output_tokens": 99,
    "metadata": {"team": "blue"},
    "reasoning": {"effort": "high", "summary": "detailed"},
    "tools": TOOLS,
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "user": "someone",
}
EVENT = TypeAdapter(ResponseStreamEvent)


class City(BaseModel):
    name: str
    people: int


def _responses(url, reply, retries=0):
    return openai.OpenAI(base_url=f"{url}/{reply}/v1", api_key="sk-any", max_retries=retries, timeout=20).responses


def _whole(url, reply, **asked):
    """The client builds its models without checking them: that is done here."""
    response = _responses(url, reply).create(model=MODEL, input=ASK, **asked)
    return Response.model_validate(response.to_dict(mode="json"))


def _streamed(url, reply, **asked):
    stream = _responses(url, reply).create(model=MODEL, input=ASK, stream=True, **asked)
    return [EVENT.validate_python(event.to_dict(mode="json")) for event in stream]


def _accumulated(url, reply, **asked):
    with _responses(url, reply).stream(model=MODEL, input=ASK, **asked) as stream:
        types = [event.type for event in stream]
        response = stream.get_final_response()
        return {"types": types, "text": response.output_text, "response": response.to_dict(mode="json")}


def _dumped(events):
    return [event.to_dict(mode="json") for event in events]


def text(url):
    return _dumped(_streamed(url, "text"))


def text_whole(url):
    return _whole(url, "text").to_dict(mode="json") | {"output_text": _whole(url, "text").output_text}


def text_accumulated(url):
    return _accumulated(url, "text")


async def text_async(url):
    async with openai.AsyncOpenAI(base_url=f"{url}/text/v1", api_key="sk-any", timeout=20) as client:
        stream = await client.responses.create(model=MODEL, input=ASK, stream=True)
        return [event.delta async for event in stream if event.type == "response.output_text.delta"]


def asked(url):
    """What is asked for is said again by the response."""
    first, *_ = _streamed(url, "text", **ASKED)
    return first.response.to_dict(mode="json")


def tool(url):
    return _dumped(_streamed(url, "tool", tools=TOOLS))


def tool_accumulated(url):
    return _accumulated(url, "tool", tools=TOOLS)


def tool_whole(url):
    return _whole(url, "tool", tools=TOOLS).to_dict(mode="json")


def tools_accumulated(url):
    return _accumulated(url, "tools")


def text_and_tool(url):
    return [(item.type, item.status) for item in _whole(url, "text_and_tool").output]


def agent(url):
    """A call, and its result: items of one conversation."""
    items = [{"role": "user", "content": [{"type": "input_text", "text": ASK}]}]
    called = _responses(url, "agent").create(model=MODEL, input=items, tools=TOOLS)
    [call] = called.output
    items += [call, {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
    return {
        "call": call.name,
        "said": _responses(url, "agent").create(model=MODEL, input=items, tools=TOOLS).output_text,
    }


def reasoning(url):
    return _dumped(_streamed(url, "reasoning", include=["reasoning.encrypted_content"]))


def reasoning_whole(url):
    return _whole(url, "reasoning").output


def refusal(url):
    return _dumped(_streamed(url, "refusal"))


def refusal_accumulated(url):
    return _accumulated(url, "refusal")


def citations(url):
    return _dumped(_streamed(url, "citations"))


def usage(url):
    return _whole(url, "usage").usage


def usage_streamed(url):
    return _accumulated(url, "usage")["response"]["usage"]


def length(url):
    *_, last = _streamed(url, "length")
    return {"type": last.type, "response": last.response.to_dict(mode="json")}


def length_whole(url):
    return _whole(url, "length").to_dict(mode="json")


def filtered(url):
    *_, last = _streamed(url, "filtered")
    return {"type": last.type, "reason": last.response.incomplete_details.reason}


def parsed(url):
    """A reply without content of its own is valid against the schema that is asked for."""
    return _responses(url, "open").parse(model=MODEL, input=ASK, text_format=City).output_parsed


def logprobs(url):
    events = _streamed(url, "text", include=["message.output_text.logprobs"], top_logprobs=2)
    return [
        (event.delta, [[top.token for top in one.top_logprobs] for one in event.logprobs])
        for event in events
        if event.type == "response.output_text.delta"
    ]


def obfuscation(url):
    def paddings(**asked):
        return [
            getattr(event, "obfuscation", None) for event in _streamed(url, "text", **asked) if "delta" in event.type
        ]

    return {"asked": paddings(stream_options={"include_obfuscation": True}), "not_asked": paddings()}


def too_many_not_retried(url):
    try:
        _whole(url, "too_many_once")
    except openai.RateLimitError as error:
        return {
            "body": error.body,
            "request_id": error.request_id,
            "retry_after": error.response.headers["retry-after"],
            "retry_after_ms": error.response.headers["retry-after-ms"],
        }


def too_many(url):
    stream = _responses(url, "too_many", retries=1).create(model=MODEL, input=ASK, stream=True)
    return [event.delta for event in stream if event.type == "response.output_text.delta"]


def unavailable(url):
    return _responses(url, "unavailable", retries=1).create(model=MODEL, input=ASK).output_text


def strict(url):
    try:
        _responses(url, "strict").create(model=MODEL)
    except openai.BadRequestError as error:
        return error.body


def breaks(url):
    heard = []
    try:
        for event in _responses(url, "breaks").create(model=MODEL, input=ASK, stream=True):
            heard.append(event.type)
    except openai.APIError as error:
        return {"heard": heard, "error": type(error).__name__, "message": error.message, "body": error.body}


def breaks_flat(url):
    """In the form of the client's types an error is an event like others."""
    return _dumped(_streamed(url, "breaks_flat")[-2:])
