"""Pydantic AI: an agent and its tool, on OpenAI's Chat Completions and Responses and on Anthropic's Messages."""

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import Agent, ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

ASK = "Say hello, please"


def _openai(url, reply, kind=OpenAIChatModel, retries=0):
    client = AsyncOpenAI(base_url=f"{url}/{reply}/v1", api_key="sk-any", max_retries=retries, timeout=20)
    return _agent(kind("gpt-4.1", provider=OpenAIProvider(openai_client=client)))


def _responses(url, reply, retries=0):
    return _openai(url, reply, OpenAIResponsesModel, retries)


def _anthropic(url, reply, retries=0):
    client = AsyncAnthropic(base_url=f"{url}/{reply}", api_key="any", max_retries=retries, timeout=20)
    return _agent(AnthropicModel("claude-sonnet-4-5", provider=AnthropicProvider(anthropic_client=client)))


def _agent(model):
    agent = Agent(model)

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
    return [usage.input_tokens, usage.output_tokens]


def _parts(messages):
    """Of every message, what its parts are."""
    return [[[part.part_kind, _said(part)] for part in message.parts] for message in messages]


def _said(part):
    return part.args_as_dict() if part.part_kind == "tool-call" else part.content


async def _whole(agent):
    result = await agent.run(ASK)
    return {"text": result.output, "usage": _usage(result.usage), "parts": _parts(result.all_messages())}


async def _error_of(asking):
    try:
        await asking
    except ModelHTTPError as error:
        return {"status": error.status_code, "body": error.body}


MODELS = {"openai": _openai, "responses": _responses, "anthropic": _anthropic}


async def _each(use, url, reply, retries=0):
    return {name: await use(agent_of(url, reply, retries=retries)) for name, agent_of in MODELS.items()}


async def text(url):
    return await _each(_streamed, url, "text")


async def text_whole(url):
    return await _each(_whole, url, "text")


async def agent(url):
    return await _each(_streamed, url, "agent")


async def agent_whole(url):
    return await _each(_whole, url, "agent")


async def reasoning(url):
    return await _each(_streamed, url, "reasoning")


async def usage(url):
    return await _each(_streamed, url, "usage")


async def usage_whole(url):
    return await _each(_whole, url, "usage")


async def too_many(url):
    return await _each(_streamed, url, "too_many", retries=1)


async def unavailable(url):
    return await _each(_whole, url, "unavailable", retries=1)


async def down(url):
    return {name: await _error_of(_whole(agent_of(url, "down"))) for name, agent_of in MODELS.items()}


async def breaks(url):
    return {name: await _error_of(_streamed(agent_of(url, "breaks"))) for name, agent_of in MODELS.items()}
