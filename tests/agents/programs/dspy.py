import dspy


def work(url, task, tools):
    model = dspy.LM("openai/any", api_base=f"{url}/openai/v1", api_key="any", cache=False)
    with dspy.context(lm=model):
        return dspy.ReAct("question -> answer", tools=tools)(question=task).answer
