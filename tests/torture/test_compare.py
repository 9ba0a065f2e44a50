"""What is the same, and what is said of what is not."""

from __future__ import annotations

import pytest

from mockd.errors import ConfigError
from mockd.torture.command import Ended
from mockd.torture.compare import check_comparable, difference, read_ways


def ended(stdout: str = "", code: int = 0, stderr: str = "", trouble: str | None = None) -> Ended:
    return Ended(code, stdout.encode(), stderr.encode(), trouble)


@pytest.mark.parametrize(
    ("wanted", "got", "ways", "said"),
    [
        (ended("a"), ended("a", stderr="other"), "exit,stdout", None),
        (ended("a"), ended("b"), "exit", None),
        (ended("a"), ended("a", 1, "Traceback\nValueError: no\n"), "exit,stdout", "exited with 1: ValueError: no"),
        (ended("a"), ended("a", 1), "stdout", None),
        (ended("a"), ended("a", trouble="did not end within 2 s"), "exit", "did not end within 2 s"),
        (ended("a\nb\n"), ended("a\nc\n"), "stdout", "line 2 is 'c', not 'b'"),
        (ended("a\nb"), ended("a"), "stdout", "line 2 is missing: 'b'"),
        (ended("a"), ended("a\nb"), "stdout", "line 2 is too much: 'b'"),
        (ended("x" * 500 + "y"), ended("x" * 500 + "z"), "stdout", f"line 1 is '{'x' * 20}z', not '{'x' * 20}y'"),
        (ended("é"), Ended(0, b"\xc3", b""), "stdout", r"line 1 is '\\xc3', not 'é'"),
        (ended('{"a": 1, "b": 2}'), ended('{"b":2,"a":1}'), "json", None),
        (ended('{"a": 1}\n{"b": 2}'), ended('{"a":1}\n{"b":2}\n'), "json", None),
        (ended('{"a": 1}'), ended('{"a": 2}'), "json", "line 1 is '{\"a\": 2}', not '{\"a\": 1}'"),
        (ended('{"a": 1}'), ended("oops"), "json", "its output is no JSON"),
    ],
)
def test_differences(wanted: Ended, got: Ended, ways: str, said: str | None) -> None:
    assert difference(wanted, got, read_ways(ways)) == said


def test_bytes_that_look_the_same() -> None:
    assert difference(Ended(0, b"\\xff", b""), Ended(0, b"\xff", b""), ("stdout",)) == "the bytes of its output differ"


def test_unknown_ways() -> None:
    with pytest.raises(ConfigError, match="'stderr' is nothing to compare"):
        read_ways("exit,stderr")
    with pytest.raises(ConfigError, match="nothing to compare"):
        read_ways(",")


def test_json_of_what_is_none() -> None:
    with pytest.raises(ConfigError, match="no JSON"):
        check_comparable(ended("words"), ("exit", "json"))
    check_comparable(ended("words"), ("exit", "stdout"))
