"""Cohere's client, version 2: `chat` and `chat_stream`."""

import cohere
from cohere.core.request_options import RequestOptions

MODEL = "command-a-03-2025"
ASK = [{"role": "user", "content": "Say hello, please"}]
ASKED = {"model": MODEL, "messages": ASK}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]


def _client(url, reply):
    return cohere.ClientV2("any", base_url=f"{url}/{reply}", timeout=20)


def _checked(model):
    """The client builds its models without checking them: that is done here."""
    return type(model).model_validate(model.model_dump(by_alias=True, exclude_unset=True))


def _retries(count):
    return RequestOptions(max_retries=count)


def _whole(url, reply, retries=0, **asked):
    return _checked(_client(url, reply).chat(**ASKED, request_options=_retries(retries), **asked))


def _streamed(url, reply, retries=0, **asked):
    stream = _client(url, reply).chat_stream(**ASKED, request_options=_retries(retries), **asked)
    return [_checked(event) for event in stream]


def _error(ask):
    try:
        ask()
    except cohere.core.ApiError as error:
        return {"class": type(error).__name__, "status": error.status_code, "body": error.body}


def text(url):
    return _streamed(url, "text")


def text_whole(url):
    return _whole(url, "text")


async def text_async(url):
    client = cohere.AsyncClientV2("any", base_url=f"{url}/text", timeout=20)
    return [event.type async for event in client.chat_stream(**ASKED)]


def tool(url):
    return _streamed(url, "tool", tools=TOOLS)


def tools(url):
    return _streamed(url, "tools", tools=TOOLS)


def tools_whole(url):
    return _whole(url, "tools", tools=TOOLS)


def text_and_tool(url):
    return _streamed(url, "text_and_tool", tools=TOOLS)


def plan(url):
    return _streamed(url, "plan", tools=TOOLS)


def plan_whole(url):
    return _whole(url, "plan", tools=TOOLS)


def agent(url):
    """A tool is called, its result is sent, and the answer comes."""
    called = _client(url, "agent").chat(**ASKED, tools=TOOLS).message
    result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "Sunny"}
    return _client(url, "agent").chat(model=MODEL, messages=[*ASK, called, result], tools=TOOLS)


def reasoning(url):
    return _streamed(url, "reasoning")


def reasoning_whole(url):
    return _whole(url, "reasoning")


def citations(url):
    return _streamed(url, "citations")


def citations_whole(url):
    return _whole(url, "citations")


def usage(url):
    return _streamed(url, "usage")


def usage_whole(url):
    return _whole(url, "usage")


def length(url):
    return _streamed(url, "length")


def logprobs(url):
    return _streamed(url, "text", logprobs=True)


def logprobs_whole(url):
    return _whole(url, "text", logprobs=True)


def too_many(url):
    """The client does not ask again by itself for a stream."""
    error = _error(lambda: _streamed(url, "too_many", retries=1))
    return {"error": error, "then": _streamed(url, "too_many")}


def unavailable(url):
    return _whole(url, "unavailable", retries=1)


def down(url):
    return _error(lambda: _streamed(url, "down"))


def bad_request(url):
    return _error(lambda: _client(url, "strict").chat(model=MODEL, messages=[]))


def breaks(url):
    return _streamed(url, "breaks")
