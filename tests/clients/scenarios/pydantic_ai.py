"""Pydantic AI: an agent, its tool, and what it makes of OpenAI's, Anthropic's and Google's streams."""

from openai import AsyncOpenAI
from pydantic_ai import Agent, ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

ASK = "Say hello, please"


def _agent(url, reply, kind=OpenAIChatModel, retries=0):
    client = AsyncOpenAI(base_url=f"{url}/{reply}/v1", api_key="sk-any", max_retries=retries, timeout=20)
    agent = Agent(kind("gpt-4.1", provider=OpenAIProvider(openai_client=client)))

    @agent.tool_plain
    def get_weather(city: str, unit: str) -> str:
        """The weather of a city."""
        return f"Sunny in {city}, in {unit}"

    return agent


async def _streamed(agent):
    async with agent.run_stream(ASK) as stream:
        texts = [text async for text in stream.stream_text(delta=True, debounce_by=None)]
        return {"texts": texts, "usage": _usage(stream.usage), "parts": _parts(stream.all_messages())}


def _usage(usage):
    usage = usage() if callable(usage) else usage
    return [usage.input_tokens, usage.output_tokens]


def _parts(messages):
    """Of every message, what its parts are."""
    return [[[part.part_kind, getattr(part, "content", None) or getattr(part, "args", None)] for part in message.parts] for message in messages]


async def _whole(agent):
    result = await agent.run(ASK)
    return {"text": result.output, "usage": _usage(result.usage), "parts": _parts(result.all_messages())}


async def text(url):
    return await _streamed(_agent(url, "text"))


async def text_whole(url):
    return await _whole(_agent(url, "text"))


async def agent(url):
    return await _streamed(_agent(url, "agent"))


async def agent_whole(url):
    return await _whole(_agent(url, "agent"))


async def reasoning(url):
    return await _streamed(_agent(url, "reasoning"))


async def usage(url):
    return await _streamed(_agent(url, "usage"))


async def usage_whole(url):
    return await _whole(_agent(url, "usage"))


async def too_many(url):
    return await _streamed(_agent(url, "too_many", retries=1))


async def unavailable(url):
    return await _whole(_agent(url, "unavailable", retries=1))


async def down(url):
    try:
        await _whole(_agent(url, "down"))
    except ModelHTTPError as error:
        return {"status": error.status_code, "body": error.body}


async def breaks(url):
    try:
        await _streamed(_agent(url, "breaks"))
    except Exception as error:
        return {"type": type(error).__name__, "message": str(error)}


async def responses_text(url):
    return await _streamed(_agent(url, "text", OpenAIResponsesModel))


async def responses_text_whole(url):
    return await _whole(_agent(url, "text", OpenAIResponsesModel))


async def responses_agent(url):
    return await _streamed(_agent(url, "agent", OpenAIResponsesModel))


async def responses_reasoning(url):
    return await _streamed(_agent(url, "reasoning", OpenAIResponsesModel))


async def responses_breaks(url):
    try:
        await _streamed(_agent(url, "breaks", OpenAIResponsesModel))
    except Exception as error:
        return {"type": type(error).__name__, "message": str(error)}
