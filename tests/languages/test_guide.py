"""What the guide shows for other languages works as it says, in the tools that it names."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from mockd.client import AdminClient
from tests.cli.harness import Served
from tests.docs.blocks import Block, blocks
from tests.docs.reader import ADMIN, MOCKS
from tests.environments import ROOT
from tests.languages.conftest import Folder, Ran, bash, wait_until_over
from tests.languages.runners import NODE_TEST, VITEST, Runner
from tests.programs import program

GUIDE = ROOT / "docs" / "guides" / "in-any-language.md"
README = ROOT / "examples" / "node" / "README.md"
COMMANDS, VITEST_TEST, NODE_TEST_TEST, JAVA_TEST = ("bash", 1), ("javascript", 0), ("javascript", 1), ("java", 0)


def block(language: str, number: int) -> Block:
    return [block for block in blocks(GUIDE) if block.language == language][number]


def as_served(text: str, served: Served) -> str:
    """A text with the addresses of a server in place of the usual ones."""
    mocks, admin = served.mocks.partition("://")[2], served.admin.partition("://")[2]
    return ADMIN.sub(admin, MOCKS.sub(mocks, text))


def test_the_commands(folder: Folder, served: Served) -> None:
    commands = block(*COMMANDS).text.replace("curl ", "curl --silent --show-error --fail --max-time 60 ")
    folder.write("test.sh", "set -e\n" + as_served(commands, served))
    ran = folder.run(bash(), "test.sh")
    assert ran.code == 0, ran.text
    assert "data: Hello\n\n" in ran.text
    assert "data: there\n\n" in ran.text
    assert "data: friend" not in ran.text
    assert '{"ok":true,"count":1,"message":"expected a request for /chat' in ran.text
    with AdminClient(served.admin) as admin:
        assert admin.list_keys()["keys"] == []
        assert admin.list_connections()["connections"] == []


@pytest.mark.clients(group="node")
@pytest.mark.parametrize(("runner", "shown"), [(VITEST, VITEST_TEST), (NODE_TEST, NODE_TEST_TEST)], ids=str)
def test_a_test_for_node(runner: Runner, shown: tuple[str, int], packages_folder: Folder) -> None:
    test = block(*shown)
    assert test.file_name
    ran = runner.run(packages_folder, test.text, name=test.file_name, head="")
    assert ran.code == 0, ran.text
    assert "1 passed" in ran.text or "# pass 1" in ran.text
    wait_until_over(packages_folder.servers()[0])


@pytest.mark.clients(group="node")
def test_a_part_that_closes_by_itself(packages_folder: Folder) -> None:
    text = block(*VITEST_TEST).text
    using = text.replace("const mockd =", "await using mockd =").replace("  onTestFinished(() => mockd.close());\n", "")
    assert using.count("mockd.close") == 0
    over = 'test("it is closed", async () => {\n  expect((await server.call("GET", "/keys")).keys).toEqual([]);\n});\n'
    ran = VITEST.run(packages_folder, using + over, name="using.test.ts", head="")
    assert ran.code == 0, ran.text
    assert "2 passed" in ran.text


ASKS = 'ask(mockd.url + "/chat");'
BROKEN = {
    "asks twice": (ASKS, f"{ASKS} {ASKS}", "AssertionError: expected GET /chat exactly once, but it came 2 times"),
    "never asks": (ASKS, "null;", "AssertionError: expected a stream of "),
    "is misspelt": ('"sse"', '"see"', 'unknown key `see`","path":"$.see"'),
    "is elsewhere": ("new Mockd()", 'new Mockd("http://127.0.0.1:4")', "no answer from http://127.0.0.1:4; is a mockd"),
}
"""Tests for Java that fail: what is written otherwise, and what they say."""


def test_a_test_for_java(junit: Callable[..., Ran], served: Served) -> None:
    ran = junit("ChatTest", block(*JAVA_TEST).text, MOCKD_ADMIN_URL=served.admin)
    assert ran.code == 0, ran.text
    assert "1 tests successful" in ran.text
    with AdminClient(served.admin) as admin:
        assert admin.list_keys()["keys"] == []


@pytest.mark.parametrize("broken", BROKEN)
def test_a_test_for_java_that_fails(broken: str, junit: Callable[..., Ran], served: Served) -> None:
    shown, written, said = BROKEN[broken]
    text = block(*JAVA_TEST).text
    assert shown in text
    ran = junit("ChatTest", text.replace(shown, written), 1, MOCKD_ADMIN_URL=served.admin)
    assert ran.code != 0
    assert said in ran.text
    with AdminClient(served.admin) as admin:
        assert admin.list_keys()["keys"] == []


def test_the_readme_of_the_helper(node_folder: Folder) -> None:
    [shown] = [each for each in blocks(README) if each.language == "javascript"]
    body = json.dumps({"model": "gpt-4.1", "stream": True, "messages": [{"role": "user", "content": "Hi"}]})
    client = f"fetch(mockd.url + '/v1/chat/completions', {{ method: 'POST', body: '{body}' }});"
    node_folder.write("main.mjs", shown.text.replace("// … your client asks mockd.url …", client))
    ran = node_folder.run(program("node"), "main.mjs")
    assert ran.code == 0, ran.text
