from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai_like import OpenAILike


async def work(url, task, tools):
    model = OpenAILike(
        "any",
        api_base=f"{url}/openai/v1",
        api_key="any",
        is_chat_model=True,
        is_function_calling_model=True,
    )
    return str(await FunctionAgent(tools=tools, llm=model).run(task))
