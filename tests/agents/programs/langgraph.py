from langchain.agents import create_agent
from langchain_openai import ChatOpenAI


def work(url, task, tools):
    agent = create_agent(ChatOpenAI(model="any", base_url=f"{url}/openai/v1", api_key="any"), tools)
    return agent.invoke({"messages": [("user", task)]})["messages"][-1].content
