from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import KernelPlugin, kernel_function


async def work(url, task, tools):
    model = OpenAIChatCompletion("any", async_client=AsyncOpenAI(base_url=f"{url}/openai/v1", api_key="any"))
    plugin = KernelPlugin("rain", functions=[kernel_function(function) for function in tools])
    agent = ChatCompletionAgent(service=model, name="assistant", plugins=[plugin])
    return str(await agent.get_response(task))
