"""The trial of a command: broken ones are told from flaky ones, and from those that say nothing about the stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mockd.errors import ConfigError
from mockd.torture.bench import Bench, Ran, bench
from mockd.torture.command import Ended
from mockd.torture.compare import DEFAULT_WAYS
from mockd.torture.source import Source
from mockd.torture.trial import Trial, Verdict
from mockd.torture.variants import Variant

PATIENCE_S = 30.0
MOCK: dict[str, Any] = {"matcher": {"path": "/chat"}, "sse": {"events": [{"data": "a"}, {"data": "b"}]}}
READ = "import sys, urllib.request as r; text = r.urlopen(sys.argv[1]).read().decode()\n"
DROPPED = Variant("drop", True, faults=("drop after 1 event",))
SAME = Variant("same", True)

Start = Callable[..., Bench]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts benches for Python code that finds the text of the stream in `text`."""
    with ExitStack() as benches:

        def begin(code: str, *arguments: str, most_runs: int = 100, timeout_s: float = PATIENCE_S) -> Bench:
            argv = [sys.executable, "-c", READ + code, "{url}", *arguments]
            return benches.enter_context(bench(Source(MOCK, Path()), argv, timeout_s, most_runs))

        yield begin


def tried(bench: Bench, *variants: Variant) -> list[Verdict]:
    return Trial(bench, MOCK, DEFAULT_WAYS).verdicts(variants, 1, lambda verdict: None)


def counted(condition: str) -> str:
    """Code that counts its runs in a file, and prints something else in those of which the condition holds."""
    return f"""
file = __import__("pathlib").Path(sys.argv[2])
run = len(file.read_text()) + 1
file.write_text("x" * run)
print("odd" if {condition} else text)
"""


def test_a_command_that_reads_all_alike(start: Start) -> None:
    assert tried(start("print(text)"), SAME) == [Verdict(SAME)]


def test_a_broken_command(start: Start) -> None:
    [verdict] = tried(start("print(text)"), DROPPED)
    assert (verdict.is_wrong, verdict.is_flaky) == (True, False)
    assert verdict.difference == "line 3 is '', not 'data: b'"


@pytest.mark.parametrize("condition", ["run == 3", "run in (3, 6)", "run in (3, 4, 6)", "run >= 3"])
def test_a_flaky_command(start: Start, tmp_path: Path, condition: str) -> None:
    (tmp_path / "runs").write_text("")
    [verdict] = tried(start(counted(condition), str(tmp_path / "runs")), SAME)
    assert (verdict.is_wrong, verdict.is_flaky) == (False, True)


class Alternating:
    """A bench whose command gets every other stream in pieces wrong, and each one with pauses of so many milliseconds
    between them: it reads pieces together, as on a busy machine."""

    timeout_s = 8.0

    def __init__(self, enough_ms: float) -> None:
        self._enough_ms = enough_ms
        self._runs = 0

    def run(self, mock: dict[str, Any]) -> Ran:
        framing = mock["sse"].get("framing")
        self._runs += framing is not None
        is_wrong = framing is not None and (framing.get("pause", 0) >= self._enough_ms or self._runs % 2 == 1)
        return Ran(Ended(0, b"wrong" if is_wrong else b"right", b""), [{"mockId": "m", "headers": []}])


@pytest.mark.parametrize(("enough_ms", "pause"), [(100, 200), (500, None)])
def test_what_is_read_together_now_and_then_is_tried_with_longer_pauses(enough_ms: float, pause: float | None) -> None:
    split = Variant("split", True, {"split": "lines"})
    trial = Trial(Alternating(enough_ms), MOCK, DEFAULT_WAYS)  # type: ignore[arg-type]  # by what it is asked for
    trial.plain = MOCK
    [verdict] = trial.verdicts([split], 1, lambda verdict: None)
    assert (verdict.is_wrong, verdict.is_flaky) == (pause is not None, pause is None)
    assert verdict.variant.framing.get("pause") == pause


def test_a_command_that_is_flaky_from_the_start(start: Start, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(ConfigError, match="differs from itself on the clean stream: line 1 is 'odd'"):
        tried(start(counted("run == 2"), str(tmp_path / "runs")))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('no'); sys.exit(4)", "the command exited with 4 on the clean stream"),
        ("raise ValueError('oops')", "the command exited with 1 on the clean stream: ValueError: oops"),
        ("import os; os.abort()", "the command was killed by SIGABRT on the clean stream"),
        ("while True: print('x' * 9999)", "the command wrote more than 1,048,576 bytes on the clean stream"),
    ],
)
def test_a_command_that_fails_on_the_clean_stream(start: Start, code: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        tried(start(code))
    assert raised.value.problems[0].message == said


def test_a_command_that_hangs(start: Start) -> None:
    with pytest.raises(ConfigError, match="the command did not end within 5 s on the clean stream"):
        tried(start("import time; time.sleep(600)", timeout_s=5))


def test_a_command_that_asks_for_nothing_or_for_something_else() -> None:
    for code, said in (
        ("print('hello')", "the command has requested nothing, and exited with 0"),
        (
            "import sys, urllib.request as r; r.urlopen(sys.argv[1] + '/more')",
            "the command has requested GET /chat/more, and the stream is at GET /chat",
        ),
        (
            "import sys, urllib.parse as p, urllib.request as r; r.urlopen(p.urljoin(sys.argv[1], '/chat'))",
            "the command has requested GET /chat, which is not below the URL of the stream",
        ),
    ):
        argv = [sys.executable, "-c", code, "{url}"]
        with bench(Source(MOCK, Path()), argv, PATIENCE_S, 100) as on, pytest.raises(ConfigError) as raised:
            tried(on)
        assert raised.value.problems[0].message == said
        assert "url}" in (raised.value.hint or "")


def test_a_command_that_asks_for_nothing_now_and_then() -> None:
    code = "import sys, urllib.request as r; '/~run3/' in sys.argv[1] or print(r.urlopen(sys.argv[1]).read())"
    with bench(Source(MOCK, Path()), [sys.executable, "-c", code, "{url}"], PATIENCE_S, 100) as on:
        [verdict] = tried(on, SAME)
    assert verdict.is_flaky
    assert str(verdict.difference).endswith("it has requested nothing")


def test_the_url_is_in_the_environment_too() -> None:
    argv = [sys.executable, "-c", "import os, urllib.request as r; print(r.urlopen(os.environ['MOCKD_URL']).read())"]
    with bench(Source(MOCK, Path()), argv, PATIENCE_S, 100) as on:
        assert tried(on, SAME) == [Verdict(SAME)]


def test_there_are_so_many_runs(start: Start) -> None:
    assert tried(start("print(text)", most_runs=3), SAME, SAME) == [Verdict(SAME)]
    assert tried(start("print(text)", most_runs=5), DROPPED, SAME) == []  # it could not be tried again


def test_encodings_that_the_command_accepts() -> None:
    code = """
import sys, urllib.request as r
headers = {"Accept-Encoding": "gzip, br;q=0, deflate;q=0.5"}
print(r.urlopen(r.Request(sys.argv[1], headers=headers)).read())
"""
    with bench(Source(MOCK, Path()), [sys.executable, "-c", code, "{url}"], PATIENCE_S, 100) as on:
        assert Trial(on, MOCK, DEFAULT_WAYS).accepted == {"gzip", "deflate"}


def test_what_is_left_of_a_run() -> None:
    """Nothing: no key, no mock, no request in the journal."""
    argv = [sys.executable, "-c", READ + "print(text)", "{url}"]
    with bench(Source(MOCK, Path()), argv, PATIENCE_S, 100) as on:
        tried(on, SAME)
        assert on._admin.list_keys()["keys"] == []
        assert on._admin.list_requests()["requests"] == []


@pytest.mark.parametrize(
    "answer",
    [
        {"sse": {"events": [{"data": "$uuid $timestamp:ms $random:1:1000000"}]}},
        {"sse": {"template": "openai-chat", "templateParams": {"tokens": ["a"]}}},
        {"sse": {"template": "anthropic-messages", "templateParams": {"tokens": ["a"]}}},
        {"chunked": {"template": "ollama-chat", "templateParams": {"tokens": ["a"]}}},
    ],
)
def test_each_run_gets_the_same_stream(answer: dict[str, object]) -> None:
    given = {"matcher": {"path": "/chat"}, **answer}
    argv = [sys.executable, "-c", READ + "print(text)", "{url}"]
    with bench(Source(given, Path()), argv, PATIENCE_S, 100) as on:
        first, second = on.run(given), on.run(given)
    assert first.ended.stdout == second.ended.stdout
    assert first.ended.stdout.strip()
