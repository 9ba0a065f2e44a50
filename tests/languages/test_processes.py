"""Processes of Node that end in every way: no server is left behind, and nothing stays held."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.harness import Served, free_port
from tests.languages.conftest import Folder, wait_until_over
from tests.programs import program
from tests.wire.sockets import Client

BEGIN = """
import { connect, start } from "./mockd.mjs";
const server = await start();
await server.test().sse("/ticks", ["one"]);
console.log("ready");
"""
WAYS = {
    "it is closed": "await server.close();",
    "nothing is left to do": "",
    "exit": "process.exit(3);",
    "an exception": 'throw new Error("broken");',
    "a rejection": 'Promise.reject(new Error("broken")); setInterval(() => {}, 1000);',
    "a crash": "process.abort();",
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


@pytest.mark.parametrize("way", WAYS)
def test_no_server_is_left(way: str, node_folder: Folder) -> None:
    node_folder.write("main.mjs", BEGIN + WAYS[way])
    ran = node_folder.run(program("node"), "main.mjs")
    assert "ready" in ran.text
    assert (ran.code == 0) == (way in ("it is closed", "nothing is left to do")), ran.text
    [server] = node_folder.servers()
    wait_until_over(server)


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to it", "to all, as a terminal does"])
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_no_server_is_left_by_a_signal(
    number: signal.Signals, send: Callable[[int, int], None], node_folder: Folder
) -> None:
    node_folder.write("main.mjs", BEGIN + "setInterval(() => {}, 1000);")
    process = node_folder.begin(program("node"), "main.mjs")
    assert process.stdout
    with process.stdout as lines:
        assert lines.readline() == "ready\n"
        send(process.pid, number)
        assert process.wait() == -number  # as if there were no helper
    wait_until_over(node_folder.servers()[0])


def test_no_server_is_left_if_every_node_is_ended(node_folder: Folder) -> None:
    """As `killall node` does it, which also strikes the process between a test and its server."""
    node_folder.write("main.mjs", BEGIN + "setInterval(() => {}, 1000);")
    process = node_folder.begin(program("node"), "main.mjs")
    assert process.stdout
    with process.stdout as lines:
        assert lines.readline() == "ready\n"
        [server] = node_folder.servers()
        status = Path(f"/proc/{server}/status").read_text(encoding="utf-8")
        os.kill(int(status.partition("\nPPid:")[2].split()[0]), signal.SIGTERM)
        wait_until_over(server)


def test_no_server_is_left_by_a_thread_that_is_ended(node_folder: Folder) -> None:
    """As runners end threads that hang: none of a thread's own handlers is called."""
    worker = 'import { parentPort } from "node:worker_threads";\nparentPort.postMessage("ready");\nwhile (true) {}'
    node_folder.write("worker.mjs", BEGIN + worker)
    main = """
        import { Worker } from "node:worker_threads";
        const worker = new Worker("./worker.mjs");
        worker.once("message", async () => {
          await worker.terminate();
          console.log("ended");
          setInterval(() => {}, 1000);
        });
    """
    node_folder.write("main.mjs", main)
    process = node_folder.begin(program("node"), "main.mjs")
    assert process.stdout
    with process.stdout as lines:
        while lines.readline() != "ended\n":
            assert process.poll() is None
        wait_until_over(node_folder.servers()[0])


def test_closing_waits_until_the_server_is_over(node_folder: Folder) -> None:
    after = 'await server.close();\nconsole.log(await fetch(server.url).catch(() => "over"));'
    node_folder.write("main.mjs", BEGIN + after)
    ran = node_folder.run(program("node"), "main.mjs")
    assert (ran.code, ran.text) == (0, "ready\nover\n")


def test_a_server_may_write_much_to_its_log(node_folder: Folder) -> None:
    noisy = '#!/bin/sh\n(cat begin; head -c 1000000 /dev/zero >&2; echo over >end) &\nexec mockd "$@"\n'
    node_folder.write("noisy", noisy)
    (node_folder.path / "noisy").chmod(0o755)
    for name in ("begin", "end"):
        os.mkfifo(node_folder.path / name)
    node_folder.write(
        "main.mjs",
        """
        import { readFile, writeFile } from "node:fs/promises";
        import { start } from "./mockd.mjs";
        const server = await start({ command: ["./noisy"] });
        await writeFile("begin", "now");
        console.log(await readFile("end", "utf8"));
        await server.close();
        """,
    )
    ran = node_folder.run(program("node"), "main.mjs")
    assert (ran.code, ran.text) == (0, "over\n\n")


def test_a_server_that_does_not_start(node_folder: Folder) -> None:
    node_folder.write(
        "main.mjs",
        """
        import { connect, start } from "./mockd.mjs";
        const says = (promise) => promise.then(() => console.log("no error"), (error) => console.log(error.message));
        await says(start({ command: ["no-mockd"] }));
        await says(start({ args: ["missing.yaml"] }));
        await says(start({ command: ["mockd", "version"] }));
        await says(connect({ admin: "http://127.0.0.1:4" }));
        """,
    )
    ran = node_folder.run(program("node"), "main.mjs")
    assert ran.code == 0, ran.text
    assert "`no-mockd serve` has not started:\nspawn no-mockd ENOENT; install mockd, or say how" in ran.text
    assert "`mockd serve` has not started:\n" in ran.text
    assert "missing.yaml: there is no such file" in ran.text
    assert "`mockd version serve` has not started:" in ran.text
    assert "no answer from http://127.0.0.1:4: " in ran.text
    assert "is a `mockd serve` running there?" in ran.text
    assert "no error" not in ran.text


def test_nothing_stays_held_by_a_process_that_is_killed(node_folder: Folder) -> None:
    server = Served("--admin-port", str(free_port()), "--key-max-age", "3")
    node_folder.write(
        "main.mjs",
        """
        import { connect } from "./mockd.mjs";
        const server = await connect({ admin: process.env.ADMIN, patienceSeconds: 60 });
        const mockd = server.test();
        const ticks = await mockd.sse("/ticks", ["one", "two"]);
        await ticks.holdAt(1);
        console.log(ticks.url);
        await (await ticks.waitForStream()).waitHeld();
        console.log("held");
        await ticks.waitForStream();
        """,
    )
    process = node_folder.begin(program("node"), "main.mjs", ADMIN=server.admin)
    try:
        assert process.stdout
        with process.stdout as lines:
            base, _, path = lines.readline().strip().rpartition("/~")
            with Client(base) as client:
                client.ask(f"/~{path}")
                assert lines.readline() == "held\n"
                process.kill()
                assert client.read_head()[0] == 200
                assert b"".join(client.read_chunks()) == b"data: one\n\ndata: two\n\n"
    finally:
        server.stop()
