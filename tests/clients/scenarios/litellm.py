"""LiteLLM, which speaks every provider's wire behind one call."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it looks for prices in the network

import litellm

litellm.suppress_debug_info = True

ASK = [{"role": "user", "content": "Say hello, please"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]
PROVIDERS = {
    "openai": {"model": "openai/gpt-4.1", "api_base": "/v1"},
    "azure": {"model": "azure/gpt-4.1", "api_base": "", "api_version": "2024-10-21"},
    "anthropic": {"model": "anthropic/claude-sonnet-4-5", "api_base": ""},
    "gemini": {"model": "gemini/gemini-2.5-flash", "api_base": "/v1beta"},
    "mistral": {"model": "mistral/mistral-small-latest", "api_base": "/mistral/v1"},
    "ollama": {"model": "ollama_chat/llama3.2", "api_base": ""},
}


def _asked(url, provider, reply, **asked):
    client = PROVIDERS[provider] | {"api_key": "any", "timeout": 20, "num_retries": 0}
    client["api_base"] = f"{url}/{reply}{client['api_base']}"
    return litellm.completion(messages=ASK, **(client | asked))


def _each(url, reply, providers=tuple(PROVIDERS), **asked):
    """The whole reply as each provider streams it, put together by LiteLLM."""
    return {
        provider: litellm.stream_chunk_builder(list(_asked(url, provider, reply, stream=True, **asked)))
        for provider in providers
    }


def _each_whole(url, reply, **asked):
    return {provider: _asked(url, provider, reply, **asked) for provider in PROVIDERS}


def text(url):
    return _each(url, "text")


def text_whole(url):
    return _each_whole(url, "text")


async def text_async(url):
    stream = await litellm.acompletion(
        "openai/gpt-4.1", messages=ASK, api_base=f"{url}/text/v1", api_key="any", stream=True
    )
    return [chunk.choices[0].delta.content async for chunk in stream]


def tool(url):
    return _each(url, "tool", tools=TOOLS)


def tools(url):
    """LiteLLM takes all calls of a stream of Ollama's for one."""
    return _each(url, "tools", PROVIDERS.keys() - {"ollama"}, tools=TOOLS)


def tools_whole(url):
    return _each_whole(url, "tools", tools=TOOLS)


def reasoning(url):
    return _each(url, "reasoning")


def reasoning_whole(url):
    return _each_whole(url, "reasoning")


def usage(url):
    return _each(url, "usage", stream_options={"include_usage": True})


def usage_whole(url):
    return _each_whole(url, "usage")


def length(url):
    return _each(url, "length")


def too_many(url):
    return _each_whole(url, "too_many", num_retries=1)


def unavailable(url):
    return _each_whole(url, "unavailable", num_retries=1)


def down(url):
    return {provider: _error_of(url, provider, "down") for provider in PROVIDERS}


def breaks(url):
    """LiteLLM takes an error in a stream of Mistral's for its end."""
    return {
        provider: _error_of(url, provider, "breaks", stream=True) for provider in PROVIDERS if provider != "mistral"
    }


def _error_of(url, provider, reply, **asked):
    heard = ""
    try:
        for chunk in _asked(url, provider, reply, **asked):
            heard += chunk.choices[0].delta.content or ""
    except Exception as error:
        return {"heard": heard, "type": type(error).__name__, "message": str(error)}
