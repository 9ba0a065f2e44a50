"""Ollama's client: `chat` and `generate`, in one piece and streamed. It never asks again by itself."""

import ollama

MODEL = "llama3.2"
ASK = [{"role": "user", "content": "Say hello, please"}]
PROMPT = "Say hello, please"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]


def _client(url, reply):
    return ollama.Client(host=f"{url}/{reply}", timeout=20)


def _chat(url, reply, **asked):
    return _client(url, reply).chat(MODEL, ASK, **asked)


def _streamed(url, reply, **asked):
    return list(_chat(url, reply, stream=True, **asked))


def _error(ask):
    try:
        ask()
    except ollama.ResponseError as error:
        return {"status": error.status_code, "message": error.error}


def text(url):
    return _streamed(url, "text")


def text_whole(url):
    return _chat(url, "text")


async def text_async(url):
    client = ollama.AsyncClient(host=f"{url}/text", timeout=20)
    return [part.message.content async for part in await client.chat(MODEL, ASK, stream=True)]


def tool(url):
    return _streamed(url, "tool", tools=TOOLS)


def tools_whole(url):
    return _chat(url, "tools", tools=TOOLS)


def text_and_tool(url):
    return _streamed(url, "text_and_tool", tools=TOOLS)


def agent(url):
    """A tool is called, its result is sent, and the answer comes."""
    called = _client(url, "agent").chat(MODEL, ASK, tools=TOOLS).message
    result = {"role": "tool", "tool_name": called.tool_calls[0].function.name, "content": "Sunny"}
    return _client(url, "agent").chat(MODEL, [*ASK, called, result], tools=TOOLS)


def reasoning(url):
    return _streamed(url, "reasoning", think=True)


def reasoning_whole(url):
    return _chat(url, "reasoning", think=True)


def usage(url):
    return _streamed(url, "usage")


def usage_whole(url):
    return _chat(url, "usage")


def length(url):
    return _streamed(url, "length")


def logprobs(url):
    return _streamed(url, "text", logprobs=True, top_logprobs=1)


def load(url):
    return _client(url, "strict").chat(MODEL, [])


def generate(url):
    return list(_client(url, "generate").generate(MODEL, PROMPT, stream=True, think=True))


def generate_whole(url):
    return _client(url, "generate").generate(MODEL, PROMPT, think=True)


def too_many(url):
    """The client does not ask again by itself."""
    error = _error(lambda: _streamed(url, "too_many"))
    return {"error": error, "then": [part.message.content for part in _streamed(url, "too_many")]}


def unavailable(url):
    error = _error(lambda: _chat(url, "unavailable"))
    return {"error": error, "then": _chat(url, "unavailable").message.content}


def down(url):
    return _error(lambda: _streamed(url, "down"))


def breaks(url):
    heard = []

    def listen():
        for part in _chat(url, "breaks", stream=True):
            heard.append(part.message.content)

    return {"error": _error(listen), "heard": heard}
