"""Frameworks for agents, each used by a program in `programs/`; and `llm`, which needs none."""

from __future__ import annotations

from typing import Any

from tests.agents.agent import Agent
from tests.agents.job import Results, call, say

_OPENAI = "`{}`: `http://127.0.0.1:4280/openai/v1`"

_GIVES_UP: dict[str, Any] = {"again": True, "requests": (3, 2, 1)}
"""It passes on the error of a reply that breaks off."""

_IN_MESSAGES: Results = ({"contains": "{station}"}, {"contains": "{rain}"})
"""It tells the model the results of tools in messages of the user."""

_LLM_MODELS = """\
- model_id: mockd
  model_name: any
  api_base: {url}/openai/v1
  api_key_name: openai
  supports_tools: true
"""


def _framework(name: str, package: str, pointed: str, *, wire: str = "chat", **more: Any) -> Agent:
    """A framework for Python."""
    program = f"{{here}}/programs/{name.replace('-', '_')}.py"
    return Agent(
        name=name,
        package=package,
        wire=wire,
        pointed=pointed,
        command=("{bin}/python", "-I", "{here}/programs/run.py", program, "{url}", "{task}"),
        **more,
    )


def _thought(tool: str, arguments: str) -> str:
    """DSPy asks for calls of tools in words."""
    fields = {"next_thought": "Let me see.", "next_tool_name": tool, "next_tool_args": arguments}
    return "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items())


FRAMEWORKS = (
    Agent(
        name="llm",
        package="llm",
        wire="chat",
        pointed="`api_base` of a model in `extra-openai-models.yaml`",
        command=(
            *("{bin}/llm", "prompt", "--model", "mockd", "--no-stream", "--functions", "{here}/programs/tools.py"),
            "{task}",
        ),
        environ={"LLM_USER_PATH": "{home}", "OPENAI_API_KEY": "sk-any"},
        home={"extra-openai-models.yaml": _LLM_MODELS},
        quick=True,
    ),
    _framework("pydantic-ai", "pydantic-ai-slim", _OPENAI.format("OpenAIProvider(base_url=…)"), quick=True),
    _framework("langgraph", "langgraph", _OPENAI.format("ChatOpenAI(base_url=…)"), quick=True),
    _framework("llama-index", "llama-index-core", _OPENAI.format("OpenAILike(api_base=…)"), **_GIVES_UP),
    _framework(
        "instructor",
        "instructor",
        _OPENAI.format("OpenAI(base_url=…)"),
        first=call("FindStation", place="Rainville"),
        second=call("ReadRain", station="{station}"),
        last=call("Answer", text="{answer}"),
        results=_IN_MESSAGES,
    ),
    _framework(
        "dspy",
        "dspy",
        _OPENAI.format("LM(api_base=…)"),
        first=say(_thought("find_station", '{"place": "Rainville"}')),
        second=say(_thought("read_rain", '{"station": "{station}"}')),
        last=say(_thought("finish", "{}") + "\n\n[[ ## reasoning ## ]]\nI know.\n\n[[ ## answer ## ]]\n{answer}"),
        results=_IN_MESSAGES,
        requests=(2, 2, 2),
        environ={"LITELLM_LOCAL_MODEL_COST_MAP": "true"},
    ),
    _framework(
        "smolagents",
        "smolagents",
        _OPENAI.format("OpenAIModel(api_base=…)"),
        last=call("final_answer", answer="{answer}"),
        results=_IN_MESSAGES,
    ),
    _framework(
        "haystack",
        "haystack-ai",
        _OPENAI.format("OpenAIChatGenerator(api_base_url=…)"),
        environ={"HAYSTACK_TELEMETRY_ENABLED": "false"},
    ),
    _framework("semantic-kernel", "semantic-kernel", _OPENAI.format("AsyncOpenAI(base_url=…)")),
    _framework("autogen", "autogen-agentchat", _OPENAI.format("OpenAIChatCompletionClient(base_url=…)")),
    _framework(
        "google-adk",
        "google-adk",
        "`Gemini(base_url=…)`: `http://127.0.0.1:4280/gemini`",
        wire="gemini",
        environ={"GOOGLE_API_KEY": "any"},
        **_GIVES_UP,
    ),
    _framework("strands", "strands-agents", _OPENAI.format("OpenAIModel(client_args={base_url: …})"), **_GIVES_UP),
    _framework(
        "crewai",
        "crewai",
        _OPENAI.format("LLM(base_url=…)"),
        environ={
            "CREWAI_DISABLE_TELEMETRY": "true",
            "CREWAI_DISABLE_VERSION_CHECK": "true",
            "CREWAI_TRACING_ENABLED": "false",
        },
    ),
    Agent(
        name="mastra",
        package="@mastra/core",
        runs_on="Node",
        wire="chat",
        pointed="`model: {url: …}`: `http://127.0.0.1:4280/openai/v1`",
        command=("node", "{here}/node/mastra/work.mjs", "{url}", "{task}"),
        environ={"MASTRA_TELEMETRY_DISABLED": "1"},
        again_by_script=False,
        **_GIVES_UP,
    ),
    Agent(
        name="ai-sdk-react",
        package="@ai-sdk/react",
        runs_on="Node",
        wire="vercel",
        pointed="`new DefaultChatTransport({api: …})`: `http://127.0.0.1:4280/vercel/api/chat`",
        command=("{python}", "{here}/programs/in_chromium.py", "{bin}/esbuild", "{url}", "{task}"),
        needs=(("chromium", "chromium-browser"),),
        # Its page has a button for another attempt, which is pressed after the 429 too.
        **_GIVES_UP,
    ),
)
