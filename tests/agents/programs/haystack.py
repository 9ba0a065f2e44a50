from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function
from haystack.utils import Secret


def work(url, task, tools):
    model = OpenAIChatGenerator(Secret.from_token("any"), model="any", api_base_url=f"{url}/openai/v1")
    agent = Agent(chat_generator=model, tools=[create_tool_from_function(function) for function in tools])
    return agent.run([ChatMessage.from_user(task)])["last_message"].text
