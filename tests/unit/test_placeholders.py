"""What counts as a placeholder, what it becomes, and what is refused."""

from __future__ import annotations

import json
import random
import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.clock import rfc3339
from mockd.errors import ConfigError
from mockd.events import Fill, Text
from mockd.placeholders import Pick, RandomInt, Timestamp, Uuid, parse_text, parse_value
from tests.manual_clock import ManualClock


def fill(text: str, seed: int = 1) -> str:
    parts = parse_text(text)
    clock = ManualClock()
    clock.skip(0.25)
    holes = Fill(random.Random(seed), clock)
    return parts if isinstance(parts, str) else "".join(p if isinstance(p, str) else p.text(holes) for p in parts)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$timestamp", "2024-01-15T10:00:00Z"),
        ("at $timestamp.", "at 2024-01-15T10:00:00Z."),
        ("$timestamp-$timestamp", "2024-01-15T10:00:00Z-2024-01-15T10:00:00Z"),
        ("$timestamp:unix", "1705312800"),
        ("$timestamp:ms", "1705312800250"),
        ("$timestamp:iso", "2024-01-15T10:00:00.250Z"),
        ("$timestamp:ms,$timestamp:unix.", "1705312800250,1705312800."),
        ("$timestamp: x", "2024-01-15T10:00:00Z: x"),
        ("$timestamp:msec", "2024-01-15T10:00:00Z:msec"),
        ("$timestamp:$random:5:5", "2024-01-15T10:00:00Z:5"),
        ("$float:0.5:0.5:2", "0.50"),
        ("$float:-0.5:-0.5:1", "-0.5"),
        ("$float:-0.05:0:1", "0.0"),
        ("$float:100:100:0", "100"),
        ("$float(0.125, 0.125, 3)kg", "0.125kg"),
        ("$float:0:0:15", "0.000000000000000"),
        ("$seq", "1"),
        ("a-$seq.", "a-1."),
        ("$seq1", "$seq1"),
        ("$sequence", "$sequence"),
        ("$float", "$float"),
        ("$random:5:5", "5"),
        ("$random:-5:-5", "-5"),
        ("$random(5,5)", "5"),
        ("$random( 5 , 5 )", "5"),
        ("<$random:5:5>", "<5>"),
        ('"$random:5:5"', '"5"'),
        ("'$random:5:5'", "'5'"),
        ("$random:5:5\n6", "5\n6"),
        ("$random:6:6 of 6", "6 of 6"),
        ("$random(1,1)$random(2,2)3", "123"),
        ("$pick:red", "red"),
        ("$pick(red)", "red"),
        ("$pick(a )b", "ab"),
        ("$pick:1.5:2", "1.5:2"),
        ("($pick(x))", "(x)"),
        ("$$", "$"),
        ("$$uuid", "$uuid"),
        ("$$$$", "$$"),
        ("$$$random:5:5", "$5"),
        ("costs $$5", "costs $5"),
        ("$5.00", "$5.00"),
        ("$", "$"),
        ("a $ b", "a $ b"),
        ("$uuid4", "$uuid4"),
        ("$uuid_", "$uuid_"),
        ("$uuids", "$uuids"),
        ("$timestamp1", "$timestamp1"),
        ("$UUID", "$UUID"),
        ("$random", "$random"),
        ("$pick", "$pick"),
        ("$randomly:1", "$randomly:1"),
        ("$picky:a,b", "$picky:a,b"),
        ("$unknown:1:2", "$unknown:1:2"),
        ("${NAME}", "${NAME}"),
        ("$.path[0]", "$.path[0]"),
        ("plain", "plain"),
        ("", ""),
    ],
    ids=repr,
)
def test_becomes(text: str, filled: str) -> None:
    assert fill(text) == filled


@pytest.mark.parametrize("text", ["$uuid", "id-$uuid", "$uuid-x", "<$uuid>", "$uuid.", "é$uuid"])
def test_uuids_are_of_version_4_wherever_they_stand(text: str) -> None:
    found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fill(text))
    assert found
    made = uuid.UUID(found[0])
    assert made.version == 4
    assert made.variant == uuid.RFC_4122


@pytest.mark.parametrize("moment", [1705312800.0, 1705312800.9999995])
def test_moments_are_cut_and_not_rounded(moment: float) -> None:
    assert rfc3339(moment) == "2024-01-15T10:00:00Z"
    assert rfc3339(moment, "milliseconds")[:20] == "2024-01-15T10:00:00."


def test_uuids_are_all_different() -> None:
    rng = random.Random(1)
    holes = Fill(rng, ManualClock())
    assert len({Uuid().text(holes) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("$pick:red,green,blue", ("red", "green", "blue")),
        ("$pick:a", ("a",)),
        ("$pick:a,,b", ("a", "", "b")),
        ("$pick:two words", ("two",)),
        ("$pick(two words, or three more)", ("two words", "or three more")),
        ("$pick:é,ü", ("é", "ü")),
        ("$pick:a.b:c/d,e;f", ("a.b:c/d", "e;f")),
    ],
)
def test_options(text: str, options: tuple[str, ...]) -> None:
    parts = parse_text(text)
    assert isinstance(parts, Text)
    assert parts[0] == Pick(options)


def test_every_option_is_picked() -> None:
    assert {fill("$pick:red,green,blue", seed) for seed in range(50)} == {"red", "green", "blue"}


@given(low=st.integers(-(10**30), 10**30), span=st.integers(0, 5) | st.integers(0, 10**30), seed=st.integers(0, 99))
def test_random_numbers_are_within_their_bounds(low: int, span: int, seed: int) -> None:
    assert low <= int(fill(f"$random:{low}:{low + span}", seed)) <= low + span


def test_random_numbers_reach_both_ends() -> None:
    holes = Fill(random.Random(1), ManualClock())
    assert {RandomInt(1, 3).text(holes) for _ in range(100)} == {"1", "2", "3"}


@given(
    low=st.decimals(-(10**6), 10**6, places=3),
    span=st.decimals(1, 10**6, places=3),
    digits=st.integers(0, 15),
    seed=st.integers(0, 99),
)
def test_decimal_numbers_are_within_their_bounds_and_have_their_places(
    low: Decimal, span: Decimal, digits: int, seed: int
) -> None:
    text = fill(f"$float:{low}:{low + span}:{digits}", seed)
    assert low <= Decimal(text) <= low + span
    assert len(text.partition(".")[2]) == digits
    assert json.loads(text) == float(text)


def test_decimal_numbers_reach_both_ends() -> None:
    found = {fill("$float:-0.1:0.2:1", seed) for seed in range(100)}
    assert found == {"-0.1", "0.0", "0.1", "0.2"}


@pytest.mark.parametrize(
    "text",
    [
        "$float:0:1",
        "$float:0:1:2:3",
        "$float:a:1:2",
        "$float:0:1:x",
        "$float:0:1:1.5",
        "$float:0:1:-1",
        "$float:0:1:16",
        "$float:1:0:2",
        "$float:0:NaN:2",
        "$float:0:Infinity:2",
        "$float:0:1e999999999:2",
        "$float:0.41:0.49:1",
        "$float()",
        "$float(0,1,2",
        "$random:1",
        "$random:1:2:3",
        "$random:a:b",
        "$random:1.5:2",
        "$random::",
        "$random:9:1",
        "$random:1:100,",
        "$random: 1:2",
        "$random(1)",
        "$random()",
        "$random(1,2",
        "$random(2,1)",
        "$pick:",
        "$pick: a",
        "$pick()",
        "$pick(a",
        "$pick(a\nb)",
        "$pick(a\0)",
    ],
    ids=repr,
)
def test_bad_arguments_are_refused_with_their_place(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_value({"a": ["x", text]}, ("sse", "events", 0, "data"))
    problem = caught.value.problems[0]
    assert problem.path == ("sse", "events", 0, "data", "a", 1)
    assert any(name in problem.message for name in ("$random", "$float", "$pick"))


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        ({"$uuid": "$uuid"}, {"$uuid": Text((Uuid(),))}),
        ([["$timestamp"]], [[Text((Timestamp(),))]]),
        ({"a": 1, "b": None, "c": True, "d": 1.5}, {"a": 1, "b": None, "c": True, "d": 1.5}),
        ("$$", "$"),
    ],
)
def test_values_are_parsed_at_any_depth_and_keys_are_not(value: Any, parsed: Any) -> None:
    assert parse_value(value) == parsed


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parts = parse_text(text)
    except ConfigError:
        assert any(name in text for name in ("$random", "$float", "$pick"))
    else:
        assert "$" in text or parts == text
