"""`mockd torture` as people use it: a naive reader is convicted, a right one acquitted, and what is saved shows why."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mockd.cli.app import run as run_mockd
from mockd.config.load import load_paths
from mockd.testing import running_mockd
from mockd.torture.marks import MARKS
from tests.cli.harness import clean_environ
from tests.torture.test_command import is_gone

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "torture"
CHAT = str(EXAMPLES / "chat.json")
NAIVE, RIGHT = ([sys.executable, str(EXAMPLES / f"{name}.py"), "{url}"] for name in ("naive", "right"))
PATIENCE_S = 120


@dataclass
class Tortured:
    """A torture that is over."""

    code: int
    out: str
    err: str

    @property
    def outcomes(self) -> dict[str, Any]:
        """What `--json` says of each variant."""
        return {outcome["variant"]: outcome for outcome in json.loads(self.out)}


Torture = Callable[..., Tortured]


@pytest.fixture
def torture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Torture:
    """Tortures a command; what is saved is in the test's folder."""

    def call(source: str, command: list[str], *options: str) -> Tortured:
        capfd.readouterr()
        code = run_mockd(["torture", source, "--out", str(tmp_path), *options, "--", *command])
        return Tortured(code, *capfd.readouterr())

    return call


def printed(command: list[str], mock: dict[str, Any]) -> tuple[int, str]:
    """The exit code of a command that reads a mock, and what it prints."""
    with running_mockd(mock) as mockd:
        words = [word.replace("{url}", mockd.url + mock["matcher"]["path"]) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout


def convicts(file: str, command: list[str]) -> bool:
    """Whether a saved file shows by itself that a command is wrong: with its framing, and not without."""
    [spec] = load_paths((file,))
    kind = "sse" if "sse" in spec.values else "chunked"
    clean = {**spec.values, kind: {name: value for name, value in spec.values[kind].items() if name != "framing"}}
    return printed(command, clean) != printed(command, spec.values)


def saved(outcome: dict[str, Any]) -> dict[str, Any]:
    """The mock of a saved file."""
    [mock] = json.loads(Path(outcome["saved"]).read_text(encoding="utf-8"))["mocks"]
    return dict(mock)


def test_a_naive_reader_is_convicted(torture: Torture) -> None:
    only = ("lineEnding-crlf", "split-utf8", "split-lines", "spaceAfterColon", "finalBlankLine", "charset-utf-8")
    options = [word for name in only for word in ("--only", name)]
    found = torture(CHAT, NAIVE, "--json", *options)
    assert found.code == 1, found.err
    outcomes = found.outcomes
    assert list(outcomes) == list(only)
    wrong = {name for name, outcome in outcomes.items() if not outcome["same"]}
    assert wrong == {"lineEnding-crlf", "split-utf8", "spaceAfterColon", "finalBlankLine"}
    assert {name for name, outcome in outcomes.items() if "saved" in outcome} == wrong - {"finalBlankLine"}
    for name in wrong - {"finalBlankLine"}:
        assert Path(outcomes[name]["saved"]).name == f"torture-{name}.json"
        assert convicts(outcomes[name]["saved"], NAIVE), name
        assert not convicts(outcomes[name]["saved"], RIGHT), name


def test_a_reader_that_is_wrong_about_data(torture: Torture) -> None:
    """It reads the clean stream wrong too, so that no form of it shows that."""
    code = "import sys, urllib.request as r; text = r.urlopen(sys.argv[1]).read().decode()\n"
    code += "print([line for line in text.splitlines() if line.startswith('data: ')])"
    found = torture(CHAT, [sys.executable, "-c", code, "{url}"], "--json", "--only", "data-u2028", "--only", "bom")
    assert found.code == 1, found.err
    outcome = found.outcomes["data-u2028"]
    assert saved(outcome)["sse"] == {"events": [{"data": "mockd-\u2028mark"}]}
    assert "mockd-\\u2028mark" in Path(outcome["saved"]).read_text(encoding="utf-8")  # and not unseen


def test_a_command_that_prints_nothing_of_the_data(torture: Torture) -> None:
    code = "import sys, urllib.request as r; print(len(r.urlopen(sys.argv[1]).read()) > 0)"
    command = [sys.executable, "-c", code, "{url}"]
    found = torture(CHAT, command, "--only", "bom", "--only", "data-u2028")
    assert found.code == 2
    assert found.out == "what is in the data was not tried: the command prints no text of it as it is\n"
    assert "this stream has no variant 'data-u2028'" in found.err


def test_a_combination_is_made_simpler(torture: Torture) -> None:
    name = "charset-utf-8+spaceAfterColon+padding-2048"
    outcome = torture(CHAT, NAIVE, "--json", "--only", name).outcomes[name]
    assert saved(outcome)["sse"]["framing"] == {"spaceAfterColon": False}


def test_what_is_saved_is_as_small_as_can_be(torture: Torture) -> None:
    outcome = torture(CHAT, NAIVE, "--json", "--only", "split-utf8").outcomes["split-utf8"]
    mock = saved(outcome)
    [event] = mock["sse"]["events"]
    assert event.keys() == {"data"}
    assert len(event["data"]) == 1
    assert not event["data"].isascii()
    [border] = mock["sse"]["framing"]["split"]
    assert len("data: ") < border < len("data: " + event["data"]) + 3
    assert mock["id"] == "torture-split-utf8"
    assert mock["name"].startswith("split-utf8: exited with 1: UnicodeDecodeError")


def test_a_right_reader_is_acquitted_by_all_variants(torture: Torture, tmp_path: Path) -> None:
    found = torture(CHAT, RIGHT, "--json", "--timeout", str(PATIENCE_S))
    assert found.code == 0, found.err
    assert found.err.startswith("The command got none of ")
    neutral = [outcome for outcome in found.outcomes.values() if outcome["neutral"]]
    assert all(outcome["same"] for outcome in neutral)
    assert len(neutral) > 25
    names = set(found.outcomes)
    assert {f"data-{name}" for name in MARKS} < names
    assert {"encoding-gzip", "split-bytes-1", "bom", "finalBlankLine"} <= names
    assert any(name.count("+") == 2 for name in names)  # combinations
    assert list(tmp_path.iterdir()) == []


def test_faults_are_shown_and_do_not_count(torture: Torture, tmp_path: Path) -> None:
    found = torture(CHAT, RIGHT, "--json", "--faults", "--only", "fault-reset", "--only", "fault-reorder")
    assert found.code == 0, found.err
    assert [(one["neutral"], one["same"]) for one in found.outcomes.values()] == [(False, False)] * 2
    assert "ConnectionResetError" in found.outcomes["fault-reset"]["difference"]
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_there_is_a_line_for_each_variant(torture: Torture, tmp_path: Path) -> None:
    found = torture(CHAT, NAIVE, "--only", "charset-utf-8", "--only", "bom", "--only", "finalBlankLine")
    lines = found.out.splitlines()
    file = tmp_path / "torture-bom.json"
    assert found.code == 1
    assert sorted(lines[:3]) == sorted(
        [
            "same charset-utf-8",
            """differs bom: line 1 is '{"delta":" aus"}', not '{"delta":"Grüße"}'""",
            "differs finalBlankLine (not neutral): line 6 is '', not '[DONE]'",
        ]
    )
    assert lines[3:] == ["shrinking bom", f"saved {file}"]
    assert found.err == "The command got 1 of 2 variants wrong that a parser must get right.\n"


def test_on_a_terminal_there_is_a_table(tmp_path: Path) -> None:
    main, side = pty.openpty()
    options = ["--only", "charset-utf-8", "--only", "bom", "--out", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "mockd", "torture", CHAT, *options, "--", *NAIVE],
        stdin=side,
        stdout=side,
        stderr=side,
        env={**clean_environ(), "COLUMNS": "200", "TERM": "xterm"},
    )
    os.close(side)
    shown = b""
    while part := _read(main):
        shown += part
    os.close(main)
    assert process.wait(PATIENCE_S) == 1
    text = shown.decode()
    assert "torturing" in text
    assert "VARIANT        NEUTRAL  RESULT   DIFFERENCE" in text
    assert "charset-utf-8  yes      same" in text
    assert text.index("differs bom: line 1 is") < text.index("shrinking bom")  # the verdict is told when it is known
    assert "bom            yes      differs" in text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody has it open any more
        return b""


def test_a_template_that_is_posted_to(torture: Torture) -> None:
    client = """
import sys, urllib.request as r
request = r.Request(sys.argv[1], data=b'{"stream": true, "model": "m", "messages": []}')
text = b""
with r.urlopen(request) as answer:
    while part := answer.read1(65536):
        text += part.decode("utf-8", "ignore").encode()
print(text.count(b"delta"), "Köln".encode() in text)
"""
    command = [sys.executable, "-c", client, "{url}"]
    found = torture(str(EXAMPLES / "completions.json"), command, "--json", "--only", "split-utf8", "--only", "bom")
    assert found.code == 1, found.err
    assert {name for name, outcome in found.outcomes.items() if not outcome["same"]} == {"split-utf8"}
    mock = saved(found.outcomes["split-utf8"])
    assert len(mock["sse"]["events"]) == 1
    assert mock["matcher"] == {"method": "POST", "path": "/v1/chat/completions"}


def test_lines_of_json(torture: Torture, tmp_path: Path) -> None:
    (tmp_path / "lines.ndjson").write_text('{"a": "x"}\n{"a": "ö"}\n{"a": "y"}\n', encoding="utf-8")
    client = """
import sys, urllib.request as r
with r.urlopen(sys.argv[1]) as answer:
    while part := answer.read1(65536):
        print(end=part.decode())
"""
    command = [sys.executable, "-c", client, "{url}"]
    found = torture(str(tmp_path / "lines.ndjson"), command, "--json", "--only", "split-bytes-1")
    mock = saved(found.outcomes["split-bytes-1"])
    assert mock["chunked"] == {"data": "ö", "format": "ndjson", "framing": {"split": [1]}}


def test_json_is_compared_as_json(torture: Torture) -> None:
    client = "import sys, random; from urllib.request import urlopen; urlopen(sys.argv[1]).read(); "
    client += """k = ['"a": 1', '"b": 2']; random.shuffle(k); print('{' + ', '.join(k) + '}')"""
    command = [sys.executable, "-c", client, "{url}"]
    assert torture(CHAT, command, "--json", "--only", "bom", "--compare", "exit,json").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--only", "bum"], "this stream has no variant 'bum'"),
        (["--compare", "words"], "'words' is nothing to compare"),
        (["--jobs", "0"], "greater than or equal to 1"),
        (["--out", "/dev/null/x"], "cannot be made"),
    ],
)
def test_mistakes(torture: Torture, options: list[str], said: str) -> None:
    found = torture(CHAT, NAIVE, *options)
    assert (found.code, found.out) == (2, "")
    assert said in found.err


def flaky_in(run: int, tmp_path: Path, condition: str = "False") -> list[str]:
    """A command that prints something else in one of its runs, and if a condition on what it reads holds."""
    code = f"""
import pathlib, sys, urllib.request
file = pathlib.Path({str(tmp_path / "runs")!r})
run = len(file.read_text()) + 1 if file.exists() else 1
file.write_text("x" * run)
body = urllib.request.urlopen(sys.argv[1]).read()
print("odd" if run == {run} or {condition} else "even")
"""
    return [sys.executable, "-c", code, "{url}"]


def test_a_command_that_is_convicted_is_said_to_be_flaky_too(torture: Torture, tmp_path: Path) -> None:
    options = ["--jobs", "1", "--only", "charset-utf-8", "--only", "bom"]
    found = torture(CHAT, flaky_in(3, tmp_path, "body[0] == 0xef"), *options)
    assert found.code == 1
    assert "got 1 of 2 variants wrong" in found.err
    assert "It is flaky too: it did not do the same each time with charset-utf-8." in found.err


def test_a_flaky_command_is_not_convicted(torture: Torture, tmp_path: Path) -> None:
    options = ["--jobs", "1", "--only", "bom", "--only", "charset-utf-8"]
    found = torture(CHAT, flaky_in(3, tmp_path), *options)
    assert found.code == 2
    assert "the command is flaky" in found.err
    assert "variants: bom" in found.err
    assert found.out.splitlines() == ["flaky bom: line 1 is 'odd', not 'even'", "same charset-utf-8"]


def test_when_there_are_no_runs_left(torture: Torture) -> None:
    found = torture(CHAT, RIGHT, "--max-runs", "4", "--json")
    assert (found.code, len(found.outcomes)) == (0, 2)
    assert "variants were not tried: --max-runs was reached" in found.err


def test_an_interruption_ends_the_command_at_once(tmp_path: Path) -> None:
    """The clean stream is read; then it hangs."""
    note = tmp_path / "pids"
    code = f"""
import os, pathlib, sys, time, urllib.request
urllib.request.urlopen(sys.argv[1]).read()
if not ("/~run1/" in sys.argv[1] or "/~run2/" in sys.argv[1]):
    with open({str(note)!r}, "a") as file:
        file.write(str(os.getpid()) + " ")
    time.sleep(600)
"""
    options = ["--out", str(tmp_path), "--timeout", "300", "--jobs", "1"]
    command = [sys.executable, "-m", "mockd", "torture", CHAT, *options, "--", sys.executable, "-c", code, "{url}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environ())
    while not (note.exists() and note.read_text().endswith(" ")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
    [pid] = note.read_text().split()
    assert is_gone(int(pid))
