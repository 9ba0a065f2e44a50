"""LangChain's models for OpenAI, on Chat Completions and on Responses, and for Anthropic."""

from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool as as_tool
from langchain_openai import ChatOpenAI

ASK = "Say hello, please"


@as_tool
def _get_weather(city: str, unit: str) -> str:
    """The weather of a city."""
    return f"Sunny in {city}"


def _model(url, reply, **options):
    return ChatOpenAI(
        model="gpt-4.1", base_url=f"{url}/{reply}/v1", api_key="sk-any", timeout=20, **{"max_retries": 0, **options}
    )


def _claude(url, reply, **options):
    return ChatAnthropic(
        model="claude-sonnet-4-5", base_url=f"{url}/{reply}", api_key="any", timeout=20, **{"max_retries": 0, **options}
    )


def _streamed(model):
    """The reply as chunks add up to it."""
    whole = None
    for chunk in model.stream(ASK):
        whole = chunk if whole is None else whole + chunk
    return whole


def text(url):
    return [chunk.content for chunk in _model(url, "text").stream(ASK)]


def text_whole(url):
    return _model(url, "text").invoke(ASK)


async def text_async(url):
    return [chunk.content async for chunk in _model(url, "text").astream(ASK)]


def tools(url):
    return _streamed(_model(url, "tools").bind_tools([_get_weather]))


def tools_whole(url):
    return _model(url, "tools").bind_tools([_get_weather]).invoke(ASK)


def tool_and_answer(url):
    model = _model(url, "agent").bind_tools([_get_weather])
    asked = model.invoke(ASK)
    [call] = asked.tool_calls
    result = {"role": "tool", "content": "Sunny", "tool_call_id": call["id"]}
    return model.invoke([("user", ASK), asked, result])


def usage(url):
    return _streamed(_model(url, "usage", stream_usage=True)).usage_metadata


def usage_whole(url):
    return _model(url, "usage").invoke(ASK).usage_metadata


def length(url):
    return _streamed(_model(url, "length")).response_metadata


def too_many(url):
    return _streamed(_model(url, "too_many", max_retries=1)).text


def unavailable(url):
    return _model(url, "unavailable", max_retries=1).invoke(ASK).text


def down(url):
    return _error_of(lambda: _model(url, "down").invoke(ASK))


def breaks(url):
    return _error_of(lambda: list(_model(url, "breaks").stream(ASK)))


def responses_text(url):
    return _streamed(_model(url, "text", use_responses_api=True))


def responses_text_whole(url):
    return _model(url, "text", use_responses_api=True).invoke(ASK)


def responses_tools(url):
    return _streamed(_model(url, "tools", use_responses_api=True).bind_tools([_get_weather]))


def responses_reasoning(url):
    return _streamed(_model(url, "reasoning", use_responses_api=True))


def responses_too_many(url):
    return _streamed(_model(url, "too_many", use_responses_api=True, max_retries=1)).text


def responses_breaks(url):
    return _error_of(lambda: list(_model(url, "breaks", use_responses_api=True).stream(ASK)))


def anthropic_text(url):
    return _streamed(_claude(url, "text"))


def anthropic_text_whole(url):
    return _claude(url, "text").invoke(ASK)


def anthropic_tools(url):
    return _streamed(_claude(url, "tools").bind_tools([_get_weather]))


def anthropic_reasoning(url):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    return _streamed(_claude(url, "reasoning", thinking=thinking, max_tokens=2048))


def anthropic_usage(url):
    return _streamed(_claude(url, "usage")).usage_metadata


def anthropic_too_many(url):
    return _streamed(_claude(url, "too_many", max_retries=1)).text


def anthropic_breaks(url):
    return _error_of(lambda: list(_claude(url, "breaks").stream(ASK)))


def _error_of(use):
    try:
        use()
    except Exception as error:
        return {"type": type(error).__name__, "message": str(error)}
