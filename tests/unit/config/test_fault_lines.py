"""Faults as lines of text, and as objects."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockd.config.fault_lines import LONGEST_LINE, parse_faults, parse_line, parse_lines
from mockd.config.faults import ACTIONS
from mockd.config.framing import FramingConfig
from mockd.config.profiles import PROFILES, profile_named
from mockd.errors import ConfigError

SAME: dict[str, dict[str, Any]] = {
    "reset": {"action": "reset"},
    "reset after 3 events": {"action": "reset", "after": {"events": 3}},
    "reset after 1 event": {"action": "reset", "after": {"events": 1}},
    "close linger=50 after 7 bytes": {"action": "close", "linger": 50, "after": {"bytes": 7}},
    "close linger=1s after 7 byte": {"action": "close", "linger": 1000, "after": {"bytes": 7}},
    "reset after 17 wire bytes": {"action": "reset", "after": {"wireBytes": 17}},
    "stall after 1.5 ms": {"action": "stall", "after": {"ms": 1.5}},
    "stall ms=2000 after 100 bytes for requests 1-2": {
        "action": "stall",
        "ms": 2000,
        "after": {"bytes": 100},
        "requests": "1-2",
    },
    "status status=429 retryAfter=2 every 3": {"action": "status", "status": 429, "retryAfter": 2, "every": 3},
    "status 429": {"action": "status", "status": 429},
    "status 429 retryAfter=date:5 for request 3,5-": {
        "action": "status",
        "status": 429,
        "retryAfter": "date:5",
        "requests": "3,5-",
    },
    "delay 5 before head with probability 0.2": {
        "action": "delay",
        "ms": 5,
        "before": "head",
        "probability": 0.2,
    },
    'delay {"dist":"uniform","max":5}': {"action": "delay", "ms": {"dist": "uniform", "max": 5}},
    'insert raw="a; b" name=x': {"action": "insert", "raw": "a; b", "name": "x"},
    "  empty  ": {"action": "empty"},
}


@pytest.mark.parametrize("line", SAME)
def test_a_line_says_the_same_as_an_object(line: str) -> None:
    assert parse_faults([line]) == parse_faults([SAME[line]])


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action.__struct_config__.tag))
def test_every_example_is_a_fault(action: Any) -> None:
    fault = parse_line(action.example)
    assert type(fault) is action
    assert msgspec.convert(msgspec.to_builtins(fault), action) == fault


def test_several_in_one_line() -> None:
    found = parse_lines('reset after 3 events;insert raw=";"; stall')
    assert [fault.action for fault in found] == ["reset", "insert", "stall"]
    assert parse_lines(" ") == []


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_a_list_of_faults(name: str) -> None:
    assert parse_faults(list(PROFILES[name].faults)) or PROFILES[name].framing
    assert msgspec.convert(PROFILES[name].framing, FramingConfig)
    assert PROFILES[name].summary.endswith(".")
    assert PROFILES[name].symptom


def test_a_profile_that_does_not_exist_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="there is no profile 'flaky-mobil'") as caught:
        profile_named("flaky-mobil", ("profile",))
    assert caught.value.problems[0].path == ("profile",)
    assert caught.value.problems[0].hint == "did you mean `flaky-mobile`?"
    with pytest.raises(ConfigError) as caught:
        profile_named("x", ("profile",))
    assert caught.value.problems[0].hint == "known are " + ", ".join(f"`{name}`" for name in PROFILES)


WRONG: dict[str, tuple[str, str]] = {
    "reste after 3 events": ("there is no fault 'reste', at character 1 ", "did you mean `reset`?"),
    "nonsense": ("there is no fault 'nonsense'", "known are end, close, reset"),
    "reset aftr 3 events": ("'aftr' is not expected, at character 7 ", "did you mean `after`?"),
    "reset after x": ("expected a number, at character 13 ", "ACTION"),
    "reset after true events": ("expected a number, at character 13 ", "ACTION"),
    "reset after 3 evnts": ("expected `events`, `bytes`, `wire bytes` or `ms`, at character 15 ", "ACTION"),
    "reset after 3 wire": ("expected `bytes`", "ACTION"),
    "reset before tail": ("expected `head`, at character 14 ", "ACTION"),
    "reset for ever": ("expected `requests`, at character 11 ", "ACTION"),
    "reset with luck": ("expected `probability`", "ACTION"),
    "reset linger=1 linger=2": ("`linger` is given twice, at character 16 ", "give it once"),
    "reset every 2 every 3": ("`every` is given twice", "give it once"),
    "delay 5 6": ("'6' is not expected, at character 9 ", "ACTION"),
    "insert event={": ("not JSON: ", "ACTION"),
    "status": ("missing `status`, at character 1 of 'status'", "as in `status 429 retryAfter=2"),
    ";": ("a fault is missing, at character 1 of ';'", "leave out the `;`"),
    "reset; ;stall": ("a fault is missing, at character 8 ", "leave out the `;`"),
    "reset for requests": ("expected numbers of requests, at character 18 ", "ACTION"),
    "reset for requests 1-x": ("'1-x' is no list of request numbers, at character 7 ", "as in `1-2,5-`"),
    "status 429 retryAfter=soon": ("'soon' is no time, at character 12 ", "`date:5`"),
    "429 for requests 1": ("there is no fault '429', at character 1 ", "did you mean `status 429`?"),
    "reset in event 3": ("'event' is not expected, at character 10 ", "before head | after N events"),
    "status 429 retry-after=2": (
        "`status` has no setting `retry-after`, at character 12 ",
        "did you mean `retryAfter`?",
    ),
    "status 429 retry_after=2": ("`status` has no setting `retry_after`", "did you mean `retryAfter`?"),
    "reset after 2.5 events": ("2.5 is no whole number, at character 13 ", "in bytes"),
    "reset with probability 20%": ("'20%' is no number from 0 to 1, at character 24 ", "one in five is 0.2"),
    "reset every": ("expected a whole number, at character 11 ", "ACTION"),
    "reset with probability": ("expected a number from 0 to 1, at character 22 ", "ACTION"),
    "malformed at=1": ("expected a number < 1, at character 11 ", "ACTION"),
    'insert raw="\\ud800"': ("half of a surrogate pair is no character, at character 12 ", "write the character"),
    'header remove=["Transfer-Encoding"]': ("mockd itself says how the body is sent, in `$.remove[0]`", "`badChunk`"),
    "close tls=never": ("'never' is not one of `notify`, `truncate`, at character 7 ", "ACTION"),
    "stall foo=2": ("unknown key `foo`", "known here"),
    "stall ms=-1": ("at character 7 of 'stall ms=-1'", ""),
    "reset for requests 0": ("there are no requests '0'", "they count from 1"),
    "reset for requests 3-2": ("there are no requests '3-2'", "they count from 1"),
    "reset after 1 event before head": ("give one of `before` and `after`", ""),
    "end before head": ("`end` is not possible there", "it goes `after N events`, `after N bytes`, `after T ms`"),
    "status 429 after 1 event": ("`status` is not possible there", "it goes `before head`"),
    "idle after 1 event": ("`idle` is not possible there", "it goes behind the last event, which is not said"),
    'header set={"a b":"c"}': ("'a b' cannot be sent as a header", ""),
    'header set={"a":"b\\r\\nc: d"}': ("'a' cannot be sent as a header", ""),
    'header set={"a":"日"}': ("the value of 'a' has a character outside latin-1", ""),
    "header": ("`header` needs `set` or `remove`", ""),
    "insert": ("`insert` needs one of `event`, `raw` and `rawBase64`", ""),
    "garbage bytes=0": ("expected a whole number >= 1", ""),
    "reset; stall": ("expected one fault, got 2", "give each a line of its own"),
    "": ("expected one fault, got 0", ""),
    "stall " * LONGEST_LINE: ("a fault of more than 4,096 characters", ""),
}


@pytest.mark.parametrize("line", WRONG, ids=lambda line: line[:40])
def test_nonsense_is_refused_with_its_place_and_the_cure(line: str) -> None:
    message, hint = WRONG[line]
    with pytest.raises(ConfigError) as caught:
        parse_line(line)
    problem = caught.value.problems[0]
    assert message in problem.message
    assert hint in (problem.hint or "")


@pytest.mark.parametrize("line", ["hugeEvent 1001", "garbage bytes=1001", "extraBytes 1001"])
def test_bytes_that_are_made_up_are_bounded(line: str) -> None:
    assert parse_line(line.replace("1001", "1000"), 1000)
    with pytest.raises(ConfigError) as caught:
        parse_faults(["stall", line], ("faults",), 1000)
    (problem,) = caught.value.problems
    assert "would make up 1,001 bytes, and a fault may make up 1,000, at character" in problem.message
    assert (problem.path, problem.hint) == (("faults", 1), "`--max-fault-bytes` allows more")
    with pytest.raises(ConfigError, match="may make up 1,000"):
        parse_lines(line, 1000)


_TEXT = """
; ; before head after events event bytes wire ms for requests every with probability 1 0.5 -3 1e99 NaN 1-2 1-,x " { [
"x" {"a":1} [] \\ ü \\ud800 ٣ name= ms= tls= at= set= remove= event= raw= rawBase64= size= name=x ms=5s tls=notify
at=2 set={} event={} raw=5 status=1 retryAfter=x bytes=0 match={} before=head
"""
_WORDS = [*(str(action.__struct_config__.tag) for action in ACTIONS), *_TEXT.split()]
_WORDS += [action.example for action in ACTIONS]
"""Words of which lines are made that are nearly right."""


@settings(max_examples=2000, deadline=None)
@given(
    st.lists(st.sampled_from(_WORDS) | st.text(max_size=5), max_size=9).map(" ".join)
    | st.lists(st.sampled_from(_WORDS), max_size=9).map("".join)
)
def test_any_text_is_faults_or_is_told_what_is_wrong(text: str) -> None:
    try:
        found = parse_lines(text, 1000)
    except ConfigError as error:
        for problem in error.problems:
            assert problem.hint
            assert not re.search(r"regex|<class|Traceback|NoneType|Annotated|\[0-9\]", problem.message.split(" of ")[0])
            if "more than" not in problem.message:
                (place,) = re.findall(r"at character (\d+) of ['\"]", problem.message)[:1]
                assert 1 <= int(place) <= max(1, len(text))
    else:
        for fault in found:
            assert parse_faults([msgspec.to_builtins(fault)]) == [fault]
            msgspec.json.encode(fault)


def test_all_problems_of_a_list_are_told_with_their_places() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_faults(["reste", {"action": "stall", "ms": "x"}, {"action": "stal"}, 5, {}, "reset"], ("faults",))
    places = [problem.path for problem in caught.value.problems]
    assert places == [("faults", 0), ("faults", 1, "ms"), ("faults", 2, "action"), ("faults", 3), ("faults", 4)]
    with pytest.raises(ConfigError, match="expected a list"):
        parse_faults("reset")
