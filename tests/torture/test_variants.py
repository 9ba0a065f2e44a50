"""The variants of a stream: those that its own fields allow, and combinations of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockd.config.faults import ACTIONS
from mockd.config.load import parse_mock
from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.framing.variants import variants
from mockd.jsontext import encode_json
from mockd.settings import Settings
from mockd.testing import running_mockd
from mockd.torture.marks import MARKS, PLAIN
from mockd.torture.service import variants_for_any
from mockd.torture.source import Source
from mockd.torture.variants import UNSEEN, Variant, body_of, combined, joined, may_have_ids, of_data, variants_of
from tests.wire.framing.reading import event_stream

EVENTS = [{"data": "a"}, {"data": "b"}]


def source(**answer: Any) -> Source:
    return Source({"matcher": {"path": "/a"}, **(answer or {"sse": {"events": EVENTS}})}, Path())


def names(found: list[Variant]) -> list[str]:
    return [one.name for one in found]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ({"sse": {"events": EVENTS}}, "sse"),
        ({"sse": {"template": "openai-chat"}}, "sse"),
        ({"chunked": {"ndjsonItems": [1]}}, "ndjson"),
        ({"chunked": {"data": "1\n", "format": "ndjson"}}, "ndjson"),
        ({"chunked": {"template": "ollama-chat"}}, "ndjson"),
        ({"chunked": {"data": "text"}}, "raw"),
    ],
)
def test_all_variants_of_a_kind_of_body(answer: dict[str, Any], body: Any) -> None:
    given = source(**answer)
    assert body_of(given.mock) == body
    found = variants_for_any(given)
    unseen = [f"unseen-{name}" for name in UNSEEN] if body == "sse" else []
    assert names(found)[0] == "clean"
    assert sorted(names(found)[1:]) == sorted([*(one.name for one in variants(body)), *unseen])
    for one in found:
        Engine(Settings()).check(parse_mock(one.of(given.mock), root=None))


@pytest.mark.parametrize(
    ("sse", "has_ids"),
    [
        ({"events": EVENTS}, False),
        ({"events": [{"data": "a", "id": "1"}]}, True),
        ({"events": EVENTS, "resume": {"enabled": True}}, True),
        ({"template": "openai-chat"}, True),
    ],
)
def test_blank_lines_are_neutral_if_there_are_no_ids(sse: dict[str, Any], has_ids: bool) -> None:
    given = source(sse=sse)
    assert may_have_ids(given.mock) is has_ids
    by_name = {one.name: one for one in variants_for_any(given)}
    assert by_name["emptyLines-2"].is_neutral is not has_ids


def test_encodings_are_neutral_if_they_are_accepted() -> None:
    by_name = {one.name: one for one in variants_for_any(source(), accepted=["gzip"])}
    assert by_name["encoding-gzip"].is_neutral
    assert not by_name["encoding-deflate"].is_neutral


def test_what_the_mock_has_of_its_own_stays() -> None:
    given = source(sse={"events": EVENTS, "framing": {"bom": True, "coalesce": 2}})
    found = {one.name: one for one in variants_for_any(given)}
    assert "split-bytes-1" not in found  # which does not go with `coalesce`
    framing = found["lineEnding-crlf"].of(given.mock)["sse"]["framing"]
    assert framing == {"bom": True, "coalesce": 2, "lineEnding": "crlf"}


def test_every_fault_is_a_variant_that_is_not_neutral() -> None:
    found = variants_of(source(), "sse", has_ids=False, with_faults=True)
    faults = [one for one in found if one.faults and not one.name.startswith("unseen-")]
    assert names(faults) == [f"fault-{action.__struct_config__.tag}" for action in ACTIONS]
    assert not any(one.is_neutral or "requests" in one.faults[0] for one in faults)
    assert faults[0].of({**source().mock, "faults": ["delay 5"]})["faults"] == ["delay 5", *faults[0].faults]


@pytest.mark.parametrize("id_", [None, "1"])
def test_blocks_that_are_no_events_are_neutral_where_no_id_is(id_: str | None) -> None:
    events = [{"data": "a"} if id_ is None else {"data": "a", "id": id_}, {"data": "b"}]
    given = source(sse={"events": events})
    unseen = [one for one in variants_for_any(given) if one.name.startswith("unseen-")]
    assert [one.is_neutral for one in unseen] == [id_ is None] * len(UNSEEN)
    with running_mockd(*[{**one.of(given.mock), "matcher": {"path": f"/{one.name}"}} for one in unseen]) as mockd:
        for one in unseen:
            body = httpx2.get(f"{mockd.url}/{one.name}").text
            assert UNSEEN[one.name.removeprefix("unseen-")] in body
            assert [event.data for event in event_stream(body.encode()).messages] == ["a", "b"]


def test_the_likeliest_come_first() -> None:
    found = names(variants_of(source(), "sse", has_ids=False, with_faults=True))
    assert found[:3] == ["lineEnding-crlf", "split-utf8", "split-bytes-1"]
    assert found[-1].startswith("fault-")


@pytest.mark.parametrize(
    ("data", "marks"),
    [
        (f"a {PLAIN} b", set(MARKS)),
        (f'{{"a":"{PLAIN}"}}', {"u2028", "u0085"}),
        ({"a": [PLAIN]}, {"u2028", "u0085"}),
        ("a", set()),
    ],
)
def test_variants_of_marked_data(data: Any, marks: set[str]) -> None:
    mock = source(sse={"events": [{"data": data}, {"data": "b"}], "framing": {"bom": True}}).mock
    found = of_data(mock)
    assert names(found) == [f"data-{name}" for name in MARKS if name in marks]
    for one in found:
        assert one.is_neutral
        assert one.mark is not None
        changed = joined([one, Variant("split", True, {"split": "lines"})]).of(mock)
        plain = data if isinstance(data, str) else encode_json(data).decode()
        assert changed["sse"]["events"] == [{"data": plain.replace(PLAIN, one.mark.text)}, {"data": "b"}]
        assert changed["sse"]["framing"] == {"bom": True, "split": "lines"}


def test_other_sources_have_no_marked_data() -> None:
    assert of_data(source(sse={"template": "openai-chat", "templateParams": {"text": PLAIN}}).mock) == []
    assert of_data(source(chunked={"data": PLAIN}).mock) == []


def test_one_mark_in_a_stream() -> None:
    both = of_data(source(sse={"events": [{"data": PLAIN}]}).mock)[:2]
    with pytest.raises(ConfigError, match="there is one mark in a stream"):
        joined(both)


def test_combinations() -> None:
    found = variants_of(source(), "sse", has_ids=False)
    together = combined(found)
    assert len(together) == 8
    assert names(together) == names(combined(found))
    for one in together:
        assert one.is_neutral
        assert one.name.count("+") == 2
        assert "finalBlankLine" not in one.name
        assert "600000" not in one.name
        Engine(Settings()).check(parse_mock(one.of(source().mock), root=None))
    assert combined(found[:2]) == []


def test_no_two_of_a_combination_have_a_field_in_common() -> None:
    by_name = {one.name: one for one in variants_of(source(), "sse", has_ids=False)}
    some = ("lineEnding-crlf", "lineEnding-cr", "bom", "charset-utf-8")
    assert sorted(names(combined([by_name[name] for name in some]))) == [
        "lineEnding-cr+bom+charset-utf-8",
        "lineEnding-crlf+bom+charset-utf-8",
    ]
    impossible = ("split-bytes-1", "coalesce-2", "bom")
    assert combined([by_name[name] for name in impossible]) == []
