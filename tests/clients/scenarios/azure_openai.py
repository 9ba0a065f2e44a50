"""OpenAI's client for Azure: `create`, in one piece and streamed, and the `stream` helper."""

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

DEPLOYMENT = "my-deployment"
ASK = [{"role": "user", "content": "Say hello, please"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "strict": True, "parameters": PARAMETERS}}]


def _completions(url, reply, retries=0):
    client = openai.AzureOpenAI(
        azure_endpoint=f"{url}/{reply}", api_version="2024-10-21", api_key="any", max_retries=retries, timeout=20
    )
    return client.chat.completions


def _whole(url, reply, **asked):
    """The client builds its models without checking them: that is done here."""
    completion = _completions(url, reply).create(model=DEPLOYMENT, messages=ASK, **asked)
    return ChatCompletion.model_validate(completion.to_dict(mode="json"))


def _streamed(url, reply, **asked):
    stream = _completions(url, reply).create(model=DEPLOYMENT, messages=ASK, stream=True, **asked)
    first, *chunks = [chunk.to_dict(mode="json") for chunk in stream]
    return [first, *(ChatCompletionChunk.model_validate(chunk).to_dict(mode="json") for chunk in chunks)]


def _accumulated(url, reply, **asked):
    with _completions(url, reply).stream(model=DEPLOYMENT, messages=ASK, **asked) as stream:
        list(stream)
        return stream.get_final_completion()


def text(url):
    return _streamed(url, "text")


def text_whole(url):
    return _whole(url, "text").to_dict(mode="json")


def text_accumulated(url):
    return _accumulated(url, "text").choices[0].message.content


def tools(url):
    return _accumulated(url, "tools", tools=TOOLS).choices[0].message.tool_calls


def reasoning(url):
    return _whole(url, "reasoning").choices[0].message.model_extra["reasoning_content"]


def usage(url):
    return _streamed(url, "usage", stream_options={"include_usage": True})[-1]


def filtered(url):
    return _whole(url, "filtered").choices[0].to_dict(mode="json")


def too_many_not_retried(url):
    try:
        _whole(url, "too_many_once")
    except openai.RateLimitError as error:
        names = ("apim-request-id", "x-ms-region", "azureml-model-session", "retry-after", "retry-after-ms")
        headers = {name: error.response.headers.get(name) for name in names}
        return {"body": error.body, "request_id": error.request_id, "headers": headers}


def too_many(url):
    return _completions(url, "too_many", retries=1).create(model=DEPLOYMENT, messages=ASK).choices[0].message.content


def unsafe(url):
    try:
        _whole(url, "unsafe")
    except openai.BadRequestError as error:
        return {"code": error.code, "param": error.param, "body": error.body}


def breaks(url):
    heard = []
    try:
        for chunk in _completions(url, "breaks").create(model=DEPLOYMENT, messages=ASK, stream=True):
            heard += [choice.delta.content for choice in chunk.choices]
    except openai.APIError as error:
        return {"heard": heard, "message": error.message}
