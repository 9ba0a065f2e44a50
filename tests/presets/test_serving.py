"""The preset from settings: what shapes it, and how it is served."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockd import create_app
from mockd.errors import ConfigError
from mockd.presets import configured
from mockd.presets.llm import LLM
from mockd.settings import Settings, env_name, option
from mockd.testing import running_mockd
from tests.admin.conftest import serve as serve_app
from tests.cli.harness import PATIENCE_S, Served, clean_environ, free_port
from tests.presets.asking import CHAT, asked, payloads, texts
from tests.stream.harness import Lab

SHAPING = {
    "preset_text": "a",
    "preset_script": "a.json",
    "auto_tools": True,
    "side_calls": False,
    "explain": True,
    "ttft": 1,
    "itl": 1,
    "tokens_per_second": 1,
    "require_key": ("a",),
    "rpm": 1,
    "tpm": 1,
    "context_window": 1,
}


def said(url: str) -> str:
    content: str = httpx2.post(url + "/v1/chat/completions", json=CHAT).json()["choices"][0]["message"]["content"]
    return content


# -- settings ----------------------------------------------------------------------------------------------------------


def test_without_a_preset_there_is_none() -> None:
    assert configured(Settings()) == []


def test_an_unknown_preset_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        configured(Settings(preset="lmm"))
    assert str(caught.value) == "--preset (MOCKD_PRESET): there is no preset 'lmm' (known: llm)"


@pytest.mark.parametrize(("name", "value"), SHAPING.items())
def test_what_shapes_a_preset_needs_one(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(Settings(**{name: value}))
    assert str(caught.value) == (
        f"{option(name)} ({env_name(name)}) shapes a preset, and there is none (add --preset llm)"
    )


@pytest.mark.parametrize("text", ["Always this.", ""])
def test_a_text_of_ones_own(text: str) -> None:
    with running_mockd(settings=Settings(preset="llm", preset_text=text)) as mockd:
        assert said(mockd.url) == text


def test_a_text_that_follows_the_request() -> None:
    with running_mockd(settings=Settings(preset="llm", preset_text="I am {{ request.body.model }}.")) as mockd:
        assert said(mockd.url) == "I am m."
    with pytest.raises(ConfigError) as caught:
        configured(Settings(preset="llm", preset_text="{{ request. }}"))
    [problem] = caught.value.problems
    assert problem.message.startswith("--preset-text (MOCKD_PRESET_TEXT): ")


def test_a_mock_of_a_file_takes_the_place_of_one_with_its_id(tmp_path: Path) -> None:
    own = {"id": "llm-openai-chat", "matcher": {"path": "/mine"}, "response": {"body": "mine"}}
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(own), encoding="utf-8")
    with running_mockd(settings=Settings(preset="llm", config=(str(file),))) as mockd:
        assert httpx2.get(mockd.url + "/mine").text == "mine"
        assert httpx2.post(mockd.url + "/v1/chat/completions", json=CHAT).status_code == 404
        assert said(mockd.url + "/openai") == "Say hello to me"


# -- timing ------------------------------------------------------------------------------------------------------------

PACED = {
    "openai-chat": "/v1/chat/completions",
    "anthropic-messages": "/v1/messages",
    "gemini": "/v1beta/models/m:streamGenerateContent",
    "ollama-chat": "/api/chat",
    "cohere-chat": "/v2/chat",
    "ag-ui": "/agent",
}
WORDS = ["Say", " hello", " to", " me"]


@pytest.mark.anyio
@pytest.mark.parametrize("template", PACED)
@pytest.mark.parametrize(
    ("settings", "moments"),
    [
        ({"ttft": 100, "itl": 20}, [100, 120, 140, 160]),
        ({"ttft": 100}, [100, 100, 100, 100]),
        ({"tokens_per_second": 50}, [20, 40, 60, 80]),
        ({"itl": 10, "tokens_per_second": 50}, [10, 20, 30, 40]),
    ],
    ids=str,
)
async def test_timing(template: str, settings: dict[str, float], moments: list[int]) -> None:
    lab = Lab(preset="llm", **settings)
    lab.engine.load(configured(lab.engine.settings))
    answer = await lab.open(PACED[template], method="POST", body=json.dumps(asked(template, stream=True)).encode())
    await lab.clock.advance(10)
    parts = [(at, part.decode()) for at, part in answer.writes]
    found = {word: at for at, part in parts for word in WORDS if f'"{word}"' in part}
    assert found == dict(zip(WORDS, moments, strict=True))


# -- served ------------------------------------------------------------------------------------------------------------


def test_an_app_with_a_preset() -> None:
    with serve_app(create_app(Settings(preset="llm"))) as url:
        assert said(url) == "Say hello to me"


@pytest.fixture
def served() -> Any:
    started: list[Served] = []

    def start(*arguments: str, environ: dict[str, str] | None = None) -> Served:
        started.append(Served("--admin-port", str(free_port()), *arguments, environ=environ))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.wait()


def test_the_command_tells_the_base_urls(served: Any) -> None:
    server = served("--preset", "llm")
    welcome = server.wait_for(lambda line: "mocks" in line)
    paths = {name: url.removeprefix(server.mocks) for name, url in welcome["baseUrls"].items()}
    assert paths == LLM.base_urls
    assert said(server.mocks) == "Say hello to me"
    # The line to try works as it is.
    words = welcome["try"].split()
    assert words[0] == "curl"
    assert words[-1] == server.mocks + "/v1/chat/completions"


def test_the_command_tells_them_as_text() -> None:
    command = [sys.executable, "-m", "mockd", "serve", "--preset", "llm", "--port", "0", "--admin-port", "0"]
    with subprocess.Popen(command, env=clean_environ(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        lines = [process.stderr.readline() for _ in range(5 + len(LLM.base_urls))]
        process.terminate()
    base = lines[1].split()[1]
    assert lines[4] == "base URLs for clients\n"
    assert [line.split() for line in lines[5:]] == [[name, base + path] for name, path in LLM.base_urls.items()]


def test_what_is_left_out_is_in_the_log(served: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('[{"reply": {"text": "a"}}, {"reply": {"refusal": "No."}}]', encoding="utf-8")
    server = served("--preset", "llm", "--preset-script", str(script))
    lines = [line for line in server.lines if "left out" in line.get("message", "")]
    assert [line["level"] for line in lines] == ["warning"]
    assert "$[1].reply.refusal" in lines[0]["message"]


def test_a_script_that_is_saved_is_applied(served: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- reply: {text: Before.}\n", encoding="utf-8")
    server = served("--preset", "llm", "--preset-script", str(script), "--watch")
    assert said(server.mocks) == "Before."
    script.write_text("- reply: {text: After that.}\n", encoding="utf-8")
    server.wait_for_message("the configuration was applied")
    assert said(server.mocks) == "After that."
    script.write_text("- reply: {txt: Wrong.}\n", encoding="utf-8")
    server.wait_for_message("the configuration was not applied")
    assert said(server.mocks) == "After that."


def test_the_log_says_which_entry_answered(served: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- {when: {step: 1}, reply: {text: a}}\n- reply: {text: Second.}\n", encoding="utf-8")
    server = served("--preset", "llm", "--preset-script", str(script), "--explain")
    assert said(server.mocks) == "Second."
    server.wait_for_message("script[0] does not")
    told = [{name: line[name] for name in ("level", "rule", "reason")} for line in server.lines if "rule" in line]
    assert told == [
        {"level": "info", "rule": "script[1]", "reason": None},
        {"level": "info", "rule": "script[0]", "reason": "`step: 1`, but it is step 0"},
    ]


def test_the_log_says_of_every_entry_why_it_did_not_answer(served: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"when": {"step": step}, "reply": {"text": "a"}} for step in range(1, 61)]))
    server = served("--preset", "llm", "--preset-script", str(script), "--explain")
    for _ in range(3):
        said(server.mocks)
    server.stop()
    told = [line["rule"] for line in server.lines if "rule" in line]
    assert told == ["the reply for all else", *(f"script[{number}]" for number in range(60))] * 3


def test_a_preset_that_is_not_there_stands_against_serving() -> None:
    command = [sys.executable, "-m", "mockd", "serve", "--preset", "none", "--port", "0"]
    done = subprocess.run(command, env=clean_environ(), capture_output=True, check=False, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--preset (MOCKD_PRESET): there is no preset 'none' (known: llm)\n"


def test_nothing_of_it_is_in_the_way_of_a_stream(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mockd"), running_mockd(settings=Settings(preset="llm")) as mockd:
        answer = httpx2.post(mockd.url + "/v1/chat/completions", json={**CHAT, "stream": True})
        assert "hello" in "".join(texts(payloads(answer.text)))
    assert not caplog.records
