from strands import Agent, tool
from strands.models.openai import OpenAIModel


def work(url, task, tools):
    model = OpenAIModel(client_args={"base_url": f"{url}/openai/v1", "api_key": "any"}, model_id="any")
    return str(Agent(model, tools=[tool(function) for function in tools], callback_handler=None)(task))
