"""Runners of tests for Node, and what tests of each begin with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.languages.conftest import Folder, Ran
from tests.programs import program


@dataclass(frozen=True)
class Runner:
    """How a runner is called, and what a file for it imports, so that there is `test`, `afterAll` and `afterEach`."""

    name: str
    words: tuple[str, ...]
    head: str

    def __str__(self) -> str:
        return self.name

    def run(
        self, folder: Folder, text: str, *, name: str = "suite.test.mjs", head: str | None = None, **environ: str
    ) -> Ran:
        """Run the tests of a text behind the usual head or another one."""
        folder.write("package.json", "{}")
        patient = text.replace("await start()", "await start({ patienceSeconds: 60 })")
        folder.write(name, (self.head if head is None else head) + patient)
        ran = folder.run(program("node"), *self.words, name, **environ)
        return Ran(ran.code, re.sub(r"\x1b\[[\d;]*m", "", ran.text))


# Machines may be too busy for the time that runners and the helper give to a test.
_PATIENT = "--testTimeout=60000"

VITEST = Runner(
    "vitest",
    ("node_modules/vitest/vitest.mjs", "run", _PATIENT, "--hookTimeout=60000", "--expect.poll.timeout=60000"),
    'import { afterAll, afterEach, beforeEach, test } from "vitest";\n',
)
JEST = Runner("jest", ("--experimental-vm-modules", "node_modules/jest/bin/jest.js", _PATIENT), "")
NODE_TEST = Runner(
    "node --test",
    ("--test",),
    'import { after as afterAll, afterEach, beforeEach, test } from "node:test";\n',
)
RUNNERS = (VITEST, JEST, NODE_TEST)
