from crewai import LLM, Agent
from crewai.tools import tool


def work(url, task, tools):
    model = LLM(model="openai/any", base_url=f"{url}/openai/v1", api_key="any")
    agent = Agent(
        role="Weather clerk",
        goal="Know the rain",
        backstory="You look it up.",
        llm=model,
        tools=[tool(function) for function in tools],
    )
    return agent.kickoff(task).raw
