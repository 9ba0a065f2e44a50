"""Many tests at once on one server: none sees another's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.harness import Served
from tests.stress.asking import ask
from tests.stress.parallel import MOCKS

PROCESSES, TESTS = 8, 50


def test_no_test_sees_another(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(MOCKS))
    served = Served(str(file), "--admin-port", "0")
    try:
        command = [sys.executable, "-m", "tests.stress.parallel", served.mocks, served.admin]
        running = [
            subprocess.Popen([*command, f"p{number}", str(TESTS)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for number in range(PROCESSES)
        ]
        told = [process.communicate()[0].decode() for process in running]
        assert [process.returncode for process in running] == [0] * PROCESSES, told
        assert "".join(told) == ""
        _, answer = ask(served.admin + "/keys")
        assert json.loads(answer)["total"] == 0
    finally:
        served.stop()
