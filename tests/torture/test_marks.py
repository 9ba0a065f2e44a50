"""Marks in the data: where they go, and how what a command prints of them is read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mockd.torture.bench import bench
from mockd.torture.command import Ended
from mockd.torture.compare import DEFAULT_WAYS, difference
from mockd.torture.marks import MARKS, PLAIN, marked
from mockd.torture.shrink import Shrinker
from mockd.torture.source import Source
from mockd.torture.trial import MOST_PLACES, Trial
from mockd.torture.variants import of_data

PATIENCE_S = 60.0
RIGHT = """
import json, re, sys, urllib.request as r
text = r.urlopen(sys.argv[1]).read().decode()
data = [block.partition("data: ")[2] for block in text.split("\\n\\n")[:-1]]
"""


def mock(*data: Any) -> dict[str, Any]:
    return {"matcher": {"path": "/chat"}, "sse": {"events": [{"data": one} for one in data]}}


def ended(stdout: str) -> Ended:
    return Ended(0, stdout.encode(), b"")


def data_of(found: Any) -> list[Any]:
    return [[event["data"] for event in one["sse"]["events"]] for one in found]


# -- what is printed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
@pytest.mark.parametrize(
    "write",
    [
        str,
        repr,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: repr(json.dumps(text)),
        lambda text: json.dumps(text).upper().replace("MOCKD-", "mockd-").replace("MARK", "mark").replace("\\U", "\\u"),
        lambda text: "".join(
            char if char.isascii() and char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text
        ),
    ],
)
def test_every_way_to_write_a_mark_is_the_same(mark: Any, write: Any) -> None:
    wanted, got = mark.wanted(ended(write(f"a {PLAIN} b"))), mark.read(ended(write(f"a {mark.text} b")))
    assert difference(wanted, got, DEFAULT_WAYS) is None


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("u2028", "mockd-"),
        ("u2028", "mockd-\nmark"),
        ("u2028", PLAIN),
        ("u2028", "mockd- mark"),
        ("controls", "mockd-\x0b\x0c\x1c\x1dmark"),
        ("blanks-before", PLAIN),
        ("blanks-before", f" {PLAIN}"),
        ("blanks-behind", f"{PLAIN} "),
    ],
)
def test_what_is_lost_of_a_mark_is_seen(name: str, printed: str) -> None:
    mark = MARKS[name]
    assert difference(mark.wanted(ended(f"'{PLAIN}'")), mark.read(ended(f"'{printed}'")), DEFAULT_WAYS) is not None


def test_json_is_compared_with_marks_in_it() -> None:
    for mark in MARKS.values():
        clean, odd = (ended(json.dumps({"a": text})) for text in (PLAIN, mark.text))
        assert difference(mark.wanted(clean), mark.read(odd), ("json",)) is None


# -- where it is put ---------------------------------------------------------------------------------------------------


def test_what_was_printed_comes_first_and_text_before_json() -> None:
    found = marked(mock("unseen", {"a": "x", "b": "ö"}, "seen\ntoo"), b"seen too \\u00f6")
    assert data_of(found) == [
        ["unseen", {"a": "x", "b": "ö"}, PLAIN],
        ["unseen", f'{{"a":"x","b":"{PLAIN}"}}', "seen\ntoo"],
        [PLAIN, {"a": "x", "b": "ö"}, "seen\ntoo"],
        ["unseen", f'{{"a":"{PLAIN}","b":"ö"}}', "seen\ntoo"],
    ]


def test_strings_inside_lists_and_objects() -> None:
    found = marked(mock('{"a":[{"b":"x"},"y",1]}', "1", '"z"'), b"")
    assert data_of(found) == [
        ['{"a":[{"b":"x"},"y",1]}', PLAIN, '"z"'],
        [f'{{"a":[{{"b":"{PLAIN}"}},"y",1]}}', "1", '"z"'],
        [f'{{"a":[{{"b":"x"}},"{PLAIN}",1]}}', "1", '"z"'],
        ['{"a":[{"b":"x"},"y",1]}', "1", f'"{PLAIN}"'],
    ]


def test_a_mark_that_is_there_stays_the_only_one() -> None:
    assert list(marked(mock("a", PLAIN), b"a")) == [mock("a", PLAIN)]


def test_events_without_data_and_raw_ones_are_left() -> None:
    given = mock("a")
    given["sse"]["events"] += [{"comment": "b"}, {"raw": "data: c\n\n"}, {"id": "1"}]
    [found] = marked(given, b"")
    assert found["sse"]["events"] == [{"data": PLAIN}, *given["sse"]["events"][1:]]


# -- with a command ----------------------------------------------------------------------------------------------------


def found_by(given: dict[str, Any], code: str) -> dict[str, Any] | None:
    argv = [sys.executable, "-c", RIGHT + code, "{url}"]
    with bench(Source(given, Path()), argv, PATIENCE_S, 100) as on:
        trial = Trial(on, given, DEFAULT_WAYS)
        trial.find_mark(given)
        return trial.marked


def test_the_command_prints_it_and_does_all_else_as_before() -> None:
    given = mock({"type": "text", "text": "x"}, "[DONE]")
    code = "print(data[-1]); [print(json.loads(one)[json.loads(one)['type']]) for one in data if one != '[DONE]']"
    assert found_by(given, code) == mock(f'{{"type":"text","text":"{PLAIN}"}}', "[DONE]")


def test_a_command_that_prints_nothing_of_the_data() -> None:
    assert found_by(mock(*"abcdefghijkl"), "print(len(data))") is None


def test_so_many_places_are_tried() -> None:
    given = mock(*"abcdefghijkl")
    argv = [sys.executable, "-c", RIGHT + "print(len(data))", "{url}"]
    with bench(Source(given, Path()), argv, PATIENCE_S, 100) as on:
        trial = Trial(on, given, DEFAULT_WAYS)
        before = on._left
        trial.find_mark(given)
        assert before - on._left == MOST_PLACES


@pytest.mark.parametrize(
    ("code", "wrong", "left"),
    [
        ("print(data)", [], {}),
        ("print([one.strip() for one in data])", ["blanks-before", "blanks-behind"], {"blanks-before": " mockd-mark"}),
        (
            "print([one.splitlines() for one in data])",
            ["u2028", "u0085", "controls"],
            {"u2028": "mockd-\u2028mark", "controls": "mockd-\x0bmark"},
        ),
    ],
)
def test_what_a_command_gets_wrong_is_made_small(code: str, wrong: list[str], left: dict[str, str]) -> None:
    given = mock("a", "b", "c")
    argv = [sys.executable, "-c", RIGHT + code, "{url}"]
    with bench(Source(given, Path()), argv, PATIENCE_S, 1000) as on:
        trial = Trial(on, given, DEFAULT_WAYS)
        trial.find_mark(given)
        assert trial.marked is not None
        verdicts = trial.verdicts(of_data(trial.marked), 2, lambda verdict: None)
        assert [one.variant.name for one in verdicts if one.is_wrong] == [f"data-{name}" for name in wrong]
        shrinker = Shrinker(on, trial, given)
        for verdict in verdicts:
            name = verdict.variant.name.removeprefix("data-")
            if name in left:
                [event] = shrinker.shrink(verdict.variant).whole["sse"]["events"]
                assert event == {"data": left[name]}
