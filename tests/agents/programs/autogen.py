from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient


async def work(url, task, tools):
    about = {
        "family": "unknown",
        "function_calling": True,
        "json_output": True,
        "structured_output": True,
        "vision": False,
    }
    model = OpenAIChatCompletionClient(
        model="any",
        base_url=f"{url}/openai/v1",
        api_key="any",
        model_info=about,
    )
    agent = AssistantAgent("assistant", model, tools=tools, max_tool_iterations=3)
    return (await agent.run(task=task)).messages[-1].content
