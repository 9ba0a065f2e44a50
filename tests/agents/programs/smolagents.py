from smolagents import OpenAIModel, ToolCallingAgent, tool


def work(url, task, tools):
    model = OpenAIModel("any", api_base=f"{url}/openai/v1", api_key="any")
    return ToolCallingAgent([tool(function) for function in tools], model).run(task)
