"""What the helper for Node has, and what its tables say."""

from __future__ import annotations

import json
import re

import pytest

from mockd.config.models import Mock
from mockd.presets.llm import LLM
from tests.languages.conftest import HELPERS, NODE, Folder, wait_until_over
from tests.programs import program

SOURCE, TYPES = (file.read_text(encoding="utf-8") for file in HELPERS)
CHATS = [route for route in LLM.routes if route.template == LLM.endpoint(route.provider).template]


def test_every_method(node_folder: Folder) -> None:
    node_folder.write("methods.test.mjs", (NODE / "methods.test.mjs").read_text(encoding="utf-8"))
    ran = node_folder.run(program("node"), "--test", "methods.test.mjs")
    assert ran.code == 0, ran.text
    for server in node_folder.servers():
        wait_until_over(server)


def test_fields_of_mocks_are_those_of_the_configuration() -> None:
    named = re.search(r"const OF_MOCK = \[(.*?)\];", SOURCE, re.DOTALL)
    assert named
    words = " ".join(re.findall(r'"([\w ]+)"\.split', named[1]))
    assert tuple(words.split()) == Mock.__struct_encode_fields__


def test_every_provider_of_chats_is_answered_at_its_own_path(node_folder: Folder) -> None:
    asked = [[route.provider, re.sub(r"\{\w+\}", "any", route.path)] for route in CHATS]
    node_folder.write(
        "main.mjs",
        f"""
        import {{ start }} from "./mockd.mjs";
        const server = await start();
        const seen = [];
        for (const [provider, path] of {json.dumps(asked)}) {{
          await ask(provider, path);
        }}
        async function ask(provider, path) {{
          const mockd = server.test();
          await mockd.llm("Hello", provider);
          const answer = await fetch(mockd.url + path, {{ method: "POST", body: "{{}}" }});
          const [{{ mockId }}] = await mockd.requests();
          const {{ sse, chunked }} = await mockd.call("GET", `/mocks/${{mockId}}`);
          seen.push([provider, path, answer.status, (sse ?? chunked).template]);
        }}
        console.log(JSON.stringify(seen));
        await server.close();
        """,
    )
    ran = node_folder.run(program("node"), "main.mjs")
    assert ran.code == 0, ran.text
    assert json.loads(ran.text) == [
        [route.provider, path, 200, route.template] for route, (_, path) in zip(CHATS, asked, strict=True)
    ]
    assert {route.provider for route in CHATS} == {route.provider for route in LLM.routes if route.template}


def test_names_of_providers_are_those_of_the_types() -> None:
    table = re.search(r"const CHATS = \{(.*?)\};", SOURCE, re.DOTALL)
    union = re.search(r"type Provider =(.*?);", TYPES, re.DOTALL)
    assert table
    assert union
    assert re.findall(r'^  "?([\w-]+)"?: ', table[1], re.MULTILINE) == re.findall(r'"([\w-]+)"', union[1])


@pytest.mark.clients(group="node")
def test_the_types_are_those_of_the_code(packages_folder: Folder) -> None:
    """Each member that the types name is there, no other is, and TypeScript takes a test that uses them."""
    packages_folder.write("members.mjs", (NODE / "members.mjs").read_text(encoding="utf-8"))
    ran = packages_folder.run(program("node"), "members.mjs")
    assert ran.code == 0, ran.text
    found = json.loads(ran.text)
    assert found["typed"] == found["there"]
    assert len(found["typed"]) == 4


@pytest.mark.clients(group="node")
@pytest.mark.parametrize("mistake", ["", "await stream.steep();", "mockd.sse(1, []);", 'mockd.llm("Hi", "opnai");'])
def test_typescript_knows_them(mistake: str, packages_folder: Folder) -> None:
    packages_folder.write(
        "usage.mts",
        f"""
        import {{ connect, MockdError, start, type Server }} from "./mockd.mjs";

        const server: Server = process.argv[2] ? await connect({{ admin: process.argv[2] }}) : await start();
        await using mockd = server.test("usage");
        const chat = await mockd.llm("Hello", "anthropic", {{ templateParams: {{ usage: true }}, priority: 2 }});
        await chat.holdAt("head", {{ upcoming: "all" }});
        const stream = await chat.waitForStream({{ timeoutSeconds: 1 }});
        const outcome: string = (await stream.waitEnded()).outcome;
        await mockd.verify({{ path: "/v1/messages" }}, {{ atLeast: 1, withinSeconds: 2 }});
        await mockd.verifyOrder(["/a", outcome]).catch((error: MockdError) => error.details?.hint);
        {mistake}
        """,
    )
    options = ("--noEmit", "--strict", "--target", "es2022", "--lib", "esnext", "--module", "nodenext")
    ran = packages_folder.run(
        program("node"), "node_modules/typescript/bin/tsc", *options, "--types", "node", "usage.mts"
    )
    assert (ran.code == 0) == (mistake == ""), ran.text
