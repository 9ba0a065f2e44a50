"""LiteLLM, which speaks every provider's wire behind one call."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it looks for prices in the network

import litellm  # noqa: E402

litellm.suppress_debug_info = True

ASK = [{"role": "user", "content": "Say hello, please"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]
PROVIDERS = {
    "openai": ("openai/gpt-4.1", "/v1"),
    "anthropic": ("anthropic/claude-sonnet-4-5", ""),
    "ollama": ("ollama_chat/llama3.2", ""),
    "mistral": ("mistral/mistral-small-latest", "/v1"),
}


def _asked(url, provider, reply, **asked):
    model, path = PROVIDERS[provider]
    return litellm.completion(
        model, messages=ASK, api_base=f"{url}/{reply}{path}", api_key="any", timeout=20, **{"num_retries": 0, **asked}
    )


def _each(url, reply, **asked):
    """The whole reply as each provider streams it, put together by LiteLLM."""
    return {
        provider: litellm.stream_chunk_builder(list(_asked(url, provider, reply, stream=True, **asked)))
        for provider in PROVIDERS
    }


def _each_whole(url, reply, **asked):
    return {provider: _asked(url, provider, reply, **asked) for provider in PROVIDERS}


def _each_error(url, reply, **asked):
    seen = {}
    for provider in PROVIDERS:
        try:
            seen[provider] = "".join(
                chunk.choices[0].delta.content or "" for chunk in _asked(url, provider, reply, stream=True, **asked)
            )
        except Exception as error:
            seen[provider] = [type(error).__name__, str(error)]
    return seen


def text(url):
    return _each(url, "text")


def text_whole(url):
    return _each_whole(url, "text")


async def text_async(url):
    stream = await litellm.acompletion(
        "openai/gpt-4.1", messages=ASK, api_base=f"{url}/text/v1", api_key="any", stream=True
    )
    return [chunk.choices[0].delta.content async for chunk in stream]


def tools(url):
    return _each(url, "tools", tools=TOOLS)


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
    return _each_error(url, "too_many", num_retries=1)


def unavailable(url):
    return _each_error(url, "unavailable", num_retries=1)


def down(url):
    return _each_error(url, "down")


def breaks(url):
    return _each_error(url, "breaks")
