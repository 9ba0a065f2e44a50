"""The `framing` of a mock: what is refused, with its place and the cure."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.config.framing import FramingConfig
from mockd.config.load import parse_collection
from mockd.config.profiles import PROFILES
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem
from mockd.framing import variants
from mockd.framing.variants import WORDS, Variant, bodies_of
from mockd.program.varying import given_in
from mockd.settings import Settings

PARTS: dict[str, dict[str, Any]] = {
    "sse": {"sse": {"events": [{"data": 1}]}},
    "ndjson": {"chunked": {"ndjsonItems": [1]}},
    "raw": {"chunked": {"data": "text"}},
}


def problem_of(framing: Any, body: str = "sse", **more: Any) -> Problem | None:
    """The first problem of a mock with that framing; None if it has none."""
    ((kind, part),) = PARTS[body].items()
    mock = {"id": "a", "matcher": {"path": "/a"}, kind: {**part, "framing": framing, **more}}
    try:
        Engine().load(parse_collection([mock], root=None))
    except ConfigError as error:
        return error.problems[0]
    return None


REFUSED: list[tuple[Any, str, str]] = [
    ({"split": {"bytes": 1}, "coalesce": 2}, "coalesce", "give one"),
    ({"pause": 5}, "pause", "between two pieces"),
    ({"flush": "end"}, "flush", "decode"),
    ({"encoding": "gzip", "split": "utf8"}, "split", "offsets of the coded body"),
    ({"encoding": "gzip", "split": "characters"}, "split", "offsets of the coded body"),
    ({"split": [3, 3]}, "split", "before a border"),
    ({"split": [0]}, "split", "before a border"),
    ({"split": []}, "split", ""),
    ({"split": "uft8"}, "split", "did you mean `utf8`?"),
    ({"split": {}}, "split", ""),
    ({"split": {"bytes": 0}}, "split.bytes", ""),
    ({"split": {"bytes": 1, "random": 1}}, "split", ""),
    ({"lineEnding": "crfl"}, "lineEnding", "did you mean `crlf`?"),
    ({"lineEndings": "crlf"}, "lineEndings", "did you mean `lineEnding`?"),
    ({"encoding": "brotli"}, "encoding", ""),
    ({"compression": "gzip"}, "compression", "did you mean `encoding`?"),
    ({"fieldOrder": ["data", "data"]}, "fieldOrder", "one place"),
    ({"fieldOrder": ["type"]}, "fieldOrder[0]", ""),
    ({"fieldOrder": []}, "fieldOrder", ""),
    ({"comments": {"every": 1}}, "comments", ""),
    ({"comments": {"text": "a\nb"}}, "comments.text", ""),
    ({"comments": {"text": "a", "every": 0}}, "comments.every", ""),
    ({"padding": 2}, "padding", ""),
    ({"padding": 1 << 21}, "padding", ""),
    ({"emptyLines": 1001}, "emptyLines", ""),
    ({"coalesce": 1}, "coalesce", ""),
    ({"coalesce": {}}, "coalesce", "when a chunk goes out"),
    ({"coalesce": {"ms": 0}}, "coalesce", "when a chunk goes out"),
    ({"coalesce": {"bytes": 0}}, "coalesce.bytes", ""),
    ({"coalesce": {"bytes": 2_000_000}}, "coalesce.bytes", ""),
    ({"charset": "utf 8"}, "charset", ""),
    ({"charset": "utf-8\n"}, "charset", ""),
]


@pytest.mark.parametrize(("framing", "place", "hint"), REFUSED, ids=str)
def test_what_is_refused(framing: Any, place: str, hint: str) -> None:
    problem = problem_of(framing)
    assert problem is not None
    assert str(problem).startswith(f"$[0].sse.framing.{place}: "), problem
    assert hint in (problem.hint or "")


@pytest.mark.parametrize("body", PARTS)
@pytest.mark.parametrize("variant", [one for word in WORDS.values() for one in word.variants], ids=lambda one: one.name)
def test_a_variant_is_for_the_bodies_of_the_table(variant: Variant, body: str) -> None:
    problem = problem_of(dict(variant.framing), body)
    if body in variant.neutral and variant.package is None:
        assert problem is None
    else:
        assert problem is not None
        assert set(problem.path[3:4]) <= variant.framing.keys()
        assert problem.hint


def test_the_table_has_every_field_of_the_configuration() -> None:
    assert list(WORDS) == list(FramingConfig.__struct_encode_fields__)
    names = [one.name for word in WORDS.values() for one in word.variants]
    assert len(names) == len(set(names))
    assert all(field in one.framing for field, word in WORDS.items() for one in word.variants)


def test_an_encoding_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "find_spec", lambda name: None)
    problem = problem_of({"encoding": "br"})
    assert problem is not None
    assert problem.path == ("mocks", 0, "sse", "framing", "encoding") or problem.path[-1] == "encoding"
    assert "mockd[encodings]" in (problem.hint or "")


@pytest.mark.parametrize(
    ("said", "is_right"), [("gzip", True), ("br", False), ("identity", False), ("gzip, gzip", False)]
)
def test_a_content_encoding_of_the_mock_must_be_the_same(said: str, is_right: bool) -> None:
    problem = problem_of({"encoding": "gzip"}, headers={"Content-Encoding": said})
    assert (problem is None) is is_right


def test_a_framing_that_says_nothing_changes_nothing() -> None:
    assert problem_of({}) is None


@pytest.mark.parametrize("body", PARTS)
@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_gives_a_stream_what_it_can_have(name: str, body: str) -> None:
    ((kind, part),) = PARTS[body].items()
    own = {"framing": {"split": {"bytes": 9}}}
    encoded = {"headers": {"Content-Encoding": "identity"}}
    for more, settings in (({"profile": name}, Settings()), ({}, Settings(profile=name))):
        engine = Engine(settings)
        for path, config in (("/plain", part), ("/own", part | own), ("/encoded", part | encoded)):
            engine.create({"id": path[1:], "matcher": {"path": path}, kind: config, **more})
        plans = [engine.mock_set.served.find(id).parts[0].plan for id in ("plain", "own", "encoded")]
        said = [{} if plan.variation is None else given_in(plan.variation) for plan in plans]
        possible = {field: value for field, value in PROFILES[name].framing.items() if body in bodies_of(field, value)}
        assert said == [
            possible,
            own["framing"],
            {field: value for field, value in possible.items() if field not in ("encoding", "flush")},
        ]
