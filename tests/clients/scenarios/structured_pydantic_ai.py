"""Pydantic AI gets an object out of every provider: by a tool that the model must call."""

import pydantic_ai
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel, Field
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.mistral import MistralModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.mistral import MistralProvider
from pydantic_ai.providers.openai import OpenAIProvider

ASK = "How is the weather in Paris?"


class Weather(BaseModel):
    """The weather in a city."""

    city: str = Field(min_length=6)
    days: int = Field(ge=3)
    kinds: list[str]


def _models(url):
    openai = OpenAIProvider(openai_client=AsyncOpenAI(base_url=f"{url}/openai/v1", api_key="any", max_retries=0))
    anthropic = AsyncAnthropic(base_url=f"{url}/anthropic", api_key="any", max_retries=0)
    return {
        "openai": OpenAIChatModel("gpt-4.1", provider=openai),
        "responses": OpenAIResponsesModel("gpt-4.1", provider=openai),
        "anthropic": AnthropicModel("claude-sonnet-4-5", provider=AnthropicProvider(anthropic_client=anthropic)),
        "gemini": GoogleModel("gemini-2.5-flash", provider=GoogleProvider(api_key="any", base_url=f"{url}/gemini")),
        "mistral": MistralModel("mistral-small", provider=MistralProvider(api_key="any", base_url=f"{url}/mistral")),
    }


async def output_type(url):
    return {
        name: (await pydantic_ai.Agent(model, output_type=Weather).run(ASK)).output
        for name, model in _models(url).items()
    }


async def output_type_streamed(url):
    found = {}
    for name, model in _models(url).items():
        async with pydantic_ai.Agent(model, output_type=Weather).run_stream(ASK) as stream:
            found[name] = await stream.get_output()
    return found


async def with_a_tool(url):
    """A tool of one's own beside that of the output: the agent comes to its end."""
    found, used = {}, {}

    async def look(ctx: pydantic_ai.RunContext[str], city: str) -> str:
        """The weather."""
        used[ctx.deps] = used.get(ctx.deps, 0) + 1
        return "rain"

    for name, model in _models(url).items():
        agent = pydantic_ai.Agent(model, output_type=Weather, deps_type=str, tools=[look])
        found[name] = (await agent.run(ASK, deps=name)).output
    return {"found": found, "used": used}
