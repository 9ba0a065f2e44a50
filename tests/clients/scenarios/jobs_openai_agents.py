"""A job of three steps with OpenAI's Agents SDK, whose requests have only what is new."""

from agents import (
    Agent,
    OpenAIConversationsSession,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

set_tracing_disabled(True)  # traces go to the real service

WORDS = ("Do I need an umbrella?", "In turn, please")


@function_tool
def get_city() -> str:
    """Where the user is."""
    return "Rome, Italy"


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"Rain in {city}"


def _client(url):
    return AsyncOpenAI(base_url=f"{url}/openai/v1", api_key="any", timeout=20)


async def _jobs(url, more):
    client, found = _client(url), []
    agent = Agent(name="Helper", model=OpenAIResponsesModel("m", openai_client=client), tools=[get_city, get_weather])
    for words in WORDS:
        run = await Runner.run(agent, words, **await more(client))
        names = [item.raw_item.name for item in run.new_items if item.type == "tool_call_item"]
        found.append([names, run.final_output])
    return found


async def previous(url):
    async def more(client):
        return {"auto_previous_response_id": True}

    return await _jobs(url, more)


async def conversation(url):
    async def more(client):
        return {"conversation_id": (await client.conversations.create()).id}

    return await _jobs(url, more)


async def session(url):
    async def more(client):
        return {"session": OpenAIConversationsSession(openai_client=client)}

    return await _jobs(url, more)
