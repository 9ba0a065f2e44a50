"""Agents that people start in a terminal: they read a file, write another one, and say how it went."""

from __future__ import annotations

import json

from tests.agents.agent import Agent
from tests.agents.job import Results, call, say

_OPENCODE = {
    "autoupdate": False,
    "share": "disabled",
    "provider": {
        "mockd": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": "{url}/openai/v1", "apiKey": "any"},
            "models": {"any": {"name": "any"}},
        }
    },
}

_CODEX = """\
model = "any"
model_provider = "mockd"

[model_providers.mockd]
name = "mockd"
base_url = "{url}/openai/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"

[analytics]
enabled = false
"""

_GEMINI = {
    "general": {"enableAutoUpdate": False},
    "privacy": {"usageStatisticsEnabled": False},
    "security": {"auth": {"selectedType": "gemini-api-key"}},
}

_READ_AND_WRITTEN: Results = ({"toolResultContains": "{station}"}, {"step": 2})
"""What writes a file says nothing of what is in it."""

CODING_AGENTS = (
    Agent(
        name="claude-code",
        package="@anthropic-ai/claude-code",
        runs_on="Node",
        wire="anthropic",
        pointed="`ANTHROPIC_BASE_URL=http://127.0.0.1:4280/anthropic`",
        command=("{bin}/claude", "--print", "{task}", "--allowedTools", "Read,Write"),
        environ={
            "ANTHROPIC_BASE_URL": "{url}/anthropic",
            "ANTHROPIC_API_KEY": "sk-any",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        first=call("Read", file_path="{work}/stations.txt"),
        second=call("Write", file_path="{work}/rain.txt", content="{rain}"),
        results=_READ_AND_WRITTEN,
        writes=True,
        side_calls=1,
    ),
    Agent(
        name="codex",
        package="@openai/codex",
        runs_on="Node",
        wire="responses",
        pointed="`base_url` of a provider in `config.toml`",
        command=(
            *("{bin}/codex", "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access"),
            "{task}",
        ),
        environ={"OPENAI_API_KEY": "sk-any", "CODEX_HOME": "{home}/.codex"},
        home={".codex/config.toml": _CODEX},
        first=call("exec_command", cmd="cat stations.txt"),
        second=call("exec_command", cmd="printf {rain} > rain.txt"),
        results=_READ_AND_WRITTEN,
        writes=True,
    ),
    Agent(
        name="gemini-cli",
        package="@google/gemini-cli",
        runs_on="Node",
        wire="gemini",
        pointed="`GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:4280/gemini`",
        command=("{bin}/gemini", "--skip-trust", "--yolo", "--prompt", "{task}"),
        environ={"GOOGLE_GEMINI_BASE_URL": "{url}/gemini", "GEMINI_API_KEY": "any"},
        home={".gemini/settings.json": json.dumps(_GEMINI)},
        first=call("read_file", file_path="stations.txt"),
        second=call("write_file", file_path="{work}/rain.txt", content="{rain}"),
        # After a reply that ends early it says so in a message of the user, behind the result.
        results=(
            {"bodyJsonPath": {"$..functionResponse.response[?search(@, '{station}')]": {"exists": True}}},
            {"toolName": "write_file"},
        ),
        # It asks again after a stream that ends within an event, but not after a connection that is reset.
        breaks="end after 150 bytes",
        cut={"cut": "end", "afterTokens": 1},
        writes=True,
        side_calls=1,
    ),
    Agent(
        name="opencode",
        package="opencode-ai",
        runs_on="Node",
        wire="chat",
        pointed="`baseURL` of a provider in `opencode.json`",
        command=("{bin}/opencode", "run", "--model", "mockd/any", "{task}"),
        environ={
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
        },
        home={".config/opencode/opencode.json": json.dumps(_OPENCODE)},
        first=call("read", filePath="{work}/stations.txt"),
        second=call("write", filePath="{work}/rain.txt", content="{rain}"),
        results=({"toolResultContains": "{station}"}, {"toolResultContains": "Wrote file"}),
        writes=True,
        side_calls=1,
    ),
    Agent(
        name="aider",
        package="aider-chat",
        needs=(("git",),),
        wire="chat",
        pointed="`OPENAI_API_BASE=http://127.0.0.1:4280/openai/v1`",
        command=(
            # It only knows the files of a repository.
            *("sh", "-c", 'git init --quiet && git add . && exec "$@"', "-"),
            *("{bin}/aider", "--model", "openai/any", "--edit-format", "whole", "--yes-always", "--no-auto-commits"),
            *("--no-gitignore", "--no-check-update", "--analytics-disable", "--no-show-model-warnings"),
            *(
                "--no-show-release-notes",
                "--no-pretty",
                "--map-tokens",
                "0",
                "--auto-test",
                "--test-cmd",
                "cat rain.txt && false",
            ),
            *("--message", "{task}"),
        ),
        environ={
            "OPENAI_API_BASE": "{url}/openai/v1",
            "OPENAI_API_KEY": "sk-any",
            "LITELLM_LOCAL_MODEL_COST_MAP": "true",
        },
        home={".aider/caches/model_prices_and_context_window.json": '{"any": {}}'},
        # It uses no tools: it takes a file's name for a wish to read it, and this form for a wish to write it.
        first=say("Please show me the file stations.txt first."),
        results=({"contains": "I added these files to the chat"}, {"contains": "{rain}"}),
        second=say("rain.txt\n```\n{rain}\n```\n"),
        writes=True,
    ),
)
