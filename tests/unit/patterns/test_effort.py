"""No pattern takes more effort than it may, whatever it is looked for in."""

from __future__ import annotations

import contextlib
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mockd.patterns import APART, AT_ONCE, LONGEST_PATTERN, Effort, NotAtOnceError, OutOfTimeError, Pattern
from mockd.patterns.pattern import check_pattern

SHORT = APART._replace(seconds=0.05)
NEVER_ENDING = {
    r"(?=a)(a|aa)+$": "a" * 60 + "!",
    r"(?=a)a.*a.*a.*a.*b": "a" * 50_000,
    r"(a|aa)+\B!": "a" * 60 + "x!",
    r"(?i)(a|aa)+!": "é" + "a" * 60 + "x!",
}
"""Patterns that only a backtracking engine runs, and texts in which it would look for them for years."""
QUICK = {
    r"(a+)+$": "a" * 1_000_000 + "!",
    r"a.*b.*c": "ab" * 1_000_000,
    r"(x+x+)+y": "x" * 1_000_000,
    r"(a|aa)+$": "a" * 1_000_000 + "é",
    r"\s+$": " " * 1_000_000 + "!",
}
"""Patterns and texts that would take `re` minutes to years."""


@pytest.mark.parametrize("source", NEVER_ENDING)
def test_a_search_is_stopped(source: str) -> None:
    pattern = Pattern(source)
    with pytest.raises(OutOfTimeError):
        pattern.is_in(NEVER_ENDING[source], Effort(SHORT))
    with pytest.raises(NotAtOnceError):
        pattern.is_in(NEVER_ENDING[source], Effort(AT_ONCE))


@pytest.mark.parametrize("source", QUICK)
def test_a_search_that_need_not_be_stopped_ends_by_itself(source: str) -> None:
    assert not Pattern(source).is_in(QUICK[source], Effort(APART._replace(seconds=20)))


@pytest.mark.parametrize("source", [*NEVER_ENDING, *QUICK])
def test_without_re2_every_search_is_stopped(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    pattern, text = Pattern(source), (NEVER_ENDING | QUICK)[source]
    with contextlib.suppress(OutOfTimeError):
        assert not pattern.is_in(text, Effort(SHORT))


def test_time_is_for_all_patterns_together() -> None:
    effort = Effort(SHORT)
    pattern = Pattern(r"(?=a)(a|aa)+$")
    searches = 0
    began = time.monotonic()
    for _ in range(10_000):
        with pytest.raises(OutOfTimeError):
            pattern.is_in("a" * 60 + "!", effort)
        searches += 1
    assert searches == 10_000
    assert time.monotonic() - began < 20  # of 500 s, if each had its own


def test_what_cannot_be_stopped_is_not_begun_if_it_may_take_too_long() -> None:
    pattern, text = Pattern(r"[ab]*a[ab]{400}c"), "ab" * 500_000
    with pytest.raises(NotAtOnceError):
        pattern.is_in(text, Effort(AT_ONCE))
    with pytest.raises(OutOfTimeError):
        pattern.is_in(text, Effort(SHORT._replace(steps=1_000_000)))


def test_steps_take_time_too() -> None:
    effort = Effort(SHORT)

    def steps() -> None:
        while True:
            effort.step()

    with pytest.raises(OutOfTimeError):
        steps()


def by_re2() -> None:
    """A search for which RE2 takes long, as it meets new states all the time."""
    Pattern(r"[ab]*a[ab]{400}c").is_in("".join(random.Random(1).choices("ab", k=500_000)), Effort(APART))


def by_regex() -> None:
    with pytest.raises(OutOfTimeError):
        Pattern(r"(?=a)(a|aa)+$").is_in("a" * 60 + "!", Effort(APART))


@pytest.mark.parametrize("search", [by_re2, by_regex])
def test_other_threads_run_during_a_search(search: Callable[[], None]) -> None:
    turns = 0
    over = threading.Event()

    def run() -> None:
        search()
        over.set()

    thread = threading.Thread(target=run)
    thread.start()
    while not over.wait(0.001):
        turns += 1
    thread.join()
    assert turns > 3  # there is none if the interpreter is held


def resident_mb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells how much memory a process has")
@pytest.mark.parametrize(("source", "number"), [(r"(?=a)((a)(b)?(c)?(d)?)+$|", 10), (r"[ab]*a[ab]{90}c|", 30)])
def test_patterns_keep_little_memory_of_what_was_searched(source: str, number: int) -> None:
    text = "".join(random.Random(1).choices("ab", k=200_000)).replace("b", "a" if "?=" in source else "b") + "!"
    patterns = [Pattern(f"{source}{place}") for place in range(number)]
    before = resident_mb()
    for pattern in patterns:
        with contextlib.suppress(OutOfTimeError):
            assert not pattern.is_in(text, Effort(APART))
    assert resident_mb() - before < 50  # it was 3 to 10 MB for each


def test_a_pattern_that_is_too_long_is_refused() -> None:
    check_pattern("a" * LONGEST_PATTERN, "bodyPattern")
    with pytest.raises(ValueError, match="bodyPattern: a regular expression has at most 10,000 characters"):
        check_pattern("a" * (LONGEST_PATTERN + 1), "bodyPattern")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(?:" * 250 + "a" + ")?" * 250, "it is nested too deeply"),
        ("(?=a)(?:(?:ab?){9999}){9999}", "it repeats too much"),
        (r"\Ba{4000000000}", "it repeats too much"),
        (r"(?:a{150}){150}+\B", "it repeats too much"),
    ],
)
def test_a_pattern_that_no_engine_runs_is_refused(source: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"no engine runs it: {reason}"):
        Pattern(source)
