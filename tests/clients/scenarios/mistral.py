"""Mistral's client on Chat Completions: `complete` and `stream`."""

from mistralai.client import Mistral
from mistralai.client.errors import ResponseValidationError, SDKError
from mistralai.client.utils import BackoffStrategy, RetryConfig

MODEL = "mistral-small-latest"
ASK = [{"role": "user", "content": "Say hello, please"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]
CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
FORM = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
RETRIES = RetryConfig("backoff", BackoffStrategy(1, 50, 1.5, 5000), retry_connection_errors=False)


def _chat(url, reply):
    return Mistral(api_key="any", server_url=f"{url}/{reply}", timeout_ms=20_000).chat


def _whole(url, reply, **asked):
    return _chat(url, reply).complete(model=MODEL, messages=ASK, **asked)


def _streamed(url, reply, **asked):
    with _chat(url, reply).stream(model=MODEL, messages=ASK, **asked) as stream:
        return [event.data for event in stream]


def _dumped(chunks):
    return [chunk.model_dump(mode="json") for chunk in chunks]


def text(url):
    return _dumped(_streamed(url, "text"))


def text_whole(url):
    return _whole(url, "text").model_dump(mode="json")


async def text_async(url):
    client = Mistral(api_key="any", server_url=f"{url}/text", timeout_ms=20_000)
    async with await client.chat.stream_async(model=MODEL, messages=ASK) as stream:
        return [event.data.choices[0].delta.content async for event in stream]


def tool(url):
    return _dumped(_streamed(url, "call", tools=TOOLS))


def tool_in_fragments(url):
    return _dumped(_streamed(url, "tool", tools=TOOLS))


def tool_whole(url):
    return _whole(url, "call", tools=TOOLS).choices[0].model_dump(mode="json")


def tools(url):
    return _dumped(_streamed(url, "calls", tools=TOOLS))


def text_and_tool(url):
    return _dumped(_streamed(url, "text_and_call", tools=TOOLS))


def agent(url):
    """A call, and its result."""
    chat = _chat(url, "agent")
    called = chat.complete(model=MODEL, messages=ASK, tools=TOOLS).choices[0].message
    [call] = called.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": "sunny"}
    return chat.complete(model=MODEL, messages=[*ASK, called, result]).choices[0].message.content


def reasoning(url):
    return _dumped(_streamed(url, "reasoning"))


def reasoning_whole(url):
    return _whole(url, "reasoning").choices[0].message.model_dump(mode="json")


def usage(url):
    return [chunk.usage and chunk.usage.model_dump(mode="json") for chunk in _streamed(url, "usage")]


def usage_whole(url):
    return _whole(url, "usage").usage.model_dump(mode="json")


def length(url):
    return [chunk.choices[0].finish_reason for chunk in _streamed(url, "length")]


def choices(url):
    return [choice.message.content for choice in _whole(url, "text", n=2).choices]


def logprobs(url):
    [choice] = _whole(url, "text", logprobs=True, top_logprobs=2).choices
    streamed = [chunk.choices[0].logprobs for chunk in _streamed(url, "text", logprobs=True)]
    return {
        "whole": [[top.token for top in one.top_logprobs] for one in choice.logprobs.content],
        "streamed": [one and one.content[0].token for one in streamed],
    }


def parsed(url):
    """A reply without content of its own is valid against the schema that is asked for."""
    return _whole(url, "open", response_format=FORM).choices[0].message.content


def too_many_not_retried(url):
    try:
        _whole(url, "too_many_once")
    except SDKError as error:
        headers = {name: error.headers.get(name) for name in ("retry-after", "mistral-correlation-id")}
        return {"status": error.status_code, "body": error.body, **headers}


def too_many(url):
    chunks = _streamed(url, "too_many", retries=RETRIES)
    return [chunk.choices[0].delta.content for chunk in chunks]


def unavailable(url):
    return _whole(url, "unavailable", retries=RETRIES).choices[0].message.content


def down(url):
    try:
        _streamed(url, "down")
    except SDKError as error:
        return {"status": error.status_code, "body": error.body}


def breaks(url):
    heard = []
    try:
        with _chat(url, "breaks").stream(model=MODEL, messages=ASK) as stream:
            for event in stream:
                heard.append(event.data.choices[0].delta.content)
    except ResponseValidationError as error:
        return {"heard": heard, "body": error.body}
