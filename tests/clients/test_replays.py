"""Vendors' SDKs see in a replay what they saw of the service that was recorded."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockd.recordings.reading import exchanges
from mockd.recordings.redaction import Redaction
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.cli.harness import Served
from tests.clients.node_sdk import make_calls
from tests.clients.recordings import FOLDER
from tests.clients.sdk import run_scenarios

needs_streams = pytest.mark.skipif(not FOLDER, reason="MOCKD_RECORDINGS names no folder of recorded streams")

SDKS = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "azure_openai": "openai",
    "ollama": "providers",
    "anthropic": "providers",
    "google_genai": "providers",
    "cohere": "providers",
    "mistral": "providers",
}
"""The scenarios of each SDK, and the group whose environment has it."""


@pytest.mark.parametrize(
    ("name", "group"),
    [pytest.param(name, group, marks=pytest.mark.clients(group=group)) for name, group in SDKS.items()],
)
def test_a_replay_reads_as_the_service(
    name: str, group: str, client_python: Callable[[str], Path], tmp_path: Path
) -> None:
    python, mocks = client_python(group), importlib.import_module(f"tests.clients.test_{name}").MOCKS
    with (
        running_mockd(*mocks) as service,
        running_mockd(settings=Settings(proxy=(service.url,), record=str(tmp_path))) as relay,
    ):
        saw = run_scenarios(python, name, relay.url)
    assert [exchange for file in tmp_path.glob("*.stream.jsonl") for exchange in exchanges(file)]
    with running_mockd(settings=Settings(config=(str(tmp_path),))) as replaying:
        again = run_scenarios(python, name, replaying.url)
    assert without_dates(saw.results) == without_dates(again.results)


def without_dates(value: Any) -> Any:
    """A value without the `Date` of answers, which is each answer's own."""
    if isinstance(value, dict):
        return {key: without_dates(item) for key, item in value.items() if key != "date"}
    return [without_dates(item) for item in value] if isinstance(value, list) else value


# -- streams of real services ------------------------------------------------------------------------------------------

NAMED = {"anthropic", "cohere", "openai-responses"}
"""The vendors whose events have a name, which is the `type` in their data."""
DONE = {"openai-chat", "azure-openai", "mistral"}
"""The vendors whose streams end with `[DONE]`."""

CALLS = {
    "openai": {"chatStream": "openai-chat", "azureStream": "azure-openai", "responsesStream": "openai-responses"},
    "anthropic": {"stream": "anthropic"},
    "google": {"stream": "google"},
    "ai": {
        "openaiChatStream": "openai-chat",
        "openaiCompatibleStream": "openai-chat",
        "openaiResponsesStream": "openai-responses",
        "anthropicStream": "anthropic",
        "googleStream": "google",
        "mistralStream": "mistral",
        "cohereStream": "cohere",
    },
}
"""Functions of the SDKs for Node, each with the vendor whose streams it reads."""


def streams() -> dict[str, list[Path]]:
    """The files of each vendor."""
    return {folder.name: sorted(folder.glob("*.txt")) for folder in sorted(Path(FOLDER).iterdir()) if folder.is_dir()}


def name_of(file: Path) -> str:
    return file.name.removesuffix(".chunks.txt")


def playing(vendor: str, file: Path) -> dict[str, Any]:
    """A mock that plays a file as the vendor frames it, wherever its name is in the first part of the path. What a
    recording would not keep, such as the schema of a `password`, is redacted before."""
    stream = Redaction().exchange().stream("output")
    text = (stream.feed(file.read_bytes()) + stream.finish()).decode()
    lines = [line for line in text.splitlines() if line.strip()]
    events = []
    for line in lines:
        name = f"event: {json.loads(line)['type']}\n" if vendor in NAMED else ""
        events.append({"raw": f"{name}data: {line}\n\n"})
    events += [{"raw": "data: [DONE]\n\n"}] if vendor in DONE else []
    return {
        "matcher": {"method": "POST", "pathPattern": rf"^/(?:\w+~)?{re.escape(name_of(file))}/"},
        "sse": {"events": events, "flush": "event"},
    }


def seen_of_all(folder: Path, see: Callable[[str], Any]) -> tuple[Any, Any, Any]:
    """What is seen of the vendors' streams at a server, by way of `mockd record`, and of what that recorded."""
    found = streams()
    names = {vendor: [name_of(file) for file in files] for vendor, files in found.items()}
    mocks = [playing(vendor, file) for vendor, files in found.items() for file in files]
    with running_mockd(*mocks, {"matcher": {"path": "/streams"}, "response": {"body": names}}) as service:
        original = see(service.url)
        relay = Served("--target", service.url, "--out", str(folder), "--quiet", command="record")
        try:
            relayed = see(relay.mocks)
        finally:
            relay.stop()
    with running_mockd(settings=Settings(config=(str(folder),), admin_port=0)) as replaying:
        return original, relayed, see(replaying.url)


@needs_streams
@pytest.mark.parametrize(
    ("group", "vendors"),
    [
        pytest.param(group, vendors, marks=pytest.mark.clients(group=group))
        for group, vendors in {
            "openai": ["openai-chat", "azure-openai", "openai-responses"],
            "providers": ["anthropic", "cohere", "google", "mistral"],
        }.items()
    ],
)
def test_replays_of_real_streams_read_as_the_streams(
    group: str, vendors: list[str], client_python: Callable[[str], Path], tmp_path: Path
) -> None:
    python = client_python(group)
    original, relayed, replayed = seen_of_all(
        tmp_path, lambda url: run_scenarios(python, f"streams_{group}", url).results
    )
    for vendor in vendors:
        seen = original[vendor.replace("-", "_")]["saw"]
        assert set(seen) == {name_of(file) for file in streams()[vendor]}
        assert sum(len(heard) > 1 for heard in seen.values()) > len(seen) / 2, seen
    assert relayed == original
    assert replayed == original


@needs_streams
@pytest.mark.clients(group="node")
@pytest.mark.parametrize("sdk", CALLS)
def test_replays_of_real_streams_read_as_the_streams_in_node(sdk: str, node_clients: None, tmp_path: Path) -> None:
    files = [(call, file) for call, vendor in CALLS[sdk].items() for file in streams()[vendor]]

    def see(url: str) -> dict[str, Any]:
        calls = [
            {"id": f"{call}~{name_of(file)}", "name": call, "url": f"{url}/{call}~{name_of(file)}", "attempts": 1}
            for call, file in files
        ]
        outcomes = make_calls(sdk, calls)
        return {call["id"]: without_own(outcomes.outcome(call["id"])) for call in calls}

    original, relayed, replayed = seen_of_all(tmp_path, see)
    assert sum("reply" in outcome for outcome in original.values()) > len(original) / 3, original  # others call tools
    assert relayed == original
    assert replayed == original


def without_own(outcome: dict[str, Any]) -> dict[str, Any]:
    """How a call ended, without what the client adds by itself: where in its program an error was, and new IDs of calls
    of MCP servers' tools."""
    errors = [{**error, "stack": ""} for error in outcome["errors"]]
    if "reply" not in outcome:
        return {**outcome, "errors": errors}
    reply = outcome["reply"]
    calls = [{**call, "id": ""} if call.get("name", "").startswith("mcp.") else call for call in reply["calls"]]
    return {**outcome, "errors": errors, "reply": {**reply, "calls": calls}}
