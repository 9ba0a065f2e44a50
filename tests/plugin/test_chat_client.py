"""The example of a chat client: its suite finds each bug, and says what the guide shows."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

import pytest

from mockd.testing import running_mockd
from tests.docs.blocks import blocks
from tests.plugin.again import TIMES
from tests.plugin.conftest import ROOT, run_pytest

FOLDER = ROOT / "examples" / "chat-client"
BUGS = re.findall(r'^    "([\w-]+)": \w+,$', (FOLDER / "bugs.py").read_text(encoding="utf-8"), re.M)
TESTS = re.findall(r"^def (test_\w+)", (FOLDER / "test_chat.py").read_text(encoding="utf-8"), re.M)


@dataclass(frozen=True)
class Chapter:
    """A chapter of the guide: the bug, the test that finds it, and what that prints."""

    bug: str
    test: str
    printed: str


def chapters() -> list[Chapter]:
    """What the guide shows. Each chapter has the right code, the wrong code, the test, the command and its output."""
    shown = blocks(ROOT / "docs/guides/testing-a-client.md")[3:]
    order = [*(f"examples/chat-client/{name}.py" for name in ("client", "bugs", "test_chat")), "not-run", "not-run"]
    assert [block.label for block in shown] == order * (len(shown) // 5)
    found = []
    for start in range(0, len(shown), 5):
        right, wrong, test, command, printed = (block.text for block in shown[start : start + 5])
        assert right.splitlines()[0] == wrong.splitlines()[0]
        bug, name = re.fullmatch(r"pytest --bug (\S+)\n", command), re.match(r"def (\w+)", test)
        assert bug, command
        assert name, test
        found.append(Chapter(bug[1], name[1], printed))
    return found


def timeless(text: str) -> str:
    """What is the same in each run: without times, and without spaces at the ends of lines."""
    text = re.sub(r"^(E +)?\d+ +(?=GET|POST)", r"\1# ", text, flags=re.M)
    text = re.sub(r"\bassert \d\.\d+", "assert #", text)
    return re.sub(r" +$", "", text, flags=re.M)


def is_printed(shown: str, text: str) -> bool:
    """Whether a run has printed this; `…` stands for anything."""
    pattern = re.escape(timeless(shown)).replace("…", ".*")
    return re.search(pattern, timeless(text), re.DOTALL) is not None


def test_each_bug_and_each_test_has_a_chapter() -> None:
    assert [chapter.bug for chapter in chapters()] == BUGS
    assert [chapter.test for chapter in chapters()] == TESTS
    assert len(BUGS) == 8


def test_the_client_has_no_bug() -> None:
    ran = run_pytest(FOLDER)
    assert ran.summary() == {"passed": 8}, ran.text


def test_in_several_processes() -> None:
    ran = run_pytest(FOLDER, "-n", "4", plugins=("xdist",))
    assert ran.summary() == {"passed": 8}, ran.text


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.bug)
def test_a_bug_is_found_by_its_test_alone(chapter: Chapter) -> None:
    ran = run_pytest(FOLDER, "--bug", chapter.bug)
    assert ran.summary() == {"failed": 1, "passed": 7}, ran.text
    assert f"FAILED test_chat.py::{chapter.test} " in ran.text
    assert is_printed(chapter.printed, ran.text), ran.text


@pytest.mark.repeats
@pytest.mark.parametrize("pauses", [False, True])
def test_the_suite_again_and_again(pauses: bool) -> None:
    ran = run_pytest(FOLDER, "-n", "4", plugins=("xdist", "tests.plugin.again"), pauses=pauses)
    assert ran.summary() == {"passed": 8 * TIMES}, ran.text


def test_the_client_by_itself() -> None:
    mock = {
        "matcher": {"path": "/v1/chat/completions"},
        "sse": {"template": "openai-chat", "templateParams": {"text": "Grüße"}},
        "faults": ["status 401 for requests 2"],
    }
    with running_mockd(mock) as mockd:
        command = [sys.executable, "-X", "utf8", "client.py", mockd.url, "Say hello"]
        answered, refused = (
            subprocess.run(command, cwd=FOLDER, capture_output=True, check=False, encoding="utf-8", timeout=60)
            for _ in range(2)
        )
    assert (answered.returncode, answered.stdout, answered.stderr) == (0, "Grüße\n", "")
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", " [refused with 401]\n")
