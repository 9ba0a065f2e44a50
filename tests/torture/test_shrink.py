"""From what a command gets wrong to the smallest stream that shows it."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mockd.config.load import load_paths
from mockd.torture.bench import Bench, bench
from mockd.torture.compare import DEFAULT_WAYS
from mockd.torture.parts import parts_of, smallest
from mockd.torture.shrink import Shrinker, Shrunk, written_out
from mockd.torture.simpler import simplest
from mockd.torture.source import Source
from mockd.torture.torture import mock_file
from mockd.torture.trial import Trial, Verdict
from mockd.torture.variants import Variant

PATIENCE_S = 60.0
READ = "import sys, urllib.request as r; text = r.urlopen(sys.argv[1]).read().decode()\n"
WORDS = [{"data": word} for word in ("alpha", "beta", "gamma", "delta", "epsilon")]


def mock(**answer: Any) -> dict[str, Any]:
    return {"matcher": {"path": "/chat"}, **answer}


@contextmanager
def trial(given: dict[str, Any], code: str = "print(text)", most_runs: int = 1000) -> Iterator[tuple[Bench, Trial]]:
    argv = [sys.executable, "-c", READ + code, "{url}"]
    with bench(Source(given, Path()), argv, PATIENCE_S, most_runs) as on:
        yield on, Trial(on, given, DEFAULT_WAYS)


def shrunk(given: dict[str, Any], code: str, *variants: Variant, most_runs: int = 1000) -> list[Shrunk]:
    with trial(given, code, most_runs) as (on, begun):
        shrinker = Shrinker(on, begun, written_out(on, begun))
        return [shrinker.shrink(variant) for variant in variants]


# -- streams that need no command --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "needed", "left"),
    [
        (mock(sse={"events": WORDS, "retry": 5}), "mm", {"sse": {"events": [{"data": "mm"}], "retry": 5}}),
        (
            mock(sse={"events": [{"data": {"a": "x", "b": "yes"}}, {"data": "z", "type": "t", "id": "1"}]}),
            "yes",
            {"sse": {"events": [{"data": "yes"}]}},
        ),
        (mock(sse={"events": [{"data": "z", "type": "t"}, *WORDS]}), "'t'", {"sse": {"events": [{"type": "t"}]}}),
        (mock(chunked={"ndjsonItems": [{"a": 1, "b": 2}, {"c": 3}]}), "'b'", {"chunked": {"ndjsonItems": [{"b": 2}]}}),
        (mock(chunked={"data": "one\ntwo\nthree\n"}), "w", {"chunked": {"data": "w"}}),
    ],
)
def test_the_smallest_stream(given: dict[str, Any], needed: str, left: dict[str, Any]) -> None:
    stream = parts_of(given)
    assert stream is not None
    assert smallest(stream, lambda smaller: needed in str(smaller)) == mock(**left)


def test_streams_that_are_not_written_out() -> None:
    assert parts_of(mock(sse={"template": "openai-chat"})) is None
    assert parts_of(mock(chunked={"dataFile": "a"})) is None


@pytest.mark.parametrize(
    ("framing", "needed", "left"),
    [
        ({"bom": True, "padding": 2048}, {"bom"}, {"bom": True}),
        ({"split": "utf8", "pause": 5}, {"split"}, {"split": [1]}),
        ({"lineEnding": "mixed"}, {"lineEnding"}, {"lineEnding": "crlf"}),
        ({"encoding": "gzip", "flush": "end"}, {"encoding", "flush"}, {"encoding": "gzip", "flush": "end"}),
        ({"fieldOrder": ["data", "id"]}, {"fieldOrder"}, {"fieldOrder": ["data"]}),
    ],
)
def test_the_simplest_variant(framing: dict[str, Any], needed: set[str], left: dict[str, Any]) -> None:
    found = simplest(Variant("v", True, framing), 10, lambda simpler: needed <= simpler.framing.keys())
    assert found.framing == left


@pytest.mark.parametrize(("least", "found"), [(3, 3), (4, 6), (700, 768), (2048, 2048)])
def test_numbers_get_smaller(least: int, found: int) -> None:
    variant = Variant("v", True, {"padding": 2048})
    assert simplest(variant, 0, lambda simpler: simpler.framing["padding"] >= least).framing == {"padding": found}


def test_the_borders_that_matter_are_left() -> None:
    variant = Variant("v", True, {"split": {"bytes": 1}})

    def fails(simpler: Variant) -> bool:
        split = simpler.framing["split"]
        return split == {"bytes": 1} or {7, 12} <= set(split)

    assert simplest(variant, 40, fails).framing == {"split": [7, 12]}
    assert simplest(variant, 5, fails).framing == {"split": {"bytes": 1}}
    assert simplest(variant, 100_000, fails).framing == {"split": {"bytes": 1}}  # too many places to try


# -- with a command ----------------------------------------------------------------------------------------------------

NO_CR = Variant("lineEnding-crlf", True, {"lineEnding": "crlf"})
NO_MARK = Variant("bom", True, {"bom": True})
FAILS_ON_GAMMA = r"print(text.replace('\r', '').strip('\ufeff') if 'mm' not in text else text)"


def test_the_next_one_begins_where_the_last_one_ended() -> None:
    with trial(mock(sse={"events": WORDS}), FAILS_ON_GAMMA) as (on, begun):
        shrinker = Shrinker(on, begun, written_out(on, begun))
        used = []
        for variant in (NO_CR, NO_MARK):
            before = on._left
            assert shrinker.shrink(variant) == Shrunk(mock(sse={"events": [{"data": "mm"}]}), variant)
            used.append(before - on._left)
    assert used[1] < used[0] / 2


def test_a_template_is_written_out() -> None:
    given = mock(sse={"template": "openai-chat", "templateParams": {"tokens": ["gamma"]}})
    [found] = shrunk(given, FAILS_ON_GAMMA, NO_CR)
    assert found == Shrunk(mock(sse={"events": [{"data": "mm"}]}), NO_CR)


def test_what_is_filled_in_is_written_out_as_it_stands() -> None:
    given = mock(sse={"generator": {"type": "sequence", "count": 3, "sequence": {"format": "costs $$uuid, %d mm"}}})
    with trial(given) as (on, begun):
        plain = written_out(on, begun)
    assert plain is not None
    assert plain["sse"]["events"][0]["data"].startswith("costs $$")


def test_one_that_cannot_be_written_out_stays_as_it_is() -> None:
    """Its bytes are no text."""
    given = mock(sse={"template": "openai-chat"}, faults=["corrupt after 1 event"])
    code = "import sys, urllib.request as r; text = r.urlopen(sys.argv[1]).read().decode('latin-1')\n"
    argv = [sys.executable, "-c", code + "print(text)", "{url}"]
    with bench(Source(given, Path()), argv, PATIENCE_S, 100) as on:
        begun = Trial(on, given, ("exit",))
        assert written_out(on, begun) is None
        assert Shrinker(on, begun, None).shrink(NO_CR) == Shrunk(given, NO_CR)


def test_raw_events_are_kept(tmp_path: Path) -> None:
    events = [{"rawBase64": base64.b64encode(b"data: \xc3\xa4\n\n").decode()}, {"data": "b"}]
    code = "print('Ä' if 'ä' in text and '\\r' in text else text.replace('\\r', ''))"
    [found] = shrunk(mock(sse={"events": events}), code, NO_CR)
    assert found.mock["sse"]["events"][0] == events[0]


@pytest.mark.parametrize("most_runs", [3, 4, 6, 10])
def test_the_best_so_far_when_no_runs_are_left(most_runs: int) -> None:
    [found] = shrunk(mock(sse={"events": WORDS}), FAILS_ON_GAMMA, NO_CR, most_runs=most_runs)
    assert {"data": "gamma"} in found.mock["sse"]["events"] or "mm" in str(found.mock)
    assert found.variant == NO_CR


def test_what_the_command_cannot_do_without_is_left() -> None:
    """It fails on the clean stream without `epsilon`, so no smaller stream shows anything."""
    code = f"{FAILS_ON_GAMMA}; sys.exit(0 if 'epsilon' in text else 3)"
    [found] = shrunk(mock(sse={"events": WORDS}), code, NO_CR)
    assert found.mock["sse"]["events"] == [{"data": "mm"}, {"data": "epsilon"}]


def test_a_file_sends_what_was_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/root")
    found = Shrunk(mock(sse={"events": [{"data": "${HOME} $${HOME} ä"}]}), NO_CR)
    (tmp_path / "a.json").write_text(mock_file(found, Verdict(NO_CR, "exited with 1")), encoding="utf-8")
    [spec] = load_paths((str(tmp_path / "a.json"),))
    about = {"id": "torture-lineEnding-crlf", "name": "lineEnding-crlf: exited with 1"}
    assert spec.values == {**about, **found.whole}


def test_what_cannot_be_served_is_no_smaller_stream() -> None:
    """An event with a type alone is refused."""
    code = r"print(text.replace('\r', '') if 'note' not in text else text)"
    [found] = shrunk(mock(sse={"events": [*WORDS, {"type": "note", "data": "x", "id": "1"}]}), code, NO_CR)
    assert found.mock["sse"]["events"] == [{"type": "note", "data": "x"}]
