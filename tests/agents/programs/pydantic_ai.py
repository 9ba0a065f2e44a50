from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


def work(url, task, tools):
    model = OpenAIChatModel("any", provider=OpenAIProvider(base_url=f"{url}/openai/v1", api_key="any"))
    return Agent(model, tools=tools).run_sync(task).output
