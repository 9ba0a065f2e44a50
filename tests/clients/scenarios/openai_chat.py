"""OpenAI's client on Chat Completions: `create`, in one piece and streamed, and the `stream` helper."""

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

MODEL = "gpt-4.1"
ASK = [{"role": "user", "content": "Say hello, please"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "strict": True, "parameters": PARAMETERS}}]


class City(BaseModel):
    name: str
    people: int
    rivers: list[str]


def _completions(url, reply, retries=0):
    client = openai.OpenAI(base_url=f"{url}/{reply}/v1", api_key="sk-any", max_retries=retries, timeout=20)
    return client.chat.completions


def _whole(url, reply, **asked):
    """The client builds its models without checking them: that is done here."""
    completion = _completions(url, reply).create(model=MODEL, messages=ASK, **asked)
    return ChatCompletion.model_validate(completion.to_dict(mode="json"))


def _streamed(url, reply, **asked):
    stream = _completions(url, reply).create(model=MODEL, messages=ASK, stream=True, **asked)
    return [ChatCompletionChunk.model_validate(chunk.to_dict(mode="json")) for chunk in stream]


def _accumulated(url, reply, **asked):
    with _completions(url, reply).stream(model=MODEL, messages=ASK, **asked) as stream:
        events = [event.type for event in stream if event.type != "chunk"]
        return {"events": events, "completion": stream.get_final_completion()}


def text(url):
    return _streamed(url, "text")


def text_whole(url):
    return _whole(url, "text")


def text_accumulated(url):
    return _accumulated(url, "text")


async def text_async(url):
    async with openai.AsyncOpenAI(base_url=f"{url}/text/v1", api_key="sk-any", timeout=20) as client:
        stream = await client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
        return [chunk.choices[0].delta.content async for chunk in stream]


def tool(url):
    return _streamed(url, "tool", tools=TOOLS)


def tool_whole(url):
    return _whole(url, "tool", tools=TOOLS)


def tools_accumulated(url):
    return _accumulated(url, "tools", tools=TOOLS)


def text_and_tool_accumulated(url):
    return _accumulated(url, "text_and_tool", tools=TOOLS)


def reasoning(url):
    """What OpenAI-compatible servers add, clients find among the extra fields."""
    return [chunk.choices[0].delta.model_extra.get("reasoning_content") for chunk in _streamed(url, "reasoning")]


def reasoning_whole(url):
    return _whole(url, "reasoning").choices[0].message.model_extra["reasoning_content"]


def reasoning_of_openrouter(url):
    return [chunk.choices[0].delta.model_extra for chunk in _streamed(url, "reasoning_of_openrouter")]


def reasoning_of_openrouter_whole(url):
    return _whole(url, "reasoning_of_openrouter").choices[0].message.model_extra


def refusal_accumulated(url):
    return _accumulated(url, "refusal")


def refusal_whole(url):
    return _whole(url, "refusal")


def usage(url):
    return _streamed(url, "usage", stream_options={"include_usage": True})


def usage_whole(url):
    return _whole(url, "usage").usage


def length(url):
    return [chunk.choices[0].finish_reason for chunk in _streamed(url, "length")]


def choices(url):
    return _accumulated(url, "text", n=2)


def logprobs(url):
    return _accumulated(url, "text", logprobs=True, top_logprobs=1)


def structured(url):
    return _completions(url, "nothing").parse(model=MODEL, messages=ASK, response_format=City).choices[0].message


def structured_accumulated(url):
    return _accumulated(url, "nothing", response_format=City)


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
    stream = _completions(url, "too_many", retries=1).create(model=MODEL, messages=ASK, stream=True)
    return [chunk.choices[0].delta.content for chunk in stream]


def unavailable(url):
    return _completions(url, "unavailable", retries=1).create(model=MODEL, messages=ASK)


def down(url):
    try:
        _completions(url, "down").create(model=MODEL, messages=ASK, stream=True)
    except openai.InternalServerError as error:
        return {"status": error.status_code, "body": error.body}


def breaks(url):
    heard = []
    try:
        for chunk in _completions(url, "breaks").create(model=MODEL, messages=ASK, stream=True):
            heard.append(chunk.choices[0].delta.content)
    except openai.APIError as error:
        return {"heard": heard, "error": type(error).__name__, "message": error.message, "body": error.body}
