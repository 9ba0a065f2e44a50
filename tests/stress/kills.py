"""Kills of a server that is being changed, each at any moment: what was acknowledged is there after the next start."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.stress.asking import ask
from tests.stress.server import Server


class Changer:
    """Makes mocks, one after another, until the server is gone. `asked` and `acknowledged` are their numbers."""

    def __init__(self) -> None:
        self.asked: set[int] = set()
        self.acknowledged: set[int] = set()
        self._numbers = count()

    def change(self, server: Server) -> None:
        with suppress(OSError, AssertionError):  # the connection ended
            while True:
                number = next(self._numbers)
                mock = {"id": f"n{number}", "matcher": {"path": f"/n/{number}"}, "response": {"body": "x" * 1000}}
                self.asked.add(number)
                status, _ = ask(server.admin + "/mocks", "POST", mock)
                if status == 201:
                    self.acknowledged.add(number)


def kill_and_start(server: Server, changer: Changer, random: Random) -> None:
    """Kill the server while it is being changed, start it again, and see what is there."""
    thread = threading.Thread(target=changer.change, args=(server,))
    thread.start()
    time.sleep(random.random() / 3)
    server.kill()
    thread.join()
    server.start()
    mocks = json.loads(ask(server.admin + "/config")[1])["mocks"]
    found = {int(mock["id"][1:]) for mock in mocks if mock["id"][1:].isdigit()}
    assert changer.acknowledged <= found, f"lost: {sorted(changer.acknowledged - found)[:10]}"
    assert found <= changer.asked
    left = [file.name for file in server.folder.iterdir() if file.name.startswith("state")]
    assert len(left) <= 2, f"left behind: {left}"  # the state and its lock
    server.check()


def kills(until: float, random: Random) -> int:
    """Kill a server until it is that late; the number of kills, of which there is one at least."""
    with TemporaryDirectory() as folder:
        server, changer = Server(Path(folder)), Changer()
        try:
            for number in count(1):
                kill_and_start(server, changer, random)
                if time.monotonic() >= until:
                    server.stop()
                    return number
        finally:
            server.served.process.kill()
    raise AssertionError
