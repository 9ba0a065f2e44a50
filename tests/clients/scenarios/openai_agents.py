"""OpenAI's Agents SDK, on Chat Completions and on Responses."""

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import APIError, AsyncOpenAI, InternalServerError

set_tracing_disabled(True)  # traces go to the real service

ASK = "Say hello, please"


@function_tool
def get_weather(city: str, unit: str) -> str:
    """The weather of a city."""
    return f"Sunny in {city}, in {unit}"


def _agent(url, reply, kind=OpenAIChatCompletionsModel, retries=0):
    client = AsyncOpenAI(base_url=f"{url}/{reply}/v1", api_key="sk-any", max_retries=retries, timeout=20)
    return Agent(
        name="Greeter",
        model=kind("gpt-4.1", openai_client=client),
        model_settings=ModelSettings(include_usage=True),
        tools=[get_weather],
    )


async def _streamed(agent):
    run = Runner.run_streamed(agent, ASK)
    kinds, texts = [], []
    async for event in run.stream_events():
        if event.type == "run_item_stream_event":
            kinds.append(event.name)
        elif event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            texts.append(event.data.delta)
    return {"items": kinds, "texts": texts, "output": run.final_output, "usage": _usage(run)}


async def _whole(agent):
    run = await Runner.run(agent, ASK)
    return {"items": [item.type for item in run.new_items], "output": run.final_output, "usage": _usage(run)}


def _usage(run):
    usage = run.context_wrapper.usage
    return [usage.requests, usage.input_tokens, usage.output_tokens]


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
    except InternalServerError as error:
        return {"status": error.status_code, "body": error.body}


async def breaks(url):
    try:
        await _streamed(_agent(url, "breaks"))
    except APIError as error:
        return error.message


async def responses_text(url):
    return await _streamed(_agent(url, "text", OpenAIResponsesModel))


async def responses_text_whole(url):
    return await _whole(_agent(url, "text", OpenAIResponsesModel))


async def responses_agent(url):
    return await _streamed(_agent(url, "agent", OpenAIResponsesModel))


async def responses_reasoning(url):
    return await _streamed(_agent(url, "reasoning", OpenAIResponsesModel))


async def responses_too_many(url):
    return await _streamed(_agent(url, "too_many", OpenAIResponsesModel, retries=1))


async def responses_breaks(url):
    try:
        await _streamed(_agent(url, "breaks", OpenAIResponsesModel))
    except Exception as error:
        return [type(error).__name__, str(error)]
