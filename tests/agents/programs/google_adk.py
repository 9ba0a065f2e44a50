from google.adk.agents import Agent
from google.adk.models import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types


async def work(url, task, tools):
    model = Gemini(
        model="gemini-any",
        base_url=f"{url}/gemini",
        retry_options=types.HttpRetryOptions(attempts=3),
    )
    runner = InMemoryRunner(Agent(name="assistant", model=model, tools=tools))
    return (await runner.run_debug(task, quiet=True))[-1].content.parts[-1].text
